import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { ExecutorId } from "../../src/domain/Ids.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as PassThrough from "../../src/executors/control/PassThrough.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as Harness from "./Harness.ts"
import { type Json, node, line, a, b, failureOf, statuses, later } from "./RunnerTests.ts"

/** Gives every item what is asked for in its data. */
const giving = (make: () => unknown) =>
  Executor.define({
    type: "give",
    category: "transform",
    name: "Give",
    description: "Gives odd data.",
    settings: {},
    make: () =>
      Effect.succeed({
        process: (items) => Effect.succeed(items.map((item) => ({ ...item, data: { ...item.data, odd: make() } })))
      })
  })

const nested = (levels: number, leaf: unknown): unknown => {
  let value = leaf
  for (let level = 0; level < levels; level++) value = { a: value }
  return value
}

describe("what an executor gives", () => {
  const odd: ReadonlyArray<readonly [name: string, make: () => unknown, expected: RegExp]> = [
    ["100,000 levels", () => nested(100_000, new Date(0)), /^x: what it gave for A is nested more than 1100 levels/],
    [
      "what holds itself",
      () => {
        const self: Record<string, unknown> = {}
        return Object.assign(self, { a: self, b: [self] })
      },
      /holds itself/
    ],
    [
      "what doubles with each level",
      () => {
        let value: unknown = Array.from({ length: 100 }, () => 1)
        for (let level = 0; level < 50; level++) value = [value, value]
        return value
      },
      /too large for one text of JSON/
    ],
    [
      "what throws when it is read",
      () => ({
        get a(): never {
          throw new Error("not today")
        }
      }),
      /cannot be read: not today/
    ]
  ]
  for (const [name, make, expected] of odd) {
    it.effect(`fails that node alone: ${name}`, () =>
      Effect.gen(function* () {
        const { error } = yield* failureOf(line(node("x", "give")), [a])
        assert.match(error.message, expected)
        assert.strictEqual(error.itemId, "A")
        const kept = yield* Harness.run(
          line(node("x", "give", { fail_pipeline_on_error: false }), node("t", "pass_through")),
          [a]
        )
        assert.deepStrictEqual(kept.items[0]?.data, a.data)
        assert.match(kept.items[0]?.executor_logs[0]?.errors[0] ?? "", expected)
      }).pipe(Effect.provide(Harness.layer({ executors: [giving(make), PassThrough.executor] })))
    )
  }

  it.effect("may be deep, large and of every kind", () =>
    Effect.gen(function* () {
      const kept = yield* Harness.run(
        line(node("x", "give"), node("t", "pass_through", { condition: "data.odd.day is_not_empty" })),
        [a]
      )
      assert.strictEqual(kept.items.length, 1)
    }).pipe(
      Effect.provide(
        Harness.layer({
          executors: [
            PassThrough.executor,
            giving(() => ({
              day: new Date(0),
              bytes: new Uint8Array(10),
              big: 2n ** 70n,
              none: undefined,
              deep: nested(1_000, 1)
            }))
          ]
        })
      )
    )
  )
})

