import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { type Content, nameOf, withLog } from "../domain/Content.ts"
import * as DataBounds from "../domain/DataBounds.ts"
import type { ExecutorId } from "../domain/Ids.ts"
import { redact } from "../domain/Redaction.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import type { ExecutorContext, ExecutorInstance } from "../executor/Executor.ts"
import * as KeptSteps from "../executor/KeptSteps.ts"
import { ExecutorError, withoutSecrets } from "../executor/ExecutorError.ts"
import type { RunFacts } from "../executor/RunFacts.ts"
import type { Meter } from "../executor/Usage.ts"
import * as Retry from "../executor/Retry.ts"
import * as WaitingTime from "../concurrency/WaitingTime.ts"
import type { CommonSettings } from "./CommonSettings.ts"
import * as EventLoopTurns from "../concurrency/EventLoopTurns.ts"
import * as Condition from "../condition/Condition.ts"
import * as UnexpectedFailure from "../executor/UnexpectedFailure.ts"

/** A node with everything decided that a run needs. */
export interface Node {
  readonly id: ExecutorId
  readonly type: string
  readonly settings: CommonSettings
  readonly condition: Condition.Condition | null
  /** Whether a failure of the node is noted in the items that go on. A document set fails as a whole, which no document did. */
  readonly marksItems: boolean
  readonly open: Open<Scope.Scope>
}

/** Builds the node for a run. May throw what the executor throws. */
export type Open<R> = (run: RunFacts | undefined, meter: Meter) => Effect.Effect<ExecutorInstance, ExecutorError, R>

/**
 * The node with its results kept where it does not do that itself: the work on a single item is then one step. Such a node may write its name
 * and its pipeline's into what it gives.
 */
export const keeping = (
  instance: ExecutorInstance,
  steps: KeptSteps.KeptSteps,
  { id, pipelineName }: Pick<ExecutorContext, "id" | "pipelineName">,
  run: RunFacts | undefined
): ExecutorInstance =>
  instance.keepsSteps === true
    ? instance
    : {
        ...instance,
        process: (items) => {
          const [item] = items
          if (item === undefined || items.length > 1) return instance.process(items)
          let others: ReadonlyArray<Content> | undefined
          const reads = Effect.sync(() => [pipelineName, id, KeptSteps.wholeItem(run, item)])
          const work = (progress: KeptSteps.StepProgress) =>
            Effect.map(instance.process(items), (given): KeptSteps.Done => {
              const [only] = given
              if (only !== undefined && given.length === 1) return { item: only, details: {} }
              others = given
              progress.discard()
              return { item, details: {} }
            })
          return Effect.map(steps.around(item, reads, work), (done) => others ?? [done.item])
        }
      }

export interface NodeResult {
  readonly items: ReadonlyArray<Content>
  readonly error: ExecutorError | null
  /** Whether the error ends the run: `fail_pipeline_on_error` is on. */
  readonly fatal: boolean
}

/**
 * Runs a node on its input, and goes on with the result: items that do not meet its condition pass unchanged and keep
 * their place; an error ends the run or is noted in the log of the items, which go on as they came. Every failure, a defect of an
 * executor too, is a result.
 */
export const run = <R, A, E, R2>(
  node: Node,
  open: () => ReturnType<Open<R>>,
  items: ReadonlyArray<Content>,
  clock: Clock.Clock,
  then: (result: NodeResult) => Effect.Effect<A, E, R2>
): Effect.Effect<A, E, R | R2> => {
  const { condition } = node
  if (condition === null || items.length === 0) return work(node, open, items, clock, then)
  return Effect.flatMap(select(node, condition, items, clock), ({ chosen, error, fatal, passing, places }) => {
    if (fatal) return then({ items: [], error, fatal })
    if (chosen.length === 0) return then({ items: passing, error, fatal })
    return work(node, open, chosen, clock, (result) =>
      then({
        items: chosen.length === items.length ? result.items : rejoin(result.items, places, passing),
        error: result.error ?? error,
        fatal: result.fatal
      })
    )
  })
}

