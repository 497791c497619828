import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { setImmediate } from "node:timers"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { folderDatabase as service, type ServiceError, Unavailable } from "../domain/ServiceError.ts"
import * as BusyRetry from "./BusyRetry.ts"
import * as Driver from "./Driver.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as MachineTime from "./MachineTime.ts"
import * as Migrations from "./Migrations.ts"

/** What a call may use: the connection, and the time by the database's clock (epoch milliseconds). */
export interface Access {
  readonly prepare: (sql: string) => Driver.Statement
  readonly now: number
}

/** The one SQLite file of a folder, which several processes of one machine may have open. */
export class Database extends Context.Tag("contentflow-worker/embedded/Database")<
  Database,
  {
    /** The file, for messages. */
    readonly file: string
    /** Runs statements that only read. */
    readonly read: <A>(service: string, operation: string, run: (access: Access) => A) => Effect.Effect<A, ServiceError>
    /** Runs statements of which at most one writes. Calls of one turn of the event loop share a transaction, which is kept before they answer. */
    readonly write: <A>(
      service: string,
      operation: string,
      run: (access: Access) => A
    ) => Effect.Effect<A, ServiceError>
    /** Runs statements as one transaction, while which no other process writes. What `run` throws undoes it and is a defect. */
    readonly exclusively: <A>(
      service: string,
      operation: string,
      run: (access: Access) => A
    ) => Effect.Effect<A, ServiceError>
  }
>() {}

export interface Options {
  readonly file: string
  /** Whose time the database's clock shows: the machine's, or Effect's for tests that move it. */
  readonly time?: "machine" | "effect"
}

/**
 * Synchronous NORMAL: in write-ahead mode a killed process loses nothing; a loss of power may lose the transactions of the last moments, all
 * of them in order, and damages nothing.
 */
const pragmas = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA foreign_keys = ON;
`

const make = ({ file, time = "machine" }: Options) =>
  Effect.gen(function* () {
    const opening = { service, operation: `open ${file}`, file }
    const connection = yield* Effect.acquireRelease(
      BusyRetry.retried(opening, () => {
        mkdirSync(dirname(file), { recursive: true })
        const opened = Driver.open(file, BusyRetry.busyMillis)
        try {
          opened.exec(pragmas)
        } catch (thrown) {
          opened.close()
          throw thrown
        }
        return opened
      }),
      (opened) => Effect.sync(() => opened.close())
    )
    const migrated = yield* BusyRetry.retried(opening, () => Migrations.run(connection))
    if (migrated !== "done") {
      return yield* new Unavailable({
        service,
        operation: opening.operation,
        message: `${file} was written by a newer program: its schema has version ${migrated.newer}, this program knows ${Migrations.version}. Use that program, or another folder.`
      })
    }
    const wall = (yield* Clock.clockWith(Effect.succeed)).unsafeCurrentTimeMillis()
    const machine = time === "machine" ? yield* BusyRetry.retried(opening, () => clockOf(connection, wall)) : null

    const access = (clock: Clock.Clock): Access => ({
      prepare: connection.prepare,
      now: machine === null ? MonotonicTime.unsafeNow(clock) : machine()
    })
    const alone =
      <A>(run: (access: Access) => A) =>
      (clock: Clock.Clock) =>
        run(access(clock))
    const grouped = GroupCommit.make({
      exec: connection.exec,
      rollback: () => rollback(connection),
      // A program on a clock of its own gets all its events from it, and none from the event loop.
      later: time === "machine" ? setImmediate : queueMicrotask
    })
    const exclusively = <A>(run: (access: Access) => A, clock: Clock.Clock): A => {
      connection.exec("BEGIN IMMEDIATE")
      try {
        const result = run(access(clock))
        connection.exec("COMMIT")
        return result
      } catch (thrown) {
        rollback(connection)
        throw thrown
      }
    }
    return Database.of({
      file,
      read: (of, operation, run) => BusyRetry.retried({ service: of, operation, file }, alone(run)),
      write: (of, operation, run) =>
        grouped({
          run: alone(run),
          alone: (waited) => BusyRetry.retried({ service: of, operation, file }, alone(run), waited)
        }),
      exclusively: (of, operation, run) =>
        BusyRetry.retried({ service: of, operation, file }, (clock) => exclusively(run, clock))
    })
  })

/** A database whose file is created when it is missing. */
export const layer = (options: Options): Layer.Layer<Database, ServiceError> => Layer.scoped(Database, make(options))

/** SQLite has undone the transaction itself after some errors. */
const rollback = (connection: Driver.Connection): void => {
  try {
    connection.exec("ROLLBACK")
  } catch {
    return
  }
}

/** Milliseconds by which processes may read the time since the start differently: some systems tell it in whole seconds. */
const mostApart = 2_000

/**
 * The database's clock. It was set by the wall clock when the machine started or the file was made, never back, and runs with the machine's
 * own time since: all processes read the same, whatever happens to the wall clock.
 */
const clockOf = (connection: Driver.Connection, wall: number): (() => number) => {
  const machine = MachineTime.make()
  connection.exec("BEGIN IMMEDIATE")
  try {
    const kept = connection.prepare("SELECT boot, since_boot, time FROM clock").get()
    const sinceBoot = machine.now()
    const time = Number(kept?.["time"] ?? 0)
    const isSameBoot =
      kept !== undefined && kept["boot"] === machine.boot && Number(kept["since_boot"]) <= sinceBoot + mostApart
    const start = isSameBoot ? time - Number(kept["since_boot"]) : Math.max(wall, time) - sinceBoot
    connection
      .prepare(
        "INSERT INTO clock (id, boot, since_boot, time) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET boot = excluded.boot, since_boot = excluded.since_boot, time = excluded.time"
      )
      .run(machine.boot, sinceBoot, Math.round(start + sinceBoot))
    // Every holder of a message died with the machine. If the wall clock was reset, too, a lease might never expire.
    if (!isSameBoot && wall < time) {
      connection.prepare("UPDATE messages SET visible_at = ?1 WHERE visible_at > ?1").run(Math.round(start + sinceBoot))
    }
    connection.exec("COMMIT")
    return () => Math.round(start + machine.now())
  } catch (thrown) {
    rollback(connection)
    throw thrown
  }
}
