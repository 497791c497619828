import { Effect } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as Task from "../../src/domain/Task.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as World from "./CrashWorld.ts"
import * as Engine from "./MemoryEngine.ts"

/** A task in the queue and its pending execution, as a crawl leaves them; content that is too large for the message is in its blob. */
const queued = (name: string) =>
  Effect.gen(function* () {
    const stores = yield* MemoryStores
    const queue = yield* TaskQueue
    const blobs = yield* BlobStore
    yield* World.install(World.pipeline("shelf"))
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
