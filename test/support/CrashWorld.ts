import {
  Chunk,
  Context,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  LogLevel,
  Option,
  Random,
  Scope,
  Stream
} from "effect"
import * as BlobStore from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { nameOf, withData } from "../../src/domain/Content.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import { define, ExecutorError, fromServiceError } from "../../src/executor/Executor.ts"
import * as PerItem from "../../src/executor/PerItem.ts"
import * as AzureBlobInputDiscovery from "../../src/executors/input/AzureBlobInputDiscovery.ts"
import * as AzureBlobOutput from "../../src/executors/output/AzureBlobOutput.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import type { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as CheckpointDocuments from "../../src/store/CheckpointDocuments.ts"
import { CheckpointStore } from "../../src/store/CheckpointStore.ts"
import { ControlStore } from "../../src/store/ControlStore.ts"
import { CrawlLock } from "../../src/store/CrawlLock.ts"
import * as MemoryContainer from "../../src/store/MemoryContainer.ts"
import type { Document } from "../../src/store/DocumentContainer.ts"
import * as ExecutionDocuments from "../../src/store/ExecutionDocuments.ts"
import { ExecutionStore } from "../../src/store/ExecutionStore.ts"
import * as LockDocuments from "../../src/store/LockDocuments.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import * as PipelineDocuments from "../../src/store/PipelineDocuments.ts"
import { PipelineStore } from "../../src/store/PipelineStore.ts"
import * as VaultDocuments from "../../src/store/VaultDocuments.ts"
import { VaultStore } from "../../src/store/VaultStore.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as StepBlobs from "../../src/worker/StepBlobs.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as CrashingPorts from "../../src/testing/CrashingPorts.ts"
import * as Engine from "./MemoryEngine.ts"
import * as SqliteServices from "./SqliteServices.ts"
import * as VirtualClock from "../../src/testing/VirtualClock.ts"

/** What some documents go through, from their arrival to their end. */
export interface Life {
  readonly name: string
  readonly settings: Partial<WorkerConfig.EngineSettings>
  /** Before the first process starts. */
  readonly arrange: Effect.Effect<void, unknown, Services>
  /** Every document that must have exactly one execution in the end, and how that ends. */
  readonly documents: Readonly<Record<string, "completed" | "failed">>
  /** Documents whose message is gone when the first process starts. */
  readonly lost?: ReadonlySet<string>
  /** How often a document is read when nothing happens; not named: once. */
  readonly runs?: Readonly<Record<string, number>>
  /** What its reading fails with, the first time being 1. */
  readonly failing?: (name: string, run: number) => ExecutorError | undefined
  /** How long the world is watched after everything has ended. */
  readonly quiet: Duration.DurationInput
  /** Where queue and documents are, and in a folder the blobs, too; in memory when absent. */
  readonly kept?: "memory" | "SQLite" | "folder"
}

/** What outlives a process: queue, blobs, and the containers of documents. */
const services = (kept: Life["kept"]): Layer.Layer<Services> =>
  Layer.merge(
    kept === "folder"
      ? SqliteServices.layerFolder
      : Layer.merge(
          kept === "SQLite" ? SqliteServices.layer : Layer.merge(MemoryQueue.layer, MemoryStores.layer),
          MemoryBlob.layer
        ),
    Layer.succeed(ClaimAccount, "own")
  )
export type Services =
  | TaskQueue
  | MemoryQueue.MemoryQueue
  | MemoryStores.MemoryStores
  | PipelineStore
  | VaultStore
  | ExecutionStore
  | CheckpointStore
  | CrawlLock
  | BlobStore.BlobStore
  | MemoryBlob.MemoryBlob
  | ClaimAccount

/** The stores of one process, on its own view of the containers. */
const stores = Layer.unwrapEffect(
  Effect.map(MemoryStores.MemoryStores, ({ checkpoints, executions, locks, pipelines, vaults }) =>
    Layer.mergeAll(
      Layer.sync(PipelineStore, () => PipelineDocuments.make(pipelines)),
      Layer.sync(VaultStore, () => VaultDocuments.make(vaults)),
      Layer.sync(ExecutionStore, () => ExecutionDocuments.make(executions)),
      Layer.sync(CheckpointStore, () => CheckpointDocuments.make(checkpoints)),
      Layer.sync(CrawlLock, () => LockDocuments.make(locks)),
      // Nobody asks anything of these processes: that they look is no call worth an incident.
      Layer.sync(ControlStore, () => MemoryContainer.make("control"))
    )
  )
)

