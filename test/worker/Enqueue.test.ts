import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { ExecutionId, PipelineId, VaultId } from "../../src/domain/Ids.ts"
import { Throttled } from "../../src/domain/ServiceError.ts"
import type { Discovered } from "../../src/executor/Executor.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { ExecutionStore } from "../../src/store/ExecutionStore.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as ClaimCheck from "../../src/worker/ClaimCheck.ts"
import * as Outlet from "../../src/worker/crawl/Outlet.ts"
import * as Enqueue from "../../src/worker/crawl/Enqueue.ts"
import { inputId } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const source: Enqueue.Source = {
  vault: { ...Engine.vault, id: VaultId.make(Engine.vault.id), pipeline_id: PipelineId.make(Engine.pipeline.id) },
  pipeline: {
    ...Engine.pipeline,
    id: PipelineId.make(Engine.pipeline.id),
    retries: null,
    retry_delay: null,
    timeout: null
  },
  inputExecutor: inputId,
  workerId: "InputSourceWorker-0"
}
const document = (name: string, version: string): Discovered => ({ item: Engine.item(name), version })

const enqueue = (documents: ReadonlyArray<Discovered>, from: Enqueue.Source = source) =>
  Effect.flatMap(Enqueue.make, ({ enqueue }) => enqueue(from, documents)).pipe(
    Effect.provide(Layer.provideMerge(Layer.merge(ClaimCheck.layer, Outlet.layer), WorkerConfig.layerWith({})))
  )

const idOf = (documents: ReadonlyArray<Discovered>, from: Enqueue.Source = source) =>
  Effect.gen(function* () {
    const stores = yield* MemoryStores
    const before = new Set(stores.executions.documents.keys())
    yield* enqueue(documents, from)
    return [...stores.executions.documents.keys()].find((id) => !before.has(id))
  })

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation>) =>
  it.effect(name, () => Engine.withInstallation(body()))

describe("deterministic ids", () => {
  test("differ by vault, pipeline, item, version and grouping, and by nothing else", () =>
    Effect.gen(function* () {
      const a = document("a", "1")
      const elsewhere = { ...source, vault: { ...source.vault, id: VaultId.make("vault-2") } }
      const otherPipeline = { ...source, pipeline: { ...source.pipeline, id: PipelineId.make("other") } }
      const ids = [
        yield* idOf([a]),
        yield* idOf([document("a", "2")]),
        yield* idOf([document("b", "1")]),
        yield* idOf([a], elsewhere),
        yield* idOf([a], otherPipeline),
        yield* idOf([a, document("b", "1")]),
        // Names and versions that would run together if they were only joined.
        yield* idOf([document("a", "1,b"), document("c", "2")]),
        yield* idOf([document("a,1", "b"), document("c", "2")])
      ]
      assert.lengthOf(new Set(ids), ids.length)
      for (const id of ids) assert.match(String(id), /^exec_[0-9a-f]{32}$/)
      const renamed = {
        ...source,
        workerId: "other",
        pipeline: { ...source.pipeline, name: "New name", yaml: "changed" }
      }
      assert.isUndefined(yield* idOf([a], renamed), "it is there already")
    }))

  for (const [status, more, expected] of [
    ["pending, its message never accepted", { enqueued_at: null }, 1],
    ["pending, its message accepted", { enqueued_at: "2026-01-02T10:00:00+00:00" }, 0],
    ["pending again after an attempt", { enqueued_at: null, started_at: "2026-01-02T10:00:00+00:00" }, 0],
    ["running", { status: "running", started_at: "2026-01-02T10:00:00+00:00" }, 0],
    ["completed", { status: "completed" }, 0],
    ["failed", { status: "failed" }, 0]
  ] as const) {
    test(`an execution that is ${status}: ${expected} message`, () =>
      Effect.gen(function* () {
        const stores = yield* MemoryStores
        const control = yield* MemoryQueue
        const id = yield* idOf([document("a", "1")])
        yield* stores.executions.upsert({ ...stores.executions.documents.get(String(id)), id: String(id), ...more })
        const before = (yield* control.bodies).length
        assert.strictEqual(yield* enqueue([document("a", "1")]), expected)
        assert.strictEqual((yield* control.bodies).length - before, expected)
        const execution = yield* Effect.flatMap(ExecutionStore, (store) => store.find(ExecutionId.make(String(id))))
        assert.strictEqual(execution._tag, "Some")
      }))
  }

  test("an answer of the queue that was lost may send twice, never not at all", () =>
    Effect.gen(function* () {
      const control = yield* MemoryQueue
      yield* control.loseNext(
        "send",
        new Throttled({ service: "Storage Queue", operation: "send", message: "busy", retryAfterMillis: null })
      )
      const sending = yield* Effect.fork(enqueue([document("a", "1")]))
      yield* Engine.pass(2)
      assert.strictEqual(yield* sending, 1)
      const [first, second] = yield* control.bodies
      assert.strictEqual(second, first, "the same task: the second is a duplicate")
    }))
})
