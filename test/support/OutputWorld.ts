import type { FileSystem, Path } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Context, Duration, Effect, Fiber, Layer, Scope, Stream } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import { nameOf } from "../../src/domain/Content.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import * as Executor from "../../src/executor/Executor.ts"
import { executor as retriever } from "../../src/executors/input/AzureBlobContentRetriever.ts"
import { executor as discovery } from "../../src/executors/input/AzureBlobInputDiscovery.ts"
import { executor as searchOutput } from "../../src/executors/output/AiSearchIndexOutput.ts"
import { executor as blobOutput } from "../../src/executors/output/AzureBlobOutput.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import { CallError } from "../../src/services/CallError.ts"
import * as SearchIndexes from "../../src/services/search/SearchIndexes.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as VirtualTestClock from "../../src/testing/VirtualTestClock.ts"
import * as Engine from "./MemoryEngine.ts"

/**
 * Documents of lines, each of which becomes a blob and a document of an index, in whole engines on memory ports: what tests need to see whether outputs
 * are what the documents give.
 */

export const vaultId = "vault-1"
export const pipelineId = "lines_1"

/** A write or removal of an output that is on its way. */
export interface Call {
  readonly kind: "blob" | "index" | "unblob" | "unindex"
  /** The path or the keys, separated by blanks. */
  readonly what: string
}

/** Knobs, and what the index holds. */
export class World extends Context.Tag("test/OutputWorld")<
  World,
  {
    readonly index: Map<string, unknown>
    readonly calls: Array<Call>
    /** Calls of which it says so never answer; `land` lets them happen. */
    holds: (call: Call) => boolean
    readonly held: Array<Effect.Effect<void>>
    /** Documents that are soft-deleted: nobody sees them. */
    readonly hidden: Set<string>
    /** Pages of a listing of the source after which it fails. */
    listings: number
    /** Calls of which it says so fail. */
    fails: (call: Call) => boolean
  }
>() {}

/** Lets everything that is held happen, as late as now. */
export const land = Effect.flatMap(World, ({ held }) =>
  Effect.forEach(held.splice(0), (call) => call, { discard: true })
)

/** Each line of a document becomes an item. */
const lines = Executor.define({
  type: "lines",
  category: "transform",
  name: "Lines",
  description: "One item for each line",
  settings: {},
  make: () =>
    Effect.succeed({
      process: (items) =>
        Effect.succeed(
          items.flatMap((item) =>
            Buffer.from(item.data["content"] as Uint8Array)
              .toString()
              .split("\n")
              .filter((line) => line !== "")
              .map((line) => ({
                ...item,
                id:
                  item.id === null
                    ? null
                    : { ...item.id, canonical_id: `${nameOf(item)}_line_${line.split("=")[0] ?? ""}` },
                data: {
                  line,
                  key: `${item.id?.unique_id ?? ""}-${line.split("=")[0] ?? ""}`,
                  name: item.id?.filename ?? ""
                }
              }))
          )
        )
    })
})

const input = { blob_storage_account: "acct", blob_container_name: "docs-in" }

export const yaml = (
  options: {
    readonly outputs?: string
    readonly search?: boolean
    readonly input?: Record<string, unknown>
    readonly blob?: Record<string, unknown>
  } = {}
) =>
  JSON.stringify({
    pipeline: {
      name: "lines",
      executors: [
        {
          id: "find",
          type: "azure_blob_input_discovery",
          settings: { ...input, polling_interval_seconds: 60, ...options.input }
        },
        {
          id: "fetch",
          type: "azure_blob_content_retriever",
          settings: { use_temp_file_for_content: false, include_content_bytes_as_field: true }
        },
        { id: "lines", type: "lines" },
        {
          id: "write",
          type: "azure_blob_output",
          settings: {
            storage_account_name: "acct",
            container_name: "docs-out",
            path_template: "{name}/",
            filename_template: "{key}.txt",
            content_field: "line",
            output_format: "text",
            ...options.blob
          }
        },
        ...(options.search === false
          ? []
          : [
              {
                id: "index",
                type: "ai_search_index_output",
                settings: {
                  ai_search_account: "contoso",
                  ai_search_index: "docs",
                  index_mode: "document",
                  add_timestamp: false,
                  content_to_index_mappings: { "data.key": "id", key: "id", line: "line" }
                }
              }
            ])
      ],
      edges: [
        { from: "find", to: "fetch", type: "sequential" },
        { from: "fetch", to: "lines", type: "sequential" },
        { from: "lines", to: "write", type: "sequential" },
        ...(options.search === false ? [] : [{ from: "write", to: "index", type: "sequential" }])
      ]
    }
  })

