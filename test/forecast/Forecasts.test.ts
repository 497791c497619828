import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, Stream } from "effect"
import type { Scope } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { nameOf, withData } from "../../src/domain/Content.ts"
import { VaultId } from "../../src/domain/Ids.ts"
import type { VersionedPipeline } from "../../src/domain/Pipeline.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as PerItem from "../../src/executor/PerItem.ts"
import * as Settings from "../../src/executor/Settings.ts"
import * as Usage from "../../src/executor/Usage.ts"
import { executor as retriever } from "../../src/executors/input/AzureBlobContentRetriever.ts"
import { executor as discovery } from "../../src/executors/input/AzureBlobInputDiscovery.ts"
import { executor as blobOutput } from "../../src/executors/output/AzureBlobOutput.ts"
import * as Difference from "../../src/forecast/Difference.ts"
import type { Forecast } from "../../src/forecast/Forecast.ts"
import * as Forecasts from "../../src/forecast/Forecasts.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { PipelineStore } from "../../src/store/PipelineStore.ts"
import * as StepResults from "../../src/store/StepResults.ts"
import { VaultStore } from "../../src/store/VaultStore.ts"
import * as VirtualTestClock from "../../src/testing/VirtualTestClock.ts"
import * as Deletions from "../../src/worker/outputs/Deletions.ts"
import * as ManifestStore from "../../src/worker/outputs/ManifestStore.ts"
import * as Engine from "../support/MemoryEngine.ts"

const pipelineId = "papers_1"
const vaultId = VaultId.make("vault-1")
const questionsAsked: Array<string> = []

/** Text of the document that was fetched; the word `broken` can't be read. */
const read = Executor.define({
  type: "read",
  category: "transform",
  name: "Read",
  description: "Reads text.",
  settings: { ...PerItem.settings() },
  make: (settings, context) =>
    Effect.succeed(
      PerItem.perItem(context, settings, (item) => {
        const text = Buffer.from(item.data["content"] as Uint8Array).toString()
        return text === "broken"
          ? new Executor.ExecutorError({
              reason: "Document",
              executorId: context.id,
              itemId: nameOf(item),
              message: "It is broken."
            })
          : Effect.succeed({ ...item, data: { text } })
      })
    )
})

/** Asks something of a text: a call, and half a crown. */
const ask = Executor.define({
  type: "ask",
  category: "analyse",
  name: "Ask",
  description: "Costs something.",
  cost: "paid",
  settings: {
    ...PerItem.settings(),
    question: Settings.string({ description: "What to ask.", default: "why?" }),
    of: Settings.string({ description: "The field that is read.", default: "text" }),
    into: Settings.string({ description: "The field that is written.", default: "answer" })
  },
  make: (settings, context) =>
    Effect.succeed(
      PerItem.perItem(
        context,
        settings,
        (item) =>
          Effect.sync(() => {
            questionsAsked.push(`${settings.question} ${nameOf(item)}`)
            const meter = new Usage.Meter(context.meter)
            meter.add({ ...Usage.none, model: "m", deployment: "d", calls: 1, inputTokens: 10, cost: 0.5 })
            const answer = `${settings.question} ${String(item.data[settings.of])}`
            return Usage.noted(context, withData(item, { [settings.into]: answer }), meter)
          }),
        (item) =>
          item.data[settings.of] === undefined
            ? new Executor.ExecutorError({
                reason: "Document",
                executorId: context.id,
                itemId: nameOf(item),
                message: `There is no field ${settings.of}.`
              })
            : Effect.succeed(item.data[settings.of])
      )
    )
})

/** Lists any number of documents in parts, as a large container does. */
const endless = Executor.define({
  type: "endless",
  category: "input",
  name: "Endless",
  description: "Many documents.",
  canCrawl: true,
  settings: { count: Settings.integer({ description: "How many.", default: 1 }) },
  make: ({ count }) =>
    Effect.succeed({
      process: (items) => Effect.succeed(items),
      crawl: () =>
        Stream.map(Stream.range(0, Math.ceil(count / 5_000) - 1), (page) => ({
          servedAt: 1_700_000_000_000,
          documents: Array.from({ length: Math.min(5_000, count - page * 5_000) }, (_, index) => ({
            item: Engine.item(`doc-${page * 5_000 + index}`, { text: `text ${index % 10}` }),
            version: "1"
          }))
        }))
    })
})

type Services = BlobStore | NodeContext.NodeContext

const widened = (
  executor: Omit<Executor.Executor<never>, "prepare"> & { readonly prepare: Executor.Executor<Services>["prepare"] }
): Executor.Executor<Services> => executor

