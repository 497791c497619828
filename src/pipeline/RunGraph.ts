import * as Either from "effect/Either"
import type * as Condition from "../condition/Condition.ts"
import type { DefinitionGraph, Wait } from "./DefinitionGraph.ts"

/** One input of a node: `slot` is the place of the edge among the node's sources. */
export interface Slot {
  readonly node: number
  readonly slot: number
}

/** Where items go: to all of `always`, and in each switch to the first case they meet. */
export interface Route {
  readonly always: ReadonlyArray<Slot>
  readonly switches: ReadonlyArray<Switch>
}

export interface Switch {
  readonly cases: ReadonlyArray<{ readonly condition: Condition.Condition; readonly route: Route }>
  readonly otherwise: Route | null
}

export interface RunGraphNode {
  /** `run`: its executor works. `virtual`: gives the task's items on unchanged. `silent`: an input whose documents are not in this task. */
  readonly kind: "run" | "virtual" | "silent"
  readonly sources: ReadonlyArray<number>
  readonly wait: Wait
  readonly route: Route
  /** The slots that only switches lead to: they may get nothing. */
  readonly conditional: ReadonlyArray<Slot>
  /** The joins with `wait_strategy: first` that stop this node when they go on: all its ways lead into them. */
  readonly stoppedBy: ReadonlyArray<number>
}

/** A graph that can run: disabled nodes are bridged, and what was crawled already is not run again. */
export interface RunGraph {
  /** By the definition's numbers; undefined for a node that takes no part. */
  readonly nodes: ReadonlyArray<RunGraphNode | undefined>
  readonly starts: ReadonlyArray<number>
  /** Whether two nodes may ever be ready at the same time. */
  readonly forks: boolean
}

/** `Crawled`: the items are the output of the input node with this number, or of one that the definition no longer has (null). */
export type Origin = { readonly _tag: "Defined" } | { readonly _tag: "Crawled"; readonly node: number | null }

/** More connections than this only come about when many disabled nodes with many neighbours follow each other. */
const maxConnections = 200_000

/** Disabled nodes with conditions that may follow each other: a switch within a switch for each. */
const maxNesting = 100

/** The graph that runs when the items come from `origin`, or why none does. */
export const resolve = (graph: DefinitionGraph, origin: Origin): Either.Either<RunGraph, string> => {
  const defined = kindsOf(graph, origin)
  if (!defined.some((kind) => kind === "run")) {
    return Either.left(
      origin._tag === "Crawled"
        ? "Nothing is left to run: the only enabled executor is the input that was crawled already."
        : "Nothing would run: every executor of the graph is disabled."
    )
  }
  const routes = routesOf(graph, defined)
  if (routes === undefined) return Either.left(tooLarge)
  // A disabled start has no predecessor that could take over the conditions of its edges.
  const kinds = defined.map((kind, node): Kind => {
    const decides = kind === "bridge" && graph.incoming[node]?.length === 0 && routes[node]?.switches.length !== 0
    return decides ? "virtual" : kind
  })
  const sources = sourcesOf(graph, kinds, routes)
  let placed = 0
  const slotIn = sources.map((list) => new Map(list.map((source, slot) => [source, slot])))
  const nodes = kinds.map((kind, node): RunGraphNode | undefined => {
    const rough = routes[node]
    if (rough === undefined || kind === "none" || kind === "bridge") return undefined
    const slot = (target: number): Slot => ({ node: target, slot: slotIn[target]?.get(node) ?? 0 })
    const inside = new Map<RoughRoute, Route>()
    const route = placed > maxConnections ? nowhere : place(rough, slot, inside)
    placed += inside.size
    return {
      kind,
      sources: sources[node] ?? [],
      wait: graph.wait[node] ?? "all",
      route,
      conditional: [...reached(rough)].filter((target) => !rough.always.has(target)).map(slot),
      stoppedBy: []
    }
  })
  if (placed > maxConnections) return Either.left(tooLarge)
  const starts = graph.order.filter((node) => nodes[node]?.sources.length === 0)
  const forks =
    starts.length > 1 ||
    nodes.some((node) => node !== undefined && node.route.always.length + node.conditional.length > 1)
  return Either.right({ nodes: withStops(nodes), starts, forks })
}

const tooLarge =
  "The graph is too large once its disabled executors are left out: too many of them follow each other. Remove some of them."

// --- Which nodes take part ---

type Kind = RunGraphNode["kind"] | "bridge" | "none"

