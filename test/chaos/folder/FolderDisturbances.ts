import { Duration, Effect } from "effect"
import * as Timestamp from "../../../src/domain/Timestamp.ts"
import { PipelineId } from "../../../src/domain/Ids.ts"
import { lockId } from "../../../src/store/CrawlLock.ts"
import type { Dice } from "../Dice.ts"
import type { Malformed } from "../Disturbances.ts"
import type { Fleet } from "../Fleet.ts"
import type { Edit } from "../ForeignEdits.ts"
import type { DiskFaults } from "./DiskFaults.ts"
import * as FolderWorld from "./FolderWorld.ts"

export interface Scene {
  readonly world: FolderWorld.FolderWorld
  readonly fleet: Fleet
  readonly disk: DiskFaults
  readonly dice: Dice
  /** How long a message is a worker's before it must be renewed. */
  readonly visibilitySeconds: number
  /** Told when the disk is at fault, and when no more. */
  readonly faulty: (is: boolean) => void
  readonly tell: (text: string) => void
}

/** What bad disks, other programs and bad luck do to a fleet that serves one folder. */
export const make = ({ dice, disk, faulty, fleet, tell, visibilitySeconds, world }: Scene) => {
  const malformed: Array<Malformed> = []
  const edited: Array<Edit> = []
  const counts = {
    stolenLeases: 0,
    stolenLocks: 0,
    duplicatesSent: 0,
    edits: 0,
    looks: 0,
    full: 0,
    readOnly: 0,
    locked: 0
  }
  const { change, now, rows } = world
  const idsOf = (sql: string) => rows(sql).map(({ id }) => String(id))
  const oneOf = (ids: ReadonlyArray<string>) => (ids.length === 0 ? undefined : dice.oneOf(ids))

  /** Somebody else makes a message that a worker holds its own for a while: the receipt is worth nothing from then on. */
  const stealLease = Effect.sync(() => {
    const id = oneOf(idsOf("SELECT id FROM messages WHERE receipt IS NOT NULL ORDER BY visible_at DESC LIMIT 8"))
    if (id === undefined) return
    const isStolen = change(
      "UPDATE messages SET receipt = 'stolen', visible_at = ? WHERE id = ?",
      now() + dice.between(0, 5) * 1_000,
      Number(id)
    )
    if (isStolen) counts.stolenLeases++
  })

  /** Somebody takes a pipeline's lock by force, and dies with it. */
  const stealLock = Effect.sync(() => {
    const { vaults } = dice.oneOf(FolderWorld.streams)
    const pipeline = `folder_${dice.oneOf<string>(vaults)}`
    const at = Date.now()
    const document = {
      id: lockId(PipelineId.make(pipeline)),
      pipeline_id: pipeline,
      vault_id: vaults[0] ?? "",
      worker_id: "thief",
      instance: `thief/${at}`,
      locked_at: Timestamp.format(at),
      expires_at: Timestamp.format(at + dice.between(1, 8) * 1_000),
      ttl: 10
    }
    const isStolen = change(
      `INSERT INTO vault_exec_locks (id, pipeline_id, etag, written_at, document) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET etag = excluded.etag, written_at = excluded.written_at, document = excluded.document`,
      document.id,
      pipeline,
      `thief-${at}`,
      now(),
      JSON.stringify(document)
    )
    if (isStolen) counts.stolenLocks++
  })

  const send = (body: string) =>
    change("INSERT INTO messages (inserted_at, visible_at, body) VALUES (?1, ?1, ?2)", now(), body)

  const duplicate = Effect.sync(() => {
    const [row] = rows("SELECT body FROM messages WHERE body LIKE '%exec!_%' ESCAPE '!' ORDER BY random() LIMIT 1")
    if (row !== undefined && send(String(row["body"]))) counts.duplicatesSent++
  })

  const sendMalformed = Effect.sync(() => {
    const token = `malformed-${malformed.length}-`
    const text = dice.oneOf([
      `no JSON ${token}`,
      JSON.stringify({ task_type: "unheard_of", payload: { token } }),
      JSON.stringify({ task_type: "content_processing", payload: { task_id: token, pipeline_id: 7 } }),
      `${"[".repeat(500)}"${token}"${"]".repeat(500)}`,
      JSON.stringify({ token, content: "x".repeat(60_000) })
    ])
    if (send(text)) malformed.push({ token, text })
  })

  /** Another program adds a field to an execution, whatever its state. */
  const edit = Effect.sync(() => {
    const executionId = oneOf(idsOf("SELECT id FROM vault_executions ORDER BY written_at DESC LIMIT 24"))
    if (executionId === undefined) return
    const field = `note_${edited.length + 1}`
    const value = `by hand ${edited.length + 1}`
    const isWritten = change(
      "UPDATE vault_executions SET document = json_set(document, ?, ?), etag = ? WHERE id = ?",
      `$.${field}`,
      value,
      `hand-${edited.length + 1}`,
      executionId
    )
    if (isWritten) edited.push({ executionId, field, value })
  })

  /** A monitor that reads the queue, and lets go what it got. */
  const read = Effect.gen(function* () {
    for (let look = dice.between(2, 5); look > 0; look--) {
      const isRead = change(
        `UPDATE messages SET dequeue_count = dequeue_count + 1, receipt = 'reader', visible_at = ?1 + 1500
          WHERE id IN (SELECT id FROM messages WHERE visible_at <= ?1 ORDER BY visible_at, id LIMIT 8)`,
        now()
      )
      if (isRead) counts.looks++
      yield* Effect.sleep("200 millis")
    }
  })

  const editPipeline = Effect.sync(() => {
    try {
      FolderWorld.storePipeline(world.folder, dice.oneOf(FolderWorld.streams), counts.edits + 1)
      counts.edits++
    } catch {
      tell("A pipeline could not be edited")
    }
  })

  const told = (what: string, fault: Effect.Effect<void>) =>
    Effect.zipRight(
      Effect.sync(() => {
        tell(what)
        faulty(true)
      }),
      Effect.ensuring(
        fault,
        Effect.sync(() => {
          tell("The disk is well again")
          faulty(false)
        })
      )
    )
  const full = Effect.suspend(() => {
    if (disk.full === undefined) return Effect.void
    counts.full++
    const seconds = dice.between(3, 15)
    return told(`The disk is full for ${seconds} s`, disk.full(seconds))
  })
  const readOnly = Effect.suspend(() => {
    counts.readOnly++
    const seconds = dice.between(3, 15)
    return told(`The folder is read-only for ${seconds} s`, disk.readOnly(seconds))
  })
  const locked = Effect.suspend(() => {
    counts.locked++
    const seconds = dice.between(1, 14)
    return told(`Another program keeps the database locked for ${seconds} s`, disk.locked(world, seconds))
  })

  // What takes its time is forked, and the next disturbance comes meanwhile.
  const terminate = Effect.fork(fleet.terminate)
  const freeze = Effect.suspend(() =>
    Effect.fork(fleet.freeze(Duration.seconds(visibilitySeconds + dice.between(3, visibilitySeconds))))
  )
  const stepClock = Effect.suspend(() => fleet.stepClock(dice.between(-10 * 60, 10 * 60) * 1_000))

  const all: ReadonlyArray<readonly [weight: number, disturbance: Effect.Effect<unknown>]> = [
    [4, freeze],
    [3, stepClock],
    [6, read],
    [12, edit],
    [3, fleet.kill],
    [2, terminate],
    [6, stealLease],
    [4, stealLock],
    [8, duplicate],
    [4, sendMalformed],
    [4, editPipeline],
    [1, full],
    [1, readOnly],
    [2, locked]
  ]
  const bag = all.flatMap(([weight, disturbance]) => Array.from({ length: weight }, () => disturbance))

  return {
    counts,
    malformed,
    edited,
    /** Each fault of the disk once: a short run has none by chance alone. */
    surely: Effect.all([locked, full, readOnly], { discard: true }),
    /** One after the other, for ever. */
    run: Effect.forever(
      Effect.suspend(() =>
        Effect.delay(
          Effect.suspend(() => dice.oneOf(bag)),
          Duration.millis(dice.between(300, 3_000))
        )
      )
    )
  }
}
