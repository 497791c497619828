import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, type Scope, TestClock } from "effect"
import type { AttemptNote } from "../../src/domain/AttemptNotes.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as Task from "../../src/domain/Task.ts"
import { type ReceivedMessage, TaskQueue } from "../../src/queue/TaskQueue.ts"
import { ExecutionStore } from "../../src/store/ExecutionStore.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as Deaths from "../../src/worker/Deaths.ts"
import * as Engine from "../support/MemoryEngine.ts"

const decode = (text: string) => Either.getOrThrow(Task.decode(text))

const message = (body: string, dequeueCount: number): ReceivedMessage => ({
  id: "message-1",
  receipt: "receipt",
  body,
  dequeueCount,
  insertedAt: 0
})

const note = (started_at: string): AttemptNote => ({
  started_at,
  worker: "ContentProcessingWorker-0",
  at_work: [{ executor_id: "parse", type: "pdf_extractor", items: ["a.pdf"], item_count: 1 }]
})

const noted = (notes: ReadonlyArray<AttemptNote>, id = "message-1"): string =>
  Task.encodeNoted(decode(Engine.message(1)), id, notes) ?? ""

const unavailable = new Unavailable({ service: "Storage Queue", operation: "update", message: "away" })

describe("Notes of attempts", () => {
  it("survive the message, belong to it alone, and end with an orderly attempt", () => {
    const body = noted([note("first"), note("second")])
    assert.deepStrictEqual(Task.attemptNotes(decode(body), "message-1"), [note("first"), note("second")])
    // Somebody put the text into another message, to try it again.
    assert.isEmpty(Task.attemptNotes(decode(body), "message-2"))
    assert.isEmpty(Task.attemptNotes(decode(Task.encodeRetry(decode(body), 2, "later")), "message-1"))
    assert.isEmpty(Task.attemptNotes(decode(Task.encodeRelease(decode(body), 2)), "message-1"))
    assert.deepStrictEqual(decode(body).task, decode(Engine.message(1)).task)
  })

  it("never make a message larger than the queue takes", () => {
    const content = [Engine.item("doc", { text: "x".repeat(65_000 - Engine.message(1).length) })]
    const large = decode(Engine.message(1, { content }))
    const many = Array.from({ length: 5 }, (_, number) => note(`${number} ${"long ".repeat(100)}`))
    const body = Task.encodeNoted(large, "message-1", many)
    assert.isTrue(body === undefined || body.length <= 65_536)
    const full = decode(Engine.message(1, { content: [Engine.item("doc", { text: "x".repeat(66_000) })] }))
    assert.isUndefined(Task.encodeNoted(full, "message-1", many))
  })

  it("are bounded, and nonsense is none", () => {
    const hostile: ReadonlyArray<unknown> = [
      7,
      [],
      { message_id: "message-1", attempts: 7 },
      { message_id: "message-1", attempts: [7] },
      { message_id: "message-1", attempts: [{ started_at: 1, worker: "w", at_work: [] }] },
      { message_id: "message-1", attempts: [{ started_at: "s", worker: "w", at_work: [{}] }] }
    ]
    for (const attempt_notes of hostile) {
      assert.isEmpty(Task.attemptNotes(decode(Engine.message(1, { attempt_notes })), "message-1"))
    }
    const many = Array.from({ length: 1_000 }, () => note("x".repeat(10_000)))
    const read = Task.attemptNotes(
      decode(Engine.message(1, { attempt_notes: { message_id: "message-1", attempts: many } })),
      "message-1"
    )
    assert.isBelow(JSON.stringify(read).length, 10_000)
  })
})

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

