import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import * as EventLoopTurns from "../concurrency/EventLoopTurns.ts"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { type Content, nameOf } from "../domain/Content.ts"
import { ExecutorError } from "../executor/ExecutorError.ts"
import type { RunFacts } from "../executor/RunFacts.ts"
import { Meter } from "../executor/Usage.ts"
import * as Spans from "../telemetry/Spans.ts"
import * as Node from "./Node.ts"
import type { NodeReport, RunFailure, RunResult, RunWatcher } from "./RunReport.ts"
import type { Route, Slot, Switch, RunGraph, RunGraphNode } from "./RunGraph.ts"

/** What runs: the graph, and its nodes by the same numbers. */
export interface Runnable {
  readonly nodes: ReadonlyArray<Node.Node | undefined>
  readonly graph: RunGraph
}

/**
 * Runs the graph on these items. A node starts when its inputs are there. A line of nodes stays in one fiber; a fork gets a fiber for
 * each further branch, and the branch that arrives last at a join goes on behind it. The first failure, and an interruption, reach all
 * of them. Nodes are built in the scope, which outlives the run.
 */
export const run = (
  runnable: Runnable,
  items: ReadonlyArray<Content>,
  facts: RunFacts | undefined,
  watcher: RunWatcher = {},
  meter?: Meter
): Effect.Effect<RunResult, RunFailure, Scope.Scope> =>
  Effect.clockWith((clock) => {
    const state = new GraphRun(runnable, clock, facts, meter, watcher.beforeNode)
    watcher.begin?.(() => state.reports())
    return Effect.matchEffect(state.start(items), {
      onSuccess: () => Effect.succeed({ items: state.results(), nodes: state.reports() }),
      onFailure: (error): Effect.Effect<never, RunFailure> =>
        Effect.fail({ _tag: "RunFailure", error, nodes: state.reports() })
    })
  })

const nodeSpan = <E, R>(node: Node.Node, items: number, work: Effect.Effect<Node.NodeResult, E, R>) =>
  Spans.around(
    node.type,
    { attributes: () => ({ "contentflow.executor.id": node.id, "contentflow.items": items }) },
    Effect.tap(work, ({ error }) =>
      error === null
        ? Effect.void
        : Spans.annotate(() => ({ "error.type": error.reason, "error.message": error.message }))
    )
  )

/** Null stands for "nothing will come": the node is skipped, and so is what only it leads to. */
type NodeInput = ReadonlyArray<Content> | null

interface NodeRun {
  readonly startedAt: number
  readonly itemsIn: number
  /** Undefined while the node works. */
  readonly end?: {
    readonly status: "completed" | "failed" | "skipped"
    readonly at: number
    readonly itemsOut: number
    readonly itemsFailed: number
    readonly error: string | null
  }
}

class GraphRun {
  private readonly nodes: Runnable["nodes"]
  private readonly graph: RunGraph
  private readonly clock: Clock.Clock
  private readonly facts: RunFacts | undefined
  /** Of the node that this run is inside of, if any. */
  private readonly meter: Meter | undefined
  private readonly meters: Array<Meter | undefined> = []
  /** What the wall clock showed when the run began, less the monotonic time of that moment. */
  private readonly wallOffset: number
  private readonly beforeNode: RunWatcher["beforeNode"]
  /** What arrived at joins, by slot; undefined where nothing did yet. */
  private readonly arrived = new Map<number, Array<NodeInput | undefined>>()
  /** Joins that have gone on; what still arrives there is dropped. */
  private readonly joined = new Set<number>()
  private readonly stops = new Map<number, Deferred.Deferred<void>>()
  /** Completed by the first failure of any branch, or when the first branch has ended, which waits for all others. */
  private readonly done = Deferred.unsafeMake<void, ExecutorError>(FiberId.none)
  private readonly progress: Array<NodeRun | undefined> = []
  /** Items that wait at joins or have left the graph. */
  private held = 0
  /** The items that left the graph behind a node. */
  private readonly leftovers: Array<ReadonlyArray<Content> | undefined> = []

  constructor(
    { nodes, graph }: Runnable,
    clock: Clock.Clock,
    facts: RunFacts | undefined,
    meter: Meter | undefined,
    beforeNode: RunWatcher["beforeNode"]
  ) {
    this.nodes = nodes
    this.graph = graph
    this.clock = clock
    this.facts = facts
    this.meter = meter
    this.wallOffset = clock.unsafeCurrentTimeMillis() - MonotonicTime.unsafeNow(clock)
    this.beforeNode = beforeNode
  }

