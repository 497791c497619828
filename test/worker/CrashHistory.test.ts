import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope, TestClock } from "effect"
import { historyOf, isSuspect, noHistory, type OpenAttempt, openAttempt } from "../../src/domain/AttemptNotes.ts"
import type { Execution, ExecutionChange } from "../../src/domain/Execution.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as Task from "../../src/domain/Task.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { type ReceivedMessage, TaskQueue } from "../../src/queue/TaskQueue.ts"
import { Change, ExecutionStore } from "../../src/store/ExecutionStore.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as CrashHistory from "../../src/worker/task/CrashHistory.ts"
import * as ExecutionChanges from "../../src/worker/ExecutionChanges.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const unavailable = new Unavailable({ service: "Cosmos DB", operation: "patch", message: "away" })

const message: ReceivedMessage = { id: "message-1", receipt: "r", body: "", dequeueCount: 4, insertedAt: 0 }

const attempt = (number: number, more: Partial<OpenAttempt> = {}): OpenAttempt => ({
  id: `elsewhere-${number}`,
  process: "elsewhere",
  message_id: `message-${number}`,
  lease_seconds: 60,
  alone: false,
  started_at: `2026-01-02T10:30:0${number}+00:00`,
  worker: "ContentProcessingWorker-9",
  at_work: [],
  ...more
})

/** The execution of task `number` as a process left it that died over it. */
const left = (number: number, more: Partial<OpenAttempt> = {}, also: Record<string, unknown> = {}) =>
  Engine.execution(number, { ...ExecutionChanges.running(attempt(number, more)), ...also })

const store = (document: { readonly id: string }) =>
  Effect.flatMap(MemoryStores, ({ executions }) => executions.upsert(document))

/** Sends task `number`, whose message another process takes and never gives back; it is visible again. */
const deadDelivery = (number: number, more: Record<string, unknown> = {}) =>
  Effect.gen(function* () {
    const queue = yield* TaskQueue
    yield* queue.send(Engine.message(number, more))
    yield* queue.receive(32, "1 second")
    yield* TestClock.adjust("2 seconds")
  })

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

const statusOf = (number: number) => Effect.map(Engine.executionOf(number), (execution) => execution?.["status"])

const poison = Effect.map(
  Effect.flatMap(MemoryQueue, (queue) => queue.poison),
  (bodies) => bodies.map((body) => JSON.parse(body) as { readonly reason: string })
)

describe("What an execution says of its attempts", () => {
  const execution = (more: object) => ({ ...Engine.execution(1), started_at: null, ...more }) as unknown as Execution

  it("is believed where it is consistent", () => {
    const opened = attempt(1, { at_work: [{ executor_id: "parse", type: "pdf", items: ["a.pdf"], item_count: 1 }] })
    const whole = { started_at: opened.started_at, processing_worker_id: opened.worker, attempt: opened }
    assert.deepStrictEqual(openAttempt(execution(whole)), opened)
    const others: ReadonlyArray<object> = [
      {},
      { attempt: null },
      { attempt: "text" },
      { ...whole, started_at: "2026-01-02T11:00:00+00:00" },
      { ...whole, processing_worker_id: "ContentProcessingWorker-1" },
      { ...whole, attempt: { ...opened, id: 7 } },
      { ...whole, attempt: { ...opened, at_work: [{}] } },
      { ...whole, attempt: { ...opened, lease_seconds: "long" } }
    ]
    for (const more of others) assert.isUndefined(openAttempt(execution(more)))
  })

  it("is bounded, and nonsense is nothing", () => {
    for (const value of [undefined, null, 7, [], "x", {}, { blamed: -1, deaths: 7, retries: 1.5 }]) {
      assert.isFalse(isSuspect(historyOf(execution({ attempt_history: value }))))
    }
    const many = Array.from({ length: 1_000 }, () => ({ ...attempt(1), worker: "x".repeat(10_000) }))
    const history = historyOf(execution({ attempt_history: { blamed: 2, deaths: many, retries: 1 } }))
    assert.isTrue(isSuspect(history))
    assert.isBelow(JSON.stringify(history).length, 10_000)
  })
})