interface Selection {
  readonly chosen: ReadonlyArray<Content>
  /** The indices of the chosen among all. */
  readonly places: ReadonlyArray<number>
  /** All items, those with an error of the condition with it in their log. */
  readonly passing: ReadonlyArray<Content>
  readonly error: ExecutorError | null
  /** Whether the error ends the run. */
  readonly fatal: boolean
}

const select = (
  node: Node,
  condition: Condition.Condition,
  items: ReadonlyArray<Content>,
  clock: Clock.Clock
): Effect.Effect<Selection> => {
  const chosen: Array<Content> = []
  const places: Array<number> = []
  const passing: Array<Content> = []
  let error: ExecutorError | null = null
  let fatal = false
  const look = (item: Content, index: number): boolean => {
    // As in the original, an item without id meets every condition.
    const meets = item.id === null ? Either.right(true) : meetsCondition(node, condition, item)
    if (Either.isRight(meets)) {
      passing.push(item)
      if (!meets.right) return true
      chosen.push(item)
      places.push(index)
    } else {
      error ??= meets.left
      fatal = node.settings.failOnError
      if (!fatal) passing.push(mark(node, item, meets.left, clock.unsafeCurrentTimeMillis(), clock))
    }
    return !fatal
  }
  return Effect.map(EventLoopTurns.each(items, look), () => ({ chosen, places, passing, error, fatal }))
}

/** Whether an item meets a condition of this node or of an edge that leaves it. */
export const meetsCondition = (
  node: Pick<Node, "id">,
  condition: Condition.Condition,
  item: Content
): Either.Either<boolean, ExecutorError> =>
  Either.mapLeft(
    Condition.evaluate(condition, rootsOf(item)),
    ({ message }) =>
      new ExecutorError({
        reason: "Document",
        executorId: node.id,
        itemId: nameOf(item),
        message: `${node.id}: ${message}`
      })
  )

const rootsOf = ({ data, executor_logs, id, summary_data }: Content): Readonly<Record<string, unknown>> => ({
  id,
  summary_data,
  data,
  executor_logs
})

/** One result for each chosen item takes its place; with any other number the places are unknown. */
const rejoin = (
  results: ReadonlyArray<Content>,
  places: ReadonlyArray<number>,
  passing: ReadonlyArray<Content>
): ReadonlyArray<Content> => {
  const chosen = new Set(places)
  if (results.length !== places.length) return [...results, ...passing.filter((_, index) => !chosen.has(index))]
  const all = [...passing]
  for (const [index, result] of results.entries()) all[places[index] ?? index] = result
  return all
}

const work = <R, A, E, R2>(
  node: Node,
  open: () => ReturnType<Open<R>>,
  items: ReadonlyArray<Content>,
  clock: Clock.Clock,
  then: (result: NodeResult) => Effect.Effect<A, E, R2>
): Effect.Effect<A, E, R | R2> => {
  const startedAt = clock.unsafeCurrentTimeMillis()
  const working = Effect.suspend(() => {
    const opened = open()
    return isBuilt(opened)
      ? attempts(node, opened.value, items)
      : Effect.flatMap(opened, (instance) => attempts(node, instance, items))
  })
  const failed = (error: ExecutorError): Effect.Effect<A, E, R2> => {
    if (node.settings.failOnError || error.reason === "Throttled") return then({ items: [], error, fatal: true })
    if (!node.marksItems) return then({ items, error, fatal: false })
    const marked = EventLoopTurns.map(items, (item) => mark(node, item, error, startedAt, clock))
    return Effect.flatMap(marked, (kept) => then({ items: kept, error, fatal: false }))
  }
  return Effect.matchCauseEffect(bounded(node, working), {
    onSuccess: (results) =>
      Effect.flatMap(outOfBounds(node, results), (error) =>
        error === undefined ? then({ items: results, error: null, fatal: false }) : failed(error)
      ),
    onFailure: (cause) => failed(withoutSecrets(errorOf(node, items, cause)))
  })
}