  start(items: ReadonlyArray<Content>): Effect.Effect<void, ExecutorError, Scope.Scope> {
    const whole = this.runReady(this.graph.starts.map((node) => ({ node, input: items })))
    if (!this.graph.forks) return whole
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.fork(restore(Effect.intoDeferred(whole, this.done))), (branch) =>
        Effect.onExit(restore(Deferred.await(this.done)), () => Fiber.interrupt(branch))
      )
    )
  }

  results(): ReadonlyArray<Content> {
    return this.leftovers.flatMap((items) => items ?? [])
  }

  reports(): ReadonlyArray<NodeReport> {
    const now = this.now()
    return this.progress.flatMap((progress, index) => {
      const node = this.nodes[index]
      if (progress === undefined || node === undefined) return []
      const { end, itemsIn, startedAt } = progress
      const meter = this.meters[index]
      const usage = meter?.all() ?? []
      const saved = meter?.saved() ?? []
      const steps = meter?.steps()
      return {
        executorId: node.id,
        type: node.type,
        status: end?.status ?? "interrupted",
        startedAt,
        endedAt: end?.at ?? now,
        itemsIn,
        itemsOut: end?.itemsOut ?? 0,
        itemsFailed: end?.itemsFailed ?? 0,
        error: end?.error ?? null,
        ...(usage.length === 0 ? {} : { usage }),
        ...(saved.length === 0 ? {} : { saved }),
        ...(steps === undefined ? {} : { steps })
      }
    })
  }

  /** The times of one run fit together, though the wall clock steps meanwhile. */
  private now(): number {
    return MonotonicTime.unsafeNow(this.clock) + this.wallOffset
  }

  /** Runs what became ready: one node in this fiber, and one fiber for each further node. */
  private runReady(
    ready: Array<Ready>,
    from = 0,
    working: Array<Ready & { readonly input: ReadonlyArray<Content> }> = []
  ): Effect.Effect<void, ExecutorError, Scope.Scope> {
    for (let at = from; at < ready.length; at++) {
      const { input, node } = ready[at] as Ready
      const place = this.graph.nodes[node]
      if (place === undefined) continue
      if (place.kind === "virtual" && input !== null) {
        return Effect.flatMap(this.send(node, place, input, ready), (error) =>
          error === null ? this.runReady(ready, at + 1, working) : Effect.fail(error)
        )
      } else if (place.kind === "silent" || input === null) {
        const error = this.skip(node, place, ready)
        if (error !== null) return Effect.fail(error)
      } else if (!place.stoppedBy.some((join) => this.joined.has(join))) {
        working.push({ node, input })
      }
    }
    const [first, ...others] = working
    if (first === undefined) return Effect.void
    const work = this.work(first.node, first.input)
    if (others.length === 0) return work
    return Effect.flatMap(
      Effect.forEach(others, (other) => Effect.fork(this.branch(other.node, other.input))),
      (branches) => Effect.zipRight(work, Effect.forEach(branches, Fiber.await, { discard: true }))
    )
  }

  /** Fails the run instead of its own fiber, which may not be awaited yet. A branch does not outlive the one that forked it. */
  private branch(node: number, items: ReadonlyArray<Content>): Effect.Effect<void, never, Scope.Scope> {
    return Effect.catchAllCause(this.work(node, items), (cause) => Deferred.failCause(this.done, cause))
  }

  private work(index: number, items: ReadonlyArray<Content>): Effect.Effect<void, ExecutorError, Scope.Scope> {
    const place = this.graph.nodes[index]
    const node = this.nodes[index]
    if (place === undefined || node === undefined) return Effect.void
    const startedAt = this.now()
    this.progress[index] = { startedAt, itemsIn: items.length }
    const end = (result: Node.NodeResult): Effect.Effect<void, ExecutorError, Scope.Scope> => {
      const ready: Array<Ready> = []
      const sent = result.fatal
        ? Effect.succeed(result.error)
        : this.allDeparted(items, result.items)
          ? Effect.succeed(this.sendNothing(place, ready))
          : this.send(index, place, result.items, ready)
      return Effect.flatMap(sent, (failed) => {
        this.finish(index, node, result.items, failed ?? result.error)
        if (failed !== null) return Effect.fail(failed)
        return node.settings.debug
          ? Effect.zipRight(this.debug(index, node), this.runReady(ready))
          : this.runReady(ready)
      })
    }
    const meter = new Meter(this.meter)
    this.meters[index] = meter
    const run = <A, E, R>(then: (result: Node.NodeResult) => Effect.Effect<A, E, R>) => {
      const work = <A, E, R>(next: (result: Node.NodeResult) => Effect.Effect<A, E, R>) =>
        Node.run(node, () => node.open(this.facts, meter), items, this.clock, next)
      // What follows the node is no part of its span.
      const running = Spans.whenTraced(
        () => work(then),
        () => Effect.flatMap(nodeSpan(node, items.length, work(Effect.succeed)), then)
      )
      return this.beforeNode === undefined ? running : Effect.zipRight(this.beforeNode(node, items), running)
    }
    if (place.stoppedBy.length === 0) return run(end)
    const stopped = Effect.raceAll(place.stoppedBy.map((join) => Deferred.await(this.stop(join))))
    return Effect.flatMap(Effect.raceFirst(run(Effect.succeed), stopped), (result) =>
      result === undefined ? Effect.void : end(result)
    )
  }

  /** Whether every document that came to a node left the run there: what follows has nothing to do, which is not an empty result. */
  private allDeparted(before: ReadonlyArray<Content>, after: ReadonlyArray<Content>): boolean {
    const departures = this.facts?.departures
    return (
      departures !== undefined &&
      departures.size > 0 &&
      before.length > 0 &&
      after.length === 0 &&
      before.every((item) => departures.has(nameOf(item)))
    )
  }

  private sendNothing({ conditional, route }: RunGraphNode, ready: Array<Ready>): null {
    for (const slot of route.always) this.deliver(slot, null, ready)
    for (const slot of conditional) this.deliver(slot, null, ready)
    return null
  }

  /** Hands the output of a node to its targets, and collects which of them are ready. */
  private send(
    index: number,
    place: RunGraphNode,
    items: ReadonlyArray<Content>,
    ready: Array<Ready>
  ): Effect.Effect<ExecutorError | null> {
    const { always, switches } = place.route
    if (items.length > maxItems) return Effect.succeed(tooMany(this.nodes[index], "put out", items.length))
    if (switches.length > 0) return this.sendByCase(index, place, items, ready)
    return Effect.succeed(
      (always.length === 0 ? this.leave(index, items) : null) ?? this.deliverAll(always, items, ready)
    )
  }

  private leave(index: number, items: ReadonlyArray<Content>): ExecutorError | null {
    this.leftovers[index] = items
    this.held += items.length
    return this.held > maxItems ? tooMany(this.nodes[index], "put out", this.held) : null
  }

  private deliverAll(slots: ReadonlyArray<Slot>, input: NodeInput, ready: Array<Ready>): ExecutorError | null {
    for (const slot of slots) {
      const error = this.deliver(slot, input, ready)
      if (error !== null) return error
    }
    return null
  }

  /** Every item takes its own way: a target of a switch gets the items whose way leads there, or nothing. */
  private sendByCase(
    index: number,
    { conditional, route }: RunGraphNode,
    items: ReadonlyArray<Content>,
    ready: Array<Ready>
  ): Effect.Effect<ExecutorError | null> {
    const node = this.nodes[index]
    const id = node ?? { id: "input" as Node.Node["id"] }
    const sorted = new Map<number, Array<Content>>(conditional.map((slot) => [slot.node, []]))
    const left: Array<Content> = []
    const all: Array<Content> = []
    let failure: ExecutorError | null = null
    const look = (original: Content): boolean => {
      let item = original
      const targets = new Set<number>()
      // Several switches may lead to one route behind disabled nodes.
      const routes = new Set([route])
      for (const current of routes) {
        for (const slot of current.always) targets.add(slot.node)
        for (const each of current.switches) {
          const chosen = choose(id, each, original)
          if (Either.isRight(chosen)) {
            if (chosen.right !== null) routes.add(chosen.right)
          } else if (node?.settings.failOnError === false) {
            item = Node.markEdge(id, item, chosen.left, this.clock)
          } else {
            failure = chosen.left
            return false
          }
        }
      }
      all.push(item)
      for (const target of targets) sorted.get(target)?.push(item)
      if (targets.size === 0) left.push(item)
      return true
    }
    return Effect.map(EventLoopTurns.each(items, look), () => {
      const error =
        failure ?? (left.length > 0 ? this.leave(index, left) : null) ?? this.deliverAll(route.always, all, ready)
      if (error !== null) return error
      for (const slot of conditional) {
        const chosen = sorted.get(slot.node) ?? []
        const error = this.deliver(slot, chosen.length === 0 ? null : chosen, ready)
        if (error !== null) return error
      }
      return null
    })
  }

  private skip(index: number, { conditional, route }: RunGraphNode, ready: Array<Ready>): ExecutorError | null {
    const now = this.now()
    this.progress[index] = {
      startedAt: now,
      itemsIn: 0,
      end: { status: "skipped", at: now, itemsOut: 0, itemsFailed: 0, error: null }
    }
    return this.deliverAll([...route.always, ...conditional], null, ready)
  }

  /** Fails where more items come together than a run may have, before they are put into one list. */
  private deliver({ node, slot }: Slot, input: NodeInput, ready: Array<Ready>): ExecutorError | null {
    const place = this.graph.nodes[node]
    if (place === undefined) return null
    if (place.sources.length === 1) {
      ready.push({ node, input })
      return null
    }
    if (this.joined.has(node)) return null
    const arrived = this.arrived.get(node) ?? place.sources.map(() => undefined)
    this.arrived.set(node, arrived)
    arrived[slot] = input
    this.held += input?.length ?? 0
    if (this.held > maxItems) return tooMany(this.nodes[node], "get", this.held)
    const joined = joinOf(place, input, arrived)
    if (joined === undefined) return null
    for (const each of arrived) this.held -= each?.length ?? 0
    this.joined.add(node)
    this.arrived.delete(node)
    ready.push({ node, input: joined })
    if (place.wait === "first") Deferred.unsafeDone(this.stop(node), Effect.void)
    return null
  }

  private stop(join: number): Deferred.Deferred<void> {
    const known = this.stops.get(join)
    if (known !== undefined) return known
    const stop = Deferred.unsafeMake<void>(FiberId.none)
    this.stops.set(join, stop)
    return stop
  }

  private finish(index: number, node: Node.Node, items: ReadonlyArray<Content>, error: ExecutorError | null): void {
    const { itemsIn, startedAt } = this.progress[index] ?? { itemsIn: 0, startedAt: 0 }
    this.progress[index] = {
      itemsIn,
      startedAt,
      end: {
        status: error === null ? "completed" : "failed",
        at: this.now(),
        itemsOut: items.length,
        itemsFailed: failedItems(node, items),
        error: error?.message ?? null
      }
    }
  }

  private debug(index: number, node: Node.Node): Effect.Effect<void> {
    const { end, itemsIn, startedAt } = this.progress[index] ?? { itemsIn: 0, startedAt: 0 }
    const took = (end?.at ?? startedAt) - startedAt
    return Effect.logInfo(`${node.id} (${node.type}): ${itemsIn} items in, ${end?.itemsOut ?? 0} out, ${took} ms`)
  }
}