const world = Layer.sync(World, () => ({
  index: new Map<string, unknown>(),
  calls: [] as Array<Call>,
  holds: () => false,
  held: [] as Array<Effect.Effect<void>>,
  hidden: new Set<string>(),
  listings: Number.MAX_SAFE_INTEGER,
  fails: () => false
}))

/** An output call as the world wants it. */
const passing = <A, E>(
  world: Context.Tag.Service<typeof World>,
  call: Call,
  happens: Effect.Effect<A, E>,
  failure: Effect.Effect<never, E>
) =>
  Effect.suspend(() => {
    world.calls.push(call)
    if (world.fails(call)) return failure
    if (!world.holds(call)) return happens
    world.held.push(Effect.ignore(happens))
    return Effect.never
  })

const indexes = Layer.effect(
  SearchIndexes.SearchIndexes,
  Effect.map(World, (world) =>
    SearchIndexes.SearchIndexes.of({
      open: () =>
        Effect.succeed({
          schema: Effect.succeedSome({ fields: new Set(["id", "line"]), key: "id" }),
          write: ({ action, documents }) =>
            passing(
              world,
              {
                kind: action === "delete" ? "unindex" : "index",
                what: documents.map(({ id }) => String(id)).join(" ")
              },
              Effect.sync(() => {
                for (const document of documents) {
                  if (action === "delete") world.index.delete(String(document["id"]))
                  else world.index.set(String(document["id"]), document["line"])
                }
              }),
              new CallError({ reason: "Unavailable", message: "The index is away.", status: 503 })
            )
        })
    })
  )
)

/** The pipelines' blobs: those of the outputs as the world wants them. */
const outputBlobs = Layer.effect(
  BlobStore,
  Effect.gen(function* () {
    const blobs = yield* BlobStore
    const control = yield* World
    const away = new Unavailable({ service: "Blob Storage", operation: "write", message: "Blob Storage is away." })
    return BlobStore.of({
      ...blobs,
      list: (options) =>
        options.container === "docs-in"
          ? Stream.concat(
              Stream.map(Stream.take(blobs.list(options), control.listings), (page) => ({
                ...page,
                blobs: page.blobs.filter(({ path }) => !control.hidden.has(path))
              })),
              control.listings === Number.MAX_SAFE_INTEGER ? Stream.empty : Stream.fail(away)
            )
          : blobs.list(options),
      upload: (location, body, options) =>
        location.container === "docs-out"
          ? passing(control, { kind: "blob", what: location.path }, blobs.upload(location, body, options), away)
          : blobs.upload(location, body, options),
      remove: (location, options) =>
        location.container === "docs-out"
          ? passing(control, { kind: "unblob", what: location.path }, blobs.remove(location, options), away)
          : blobs.remove(location, options)
    })
  })
)

const config = WorkerConfig.layerWith({})

type Services = BlobStore | SearchIndexes.SearchIndexes | FileSystem.FileSystem | Path.Path

/** One type as one of a list, as the built-in ones are. */
const widened = (
  executor: Omit<Executor.Executor<never>, "prepare"> & { readonly prepare: Executor.Executor<Services>["prepare"] }
): Executor.Executor<Services> => executor

const catalog = Catalog.layer(
  [discovery, retriever, lines, blobOutput, searchOutput].map((each) => widened(each))
).pipe(Layer.provide([outputBlobs, indexes, NodeContext.layer]))

/** Queue and stores in memory. */
const inMemory = Layer.mergeAll(MemoryQueue.layer, MemoryStores.layer)

type Documents = typeof inMemory

