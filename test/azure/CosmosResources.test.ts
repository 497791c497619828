import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as CosmosClients from "../../src/azure/CosmosClients.ts"
import * as CosmosResources from "../../src/azure/CosmosResources.ts"
import * as Credentials from "../../src/azure/Credentials.ts"
import { emulatorConfig } from "../store/Backends.ts"
import * as CosmosServer from "../../src/testing/CosmosServer.ts"

const empty = CosmosClients.layer.pipe(
  Layer.provide(Credentials.layerOf({ getToken: () => Promise.resolve(null) })),
  Layer.provideMerge(emulatorConfig),
  Layer.provideMerge(CosmosServer.layer)
)

it.layer(empty)("CosmosResources", (it) => {
  it.effect("says that the database is missing", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(CosmosResources.checkResources)
      assert.strictEqual(error._tag, "NotFound")
      assert.include(error.message, "contentflow")
    })
  )

  it.effect("says which containers are missing, and which have another partition key", () =>
    Effect.gen(function* () {
      const database = yield* CosmosClients.CosmosDatabase
      yield* Effect.promise(() => database.client.databases.create({ id: "contentflow" }))
      yield* Effect.promise(() =>
        database.containers.create({ id: "vaults", partitionKey: { paths: ["/pipeline_id"] } })
      )
      const missing = yield* Effect.flip(CosmosResources.checkResources)
      assert.strictEqual(missing._tag, "NotFound")
      assert.include(missing.message, "pipelines, vault_executions, vault_exec_locks, vault_crawl_checkpoints")
      assert.include(missing.message, "CREATE_MISSING_RESOURCES")

      yield* CosmosResources.ensureResources
      const foreign = yield* Effect.flip(CosmosResources.checkResources)
      assert.strictEqual(foreign._tag, "Invalid")
      assert.include(foreign.message, "vaults is /pipeline_id")
    })
  )

  it.effect("creates what is missing, partitioned by id and with expiry switched on, as often as it is asked", () =>
    Effect.gen(function* () {
      const database = yield* CosmosClients.CosmosDatabase
      yield* Effect.promise(() => database.client.databases.createIfNotExists({ id: "contentflow" }))
      yield* Effect.promise(() => database.delete())
      yield* CosmosResources.ensureResources
      yield* CosmosResources.ensureResources
      yield* CosmosResources.checkResources
      const definition = yield* Effect.promise(() => database.container("vault_exec_locks").read())
      assert.strictEqual(definition.resource?.defaultTtl, -1)
      assert.deepStrictEqual(definition.resource?.partitionKey?.paths, ["/id"])
    })
  )

  it.effect("explains a refusal", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      server.answerNext({ status: 403, when: ({ path }) => path.startsWith("/dbs"), message: "no role" })
      const error = yield* Effect.flip(CosmosResources.ensureResources)
      assert.strictEqual(error._tag, "Unauthorized")
      assert.include(error.message, "create contentflow")
    })
  )
})
