import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer, Logger, type Scope } from "effect"
import { Invalid, type ServiceError, Throttled, Unauthorized, Unavailable } from "../../src/domain/ServiceError.ts"
import { ExecutorError } from "../../src/executor/ExecutorError.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { ExecutionStore } from "../../src/store/ExecutionStore.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

const facts = { service: "Cosmos DB", operation: "patch", message: "the store is away" }

const poisonReasons = Effect.map(
  Effect.flatMap(MemoryQueue, ({ poison }) => poison),
  (bodies) => bodies.map((body) => String((JSON.parse(body) as { reason: unknown }).reason))
)
const depth = Effect.map(
  Effect.flatMap(MemoryQueue, ({ bodies }) => bodies),
  (bodies) => bodies.length
)

/** Every call of stores and queue is counted; while `broken`, each of the execution store fails so. */
const counted = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const queue = yield* TaskQueue
  const control = { broken: null as ServiceError | null, stores: 0, queue: 0 }
  const store = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E | ServiceError> =>
    Effect.suspend((): Effect.Effect<A, E | ServiceError> => {
      control.stores++
      return control.broken === null ? call : Effect.fail(control.broken)
    })
  const counting = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      control.queue++
      return call
    })
  const layer = Layer.mergeAll(
    Layer.succeed(
      ExecutionStore,
      ExecutionStore.of({
        ...executions,
        begin: (...call) => store(executions.begin(...call)),
        change: (...call) => store(executions.change(...call)),
        finish: (...call) => store(executions.finish(...call)),
        look: (id) => store(executions.look(id)),
        create: (execution) => store(executions.create(execution)),
        find: (id) => store(executions.find(id))
      })
    ),
    Layer.succeed(
      TaskQueue,
      TaskQueue.of({
        ...queue,
        receive: (...call) => counting(queue.receive(...call)),
        update: (...call) => counting(queue.update(...call)),
        complete: (lease) => counting(queue.complete(lease))
      })
    )
  )
  return { control, layer }
})

describe("while the worker's own stores fail", () => {
  for (const [name, error] of [
    ["refuse it (403)", new Unauthorized(facts)],
    ["can't be reached", new Unavailable(facts)],
    ["throttle", new Throttled({ ...facts, retryAfterMillis: 100 })]
  ] as const) {
    test(`${name}: a few calls a second at most, no attempt counted, and all complete afterwards`, () =>
      Effect.gen(function* () {
        const { control, layer } = yield* counted
        const engine = yield* Effect.provide(Engine.started({ processingWorkers: 8 }), layer)
        yield* Engine.pass(10)
        control.broken = error
        for (let number = 1; number <= 40; number++) yield* Engine.enqueue(number)
        yield* Engine.pass(60)
        const before = { ...control }
        yield* Engine.pass(300)
        assert.isAtMost((control.stores - before.stores) / 300, 2, "calls of the stores a second")
        assert.isAtMost((control.queue - before.queue) / 300, 2, "calls of the queue a second")
        assert.isNotNull((yield* engine.status).intake, "told")
        assert.isEmpty((yield* engine.status).stalled)
        control.broken = null
        yield* Engine.pass(240)
        assert.isNull((yield* engine.status).intake)
        assert.strictEqual(yield* depth, 0)
        assert.isEmpty(yield* poisonReasons)
        for (let number = 1; number <= 40; number++) {
          assert.strictEqual((yield* Engine.executionOf(number))?.["status"], "completed")
        }
      }))
  }

  test("only when written: the probe is a message, and the valve stays closed", () =>
    Effect.gen(function* () {
      const { control, layer } = yield* counted
      const executions = yield* ExecutionStore
      const readable = Layer.succeed(
        ExecutionStore,
        ExecutionStore.of({
          ...executions,
          begin: (...call) =>
            Effect.suspend(() => {
              control.stores++
              return control.broken ?? executions.begin(...call)
            })
        })
      )
      yield* Effect.provide(Engine.started({ processingWorkers: 8 }), Layer.merge(layer, readable))
      control.broken = new Unauthorized(facts)
      for (let number = 1; number <= 20; number++) yield* Engine.enqueue(number)
      yield* Engine.pass(60)
      const before = { ...control }
      yield* Engine.pass(300)
      assert.isAtMost((control.stores - before.stores) / 300, 2)
      control.broken = null
      yield* Engine.pass(240)
      assert.strictEqual(yield* depth, 0)
    }))

  test("one line tells that tasks are taken no more, and one that they are again", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel.ordinal >= 20_000) lines.push(String(message))
      })
      const { control, layer } = yield* counted
      yield* Effect.provide(
        Engine.started({ processingWorkers: 4 }),
        Layer.merge(layer, Logger.replace(Logger.defaultLogger, logger))
      )
      control.broken = new Unavailable(facts)
      for (let number = 1; number <= 20; number++) yield* Engine.enqueue(number)
      yield* Engine.pass(300)
      control.broken = null
      yield* Engine.pass(240)
      assert.lengthOf(
        lines.filter((line) => line.includes("No more tasks are taken")),
        1
      )
      assert.lengthOf(
        lines.filter((line) => line.includes("taken from the queue again")),
        1
      )
      assert.isAtMost(lines.filter((line) => line.includes("released")).length, 8, lines.join("\n"))
    }))
})

