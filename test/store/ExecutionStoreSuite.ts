import { assert, it } from "@effect/vitest"
import { Effect, type Layer, Option } from "effect"
import type { Execution } from "../../src/domain/Execution.ts"
import { ExecutionId, PipelineId, TaskId, VaultId } from "../../src/domain/Ids.ts"
import { Change, Creation, ExecutionStore } from "../../src/store/ExecutionStore.ts"
import { Containers } from "./Backends.ts"

const execution = (id: string, more: Partial<Execution> = {}): Execution => ({
  id: ExecutionId.make(id),
  pipeline_id: PipelineId.make("p1"),
  pipeline_name: "Pipeline",
  vault_id: VaultId.make("v1"),
  status: "pending",
  status_message: "Task queued",
  task_id: TaskId.make("task_1"),
  source_worker_id: "InputSourceWorker-0",
  processing_worker_id: null,
  content: [{ canonical_id: "größe" }],
  number_of_items: 1,
  created_at: "2026-01-02T10:30:00.123000+00:00",
  created_by: "InputSourceWorker-0",
  updated_at: "2026-01-02T10:30:00.123000+00:00",
  started_at: null,
  completed_at: null,
  error: null,
  executor_outputs: {},
  events: [],
  enqueued_at: null,
  ...more
})

const id = (value: string) => ExecutionId.make(value)

const etagOf = (result: Creation | Change): string => {
  assert.include(["Created", "Changed"], result._tag)
  return "etag" in result ? result.etag : ""
}

