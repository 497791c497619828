import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, type Either, Redacted, type Scope } from "effect"
import { SecretReader } from "../../src/config/AppConfiguration.ts"
import type { ConfigError } from "../../src/config/ConfigError.ts"
import * as Load from "../../src/config/Load.ts"
import { serve, type StoredSetting } from "./AppConfigurationServer.ts"
import { type Texts, from, load, mistakesOf } from "./LoadTests.ts"

const stored = (settings: ReadonlyArray<StoredSetting>, environment: Texts = {}, status?: number) =>
  Effect.gen(function* () {
    const { connection, requests } = yield* serve(settings, status)
    const result = yield* Effect.either(load({ AZURE_APP_CONFIG_ENDPOINT: connection, ...environment }))
    return { result, requests, connection }
  })

const settled = <A>(outcome: Effect.Effect<{ readonly result: Either.Either<A, ConfigError> }, never, Scope.Scope>) =>
  Effect.flatMap(outcome, ({ result }) => result)

const common = (name: string, value: string) => ({ key: `contentflow.common.${name}`, value })
const worker = (name: string, value: string) => ({ key: `contentflow.worker.${name}`, value })

const reference = (name: string, value: string) => ({
  ...worker(name, value),
  content_type: "application/vnd.microsoft.appconfig.keyvaultref+json;charset=utf-8"
})