const kindsOf = (graph: DefinitionGraph, origin: Origin): ReadonlyArray<Kind> => {
  const { mode, nodes, used } = graph
  const kinds = nodes.map((node, index): Kind => (used[index] !== true ? "none" : node.enabled ? "run" : "bridge"))
  const known = origin._tag === "Crawled" && origin.node !== null && used[origin.node] === true
  const crawled = (node: number): boolean =>
    origin._tag === "Crawled" && (known ? node === origin.node : nodes[node]?.canCrawl === true)
  if (mode === "single") {
    const start = graph.candidates.find((node) => !crawled(node))
    return kinds.map((_, node) => (node === start ? "run" : "none"))
  }
  if (origin._tag === "Defined") return kinds
  if (mode === "sequence") {
    // A sequence without the input is the sequence of the others, wherever the input stood.
    const roots = rootsOf(graph, kinds)
    return kinds.map((kind, node) => (kind !== "none" && crawled(node) && (known || roots.has(node)) ? "bridge" : kind))
  }
  const roots = rootsOf(graph, kinds)
  const dropped = known && origin.node !== null ? leadingOnlyTo(graph, origin.node) : new Set<number>()
  return kinds.map((kind, node) => {
    if (kind === "none" || dropped.has(node)) return "none"
    if (known && node === origin.node) return "virtual"
    if (kind !== "run" || !roots.has(node) || nodes[node]?.canCrawl !== true) return kind
    return known ? "silent" : "virtual"
  })
}

/** The enabled nodes that no enabled node precedes. */
const rootsOf = ({ incoming, order }: DefinitionGraph, kinds: ReadonlyArray<Kind>): ReadonlySet<number> => {
  const fed = new Set<number>()
  for (const node of order) {
    if ((incoming[node] ?? []).some((source) => kinds[source] !== "bridge" || fed.has(source))) fed.add(node)
  }
  return new Set(order.filter((node) => kinds[node] !== "bridge" && !fed.has(node)))
}

/** The nodes all of whose ways lead into `target`: an input node takes nothing from them. */
const leadingOnlyTo = ({ order, outgoing }: DefinitionGraph, target: number): Set<number> => {
  const dropped = new Set<number>()
  for (const node of order.toReversed()) {
    const out = outgoing[node]
    if (out === undefined || node === target) continue
    const targets = [...out.always, ...out.cases.flatMap((each) => each.targets), ...out.otherwise]
    if (targets.length > 0 && targets.every((each) => each === target || dropped.has(each))) dropped.add(node)
  }
  return dropped
}

// --- Where items go ---

/** A route of a disabled node is part of the routes of all that lead to it: one object, so that a chain of them does not double. */
interface RoughRoute {
  readonly always: Set<number>
  readonly switches: Array<RoughSwitch>
  /** Switches within one another. */
  depth: number
}

interface RoughSwitch {
  readonly cases: ReadonlyArray<{ readonly condition: Condition.Condition; readonly route: RoughRoute }>
  readonly otherwise: RoughRoute | null
}

/** The routes of all nodes, disabled ones included, from the ends to the starts. Undefined when they become too many. */
const routesOf = (
  graph: DefinitionGraph,
  kinds: ReadonlyArray<Kind>
): ReadonlyArray<RoughRoute | undefined> | undefined => {
  const routes: Array<RoughRoute | undefined> = kinds.map(() => undefined)
  let connections = 0
  const to = (targets: ReadonlyArray<number>): RoughRoute => {
    const always = new Set<number>()
    const switches = new Set<RoughSwitch>()
    let depth = 0
    for (const target of targets) {
      const beyond = kinds[target] === "bridge" ? routes[target] : undefined
      if (kinds[target] === "run") always.add(target)
      for (const each of beyond?.always ?? []) always.add(each)
      for (const each of beyond?.switches ?? []) switches.add(each)
      depth = Math.max(depth, beyond?.depth ?? 0)
    }
    connections += always.size + switches.size
    return { always, switches: [...switches], depth }
  }
  for (const node of graph.order.toReversed()) {
    const out = graph.outgoing[node]
    if (out === undefined || kinds[node] === "none") continue
    const direct = new Set(out.always.filter((target) => kinds[target] === "run"))
    const route = to(out.always)
    if (kinds[node] !== "bridge") dropDetours(route, direct, routes)
    if (out.cases.length > 0 || out.otherwise.length > 0) {
      const cases = out.cases.map(({ condition, targets }) => ({ condition, route: to(targets) }))
      const otherwise = out.otherwise.length > 0 ? to(out.otherwise) : null
      route.switches.push({ cases, otherwise })
      route.depth = Math.max(route.depth, otherwise?.depth ?? 0, ...cases.map((each) => each.route.depth)) + 1
    }
    if (connections > maxConnections || route.depth > maxNesting) return undefined
    routes[node] = route
  }
  return routes
}