const kept = new Map<string, string>()

const layer = Forecasts.layer.pipe(
  Layer.provide(Layer.provide(Deletions.layer, ManifestStore.layer)),
  Layer.provideMerge(PipelineRunner.layer),
  Layer.provideMerge(
    Catalog.layer([discovery, retriever, read, ask, endless, blobOutput].map((each) => widened(each)))
  ),
  Layer.provideMerge(NodeContext.layer),
  Layer.provideMerge(
    Layer.merge(
      WorkerConfig.layerWith({}),
      Layer.sync(StepResults.StepResults, () =>
        StepResults.makeMemory({ timeToLive: Duration.days(30), maxBytes: 1_000_000 }, kept)
      )
    )
  ),
  Layer.provideMerge(Engine.ports)
)

type Installation = Layer.Layer.Success<typeof layer>

interface Node {
  readonly id: string
  readonly type: string
  readonly settings?: Readonly<Record<string, unknown>>
}

const find: Node = {
  id: "find",
  type: "azure_blob_input_discovery",
  settings: { blob_storage_account: "acct", blob_container_name: "docs-in", polling_interval_seconds: 60 }
}

const write: Node = {
  id: "write",
  type: "azure_blob_output",
  settings: {
    storage_account_name: "acct",
    container_name: "docs-out",
    path_template: "",
    filename_template: "{id.filename}.txt",
    content_field: "answer",
    output_format: "text"
  }
}

const fetch: Node = {
  id: "fetch",
  type: "azure_blob_content_retriever",
  settings: { use_temp_file_for_content: false, include_content_bytes_as_field: true }
}

const why: Node = { id: "why", type: "ask" }

const yaml = (nodes: ReadonlyArray<Node>, edges?: ReadonlyArray<unknown>): string =>
  JSON.stringify({
    pipeline: {
      name: "papers",
      executors: nodes,
      ...(edges === undefined ? { execution_sequence: nodes.map(({ id }) => id) } : { edges })
    }
  })

const usual = yaml([find, fetch, { id: "read", type: "read" }, why, write])

const install = (text = usual, vault: Record<string, unknown> = {}) =>
  Effect.gen(function* () {
    const { pipelines, vaults } = yield* MemoryStores
    const blobs = yield* BlobStore
    for (const container of ["docs-in", "docs-out"]) yield* blobs.ensureContainer({ name: "acct" }, container)
    yield* pipelines.upsert({ id: pipelineId, name: "Papers", yaml: text, enabled: true })
    yield* vaults.upsert({
      id: vaultId,
      pipeline_id: pipelineId,
      enabled: true,
      save_execution_output: false,
      ...vault
    })
  })

const put = (name: string, text: string) =>
  Effect.flatMap(MemoryBlob.MemoryBlob, (blobs) => blobs.put("acct", "docs-in", name, text))

const drop = (name: string) =>
  Effect.flatMap(BlobStore, (blobs) => blobs.remove({ account: { name: "acct" }, container: "docs-in", path: name }))

/** Everything that is stored. */
const everything = Effect.gen(function* () {
  const { checkpoints, executions, locks, pipelines, vaults } = yield* MemoryStores
  const blobs = yield* Effect.flatMap(MemoryBlob.MemoryBlob, (memory) => memory.all)
  return JSON.stringify([
    ...[checkpoints, executions, locks, pipelines, vaults].map(({ documents }) => [...documents.entries()]),
    blobs.map(({ body, container, path }) => [container, path, Buffer.from(body).toString("base64")]),
    [...kept.entries()]
  ])
})

interface Asked {
  readonly which?: "new" | "all"
  readonly sample?: number
  /** In the place of the stored one. */
  readonly yaml?: string
}

/** A forecast, during which nothing is stored and nothing is asked. */
const forecast = ({ sample = 100, which = "all", yaml: other }: Asked = {}) =>
  Effect.gen(function* () {
    const stored = Option.getOrThrow(yield* Effect.flatMap(PipelineStore, (store) => store.find(pipelineId as never)))
    const vault = Option.getOrThrow(yield* Effect.flatMap(VaultStore, (store) => store.find(vaultId)))
    const pipeline: VersionedPipeline =
      other === undefined ? stored : { etag: "file", pipeline: { ...stored.pipeline, yaml: other } }
    const before = yield* everything
    const asked = questionsAsked.length
    const given = yield* Effect.flatMap(Forecasts.Forecasts, (forecasts) =>
      forecasts.of({ vault, pipeline, which, sample })
    )
    assert.strictEqual(yield* everything, before)
    assert.strictEqual(questionsAsked.length, asked)
    return given
  })