describe("What is known of a message that came back", () => {
  const running = (started_at: string) =>
    Effect.flatMap(MemoryStores, ({ executions }) =>
      executions.upsert(Engine.execution(1, { status: "running", started_at, processing_worker_id: "worker-9" }))
    )

  test("from its execution, when the message says nothing", () =>
    Effect.gen(function* () {
      yield* running("2026-01-02")
      const body = Engine.message(1)
      assert.deepStrictEqual(yield* Deaths.recall(yield* ExecutionStore, message(body, 2), decode(body), 1), [
        { started_at: "2026-01-02", worker: "worker-9", at_work: [] }
      ])
    }))

  test("both together, each attempt once, the last deaths alone", () =>
    Effect.gen(function* () {
      const store = yield* ExecutionStore
      yield* running("third")
      const body = noted([note("first"), note("second")])
      const recalled = (deaths: number) =>
        Effect.map(Deaths.recall(store, message(body, deaths + 1), decode(body), deaths), (all) =>
          all.map(({ started_at }) => started_at)
        )
      assert.deepStrictEqual(yield* recalled(3), ["first", "second", "third"])
      assert.deepStrictEqual(yield* recalled(1), ["second"])
      yield* running("second")
      assert.deepStrictEqual(yield* recalled(3), ["first", "second"])
    }))

  test("less, when the store is away", () =>
    Effect.gen(function* () {
      const store = ExecutionStore.of({ ...(yield* ExecutionStore), find: () => Effect.fail(unavailable) })
      const body = Engine.message(1)
      assert.isEmpty(yield* Deaths.recall(store, message(body, 2), decode(body), 1))
      const reason = Deaths.reason(3, message(body, 4), [])
      assert.include(reason, "3 workers died")
      assert.include(reason, "not known")
    }))

  test("costs a task whose worker lives no call", () =>
    Effect.gen(function* () {
      const real = { queue: yield* TaskQueue, executions: yield* ExecutionStore }
      const calls: Array<string> = []
      const counted = <A, E>(name: string, call: Effect.Effect<A, E>) =>
        Effect.zipRight(
          Effect.sync(() => calls.push(name)),
          call
        )
      yield* Engine.enqueue(1)
      yield* Engine.started({ processingWorkers: 1 }).pipe(
        Effect.provideService(
          TaskQueue,
          TaskQueue.of({
            ...real.queue,
            update: (...call) => counted("update", real.queue.update(...call)),
            complete: (...call) => counted("complete", real.queue.complete(...call))
          })
        ),
        Effect.provideService(
          ExecutionStore,
          ExecutionStore.of({
            ...real.executions,
            find: (...call) => counted("find", real.executions.find(...call)),
            change: (...call) => counted("change", real.executions.change(...call))
          })
        )
      )
      yield* Engine.pass(1)
      assert.deepStrictEqual(calls, ["change", "change", "complete"])
    }))
})

describe("Noting what is at work", () => {
  const watching = (give: (body: string) => Effect.Effect<void, Unavailable>) => {
    const decoded = decode(Engine.message(1))
    const watcher = Deaths.notes({ note: give }, message("", 2), decoded, [note("first")], "worker-1", 0)
    const working = new Set<string>()
    watcher.begin?.(() =>
      [...working].map((executorId) => ({
        executorId,
        type: "fake",
        status: "interrupted",
        startedAt: 0,
        endedAt: 0,
        itemsIn: 1,
        itemsOut: 0,
        itemsFailed: 0,
        error: null
      }))
    )
    const start = (id: string) => {
      working.add(id)
      return watcher.beforeNode?.({ id, type: "fake" }, [
        Engine.item("a.pdf"),
        Engine.item("b.pdf"),
        Engine.item("c.pdf")
      ])
    }
    return { start: (id: string) => start(id) ?? Effect.void, end: (id: string) => working.delete(id) }
  }

  it.effect("tells all nodes that work, and the attempts before", () =>
    Effect.gen(function* () {
      const bodies: Array<string> = []
      const run = watching((body) => Effect.sync(() => void bodies.push(body)))
      yield* run.start("one")
      run.end("one")
      yield* run.start("two")
      yield* run.start("three")
      const attempts = bodies.map((body) => Task.attemptNotes(decode(body), "message-1"))
      assert.deepStrictEqual(
        attempts.map((all) => all.map(({ at_work }) => at_work.map(({ executor_id }) => executor_id))),
        [
          [["parse"], ["one"]],
          [["parse"], ["two"]],
          [["parse"], ["two", "three"]]
        ]
      )
      assert.deepInclude(attempts[0]?.[1]?.at_work[0], { items: ["a.pdf", "b.pdf"], item_count: 3 })
      assert.include(Deaths.reason(2, message("", 3), attempts[0] ?? []), "one (fake) on a.pdf, b.pdf and 1 more")
    })
  )

  it.effect("is given up after the first note that fails or takes longer than 5 s", () =>
    Effect.gen(function* () {
      for (const give of [
        () => Effect.fail(unavailable),
        () => Effect.never,
        () => Effect.die(new TypeError("a bug"))
      ]) {
        let calls = 0
        const run = watching(() => Effect.suspend(() => (calls++, give())))
        const first = yield* Effect.fork(run.start("one"))
        yield* TestClock.adjust("5 seconds")
        yield* first.await
        yield* run.start("two")
        assert.strictEqual(calls, 1)
      }
    })
  )
})
