import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { type Content, type ExecutorLogEntry, nameOf, withLog } from "../../domain/Content.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import * as Executor from "../../executor/Executor.ts"
import * as Settings from "../../executor/Settings.ts"

/**
 * `for_each_content`: takes every item through the same steps on its own. A step is a node: its `enabled`, `condition` and
 * `fail_pipeline_on_error` count. An item whose step fails goes on as the last good step left it, with the error in its log.
 */
export const executor = Executor.define({
  type: "for_each_content",
  category: "control_flow",
  name: "For Each Content",
  description: "Takes every item through a chain of steps, several items at the same time.",
  failOnError: false,
  settings: {
    steps: Settings.array({
      description: "The steps in their order, each a mapping with id, type and settings.",
      required: true
    }),
    max_concurrent: Settings.integer({ description: "Items in work at the same time.", default: 5, min: 1 }),
    timeout_per_item_secs: Settings.integer({
      description: "Seconds that all steps of one item may take.",
      default: 300,
      min: 1
    }),
    continue_on_error: Settings.boolean({
      description: "False: the first item that fails stops the others and fails the node.",
      default: true
    }),
    preserve_order: Settings.boolean({
      description: "Without effect: the results are always in the order of the items.",
      default: true
    })
  },
  check: ({ steps }) => problemsOf(steps),
  inner: ({ steps }) => steps.flatMap((raw, index) => readStep(raw, index) ?? []),
  make: (settings, context) => {
    const steps = context.inner ?? []
    const process = forItem(context, steps, settings)
    return Effect.succeed({
      process: (items) =>
        Effect.map(
          EventLoopTurns.forEach(items, process, {
            concurrency: settings.max_concurrent
          }),
          (results) => results.flat()
        )
    })
  }
})

// --- The setting `steps` ---

/** More steps than this are an accident. */
const maxSteps = 100

const readStep = (raw: unknown, index: number): Extract<Executor.Inner, { readonly _tag: "Step" }> | undefined => {
  if (!isMapping(raw)) return undefined
  const { id, settings, type } = raw
  if (typeof id !== "string" || id.trim() === "" || typeof type !== "string") return undefined
  return { _tag: "Step", path: ["steps", index], id, type, settings: isMapping(settings) ? settings : {} }
}

