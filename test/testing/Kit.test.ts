import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { Content, Executor, ExecutorError, PerItem, Settings } from "../../src/exports/executor.ts"
import { CrashingPorts, ExecutorTest, MemoryEngine } from "../../src/exports/testing.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"

let failures = 0

const wordCount = Executor.define({
  type: "word_count",
  category: "transform",
  name: "Word Count",
  description: "Counts the words of a text field.",
  settings: {
    input_field: Settings.string({ description: "Key of the text in data.", default: "text" }),
    max_words: Settings.integer({ description: "The most.", default: 100, min: 1 }),
    ...PerItem.settings()
  },
  make: (settings, context) =>
    Effect.succeed(
      PerItem.perItem(context, settings, (item) => {
        const text = item.data[settings.input_field]
        if (text === "flaky" && failures++ === 0) {
          return new ExecutorError.ExecutorError({
            reason: "Transient",
            executorId: context.id,
            itemId: null,
            message: "away"
          })
        }
        return typeof text === "string"
          ? Effect.succeed(Content.withSummary(item, { words: text.split(/\s+/).length }))
          : Executor.documentError(context, item, `data.${settings.input_field} is not a text.`)
      })
    )
})

const source = Executor.define({
  type: "source",
  category: "input",
  name: "Source",
  description: "Finds two documents.",
  settings: {},
  canCrawl: true,
  make: () =>
    Effect.succeed({
      process: Effect.succeed,
      crawl: () =>
        Stream.make({
          servedAt: 0,
          documents: ["two words", "flaky"].map((text) => ({ version: "1", item: ExecutorTest.item(text, { text }) }))
        })
    })
})

describe("ExecutorTest", () => {
  it.effect("runs one node over items", () =>
    Effect.gen(function* () {
      const [item] = yield* ExecutorTest.process(wordCount, { input_field: "body" }, [
        ExecutorTest.item("a", { body: "one two three" })
      ])
      assert.strictEqual(item?.summary_data["words"], 3)
      const error = yield* Effect.flip(ExecutorTest.process(wordCount, {}, [ExecutorTest.item("a", { text: 1 })]))
      assert.include(error.message, "data.text is not a text.")
    })
  )

  it.effect("refuses settings that nothing reads and settings that are wrong, all at once, with the near name", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(
        ExecutorTest.process(wordCount, { input_feild: "x", max_words: 0, colour: "red" }, [])
      )
      assert.include(message, "word_count has no setting input_feild. Did you mean input_field?")
      assert.include(message, "word_count has no setting colour.\n")
      assert.include(message, "The setting max_words")
    })
  )
})

describe("MemoryEngine", () => {
  it.scoped("runs pipelines of YAML with executors of one's own, retries included, on the test's time", () =>
    Effect.gen(function* () {
      failures = 0
      const yaml =
        "pipeline: {name: count, executors: [{id: in, type: source}, {id: count, type: word_count}], execution_sequence: [in, count]}"
      yield* MemoryEngine.register("count", yaml)
      const engine = yield* MemoryEngine.started()
      yield* MemoryEngine.pass("1 minute")
      const executions = yield* MemoryEngine.executions
      assert.deepStrictEqual(
        executions.map(({ status }) => status),
        ["completed", "completed"]
      )
      assert.strictEqual(failures, 2)
      yield* engine.stop
    }).pipe(Effect.provide(MemoryEngine.runner([source, wordCount]).pipe(Layer.provideMerge(MemoryEngine.ports))))
  )

  it.effect("lets a process die at any call of its services", () =>
    Effect.gen(function* () {
      const services = yield* Effect.context<TaskQueue>()
      const process = CrashingPorts.make({ incident: { at: 1, fault: "fails after" } })
      const error = yield* Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* queue.send("a")
        return yield* Effect.flip(queue.send("b"))
      }).pipe(Effect.provide(process.wrap(services)))
      assert.strictEqual(error._tag, "Unavailable")
      assert.deepStrictEqual(process.calls, ["TaskQueue.send", "TaskQueue.send"])
      // Its call took effect all the same.
      assert.lengthOf(yield* Effect.flatMap(TaskQueue, (queue) => queue.receive(32, "1 minute")), 2)
    }).pipe(Effect.provide(MemoryEngine.ports))
  )
})
