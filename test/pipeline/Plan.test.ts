import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as PlanText from "../../src/pipeline/PlanText.ts"
import * as Problem from "../../src/pipeline/Problem.ts"
import * as Harness from "./Harness.ts"

type Json = Readonly<Record<string, unknown>>

/** Executors of these ids: those that begin with `j` join, `-x` is a disabled `x`, `I` is an input, all others write their id. */
const executors = (ids: string): ReadonlyArray<Json> =>
  ids.split(" ").map((name) => {
    const id = name.replace("-", "")
    const enabled = name.startsWith("-") ? { enabled: false } : {}
    if (id === "I") return { id, type: "source", settings: { account: "a", ...enabled } }
    if (id.startsWith("J")) return { id, type: "fan_in_aggregator", settings: enabled }
    return { id, type: "set", settings: { key: id, ...enabled } }
  })

/** `a>b` an edge, `a>b,c` a parallel edge, `a,b>c` a join. */
const edges = (text: string): ReadonlyArray<Json> =>
  text === ""
    ? []
    : text.split(" ").map((edge) => {
        const [from = [], to = []] = edge.split(">").map((side) => side.split(","))
        if (to.length > 1) return { from: from[0], to, type: "parallel" }
        if (from.length > 1) return { from, to: to[0], type: "join", wait_strategy: "all" }
        return { from: from[0], to: to[0], type: "sequential" }
      })

const drawn = (ids: string, text: string): Json => ({ name: "p", executors: executors(ids), edges: edges(text) })
const inSequence = (ids: string, sequence: string): Json => ({
  name: "p",
  executors: executors(ids),
  execution_sequence: sequence.split(" ")
})

const one = [Harness.item("A", { kind: "x", n: 1 })]
const two = [...one, Harness.item("B", { kind: "y", n: 2 })]

/** Where the items went, or the message of the error. */
const outcome = (definition: Json, exclude: string | null = null, items = one) =>
  Effect.map(Effect.either(Harness.run(definition, items, exclude)), (result) =>
    Either.isRight(result)
      ? Harness.trails(result.right.items)
      : result.left._tag === "RunFailure"
        ? result.left.error.message
        : result.left.message
  )

const checked = (definition: Json | string) =>
  Effect.flatMap(PipelineRunner.PipelineRunner, (runner) =>
    runner.check(Harness.versioned(typeof definition === "string" ? definition : Harness.yamlOf(definition)))
  )

const messages = (definition: Json | string) =>
  Effect.map(checked(definition), ({ problems }) => problems.map((problem) => problem.message))

/** Every row: a name, a definition, what comes of it. */
const table = (
  rows: ReadonlyArray<
    readonly [name: string, definition: Json, expected: ReadonlyArray<string> | RegExp, exclude?: string]
  >
) => {
  for (const [name, definition, expected, exclude] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const result = yield* outcome(definition, exclude ?? null)
        if (expected instanceof RegExp) assert.match(String(result), expected)
        else assert.deepStrictEqual(result, expected)
      }).pipe(Effect.provide(Harness.layer()))
    )
  }
}

describe("drawings that the UI turns into odd edges", () => {
  table([
    ["skip connection", drawn("A B J", "A>B,J A,B>J"), ["A: A/B"]],
    [
      "a join and a plain edge out of one branch",
      drawn("A B C J K", "A>B,C B>J,K B,C>J C>J"),
      ["A: A/B/C", "A: A/B/K"]
    ],
    ["only parallel edges, no join", drawn("A B C J K", "A>B,C B>J,K C>J,K"), ["A: A/B/C", "A: A/B/K", "A: A/C/K"]]
  ])
})