describe("App Configuration", () => {
  it.scoped("comes before the environment; the worker's keys before the common ones", () =>
    Effect.gen(function* () {
      const { requests, result } = yield* stored(
        [
          common("COSMOS_DB_NAME", "common"),
          common("STORAGE_WORKER_QUEUE_NAME", "common-queue"),
          worker("COSMOS_DB_NAME", " worker "),
          worker("API_PORT", "3"),
          worker("LOCK_TTL_SECONDS", ""),
          { ...worker("CRASH_LIMIT", "9"), label: "prod" },
          { key: "contentflow.api.API_HOST", value: "api" },
          { key: "sentinel", value: "1" }
        ],
        { API_PORT: "2", COSMOS_DB_NAME: "env", LOCK_TTL_SECONDS: "77" }
      )
      const { azure, http, engine } = yield* result
      assert.strictEqual(azure.cosmosDatabase, "worker")
      assert.strictEqual(azure.queueName, "common-queue")
      assert.strictEqual(http.port, 3)
      assert.strictEqual(http.host, "0.0.0.0")
      assert.deepStrictEqual(engine.lockTtl, Duration.seconds(77))
      assert.strictEqual(engine.crashLimit, 3)
      assert.deepStrictEqual(
        requests.map((url) => url.searchParams.get("key")),
        ["contentflow.common.*", "contentflow.worker.*"]
      )
    })
  )

  it.scoped("reads the filters that are configured, in their order", () =>
    Effect.gen(function* () {
      const { azure } = yield* settled(
        stored(
          [
            { key: "a.COSMOS_DB_NAME", value: "a" },
            { key: "b.COSMOS_DB_NAME", value: "b" },
            worker("COSMOS_DB_NAME", "w")
          ],
          {
            APP_CONFIG_KEY_FILTERS: "b.*, a.*"
          }
        )
      )
      assert.strictEqual(azure.cosmosDatabase, "a")
    })
  )

  it.scoped("does not set what only the environment may set", () =>
    Effect.gen(function* () {
      const { azure } = yield* settled(stored([worker("AZURE_CLIENT_ID", "stored")]))
      assert.isNull(azure.clientId)
    })
  )

  it.scoped("sets the containers' and the worker's names, too (D45)", () =>
    Effect.gen(function* () {
      const { engine, azure } = yield* settled(
        stored([
          worker("WORKER_NAME", "stored"),
          common("COSMOS_DB_CONTAINER_PIPELINES", "my_pipelines"),
          common("COSMOS_DB_CONTAINER_VAULTS", "my_vaults"),
          common("COSMOS_DB_CONTAINER_VAULT_EXECUTIONS", "my_executions"),
          common("COSMOS_DB_CONTAINER_VAULT_EXECUTION_LOCKS", "my_locks"),
          common("COSMOS_DB_CONTAINER_CRAWL_CHECKPOINTS", "my_checkpoints")
        ])
      )
      assert.strictEqual(engine.workerName, "stored")
      assert.deepStrictEqual(azure.containers, {
        pipelines: "my_pipelines",
        vaults: "my_vaults",
        executions: "my_executions",
        locks: "my_locks",
        checkpoints: "my_checkpoints"
      })
    })
  )

  it.scoped("names the key of a value that is wrong", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(settled(stored([worker("API_PORT", "http"), common("LOG_LEVEL", "loud")])))
      assert.lengthOf(error.mistakes, 2)
      assert.include(
        error.message,
        'API_PORT "http" is not a whole number: expected 0 to 65535 (from App Configuration, key contentflow.worker.API_PORT)'
      )
      assert.include(error.message, "key contentflow.common.LOG_LEVEL")
    })
  )

  it.scoped("skips feature flags", () =>
    Effect.gen(function* () {
      const flag = {
        ...worker("API_PORT", "{}"),
        content_type: "application/vnd.microsoft.appconfig.ff+json;charset=utf-8"
      }
      assert.strictEqual((yield* settled(stored([flag]))).http.port, 8099)
    })
  )

  it.scoped("reads the secrets that keys refer to, and only those that are settings", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const reader = { read: (address: URL) => Effect.sync(() => `value ${asked.push(address.href)}`) }
      const { azure } = yield* settled(
        stored([
          reference("COSMOS_DB_KEY", '{"uri":"https://v.vault.azure.net/secrets/cosmos/1"}'),
          reference("UNKNOWN", '{"uri":"https://v.vault.azure.net/secrets/other"}')
        ])
      ).pipe(Effect.provideService(SecretReader, reader))
      assert.deepStrictEqual(asked, ["https://v.vault.azure.net/secrets/cosmos/1"])
      assert.strictEqual(azure.cosmosKey && Redacted.value(azure.cosmosKey), "value 1")
    })
  )

  it.scoped("names the key whose secret can't be read, or whose reference is none", () =>
    Effect.gen(function* () {
      const reader = { read: () => Effect.fail({ reason: "is away" }) }
      const failed = yield* Effect.flip(
        settled(stored([reference("COSMOS_DB_KEY", '{"uri":"https://v.vault.azure.net/secrets/cosmos"}')]))
      ).pipe(Effect.provideService(SecretReader, reader))
      assert.include(failed.message, "contentflow.worker.COSMOS_DB_KEY is away")
      for (const value of ["", "not json", "{}", '{"uri":7}', '{"uri":"http://v/secrets/x"}']) {
        const error = yield* Effect.flip(settled(stored([reference("COSMOS_DB_KEY", value)])))
        assert.include(error.message, "contentflow.worker.COSMOS_DB_KEY is a reference to Key Vault without an address")
      }
    })
  )

  it.scoped("tells all broken references together", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(settled(stored([reference("COSMOS_DB_KEY", "{}"), reference("LOG_FILE", "{}")])))
      assert.lengthOf(error.mistakes, 2)
    })
  )

  it.scoped("tells what is wrong here even when the store can't be read, but not what may be there", () =>
    Effect.gen(function* () {
      const { connection } = yield* serve([], 403)
      const error = yield* Effect.flip(
        from(Load.load, { AZURE_APP_CONFIG_ENDPOINT: connection, API_PORT: "http", NUM_SOURCE_WORKERS: "0" })
      )
      assert.deepStrictEqual(
        error.mistakes.map(({ variable }) => variable),
        ["AZURE_APP_CONFIG_ENDPOINT", "API_PORT"]
      )
    })
  )

  it.scoped("can't reach a vault that is not there", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        settled(stored([reference("COSMOS_DB_KEY", '{"uri":"https://127.0.0.1:9/secrets/cosmos"}')]))
      )
      assert.include(
        error.message,
        "contentflow.worker.COSMOS_DB_KEY is a reference to a secret in 127.0.0.1:9 that can't be read"
      )
      assert.include(error.message, "ECONNREFUSED")
    })
  )

  it.scoped("fails when the store refuses or can't be reached, and tells no secret", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(settled(stored([], {}, 403)))
      assert.strictEqual(refused.mistakes[0].variable, "AZURE_APP_CONFIG_ENDPOINT")
      assert.include(refused.message, "App Configuration Data Reader")
      const gone = yield* mistakesOf({ AZURE_APP_CONFIG_ENDPOINT: "Endpoint=http://127.0.0.1:9;Id=a;Secret=c2VjcmV0" })
      assert.include(gone[0].reason, "ECONNREFUSED")
      assert.notInclude(JSON.stringify([refused, gone]), "c2VjcmV0")
    })
  )
})