describe("a node that fails", () => {
  it.effect("ends the run with its id and the item", () =>
    Effect.gen(function* () {
      const { error, nodes } = yield* failureOf(
        line(node("s", "pass_through"), node("x", "break"), node("t", "pass_through"))
      )
      assert.deepStrictEqual(
        [error.reason, error.executorId, error.itemId, error.message],
        ["Document", "x", "A", "x broke on purpose"]
      )
      assert.deepStrictEqual(statuses(nodes), ["s completed", "x failed"])
      assert.strictEqual(nodes[1]?.error, "x broke on purpose")
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("without fail_pipeline_on_error its items go on, with the failure in their logs", () =>
    Effect.gen(function* () {
      const { items, nodes } = yield* Harness.run(
        line(node("x", "break", { fail_pipeline_on_error: false }), node("t", "set", { key: "t" })),
        [a, b]
      )
      assert.deepStrictEqual(Harness.trails(items), ["A: x!/t", "B: x!/t"])
      assert.deepStrictEqual(items[0]?.executor_logs[0]?.errors, ["x broke on purpose"])
      const [report] = nodes
      assert.deepStrictEqual(
        [report?.status, report?.error, report?.itemsIn, report?.itemsOut, report?.itemsFailed],
        ["failed", "x broke on purpose", 2, 2, 2]
      )
    }).pipe(Effect.provide(Harness.layer()))
  )

  for (const [how, message] of [
    ["throw", "x failed unexpectedly on A: thrown on purpose"],
    ["defect", "x failed unexpectedly on A: died on purpose"],
    ["tooLong", "x failed on A: it makes a text longer than the 536870888 characters that one text can have"]
  ] as const) {
    it.effect(`a defect (${how}) is its failure, with node and item`, () =>
      Effect.gen(function* () {
        const { error } = yield* failureOf(line(node("x", "break", { how })), [a])
        assert.deepStrictEqual([error.executorId, error.itemId, error.message], ["x", "A", message])
        const several = yield* failureOf(line(node("x", "break", { how })), [a, b])
        assert.include(several.error.message, "on 2 items")
      }).pipe(Effect.provide(Harness.layer()))
    )
  }

  it.effect("interrupts its siblings", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [
          node("s", "pass_through"),
          node("slow", "wait", { seconds: 100 }),
          node("other", "wait", { seconds: 5 }),
          node("x", "break"),
          node("after", "pass_through")
        ],
        edges: [
          { from: "s", to: ["slow", "other"], type: "parallel" },
          { from: "other", to: "x" },
          { from: "slow", to: "after" }
        ]
      }
      const fiber = yield* Effect.fork(failureOf(definition, [a]))
      yield* later(5)
      const { error, nodes } = yield* Fiber.join(fiber)
      assert.strictEqual(error.executorId, "x")
      assert.deepStrictEqual(statuses(nodes), ["s completed", "slow interrupted", "other completed", "x failed"])
      assert.strictEqual(nodes.find(({ executorId }) => executorId === "slow")?.endedAt, 5_000)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a join of other branches does not hide it", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [
          node("s", "pass_through"),
          node("l", "pass_through"),
          node("x", "break"),
          node("j", "fan_in_aggregator")
        ],
        edges: [
          { from: "s", to: ["l", "x"], type: "parallel" },
          { from: ["l", "x"], to: "j", type: "join" }
        ]
      }
      assert.strictEqual((yield* failureOf(definition)).error.executorId, "x")
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("reports", () => {
  it.effect("say when and how each node worked", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      const fiber = yield* Effect.fork(
        Harness.run(line(node("w", "wait", { seconds: 2 }), node("split", "split")), [a, b])
      )
      yield* later(2)
      const { nodes } = yield* Fiber.join(fiber)
      const common = { status: "completed" as const, itemsFailed: 0, error: null }
      assert.deepStrictEqual(nodes, [
        { executorId: "w", type: "wait", startedAt: 10_000, endedAt: 12_000, itemsIn: 2, itemsOut: 2, ...common },
        { executorId: "split", type: "split", startedAt: 12_000, endedAt: 12_000, itemsIn: 2, itemsOut: 4, ...common }
      ])
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("plans", () => {
  const yaml = Harness.yamlOf(line(node("a", "pass_through")))

  it.effect("are compiled once per version", () =>
    Effect.gen(function* () {
      const runner = yield* PipelineRunner.PipelineRunner
      const first = yield* runner.compile(Harness.versioned(yaml))
      assert.strictEqual(yield* runner.compile(Harness.versioned(yaml)), first)
      const changed = { ...Harness.versioned(yaml), etag: '"other"' }
      assert.notStrictEqual(yield* runner.compile(changed), first)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("that are invalid say so every time, with all errors", () =>
    Effect.gen(function* () {
      const runner = yield* PipelineRunner.PipelineRunner
      const broken = Harness.versioned(Harness.yamlOf(line(node("a", "no_such"), node("b", "set"))))
      for (const _ of [1, 2]) {
        const error = yield* Effect.flip(runner.compile(broken))
        assert.strictEqual(error._tag, "PipelineInvalid")
        assert.lengthOf(error.message.split("\n"), 2)
      }
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("are bounded in number", () =>
    Effect.gen(function* () {
      const runner = yield* PipelineRunner.PipelineRunner
      const first = yield* runner.compile(Harness.versioned(yaml, "first"))
      for (let index = 0; index < 500; index++) yield* runner.compile(Harness.versioned(yaml, `p${index}`))
      assert.notStrictEqual(yield* runner.compile(Harness.versioned(yaml, "first")), first)
      const last = yield* runner.compile(Harness.versioned(yaml, "p499"))
      assert.strictEqual(yield* runner.compile(Harness.versioned(yaml, "p499")), last)
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("the input executor (D28, D29)", () => {
  const input = (...executors: ReadonlyArray<Json>) =>
    Effect.flatMap(PipelineRunner.PipelineRunner, (runner) =>
      runner.inputExecutor(Harness.versioned(Harness.yamlOf(line(...executors))))
    )

  it.effect("is the first that can crawl, with its rhythm", () =>
    Effect.gen(function* () {
      const found = Option.getOrThrow(
        yield* input(
          node("p", "pass_through"),
          node("i", "source", { account: "x", polling_interval_seconds: 60, items_per_task: 5 }),
          node("i2", "source", { account: "y" })
        )
      )
      assert.deepStrictEqual(
        [found.id, found.type, found.enabled, found.itemsPerTask],
        [ExecutorId.make("i"), "source", true, 5]
      )
      assert.deepStrictEqual(found.pollingInterval, Option.some(Duration.seconds(60)))
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("may be disabled, or missing", () =>
    Effect.gen(function* () {
      const disabled = yield* input(node("i", "source", { account: "x", enabled: false }), node("p", "pass_through"))
      assert.strictEqual(Option.getOrThrow(disabled).enabled, false)
      assert.isTrue(Option.isNone(yield* input(node("p", "pass_through"))))
      const broken = yield* input(node("i", "source", { enabled: false }), node("p", "pass_through"))
      assert.isTrue(Option.isNone(broken))
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("with a wrong setting prevents its crawl, and a run that would need it, but no other", () =>
    Effect.gen(function* () {
      const definition = line(node("i", "source"), node("p", "pass_through"))
      const error = yield* Effect.flip(input(node("i", "source"), node("p", "pass_through")))
      assert.include(error.message, "executors[0].settings.account: The setting account is required.")
      const { items } = yield* Harness.run(definition, [a], "i")
      assert.deepStrictEqual(Harness.trails(items), ["A: p"])
      const refused = yield* Effect.either(Harness.run(definition, [a]))
      assert.isTrue(Either.isLeft(refused) && refused.left._tag === "PipelineInvalid")
    }).pipe(Effect.provide(Harness.layer()))
  )
})
