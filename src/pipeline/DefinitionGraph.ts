import * as Either from "effect/Either"
import * as CutText from "../text/CutText.ts"
import * as Condition from "../condition/Condition.ts"
import type { Definition, Edge } from "./Definition.ts"
import type * as Problem from "./Problem.ts"

/** How a join waits: for all its live sources, or for whichever delivers first (`first` also stops the others). */
export type Wait = "all" | "any" | "first"

/** An executor as the graph sees it. */
export interface GraphNode {
  readonly id: string
  readonly type: string
  readonly enabled: boolean
  /** Whether it can be a vault's source. */
  readonly canCrawl: boolean
}

/** Items that meet `condition`, and no case before it, go to `targets`. */
export interface Case {
  readonly condition: Condition.Condition
  readonly targets: ReadonlyArray<number>
}

/** The edges that leave a node: every item goes to `always`, and to one of the cases if there are any. */
export interface Outgoing {
  readonly always: ReadonlyArray<number>
  readonly cases: ReadonlyArray<Case>
  /** The targets of `condition: default`. */
  readonly otherwise: ReadonlyArray<number>
}

/**
 * The graph as the definition has it, with its disabled nodes and its input node. Nodes are numbered in the order of `executors`.
 * It has no cycle, and every pair of nodes is connected once.
 */
export interface DefinitionGraph {
  readonly nodes: ReadonlyArray<GraphNode>
  /** `single`: without any edge one node runs, the first enabled of `candidates` that is not the excluded input. */
  readonly mode: "edges" | "sequence" | "single"
  readonly candidates: ReadonlyArray<number>
  /** Whether the node stands in the graph; one that does not is never built. */
  readonly used: ReadonlyArray<boolean>
  readonly outgoing: ReadonlyArray<Outgoing>
  /** The sources of each node: those of its joins first, in the order of `from`. */
  readonly incoming: ReadonlyArray<ReadonlyArray<number>>
  readonly wait: ReadonlyArray<Wait>
  /** The used nodes, sources before targets. */
  readonly order: ReadonlyArray<number>
}

export type Report = (severity: Problem.Problem["severity"], path: Problem.Path, message: string) => void

/** `used` says which executors the edges name; the graph is undefined after an error was reported. */
export interface BuiltGraph {
  readonly used: ReadonlyArray<boolean>
  readonly graph: DefinitionGraph | undefined
}

/** Reads the edges (or the sequence) of a definition. */
export const build = (definition: Definition, nodes: ReadonlyArray<GraphNode>, report: Report): BuiltGraph => {
  const builder = new GraphBuilder(nodes, report)
  if (definition.edges !== undefined) {
    for (const [index, edge] of definition.edges.entries()) builder.edge(edge, [...definition.at, "edges", index])
  } else builder.sequence(definition)
  return { graph: builder.finish(definition), used: builder.used }
}

interface Target {
  readonly node: number
  readonly condition: string | null
  readonly path: Problem.Path
}

interface MutableOutgoing {
  readonly always: Set<number>
  readonly cases: Array<Case>
  readonly otherwise: Set<number>
}

class GraphBuilder {
  readonly used: Array<boolean>
  private readonly nodes: ReadonlyArray<GraphNode>
  private readonly numbers: ReadonlyMap<string, number>
  private readonly outgoing: ReadonlyArray<MutableOutgoing>
  private readonly joined: ReadonlyArray<Set<number>>
  private readonly entering: ReadonlyArray<Set<number>>
  private readonly waits = new Map<number, Wait>()
  private readonly report: Report
  private failed = false
  private mode: DefinitionGraph["mode"] = "edges"

  constructor(nodes: ReadonlyArray<GraphNode>, report: Report) {
    this.nodes = nodes
    this.numbers = new Map(nodes.map(({ id }, index) => [id, index]))
    this.outgoing = nodes.map(() => ({ always: new Set(), cases: [], otherwise: new Set() }))
    this.joined = nodes.map(() => new Set())
    this.entering = nodes.map(() => new Set())
    this.used = nodes.map(() => false)
    this.report = report
  }

