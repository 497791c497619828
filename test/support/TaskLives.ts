import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as Task from "../../src/domain/Task.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { attack, everywhere, type TestedLife } from "./CrashPoints.ts"
import * as World from "./CrashWorld.ts"
import { executorError } from "./FakeRunner.ts"
import * as Engine from "./MemoryEngine.ts"

/** A task in the queue and its pending execution, as a crawl leaves them; content that is too large for the message is in its blob. */
const queued = (name: string, asked: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const stores = yield* MemoryStores
    const queue = yield* TaskQueue
    const blobs = yield* BlobStore
    yield* World.install(World.pipeline("shelf", asked))
    const content = [Engine.item(name, { text: World.textOf(name) })]
    const at = Timestamp.format(World.start)
    yield* stores.executions.upsert(Engine.execution(1, { content, created_at: at, enqueued_at: at }))
    const body = Engine.message(1, { content, executed_input_executor: "find", created_at: at })
    if (Buffer.byteLength(body) <= Task.maxMessageBytes) return yield* queue.send(body)
    const reference = { account: "own", container: "contentflow-tasks", path: "tasks/task_1.json" }
    yield* blobs.ensureContainer({ name: reference.account }, reference.container)
    yield* blobs.upload({ ...reference, account: { name: "own" } }, Buffer.from(JSON.stringify(content)))
    yield* queue.send(
      Engine.message(1, { content: [], content_reference: reference, executed_input_executor: "find", created_at: at })
    )
  })

/** The life of one task with one document. */
export const task = (
  name: string,
  document: string,
  end: "completed" | "failed",
  more: Partial<World.Life> = {}
): World.Life => ({
  name,
  settings: {},
  arrange: queued(document),
  documents: { [document]: end },
  quiet: "2 minutes",
  ...more
})

/** The life of a task whose document goes through paid steps, one after the other. */
export const paidTask = (asked: ReadonlyArray<string>, more: Partial<World.Life> = {}): World.Life => ({
  ...task("a task with paid steps", "doc.txt", "completed", more),
  arrange: queued("doc.txt", asked)
})

// --- The lives ---

const lives: ReadonlyArray<TestedLife> = [
  { ...task("a task", "doc.txt", "completed"), atLeast: 10 },
  {
    ...task("a task that is tried again", "doc.txt", "completed", {
      failing: (_, run) => (run === 1 ? executorError("Transient", "The service is busy.") : undefined),
      runs: { "doc.txt": 2 }
    }),
    atLeast: 14
  },
  {
    ...task("a task that is rejected", "doc.txt", "failed", {
      failing: () => executorError("Document", "This is no document.")
    }),
    atLeast: 9
  },
  {
    ...task("a message that nobody can read", "doc.txt", "failed", {
      arrange: Effect.zipRight(
        World.install(World.pipeline("shelf")),
        Effect.flatMap(TaskQueue, (queue) => queue.send("no task at all"))
      ),
      documents: {}
    }),
    atLeast: 3
  },
  { ...task("a task that is larger than a message", "big.txt", "completed"), atLeast: 12 },
  {
    ...task("a large task that is rejected", "big.txt", "failed", {
      failing: () => executorError("Document", "This is no document.")
    }),
    atLeast: 9
  }
]

const faults = [
  ["the process ends before it", "dies before"],
  ["the process ends before it hears the answer", "dies after"],
  ["it fails and does nothing", "fails before"],
  ["it takes effect, but its answer is lost", "fails after"]
] as const

/** What the lives of tasks call at least: a port whose calls were not counted would go unnoticed. */
const calls = [
  "TaskQueue.receive",
  "TaskQueue.update",
  "TaskQueue.complete",
  "TaskQueue.sendPoison",
  "MemoryStores.executions.patch",
  "MemoryStores.executions.read",
  "MemoryStores.pipelines.read",
  "MemoryStores.vaults.read",
  "BlobStore.upload",
  "BlobStore.download",
  "BlobStore.properties",
  "BlobStore.remove",
  "Executor.read"
]

/** Ends a process at every call of each of these lives; on a durable store with the faults whose call took effect there. */
export const attackTasks = (more: Pick<World.Life, "kept">) => {
  const struck = attack(
    lives.map((life) => ({ ...life, ...more })),
    more.kept === undefined ? faults : faults.filter(([, fault]) => fault.endsWith("after"))
  )

  it.effect(
    "two processes end, one after the other, at any two calls of a task",
    () =>
      Effect.gen(function* () {
        const life = task("a task", "doc.txt", "completed", more)
        const calls = (yield* World.live(life, [])).overAfter[0] ?? 0
        let pairs = 0
        for (let at = 0; at < calls; at++)
          pairs += yield* everywhere(life, "dies after", struck, [{ at, fault: "dies after" }])
        assert.isAtLeast(pairs, (calls * calls) / 2)
      }),
    300_000
  )

  it.effect("the calls of a task are among them", () => Effect.sync(() => assert.includeMembers([...struck], calls)))
}
