import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Executor from "../../src/executor/Executor.ts"
import * as PerItem from "../../src/executor/PerItem.ts"
import * as Harness from "./Harness.ts"
import { node, line, a, b, c, failureOf, later } from "./RunnerTests.ts"

describe("timeout_seconds", () => {
  it.effect("bounds a node, and reaches its work", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(failureOf(line(node("x", "break", { how: "never", timeout_seconds: 7 })), [a]))
      yield* later(7)
      const { error } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error.reason, error.executorId], ["Timeout", "x"])
      assert.include(error.message, "longer than 7 s")
      assert.isTrue(Executor.isRetryable(error))
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("is noted in the items when the run goes on", () =>
    Effect.gen(function* () {
      const settings = { how: "never", timeout_seconds: 0.5, fail_pipeline_on_error: false }
      const fiber = yield* Effect.fork(Harness.run(line(node("x", "break", settings)), [a]))
      yield* later(0.5)
      assert.deepStrictEqual(Harness.trails((yield* Fiber.join(fiber)).items), ["A: x!"])
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("retries", () => {
  it.effect("are off by default", () =>
    Effect.gen(function* () {
      const { error } = yield* failureOf(line(node("x", "break", { how: "Transient", times: 1 })))
      assert.strictEqual(error.reason, "Transient")
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("try again what may heal, after retry_delay", () =>
    Effect.gen(function* () {
      const settings = { how: "Transient", times: 2, retries: 2, retry_delay: 3 }
      const fiber = yield* Effect.fork(Harness.run(line(node("x", "break", settings)), [a]))
      yield* later(3)
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* later(3)
      const { items, nodes } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(Harness.trails(items), ["A: "])
      assert.strictEqual(nodes[0]?.endedAt, 6_000)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("end with the last error", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        failureOf(line(node("x", "break", { how: "Transient", times: 3, retries: 2, retry_delay: 0 })))
      )
      yield* later(1)
      assert.strictEqual((yield* Fiber.join(fiber)).error.reason, "Transient")
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("do not repeat what can't heal", () =>
    Effect.gen(function* () {
      const { error } = yield* failureOf(line(node("x", "break", { how: "Document", times: 1, retries: 5 })))
      assert.strictEqual(error.reason, "Document")
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("wait as long as the service asks, up to five minutes, and repeat only the item that failed", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const flaky = Executor.define({
        type: "flaky",
        category: "transform",
        name: "Flaky",
        description: "Fails once on B.",
        settings: PerItem.settings(),
        make: (settings, context) =>
          Effect.succeed(
            PerItem.perItem(context, settings, (item) => {
              const id = item.id?.canonical_id ?? ""
              calls.push(id)
              return id === "B" && calls.filter((call) => call === "B").length === 1
                ? Effect.fail(
                    new Executor.ExecutorError({
                      reason: "Transient",
                      executorId: context.id,
                      itemId: id,
                      message: "busy",
                      retryAfterMillis: 3_600_000
                    })
                  )
                : Effect.succeed(item)
            })
          )
      })
      const run = Harness.run(line(node("f", "flaky", { retries: 1 })), [a, b, c]).pipe(
        Effect.provide(Harness.layer({ executors: [flaky] }))
      )
      const fiber = yield* Effect.fork(run)
      yield* later(299)
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* later(1)
      const { items } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(Harness.trails(items), ["A: f", "B: f", "C: f"])
      assert.deepStrictEqual(calls, ["A", "B", "C", "B"])
    })
  )
})
