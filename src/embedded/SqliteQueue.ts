import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { randomBytes } from "node:crypto"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as MessageBody from "../queue/MessageBody.ts"
import { LeaseLost, type Receipt, TaskQueue } from "../queue/TaskQueue.ts"
import { type Access, Database } from "./Database.ts"
import * as OwnProcess from "./OwnProcess.ts"

/*
 * Each change is one statement: it happened as a whole or not at all, also when the process is killed in the middle of
 * it. The receive changes what it selects in the same statement, so that no two processes get one message.
 *
 * A receipt begins with the id of its process. What a process had that is dead by the word of the system need not wait for the end of its lease.
 */

const make = Effect.gen(function* () {
  const database = yield* Database
  // One place is enough: it says that something came since the poller looked last.
  const sent = yield* Queue.sliding<void>(1)
  const id = randomBytes(6).toString("hex")
  let receipts = 0
  const newReceipt = () => `${id}-${(++receipts).toString(36)}`
  yield* database.exclusively(service, "open", (access) => {
    OwnProcess.enter(access, id)
    for (const dead of OwnProcess.dead(access)) {
      access.prepare(sql.free).run(access.now, access.now, `${dead}-*`)
      OwnProcess.leave(access, dead)
    }
  })
  yield* Effect.addFinalizer(() =>
    Effect.ignore(database.write(service, "close", (access) => OwnProcess.leave(access, id)))
  )

  const read = <A>(operation: string, run: (access: Access) => A) => database.read(service, operation, run)
  const write = <A>(operation: string, run: (access: Access) => A) => database.write(service, operation, run)
  const checked = <A>(operation: string, body: string, run: (access: Access) => A) =>
    Effect.zipRight(MessageBody.check(service, operation, body), write(operation, run))

  const owned = (lease: Receipt, changed: boolean): Effect.Effect<void, LeaseLost> =>
    changed
      ? Effect.void
      : new LeaseLost({
          messageId: lease.id,
          message: `Message ${lease.id} is no longer ours: it was deleted, or received by somebody else.`
        })

  return TaskQueue.of({
    send: (body) =>
      Effect.zipRight(
        checked("send a task", body, ({ now, prepare }) => prepare(sql.send).run(now, now, body)),
        Effect.asVoid(Queue.offer(sent, undefined))
      ),

    receive: (max, visibility) => {
      const limit = Math.min(Math.floor(max), mostMessages)
      if (!(limit >= 1)) return Effect.succeed([])
      // A look at an empty queue must not ask for the right to write.
      return Effect.flatMap(read("look for tasks", isAnyVisible), (any) =>
        any
          ? write("receive tasks", ({ now, prepare }) => {
              const rows = prepare(sql.receive).all(
                now + Math.max(1, Duration.toMillis(visibility)),
                `${newReceipt()}-`,
                now,
                limit
              )
              return rows
                .map((row) => ({
                  id: String(row["id"]),
                  receipt: String(row["receipt"]),
                  body: String(row["body"]),
                  dequeueCount: Number(row["dequeue_count"]),
                  insertedAt: Number(row["inserted_at"])
                }))
                .toSorted((a, b) => Number(a.id) - Number(b.id))
            })
          : Effect.succeed([])
      )
    },

    update: (lease, visibility, body) => {
      const receipt = newReceipt()
      const update = ({ now, prepare }: Access) =>
        prepare(sql.update).run(now + Duration.toMillis(visibility), receipt, body ?? null, lease.id, lease.receipt)
      return Effect.as(
        Effect.flatMap(
          body === undefined ? write("update a task", update) : checked("update a task", body, update),
          (changed) => owned(lease, changed > 0)
        ),
        { id: lease.id, receipt }
      )
    },

    complete: (lease) =>
      Effect.flatMap(
        write("delete a task", ({ prepare }) => prepare(sql.complete).run(lease.id, lease.receipt)),
        (changed) => owned(lease, changed > 0)
      ),

    sendPoison: (body) =>
      Effect.asVoid(
        checked("send a poison message", body, ({ now, prepare }) => prepare(sql.sendPoison).run(now, body))
      ),

    peekPoison: (max) =>
      read("look at poison messages", ({ now, prepare }) =>
        prepare(sql.peekPoison)
          .all(now, Math.min(Math.floor(max), mostMessages))
          .map((row) => ({ id: String(row["id"]), body: String(row["body"]), insertedAt: Number(row["inserted_at"]) }))
      ),

    receivePoison: (max, visibility) =>
      write("receive poison messages", ({ now, prepare }) =>
        prepare(sql.receivePoison)
          .all(
            now + Math.max(1, Duration.toMillis(visibility)),
            `${newReceipt()}-`,
            now,
            Math.min(Math.floor(max), mostMessages)
          )
          .map((row) => ({
            id: String(row["id"]),
            receipt: String(row["receipt"]),
            body: String(row["body"]),
            dequeueCount: Number(row["dequeue_count"]),
            insertedAt: Number(row["inserted_at"])
          }))
          .toSorted((a, b) => Number(a.id) - Number(b.id))
      ),

    releasePoison: (lease) =>
      Effect.flatMap(
        write("release a poison message", ({ now, prepare }) =>
          prepare(sql.releasePoison).run(now, lease.id, lease.receipt)
        ),
        (changed) => owned(lease, changed > 0)
      ),

    completePoison: (lease) =>
      Effect.flatMap(
        write("delete a poison message", ({ prepare }) => prepare(sql.completePoison).run(lease.id, lease.receipt)),
        (changed) => owned(lease, changed > 0)
      ),

    stats: read("count the tasks", ({ now, prepare }) => {
      const oldest = prepare(sql.oldest).get(now)?.["oldest"]
      return {
        depth: Number(prepare(sql.depth).get()?.["depth"]),
        oldestAgeMillis: typeof oldest === "number" ? Math.max(0, now - oldest) : null,
        poisonDepth: Number(prepare(sql.poisonDepth).get()?.["depth"])
      }
    }),

    check: Effect.asVoid(read("look at the tasks", isAnyVisible)),

    awaitSend: Queue.take(sent)
  })
})