const stepOf = ({ steps }: Forecast, id: string) => {
  const step = steps.find(({ executor_id }) => executor_id === id)
  return step === undefined ? undefined : { computed: step.computed, kept: step.kept, open: step.open }
}

/** Time for a crawl and what it found. */
const settled = Engine.pass(70)

const processed = Effect.scoped(Effect.zipRight(Engine.started({ processingWorkers: 2, sourceWorkers: 1 }), settled))

const test = (name: string, body: Effect.Effect<void, unknown, Installation | Scope.Scope>) =>
  it.effect(name, () =>
    Effect.suspend(() => {
      kept.clear()
      questionsAsked.splice(0)
      return Effect.scoped(body)
    }).pipe(Effect.provide(layer), VirtualTestClock.within())
  )

const documents = (count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => index),
    (index) => put(`doc-${index}.txt`, `text ${index}`),
    { discard: true }
  )

describe("a forecast", () => {
  test(
    "of documents that never ran tells all steps, and that nothing is known of what they cost",
    Effect.gen(function* () {
      yield* install()
      yield* documents(5)
      const given = yield* forecast({ which: "new" })
      assert.deepStrictEqual(given.documents, { which: "new", listed: 5, run: 5, done: 0, exact: true })
      assert.deepStrictEqual(
        given.steps.map(({ computed, cost, executor_id, writes }) => [executor_id, cost, writes, computed]),
        [
          ["fetch", "cheap", false, 5],
          ["read", "cheap", false, 5],
          ["why", "paid", false, 5],
          ["write", "cheap", true, 5]
        ]
      )
      assert.deepStrictEqual(given.cost.unknown, ["why"])
      assert.strictEqual(given.cost.expected.cost, null)
      assert.isNull(given.removal)
    })
  )

  test(
    "after a run finds its results, and tells by it what new documents cost",
    Effect.gen(function* () {
      yield* install()
      yield* documents(5)
      yield* processed
      assert.lengthOf(questionsAsked, 5)
      yield* put("new.txt", "something new")
      // The same text as another document's: its answer is kept.
      yield* put("copy.txt", "text 3")
      const crawl = yield* forecast({ which: "new" })
      assert.strictEqual(crawl.documents.listed, 7)
      assert.strictEqual(crawl.documents.run, 2)
      assert.deepStrictEqual(stepOf(crawl, "why"), { computed: 1, kept: 1, open: 0 })
      assert.strictEqual(crawl.cost.expected.cost, 0.5)
      assert.strictEqual(crawl.cost.saved.cost, 0.5)
      assert.strictEqual(crawl.cost.runs, 5)
      const all = yield* forecast()
      assert.strictEqual(all.documents.run, 7)
      assert.deepStrictEqual(stepOf(all, "why"), { computed: 1, kept: 6, open: 0 })
      assert.strictEqual(all.cost.saved.cost, 3)
    })
  )

  test(
    "of two versions shows which steps differ, and what is computed because of it",
    Effect.gen(function* () {
      const two = (question: string, more: ReadonlyArray<Node> = []) =>
        yaml([
          find,
          fetch,
          { id: "read", type: "read" },
          ...more,
          why,
          { id: "how", type: "ask", settings: { question, of: "answer", into: "how" } },
          write
        ])
      yield* install(two("how?"))
      yield* documents(4)
      yield* processed
      const before = yield* forecast()
      assert.deepStrictEqual(stepOf(before, "how"), { computed: 0, kept: 4, open: 0 })
      const changed = Difference.of(before, yield* forecast({ yaml: two("how much?") }))
      assert.deepStrictEqual(
        changed.steps.map(({ change, executor_id }) => `${executor_id} ${change}`),
        ["fetch same", "read same", "why same", "how changed", "write same"]
      )
      assert.deepStrictEqual(stepOf(changed.after, "why"), { computed: 0, kept: 4, open: 0 })
      assert.deepStrictEqual(stepOf(changed.after, "how"), { computed: 4, kept: 0, open: 0 })
      assert.strictEqual(changed.after.cost.expected.cost, 2)
      // What a step before it will give nobody knows.
      const inserted = Difference.of(
        before,
        yield* forecast({ yaml: two("how?", [{ id: "first", type: "ask", settings: { into: "summary" } }]) })
      )
      assert.strictEqual(inserted.steps.find(({ executor_id }) => executor_id === "first")?.change, "added")
      assert.deepStrictEqual(stepOf(inserted.after, "first"), { computed: 4, kept: 0, open: 0 })
      assert.deepStrictEqual(stepOf(inserted.after, "why"), { computed: 0, kept: 0, open: 4 })
      const other = yield* forecast({
        yaml: two("how?", [{ id: "first", type: "ask", settings: { question: "who?", into: "text" } }])
      })
      assert.deepStrictEqual(stepOf(other, "first"), { computed: 4, kept: 0, open: 0 })
      assert.deepStrictEqual(stepOf(other, "why"), { computed: 0, kept: 0, open: 4 })
      assert.strictEqual(other.cost.expected.cost, null)
      assert.strictEqual(other.cost.most.cost, 4)
      const less = Difference.of(before, yield* forecast({ yaml: usual }))
      assert.strictEqual(less.steps.at(-1)?.change, "removed")
    })
  )

  test(
    "leaves open what a condition on an answer decides, and not what lies beside it",
    Effect.gen(function* () {
      yield* install(
        yaml(
          [
            find,
            fetch,
            { id: "read", type: "read" },
            why,
            { id: "deep", type: "ask", settings: { question: "deep?", into: "deep" } },
            { id: "aside", type: "ask", settings: { question: "aside?", into: "aside" } },
            write
          ],
          [
            { from: "find", to: "fetch" },
            { from: "fetch", to: "read" },
            { from: "read", to: ["why", "aside"] },
            { from: "why", to: "deep", condition: "data.answer == 'why? text 1'" },
            { from: "deep", to: "write" }
          ]
        )
      )
      yield* documents(3)
      const given = yield* forecast()
      assert.deepStrictEqual(stepOf(given, "why"), { computed: 3, kept: 0, open: 0 })
      assert.deepStrictEqual(stepOf(given, "deep"), { computed: 0, kept: 0, open: 3 })
      assert.deepStrictEqual(stepOf(given, "aside"), { computed: 3, kept: 0, open: 0 })
    })
  )

  test(
    "tells which documents would fail, and where",
    Effect.gen(function* () {
      yield* install()
      yield* documents(2)
      yield* put("bad.txt", "broken")
      const given = yield* forecast()
      assert.deepStrictEqual(given.sample.failing, [
        { executor_id: "read", documents: 1, example: nameIn(given), error: "It is broken." }
      ])
      assert.match(nameIn(given), /bad\.txt$/)
      assert.deepStrictEqual(stepOf(given, "why"), { computed: 2, kept: 0, open: 0 })
    })
  )

  test(
    "tells what is computed where nothing is kept by choice, and asks nothing",
    Effect.gen(function* () {
      yield* install(yaml([find, fetch, { id: "read", type: "read" }, { ...why, settings: { cache: "off" } }, write]))
      yield* documents(2)
      yield* processed
      assert.deepStrictEqual(stepOf(yield* forecast(), "why"), { computed: 2, kept: 0, open: 0 })
    })
  )

  test(
    "tells what goes with documents that are gone or leave the filter, and that a person has to confirm many",
    Effect.gen(function* () {
      yield* install(usual, { on_source_deleted: "remove" })
      yield* documents(10)
      yield* processed
      yield* drop("doc-3.txt")
      const one = yield* forecast({ which: "new" })
      assert.deepInclude(one.removal, { documents: 1, of: 10, waits: false, looked_up: 1 })
      assert.deepStrictEqual(
        one.removal?.outputs.map(({ executor_id, outputs }) => [executor_id, outputs]),
        [["write", 1]]
      )
      const narrow = { ...find, settings: { ...find.settings, prefix: "doc-1" } }
      const many = yield* forecast({ yaml: yaml([narrow, fetch, { id: "read", type: "read" }, why, write]) })
      assert.strictEqual(many.documents.listed, 1)
      assert.deepInclude(many.removal, { documents: 9, of: 10, waits: true })
    })
  )

  test(
    "of very many documents goes through some of them, and says so",
    Effect.gen(function* () {
      yield* install(yaml([{ id: "find", type: "endless", settings: { count: 60_000 } }, why]))
      const given = yield* forecast({ sample: 50 })
      assert.strictEqual(given.documents.run, 60_000)
      assert.strictEqual(given.sample.documents, 50)
      assert.deepStrictEqual(stepOf(given, "why"), { computed: 60_000, kept: 0, open: 0 })
      assert.match(given.notes.join(" "), /The steps of 50 documents were gone through, of 60000/)
    })
  )
})

const nameIn = (given: Forecast): string => given.sample.failing[0]?.example ?? ""
