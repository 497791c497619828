import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { PipelineId, VaultId } from "../../domain/Ids.ts"
import { VaultStore } from "../../store/VaultStore.ts"
import { Containers } from "../StoreContainers.ts"

export const suite = (name: string, layer: Layer.Layer<VaultStore | Containers>): void =>
  it.layer(layer)(`VaultStore (${name})`, (it) => {
    it.effect("lists the vaults whose `enabled` is literally true, and logs the one that is broken", () =>
      Effect.gen(function* () {
        const store = yield* VaultStore
        const { vaults } = yield* Containers
        const vault = (id: string, enabled: unknown) =>
          vaults.upsert({ id, name: id, pipeline_id: "p1", enabled, save_execution_output: null, tags: [] })
        yield* Effect.all([
          vault("on", true),
          vault("off", false),
          vault("text", "true"),
          vault("one", 1),
          vault("null", null),
          vaults.upsert({ id: "absent", pipeline_id: "p1" }),
          vaults.upsert({ id: "broken", enabled: true, name: "no pipeline" })
        ])
        const messages: Array<unknown> = []
        const log = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => void messages.push(message))
        )
        const enabled = yield* Effect.provide(store.enabled, log)
        assert.deepStrictEqual(enabled, [
          {
            id: VaultId.make("on"),
            name: "on",
            pipeline_id: PipelineId.make("p1"),
            enabled: true,
            save_execution_output: false
          }
        ])
        assert.include(String(messages), "vaults/broken")
        assert.include(String(messages), "pipeline_id")
      })
    )

    it.effect("finds one vault, enabled or not", () =>
      Effect.gen(function* () {
        const store = yield* VaultStore
        const { vaults } = yield* Containers
        yield* vaults.upsert({ id: "v1", pipeline_id: "p1", enabled: false, save_execution_output: true, extra: 1 })
        const vault = yield* Effect.flatten(store.find(VaultId.make("v1")))
        assert.isTrue(vault.save_execution_output)
        assert.isFalse(vault.enabled)
        assert.isTrue(Option.isNone(yield* store.find(VaultId.make("nobody"))))
      })
    )

    it.effect("keeps the token of deletions that a person confirmed, and all else of the vault", () =>
      Effect.gen(function* () {
        const store = yield* VaultStore
        const { vaults } = yield* Containers
        const id = VaultId.make("v3")
        yield* vaults.upsert({ id, pipeline_id: "p1", enabled: false, tags: ["a"], confirmed_deletions: "before" })
        assert.isTrue(yield* store.confirmDeletions(id, "now"))
        const reading = yield* vaults.read(id)
        assert.deepInclude(reading._tag === "Found" ? reading.document : {}, {
          confirmed_deletions: "now",
          enabled: false,
          tags: ["a"]
        })
        const listed = (yield* store.all).find((vault) => vault.id === "v3")
        assert.strictEqual(listed?.confirmed_deletions, "now")
        assert.isFalse(yield* store.confirmDeletions(VaultId.make("nobody"), "now"))
        assert.isTrue(Option.isNone(yield* store.find(VaultId.make("nobody"))))
      })
    )

    it.effect("refuses to guess a broken vault", () =>
      Effect.gen(function* () {
        const store = yield* VaultStore
        const { vaults } = yield* Containers
        yield* vaults.upsert({ id: "v2", pipeline_id: 7 })
        const error = yield* Effect.flip(store.find(VaultId.make("v2")))
        assert.strictEqual(error._tag, "Invalid")
        assert.include(error.message, "vaults/v2 is not valid at pipeline_id")
      })
    )
  })