/** The queue of tasks and the poison queue in the folder's database. */
export const layer: Layer.Layer<TaskQueue, ServiceError, Database> = Layer.scoped(TaskQueue, make)

const service = "The folder's queue"

const isAnyVisible = ({ now, prepare }: Access): boolean => prepare(sql.anyVisible).get(now) !== undefined

/** As on Azure, so that a poller meets the same. */
const mostMessages = 32

const sql = {
  send: "INSERT INTO messages (inserted_at, visible_at, body) VALUES (?, ?, ?)",
  anyVisible: "SELECT 1 FROM messages WHERE visible_at <= ? LIMIT 1",
  receive: `UPDATE messages SET visible_at = ?, receipt = ? || id, dequeue_count = dequeue_count + 1
    WHERE id IN (SELECT id FROM messages WHERE visible_at <= ? ORDER BY visible_at, id LIMIT ?)
    RETURNING id, receipt, body, dequeue_count, inserted_at`,
  free: "UPDATE messages SET visible_at = ? WHERE visible_at > ? AND receipt GLOB ?",
  update: "UPDATE messages SET visible_at = ?, receipt = ?, body = coalesce(?, body) WHERE id = ? AND receipt = ?",
  complete: "DELETE FROM messages WHERE id = ? AND receipt = ?",
  sendPoison: "INSERT INTO poison_messages (inserted_at, body) VALUES (?, ?)",
  peekPoison: "SELECT id, inserted_at, body FROM poison_messages WHERE visible_at <= ? ORDER BY id LIMIT ?",
  receivePoison: `UPDATE poison_messages SET visible_at = ?, receipt = ? || id, dequeue_count = dequeue_count + 1
    WHERE id IN (SELECT id FROM poison_messages WHERE visible_at <= ? ORDER BY id LIMIT ?)
    RETURNING id, receipt, body, dequeue_count, inserted_at`,
  releasePoison: "UPDATE poison_messages SET visible_at = ? WHERE id = ? AND receipt = ?",
  completePoison: "DELETE FROM poison_messages WHERE id = ? AND receipt = ?",
  depth: "SELECT count(*) AS depth FROM messages",
  poisonDepth: "SELECT count(*) AS depth FROM poison_messages",
  // Ids grow with the time of insertion: the first that is visible is near the beginning, however many there are.
  oldest: "SELECT inserted_at AS oldest FROM messages WHERE +visible_at <= ? ORDER BY id LIMIT 1"
}