export const suite = (name: string, layer: Layer.Layer<ExecutionStore | Containers>): void =>
  it.layer(layer)(`ExecutionStore (${name})`, (it) => {
    it.effect("creates an execution once and then gives the one that exists", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const etag = etagOf(yield* store.create(execution("e1")))
        assert.deepStrictEqual(yield* Effect.flatten(store.find(id("e1"))), execution("e1"))
        assert.deepStrictEqual(
          yield* store.create(execution("e1", { status: "running" })),
          Creation.Exists({ execution: execution("e1"), etag })
        )
        assert.isTrue(Option.isNone(yield* store.find(id("nobody"))))
      })
    )

    it.effect("writes every field under the name that the API reads", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        yield* store.create(execution("e2"))
        const reading = yield* executions.read("e2")
        const document = reading._tag === "Found" ? reading.document : {}
        assert.deepInclude(document, { ...execution("e2") })
      })
    )

    it.effect("changes an execution until it is terminal", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const created = etagOf(yield* store.create(execution("e3", { error: "earlier" })))
        const running = etagOf(
          yield* store.change(id("e3"), { status: "running", started_at: "2026-01-02T10:31:00+00:00", error: null })
        )
        assert.notStrictEqual(running, created)
        etagOf(yield* store.change(id("e3"), { status: "completed", content: [], number_of_items: 0 }, running))
        assert.deepStrictEqual(yield* store.change(id("e3"), { status: "running" }), Change.Refused())
        assert.deepStrictEqual(
          yield* Effect.flatten(store.find(id("e3"))),
          execution("e3", {
            status: "completed",
            started_at: "2026-01-02T10:31:00+00:00",
            content: [],
            number_of_items: 0
          })
        )
      })
    )

    it.effect("refuses a change that is based on an old version, and any change of a terminal one", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const first = etagOf(yield* store.create(execution("e4")))
        const second = etagOf(yield* store.change(id("e4"), { status_message: "a" }, first))
        assert.deepStrictEqual(yield* store.change(id("e4"), { status_message: "b" }, first), Change.Refused())
        const last = etagOf(yield* store.change(id("e4"), { status: "failed", error: "boom" }, second))
        assert.deepStrictEqual(yield* store.change(id("e4"), { status: "running" }, last), Change.Refused())
        assert.deepStrictEqual(yield* store.change(id("e4"), { status: "running" }), Change.Refused())
      })
    )

    it.effect("tells a missing execution from a refusal", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        assert.deepStrictEqual(yield* store.change(id("nobody"), { status: "running" }), Change.Missing())
        assert.deepStrictEqual(yield* store.change(id("nobody"), { status: "running" }, "e"), Change.Missing())
        assert.deepStrictEqual(yield* store.change(id("a/b"), { status: "running" }), Change.Missing())
      })
    )

    it.effect("lets one of two changers of the same version win", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const etag = etagOf(yield* store.create(execution("e5")))
        const changes = yield* Effect.forEach(
          ["w1", "w2", "w3"],
          (worker) => store.change(id("e5"), { status: "running", processing_worker_id: worker }, etag),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(
          changes.filter((change) => change._tag === "Changed"),
          1
        )
        assert.lengthOf(
          changes.filter((change) => change._tag === "Refused"),
          2
        )
      })
    )

    it.effect("lets one of two finishers win", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        yield* store.create(execution("e6"))
        const changes = yield* Effect.all(
          [store.change(id("e6"), { status: "completed" }), store.change(id("e6"), { status: "failed" })],
          { concurrency: "unbounded" }
        )
        assert.sameMembers(
          changes.map((change) => change._tag),
          ["Changed", "Refused"]
        )
      })
    )

    it.effect("says that a content is too large and keeps what was there", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        yield* store.create(execution("e7"))
        const content = [{ text: "x".repeat(2 * 1024 * 1024) }]
        for (const write of [
          Effect.asVoid(store.change(id("e7"), { status: "completed", content })),
          Effect.asVoid(store.create(execution("e7-new", { content })))
        ]) {
          const error = yield* Effect.flip(write)
          assert.strictEqual(error._tag === "Invalid" ? error.reason : error._tag, "TooLarge")
        }
        assert.strictEqual((yield* Effect.flatten(store.find(id("e7")))).status, "pending")
      })
    )

    it.effect("notes an accepted message only while nobody has started the execution", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const at = "2026-01-02T10:30:01+00:00"
        yield* store.create(execution("e8"))
        yield* store.markEnqueued(id("e8"), at)
        assert.strictEqual((yield* Effect.flatten(store.find(id("e8")))).enqueued_at, at)

        yield* store.create(execution("e9"))
        const started = etagOf(yield* store.change(id("e9"), { status: "running", started_at: at }))
        yield* store.markEnqueued(id("e9"), at)
        const retried = etagOf(yield* store.change(id("e9"), { status: "pending" }, started))
        yield* store.markEnqueued(id("e9"), at)
        etagOf(yield* store.change(id("e9"), { status: "running" }, retried))
        assert.isNull((yield* Effect.flatten(store.find(id("e9")))).enqueued_at)
        yield* store.markEnqueued(id("nobody"), at)
      })
    )

    it.effect("withdraws what a crawl created and nobody queued or started, of one vault and pipeline", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        const vault = VaultId.make("v-back")
        const other = VaultId.make("v-other")
        const pipeline = PipelineId.make("p1")
        const at = "2026-01-02T10:30:01+00:00"
        for (const [name, more] of [
          ["back-1", {}],
          ["back-2", {}],
          ["queued", { enqueued_at: at }],
          ["started", { started_at: at }],
          ["running", { status: "running", started_at: at }],
          ["failed", { status: "failed" }],
          ["sent-by-others", { source_worker_id: null }],
          ["other-vault", { vault_id: other }],
          ["other-pipeline", { pipeline_id: PipelineId.make("p2") }]
        ] as const) {
          yield* store.create(execution(name, { vault_id: vault, ...more }))
        }
        const { enqueued_at: _ours, ...original } = execution("the-original-s", { vault_id: vault })
        yield* executions.upsert(original)

        assert.sameMembers([...(yield* store.withdrawUnqueued(vault, pipeline))], ["back-1", "back-2"])
        assert.isEmpty(yield* store.withdrawUnqueued(vault, pipeline))
        assert.isTrue(Option.isNone(yield* store.find(id("back-1"))))
        assert.lengthOf(yield* executions.where({ vault_id: vault }), 7)
        assert.isTrue(Option.isSome(yield* store.find(id("other-vault"))))
      })
    )

    it.effect("reads and changes what the Python worker wrote", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        const { enqueued_at: _ours, processing_worker_id: _later, ...original } = execution("exec_0123456789ab")
        yield* executions.upsert({ ...original, content: { canonical_id: "one" }, theirs: "kept" })
        const found = yield* Effect.flatten(store.find(id("exec_0123456789ab")))
        assert.deepStrictEqual(found.content, [{ canonical_id: "one" }])
        assert.isNull(found.enqueued_at)
        etagOf(yield* store.change(found.id, { status: "running", processing_worker_id: "w" }))
        const reading = yield* executions.read("exec_0123456789ab")
        assert.strictEqual(reading._tag === "Found" ? reading.document["theirs"] : reading._tag, "kept")
      })
    )

    it.effect("names the property of a broken document", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        yield* executions.upsert({ ...execution("e10"), status: "cancelled" })
        const errors = [yield* Effect.flip(store.find(id("e10"))), yield* Effect.flip(store.create(execution("e10")))]
        for (const error of errors) {
          assert.strictEqual(error._tag, "Invalid")
          assert.include(error.message, "vault_executions/e10 is not valid at status")
        }
        assert.deepStrictEqual(yield* store.change(id("e10"), { status: "running" }), Change.Refused())
      })
    )
  })