describe("what the worker's own stores refuse for good", () => {
  const rejected = (
    arrange: Effect.Effect<unknown, unknown, Engine.Installation>,
    runs: number,
    reason: string | RegExp,
    message = Engine.message(1)
  ) =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      yield* arrange
      yield* queue.send(message)
      yield* Engine.started()
      yield* Engine.pass(300)
      const reasons = yield* poisonReasons
      assert.lengthOf(reasons, 1)
      assert.match(reasons[0] ?? "", typeof reason === "string" ? new RegExp(reason) : reason)
      assert.strictEqual(yield* depth, 0)
      assert.strictEqual(runner.runs, runs, "runs of the pipeline")
    })

  for (const id of ["2026/01/invoice-1", "a\\b", "what?", "no#1", "blank ", "line\nbreak", ".", "..", "half \ud800"]) {
    test(`an execution id that it can't hold: ${JSON.stringify(id)}`, () =>
      rejected(Effect.void, 0, "under this id", Engine.message(1, { execution_id: id, vault_id: null })))
  }

  for (const [name, change] of [
    ["retries that are a text", { retries: "3" }],
    ["a name that is a number", { name: 5 }],
    ["no YAML", { yaml: null }],
    ["enabled as a text", { enabled: "true" }]
  ] as const) {
    test(`a pipeline with ${name}`, () =>
      rejected(
        Effect.flatMap(MemoryStores, ({ executions, pipelines }) =>
          Effect.zipRight(pipelines.upsert({ ...Engine.pipeline, ...change }), executions.upsert(Engine.execution(1)))
        ),
        0,
        "not valid at"
      ))
  }

  test("a vault of the wrong shape, before the pipeline runs", () =>
    rejected(
      Effect.flatMap(MemoryStores, ({ executions, vaults }) =>
        Effect.zipRight(
          vaults.upsert({ ...Engine.vault, save_execution_output: "true" }),
          executions.upsert(Engine.execution(1))
        )
      ),
      0,
      "not valid at save_execution_output"
    ))

  test("an execution of a status that it does not know", () =>
    rejected(
      Effect.flatMap(MemoryStores, ({ executions }) => executions.upsert(Engine.execution(1, { status: "cancelled" }))),
      0,
      "not valid at status"
    ))

  const refusal = new Invalid({ ...facts, message: "Cosmos DB refused the request (400)", reason: "BadRequest" })

  const refusing = (status: ReadonlyArray<string>) =>
    Effect.map(ExecutionStore, (executions) =>
      ExecutionStore.of({
        ...executions,
        change: (id, change, ...more) =>
          status.includes(change.status ?? "") ? refusal : executions.change(id, change, ...more),
        finish: (id, change, ...more) =>
          status.includes(change.status ?? "") ? refusal : executions.finish(id, change, ...more)
      })
    )

  for (const statuses of [["completed"], ["completed", "failed"]]) {
    test(`the final write (${statuses.join(" and ")}): the pipeline runs once, and the message goes to the poison queue`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const store = yield* refusing(statuses)
        yield* Engine.enqueue(1)
        yield* Effect.provideService(Engine.started(), ExecutionStore, store)
        yield* Engine.pass(300)
        assert.strictEqual(runner.runs, 1)
        assert.strictEqual(yield* depth, 0)
        assert.match((yield* poisonReasons)[0] ?? "", /400/)
      }))
  }
})