describe("A delivery that nothing of ours confirms is no death", () => {
  const deliveries = Effect.gen(function* () {
    const queue = yield* TaskQueue
    for (let round = 0; round < 10; round++) {
      yield* queue.receive(32, "1 second")
      yield* TestClock.adjust("2 seconds")
    }
  })
  const cases: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
    ["of a new task", {}],
    ["of one that was tried before", { started_at: "2026-01-02T10:30:00+00:00", attempt: null }],
    [
      "of one that another program runs, or left running",
      { status: "running", started_at: "2026-01-02T10:30:00+00:00", processing_worker_id: "ContentProcessingWorker-0" }
    ],
    [
      "of one that another program took from us",
      { ...left(1), started_at: "2026-01-02T11:00:00+00:00", status: "running" }
    ]
  ]
  for (const [name, more] of cases) {
    test(name, () =>
      Effect.gen(function* () {
        yield* Engine.enqueue(1)
        yield* store(Engine.execution(1, more))
        yield* deliveries
        yield* Engine.started()
        yield* Engine.pass(1)
        assert.strictEqual(yield* statusOf(1), "completed")
        assert.isEmpty(yield* poison)
      })
    )
  }

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
      yield* deliveries
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
            look: (...call) => counted("look", real.executions.look(...call)),
            begin: (...call) => counted("begin", real.executions.begin(...call)),
            change: (...call) => counted("change", real.executions.change(...call)),
            finish: (...call) => counted("finish", real.executions.finish(...call)),
            diedWithOthers: (...call) => counted("diedWithOthers", real.executions.diedWithOthers(...call))
          })
        )
      )
      yield* Engine.pass(1)
      assert.deepStrictEqual(calls, ["begin", "finish", "complete"])
    }))
})

