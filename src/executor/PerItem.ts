import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as EventLoopTurns from "../concurrency/EventLoopTurns.ts"
import { type Content, nameOf } from "../domain/Content.ts"
import type { ExecutorContext, ExecutorInstance } from "./Executor.ts"
import { ExecutorError, withoutSecrets } from "./ExecutorError.ts"
import * as ItemLog from "./ItemLog.ts"
import * as KeptSteps from "./KeptSteps.ts"
import * as Retry from "./Retry.ts"
import * as WaitingTime from "../concurrency/WaitingTime.ts"
import * as Settings from "./Settings.ts"
import * as UnexpectedFailure from "./UnexpectedFailure.ts"

interface Defaults {
  readonly timeoutSecs?: number
  readonly maxConcurrent?: number
  /** The original's catalog has no bound for this type: less than one is one after another. */
  readonly anyConcurrency?: boolean
}

/** The settings of every type that works item by item, with the original's defaults. */
export const settings = ({ anyConcurrency = false, maxConcurrent = 3, timeoutSecs = 300 }: Defaults = {}) => ({
  max_concurrent: {
    ...Settings.pace(
      Settings.integer({
        description: "Items in work at the same time; 1 is one after another.",
        default: maxConcurrent,
        ...(anyConcurrency ? {} : { min: 1 })
      })
    ),
    advise: (raw: unknown) =>
      Number(raw) < 1 ? "is less than 1, so items are worked on one after another." : undefined
  },
  timeout_secs: Settings.pace(
    Settings.integer({
      description:
        "Seconds that one item may take; waiting for a free thread or for the limits of a service does not count.",
      default: timeoutSecs,
      min: 1
    })
  ),
  continue_on_error: Settings.pace(
    Settings.boolean({
      description:
        "After an item has failed: true works on the other items before the failure counts, false stops at once.",
      default: true
    })
  )
})

export type PerItemSettings = Settings.TypeOf<ReturnType<typeof settings>>

/**
 * A node that works item by item: up to `max_concurrent` at a time, in order, each attempt within `timeout_secs`, each with a log entry.
 *
 * A failed item gets a `failed` entry. With `fail_pipeline_on_error` the first failure (in the order of the items) then fails the
 * node, else the item goes on as it came. `continue_on_error: false` fails at the first failure and interrupts the other items.
 * Work that fails half way may `keep` what it has changed so far: that goes on then instead. What it should `note` becomes the details of its entry. An item whose document departed while it was
 * worked on (`context.run.departures`) is no failure and does not go on.
 *
 * Where the node's results are kept, an item is a step: `reads` gives all that its result depends on beside the settings, and what was kept for the
 * same is taken over without any work. Without `reads` that is the whole item but what differs from run to run.
 */
export const perItem = (
  context: ExecutorContext,
  settings: PerItemSettings,
  work: (
    item: Content,
    keep: (changed: Content) => void,
    note: (details: Readonly<Record<string, unknown>>) => void,
    progress: KeptSteps.StepProgress
  ) => Effect.Effect<Content, ExecutorError>,
  reads?: (item: Content) => Effect.Effect<unknown, ExecutorError>
): ExecutorInstance => {
  const timeout = Duration.seconds(settings.timeout_secs)
  const attempt = (item: Content): Effect.Effect<Either.Either<Content, Failure>> =>
    Effect.flatMap(ItemLog.start(context), (log) => {
      let kept = item
      let details: Readonly<Record<string, unknown>> = {}
      const working = (progress: KeptSteps.StepProgress): Effect.Effect<Content, ExecutorError> =>
        Retry.retrying(
          context.retry,
          WaitingTime.timeoutFail(
            Effect.suspend(() => {
              kept = item
              details = {}
              return work(
                item,
                (changed) => {
                  kept = changed
                },
                (noted) => {
                  details = noted
                },
                progress
              )
            }),
            {
              duration: timeout,
              onTimeout: () =>
                new ExecutorError({
                  reason: "Timeout",
                  executorId: context.id,
                  itemId: nameOf(item),
                  message: `${nameOf(item)} took longer than ${settings.timeout_secs} s in ${context.id} (setting timeout_secs).`
                })
            }
          )
        )
      const { steps } = context
      const done =
        steps === undefined
          ? working(KeptSteps.inert())
          : Effect.map(
              steps.around(
                item,
                Effect.suspend(() => reads?.(item) ?? Effect.succeed(KeptSteps.wholeItem(context.run, item))),
                (progress) => Effect.map(working(progress), (result) => ({ item: result, details }))
              ),
              (given) => {
                details = given.details
                return given.item
              }
            )
      return Effect.matchCause(done, {
        onSuccess: (result) => Either.right(log.completed(result, details)),
        onFailure: (cause) => {
          const error = withoutSecrets(fromCause(context, item, cause))
          return Either.left({
            error,
            item: log.failed(kept, error.message, details),
            interrupted: Cause.isInterruptedOnly(cause)
          })
        }
      })
    })
  const departures = context.run?.departures
  const departed = (item: Content | undefined) =>
    departures !== undefined && item !== undefined && departures.size > 0 && departures.has(nameOf(item))
  const stopAtFirst = !settings.continue_on_error
  return {
    retriesItems: true,
    keepsSteps: true,
    process: (items) =>
      EventLoopTurns.forEach(
        items,
        (item) =>
          Effect.flatMap(attempt(item), (result) =>
            Either.isLeft(result) &&
            !departed(item) &&
            (stopAtFirst || result.left.interrupted || result.left.error.reason === "Throttled")
              ? Effect.fail(result.left.error)
              : Effect.succeed(result)
          ),
        { concurrency: Math.max(1, settings.max_concurrent) }
      ).pipe(
        Effect.map((results) => results.filter((result, index) => Either.isRight(result) || !departed(items[index]))),
        Effect.flatMap((results) => {
          // Waiting for a limit is no failure that could be passed over.
          const failure = results.find(
            (result) => Either.isLeft(result) && (context.failOnError || result.left.error.reason === "Throttled")
          )
          return failure === undefined || Either.isRight(failure)
            ? Effect.succeed(results.map((result) => Either.merge(Either.mapLeft(result, ({ item }) => item))))
            : Effect.fail(failure.left.error)
        })
      )
  }
}

interface Failure {
  readonly error: ExecutorError
  readonly item: Content
  readonly interrupted: boolean
}

const fromCause = (context: ExecutorContext, item: Content, cause: Cause.Cause<ExecutorError>): ExecutorError => {
  const failure = Cause.failureOption(cause)
  if (failure._tag === "Some") return failure.value
  return new ExecutorError({
    reason: "Document",
    executorId: context.id,
    itemId: nameOf(item),
    message: UnexpectedFailure.message(context.id, nameOf(item), Cause.squash(cause))
  })
}