describe("edge kinds", () => {
  const edge = (ids: string, ...list: ReadonlyArray<Json>): Json => ({
    name: "p",
    executors: executors(ids),
    edges: list
  })
  table([
    ["missing type", edge("a b", { from: "a", to: "b" }), ["A: a/b"]],
    ["sequential", edge("a b", { from: "a", to: "b", type: "sequential" }), ["A: a/b"]],
    ["null type", edge("a b", { from: "a", to: "b", type: null }), ["A: a/b"]],
    ["incomplete edges are left out", edge("a b", { from: "a", to: "b" }, { from: "a" }, { to: "b" }, {}), ["A: a/b"]],
    ["an unknown target is left out", edge("a b", { from: "a", to: "b" }, { from: "b", to: "gone" }), ["A: a/b"]],
    ["an unknown source is left out", edge("a b", { from: "a", to: "b" }, { from: "gone", to: "b" }), ["A: a/b"]],
    ["a list of targets without type", edge("a b c", { from: "a", to: ["b", "c"] }), ["A: a/b", "A: a/c"]],
    [
      "a list of sources without type",
      edge("a b c d", { from: "a", to: ["b", "c"] }, { from: ["b", "c"], to: "d" }),
      ["A: a/b/d", "A: a/c/d"]
    ],
    ["parallel", edge("a b c", { from: "a", to: ["b", "c"], type: "parallel" }), ["A: a/b", "A: a/c"]],
    [
      "parallel drops unknown targets",
      edge("a b c", { from: "a", to: ["b", "gone", "c"], type: "parallel" }),
      ["A: a/b", "A: a/c"]
    ],
    [
      "parallel with one target",
      edge("a b", { from: "a", to: ["b"], type: "parallel" }),
      /at least two executors in `to`/
    ],
    ["parallel with one known target", edge("a b", { from: "a", to: ["b", "gone"], type: "parallel" }), /at least two/],
    ["parallel with a text", edge("a b", { from: "a", to: "b", type: "parallel" }), /at least two/],
    ["parallel from an unknown source", edge("a b", { from: "gone", to: ["a", "b"], type: "parallel" }), ["A: a"]],
    [
      "parallel with a repeated target",
      edge("a b c", { from: "a", to: ["b", "b", "c"], type: "parallel" }),
      ["A: a/b", "A: a/c"]
    ],
    ["join", drawn("a b c J", "a>b,c b,c>J"), ["A: a/b/c"]],
    ["join drops unknown sources", drawn("a b c J", "a>b,c b,gone,c>J"), ["A: a/b/c"]],
    [
      "join with one known source",
      edge("a J", { from: ["a", "gone"], to: "J", type: "join" }),
      /at least two executors in `from`/
    ],
    ["join with a text", edge("a J", { from: "a", to: "J", type: "join" }), /at least two/],
    ["join into an unknown target", drawn("a b c", "a>b,c b,c>gone"), ["A: a/b", "A: a/c"]],
    ["conditional with one target", edge("a b", { from: "a", to: "b", type: "conditional" }), ["A: a/b"]],
    ["an unknown type counts as sequential", edge("a b", { from: "a", to: "b", type: "weird" }), ["A: a/b"]],
    ["the same pair twice", edge("a b", { from: "a", to: "b" }, { from: "a", to: "b" }), ["A: a/b"]],
    ["two edges into a node without a join", drawn("a b c d", "a>b,c b>d c>d"), ["A: a/b/d", "A: a/c/d"]],
    [
      "a label and a description are ignored",
      edge("a b", { from: "a", to: "b", label: "l", description: "d" }),
      ["A: a/b"]
    ]
  ])

  it.effect("says what it left out", () =>
    Effect.gen(function* () {
      const found = yield* messages(
        edge(
          "a b c",
          { from: "a", to: "b", type: "weird" },
          { from: "a", to: "gone" },
          { from: ["a", "b"], to: "c", wait_strategy: "some" }
        )
      )
      assert.lengthOf(found, 4)
      assert.match(found[0] ?? "", /edge type "weird" is unknown/)
      assert.match(found[2] ?? "", /No executor has the id "gone"/)
      assert.match(found[1] ?? "", /left out/)
      assert.match(found[3] ?? "", /wait_strategy "some" is unknown/)
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("sequences", () => {
  table([
    ["in order", inSequence("a b c", "a b c"), ["A: a/b/c"]],
    ["unknown first id", inSequence("a", "gone a"), /starts with "gone"/],
    ["unknown later id", inSequence("a b", "a gone b"), ["A: a/b"]],
    ["a repeated id next to itself", inSequence("a b", "a a b"), ["A: a/b"]],
    ["a repeated id", inSequence("a b", "a b a"), /form a cycle.*: a → b → a\./],
    ["empty", { name: "p", executors: executors("a"), execution_sequence: [] }, /neither `edges` nor/],
    ["missing", { name: "p", executors: executors("a") }, /neither `edges` nor/],
    ["edges go before it", { ...drawn("a b", "a>b"), execution_sequence: ["b", "a"] }, ["A: a/b"]]
  ])
})

describe("the start", () => {
  table([
    ["no edges: the first executor", drawn("a b", ""), ["A: a"]],
    ["no edges: the first of the sequence", { ...drawn("a b", ""), execution_sequence: ["b"] }, ["A: b"]],
    ["no edges: the first that is enabled", drawn("-a b c", ""), ["A: b"]],
    ["several starts all get the items", drawn("a b c d", "a>b c>d"), ["A: a/b", "A: c/d"]],
    ["no executors", { name: "p", executors: [], edges: [] }, /no executors/],
    ["a cycle", drawn("a b c", "a>b b>c c>a"), /form a cycle.*: (a → b → c → a|b → c → a → b|c → a → b → c)\./],
    ["a cycle behind a start", drawn("s a b", "s>a a>b b>a"), /: (a → b → a|b → a → b)\./],
    ["a node that feeds itself", drawn("a", "a>a"), /: a → a\./],
    ["a cycle through a disabled node", drawn("a -b", "a>b b>a"), /form a cycle/]
  ])
})

describe("disabled nodes", () => {
  table([
    ["A→B→C", drawn("A -B C", "A>B B>C"), ["A: A/C"]],
    ["A→B→C→D", drawn("A -B C D", "A>B B>C C>D"), ["A: A/C/D"]],
    ["two in a row", drawn("A -B -C D", "A>B B>C C>D"), ["A: A/D"]],
    ["B first", drawn("-B C", "B>C"), ["A: C"]],
    ["B last", drawn("A -B", "A>B"), ["A: A"]],
    ["A→[B,C] parallel", drawn("A -B C", "A>B,C"), ["A: A/C"]],
    ["a branch of two before a join", drawn("A -B C J", "A>B,C B,C>J"), ["A: A/C"]],
    ["a branch of three before a join", drawn("A -B C D J", "A>B,C,D B,C,D>J"), ["A: A/C/D"]],
    ["the same before a node that does not merge", drawn("A -B C D e", "A>B,C,D B,C,D>e"), ["A: A/C/e", "A: A/D/e"]],
    ["a start of a join of two starts", drawn("-A B J", "A,B>J"), ["A: B"]],
    ["the only way to a join", drawn("A B -C D J", "A>B B>C A>D C,D>J"), ["A: A/B/D"]],
    ["the join itself", drawn("A B C -J K", "A>B,C B,C>J J>K"), ["A: A/B/K", "A: A/C/K"]],
    ["the join at the end", drawn("A B C -J", "A>B,C B,C>J"), ["A: A/B", "A: A/C"]],
    ["all of them", drawn("-A -B", "A>B"), /Every executor of the graph is disabled/],
    ["in a sequence", inSequence("A -B C", "A B C"), ["A: A/C"]],
    ["first in a sequence", inSequence("-A B", "A B"), ["A: B"]],
    [
      "by a text",
      {
        name: "p",
        executors: [{ id: "a", type: "set", settings: { key: "a", enabled: "no" } }, ...executors("b")],
        edges: edges("a>b")
      },
      ["A: b"]
    ],
    ...[null, 0, "", [], {}].map((enabled): readonly [string, Json, ReadonlyArray<string>] => [
      `by ${JSON.stringify(enabled)}`,
      {
        name: "p",
        executors: [...executors("a"), { id: "b", type: "set", settings: { enabled } }, ...executors("c")],
        edges: edges("a>b b>c")
      },
      ["A: a/c"]
    ]),
    [
      "by a number that is not zero",
      { name: "p", executors: [{ id: "a", type: "set", settings: { key: "a", enabled: 1 } }], edges: [] },
      /enabled must be true or false, not 1/
    ],
    [
      "a step of a loop, whose null means the default",
      {
        name: "p",
        executors: [
          {
            id: "a",
            type: "for_each_content",
            settings: { steps: [{ id: "s", type: "set", settings: { key: "s", enabled: null } }] }
          }
        ],
        edges: []
      },
      ["A: a.s/a"]
    ],
    [
      "in a case of a switch",
      {
        name: "p",
        executors: executors("a -b c d"),
        edges: [
          {
            from: "a",
            to: [
              { target: "b", condition: "data.kind == 'x'" },
              { target: "c", condition: "default" }
            ]
          },
          { from: "b", to: "d" },
          { from: "c", to: "d" }
        ]
      },
      ["A: a/d"]
    ],
    [
      "first, with a condition on its edge",
      {
        name: "p",
        executors: executors("-a b c"),
        edges: [
          {
            from: "a",
            to: [
              { target: "b", condition: "data.kind == 'y'" },
              { target: "c", condition: "default" }
            ]
          }
        ]
      },
      ["A: c"]
    ]
  ])

  const layers = (count: number): Json => ({
    name: "p",
    executors: executors(`s ${Array.from({ length: count }, (_, index) => `-b${index} -c${index}`).join(" ")} end`),
    edges: [
      { from: "s", to: ["b0", "c0"] },
      ...Array.from({ length: count - 1 }, (_, index) => index).flatMap((index) =>
        ["b", "c"].map((name) => ({
          from: `${name}${index}`,
          to: [`b${index + 1}`, `c${index + 1}`],
          condition: "data.n > 0"
        }))
      ),
      { from: [`b${count - 1}`, `c${count - 1}`], to: "end" }
    ]
  })

  it.effect("layers of them do not double the work, and their number is bounded", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outcome(layers(60)), ["A: s/end"])
      assert.match(String(yield* outcome(layers(150))), /too large once its disabled executors are left out/)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a disabled branch does not bring an older state into the join", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [...executors("A -B J"), { id: "C", type: "set", settings: { key: "n", value: "new" } }],
        edges: edges("A>B,C B,C>J")
      }
      const { items } = yield* Harness.run(definition, one)
      assert.strictEqual(items[0]?.data["n"], "new")
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("the excluded input node", () => {
  table([
    ["I→A→B", drawn("I A B", "I>A A>B"), ["A: A/B"], "I"],
    ["I→A", drawn("I A", "I>A"), ["A: A"], "I"],
    ["I→A, A listed last", drawn("I B A", "I>A"), ["A: A"], "I"],
    ["I→[A,B]", drawn("I A B", "I>A,B"), ["A: A", "A: B"], "I"],
    ["I→[A,B], [A,B]→J", drawn("I A B J", "I>A,B A,B>J"), ["A: A/B"], "I"],
    ["I→[A,B], A→C, B→D", drawn("I A B C D", "I>A,B A>C B>D"), ["A: A/C", "A: B/D"], "I"],
    ["I→A→B, [I,A,B]→J", drawn("I A B J", "I>A A>B I,A,B>J"), ["A: A/B"], "I"],
    ["I→[A,J], [I,A]→J", drawn("I A J", "I>A,J I,A>J"), ["A: A"], "I"],
    ["A→I→B: what feeds only the input does not run", drawn("A I B", "A>I I>B"), ["A: B"], "I"],
    ["A→I→B, A→C: C still runs", drawn("A I B C", "A>I,C I>B"), ["A: B", "A: A/C"], "I"],
    ["only I", drawn("I", ""), /Nothing is left to run/, "I"],
    ["only I in a sequence", inSequence("I", "I"), /Nothing is left to run/, "I"],
    ["sequence [I,A,B]", inSequence("I A B", "I A B"), ["A: A/B"], "I"],
    ["sequence [A,I,B]", inSequence("A I B", "A I B"), ["A: A/B"], "I"],
    ["no edges", drawn("I A B", ""), ["A: A"], "I"],
    ["a node that is no input", drawn("A B", "A>B"), ["A: B"], "A"],
    ["not excluded: the input lists its documents", drawn("I A", "I>A"), ["listed: A"]],
    [
      "with a condition on its edge",
      { name: "p", executors: executors("I A"), edges: [{ from: "I", to: "A", condition: "data.kind == 'y'" }] },
      ["A: "],
      "I"
    ]
  ])
})

describe("D15: the input node changed after the task was queued", () => {
  table([
    ["renamed", drawn("I A", "I>A"), ["A: A"], "old_input"],
    ["renamed, in a sequence", inSequence("I A", "I A"), ["A: A"], "old_input"],
    ["renamed, no edges", drawn("I A", ""), ["A: A"], "old_input"],
    ["renamed, before a fork and a join", drawn("I A B J", "I>A,B A,B>J"), ["A: A/B"], "old_input"],
    ["removed", drawn("A B", "A>B"), ["A: A/B"], "old_input"],
    ["disconnected", drawn("I A B", "A>B"), ["A: A/B"], "I"]
  ])

  it.effect("a second input does not list its source in the task of the first", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [...executors("I A B J"), { id: "I2", type: "source", settings: { account: "b" } }],
        edges: edges("I>A I2>B A,B>J")
      }
      const { items, nodes } = yield* Harness.run(definition, one, "I")
      assert.deepStrictEqual(Harness.trails(items), ["A: A"])
      assert.deepStrictEqual(nodes.map(({ executorId, status }) => `${executorId} ${status}`).toSorted(), [
        "A completed",
        "B skipped",
        "I2 skipped",
        "J completed"
      ])
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("conditional edges (D32)", () => {
  const route = (...list: ReadonlyArray<Json>): Json => ({ name: "p", executors: executors("a b c d J"), edges: list })
  const to = (...targets: ReadonlyArray<readonly [string, string] | readonly [string]>) =>
    targets.map(([target, condition]) => (condition === undefined ? { target } : { target, condition }))
  const x = "data.kind == 'x'"
  const rows: ReadonlyArray<readonly [string, Json, ReadonlyArray<string>]> = [
    [
      "a list of targets",
      route({ from: "a", to: to(["b", x], ["c", "data.kind == 'y'"]), type: "conditional" }),
      ["A: a/b", "B: a/c"]
    ],
    ["default catches the rest", route({ from: "a", to: to(["b", x], ["c", "default"]) }), ["A: a/b", "B: a/c"]],
    ["wherever it stands", route({ from: "a", to: to(["c", "Default"], ["b", x]) }), ["A: a/b", "B: a/c"]],
    [
      "a target without condition is the default",
      route({ from: "a", to: ["c", { target: "b", condition: x }] }),
      ["A: a/b", "B: a/c"]
    ],
    ["the first match wins", route({ from: "a", to: to(["b", "data.n > 0"], ["c", x]) }), ["A: a/b", "B: a/b"]],
    ["an unmatched item leaves the graph", route({ from: "a", to: to(["b", x]) }), ["B: a", "A: a/b"]],
    ["a condition on an edge", route({ from: "a", to: "b", condition: x }), ["B: a", "A: a/b"]],
    [
      "conditions on several edges are one switch",
      route({ from: "a", to: "b", condition: x }, { from: "a", to: "c", condition: "default" }),
      ["A: a/b", "B: a/c"]
    ],
    [
      "one condition for two targets",
      route({ from: "a", to: ["b", "c"], type: "parallel", condition: x }),
      ["B: a", "A: a/b", "A: a/c"]
    ],
    [
      "beside an edge without condition",
      route({ from: "a", to: "d" }, { from: "a", to: "b", condition: x }),
      ["A: a/b", "A: a/d", "B: a/d"]
    ],
    [
      "conditional_parallel",
      route({ from: "a", to: to(["b", x], ["c", "default"]), type: "conditional_parallel" }),
      ["A: a/b", "B: a/c"]
    ],
    ["a blank condition is none", route({ from: "a", to: "b", condition: " " }), ["A: a/b", "B: a/b"]],
    [
      "branches come together",
      route({ from: "a", to: to(["b", x], ["c", "default"]) }, { from: ["b", "c"], to: "J", type: "join" }),
      ["A: a/b", "B: a/c"]
    ],
    [
      "a branch that nothing reaches does not hold up the join",
      route(
        { from: "a", to: to(["b", x], ["c", "data.n > 5"], ["d", "default"]) },
        { from: ["b", "c", "d"], to: "J", type: "join" }
      ),
      ["A: a/b", "B: a/d"]
    ]
  ]
  for (const [name, definition, expected] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* outcome(definition, null, two), expected)
      }).pipe(Effect.provide(Harness.layer()))
    )
  }

  it.effect("a node that nothing reaches is skipped, with all that only it leads to", () =>
    Effect.gen(function* () {
      const definition = route({ from: "a", to: to(["b", "data.n > 5"]) }, { from: "b", to: "c" })
      const { items, nodes } = yield* Harness.run(definition, two)
      assert.deepStrictEqual(Harness.trails(items), ["A: a", "B: a"])
      assert.deepStrictEqual(
        nodes.map(({ executorId, itemsIn, status }) => [executorId, status, itemsIn]),
        [
          ["a", "completed", 2],
          ["b", "skipped", 0],
          ["c", "skipped", 0]
        ]
      )
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a condition that is none is an error at its place", () =>
    Effect.gen(function* () {
      const { plan, problems } = yield* checked(route({ from: "a", to: to(["b", "category = 'A'"]) }))
      assert.isUndefined(plan)
      assert.strictEqual(problems[0]?.path, "edges[0].to[0].condition")
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a condition that cannot be evaluated fails the node that the edge leaves, or is noted in the item", () =>
    Effect.gen(function* () {
      const definition = (fail: boolean): Json => ({
        name: "p",
        executors: [{ id: "a", type: "set", settings: { key: "a", fail_pipeline_on_error: fail } }, ...executors("b")],
        edges: [{ from: "a", to: "b", condition: "data.gone > 1" }]
      })
      assert.match(String(yield* outcome(definition(true))), /^a: The condition/)
      assert.deepStrictEqual(yield* outcome(definition(false)), ["A: a/a!"])
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("executor entries", () => {
  it.effect("of equal ids the last counts", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [
          { id: "a", type: "set", settings: { key: "first" } },
          { id: "a", type: "set", settings: { key: "second" } }
        ],
        execution_sequence: ["a"]
      }
      const { items } = yield* Harness.run(definition, one)
      assert.notProperty(items[0]?.data, "first")
      assert.property(items[0]?.data, "second")
      assert.match((yield* messages(definition))[0] ?? "", /appears again/)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("an unknown type is an error even in no edge, with a suggestion", () =>
    Effect.gen(function* () {
      const typed = (type: string): Json => ({ ...drawn("a", ""), executors: [...executors("a"), { id: "u", type }] })
      const { plan, problems } = yield* checked(typed("pass_throu"))
      assert.isUndefined(plan)
      assert.strictEqual(problems[0]?.path, "executors[1].type")
      assert.match(problems[0]?.message ?? "", /"pass_throu" is unknown\. Did you mean pass_through\?/)
      assert.match((yield* messages(typed("PASS_THROUGH")))[0] ?? "", /Did you mean pass_through/)
      assert.match((yield* messages(typed("conditional_router")))[0] ?? "", /Use conditional edges/)
      assert.strictEqual((yield* messages(typed("zzzzzzzzz")))[0], 'The executor type "zzzzzzzzz" is unknown.')
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("an old name is accepted with a warning", () =>
    Effect.gen(function* () {
      const definition = { name: "p", executors: [{ id: "a", type: "pass_through_executor" }], edges: [] }
      assert.deepStrictEqual(yield* messages(definition), ["pass_through_executor is an old name of pass_through."])
      assert.deepStrictEqual(yield* outcome(definition), ["A: a"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("every error has its line and column", () =>
    Effect.gen(function* () {
      const text =
        "pipeline:\n  name: p\n  executors:\n    - id: a\n      type: set\n      settings:\n        value: v\n        retries: -1\n    - {id: b, type: nothing}\n  edges:\n    - {from: a, to: b, type: parallel}\n"
      const { problems } = yield* checked(text)
      assert.deepStrictEqual(problems.filter(({ severity }) => severity === "error").map(Problem.print), [
        "line 7, column 9, executors[0].settings.key: The setting key is required.",
        "line 8, column 18, executors[0].settings.retries: The setting retries must be at least 0, not -1.",
        'line 9, column 21, executors[1].type: The executor type "nothing" is unknown.',
        "line 11, column 21, edges[0].to: A parallel edge needs a list of at least two executors in `to`."
      ])
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("a plan as text", () => {
  const definition = {
    name: "invoices",
    executors: executors("I a -b c J"),
    edges: [
      { from: "I", to: "a" },
      {
        from: "a",
        to: [
          { target: "b", condition: "data.n > 1" },
          { target: "c", condition: "default" }
        ]
      },
      { from: ["b", "c"], to: "J", type: "join", wait_strategy: "any" }
    ]
  }

  it.effect("as lines", () =>
    Effect.gen(function* () {
      const { plan } = yield* checked(definition)
      assert.strictEqual(
        plan === undefined ? "" : PlanText.toText(plan),
        [
          "Pipeline invoices",
          "  I (source) → a",
          "  a (set) → b when data.n > 1; c when default",
          "  b (set) [disabled] → J",
          "  c (set) → J",
          "  J (fan_in_aggregator) [waits for any]"
        ].join("\n")
      )
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("as a Mermaid graph", () =>
    Effect.gen(function* () {
      const { plan } = yield* checked(definition)
      assert.strictEqual(
        plan === undefined ? "" : PlanText.toMermaid(plan),
        [
          "flowchart TD",
          '  n0["I<br/>(source)"]',
          '  n1["a<br/>(set)"]',
          '  n2["b<br/>(set)<br/>#91;disabled#93;"]',
          '  n3["c<br/>(set)"]',
          '  n4["J<br/>(fan_in_aggregator)<br/>#91;waits for any#93;"]',
          "  n0 --> n1",
          '  n1 -->|"data.n #62; 1"| n2',
          '  n1 -->|"default"| n3',
          "  n2 --> n4",
          "  n3 --> n4",
          "  classDef disabled stroke-dasharray: 5 5",
          "  class n2 disabled"
        ].join("\n")
      )
    }).pipe(Effect.provide(Harness.layer()))
  )
})
