import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import * as Reporter from "../../../src/cli/serve/Reporter.ts"
import * as Database from "../../../src/embedded/Database.ts"
import * as SqliteContainer from "../../../src/embedded/SqliteContainer.ts"
import * as Folders from "../../support/Folders.ts"

describe("what serve reports", () => {
  it.scoped(
    "is each execution once, however many end in one moment",
    () =>
      Effect.gen(function* () {
        const file = join(yield* Folders.temporary, "worker.db")
        // The clock stands still: all end in one moment.
        yield* Effect.provide(
          Effect.gen(function* () {
            const executions = SqliteContainer.make(yield* Database.Database, "vault_executions")
            const reporter = yield* Reporter.make
            const lines: Array<unknown> = []
            const current = yield* Effect.console
            const look = Effect.withConsole(reporter.look, {
              ...current,
              log: (line) => Effect.sync(() => lines.push(line))
            })
            const end = (name: string, count: number) =>
              Effect.forEach(
                Array.from({ length: count }, (_, index) => `${name}-${index}`),
                (id) => executions.create({ id, status: "completed" }),
                { concurrency: "unbounded", discard: true }
              )
            for (const [name, count, all] of [
              ["few", 3, 3],
              ["many", 450, 453],
              ["none", 0, 453],
              ["more", 20, 473]
            ] as const) {
              yield* end(name, count)
              yield* look
              assert.strictEqual(reporter.totals().completed, all)
            }
            assert.strictEqual(new Set(lines).size, 473)
          }),
          Database.layer({ file, time: "effect" })
        )
      }),
    10_000
  )
})
