import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import type { Content } from "../../src/domain/Content.ts"
import * as PassThrough from "../../src/executors/control/PassThrough.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as Settings from "../../src/executor/Settings.ts"
import * as Harness from "./Harness.ts"

// A graph as simple as can be, and what must come of it.

interface Way {
  readonly to: number
  /** Items with `n` at least this go there; null for all, `default` for the rest. */
  readonly from: number | null | "default"
}

interface Graph {
  /** Of each node: whether it is disabled, the items that it works on (`n` at least), and its edges to later nodes. */
  readonly nodes: ReadonlyArray<{
    readonly disabled: boolean
    readonly from: number
    readonly ways: ReadonlyArray<Way>
  }>
}

const randomGraph = Effect.gen(function* () {
  const size = yield* Random.nextIntBetween(2, 9)
  const nodes: Array<Graph["nodes"][number]> = []
  for (let index = 0; index < size; index++) {
    const ways: Array<Way> = []
    for (let to = index + 1; to < size; to++) {
      if ((yield* Random.next) > 0.45) continue
      const kind = yield* Random.next
      ways.push({ to, from: kind < 0.6 ? null : kind < 0.9 ? yield* Random.nextIntBetween(0, 6) : "default" })
    }
    nodes.push({
      disabled: (yield* Random.next) < 0.15,
      from: (yield* Random.next) < 0.7 ? 0 : yield* Random.nextIntBetween(0, 6),
      ways
    })
  }
  return { nodes }
})

const definitionOf = ({ nodes }: Graph) => ({
  name: "p",
  executors: nodes.map(({ disabled, from }, index) => ({
    id: `n${index}`,
    type: "pass_through",
    settings: { enabled: !disabled, ...(from === 0 ? {} : { condition: `data.n >= ${from}` }) }
  })),
  edges: nodes.flatMap(({ ways }, index) =>
    ways.map(({ from, to }) => ({
      from: `n${index}`,
      to: `n${to}`,
      ...(from === null ? {} : { condition: from === "default" ? "default" : `data.n >= ${from}` })
    }))
  )
})

const isInGraph = ({ nodes }: Graph, node: number): boolean =>
  (nodes[node]?.ways.length ?? 0) > 0 || nodes.some(({ ways }) => ways.some(({ to }) => to === node))

const itemsOf = (count: number): ReadonlyArray<Content> =>
  Array.from({ length: count }, (_, n) => Harness.item(String(n), { n }))

/** All ways that an item takes through the graph, each as the nodes that wrote into its log; read node by node, without slots or bridges. */
const waysOf = (graph: Graph, n: number): ReadonlyArray<string> => {
  const { nodes } = graph
  const arriving = nodes.map((): Array<string> => [])
  const ends: Array<string> = []
  /** Where an item that leaves `node` goes: enabled nodes only. The original node once, whatever number of ways lead there. */
  const next = (node: number): ReadonlySet<number> => {
    const ways = nodes[node]?.ways ?? []
    const cases = ways.filter(({ from }) => from !== null)
    const chosen = cases.find(({ from }) => typeof from === "number" && n >= from)
    const rest = cases.filter(({ from }) => from === "default")
    const taken = [
      ...ways.filter(({ from }) => from === null),
      ...(chosen === undefined ? rest : cases.filter(({ from, to }) => to === chosen.to && from === chosen.from))
    ]
    const targets = new Set<number>()
    for (const { to } of taken) for (const each of nodes[to]?.disabled === true ? next(to) : [to]) targets.add(each)
    return targets
  }
  const starts = nodes.flatMap((_, node) =>
    isInGraph(graph, node) && !nodes.some(({ ways }) => ways.some(({ to }) => to === node)) ? [node] : []
  )
  const entering = new Set<number>()
  for (const start of starts) {
    if (nodes[start]?.disabled !== true) entering.add(start)
    else if (decides(graph, start)) {
      const targets = next(start)
      if (targets.size === 0) ends.push("")
      for (const target of targets) arriving[target]?.push("")
    } else for (const target of next(start)) if (startsHere(graph, target)) entering.add(target)
  }
  for (const [node, { disabled, from }] of nodes.entries()) {
    if (disabled) continue
    const came = [...(entering.has(node) ? [""] : []), ...(arriving[node] ?? [])]
    const targets = next(node)
    for (const way of came) {
      const gone = n >= from ? `${way}/n${node}` : way
      if (targets.size === 0) ends.push(gone)
      for (const target of targets) arriving[target]?.push(gone)
    }
  }
  return ends.toSorted()
}

/** Whether the edges behind a disabled node, and behind disabled ones after it, have conditions. */
const decides = ({ nodes }: Graph, node: number): boolean =>
  nodes[node]?.ways.some(
    ({ from, to }) => from !== null || (nodes[to]?.disabled === true && decides({ nodes }, to))
  ) === true

/** An enabled node that no enabled node leads to, however many disabled ones lie between. */
const startsHere = ({ nodes }: Graph, node: number): boolean =>
  nodes.every(
    ({ disabled, ways }, source) => !ways.some(({ to }) => to === node) || (disabled && startsHere({ nodes }, source))
  )