  edge(edge: Edge, path: Problem.Path): void {
    const type = edge.type ?? "sequential"
    if (!edgeTypes.includes(type)) {
      this.report(
        "warning",
        [...path, "type"],
        `The edge type ${quote(type)} is unknown; the edge counts as sequential.`
      )
    }
    const sources = [...new Set(this.sources(edge, path))]
    const targets = this.targets(edge, path)
    // A node counts as part of the graph even if the other end of its edge is missing.
    for (const source of sources) this.used[source] = true
    if (sources.length > 0) for (const { node } of targets) this.used[node] = true
    if (type === "parallel" && sources.length > 0 && new Set(targets.map(({ node }) => node)).size < 2) {
      return this.fail([...path, "to"], "A parallel edge needs a list of at least two executors in `to`.")
    }
    if (type === "join" && targets.length > 0 && sources.length < 2) {
      return this.fail([...path, "from"], "A join needs a list of at least two executors in `from`.")
    }
    if (sources.length === 0 || targets.length === 0) {
      return this.report("warning", path, "The edge is left out: it needs known executors in both `from` and `to`.")
    }
    const joins = type === "join" || sources.length > 1
    for (const { node } of targets) {
      if (joins) this.wait(edge, node, path)
      for (const source of sources) (joins ? this.joined : this.entering)[node]?.add(source)
    }
    this.connect(sources, targets)
  }

  sequence(definition: Definition): void {
    this.mode = "sequence"
    const ids = definition.execution_sequence ?? []
    const path = [...definition.at, "execution_sequence"]
    if (ids.length === 0) {
      return this.fail(definition.at, "There are neither `edges` nor an `execution_sequence`, so nothing would run.")
    }
    let before: number | undefined
    for (const [index, id] of ids.entries()) {
      const node = this.numbers.get(id)
      if (node === undefined && index === 0) {
        return this.fail([...path, 0], `The sequence starts with ${quote(id)}, but no executor has this id.`)
      }
      if (node === undefined) {
        this.report("warning", [...path, index], `No executor has the id ${quote(id)}; the sequence goes on behind it.`)
        continue
      }
      this.used[node] = true
      if (before !== undefined && before !== node) {
        this.outgoing[before]?.always.add(node)
        this.entering[node]?.add(before)
      }
      before = node
    }
  }

  finish(definition: Definition): DefinitionGraph | undefined {
    if (this.failed) return undefined
    const edgeless = this.entering.every(({ size }) => size === 0) && this.joined.every(({ size }) => size === 0)
    const candidates = this.mode === "edges" && edgeless ? this.single(definition) : []
    if (!this.used.some((used, node) => used && this.nodes[node]?.enabled === true)) {
      const message =
        this.nodes.length === 0 ? "The pipeline has no executors." : "Every executor of the graph is disabled."
      this.fail([...definition.at, "executors"], message)
      return undefined
    }
    const incoming = this.joined.map((joined, node) => [...new Set([...joined, ...(this.entering[node] ?? [])])])
    const order = this.order(incoming)
    if (order.length < this.used.filter(Boolean).length) {
      this.cycle(definition, incoming, order)
      return undefined
    }
    return {
      nodes: this.nodes,
      mode: this.mode,
      candidates,
      used: this.used,
      outgoing: this.outgoing.map(({ always, cases, otherwise }) => ({
        always: [...always],
        cases,
        otherwise: [...otherwise]
      })),
      incoming,
      wait: this.nodes.map((_, node) => this.waits.get(node) ?? "all"),
      order
    }
  }

  private fail(path: Problem.Path, message: string): void {
    this.failed = true
    this.report("error", path, message)
  }

  private number(id: string, path: Problem.Path): ReadonlyArray<number> {
    const node = this.numbers.get(id)
    if (node !== undefined) return [node]
    this.report("warning", path, `No executor has the id ${quote(id)}, so nothing is connected to it.`)
    return []
  }

  private sources(edge: Edge, path: Problem.Path): ReadonlyArray<number> {
    const from = edge.from ?? []
    return typeof from === "string"
      ? this.number(from, [...path, "from"])
      : from.flatMap((id, index) => this.number(id, [...path, "from", index]))
  }

  private targets(edge: Edge, path: Problem.Path): ReadonlyArray<Target> {
    const to = edge.to ?? []
    const listed =
      typeof to === "object" && "map" in to ? to.map((each, index) => [each, index] as const) : [[to, null] as const]
    const common = textOf(edge.condition)
    return listed.flatMap(([each, index]) => {
      const here = [...path, "to", ...(index === null ? [] : [index])]
      const id = typeof each === "string" ? each : each.target
      const own = typeof each === "string" ? null : textOf(each.condition)
      return this.number(id, here).map((node) => ({
        node,
        condition: own ?? common,
        path: own === null ? [...path, "condition"] : [...here, "condition"]
      }))
    })
  }

