import { assert, it } from "@effect/vitest"
import { Duration, Effect, type Layer, Option, TestClock } from "effect"
import type { ServiceError } from "../../src/domain/ServiceError.ts"
import type { StepLimits, StepStore } from "../../src/store/StepResults.ts"

export interface Backend<R> {
  readonly make: (limits: StepLimits) => Effect.Effect<StepStore, never, R>
  /** All stores of one test file see the same records. */
  readonly layer: Layer.Layer<R, ServiceError>
}

const limits: StepLimits = { timeToLive: Duration.days(1), maxBytes: 100_000 }
const key = (name: string) => Buffer.from(name).toString("hex").padEnd(64, "0")
const value = (record: Option.Option<{ readonly value: unknown }>) => Option.getOrUndefined(record)?.value

/** What every store of step results does. */
export const stepResultsSuite = <R>(name: string, { layer, make }: Backend<R>) => {
  it.layer(layer)(`StepResults (${name})`, (it) => {
    it.effect("gives what was put, whatever its size and its letters, and nothing under other keys", () =>
      Effect.gen(function* () {
        const store = yield* make(limits)
        const values: ReadonlyArray<unknown> = [
          null,
          "short",
          { text: "x".repeat(60_000), list: [1, 0.1, -0, true, null], "": { é: "日本語 😀 \u0000 \uD800" } }
        ]
        for (const [index, each] of values.entries()) {
          assert.strictEqual(yield* store.put(key(`a${index}`), { kind: "result", value: each }), "Kept")
        }
        for (const [index, each] of values.entries()) {
          const found = yield* store.get(key(`a${index}`))
          assert.deepStrictEqual(value(found), JSON.parse(JSON.stringify(each)))
          assert.strictEqual(Option.getOrThrow(found).kind, "result")
        }
        assert.isTrue(Option.isNone(yield* store.get(key("other"))))
      })
    )

    it.effect("puts a result in the place of how far the step came", () =>
      Effect.gen(function* () {
        const store = yield* make(limits)
        yield* store.put(key("b"), { kind: "progress", value: { at: "half" } })
        assert.strictEqual(Option.getOrThrow(yield* store.get(key("b"))).kind, "progress")
        yield* store.put(key("b"), { kind: "result", value: "whole" })
        const found = Option.getOrThrow(yield* store.get(key("b")))
        assert.deepStrictEqual([found.kind, found.value], ["result", "whole"])
      })
    )

    it.effect("keeps no record that is too large, and says so", () =>
      Effect.gen(function* () {
        const store = yield* make(limits)
        const large = { kind: "result", value: "y".repeat(limits.maxBytes) } as const
        assert.strictEqual(yield* store.put(key("c"), large), "TooLarge")
        assert.isTrue(Option.isNone(yield* store.get(key("c"))))
      })
    )

    it.effect("gives nothing that is older than its time, swept or not", () =>
      Effect.gen(function* () {
        const store = yield* make(limits)
        yield* store.put(key("d"), { kind: "result", value: "old" })
        yield* TestClock.adjust("23 hours")
        assert.strictEqual(value(yield* store.get(key("d"))), "old")
        yield* TestClock.adjust("1 hour")
        assert.isTrue(Option.isNone(yield* store.get(key("d"))))
      })
    )

    it.effect("a sweep removes what is older than its time, and nothing else", () =>
      Effect.gen(function* () {
        const store = yield* make(limits)
        yield* store.sweep
        for (const name of ["e1", "e2", "e3"]) yield* store.put(key(name), { kind: "result", value: name })
        yield* store.sweep
        assert.strictEqual(value(yield* store.get(key("e2"))), "e2")
        const strict = yield* make({ ...limits, timeToLive: Duration.zero })
        assert.isAtLeast(yield* strict.sweep, 3)
        assert.isTrue(Option.isNone(yield* store.get(key("e2"))))
        assert.strictEqual(yield* strict.sweep, 0)
      })
    )
  })
}