/**
 * Of one run: what its nodes put out, what waits at joins, and its result. Each join gets the items of all its branches, so that a short row of
 * forks and joins could ask for any number.
 */
const maxItems = 250_000

const tooMany = (node: Node.Node | undefined, verb: "get" | "put out", count: number): ExecutorError =>
  new ExecutorError({
    reason: "Setting",
    executorId: node?.id ?? "input",
    itemId: null,
    message: `${node?.id ?? "The input"} would ${verb} ${count} items, and a run may have ${maxItems}. A join gets the items of all its branches: use fan_in_aggregator where they are the same documents, or split the work into several tasks.`
  })

interface Ready {
  readonly node: number
  readonly input: NodeInput
}

/** What a join goes on with now, or undefined while it has to wait. */
const joinOf = (
  place: RunGraphNode,
  input: NodeInput,
  arrived: ReadonlyArray<NodeInput | undefined>
): NodeInput | undefined => {
  if (place.wait !== "all" && input !== null) return input
  if (arrived.some((each) => each === undefined)) return undefined
  const lists = arrived.filter((each) => each !== undefined && each !== null)
  return lists.length === 0 ? null : lists.flat()
}

/** The first case that the item meets, else the default; null when the item goes nowhere. */
const choose = (
  node: Pick<Node.Node, "id">,
  { cases, otherwise }: Switch,
  item: Content
): Either.Either<Route | null, ExecutorError> => {
  for (const { condition, route } of cases) {
    const meets = Node.meetsCondition(node, condition, item)
    if (Either.isLeft(meets)) return Either.left(meets.left)
    if (meets.right) return Either.right(route)
  }
  return Either.right(otherwise)
}

/** A node writes its entry last, so only the end of the log is looked at. */
const failedItems = (node: Node.Node, items: ReadonlyArray<Content>): number => {
  let failed = 0
  for (const { executor_logs } of items) {
    const last = executor_logs[executor_logs.length - 1]
    if (last !== undefined && last.status === "failed" && last.executor_id === node.id) failed += 1
  }
  return failed
}
