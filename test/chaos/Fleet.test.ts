import { assert, describe, layer } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
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
        const folder = yield* temporary
        const fleet = yield* Fleet.make({
          folder,
          dice: Dice.make(1, "fleet"),
          runtimes: [WorkerProcess.own],
          envOf: () => env,
          graceful: Duration.seconds(30),
          isOutage: () => false,
          stopped: () => undefined,
          tell: (text) => told.push(text),
          keep: () => undefined
        })
        const up = Effect.sync(() => told.filter((text) => text.endsWith("is up")).length)
        yield* eventually("the worker is up", up, (count) => count === 1)
        const frozen = yield* Effect.fork(fleet.freeze(Duration.minutes(1)))
        yield* eventually(
          "it is stopped",
          Effect.sync(() => fleet.counts.frozen),
          (count) => count === 1
        )
        assert.isFalse(yield* fleet.kill, "who is stopped is left alone")
        assert.isFalse(yield* fleet.freeze(Duration.minutes(1)))
        yield* Fiber.interrupt(frozen)
        yield* fleet.stepClock(3_600_000)
        const [clock = ""] = readdirSync(folder).filter((name) => name.endsWith(".clock"))
        assert.strictEqual(readFileSync(join(folder, clock), "utf8"), "3600000")
        assert.isTrue(yield* fleet.terminate)
        assert.deepStrictEqual(yield* fleet.unwell, [])
        assert.strictEqual(yield* up, 2)
        yield* fleet.stop
        assert.deepStrictEqual(fleet.misses, [])
        assert.deepStrictEqual(fleet.counts, {
          starts: 2,
          skewed: fleet.counts.skewed,
          killed: 0,
          killedByDocuments: 0,
          terminated: 1,
          frozen: 1,
          clockSteps: 1
        })
      })
    )
  })
})