/** When lives begin: not the epoch, which in a checkpoint says that nothing was crawled. */
export const start = Date.parse("2026-01-02T10:00:00Z")

/** What a document of this name holds; one whose name begins with `big` is too large for a message. */
export const textOf = (name: string): string =>
  name.startsWith("big") ? "A long text. ".repeat(6_000) : `The text of ${name}.`

/** Services that outlive the processes that use them, and what was seen of them. */
export interface World {
  readonly clock: VirtualClock.VirtualClock
  readonly services: Context.Context<Services>
  /** How often each document was read. */
  readonly runs: ReadonlyMap<string, number>
  /** How often each question was paid for. */
  readonly paid: ReadonlyMap<string, number>
  /** What was wrong between two calls. */
  readonly broken: ReadonlySet<string>
  readonly executions: ReadonlyArray<Document>
  readonly tasks: ReadonlyArray<Payload>
  readonly poison: ReadonlyArray<Poison>
  readonly locks: ReadonlyArray<Document>
  readonly checkpoints: ReadonlyArray<Document>
  /** By `container/path`. */
  readonly blobs: ReadonlyMap<string, Uint8Array>
}

export type Payload = Readonly<Record<string, unknown>>
export interface Poison {
  readonly reason: string
  readonly body: string
}

/** A life that is over. */
export interface Lived {
  readonly world: World
  readonly processes: ReadonlyArray<CrashingPorts.CrashingProcess>
  /** Everything had ended before the test lost its patience. */
  readonly ended: boolean
  /** How many calls each process had made when everything had ended; undefined for one that died before. */
  readonly overAfter: ReadonlyArray<number | undefined>
}

/** Far more than leases, locks and crawl intervals together. */
const patience = Duration.toMillis("3 hours")

/**
 * Lives a life from a fresh world on: the first process has the first incident before it, and so on; whenever one has died, the next
 * starts at once.
 */
export const live = (life: Life, incidents: ReadonlyArray<CrashingPorts.Incident>): Effect.Effect<Lived> =>
  Effect.gen(function* () {
    const before = new Set(yield* Fiber.roots)
    const scope = yield* Scope.make()
    const clock = VirtualClock.make(start)
    const there = yield* Effect.withClock(Layer.buildWithScope(services(life.kept), scope), clock.process())
    yield* life.arrange.pipe(Effect.provide(there), Effect.withClock(clock.process()), Effect.orDie)
    const { look, sighting, world } = watched(life, clock, there)
    yield* look

    const processes: Array<CrashingPorts.CrashingProcess> = []
    const deadline = start + patience
    let process: CrashingPorts.CrashingProcess | undefined
    let until: number | undefined
    const overAfter: Array<number | undefined> = []
    while (clock.now() < (until ?? deadline)) {
      if (process === undefined || !process.alive()) {
        process = yield* started(life, world, sighting, incidents[processes.length], look)
        processes.push(process)
        until = undefined
        yield* VirtualClock.settled
        continue
      }
      if (until === undefined && isOver(life, world)) {
        until = clock.now() + Duration.toMillis(life.quiet)
        overAfter[processes.length - 1] = process.calls.length
      }
      yield* clock.step(until ?? deadline)
    }
    process?.kill()
    // As it is now: what it reads from closes.
    const left = { ...world }
    yield* Scope.close(scope, Exit.void)
    // Fibers of dead processes wait for ever, and Effect would remember them.
    const dead = (yield* Fiber.roots).filter((fiber) => !before.has(fiber))
    yield* Effect.forEach(dead, Fiber.interruptFork, { discard: true })
    return { world: left, processes, ended: until !== undefined, overAfter }
  })

// --- A process ---

/** What the executors of a process tell the world. */
interface Sighting {
  readonly read: (name: string) => number
  readonly asked: (question: string) => number
}

