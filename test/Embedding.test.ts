import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema, Stream, TestClock } from "effect"
import * as Worker from "../src/index.ts"

// --- Another program: a source and a step of its own, everything in memory ---

const shout = Worker.Executor.define({
  type: "shout",
  category: "transform",
  name: "Shout",
  description: "Writes data.text in capitals.",
  settings: { mark: Worker.Settings.string({ description: "What follows the text.", default: "!" }) },
  make: ({ mark }) =>
    Effect.succeed({
      process: (items) =>
        Effect.succeed(
          items.map((item) =>
            Worker.Content.withData(item, { text: `${String(item.data["text"]).toUpperCase()}${mark}` })
          )
        )
    })
})

const greetings = Worker.Executor.define({
  type: "greetings",
  category: "input",
  name: "Greetings",
  description: "Finds two greetings.",
  settings: {},
  canCrawl: true,
  make: () =>
    Effect.succeed({
      process: Effect.succeed,
      crawl: () => Stream.make({ servedAt: 1_767_348_000_000, documents: ["hello", "good morning"].map(greeting) })
    })
})

const greeting = (text: string): Worker.Executor.Discovered => ({
  version: "1",
  item: Schema.decodeUnknownSync(Worker.Content.Content)({
    id: { canonical_id: text, unique_id: text },
    data: { text }
  })
})

const ports = Layer.mergeAll(
  Worker.MemoryQueue.layer,
  Worker.MemoryBlob.layer,
  Worker.MemoryStores.layer,
  Worker.WorkerConfig.layerWith({ processingWorkers: 2 }),
  Layer.succeed(Worker.ClaimCheck.ClaimAccount, "memory")
)

/** The worker over these ports with this catalog: the whole of what an embedding program writes. */
const worker = <E>(catalog: Layer.Layer<Worker.Catalog.Catalog, E, Layer.Layer.Success<typeof ports>>) =>
  Worker.WorkerEngine.layer.pipe(Layer.provide(Worker.PipelineRunner.layer), Layer.provide(catalog))

const own = Worker.Catalog.layer([greetings, shout])

/** The built-in types, and those of this program beside them. */
const ownAndBuiltins = Worker.Builtins.layerWith([greetings, shout]).pipe(
  Layer.provide([Worker.ThreadPool.layerInline, NodeContext.layer])
)

// --- What its tests see ---

const install = (sequence: string, executors: string) =>
  Effect.gen(function* () {
    const stores = yield* Worker.MemoryStores.MemoryStores
    const yaml = `pipeline: {name: greet, executors: [${executors}], execution_sequence: [${sequence}]}`
    yield* stores.pipelines.upsert({ id: "greet", name: "Greet", yaml, enabled: true })
    yield* stores.vaults.upsert({ id: "v", pipeline_id: "greet", enabled: true, save_execution_output: true })
  })

const results = Effect.map(Worker.MemoryStores.MemoryStores, ({ executions }) =>
  [...executions.documents.values()].map(({ content, status }) => [
    status,
    (content as ReadonlyArray<Worker.Content.Content>)[0]?.data
  ])
)

describe("a program that embeds the worker", () => {
  it.scoped("runs executors of its own over ports of its own, importing only the index", () =>
    Effect.gen(function* () {
      yield* install("in, loud", "{id: in, type: greetings}, {id: loud, type: shout, settings: {mark: '!!'}}")
      const engine = yield* Layer.build(worker(own))
      yield* TestClock.adjust("1 second")
      assert.sameDeepMembers(yield* results, [
        ["completed", { text: "HELLO!!" }],
        ["completed", { text: "GOOD MORNING!!" }]
      ])
      assert.isTrue((yield* Context.get(engine, Worker.WorkerEngine.WorkerEngine).status).running)
      yield* Context.get(engine, Worker.WorkerEngine.WorkerEngine).stop
    }).pipe(Effect.provide(ports))
  )

  it.scoped("mixes them with the built-in types", () =>
    Effect.gen(function* () {
      const map = "{id: map, type: field_mapper, settings: {mappings: {text: said}}}"
      yield* install("in, loud, map", `{id: in, type: greetings}, {id: loud, type: shout}, ${map}`)
      const engine = yield* Layer.build(worker(ownAndBuiltins))
      yield* TestClock.adjust("1 second")
      assert.sameDeepMembers(yield* results, [
        ["completed", { text: "HELLO!", said: "HELLO!" }],
        ["completed", { text: "GOOD MORNING!", said: "GOOD MORNING!" }]
      ])
      yield* Context.get(engine, Worker.WorkerEngine.WorkerEngine).stop
    }).pipe(Effect.provide(ports))
  )

  it.scoped("validates definitions against its catalog", () =>
    Effect.gen(function* () {
      const runner = yield* Worker.PipelineRunner.PipelineRunner
      const pipeline = yield* Schema.decodeUnknown(Worker.Pipeline.Pipeline)({
        id: "p",
        name: "P",
        yaml: "pipeline: {name: p, executors: [{id: a, type: shout, settings: {mark: [1]}}, {id: b, type: whisper}], execution_sequence: [a, b]}"
      })
      const { problems } = yield* runner.check({ pipeline, etag: "1" })
      const messages = problems.map(({ message }) => message).join("\n")
      assert.include(messages, "mark")
      assert.include(messages, "whisper")
    }).pipe(Effect.provide(Worker.PipelineRunner.layer.pipe(Layer.provide(own), Layer.provideMerge(ports))))
  )
})
