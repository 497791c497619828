import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import type { Call } from "../../src/testing/FaultProxy.ts"
import * as Dice from "./Dice.ts"
import * as Outages from "./Outages.ts"

const call = (path: string, at: number): Call => ({ method: "GET", path, headers: {}, body: Buffer.from(""), at })

const options = (seed: number, count: number) => ({
  dice: Dice.make(seed, "outages"),
  workers: 2,
  millis: [60_000, 90_000] as const,
  count
})

describe("The outages of a chaos run", () => {
  it.effect("one service is away for everybody, and what its outage costs is counted once it is noticed", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const outages = Outages.make({ ...options(1, 1), tell: (text) => told.push(text) })
      const running = yield* Effect.fork(outages.run)
      yield* TestClock.adjust("35 seconds")
      const away = (["cosmos", "blob", "queue"] as const).filter(
        (service) => outages.fault(service, 0, call("/a/exec_1?x=single-0001.txt", 0)) !== undefined
      )
      assert.lengthOf(away, 1)
      assert.lengthOf(told, 1)
      assert.isTrue(outages.isRecent())
      assert.isTrue(outages.concerned.has("exec_1"))
      assert.isFalse(outages.concerned.has("single-0001.txt"))
      const noticed = 50_000
      for (const service of ["cosmos", "blob", "queue"] as const) outages.fault(service, 1, call("/", noticed))
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(running)
      const [done] = outages.done
      assert.deepStrictEqual(done?.calls, [
        { worker: 0, refused: 0, requests: new Map(), all: 0 },
        { worker: 1, refused: 1, requests: new Map([["GET /", 1]]), all: 3 }
      ])
      assert.isAtLeast(done?.countedMillis ?? 0, 50_000)
      for (const service of ["cosmos", "blob", "queue"] as const) {
        assert.isUndefined(outages.fault(service, 0, call("/", noticed)))
      }
    })
  )

  it.effect("each service has its turn, and the same seed has the same outages", () =>
    Effect.gen(function* () {
      const outcome = Effect.fnUntraced(function* (seed: number) {
        const outages = Outages.make({ ...options(seed, 3), tell: () => undefined })
        const running = yield* Effect.fork(outages.run)
        yield* TestClock.adjust("10 minutes")
        yield* Fiber.join(running)
        return outages.done
      })
      const first = yield* outcome(7)
      assert.deepStrictEqual(first.map(({ service }) => service).sort(), ["blob", "cosmos", "queue"])
      assert.deepStrictEqual(yield* outcome(7), first)
    })
  )

  it.effect("an outage that is interrupted is over", () =>
    Effect.gen(function* () {
      const outages = Outages.make({ ...options(2, 3), tell: () => undefined })
      const running = yield* Effect.fork(outages.run)
      yield* TestClock.adjust("31 seconds")
      yield* Fiber.interrupt(running)
      for (const service of ["cosmos", "blob", "queue"] as const) {
        assert.isUndefined(outages.fault(service, 0, call("/", 0)))
      }
    })
  )
})
