import { assert, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as Ids from "../../src/domain/Ids.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import * as BlobListing from "../../src/executors/input/BlobListing.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as World from "./CrashWorld.ts"
import * as Engine from "./MemoryEngine.ts"
import * as VirtualClock from "../../src/testing/VirtualClock.ts"
import { attack, type TestedLife } from "./CrashPoints.ts"

// --- The lives ---

const crawling = { sourceWorkers: 1, defaultPollingInterval: Duration.minutes(2) }

/**
 * A crawl was complete ten minutes ago. Of what it had found, one document lies in the overlap, so that it is found again; of another, which is
 * gone, it had left an execution that was never queued.
 */
const crawledBefore = Effect.gen(function* () {
  const stores = yield* MemoryStores
  const blobs = yield* BlobStore
  const earlier = (minutes: number, name: string) =>
    Effect.withClock(World.upload(name), VirtualClock.make(World.start - minutes * 60_000).process())
  yield* World.install(World.pipeline("blobs"))
  yield* earlier(60, "long-ago.txt")
  yield* earlier(11, "seen.txt")
  yield* earlier(5, "new.txt")
  yield* earlier(4, "newer.txt")
  yield* World.checkpointed(World.start - 10 * 60_000)
  const seen = yield* blobs.properties({ account: { name: "own" }, container: "documents", path: "seen.txt" })
  const id = Ids.executionIdOf({
    vaultId: Ids.VaultId.make(Engine.vault.id),
    pipelineId: Ids.PipelineId.make(Engine.pipeline.id),
    items: ["https://own.blob.core.windows.net/documents/seen.txt"],
    versions: [BlobListing.versionOf({ ...Option.getOrThrow(seen), path: "seen.txt", isDirectory: false })]
  })
  yield* stores.executions.upsert(
    Engine.execution(1, {
      id,
      status: "completed",
      content: [{ ...Engine.item("seen.txt"), data: seenData }],
      completed_at: Timestamp.format(World.start)
    })
  )
  yield* World.write("seen.txt", seenData)
  const unqueued = { source_worker_id: "InputSourceWorker-0", enqueued_at: null, started_at: null }
  yield* stores.executions.upsert(Engine.execution(2, { ...unqueued, content: [Engine.item("gone.txt")] }))
})

/** A crawl was complete an hour ago, and since then somebody cleared the queue: of one task that waited, and of one that was at work. */
const cleared = Effect.gen(function* () {
  const stores = yield* MemoryStores
  const blobs = yield* BlobStore
  yield* World.install(World.pipeline("blobs"))
  yield* blobs.ensureContainer({ name: "own" }, "documents")
  yield* World.checkpointed(World.start - 60 * 60_000)
  const at = Timestamp.format(World.start - 60 * 60_000)
  const queued = { source_worker_id: "InputSourceWorker-0", enqueued_at: at, started_at: null }
  const begun = { status: "running", started_at: at, attempt: null, attempt_process: "an earlier one" }
  yield* stores.executions.upsert(Engine.execution(1, { ...queued, content: [Engine.item("waited.txt")] }))
  yield* stores.executions.upsert(Engine.execution(2, { ...queued, ...begun, content: [Engine.item("at-work.txt")] }))
})
const seenData = { text: World.textOf("seen.txt"), read: true }

/** Some documents come into an empty vault. */
export const firstCrawl = (input: "shelf" | "blobs", ...names: ReadonlyArray<string>): TestedLife => ({
  name: "a crawl of an empty vault, and its tasks",
  settings: crawling,
  arrange: Effect.zipRight(World.install(World.pipeline(input)), World.upload(...names)),
  documents: Object.fromEntries(names.map((name) => [name, "completed" as const])),
  quiet: "150 seconds",
  atLeast: 13 * names.length
})

const lives: ReadonlyArray<TestedLife> = [
  firstCrawl("shelf", "a.txt", "big.txt", "c.txt"),
  {
    name: "a crawl that goes on from a checkpoint, and its tasks",
    // Every crawl looks for what was never queued.
    settings: { ...crawling, lockTtl: Duration.minutes(1) },
    arrange: crawledBefore,
    documents: { "seen.txt": "completed", "new.txt": "completed", "newer.txt": "completed" },
    runs: { "seen.txt": 0 },
    quiet: "150 seconds",
    atLeast: 30
  },
  {
    name: "a crawl that finds messages gone, and their tasks",
    settings: { ...crawling, lockTtl: Duration.minutes(1) },
    arrange: cleared,
    documents: { "waited.txt": "completed", "at-work.txt": "completed" },
    lost: new Set(["waited.txt", "at-work.txt"]),
    quiet: "150 seconds",
    atLeast: 30
  }
]

/** A process that ends before a call is one that ended after the call before it: the tasks' file looks at both. */
const faults = [
  ["the process ends before it hears the answer", "dies after"],
  ["it fails and does nothing", "fails before"],
  ["it takes effect, but its answer is lost", "fails after"]
] as const

/** What the lives of crawls call at least. */
const calls = [
  "MemoryStores.vaults.where",
  "MemoryStores.pipelines.read",
  "MemoryStores.locks.create",
  "MemoryStores.locks.remove",
  "MemoryStores.checkpoints.read",
  "MemoryStores.checkpoints.upsert",
  "MemoryStores.executions.create",
  "MemoryStores.executions.read",
  "MemoryStores.executions.patch",
  "MemoryStores.executions.where",
  "MemoryStores.executions.remove",
  "MemoryStores.executions.idsOf",
  "BlobStore.list",
  "BlobStore.download",
  "BlobStore.upload",
  "BlobStore.ensureContainer",
  "TaskQueue.send",
  "TaskQueue.stats"
]

/** Ends a process at every call of each of these lives; on a durable store with the faults whose call took effect there. */
export const attackCrawls = (more: Pick<World.Life, "kept">) => {
  const struck = attack(
    lives.map((life) => ({ ...life, ...more })),
    more.kept === undefined ? faults : faults.filter(([, fault]) => fault.endsWith("after"))
  )

  it.effect("the calls of a crawl are among them", () => Effect.sync(() => assert.includeMembers([...struck], calls)))
}
