import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, type Scope } from "effect"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import type { Incident } from "../../src/testing/CrashingPorts.ts"
import * as World from "../support/CrashWorld.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as Lives from "../support/TaskLives.ts"

/** A test over a fresh installation with one vault and one pipeline. */
const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

/** The attempt of task 1 runs for 10 s and is rejected; meanwhile another one has made this of the execution. */
const rejectedWhile = (status: string) =>
  Effect.gen(function* () {
    const runner = yield* FakeRunner
    const stores = yield* MemoryStores
    runner.work = () => Effect.delay(Effect.fail(executorError("Document", "This is no document.")), "10 seconds")
    yield* Engine.enqueue(1)
    yield* Engine.started()
    yield* Engine.pass(5)
    yield* stores.executions.upsert(Engine.execution(1, { status, started_at: "2026-01-02T10:30:00+00:00" }))
    yield* Engine.pass(6)
    const queue = yield* MemoryQueue
    const execution = yield* Engine.executionOf(1)
    return {
      status: execution?.["status"],
      messages: (yield* queue.bodies).length,
      poison: (yield* queue.poison).length
    }
  })

describe("a message that an attempt leaves to its lease", () => {
  /** Nobody renews it any more: it is handed out again, and then finds what the other attempt made of the task. */
  const comesBack = Effect.gen(function* () {
    const stores = yield* MemoryStores
    yield* Engine.enqueue(1)
    const engine = yield* Engine.started()
    yield* Engine.pass(5)
    yield* stores.executions.upsert(Engine.execution(1, { status: "running", started_at: "2026-01-02T10:30:00+00:00" }))
    yield* Engine.pass(6)
    assert.strictEqual((yield* engine.status).leases, 0)
    yield* stores.executions.upsert(Engine.execution(1, { status: "completed" }))
    yield* Engine.pass(70)
    assert.deepStrictEqual(yield* Effect.flatMap(MemoryQueue, ({ bodies }) => bodies), [])
  })

  test("because another one wrote the execution is renewed no more", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.delay(Effect.succeed(items), "10 seconds")
      yield* comesBack
    }))

  test("because another one runs while it is rejected is renewed no more", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.delay(Effect.fail(executorError("Document", "This is no document.")), "10 seconds")
      yield* comesBack
    }))
})

describe("a rejected attempt that another one has overtaken", () => {
  test("deletes the message of a task that is completed, and puts nothing aside", () =>
    Effect.map(rejectedWhile("completed"), (seen) =>
      assert.deepStrictEqual(seen, { status: "completed", messages: 0, poison: 0 })
    ))

  test("leaves a task that runs to the other, and the message to its lease", () =>
    Effect.map(rejectedWhile("running"), (seen) =>
      assert.deepStrictEqual(seen, { status: "running", messages: 1, poison: 0 })
    ))

  it.effect("a task that was completed is no crash, though its workers died as often as CRASH_LIMIT says", () =>
    Effect.gen(function* () {
      const life = Lives.task("a task", "doc.txt", "completed")
      const incidents: Array<Incident> = []
      // Two die over the attempt, the third when the result is recorded but the message is still there.
      for (const [name, fault] of [
        ["MemoryStores.executions.patch", "dies after"],
        ["MemoryStores.executions.patch", "dies after"],
        ["TaskQueue.complete", "dies before"]
      ] as const) {
        const { processes } = yield* World.live(life, incidents)
        incidents.push({ at: processes.at(-1)?.calls.indexOf(name) ?? -1, fault })
      }
      const { ended, processes, world } = yield* World.live(life, incidents)
      assert.lengthOf(processes, 4)
      assert.isTrue(ended)
      assert.strictEqual(world.executions[0]?.["status"], "completed")
      assert.deepStrictEqual(world.poison, [])
      assert.deepStrictEqual(world.tasks, [])
    })
  )
})

describe("the log of a task that went well", () => {
  test("has one line at INFO, with the document", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel.label === "INFO") lines.push(String(message))
      })
      yield* Effect.gen(function* () {
        yield* Engine.enqueue(1)
        yield* Engine.started()
        yield* Engine.pass(2)
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      const told = lines.filter((line) => line.startsWith("Completed"))
      assert.strictEqual(told.length, 1)
      assert.match(told[0] ?? "", /^Completed(?: in \d+ ms)?: \S/)
    }))
})

describe("a last call about a message whose answer was lost", () => {
  const lost = new Unavailable({ service: "Storage Queue", operation: "settle", message: "The connection was cut." })

  /** What the log says of a task that runs for 10 s and ends like this, when the answer to `operation` is lost. */
  const told = (operation: "complete" | "update", fails?: "Document" | "Transient") =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel.ordinal >= 30_000) lines.push(String(message))
      })
      const queue = yield* MemoryQueue
      yield* Effect.gen(function* () {
        const runner = yield* FakeRunner
        runner.work = (items) =>
          Effect.delay(
            fails === undefined ? Effect.succeed(items) : Effect.fail(executorError(fails, "It can't be read.")),
            "10 seconds"
          )
        yield* Engine.enqueue(1)
        yield* Engine.started()
        yield* Engine.pass(8)
        yield* queue.loseNext(operation, lost)
        yield* Engine.pass(4)
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      return { log: lines.join("\n"), messages: (yield* queue.bodies).length, poison: (yield* queue.poison).length }
    })

  const cases = [
    { name: "a completed task", operation: "complete", messages: 0, poison: 0 },
    { name: "a rejected task", operation: "complete", fails: "Document", messages: 0, poison: 1 },
    { name: "a task that is tried again", operation: "update", fails: "Transient", messages: 1, poison: 0 }
  ] as const
  for (const { messages, name, operation, poison, ...how } of cases) {
    test(`is no lost lease: ${name}`, () =>
      Effect.gen(function* () {
        const seen = yield* told(operation, "fails" in how ? how.fails : undefined)
        assert.notInclude(seen.log, "comes back when its lease ends")
        assert.deepStrictEqual([seen.messages, seen.poison], [messages, poison])
      }))
  }
})
