import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { join } from "node:path"
import * as Database from "../../src/embedded/Database.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import * as Folders from "../support/Folders.ts"

const open = (file: string) =>
  Effect.map(Layer.build(Layer.fresh(Database.layer({ file }))), (context) =>
    Effect.provide(Database.Database, context)
  )

const executionsOf = (file: string) =>
  Effect.map(Effect.flatten(open(file)), (database) => SqliteContainer.make(database, "vault_executions"))

describe("SqliteContainer", () => {
  it.scoped("two processes that patch one document both succeed, and neither loses what the other wrote", () =>
    Effect.gen(function* () {
      const file = join(yield* Folders.temporary, "worker.db")
      const [one, other] = [yield* executionsOf(file), yield* executionsOf(file)]
      yield* one.create({ id: "a", status: "running" })
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index),
        (index) => (index % 2 === 0 ? one : other).patch("a", { [`p${index}`]: index }, {}),
        { concurrency: "unbounded", discard: true }
      )
      const reading = yield* one.read("a")
      const document = reading._tag === "Found" ? reading.document : {}
      assert.lengthOf(
        Object.keys(document).filter((name) => /^p\d/.test(name)),
        100
      )
    })
  )

  it.scoped("a document that was deleted and written again has another version, in whatever process", () =>
    Effect.gen(function* () {
      const file = join(yield* Folders.temporary, "worker.db")
      const etags = new Set<string>()
      for (let round = 0; round < 3; round++) {
        const container = yield* executionsOf(file)
        const etag = yield* container.upsert({ id: "a" })
        etags.add(etag)
        yield* container.remove("a", etag)
      }
      assert.strictEqual(etags.size, 3)
    })
  )

  it.scoped("a document that a person has broken is one without properties, and stops no query", () =>
    Effect.gen(function* () {
      const file = join(yield* Folders.temporary, "worker.db")
      const database = yield* Effect.flatten(open(file))
      const container = SqliteContainer.make(database, "vault_executions")
      yield* container.create({ id: "a", status: "pending" })
      yield* container.create({ id: "b", status: "pending" })
      yield* database.write("test", "break it", ({ prepare }) =>
        prepare("UPDATE vault_executions SET document = '{' WHERE id = 'a'").run()
      )
      assert.deepStrictEqual(
        (yield* container.where({ status: "pending" })).map(({ id }) => id),
        ["b"]
      )
      assert.strictEqual((yield* container.patch("a", { x: 1 }, { equal: { status: "pending" } }))._tag, "Refused")
    })
  )
})
