import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, TestClock } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Database from "../../src/embedded/Database.ts"
import * as Driver from "../../src/embedded/Driver.ts"
import * as Migrations from "../../src/embedded/Migrations.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import * as SqliteQueue from "../../src/embedded/SqliteQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as Folders from "../support/Folders.ts"

const open = (file: string) =>
  Effect.flatMap(Layer.build(Layer.fresh(Database.layer({ file }))), (context) =>
    Effect.provide(Database.Database, context)
  )

const newFile = Effect.map(Folders.temporary, (folder) => join(folder, ".contentflow", "worker.db"))

/** Another program's connection. */
const outside = (file: string) =>
  Effect.acquireRelease(
    Effect.sync(() => Driver.open(file, 0)),
    (connection) => Effect.sync(connection.close)
  )

describe("Database", () => {
  it.scoped("makes its folder and file, in write-ahead mode, with the newest schema", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* open(file)
      const { prepare } = yield* outside(file)
      assert.strictEqual(prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal")
      assert.strictEqual(prepare("PRAGMA user_version").get()?.["user_version"], Migrations.version)
      assert.strictEqual(prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok")
    })
  )

  it.scoped("is opened by several processes at once, the first of which makes the schema", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.all(
        Array.from({ length: 8 }, () => open(file)),
        { concurrency: "unbounded" }
      )
    })
  )

  it.scoped("its clock is one for all processes, and no step of the wall clock moves it", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const timeOf = (database: Database.Database["Type"]) => database.read("test", "look", ({ now }) => now)
      const first = yield* timeOf(yield* open(file))
      for (const wall of [first + 86_400_000, first - 86_400_000]) {
        yield* TestClock.setTime(wall)
        const next = yield* timeOf(yield* open(file))
        assert.isAtLeast(next, first)
        assert.isBelow(next - first, 60_000)
      }
    })
  )

  it.scoped("after the machine was started anew the clock goes on, and leases that never end end at once", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* TestClock.setTime(Date.UTC(2026, 0, 2))
      const queue = Layer.fresh(SqliteQueue.layer.pipe(Layer.provide(Database.layer({ file }))))
      yield* Effect.provide(
        Effect.flatMap(TaskQueue, (tasks) => Effect.zipRight(tasks.send("task"), tasks.receive(1, "7 days"))),
        queue
      )
      const { exec } = yield* outside(file)
      exec("UPDATE clock SET boot = 'before'")
      // The battery of the clock is empty.
      yield* TestClock.setTime(0)
      const received = yield* Effect.provide(
        Effect.flatMap(TaskQueue, (tasks) => tasks.receive(1, "1 minute")),
        queue
      )
      assert.strictEqual(received[0]?.dequeueCount, 2)
      assert.isAtLeast(received[0]?.insertedAt ?? 0, Date.UTC(2026, 0, 2))
    })
  )

  it.scoped("a process that counts the machine's time a little behind another ends no leases", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* TestClock.setTime(Date.UTC(2026, 0, 2))
      const queue = Layer.fresh(SqliteQueue.layer.pipe(Layer.provide(Database.layer({ file }))))
      yield* Effect.provide(
        Effect.flatMap(TaskQueue, (tasks) => Effect.zipRight(tasks.send("task"), tasks.receive(1, "7 days"))),
        queue
      )
      const { exec } = yield* outside(file)
      exec("UPDATE clock SET since_boot = since_boot + 900, time = time + 900")
      yield* TestClock.setTime(0)
      const received = yield* Effect.provide(
        Effect.flatMap(TaskQueue, (tasks) => tasks.receive(1, "1 minute")),
        queue
      )
      assert.isEmpty(received)
    })
  )

  it.scoped("what is undone by an error is undone as a whole", () =>
    Effect.gen(function* () {
      const database = yield* open(yield* newFile)
      const exit = yield* Effect.exit(
        database.exclusively("test", "fail", ({ prepare }) => {
          prepare("INSERT INTO poison_messages (inserted_at, body) VALUES (1, 'x')").run()
          throw new Error("a mistake of the caller")
        })
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(
        yield* database.read(
          "test",
          "count",
          ({ prepare }) => prepare("SELECT count(*) AS n FROM poison_messages").get()?.["n"]
        ),
        0
      )
    })
  )

  it.scoped("another program's transaction is waited for, and one that does not end is told", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const container = SqliteContainer.make(yield* open(file), "vaults")
      const other = yield* outside(file)
      other.exec("BEGIN IMMEDIATE")
      // Reads wait for nobody.
      assert.strictEqual((yield* container.read("a"))._tag, "Missing")
      const waiting = yield* Effect.fork(container.create({ id: "a" }))
      yield* TestClock.adjust("5 seconds")
      assert.isNull(waiting.unsafePoll())
      other.exec("COMMIT")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "Written")

      other.exec("BEGIN IMMEDIATE")
      const refused = yield* Effect.fork(Effect.flip(container.create({ id: "b" })))
      yield* TestClock.adjust("11 seconds")
      const error = yield* Fiber.join(refused)
      assert.strictEqual(error._tag, "Unavailable")
      assert.include(error.message, `another program keeps ${file} locked`)
      other.exec("ROLLBACK")
    })
  )

  it.scoped("a full disk and a read-only one are told, and nothing is lost by them", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const database = yield* open(file)
      const container = SqliteContainer.make(database, "vaults")
      yield* container.create({ id: "a" })
      const pragma = (text: string) =>
        database.write("test", "set", ({ prepare }) => void prepare(`PRAGMA ${text}`).get())
      const pages = yield* database.read("test", "look", ({ prepare }) =>
        Number(prepare("PRAGMA page_count").get()?.["page_count"])
      )
      yield* pragma(`max_page_count = ${pages}`)
      const full = yield* Effect.flip(container.create({ id: "big", text: "x".repeat(1_000_000) }))
      assert.strictEqual(full._tag, "Unavailable")
      assert.include(full.message, "there is no space left on the disk")
      yield* pragma("max_page_count = 1000000")
      yield* pragma("query_only = 1")
      const readOnly = yield* Effect.flip(container.create({ id: "c" }))
      assert.strictEqual(readOnly._tag, "Unauthorized")
      assert.include(readOnly.message, "may not be written")
      yield* pragma("query_only = 0")
      assert.strictEqual((yield* container.create({ id: "c" }))._tag, "Written")
      assert.strictEqual((yield* container.read("a"))._tag, "Found")
    })
  )

  it.scoped("a file that is none of ours, or a newer program's, is left alone", () =>
    Effect.gen(function* () {
      const folder = yield* Folders.temporary
      const text = join(folder, "text.db")
      writeFileSync(text, "This is no database at all. ".repeat(100))
      assert.include((yield* Effect.flip(open(text))).message, "is damaged or no SQLite database")

      const inTheWay = join(folder, "folder.db")
      mkdirSync(inTheWay)
      assert.include((yield* Effect.flip(open(inTheWay))).message, "can't be opened")

      const below = join(text, "worker.db")
      assert.include((yield* Effect.flip(open(below))).message, "a file is in the way")

      const newer = join(folder, "newer.db")
      yield* open(newer)
      const { exec } = yield* outside(newer)
      exec(`PRAGMA user_version = ${Migrations.version + 1}`)
      assert.include((yield* Effect.flip(open(newer))).message, "was written by a newer program")
    })
  )
})