const problemsOf = (steps: ReadonlyArray<unknown>): ReadonlyArray<Settings.SettingProblem> => {
  if (steps.length === 0) return [{ path: ["steps"], message: "The setting steps must have at least one step." }]
  if (steps.length > maxSteps) {
    return [{ path: ["steps"], message: `The setting steps must have at most ${maxSteps} steps.` }]
  }
  const seen = new Set<string>()
  return steps.flatMap((raw, index) => {
    const path = ["steps", index]
    const step = readStep(raw, index)
    if (step === undefined || !isMapping(raw)) {
      return [{ path, message: "A step must be a mapping with the texts id and type." }]
    }
    if ("settings" in raw && !isMapping(raw["settings"])) {
      return [{ path: [...path, "settings"], message: "The settings of a step must be a mapping." }]
    }
    if (seen.has(step.id)) return [{ path, message: `The step id ${JSON.stringify(step.id)} appears twice.` }]
    seen.add(step.id)
    return []
  })
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// --- One item ---

interface Bounds {
  readonly timeout_per_item_secs: number
  readonly continue_on_error: boolean
}

const forItem = (
  context: Executor.ExecutorContext,
  steps: ReadonlyArray<Executor.InnerInstance>,
  { continue_on_error, timeout_per_item_secs }: Bounds
) => {
  const timeout = Duration.seconds(timeout_per_item_secs)
  return (item: Content, index: number): Effect.Effect<ReadonlyArray<Content>, Executor.ExecutorError> =>
    Effect.clockWith((clock) => {
      const startedAt = clock.unsafeCurrentTimeMillis()
      const began = MonotonicTime.unsafeNow(clock)
      const chain = new Chain(item, { item_index: index, for_each_parent: context.id }, clock)
      const bounded = Effect.timeoutFail(
        Effect.suspend(() => chain.run(steps)),
        {
          duration: timeout,
          onTimeout: () =>
            new Executor.ExecutorError({
              reason: "Timeout",
              executorId: context.id,
              itemId: nameOf(item),
              message: `${nameOf(item)} took longer than ${timeout_per_item_secs} s in ${context.id} (setting timeout_per_item_secs).`
            })
        }
      )
      const log = (entry: Pick<ExecutorLogEntry, "status" | "details" | "errors">) =>
        chain.items.map((each) => withLog(each, entryOf(context.id, startedAt, clock, entry)))
      return Effect.matchCauseEffect(bounded, {
        onSuccess: () => {
          const seconds = (MonotonicTime.unsafeNow(clock) - began) / 1000
          const details = { item_index: index, steps_completed: steps.length, duration_seconds: seconds }
          return Effect.succeed(log({ status: "completed", details, errors: [] }))
        },
        onFailure: (cause) => {
          const error = errorOf(context, item, cause)
          if (!continue_on_error || error.reason === "Throttled") return Effect.fail(error)
          const details = { item_index: index, step_count: steps.length }
          return Effect.succeed(log({ status: "failed", details, errors: [error.message] }))
        }
      })
    })
}

/** The way of one item through the steps. `items` is what it has become so far, which is not lost when a step fails. */
class Chain {
  items: ReadonlyArray<Content>
  private readonly details: Readonly<Record<string, unknown>>
  private readonly clock: Clock.Clock

  constructor(item: Content, details: Readonly<Record<string, unknown>>, clock: Clock.Clock) {
    this.items = [item]
    this.details = details
    this.clock = clock
  }

  run(steps: ReadonlyArray<Executor.InnerInstance>): Effect.Effect<void, Executor.ExecutorError> {
    return Effect.forEach(steps, (step) => Effect.suspend(() => this.step(step)), { discard: true })
  }

  private step(step: Executor.InnerInstance): Effect.Effect<void, Executor.ExecutorError> {
    const startedAt = this.clock.unsafeCurrentTimeMillis()
    const details = { ...this.details, step_index: step.index, step_type: step.type }
    return Effect.matchEffect(step.process(this.items), {
      onSuccess: (results) => {
        const several = results.length > 1
        this.items = results.map((result, index) =>
          this.note(result, step, startedAt, "completed", several ? { ...details, list_index: index } : details, [])
        )
        return Effect.void
      },
      onFailure: (error) => {
        this.items = this.items.map((item) => this.note(item, step, startedAt, "failed", details, [error.message]))
        return Effect.fail(error)
      }
    })
  }

  /** One entry a step: what the step wrote itself is completed by where it stands. */
  private note(
    item: Content,
    step: Executor.InnerInstance,
    startedAt: number,
    status: "completed" | "failed",
    details: Readonly<Record<string, unknown>>,
    errors: ReadonlyArray<string>
  ): Content {
    const last = item.executor_logs[item.executor_logs.length - 1]
    if (status === "completed" && last?.executor_id === step.id) {
      const entry = { ...last, details: { ...last.details, ...details } }
      return withLog(withoutLastLog(item), entry)
    }
    return withLog(item, entryOf(step.id, startedAt, this.clock, { status, details, errors }))
  }
}

const withoutLastLog = ({ data, executor_logs, id, summary_data }: Content): Content => ({
  id,
  summary_data,
  data,
  executor_logs: executor_logs.slice(0, -1)
})

const entryOf = (
  id: string,
  startedAt: number,
  clock: Clock.Clock,
  entry: Pick<ExecutorLogEntry, "status" | "details" | "errors">
): ExecutorLogEntry => ({
  executor_id: id,
  start_time: Timestamp.format(startedAt),
  end_time: Timestamp.format(clock.unsafeCurrentTimeMillis()),
  ...entry
})

const errorOf = (
  context: Executor.ExecutorContext,
  item: Content,
  cause: Cause.Cause<Executor.ExecutorError>
): Executor.ExecutorError => {
  const failure = Cause.failureOption(cause)
  if (failure._tag === "Some") return failure.value
  const defect = Cause.squash(cause)
  return Executor.documentError(
    context,
    item,
    `${context.id} failed unexpectedly on ${nameOf(item)}: ${defect instanceof Error ? defect.message : String(defect)}`
  )
}
