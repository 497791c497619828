import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type OpenAttempt, ownershipOf } from "../../domain/AttemptNotes.ts"
import type { Execution } from "../../domain/Execution.ts"
import { ExecutionId, PipelineId, TaskId, VaultId } from "../../domain/Ids.ts"
import { Change, Creation, ExecutionStore } from "../../store/ExecutionStore.ts"
import * as ExecutionChanges from "../../worker/ExecutionChanges.ts"
import { Containers } from "../StoreContainers.ts"

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

const attempt = (more: Partial<OpenAttempt> = {}): OpenAttempt => ({
  id: "attempt-1",
  process: "process",
  message_id: "message-1",
  lease_seconds: 300,
  alone: false,
  started_at: "2026-01-02T10:31:00.456000+00:00",
  worker: "ContentProcessingWorker-0",
  at_work: [],
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

    const beginning = (number: number, more: Partial<OpenAttempt> = {}) => {
      const opened = attempt({ id: `attempt-${number}`, ...more })
      return { opened, change: ExecutionChanges.running(opened), owner: ownershipOf(opened) }
    }

    it.effect("an attempt changes its execution until it is terminal", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { change, opened, owner } = beginning(1)
        const created = etagOf(yield* store.create(execution("e3", { error: "earlier" })))
        assert.notStrictEqual(etagOf(yield* store.begin(id("e3"), change)), created)
        etagOf(yield* store.change(id("e3"), { status_message: "on the way" }, owner))
        etagOf(yield* store.finish(id("e3"), { status: "completed", content: [], number_of_items: 0 }, owner))
        assert.deepStrictEqual(yield* store.change(id("e3"), { status: "running" }, owner), Change.Refused())
        assert.deepStrictEqual(yield* store.change(id("e3"), { status: "running" }), Change.Refused())
        assert.deepStrictEqual(
          yield* Effect.flatten(store.find(id("e3"))),
          execution("e3", {
            status: "completed",
            status_message: "on the way",
            started_at: opened.started_at,
            updated_at: opened.started_at,
            processing_worker_id: opened.worker,
            attempt: { ...opened },
            attempt_process: "process",
            content: [],
            number_of_items: 0
          })
        )
      })
    )

    it.effect("edits by others cost an attempt nothing, and stay", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        const { change, opened, owner } = beginning(1)
        yield* store.create(execution("e4"))
        etagOf(yield* store.begin(id("e4"), change))
        const edits: ReadonlyArray<Record<string, unknown>> = [
          { note: "seen" },
          { tags: ["a"], ttl: 3_600 },
          { status_message: "I looked at it", updated_at: "2026-01-02T10:32:00+00:00" },
          { status: "pending" }
        ]
        for (const edit of edits) {
          yield* executions.patch("e4", edit, {})
          etagOf(yield* store.change(id("e4"), { status_message: "still at it" }, owner))
        }
        // Read and written back as a whole, as the Python worker does.
        const reading = yield* executions.read("e4")
        yield* executions.upsert({ ...(reading._tag === "Found" ? reading.document : {}), id: "e4", status: "failed" })
        etagOf(yield* store.finish(id("e4"), { status: "completed", attempt: null, error: null }, owner))
        const after = yield* executions.read("e4")
        assert.deepInclude(after._tag === "Found" ? after.document : {}, {
          status: "completed",
          note: "seen",
          tags: ["a"],
          ttl: 3_600,
          started_at: opened.started_at
        })
        assert.deepStrictEqual(yield* store.finish(id("e4"), { status: "completed" }, owner), Change.Refused(), "ended")
      })
    )

    it.effect("a result that another program recorded is not written over", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        const { change, owner } = beginning(1)
        yield* store.create(execution("e4-theirs"))
        etagOf(yield* store.begin(id("e4-theirs"), change))
        yield* executions.patch("e4-theirs", { status: "completed", content: [{ by: "them" }] }, {})
        assert.deepStrictEqual(yield* store.finish(id("e4-theirs"), { status: "completed" }, owner), Change.Refused())
        assert.deepStrictEqual((yield* Effect.flatten(store.find(id("e4-theirs")))).content, [{ by: "them" }])
      })
    )

    it.effect("an edit that drops what it does not know costs an attempt nothing either", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        const { change, owner } = beginning(1)
        yield* store.create(execution("e4-dropped"))
        etagOf(yield* store.begin(id("e4-dropped"), change))
        const { attempt: _1, attempt_process: _2, ...known } = yield* Effect.flatten(store.find(id("e4-dropped")))
        yield* executions.upsert({ ...known, status_message: "edited" })
        etagOf(yield* store.change(id("e4-dropped"), { updated_at: "2026-01-02T10:40:00+00:00" }, owner))
        etagOf(yield* store.finish(id("e4-dropped"), { status: "completed", attempt: null }, owner))
      })
    )

    it.effect("an execution that another attempt, or another program, has taken is refused", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        const first = beginning(1)
        const takeovers: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
          ["e-time", { started_at: "2026-01-02T11:00:00+00:00" }],
          ["e-worker", { processing_worker_id: "ContentProcessingWorker-7" }],
          ["e-attempt", { attempt: { ...first.opened, id: "attempt-2" } }],
          ["e-none", { attempt: null }]
        ]
        for (const [name, takeover] of takeovers) {
          yield* store.create(execution(name))
          etagOf(yield* store.begin(id(name), first.change))
          yield* executions.patch(name, takeover, {})
          const refused = [
            yield* store.change(id(name), { status: "pending" }, first.owner),
            yield* store.finish(id(name), { status: "completed" }, first.owner)
          ]
          assert.deepStrictEqual(refused, [Change.Refused(), Change.Refused()], name)
        }
      })
    )

    it.effect("an attempt begins where none is open and nothing must be known first", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { change } = beginning(1)
        const cases: ReadonlyArray<readonly [string, Partial<Execution>, Change["_tag"]]> = [
          ["b-new", {}, "Changed"],
          ["b-null", { attempt: null, attempt_history: null }, "Changed"],
          ["b-again", { started_at: "2026-01-02T10:00:00+00:00", attempt: null }, "Changed"],
          ["b-running", { status: "running" }, "Refused"],
          ["b-open", { attempt: { id: "attempt-0" } }, "Refused"],
          ["b-history", { attempt_history: { blamed: 1, deaths: [], retries: 0 } }, "Refused"],
          ["b-completed", { status: "completed" }, "Refused"],
          ["b-failed", { status: "failed" }, "Refused"]
        ]
        for (const [name, more, expected] of cases) {
          yield* store.create(execution(name, more))
          assert.strictEqual((yield* store.begin(id(name), change))._tag, expected, name)
        }
      })
    )

    it.effect("after a look an attempt begins, unless it is terminal or anybody wrote it since", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { change } = beginning(2)
        yield* store.create(execution("k1", { status: "running", attempt: { id: "attempt-1" } }))
        const first = yield* Effect.flatten(store.look(id("k1")))
        assert.isAtMost(first.idleMillis, 60_000)
        etagOf(yield* store.change(id("k1"), { status_message: "seen" }))
        assert.deepStrictEqual(yield* store.begin(id("k1"), change, first.etag), Change.Refused())
        const second = yield* Effect.flatten(store.look(id("k1")))
        assert.strictEqual(second.execution.status_message, "seen")
        etagOf(yield* store.begin(id("k1"), change, second.etag))
        const last = etagOf(yield* store.change(id("k1"), { status: "failed", error: "boom" }))
        assert.deepStrictEqual(yield* store.begin(id("k1"), change, last), Change.Refused())
        assert.isTrue(Option.isNone(yield* store.look(id("nobody"))))
      })
    )

    it.effect("knows whether a process died over one execution alone", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const under = (process: string) => ({ status: "running", attempt_process: process }) as const
        yield* store.create(execution("d-alone", under("p-alone")))
        yield* store.create(execution("d-done", { ...under("p-alone"), status: "completed" }))
        yield* store.create(execution("d-one", under("p-two")))
        yield* store.create(execution("d-two", under("p-two")))
        yield* store.create(execution("d-left", under("p-left")))
        yield* store.create(execution("d-taken", { ...under("p-next"), suspected_with: "p-left" }))
        const died = (process: string, name: string) => store.diedWithOthers(process, id(name))
        assert.isFalse(yield* died("p-alone", "d-alone"))
        assert.isTrue(yield* died("p-two", "d-one"))
        assert.isTrue(yield* died("p-left", "d-left"))
        assert.isTrue(yield* died("p-left", "d-taken"))
        assert.isFalse(yield* died("p-next", "d-taken"))
      })
    )

    it.effect("tells a missing execution from a refusal", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        assert.deepStrictEqual(yield* store.change(id("nobody"), { status: "running" }), Change.Missing())
        const { change, owner } = beginning(1)
        assert.deepStrictEqual(yield* store.begin(id("nobody"), change), Change.Missing())
        assert.deepStrictEqual(yield* store.finish(id("nobody"), { status: "completed" }, owner), Change.Missing())
        assert.deepStrictEqual(yield* store.change(id("a/b"), { status: "running" }), Change.Missing())
      })
    )

    it.effect("lets one of several attempts begin", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        yield* store.create(execution("e5"))
        const changes = yield* Effect.forEach([1, 2, 3], (number) => store.begin(id("e5"), beginning(number).change), {
          concurrency: "unbounded"
        })
        assert.sameMembers(
          changes.map((change) => change._tag),
          ["Changed", "Refused", "Refused"]
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
        const { change, owner } = beginning(1)
        etagOf(yield* store.begin(id("e9"), change))
        yield* store.markEnqueued(id("e9"), at)
        etagOf(yield* store.change(id("e9"), { status: "pending", attempt: null }, owner))
        yield* store.markEnqueued(id("e9"), at)
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

    it.effect("finds what was queued or begun by us and rests, of one vault and pipeline", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const { executions } = yield* Containers
        const vault = VaultId.make("v-rest")
        const pipeline = PipelineId.make("p1")
        const at = "2026-01-02T10:30:01+00:00"
        for (const [name, more] of [
          ["rest-queued", { enqueued_at: at }],
          ["rest-running", { status: "running", enqueued_at: at, started_at: at, attempt_process: "p" }],
          ["rest-begun", { status: "running", started_at: at, attempt_process: "p" }],
          ["rest-retried", { started_at: at, attempt: null, attempt_process: "p" }],
          ["rest-never-queued", {}],
          ["rest-completed", { status: "completed", enqueued_at: at }],
          ["rest-failed", { status: "failed", enqueued_at: at }],
          ["rest-other-vault", { vault_id: VaultId.make("v-rest-2"), enqueued_at: at }],
          ["rest-other-pipeline", { pipeline_id: PipelineId.make("p2"), enqueued_at: at }]
        ] as const) {
          yield* store.create(execution(name, { vault_id: vault, ...more }))
        }
        const { enqueued_at: _ours, ...original } = execution("rest-of-the-original", { vault_id: vault })
        yield* executions.upsert({ ...original, status: "running", started_at: at, processing_worker_id: "theirs" })

        const sighting = yield* Effect.flatten(store.look(id("rest-queued")))
        const reading = yield* executions.read("rest-queued")
        const now = reading._tag === "Found" ? reading.servedAt : 0
        const found = store.idleSince(vault, pipeline, now + 60_000, 10)
        const all = ["rest-queued", "rest-running", "rest-begun", "rest-retried"]
        assert.sameMembers([...(yield* found)], all)
        assert.lengthOf(yield* store.idleSince(vault, pipeline, now + 60_000, 3), 3)
        assert.isEmpty(yield* store.idleSince(vault, pipeline, now - 60_000, 10))

        etagOf(yield* store.changeSeen(sighting, { status_message: "seen" }))
        assert.strictEqual((yield* store.changeSeen(sighting, { status_message: "late" }))._tag, "Refused")
        const ended = yield* Effect.flatten(store.look(id("rest-completed")))
        assert.strictEqual((yield* store.changeSeen(ended, { status: "pending" }))._tag, "Refused")
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