/** Graphs where a bridge over disabled nodes runs beside another way are tested with tables: there the bridge may be left out. */
const isSimple = ({ nodes }: Graph): boolean =>
  nodes.every(({ disabled }) => !disabled) || nodes.every(({ ways }) => ways.length < 2)

describe("a random graph", () => {
  const rounds = 300

  it.effect("takes every item exactly where a simple interpreter takes it", () =>
    Effect.gen(function* () {
      let compared = 0
      let disabled = 0
      for (let round = 0; round < rounds; round++) {
        const drawn = yield* randomGraph
        const graph = isSimple(drawn) ? drawn : { nodes: drawn.nodes.map((node) => ({ ...node, disabled: false })) }
        const runs = graph.nodes.some((node, index) => !node.disabled && isInGraph(graph, index))
        if (!runs) continue
        const items = itemsOf(6)
        const result = yield* Harness.run(definitionOf(graph), items)
        for (const item of items) {
          const n = Number(item.data["n"])
          const ours = result.items
            .filter((each) => each.id?.canonical_id === item.id?.canonical_id)
            .map(({ executor_logs }) => executor_logs.map(({ executor_id }) => `/${executor_id}`).join(""))
          assert.deepStrictEqual(ours.toSorted(), waysOf(graph, n), JSON.stringify(definitionOf(graph)))
        }
        compared += 1
        if (graph.nodes.some((node) => node.disabled)) disabled += 1
      }
      assert.isAbove(compared, rounds / 2)
      assert.isAbove(disabled, 5)
    }).pipe(Effect.withRandom(Random.make("a graph")), Effect.provide(Harness.layer()))
  )
})

describe("interruption", () => {
  it.effect("at any moment leaves nothing running", () =>
    Effect.gen(function* () {
      let open = 0
      let most = 0
      const busy = Executor.define<{ readonly seconds: Settings.Setting<number> }>({
        type: "busy",
        category: "Utility",
        name: "Busy",
        description: "Works for a second, and counts who works.",
        settings: { seconds: Settings.number({ description: "How long.", default: 1 }) },
        make: ({ seconds }) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              open += 1
              most = Math.max(most, open)
            }),
            () => Effect.sync(() => (open -= 1))
          ).pipe(
            Effect.as({
              process: (items: ReadonlyArray<Content>) =>
                Effect.acquireUseRelease(
                  Effect.sync(() => (open += 1)),
                  () => Effect.delay(Effect.succeed(items), `${seconds} seconds`),
                  () => Effect.sync(() => (open -= 1))
                )
            })
          )
      })
      const layer = Harness.layer({ executors: [busy, PassThrough.executor] })
      let stopped = 0
      for (let round = 0; round < 60; round++) {
        const graph = yield* randomGraph
        const definition = definitionOf(graph)
        const executors = definition.executors.map((each) => ({ id: each.id, type: "busy" }))
        const fiber = yield* Effect.fork(
          Harness.run({ ...definition, executors }, itemsOf(3)).pipe(Effect.provide(layer), Effect.either)
        )
        const moment = yield* Random.nextIntBetween(0, 5)
        for (let second = 0; second < moment; second++) {
          yield* Effect.repeatN(Effect.yieldNow(), 20)
          yield* TestClock.adjust("500 millis")
        }
        yield* Effect.repeatN(Effect.yieldNow(), yield* Random.nextIntBetween(0, 30))
        const exit = yield* Fiber.interrupt(fiber)
        if (exit._tag === "Failure") stopped += 1
        assert.strictEqual(open, 0, `round ${round}`)
      }
      assert.isAbove(stopped, 20)
      assert.isAbove(most, 2)
    }).pipe(Effect.withRandom(Random.make("a moment")))
  )

  it.effect("reaches the nodes of a branch that was forked by another branch", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const ended: Array<string> = []
      let working = 0
      const stuck = Executor.define({
        type: "stuck",
        category: "Utility",
        name: "Stuck",
        description: "Never ends.",
        settings: {},
        make: (_, context) =>
          Effect.succeed({
            process: () => {
              working += 1
              const ready = working === 3 ? Deferred.succeed(started, undefined) : Effect.void
              return Effect.zipRight(ready, Effect.never).pipe(
                Effect.onInterrupt(() => Effect.sync(() => ended.push(context.id)))
              )
            }
          })
      })
      const definition = {
        name: "p",
        executors: [
          ...["s", "l", "r"].map((id) => ({ id, type: "pass_through" })),
          ...["x", "y", "z"].map((id) => ({ id, type: "stuck" }))
        ],
        edges: [
          { from: "s", to: ["l", "r"], type: "parallel" },
          { from: "r", to: ["x", "y", "z"], type: "parallel" }
        ]
      }
      const layer = Harness.layer({ executors: [stuck, PassThrough.executor] })
      const fiber = yield* Effect.fork(Harness.run(definition, itemsOf(1)).pipe(Effect.provide(layer)))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(ended.toSorted(), ["x", "y", "z"])
    })
  )
})