/** One installation, which any number of engines may share. */
const portsOn = (documents: Documents) =>
  PipelineRunner.layer.pipe(
    Layer.provideMerge(catalog),
    Layer.provideMerge(Layer.mergeAll(documents, MemoryBlob.layer, world, config, Layer.succeed(ClaimAccount, "own")))
  )

export type Installation = Layer.Layer.Success<ReturnType<typeof portsOn>>

/** The settings of an engine that does all work by itself. */
export const settings: Partial<WorkerConfig.EngineSettings> = {
  processingWorkers: 2,
  sourceWorkers: 1,
  visibilityTimeout: Duration.seconds(30)
}

/** An engine, and how it dies: nothing of it goes on, nothing is given back. */
export const started = (more: Partial<WorkerConfig.EngineSettings> = {}) => Engine.started({ ...settings, ...more })

export const install = (pipelineYaml: string, vault: Record<string, unknown> = { on_source_deleted: "remove" }) =>
  Effect.gen(function* () {
    const stores = yield* MemoryStores.MemoryStores
    const blobs = yield* BlobStore
    for (const container of ["docs-in", "docs-out"]) yield* blobs.ensureContainer({ name: "acct" }, container)
    yield* stores.pipelines.upsert({ id: pipelineId, name: "Lines", yaml: pipelineYaml, enabled: true })
    yield* stores.vaults.upsert({
      id: vaultId,
      pipeline_id: pipelineId,
      enabled: true,
      save_execution_output: false,
      ...vault
    })
  })

export const write = (container: string, path: string, text: string) =>
  Effect.flatMap(MemoryBlob.MemoryBlob, (blobs) => blobs.put("acct", container, path, text))

/** Puts a document of these lines (`name=text` each) into the source. */
export const put = (name: string, ...text: ReadonlyArray<string>) => write("docs-in", name, text.join("\n"))

export const drop = (name: string) =>
  Effect.flatMap(BlobStore, (blobs) => blobs.remove({ account: { name: "acct" }, container: "docs-in", path: name }))

/** Soft-deletes a document; what it gives brings it back as it was. */
export const hide = (name: string) =>
  Effect.map(World, ({ hidden }) => {
    hidden.add(name)
    return Effect.sync(() => hidden.delete(name))
  })

/** What lies in a container: texts by path. */
export const inContainer = (container: string) =>
  Effect.map(
    Effect.flatMap(MemoryBlob.MemoryBlob, (blobs) => blobs.all),
    (all) =>
      Object.fromEntries(
        all
          .filter((blob) => blob.container === container)
          .map(({ body, path }) => [path, Buffer.from(body).toString()] as const)
      )
  )

/** The lines in output blobs and in the index, each by document and key: `a.txt/x=1`. */
export const outputs = Effect.gen(function* () {
  const blobs = Object.entries(yield* inContainer("docs-out")).map(
    ([path, text]) => `${path.split("/")[0] ?? ""}/${text}`
  )
  const index = [...(yield* World).index.values()].map(String)
  return { blobs: blobs.toSorted(), index: index.toSorted() }
})

/** The outputs that the present documents give. */
export const wanted = Effect.gen(function* () {
  const { hidden } = yield* World
  const there = Object.entries(yield* inContainer("docs-in")).filter(([name]) => !hidden.has(name))
  const documents = there.map(([name, text]) => ({
    name,
    lines: text.split("\n").filter((line) => line !== "")
  }))
  return {
    blobs: documents.flatMap(({ lines, name }) => lines.map((line) => `${name}/${line}`)).toSorted(),
    index: documents.flatMap(({ lines }) => lines).toSorted()
  }
})

/** Runs a test's body over a fresh installation. */
export const withInstallation = <E>(
  body: Effect.Effect<void, E, Installation | Scope.Scope>,
  documents: Documents = inMemory
): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const exit = yield* Effect.exit(Scope.extend(body, scope))
    const closing = yield* Effect.fork(Scope.close(scope, exit))
    yield* Engine.pass(60)
    yield* Fiber.join(closing)
    yield* exit
  }).pipe(Effect.provide(portsOn(documents)), VirtualTestClock.within())
