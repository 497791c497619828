import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Content } from "../../src/domain/Content.ts"
import { ExecutorId } from "../../src/domain/Ids.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as PassThrough from "../../src/executors/control/PassThrough.ts"
import * as PerItem from "../../src/executor/PerItem.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as Harness from "./Harness.ts"

type Json = Readonly<Record<string, unknown>>

const node = (id: string, type: string, settings: Json = {}): Json => ({ id, type, settings })
const line = (...executors: ReadonlyArray<Json>): Json => ({
  name: "p",
  executors,
  execution_sequence: executors.map(({ id }) => id)
})

const [a, b, c, d] = [
  Harness.item("A", { kind: "x", n: 1 }),
  Harness.item("B", { kind: "y", n: 2 }),
  Harness.item("C", { kind: "x", n: 3 }),
  Harness.item("D", { kind: "y", n: 4 })
]

const failureOf = (definition: Json, items: ReadonlyArray<Content> = [a, b]) =>
  Effect.flatMap(Effect.flip(Harness.run(definition, items)), (failure) =>
    failure._tag === "RunFailure" ? Effect.succeed(failure) : Effect.dieMessage(failure.message)
  )

const statuses = (nodes: ReadonlyArray<PipelineRunner.NodeReport>) =>
  nodes.map(({ executorId, status }) => `${executorId} ${status}`)

/** Lets the other fibers run until they all wait. */
const settle = Effect.repeatN(Effect.yieldNow(), 50)

const later = (seconds: number) => Effect.zipRight(settle, TestClock.adjust(Duration.seconds(seconds)))

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
    ["defect", "x failed unexpectedly on A: died on purpose"]
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

describe("the condition of a node", () => {
  const x = "data.kind == 'x'"
  const run = (settings: Json, items: ReadonlyArray<Content>, type = "set") =>
    Effect.map(Harness.run(line(node("n", type, settings)), items), (result) => Harness.trails(result.items))

  it.effect("items that do not meet it pass, and keep their place", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run({ key: "k", condition: x }, [b, a, d, c]), ["B: ", "A: n", "D: ", "C: n"])
      assert.deepStrictEqual(yield* run({ key: "k", condition: "data.n > 9" }, [a, b]), ["A: ", "B: "])
      assert.deepStrictEqual(yield* run({ key: "k", condition: "  " }, [a]), ["A: n"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("where the node gives another number of items, they come first", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run({ condition: x }, [b, a], "split"), ["A: n", "A: n", "B: "])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("an item without id meets every condition", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run({ key: "k", condition: x }, [{ ...b, id: null }]), ["-: n"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a node without items still works", () =>
    Effect.gen(function* () {
      const { nodes } = yield* Harness.run(line(node("n", "set", { key: "k", condition: x })), [])
      assert.deepStrictEqual(statuses(nodes), ["n completed"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D38: one that cannot be evaluated concerns its item, not all of them", () =>
    Effect.gen(function* () {
      const settings = { key: "k", condition: "data.extra > 2", fail_pipeline_on_error: false }
      const items = [a, Harness.item("E", { extra: 5 })]
      assert.deepStrictEqual(yield* run(settings, items), ["A: n!", "E: n"])
      const { error } = yield* failureOf(line(node("n", "set", { ...settings, fail_pipeline_on_error: true })), items)
      assert.deepStrictEqual([error.executorId, error.itemId], ["n", "A"])
      assert.match(error.message, /^n: The condition `data.extra > 2` cannot be evaluated/)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D38: operator words in names, quotes, groups", () =>
    Effect.gen(function* () {
      const items = [Harness.item("A", { invoice_total: 10, note: "salt and pepper", kind: "x" })]
      for (const condition of [
        "data.invoice_total > 5",
        "data.note == 'salt and pepper'",
        "(data.kind == 'y' or data.kind == 'x') and data.invoice_total > 5"
      ]) {
        assert.deepStrictEqual(yield* run({ key: "k", condition }, items), ["A: n"], condition)
      }
    }).pipe(Effect.provide(Harness.layer()))
  )
})

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

describe("D39: the error switches", () => {
  const bad = Harness.item("B", { bad: true })

  it.effect("one bad item fails the run by default, after the others were worked on", () =>
    Effect.gen(function* () {
      const { error } = yield* failureOf(line(node("n", "break_item")), [bad, a])
      assert.deepStrictEqual([error.executorId, error.itemId], ["n", "B"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("without fail_pipeline_on_error it goes on alone", () =>
    Effect.gen(function* () {
      const { items, nodes } = yield* Harness.run(
        line(node("n", "break_item", { fail_pipeline_on_error: false }), node("t", "pass_through")),
        [bad, a]
      )
      assert.deepStrictEqual(Harness.trails(items), ["B: n!/t", "A: n/t"])
      assert.deepStrictEqual([nodes[0]?.status, nodes[0]?.itemsFailed], ["completed", 1])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("continue_on_error: false stops the node at the first", () =>
    Effect.gen(function* () {
      const settings = { fail_pipeline_on_error: false, continue_on_error: false, max_concurrent: 1 }
      const { items, nodes } = yield* Harness.run(line(node("n", "break_item", settings)), [bad, a])
      assert.deepStrictEqual(Harness.trails(items), ["B: n!", "A: n!"])
      assert.strictEqual(nodes[0]?.status, "failed")
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
