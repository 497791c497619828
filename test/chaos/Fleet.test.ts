import { assert, describe, layer } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Emulators from "../support/Emulators.ts"
import { eventually } from "../support/Eventually.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"
import * as Dice from "./Dice.ts"
import * as Fleet from "./Fleet.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-fleet-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe("The fleet of a chaos run", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped("a worker that was told to end last is well when its next life is up", () =>
      Effect.gen(function* () {
        const { env } = yield* Emulators.installation("fleet")
        const told: Array<string> = []
        const fleet = yield* Fleet.make({
          folder: yield* temporary,
          dice: Dice.make(1, "fleet"),
          runtimes: [WorkerProcess.own],
          envOf: () => env,
          graceful: Duration.seconds(30),
          tell: (text) => told.push(text),
          keep: () => undefined
        })
        const up = Effect.sync(() => told.filter((text) => text.endsWith("is up")).length)
        yield* eventually("the worker is up", up, (count) => count === 1)
        assert.isTrue(yield* fleet.terminate)
        assert.deepStrictEqual(yield* fleet.unwell, [])
        assert.strictEqual(yield* up, 2)
        yield* fleet.stop
        assert.deepStrictEqual(fleet.misses, [])
        assert.deepStrictEqual(fleet.counts, { starts: 2, skewed: fleet.counts.skewed, killed: 0, terminated: 1 })
      })
    )
  })
})