describe("A death", () => {
  test("of an attempt alone in its process is counted, and the third ends it, with what was at work", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const node = { executor_id: "parse", type: "pdf_extractor", items: ["a.pdf"], item_count: 1 }
      const deaths = [attempt(7, { at_work: [node] }), attempt(8)]
      yield* store(left(1, {}, { attempt_process: "elsewhere", attempt_history: { blamed: 2, deaths, retries: 0 } }))
      yield* deadDelivery(1)
      yield* Engine.started()
      yield* Engine.pass(1)
      assert.strictEqual(runner.runs, 0)
      const execution = yield* Engine.executionOf(1)
      const error = String(execution?.["error"])
      assert.strictEqual(execution?.["status"], "failed")
      assert.include(error, "Crash: 3 workers died")
      assert.include(error, "CRASH_LIMIT")
      assert.include(error, "parse (pdf_extractor) on a.pdf")
      assert.deepStrictEqual(
        ((execution?.["events"] ?? []) as ReadonlyArray<{ readonly timestamp: string }>).map(
          ({ timestamp }) => timestamp
        ),
        [7, 8, 1].map((number) => attempt(number).started_at)
      )
      assert.deepStrictEqual(
        (yield* poison).map(({ reason }) => reason),
        [error]
      )
      assert.isNull(execution?.["attempt_history"], "who puts it back starts anew")
    }))

  test("is not blamed on documents that were at work beside another: they run alone, one after the other", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      let atWork = 0
      let most = 0
      runner.work = (items) =>
        Effect.acquireUseRelease(
          Effect.sync(() => void (most = Math.max(most, ++atWork))),
          () => Effect.as(Effect.sleep("3 seconds"), items),
          () => Effect.sync(() => atWork--)
        )
      const numbers = [1, 2, 3, 4]
      for (const number of numbers) {
        yield* store(left(number))
        yield* deadDelivery(number)
      }
      // The lease that the dead process had of each message is over.
      yield* TestClock.adjust("60 seconds")
      yield* Engine.started({ processingWorkers: 4, crashLimit: 1 })
      for (const number of [5, 6, 7]) yield* Engine.enqueue(number)
      yield* Engine.pass(60)
      for (const number of [...numbers, 5, 6, 7]) assert.strictEqual(yield* statusOf(number), "completed", `${number}`)
      assert.strictEqual(runner.runs, 7)
      const suspects = (yield* MemoryStores).executions.documents
      for (const number of numbers) {
        assert.deepInclude(suspects.get(`exec_${number}`)?.["attempt_history"], { blamed: 0 })
      }
      assert.isAtMost(most, 3, "the new ones together")
    }))

  test("is blamed on none when the store can't tell what was beside it", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      yield* store(left(1))
      yield* deadDelivery(1)
      stores.executions.failNext(unavailable, { operation: "where", times: 10 })
      yield* Engine.started({ crashLimit: 1 })
      yield* Engine.pass(1)
      assert.strictEqual(yield* statusOf(1), "completed")
    }))

  test("of an attempt that this process ended, or whose message says that it ended, is none", () =>
    Effect.gen(function* () {
      yield* store(left(1))
      const { ended } = yield* Effect.map(Task.decode(Engine.message(1)), (decoded) => ({
        ended: Task.encodeRelease(decoded, "elsewhere-1") ?? ""
      }))
      yield* (yield* TaskQueue).send(ended)
      yield* Engine.started({ crashLimit: 1 })
      yield* Engine.pass(1)
      assert.strictEqual(yield* statusOf(1), "completed")
      assert.isUndefined((yield* Engine.executionOf(1))?.["attempt_history"])
    }))

  for (const [name, forged] of [
    ["counts of deliveries", { accounted_dequeues: 1_000 }],
    ["notes of attempts", { attempt_notes: { message_id: "message-1", attempts: [] } }],
    ["an attempt that ended", { ended_attempt: "elsewhere-7" }],
    ["a history", { attempt_history: { blamed: -100, deaths: [], retries: -100 }, attempt: null }]
  ] as const) {
    test(`is counted whatever the sender wrote: ${name}`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        yield* store(left(1, { alone: true }))
        yield* deadDelivery(1, forged)
        yield* Engine.started({ crashLimit: 1 })
        yield* Engine.pass(1)
        assert.strictEqual(runner.runs, 0)
        assert.include(String((yield* Engine.executionOf(1))?.["error"]), "Crash: a worker died")
      }))
  }

  test("makes a document a suspect until it has ended, also after a retry", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      let tries = 0
      runner.work = (items) => {
        if (items[0]?.id?.canonical_id !== "doc-1") return Effect.as(Effect.sleep("30 seconds"), items)
        return ++tries === 1 ? Effect.fail(executorError("Transient", "busy", 10_000)) : Effect.succeed(items)
      }
      yield* store(left(1))
      yield* deadDelivery(1)
      yield* Engine.started({ processingWorkers: 3 })
      yield* Engine.pass(1)
      assert.strictEqual(yield* statusOf(1), "pending")
      yield* Engine.enqueue(2)
      yield* Engine.pass(25)
      assert.strictEqual(tries, 1, "something else is at work")
      yield* Engine.pass(10)
      assert.strictEqual(yield* statusOf(1), "completed")
    }))
})

