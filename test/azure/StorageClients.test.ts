import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Redacted } from "effect"
import * as Credentials from "../../src/azure/Credentials.ts"
import { call } from "../../src/azure/StorageCall.ts"
import * as StorageClients from "../../src/azure/StorageClients.ts"
import { AzureConfig, type AzureSettings } from "../../src/azure/AzureConfig.ts"
import { azureSettings } from "../../src/testing/AzureSettings.ts"
import * as FaultServer from "../support/FaultServer.ts"

const secret = "c2VjcmV0LWFjY291bnQta2V5"
const queueUrl = "https://acct.queue.core.windows.net/"
const connectionString = (endpoints: string) =>
  Redacted.make(`DefaultEndpointsProtocol=http;AccountName=own;AccountKey=${secret};${endpoints}`)
const emulator = connectionString("QueueEndpoint=http://127.0.0.1:1/own;BlobEndpoint=http://127.0.0.1:2/own")

const never = { getToken: () => Promise.reject(new Error("no token was to be asked for")) }
const clients = (some: Partial<AzureSettings>, credential: Credentials.Credentials["Type"]["credential"] = never) =>
  StorageClients.layer.pipe(
    Layer.provide(Credentials.layerOf(credential)),
    Layer.provide(Layer.succeed(AzureConfig, azureSettings(some)))
  )
const addressOf = (name: string, key?: string) =>
  Effect.gen(function* () {
    const { blobs } = yield* StorageClients.StorageClients
    return (yield* blobs(key === undefined ? { name } : { name, key: Redacted.make(key) })).url
  })

describe("StorageClients", () => {
  it.effect("finds the queue with or without the last slash", () =>
    Effect.gen(function* () {
      for (const url of [queueUrl, queueUrl.slice(0, -1)]) {
        const { queue } = yield* Effect.provide(StorageClients.StorageClients, clients({ queueUrl: url }))
        assert.strictEqual(queue("tasks").url, "https://acct.queue.core.windows.net/tasks")
      }
    })
  )

  it.effect("the connection string decides where the own account is, also for a key given with its name", () =>
    Effect.gen(function* () {
      const { queue } = yield* StorageClients.StorageClients
      assert.strictEqual(queue("tasks").url, "http://127.0.0.1:1/own/tasks")
      assert.strictEqual(yield* addressOf("own"), "http://127.0.0.1:2/own")
      assert.strictEqual(yield* addressOf("own", secret), "http://127.0.0.1:2/own")
      assert.strictEqual(yield* addressOf("other", secret), "https://other.blob.core.windows.net/")
    }).pipe(Effect.provide(clients({ storageConnectionString: emulator, queueUrl })))
  )

  it.effect("other accounts are in the queue's cloud", () =>
    Effect.gen(function* () {
      const suffixed = clients({ queueUrl: "https://acct.queue.core.chinacloudapi.cn" })
      assert.strictEqual(
        yield* Effect.provide(addressOf("other"), suffixed),
        "https://other.blob.core.chinacloudapi.cn/"
      )
      const custom = clients({ queueUrl: "https://queues.example.org/acct" })
      assert.strictEqual(yield* Effect.provide(addressOf("other"), custom), "https://other.blob.core.windows.net/")
    })
  )

  it.effect("never sends a token to an address made of anything but an account's name", () =>
    Effect.gen(function* () {
      for (const name of [
        "",
        "ab",
        "Upper",
        "evil.example/",
        "evil.example#",
        "a".repeat(25),
        "user@evil",
        "a-b",
        "acct\n"
      ]) {
        const error = yield* Effect.flip(addressOf(name))
        assert.strictEqual(error._tag, "Invalid", name)
      }
    }).pipe(Effect.provide(clients({ queueUrl })))
  )

  it.effect("keeps one client for an account and a key, and does not keep them all", () =>
    Effect.gen(function* () {
      const { blobs } = yield* StorageClients.StorageClients
      const first = yield* blobs({ name: "other" })
      assert.strictEqual(yield* blobs({ name: "other" }), first)
      const withKey = yield* blobs({ name: "other", key: Redacted.make(secret) })
      assert.notStrictEqual(withKey, first)
      assert.strictEqual(yield* blobs({ name: "other", key: Redacted.make(secret) }), withKey)
      assert.notStrictEqual(yield* blobs({ name: "other", key: Redacted.make("b3RoZXI=") }), withKey)
      for (let more = 0; more < 100; more++) yield* blobs({ name: `account${more}` })
      assert.notStrictEqual(yield* blobs({ name: "other" }), first)
    }).pipe(Effect.provide(clients({ queueUrl })))
  )

  it.effect("says which setting is wrong, without its value", () =>
    Effect.gen(function* () {
      for (const some of [
        {},
        { queueUrl: "acct" },
        { queueUrl: "http://acct.queue.core.windows.net" },
        { storageConnectionString: Redacted.make(`AccountKey=${secret}`) },
        {
          storageConnectionString: Redacted.make(
            `DefaultEndpointsProtocol=ftp;AccountName=own;AccountKey=${secret};EndpointSuffix=x`
          )
        }
      ]) {
        const exit = yield* Effect.exit(Layer.build(clients(some)))
        assert.isTrue(Exit.isFailure(exit))
        if (Exit.isSuccess(exit)) continue
        const text = Cause.pretty(exit.cause)
        assert.match(text, /STORAGE_ACCOUNT_WORKER_QUEUE_URL|storage connection string/)
        assert.notInclude(text, secret)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("asks the credential for a Storage token, and tells when there is none", () =>
    Effect.gen(function* () {
      const asked: Array<string | ReadonlyArray<string>> = []
      const failing = {
        getToken: (scopes: string | ReadonlyArray<string>) => {
          asked.push(scopes)
          return Promise.reject(Object.assign(new Error("nobody is signed in"), { name: "CredentialUnavailableError" }))
        }
      }
      const { queue } = yield* Effect.provide(StorageClients.StorageClients, clients({ queueUrl }, failing))
      const read = call(
        { service: "Storage Queue", operation: "count", host: "acct", span: "test", retries: "few" },
        (abortSignal) => queue("tasks").getProperties({ abortSignal })
      )
      assert.strictEqual((yield* Effect.flip(read))._tag, "Unauthorized")
      assert.deepStrictEqual(asked.flat(), ["https://storage.azure.com/.default"])
    })
  )

  it.effect("a key of the pipeline's signs the request, not the connection string's", () =>
    Effect.gen(function* () {
      const server = yield* FaultServer.make
      server.answer(FaultServer.status(404))
      const endpoints = `QueueEndpoint=${server.url}/own;BlobEndpoint=${server.url}/own`
      const signed = Effect.gen(function* () {
        const { blobs } = yield* StorageClients.StorageClients
        for (const account of [{ name: "own" }, { name: "own", key: Redacted.make("b3RoZXI=") }]) {
          const client = yield* blobs(account)
          yield* Effect.promise(() => client.getContainerClient("docs").exists())
        }
      })
      yield* Effect.provide(signed, clients({ storageConnectionString: connectionString(endpoints) }))
      const [withOwn, withOther] = server.seen.map((request) => request.headers["authorization"] ?? "")
      assert.match(withOwn ?? "", /^SharedKey own:/)
      assert.match(withOther ?? "", /^SharedKey own:/)
      assert.notStrictEqual(withOther, withOwn)
    }).pipe(Effect.scoped)
  )
})