const started = Effect.fnUntraced(function* (
  life: Life,
  world: World,
  sighting: Sighting,
  incident: CrashingPorts.Incident | undefined,
  look: Effect.Effect<void>
) {
  const clock = world.clock.process()
  const process = CrashingPorts.make({ incident, local, onDeath: clock.stop, afterEach: look })
  const engine = WorkerEngine.layer.pipe(
    Layer.provide(PipelineRunner.layer),
    Layer.provide(
      Catalog.layer([
        AzureBlobInputDiscovery.executor,
        AzureBlobOutput.executor,
        shelf,
        reader(life, process, sighting),
        asker(process, sighting)
      ])
    ),
    Layer.provide(StepBlobs.layer),
    Layer.provide(Layer.provideMerge(stores, Layer.succeedContext(process.wrap(world.services)))),
    Layer.provide(
      WorkerConfig.layerWith({
        processingWorkers: 2,
        sourceWorkers: 0,
        visibilityTimeout: Duration.seconds(20),
        queuePollInterval: Duration.seconds(120),
        schedulerInterval: Duration.seconds(30),
        lockTtl: Duration.seconds(45),
        ...life.settings
      })
    )
  )
  // Its scope is never closed: a process that dies runs no finalizers.
  const scope = yield* Scope.make()
  yield* Layer.buildWithScope(engine, scope).pipe(
    Effect.withClock(clock),
    // The same choices in every life, so that call k is the same call.
    Effect.withRandom(Random.make("crash points")),
    Effect.withScheduler(VirtualClock.scheduler),
    Logger.withMinimumLogLevel(LogLevel.None),
    Effect.forkDaemon
  )
  return process
})

/** Asks a service that is paid for as soon as a question arrives there. */
const asker = (process: CrashingPorts.CrashingProcess, sighting: Sighting) =>
  define<ReturnType<typeof PerItem.settings>, BlobStore.BlobStore>({
    type: "asker",
    category: "analyse",
    name: "Asker",
    description: "Asks a paid question about each item.",
    cost: "paid",
    settings: PerItem.settings(),
    make: (settings, context) =>
      Effect.succeed(
        PerItem.perItem(context, settings, (item) =>
          process
            .call(
              "Paid.ask",
              Effect.sync(() => sighting.asked(`${context.id} about ${nameOf(item)}`))
            )
            .pipe(
              Effect.map((times) => withData(item, { [context.id]: `answer of ${context.id}`, times })),
              Effect.mapError(fromServiceError(context, item))
            )
        )
      )
  })

const local = new Set(["TaskQueue.awaitSend"])

/** Reads a document: the work that counts, and that may fail. */
const reader = (life: Life, process: CrashingPorts.CrashingProcess, sighting: Sighting) =>
  define<{}, BlobStore.BlobStore>({
    type: "reader",
    category: "extract",
    name: "Reader",
    description: "Reads a document.",
    settings: {},
    make: (_, context) =>
      Effect.succeed({
        process: (items) =>
          Effect.forEach(items, (item) => {
            const name = item.id?.filename ?? nameOf(item)
            const read = Effect.suspend(() => {
              const run = sighting.read(name)
              return (
                life.failing?.(name, run) ??
                Effect.succeed({ ...item, data: { text: textOf(name), ...item.data, read: true } })
              )
            })
            return Effect.catchTag(process.call("Executor.read", read), "Unavailable", (error) =>
              Effect.fail(fromServiceError(context, item)(error))
            )
          })
      })
  })

/** Finds the documents of the container `documents` together with their texts, as sources do that have small items. */
const shelf = define({
  type: "shelf",
  category: "input",
  name: "Shelf",
  description: "Finds documents with their texts.",
  settings: {},
  canCrawl: true,
  make: (_, context) =>
    Effect.map(BlobStore.BlobStore, (blobs) => {
      const failed = fromServiceError(context)
      const place = { account: { name: "own" }, container: "documents" }
      return {
        process: Effect.succeed,
        crawl: (checkpoint) =>
          blobs.list({ ...place, pageSize: 2 }).pipe(
            Stream.mapEffect(({ blobs: entries, servedAt }) =>
              Effect.map(
                Effect.forEach(
                  entries.filter((entry) => Option.isNone(checkpoint) || entry.lastModified > checkpoint.value),
                  ({ etag, path }) =>
                    Effect.map(textIn(blobs.download({ ...place, path })), (text) => ({
                      item: Engine.item(path, { text }),
                      version: etag
                    }))
                ),
                (documents) => ({ documents, servedAt })
              )
            ),
            Stream.mapError(failed)
          )
      }
    })
})