describe("A second copy of a message", () => {
  test("waits while the attempt of this process is at work, for as long as that takes", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.as(Effect.sleep("200 seconds"), items)
      yield* Engine.enqueue(1)
      yield* Engine.started({ processingWorkers: 2 })
      yield* Engine.pass(5)
      yield* (yield* TaskQueue).send(Engine.message(1))
      yield* Engine.pass(300)
      assert.strictEqual(runner.runs, 1)
      assert.strictEqual(yield* statusOf(1), "completed")
      assert.strictEqual((yield* (yield* TaskQueue).stats).depth, 0)
    }))

  test("waits while another process is at work, which shows that it lives as often as it renews", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.as(Effect.sleep("300 seconds"), items)
      yield* Engine.enqueue(1)
      yield* Engine.started({ processingWorkers: 1 })
      yield* Engine.pass(5)
      yield* (yield* TaskQueue).send(Engine.message(1))
      yield* Engine.started({ processingWorkers: 1 })
      yield* Engine.pass(200)
      assert.strictEqual(runner.runs, 1, "although its lease was of a minute")
      yield* Engine.pass(200)
      assert.strictEqual(runner.runs, 1)
      assert.strictEqual(yield* statusOf(1), "completed")
      assert.strictEqual((yield* (yield* TaskQueue).stats).depth, 0)
    }))

  test("takes over when the other attempt has been silent for its lease", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* store(left(1, { message_id: "the other copy" }))
      yield* (yield* TaskQueue).send(Engine.message(1))
      yield* Engine.started()
      yield* Engine.pass(55)
      assert.strictEqual(runner.runs, 0)
      yield* Engine.pass(20)
      assert.strictEqual(runner.runs, 1)
      assert.strictEqual(yield* statusOf(1), "completed")
    }))
})

describe("An attempt whose lease is lost", () => {
  test("leaves no death behind, however often that happens", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      let losing = true
      const failing = TaskQueue.of({
        ...queue,
        update: (...call) => (losing ? Effect.fail(unavailable) : queue.update(...call))
      })
      runner.work = (items) => Effect.as(Effect.sleep("100 seconds"), items)
      yield* Engine.enqueue(1)
      yield* Engine.started({ processingWorkers: 1, crashLimit: 1 }).pipe(Effect.provideService(TaskQueue, failing))
      yield* Engine.pass(250)
      assert.isAtLeast(runner.runs, 3)
      losing = false
      yield* Engine.pass(250)
      assert.strictEqual(yield* statusOf(1), "completed")
      assert.isUndefined((yield* Engine.executionOf(1))?.["attempt_history"])
    }))
})

describe("Noting what is at work", () => {
  const watching = (write: (change: ExecutionChange) => Effect.Effect<Change, Unavailable>) => {
    const watcher = CrashHistory.notes(write, attempt(1), () => 0)
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

  it.effect("tells all nodes that work", () =>
    Effect.gen(function* () {
      const noted: Array<OpenAttempt> = []
      const run = watching((change) =>
        Effect.sync(() => {
          noted.push(change.attempt as OpenAttempt)
          return Change.Changed({ etag: "e" })
        })
      )
      yield* run.start("one")
      run.end("one")
      yield* run.start("two")
      yield* run.start("three")
      assert.deepStrictEqual(
        noted.map(({ at_work }) => at_work.map(({ executor_id }) => executor_id)),
        [["one"], ["two"], ["two", "three"]]
      )
      const [first] = noted
      assert.deepInclude(first?.at_work[0], { items: ["a.pdf", "b.pdf"], item_count: 3 })
      const reason = CrashHistory.reason(
        { ...noHistory, blamed: 2, deaths: first === undefined ? [] : [first] },
        message
      )
      assert.include(reason, "one (fake) on a.pdf, b.pdf and 1 more")
    })
  )

  it.effect("is given up after the first note that fails or takes longer than 5 s", () =>
    Effect.gen(function* () {
      for (const write of [
        () => Effect.fail(unavailable),
        () => Effect.never,
        () => Effect.die(new TypeError("a bug"))
      ]) {
        let calls = 0
        const run = watching(() => Effect.suspend(() => (calls++, write())))
        const first = yield* Effect.fork(run.start("one"))
        yield* TestClock.adjust("5 seconds")
        yield* first.await
        yield* run.start("two")
        assert.strictEqual(calls, 1)
      }
    })
  )
})