/**
 * A disabled branch between a fork and its join adds nothing: where the items arrive anyway by an enabled way, the bridge over the
 * disabled node is left out, or their older state would take part in the join.
 */
const dropDetours = (
  route: RoughRoute,
  direct: ReadonlySet<number>,
  routes: ReadonlyArray<RoughRoute | undefined>
): void => {
  if (direct.size === 0 || route.always.size === direct.size) return
  const seen = new Set(direct)
  for (const node of seen) {
    for (const target of routes[node]?.always ?? []) {
      seen.add(target)
      if (!direct.has(target)) route.always.delete(target)
    }
  }
}

/** All nodes that a route can lead to. */
const reached = (route: RoughRoute): Set<number> => {
  const targets = new Set<number>()
  const routes = new Set([route])
  for (const { always, switches } of routes) {
    for (const target of always) targets.add(target)
    for (const { cases, otherwise } of switches) {
      for (const each of cases) routes.add(each.route)
      if (otherwise !== null) routes.add(otherwise)
    }
  }
  return targets
}

/** The sources of every node in the order of its edges; a disabled source stands for its own sources. */
const sourcesOf = (
  { incoming, nodes, order }: DefinitionGraph,
  kinds: ReadonlyArray<Kind>,
  routes: ReadonlyArray<RoughRoute | undefined>
): ReadonlyArray<ReadonlyArray<number>> => {
  const connected: ReadonlyArray<Set<number>> = nodes.map(() => new Set())
  for (const [source, route] of routes.entries()) {
    if (route === undefined || kinds[source] === "bridge") continue
    for (const target of reached(route)) connected[target]?.add(source)
  }
  const behind: Array<ReadonlyArray<number>> = nodes.map(() => [])
  const sources: Array<ReadonlyArray<number>> = nodes.map(() => [])
  for (const node of order) {
    const all = new Set(
      (incoming[node] ?? []).flatMap((source) =>
        kinds[source] === "bridge" ? (behind[source] ?? []) : kinds[source] === "none" ? [] : [source]
      )
    )
    if (kinds[node] === "bridge") behind[node] = [...all]
    else sources[node] = [...all].filter((source) => connected[node]?.has(source) === true)
  }
  return sources
}

const place = (route: RoughRoute, slot: (target: number) => Slot, done: Map<RoughRoute, Route>): Route => {
  const known = done.get(route)
  if (known !== undefined) return known
  const placed: Route = {
    always: [...route.always].map(slot),
    switches: route.switches.map(({ cases, otherwise }) => ({
      cases: cases.map((each) => ({ condition: each.condition, route: place(each.route, slot, done) })),
      otherwise: otherwise === null ? null : place(otherwise, slot, done)
    }))
  }
  done.set(route, placed)
  return placed
}

const nowhere: Route = { always: [], switches: [] }

// --- What a join that takes the first result may stop ---

/** Such joins within one another that may stop a node; beyond, it works to its end. */
const maxStops = 8

const withStops = (nodes: ReadonlyArray<RunGraphNode | undefined>): ReadonlyArray<RunGraphNode | undefined> => {
  const stops = new Map<number, Array<number>>()
  for (const [join, node] of nodes.entries()) {
    if (node?.wait !== "first" || node.sources.length < 2) continue
    const leading = new Map<number, number>()
    const pending = [join]
    for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
      for (const source of nodes[current]?.sources ?? []) {
        const count = (leading.get(source) ?? 0) + 1
        leading.set(source, count)
        const candidate = nodes[source]
        // Where items may leave the graph, they are part of the result and must not be lost.
        if (candidate?.kind !== "run" || candidate.route.switches.length > 0) continue
        if (count < candidate.route.always.length) continue
        const known = stops.get(source) ?? []
        if (known.length === maxStops) continue
        stops.set(source, [...known, join])
        pending.push(source)
      }
    }
  }
  if (stops.size === 0) return nodes
  return nodes.map((node, index) => (node === undefined ? undefined : { ...node, stoppedBy: stops.get(index) ?? [] }))
}
