import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as MemoryBlob from "../../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../../src/config/WorkerConfig.ts"
import { VaultId } from "../../../src/domain/Ids.ts"
import type { OutputNode } from "../../../src/pipeline/Plan.ts"
import { ClaimAccount } from "../../../src/worker/ClaimCheck.ts"
import type * as Manifest from "../../../src/worker/outputs/Manifest.ts"
import * as ManifestStore from "../../../src/worker/outputs/ManifestStore.ts"
import * as OutputTurn from "../../../src/worker/outputs/OutputTurn.ts"

const ports = Layer.provideMerge(
  ManifestStore.layer,
  Layer.mergeAll(MemoryBlob.layer, WorkerConfig.layerWith({}), Layer.succeed(ClaimAccount, "own"))
)

const output = { place: "shelf", key: "a" }

/** A node that removes what it is asked for, after this. */
const node = (before: Effect.Effect<void> = Effect.void): OutputNode => ({
  id: "write",
  policy: "remove",
  open: () =>
    Effect.succeed({
      process: Effect.succeed,
      outputs: { ordered: true, covers: () => true, remove: () => before }
    })
})

const turnOf = (turn: Manifest.Turn, removing?: Effect.Effect<void>) =>
  Effect.map(ManifestStore.ManifestStore, (manifests) =>
    OutputTurn.make(
      {
        manifests,
        vault: VaultId.make("vault-1"),
        pipelineId: "line",
        policy: "remove",
        nodes: [node(removing)],
        writer: `${turn.kind} ${turn.changedAt}`
      },
      "a.txt",
      turn
    )
  )

/** Of a document that changed at this time; the listing that misses it is of 10. */
const task = (changedAt: number) => turnOf({ kind: "task", changedAt, createdAt: 1, delivery: 1 })
const removal = (removing?: Effect.Effect<void>) =>
  turnOf({ kind: "removal", changedAt: 10, createdAt: 2, delivery: 0 }, removing)

const written = (changedAt: number) =>
  Effect.flatMap(task(changedAt), (turn) => Effect.zipRight(turn.intend("write", [output]), turn.settle()))

const test = (name: string, body: Effect.Effect<void, unknown, Layer.Layer.Success<typeof ports>>) =>
  it.effect(name, () => Effect.provide(body, ports))

describe("the removal of a document's outputs", () => {
  test(
    "says that all of them are gone",
    Effect.gen(function* () {
      yield* written(5)
      assert.isTrue(yield* (yield* removal()).settle())
    })
  )
  test(
    "says so of no outputs that a later version has written: should it go, too, nothing else would tell",
    Effect.gen(function* () {
      yield* written(11)
      assert.isFalse(yield* (yield* removal()).settle())
    })
  )
  test(
    "nor when the later version writes while it removes",
    Effect.gen(function* () {
      yield* written(5)
      const store = yield* Effect.context<ManifestStore.ManifestStore>()
      const meanwhile = Effect.asVoid(Effect.orDie(Effect.provide(written(11), store)))
      assert.isFalse(yield* (yield* removal(meanwhile)).settle())
    })
  )
  test(
    "nor when it asks again after it was overtaken",
    Effect.gen(function* () {
      yield* written(11)
      const turn = yield* removal()
      yield* turn.settle()
      assert.isFalse(yield* turn.settle())
    })
  )
})
