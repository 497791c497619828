import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Scope } from "effect"
import { executor as subpipeline } from "../../src/executors/control/Subpipeline.ts"
import * as Executor from "../../src/executor/Executor.ts"
import { ExecutorError } from "../../src/executor/ExecutorError.ts"
import * as Settings from "../../src/executor/Settings.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as MemoryEngine from "../../src/testing/MemoryEngine.ts"
import * as VirtualTestClock from "../../src/testing/VirtualTestClock.ts"
import * as Tasks from "../support/MemoryEngine.ts"

/** What ran, in order; the first run is refused for 20 seconds, or hangs. */
interface Ran {
  readonly words: Array<string>
  first: "refused" | "hangs" | "works"
}

const word = (ran: Ran) =>
  Executor.define({
    type: "word",
    category: "transform",
    name: "Word",
    description: "Notes a word.",
    settings: { word: Settings.string({ description: "The word.", default: "" }) },
    make: (settings, context) =>
      Effect.succeed({
        process: (items) =>
          Effect.suspend(() => {
            ran.words.push(settings.word)
            if (ran.words.length > 1 || ran.first === "works") return Effect.succeed(items)
            return ran.first === "hangs"
              ? Effect.never
              : new ExecutorError({
                  reason: "Transient",
                  executorId: context.id,
                  itemId: null,
                  message: "busy",
                  retryAfterMillis: 20_000
                })
          })
      })
  })

type Installation = Layer.Layer.Success<typeof MemoryEngine.ports>

const test = (
  name: string,
  body: (
    ran: Ran
  ) => Effect.Effect<void, unknown, Installation | Layer.Layer.Success<ReturnType<typeof runner>> | Scope.Scope>
) =>
  it.effect(name, () => {
    const ran: Ran = { words: [], first: "refused" }
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const exit = yield* Effect.exit(Scope.extend(body(ran), scope))
      const closing = yield* Effect.fork(Scope.close(scope, exit))
      yield* MemoryEngine.pass("1 minute")
      yield* Fiber.join(closing)
      yield* exit
    }).pipe(Effect.provide(Layer.provideMerge(runner(ran), MemoryEngine.ports)), VirtualTestClock.within())
  })

const runner = (ran: Ran) => MemoryEngine.runner([subpipeline, word(ran)])

const says = (text: string) =>
  `pipeline: {name: p, executors: [{id: say, type: word, settings: {word: ${text}}}], execution_sequence: [say]}`
const uses = (child: string, by = "pipeline") =>
  `pipeline: {name: p, executors: [{id: sub, type: subpipeline, settings: {${by}: ${child}}}], execution_sequence: [sub]}`

const store = (id: string, yaml: string) =>
  Effect.flatMap(MemoryStores, ({ pipelines }) => pipelines.upsert({ id, name: id, yaml, enabled: true }))

const enqueue = (number: number) =>
  Effect.gen(function* () {
    const { executions } = yield* MemoryStores
    const queue = yield* TaskQueue
    const of = { pipeline_id: "parent", pipeline_name: "parent", vault_id: null, executed_input_executor: null }
    yield* executions.upsert(Tasks.execution(number, of))
    yield* queue.send(Tasks.message(number, of))
  })

const started = (settings: Parameters<typeof MemoryEngine.started>[0] = {}) =>
  MemoryEngine.started({ sourceWorkers: 0, ...settings })

const versionOf = (number: number) => Effect.map(Tasks.executionOf(number), (found) => found?.["pipeline_version"])

const completed = (number: number) =>
  Effect.map(Tasks.executionOf(number), (found) =>
    assert.strictEqual(found?.["status"], "completed", String(found?.["error"]))
  )

describe("the child pipelines of a task", () => {
  const edits: ReadonlyArray<readonly [string, string, Effect.Effect<unknown, unknown, MemoryStores>]> = [
    ["named by the parent", uses("child"), store("child", says("two"))],
    ["named by its id", uses("child", "pipeline_id"), store("child", says("two"))],
    ["within a child", uses("middle"), store("child", says("two"))],
    ["another one under its name", uses("middle"), store("middle", says("two"))],
    ["deleted", uses("child"), Effect.flatMap(MemoryStores, ({ pipelines }) => Tasks.forget(pipelines, "child"))]
  ]
  for (const [what, parent, edit] of edits) {
    test(`are what its first attempt ran, in a retry, too, and the execution names that: ${what}`, (ran) =>
      Effect.gen(function* () {
        yield* store("parent", parent)
        yield* store("middle", uses("child"))
        yield* store("child", says("one"))
        yield* enqueue(1)
        yield* started()
        yield* MemoryEngine.pass("1 second")
        const first = yield* versionOf(1)
        assert.isString(first)
        yield* edit
        yield* MemoryEngine.pass("10 seconds")
        yield* enqueue(2)
        yield* MemoryEngine.pass("1 minute")
        yield* completed(1)
        assert.deepStrictEqual(
          ran.words.slice().toSorted(),
          what === "deleted" ? ["one", "one"] : ["one", "one", "two"]
        )
        assert.strictEqual(yield* versionOf(1), first)
        assert.notStrictEqual(yield* versionOf(2), first)
      }))
  }

  test("are the same in another process", (ran) =>
    Effect.gen(function* () {
      ran.first = "hangs"
      yield* store("parent", uses("child"))
      yield* store("child", says("one"))
      yield* enqueue(1)
      yield* Effect.scoped(
        Effect.zipRight(started({ shutdownGrace: Duration.zero, processingWorkers: 1 }), MemoryEngine.pass("1 second"))
      ).pipe(
        Effect.fork,
        Effect.tap(() => MemoryEngine.pass("30 seconds"))
      )
      const first = yield* versionOf(1)
      yield* store("child", says("two"))
      yield* started()
      yield* MemoryEngine.pass("2 minutes")
      yield* completed(1)
      assert.deepStrictEqual(ran.words, ["one", "one"])
      assert.strictEqual(yield* versionOf(1), first)
    }))

  test("are the present ones where they were edited before the first attempt, though an earlier task ran just now", (ran) =>
    Effect.gen(function* () {
      ran.first = "works"
      yield* store("parent", uses("child"))
      yield* store("child", says("one"))
      yield* enqueue(1)
      yield* started()
      yield* MemoryEngine.pass("1 minute")
      yield* store("child", says("two"))
      yield* enqueue(2)
      yield* MemoryEngine.pass("1 minute")
      assert.deepStrictEqual(ran.words, ["one", "two"])
      assert.notStrictEqual(yield* versionOf(1), yield* versionOf(2))
    }))

  test("cost a task nothing more while they stay as they are", (ran) =>
    Effect.gen(function* () {
      ran.first = "works"
      yield* store("parent", uses("child"))
      yield* store("child", says("one"))
      for (const number of [1, 2, 3, 4]) yield* enqueue(number)
      yield* started({ processingWorkers: 1 })
      yield* MemoryEngine.pass("4 seconds")
      assert.lengthOf(ran.words, 4)
      assert.lengthOf(new Set(yield* Effect.forEach([1, 2, 3, 4], versionOf)), 1)
      const { executions } = yield* MemoryStores
      const writes = (number: number) =>
        Number(String(executions.documents.get(`exec_${number}`)?.["_etag"]).slice(1, -1))
      assert.strictEqual(writes(4) - writes(3), 2, "running, completed")
    }))
})