const textIn = <E>(bytes: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(bytes), (chunks) => Buffer.concat(Chunk.toArray(chunks)).toString("utf8"))

// --- The world ---

/** A world, and the look at it that must be taken after each call: what may never be, not even between two calls. */
const watched = (life: Life, clock: VirtualClock.VirtualClock, services: Context.Context<Services>) => {
  const stores = Context.get(services, MemoryStores.MemoryStores)
  const queue = Context.get(services, MemoryQueue.MemoryQueue)
  const memory = Context.get(services, MemoryBlob.MemoryBlob)
  const runs = new Map<string, number>()
  const paid = new Map<string, number>()
  const broken = new Set<string>()
  const ends = new Map<unknown, unknown>()
  const checkpointBefore = [...stores.checkpoints.documents.values()][0]?.["checkpoint_timestamp"] ?? neverCrawled
  let tasks: ReadonlyArray<Payload> = []
  let poison: ReadonlyArray<Poison> = []
  let blobs: ReadonlyMap<string, Uint8Array> = new Map()

  const world: World = {
    clock,
    services,
    runs,
    paid,
    broken,
    get executions() {
      return [...stores.executions.documents.values()]
    },
    get tasks() {
      return tasks
    },
    get poison() {
      return poison
    },
    get locks() {
      return [...stores.locks.documents.values()]
    },
    get checkpoints() {
      return [...stores.checkpoints.documents.values()]
    },
    get blobs() {
      return blobs
    }
  }

  const never = (what: string, holds: boolean) => {
    if (!holds) broken.add(what)
  }
  const check = () => {
    const executions = world.executions
    const queued = new Set(tasks.map((task) => task["execution_id"]))
    for (const execution of executions) {
      const { id, status } = execution
      const what = `${nameIn(execution)} (${String(status)})`
      const over = status === "completed" || status === "failed"
      never(`${what}: no status of the contract`, over || status === "pending" || status === "running")
      if (over) {
        never(`${what}: written after its end`, !ends.has(id) || ends.get(id) === execution["_etag"])
        ends.set(id, execution["_etag"])
      } else if (life.lost?.has(nameIn(execution)) !== true && (status === "running" || isNoted(execution))) {
        never(`${what}: its message is lost`, queued.has(id))
      }
      if (status === "completed") never(`${what}: no output`, blobs.has(outputOf(nameIn(execution))))
      if (status === "failed" && execution["task_id"] !== null) {
        never(`${what}: neither in the queue nor in the poison queue`, queued.has(id) || poison.length > 0)
      }
    }
    for (const task of tasks) {
      never("more retries than are allowed", Number(task["retry_count"] ?? 0) <= Number(task["max_retries"] ?? 0))
      const { content_reference: reference, execution_id: id } = task
      never(
        "a message that will run lost its content",
        !isReference(reference) || ends.has(id) || blobs.has(`${reference.container}/${reference.path}`)
      )
    }
    const checkpoint = world.checkpoints[0]?.["checkpoint_timestamp"] ?? neverCrawled
    if (checkpoint !== checkpointBefore) {
      for (const name of Object.keys(life.documents)) {
        if (life.lost?.has(name) === true) continue
        const execution = executions.find((each) => nameIn(each) === name)
        never(
          `${name}: the checkpoint has passed it, but it is not queued`,
          execution !== undefined && (ends.has(execution["id"]) || queued.has(execution["id"]))
        )
      }
    }
  }

  const look = Effect.gen(function* () {
    tasks = (yield* queue.bodies).map(payloadOf)
    poison = (yield* queue.poison).map((body): Poison => JSON.parse(body))
    blobs = new Map((yield* memory.all).map(({ body, container, path }) => [`${container}/${path}`, body]))
    check()
  })
  const sighting: Sighting = {
    read: (name) => {
      const run = (runs.get(name) ?? 0) + 1
      runs.set(name, run)
      return run
    },
    asked: (question) => {
      const times = (paid.get(question) ?? 0) + 1
      paid.set(question, times)
      return times
    }
  }
  return { look, sighting, world }
}

