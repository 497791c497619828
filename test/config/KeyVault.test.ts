import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import { SecretReader } from "../../src/config/AppConfiguration.ts"

vi.mock("@azure/keyvault-secrets", () => {
  throw new Error("Cannot find package")
})

it.effect("a reference to Key Vault names the package that it needs when it is not installed", () =>
  Effect.gen(function* () {
    const reader = yield* SecretReader
    const credential = { getToken: () => Promise.resolve(null) }
    const { reason } = yield* Effect.flip(reader.read(new URL("https://v.vault.azure.net/secrets/x"), credential))
    assert.include(reason, "needs the package @azure/keyvault-secrets")
  })
)