describe("an outage of a service that pipelines use", () => {
  const outage = (lastsMillis: number, closed = true, served = true) =>
    new ExecutorError({
      reason: "Transient",
      executorId: "fetch",
      itemId: "doc",
      message: "account a is out.",
      outage: { endpoint: "account a", closed, served, lastsMillis, retryAfterMillis: 5_000 }
    })

  /** A service that never worked for this process, as one document tells. */
  const failingSince = (began: number) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(outage(now - began, false, false)))

  test("counts no attempt, and the tasks complete when it is over", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(outage(1_000))
      for (let number = 1; number <= 10; number++) yield* Engine.enqueue(number)
      yield* Engine.started({ processingWorkers: 4 })
      yield* Engine.pass(900)
      runner.work = Effect.succeed
      yield* Engine.pass(240)
      assert.isEmpty(yield* poisonReasons)
      for (let number = 1; number <= 10; number++) {
        assert.strictEqual((yield* Engine.executionOf(number))?.["status"], "completed")
      }
    }))

  test("lets each message rest longer and longer", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(outage(1_000))
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(1_200)
      assert.isAtMost(runner.runs, 30)
      assert.isAtLeast(runner.runs, 12)
    }))

  test("ends the task when it lasts longer than OUTAGE_PATIENCE_SECONDS", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(outage(Duration.toMillis("1 hour")))
      yield* Engine.enqueue(1)
      yield* Engine.started({ outagePatience: Duration.minutes(10) })
      yield* Engine.pass(590)
      assert.isEmpty(yield* poisonReasons, "the message is younger")
      yield* Engine.pass(140)
      assert.lengthOf(yield* poisonReasons, 1)
    }))

  test("that only this task has seen counts attempts, and goes on when they are used up", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(outage(1_000, false))
      yield* Engine.enqueue(1, { max_retries: 1 })
      yield* Engine.started()
      yield* Engine.pass(1_200)
      assert.isEmpty(yield* poisonReasons)
      runner.work = Effect.succeed
      yield* Engine.pass(180)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))

  test("that a process has begun in ends no task that others tried before", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* Engine.enqueue(1, { max_retries: 1 })
      yield* Engine.pass(60)
      const began = yield* Clock.currentTimeMillis
      runner.work = () => failingSince(began)
      yield* Engine.started()
      yield* Engine.pass(40)
      assert.isAbove(runner.runs, 2)
      assert.isEmpty(yield* poisonReasons)
      runner.work = Effect.succeed
      yield* Engine.pass(180)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))

  test("is a wrong address where a process saw all its attempts and was never served", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const began = yield* Clock.currentTimeMillis
      runner.work = () => failingSince(began)
      yield* Engine.enqueue(1, { max_retries: 3 })
      yield* Engine.started()
      yield* Engine.pass(60)
      assert.match((yield* poisonReasons)[0] ?? "", /Max retries exceeded \(4 attempts\)/)
    }))

  test("is none for a document that fails alone: it is rejected after its attempts", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(executorError("Transient", "access is refused"))
      yield* Engine.enqueue(1, { max_retries: 2 })
      yield* Engine.started()
      yield* Engine.pass(300)
      assert.strictEqual(runner.runs, 3)
      assert.lengthOf(yield* poisonReasons, 1)
    }))
})