/** Everything behind the node walks what it gave, so what never ends must not leave it. */
const outOfBounds = ({ id }: Node, results: ReadonlyArray<Content>): Effect.Effect<ExecutorError | undefined> => {
  let error: ExecutorError | undefined
  const look = (item: Content): boolean => {
    const problem = DataBounds.problemOf(item)
    if (problem === undefined) return true
    const name = item.id?.canonical_id ?? null
    error = new ExecutorError({
      reason: "Document",
      executorId: id,
      itemId: name,
      message: `${id}: what it gave for ${name ?? "an item without id"} ${problem}.`
    })
    return false
  }
  return Effect.map(EventLoopTurns.each(results, look), () => error)
}

/** Most nodes are built at once; then there is no need to go through an effect. */
const isBuilt = (
  opened: Effect.Effect<ExecutorInstance, unknown, unknown>
): opened is Exit.Success<ExecutorInstance, never> => Exit.isExit(opened) && Exit.isSuccess(opened)

const attempts = (
  { settings }: Node,
  instance: ExecutorInstance,
  items: ReadonlyArray<Content>
): Effect.Effect<ReadonlyArray<Content>, ExecutorError> =>
  settings.retry === null || instance.retriesItems === true
    ? instance.process(items)
    : Retry.retrying(
        settings.retry,
        Effect.suspend(() => instance.process(items))
      )

const bounded = <A, R>(
  { id, settings: { timeout } }: Node,
  effect: Effect.Effect<A, ExecutorError, R>
): Effect.Effect<A, ExecutorError, R> =>
  timeout === null
    ? effect
    : WaitingTime.timeoutFail(effect, {
        duration: timeout,
        onTimeout: () =>
          new ExecutorError({
            reason: "Timeout",
            executorId: id,
            itemId: null,
            message: `${id} took longer than ${Duration.toSeconds(timeout)} s (setting timeout_seconds).`
          })
      })

/** An interruption that reaches this handler is not ours, or no handler would run: something inside the executor was stopped. */
const errorOf = (node: Node, items: ReadonlyArray<Content>, cause: Cause.Cause<ExecutorError>): ExecutorError => {
  const failure = Cause.failureOption(cause)
  if (failure._tag === "Some") return failure.value
  const only = items.length === 1 ? items[0] : undefined
  const what = only === undefined ? `${items.length} items` : nameOf(only)
  const defect = Cause.isInterruptedOnly(cause) ? "its work was interrupted" : Cause.squash(cause)
  return new ExecutorError({
    reason: "Document",
    executorId: node.id,
    itemId: only === undefined ? null : nameOf(only),
    message: UnexpectedFailure.message(node.id, what, defect)
  })
}

const mark = (
  node: Pick<Node, "id">,
  item: Content,
  { message }: ExecutorError,
  startedAt: number,
  clock: Clock.Clock
): Content =>
  withLog(item, {
    executor_id: node.id,
    start_time: Timestamp.format(startedAt),
    end_time: Timestamp.format(clock.unsafeCurrentTimeMillis()),
    status: "failed",
    details: {},
    errors: [redact(message)]
  })

/** The item with an error of an edge's condition in its log. */
export const markEdge = (node: Pick<Node, "id">, item: Content, error: ExecutorError, clock: Clock.Clock): Content =>
  mark(node, item, error, clock.unsafeCurrentTimeMillis(), clock)

/** The items that go on, or the error that ends the run. */
export const settle = ({ error, fatal, items }: NodeResult): Effect.Effect<ReadonlyArray<Content>, ExecutorError> =>
  fatal && error !== null ? Effect.fail(error) : Effect.succeed(items)