export const neverCrawled = "1970-01-01T00:00:00+00:00"

/** The place of a document's output. */
export const outputOf = (name: string): string => `results/out/${name}.json`

/** The name of the document that an execution is about. */
export const nameIn = (execution: Document): string => {
  const first: unknown = Array.isArray(execution["content"]) ? execution["content"][0] : undefined
  const item = isRecord(first) ? first : {}
  const id = isRecord(item["id"]) ? item["id"] : item
  return String(id["filename"] ?? execution["id"])
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The queue took its message, or a worker has begun it. */
const isNoted = (execution: Document): boolean =>
  typeof execution["enqueued_at"] === "string" || typeof execution["started_at"] === "string"

const isReference = (value: unknown): value is { readonly container: string; readonly path: string } =>
  isRecord(value) && typeof value["path"] === "string"

const payloadOf = (body: string): Payload => {
  try {
    const parsed: unknown = JSON.parse(body)
    return isRecord(parsed) && isRecord(parsed["payload"]) ? parsed["payload"] : {}
  } catch {
    return {}
  }
}

const isOver = (life: Life, world: World): boolean => {
  const { executions, locks, tasks } = world
  const ended = executions.filter(({ status }) => status === "completed" || status === "failed")
  return (
    tasks.length === 0 &&
    locks.length === 0 &&
    ended.length === executions.length &&
    Object.keys(life.documents).every((name) => ended.some((each) => nameIn(each) === name)) &&
    (Object.keys(life.documents).length > 0 || world.poison.length > 0)
  )
}

// --- What lives are arranged from ---

const own = { storage_account_name: "own", container_name: "results" }

/** Finds, reads and writes documents; `overwrite_existing: false` shows that a repetition knows its own work again. */
export const pipeline = (input: string, asked: ReadonlyArray<string> = []): string =>
  JSON.stringify({
    pipeline: {
      name: "line",
      executors: [
        input === "shelf"
          ? { id: "find", type: "shelf" }
          : {
              id: "find",
              type: "azure_blob_input_discovery",
              settings: { blob_storage_account: "own", blob_container_name: "documents" }
            },
        { id: "read", type: "reader" },
        ...asked.map((id) => ({ id, type: "asker" })),
        {
          id: "write",
          type: "azure_blob_output",
          settings: {
            ...own,
            path_template: "out/",
            filename_template: "{id.filename}.json",
            overwrite_existing: false
          }
        }
      ],
      execution_sequence: ["find", "read", ...asked, "write"]
    }
  })

/** The vault and its pipeline, and the container of results. */
export const install = (yaml: string) =>
  Effect.gen(function* () {
    const stores = yield* MemoryStores.MemoryStores
    const blobs = yield* BlobStore.BlobStore
    yield* stores.pipelines.upsert({ ...Engine.pipeline, yaml })
    yield* stores.vaults.upsert(Engine.vault)
    yield* blobs.ensureContainer({ name: "own" }, "results")
  })

/** Puts documents on the shelf. */
export const upload = (...names: ReadonlyArray<string>) =>
  Effect.flatMap(MemoryBlob.MemoryBlob, (blobs) =>
    Effect.forEach(names, (name) => blobs.put("own", "documents", name, textOf(name)), { discard: true })
  )

/** The checkpoint of a crawl that was complete at this time. */
export const checkpointed = (at: number) =>
  Effect.flatMap(MemoryStores.MemoryStores, ({ checkpoints }) =>
    checkpoints.upsert({
      id: `${Engine.pipeline.id}_find_${Engine.vault.id}`,
      pipeline_id: Engine.pipeline.id,
      executor_id: "find",
      vault_id: Engine.vault.id,
      checkpoint_timestamp: Timestamp.format(at),
      worker_id: "InputSourceWorker-0",
      last_crawl_started_at: Timestamp.format(at)
    })
  )

/** The output of a document that was written before. */
export const write = (name: string, data: Readonly<Record<string, unknown>>) =>
  Effect.flatMap(MemoryBlob.MemoryBlob, (blobs) =>
    blobs.put("own", "results", `out/${name}.json`, JSON.stringify({ ...Engine.item(name), data }))
  )