  /** One condition for several targets is one case; in a list with conditions, a target without one gets the rest. */
  private connect(sources: ReadonlyArray<number>, targets: ReadonlyArray<Target>): void {
    const conditional = targets.some(({ condition }) => condition !== null)
    const cases = new Map<string, { readonly path: Problem.Path; readonly targets: Array<number> }>()
    for (const target of targets) {
      const text = target.condition ?? (conditional ? "default" : null)
      if (text === null || text.toLowerCase() === "default") {
        for (const source of sources) this.outgoing[source]?.[text === null ? "always" : "otherwise"].add(target.node)
      } else {
        const same = cases.get(text)
        if (same === undefined) cases.set(text, { path: target.path, targets: [target.node] })
        else same.targets.push(target.node)
      }
    }
    for (const [text, { path, targets: to }] of cases) {
      const condition = readCondition(text, path, this.report)
      if (condition === undefined) this.failed = true
      else for (const source of sources) this.outgoing[source]?.cases.push({ condition, targets: to })
    }
  }

  private wait(edge: Edge, node: number, path: Problem.Path): void {
    const given = edge.wait_strategy ?? "all"
    const wait = waits.find((each) => each === (typeof given === "string" ? given.trim().toLowerCase() : given))
    if (wait === undefined) {
      const shown = typeof given === "string" ? quote(given) : "given"
      const message = `The wait_strategy ${shown} is unknown (known: ${waits.join(", ")}); the join waits for all.`
      this.report("warning", [...path, "wait_strategy"], message)
    }
    if (!this.waits.has(node)) this.waits.set(node, wait ?? "all")
  }

  /** Without edges only one node runs; an input that was crawled already leaves its place to the next. */
  private single(definition: Definition): ReadonlyArray<number> {
    this.mode = "single"
    const named = [...this.used.keys()].filter((node) => this.used[node] === true)
    const listed = (definition.execution_sequence ?? []).flatMap((id) => this.numbers.get(id) ?? [])
    const candidates = [...new Set([...named, ...listed, ...this.nodes.keys()])].filter(
      (node) => this.nodes[node]?.enabled === true
    )
    const last = candidates.findIndex((node) => this.nodes[node]?.canCrawl !== true)
    const kept = last < 0 ? candidates : candidates.slice(0, last + 1)
    this.used.fill(false)
    for (const node of kept) this.used[node] = true
    return kept
  }

  private order(incoming: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> {
    const waiting = incoming.map((sources) => sources.length)
    const order = [...waiting.keys()].filter((node) => this.used[node] === true && waiting[node] === 0)
    const targets: ReadonlyArray<Array<number>> = incoming.map(() => [])
    for (const [node, sources] of incoming.entries()) for (const source of sources) targets[source]?.push(node)
    for (let done = 0; done < order.length; done++) {
      for (const target of targets[order[done] ?? 0] ?? []) {
        const left = (waiting[target] ?? 0) - 1
        waiting[target] = left
        if (left === 0) order.push(target)
      }
    }
    return order
  }

  /** Walks against the edges among the nodes that never became free: each has a source there, so it must come round. */
  private cycle(
    definition: Definition,
    incoming: ReadonlyArray<ReadonlyArray<number>>,
    order: ReadonlyArray<number>
  ): void {
    const free = new Set(order)
    const seen = new Map<number, number>()
    const walked: Array<number> = []
    let node = this.used.findIndex((used, each) => used && !free.has(each))
    while (!seen.has(node)) {
      seen.set(node, walked.length)
      walked.push(node)
      node = incoming[node]?.find((source) => !free.has(source)) ?? node
    }
    const round = [...walked.slice(seen.get(node)), node].toReversed().map((each) => this.nodes[each]?.id)
    const shown = round.length <= 20 ? round : [...round.slice(0, 10), "…", ...round.slice(-5)]
    const place = definition.edges === undefined ? "execution_sequence" : "edges"
    this.fail([...definition.at, place], `The executors form a cycle, which would never end: ${shown.join(" → ")}.`)
  }
}

/** Parses a condition; reports an error, and what the parser warns of. */
export const readCondition = (text: string, path: Problem.Path, report: Report): Condition.Condition | undefined =>
  Either.match(Condition.parse(text), {
    onLeft: (error) => {
      report("error", path, error.message)
      return undefined
    },
    onRight: (condition) => {
      for (const warning of condition.warnings) report("warning", path, warning.message)
      return condition
    }
  })

const edgeTypes: ReadonlyArray<string> = ["sequential", "parallel", "join", "conditional", "conditional_parallel"]
const waits: ReadonlyArray<Wait> = ["all", "any", "first"]

/** A condition's text; null for none, and for a blank one. */
const textOf = (value: string | number | bigint | boolean | null | undefined): string | null => {
  const text = value === null || value === undefined ? "" : String(value).trim()
  return text === "" ? null : text
}

const quote = (text: string): string => JSON.stringify(CutText.cut(text, 100))
