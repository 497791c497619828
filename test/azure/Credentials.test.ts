import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { vi } from "vitest"
import * as Credentials from "../../src/azure/Credentials.ts"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import { azureSettings } from "../../src/testing/AzureSettings.ts"

const identity = vi.hoisted(() => ({ made: [] as Array<unknown>, failures: 0 }))

vi.mock("@azure/identity", () => ({
  DefaultAzureCredential: class {
    constructor(options: unknown) {
      identity.made.push(options)
      if (identity.failures > 0) {
        identity.failures--
        throw new Error("not now")
      }
    }
    getToken(scopes: string) {
      return Promise.resolve({ token: `for ${scopes}`, expiresOnTimestamp: 1 })
    }
  }
}))

const credential = (clientId: string | null) =>
  Effect.map(Credentials.Credentials, (credentials) => credentials.credential).pipe(
    Effect.provide(Layer.provide(Credentials.layer, Layer.succeed(AzureConfig, azureSettings({ clientId }))))
  )

describe("Credentials", () => {
  beforeEach(() => {
    identity.made.length = 0
    identity.failures = 0
  })

  it.effect("makes one chain, when the first token is asked for", () =>
    Effect.gen(function* () {
      const shared = yield* credential("client")
      assert.deepStrictEqual(identity.made, [])
      const tokens = yield* Effect.promise(() => Promise.all([shared.getToken("a"), shared.getToken("b")]))
      assert.deepStrictEqual(
        tokens.map((token) => token?.token),
        ["for a", "for b"]
      )
      assert.deepStrictEqual(identity.made, [{ managedIdentityClientId: "client", workloadIdentityClientId: "client" }])
    })
  )

  it.effect("names no identity unless one is configured", () =>
    Effect.gen(function* () {
      const shared = yield* credential(null)
      yield* Effect.promise(() => shared.getToken("a"))
      assert.deepStrictEqual(identity.made, [{}])
    })
  )

  it.effect("a chain that can't be made is made again by the next call", () =>
    Effect.gen(function* () {
      identity.failures = 1
      const shared = yield* credential(null)
      yield* Effect.flip(Effect.tryPromise(() => shared.getToken("a")))
      assert.strictEqual((yield* Effect.promise(() => shared.getToken("a")))?.token, "for a")
    })
  )
})
