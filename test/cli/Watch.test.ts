import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Fiber, Ref, TestClock } from "effect"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as Watch from "../../src/cli/operate/Watch.ts"

const away = new Unavailable({ service: "The worker", operation: "list", message: "There is no answer." })

/** What a watched command wrote, a write for each element. */
const watching = <E>(command: Effect.Effect<number, E>, json = false) =>
  Effect.gen(function* () {
    const written: Array<string> = []
    const current = yield* Effect.console
    const write = (...parts: ReadonlyArray<unknown>) => Effect.sync(() => void written.push(parts.join(" ")))
    const fiber = yield* Effect.fork(
      Effect.withConsole(Watch.redrawn({ watch: true, json })(command), { ...current, log: write, error: write })
    )
    yield* Effect.yieldNow()
    return { fiber, written }
  })

describe("--watch", () => {
  it.effect("shows a command anew every two seconds, each time in one piece", () =>
    Effect.gen(function* () {
      const looks = yield* Ref.make(0)
      const command = Effect.flatMap(
        Ref.updateAndGet(looks, (n) => n + 1),
        (n) => Effect.as(Effect.zipRight(Console.log(`look ${n}`), Console.error("a note")), 0)
      )
      const { fiber, written } = yield* watching(command)
      assert.lengthOf(written, 1)
      assert.match(written[0] ?? "", /^1970-01-01 00:00:00, every 2s\n\nlook 1\na note\n$/)
      yield* TestClock.adjust("6 seconds")
      assert.lengthOf(written, 4)
      assert.include(written[3], "look 4")
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("writes lines of JSON as they are", () =>
    Effect.gen(function* () {
      const { fiber, written } = yield* watching(Effect.as(Console.log("{}"), 0), true)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(written, ["{}", "{}"])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect(
    "goes on when a worker is away for a while, but not when none was there at first, or for other failures",
    () =>
      Effect.gen(function* () {
        const looks = yield* Ref.make(0)
        const answers = (failing: (n: number) => boolean) =>
          Effect.flatMap(
            Ref.updateAndGet(looks, (n) => n + 1),
            (n) => (failing(n) ? away : Effect.as(Console.log(`look ${n}`), 0))
          )
        const { fiber, written } = yield* watching(answers((n) => n === 2))
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual(written[1], "There is no answer.")
        assert.include(written[2], "look 3")
        yield* Fiber.interrupt(fiber)
        const first = yield* watching(answers(() => true))
        assert.strictEqual((yield* Effect.flip(Fiber.join(first.fiber)))._tag, "Unavailable")
        const wrong = yield* watching(Effect.fail("wrong" as const))
        assert.strictEqual(yield* Effect.flip(Fiber.join(wrong.fiber)), "wrong")
      })
  )
})
