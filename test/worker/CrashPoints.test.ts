import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as World from "../support/CrashWorld.ts"
import { executorError } from "../support/FakeRunner.ts"
import { task } from "../support/TaskLives.ts"
import { attack, everywhere, type TestedLife } from "../support/CrashPoints.ts"

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

describe("every call in the life of a task can be the last one of its process, or fail", () => {
  const struck = attack(lives, faults)

  it.effect(
    "two processes end, one after the other, at any two calls of a task",
    () =>
      Effect.gen(function* () {
        const life = task("a task", "doc.txt", "completed")
        const calls = (yield* World.live(life, [])).overAfter[0] ?? 0
        let pairs = 0
        for (let at = 0; at < calls; at++)
          pairs += yield* everywhere(life, "dies after", struck, [{ at, fault: "dies after" }])
        assert.isAtLeast(pairs, (calls * calls) / 2)
      }),
    300_000
  )

  it.effect("the calls of a task are among them", () => Effect.sync(() => assert.includeMembers([...struck], calls)))
})
