import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Fault } from "../../src/testing/CrashingPorts.ts"
import * as World from "../support/CrashWorld.ts"
import { executorError } from "../support/FakeRunner.ts"
import { paidTask } from "../support/TaskLives.ts"

const questions = ["first", "second", "third"]

/** The store gets a result only after it was paid for: what a process could not even begin to write is lost with it. */
const isLost = (fault: Fault, call: string | undefined, before: string | undefined): boolean =>
  (call === "Paid.ask" && (fault === "dies after" || fault === "fails after")) ||
  (call === "BlobStore.upload" && before === "Paid.ask" && fault === "dies before")

const attack = (life: World.Life, fault: Fault) =>
  Effect.gen(function* () {
    const told: Array<string> = []
    let repeated = 0
    for (let at = 0; ; at++) {
      const { ended, processes, world } = yield* World.live(life, [{ at, fault }])
      const [process] = processes
      const call = process?.struck()
      const where = `${fault} call ${at}, ${call}`
      assert.isTrue(ended, where)
      assert.deepStrictEqual([...world.broken], [], where)
      assert.deepStrictEqual(
        world.executions.map(({ status }) => status),
        ["completed"],
        where
      )
      assert.strictEqual(world.paid.size, questions.length, where)
      const again = [...world.paid.values()].reduce((sum, times) => sum + times - 1, 0)
      assert.strictEqual(again, isLost(fault, call, process?.calls[at - 1]) ? 1 : 0, `${where}: paid again`)
      repeated += again
      if (call === undefined) break
      told.push(call)
    }
    assert.strictEqual(told.filter((call) => call === "Paid.ask").length, questions.length)
    return repeated
  })

describe("a task with three paid steps, at every one of its calls", () => {
  for (const kept of ["memory", "SQLite"] as const) {
    for (const fault of ["dies before", "dies after", "fails before", "fails after"] as const) {
      it.effect(`${fault}: no answer that arrived is paid for again (${kept})`, () =>
        Effect.asVoid(attack(paidTask(questions, { kept }), fault))
      )
    }
  }

  it.effect("retries pay for nothing again, and its execution tells what was kept", () =>
    Effect.gen(function* () {
      const life = paidTask(questions, {
        failing: (_, run) => (run <= 2 ? executorError("Transient", "The service is busy.") : undefined)
      })
      const { ended, world } = yield* World.live(life, [])
      assert.isTrue(ended)
      assert.deepStrictEqual([...world.paid.values()], [1, 1, 1])
    })
  )
})
