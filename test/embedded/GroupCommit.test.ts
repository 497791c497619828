import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, TestClock } from "effect"
import { join } from "node:path"
import * as Database from "../../src/embedded/Database.ts"
import * as Driver from "../../src/embedded/Driver.ts"
import * as GroupCommit from "../../src/embedded/GroupCommit.ts"
import * as EventLoopTurns from "../../src/concurrency/EventLoopTurns.ts"
import * as Folders from "../support/Folders.ts"

const opened = Effect.gen(function* () {
  const file = join(yield* Folders.temporary, "worker.db")
  const context = yield* Layer.build(Layer.fresh(Database.layer({ file })))
  const database = yield* Effect.provide(Database.Database, context)
  const outside = yield* Effect.acquireRelease(
    Effect.sync(() => Driver.open(file, 0)),
    (connection) => Effect.sync(connection.close)
  )
  const insert = (body: string, insertedAt: number | string = 1) =>
    database.write("test", `insert ${body}`, ({ prepare }) =>
      prepare("INSERT INTO poison_messages (inserted_at, body) VALUES (?, ?)").run(insertedAt, body)
    )
  const bodies = () => {
    const rows = outside.prepare("SELECT body FROM poison_messages ORDER BY body").all()
    return rows.map(({ body }) => String(body))
  }
  return { database, outside, insert, bodies }
})

const all = <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>) =>
  Effect.forEach(effects, (effect) => Effect.exit(effect), { concurrency: "unbounded" })

describe("GroupCommit", () => {
  const recorded = () => {
    const statements: Array<string> = []
    const grouped = GroupCommit.make({
      exec: (sql) => void statements.push(sql),
      rollback: () => void statements.push("ROLLBACK"),
      later: setImmediate
    })
    const call = (name: string) =>
      grouped({
        run: () => void statements.push(name),
        alone: () => Effect.sync(() => void statements.push(`${name} alone`))
      })
    return { statements, call }
  }

  it.effect("calls of one turn share a transaction; a single one has none", () =>
    Effect.gen(function* () {
      const { call, statements } = recorded()
      yield* all([call("a"), call("b"), call("c")])
      yield* call("d")
      assert.deepStrictEqual(statements, ["BEGIN IMMEDIATE", "a", "b", "c", "COMMIT", "d alone"])
    })
  )

  it.effect("many calls are made in several transactions, and the event loop turns in between", () =>
    Effect.gen(function* () {
      const { call, statements } = recorded()
      yield* all(Array.from({ length: 300 }, (_, index) => call(String(index))))
      assert.lengthOf(
        statements.filter((statement) => statement === "COMMIT"),
        3
      )
      assert.lengthOf(statements, 306)
    })
  )

  it.effect("a call that is interrupted while it waits is not made", () =>
    Effect.gen(function* () {
      const { call, statements } = recorded()
      const waiting = yield* Effect.fork(call("a"))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiting)
      yield* EventLoopTurns.turn
      yield* EventLoopTurns.turn
      assert.deepStrictEqual(statements, [])
    })
  )

  it.scoped("what is answered is kept: another program sees all of it", () =>
    Effect.gen(function* () {
      const { bodies, insert } = yield* opened
      yield* all([insert("a"), insert("b"), insert("c")])
      assert.deepStrictEqual(bodies(), ["a", "b", "c"])
    })
  )

  it.scoped("an error of SQLite is its caller's alone", () =>
    Effect.gen(function* () {
      const { bodies, insert } = yield* opened
      const exits = yield* all([insert("a"), insert("wrong", "no number"), insert("c")])
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
      assert.deepStrictEqual(bodies(), ["a", "c"])
    })
  )

  it.scoped("a mistake of one caller is a defect of its own, and undoes nothing of others", () =>
    Effect.gen(function* () {
      const { bodies, database, insert } = yield* opened
      const mistaken = database.write("test", "fail", () => {
        throw new Error("a mistake of the caller")
      })
      const exits = yield* all([insert("a"), Effect.as(mistaken, 0), insert("c")])
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
      assert.deepStrictEqual(bodies(), ["a", "c"])
    })
  )

  it.scoped("where there is no room for one of them, the others are kept", () =>
    Effect.gen(function* () {
      const { bodies, database, insert } = yield* opened
      const pragma = (text: string) =>
        database.write("test", "set", ({ prepare }) => Number(Object.values(prepare(`PRAGMA ${text}`).get() ?? {})[0]))
      const pages = yield* pragma("page_count")
      yield* pragma(`max_page_count = ${pages + 2}`)
      const exits = yield* all([insert("a"), insert("b".repeat(1_000_000)), insert("c")])
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
      const [, refused] = exits
      assert.include(String(refused), "no space left on the disk")
      assert.deepStrictEqual(bodies(), ["a", "c"])
    })
  )

  it.scoped(
    "all of them wait together while another program writes, and those for which it takes too long are told",
    () =>
      Effect.gen(function* () {
        const { bodies, insert, outside } = yield* opened
        outside.exec("BEGIN IMMEDIATE")
        const waiting = yield* Effect.fork(all([insert("a"), insert("b")]))
        yield* TestClock.adjust("5 seconds")
        assert.isNull(waiting.unsafePoll())
        outside.exec("COMMIT")
        yield* TestClock.adjust("1 second")
        assert.isTrue((yield* Fiber.join(waiting)).every(Exit.isSuccess))
        assert.deepStrictEqual(bodies(), ["a", "b"])

        outside.exec("BEGIN IMMEDIATE")
        const refused = yield* Effect.fork(all([insert("c"), insert("d")]))
        yield* TestClock.adjust("11 seconds")
        for (const exit of yield* Fiber.join(refused)) assert.include(String(exit), "keeps")
        outside.exec("ROLLBACK")
        assert.deepStrictEqual(bodies(), ["a", "b"])
      })
  )
})
