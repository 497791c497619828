import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Executor from "../../src/executor/Executor.ts"
import * as Harness from "./Harness.ts"
import { type Json, node, line, a, b, statuses, later } from "./RunnerTests.ts"

describe("messages and joins (D33, D37)", () => {
  const fork = (target: string, wait_strategy: string | undefined, left: Json, right: Json): Json => ({
    name: "p",
    executors: [node("s", "pass_through"), left, right, node("j", target)],
    edges: [
      { from: "s", to: ["l", "r"], type: "parallel" },
      { from: ["l", "r"], to: "j", type: "join", ...(wait_strategy === undefined ? {} : { wait_strategy }) }
    ]
  })
  const slow = (seconds: number) => node("r", "wait", { seconds })
  const set = (id: string) => node(id, "set", { key: id })

  it.effect("a join of lists into any type waits for all, in the order of from", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Harness.run({ ...fork("pass_through", "all", node("l", "wait", { seconds: 9 }), set("r")) }, [a, b])
      )
      yield* later(9)
      const { items } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(Harness.trails(items), ["A: s/l/j", "B: s/l/j", "A: s/r/j", "B: s/r/j"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("into the aggregator: one item each, with the logs of both branches", () =>
    Effect.gen(function* () {
      const { items } = yield* Harness.run(fork("fan_in_aggregator", undefined, set("l"), set("r")), [a, b])
      assert.deepStrictEqual(Harness.trails(items), ["A: s/l/r", "B: s/l/r"])
      assert.deepStrictEqual(items[0]?.data, { kind: "x", n: 1, l: "x", r: "x" })
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a branch without items does not hold it up", () =>
    Effect.gen(function* () {
      const { items } = yield* Harness.run(fork("pass_through", "all", node("l", "drop"), set("r")), [a])
      assert.deepStrictEqual(Harness.trails(items), ["A: s/r/j"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("wait_strategy any goes on with the first, and the others work to their end", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Harness.run(fork("pass_through", "any", set("l"), slow(30)), [a]))
      yield* later(30)
      const { items, nodes } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(Harness.trails(items), ["A: s/l/j"])
      assert.deepStrictEqual(
        nodes.map(({ endedAt, executorId, status }) => [executorId, status, endedAt]),
        [
          ["s", "completed", 0],
          ["l", "completed", 0],
          ["r", "completed", 30_000],
          ["j", "completed", 0]
        ]
      )
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("wait_strategy first stops the others", () =>
    Effect.gen(function* () {
      const { items, nodes } = yield* Harness.run(fork("pass_through", "first", set("l"), slow(30)), [a])
      assert.deepStrictEqual(Harness.trails(items), ["A: s/l/j"])
      assert.deepStrictEqual(statuses(nodes), ["s completed", "l completed", "r interrupted", "j completed"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("wait_strategy first leaves alone what also leads elsewhere", () =>
    Effect.gen(function* () {
      const definition = fork("pass_through", "first", set("l"), slow(30))
      const executors = [...(definition["executors"] as ReadonlyArray<Json>), node("other", "pass_through")]
      const edges = [...(definition["edges"] as ReadonlyArray<Json>), { from: "r", to: "other" }]
      const fiber = yield* Effect.fork(Harness.run({ name: "p", executors, edges }, [a]))
      yield* later(30)
      const { items } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(Harness.trails(items), ["A: s/l/j", "A: s/r/other"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("any and first do not take a branch that nothing reached for a result", () =>
    Effect.gen(function* () {
      for (const wait_strategy of ["any", "first"]) {
        const definition = {
          name: "p",
          executors: [node("s", "pass_through"), set("l"), set("r"), node("j", "pass_through")],
          edges: [
            {
              from: "s",
              to: [
                { target: "l", condition: "data.n > 9" },
                { target: "r", condition: "default" }
              ]
            },
            { from: ["l", "r"], to: "j", type: "join", wait_strategy }
          ]
        }
        const { items } = yield* Harness.run(definition, [a])
        assert.deepStrictEqual(Harness.trails(items), ["A: s/r/j"], wait_strategy)
      }
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D33: the aggregator works behind any edge, and alone", () =>
    Effect.gen(function* () {
      const { items } = yield* Harness.run(line(node("s", "pass_through"), node("j", "fan_in_aggregator")), [a, b])
      assert.deepStrictEqual(Harness.trails(items), ["A: s", "B: s"])
      const { items: merged } = yield* Harness.run(line(node("j", "fan_in_aggregator")), [
        a,
        { ...a, data: { extra: 1 } }
      ])
      assert.deepStrictEqual(
        merged.map(({ data }) => data),
        [{ kind: "x", n: 1, extra: 1 }]
      )
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D37: branches do not see each other's work", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [node("s", "pass_through"), set("l"), set("r")],
        edges: [{ from: "s", to: ["l", "r"], type: "parallel" }]
      }
      const { items } = yield* Harness.run(definition, [a])
      assert.deepStrictEqual(
        items.map(({ data }) => Object.keys(data)),
        [
          ["kind", "n", "l"],
          ["kind", "n", "r"]
        ]
      )
      assert.deepStrictEqual(a.executor_logs, [])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D37: an empty result stays empty", () =>
    Effect.gen(function* () {
      const { items } = yield* Harness.run(line(node("s", "pass_through"), node("x", "drop")), [a, b])
      assert.deepStrictEqual(items, [])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D37: more than 100 levels", () =>
    Effect.gen(function* () {
      const ids = Array.from({ length: 1_000 }, (_, index) => `n${index}`)
      const { items } = yield* Harness.run(line(...ids.map((id) => node(id, "pass_through"))), [a])
      assert.deepStrictEqual(
        items[0]?.executor_logs.map(({ executor_id }) => executor_id),
        ids
      )
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("the result is that of all ends in the order of executors", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [node("z", "wait", { seconds: 9 }), set("y"), node("s", "pass_through"), set("x")],
        edges: [{ from: "s", to: ["x", "y", "z"], type: "parallel" }]
      }
      const fiber = yield* Effect.fork(Harness.run(definition, [a]))
      yield* later(9)
      assert.deepStrictEqual(Harness.trails((yield* Fiber.join(fiber)).items), ["A: s/z", "A: s/y", "A: s/x"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("no barrier: a branch does not wait for another's level", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [
          node("s", "pass_through"),
          node("slow", "wait", { seconds: 60 }),
          set("fast"),
          node("next", "pass_through")
        ],
        edges: [
          { from: "s", to: ["slow", "fast"], type: "parallel" },
          { from: "fast", to: "next" }
        ]
      }
      const fiber = yield* Effect.fork(Harness.run(definition, [a]))
      yield* later(60)
      const { nodes } = yield* Fiber.join(fiber)
      assert.strictEqual(nodes.find(({ executorId }) => executorId === "next")?.endedAt, 0)
      assert.strictEqual(nodes.find(({ executorId }) => executorId === "slow")?.endedAt, 60_000)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a line of nodes stays in one fiber", () =>
    Effect.gen(function* () {
      const fibers = new Set<string>()
      const spy = Executor.define({
        type: "spy",
        category: "Utility",
        name: "Spy",
        description: "Notes its fiber.",
        settings: {},
        make: () =>
          Effect.succeed({
            process: (items) =>
              Effect.map(Effect.fiberId, (id) => {
                fibers.add(JSON.stringify(id))
                return items
              })
          })
      })
      yield* Harness.run(line(node("a", "spy"), node("b", "spy"), node("c", "spy")), [a]).pipe(
        Effect.provide(Harness.layer({ executors: [spy] }))
      )
      assert.strictEqual(fibers.size, 1)
    })
  )
})
