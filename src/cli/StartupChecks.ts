import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as CosmosResources from "../azure/CosmosResources.ts"
import * as CosmosTtl from "../azure/CosmosTtl.ts"
import { AzureConfig } from "../azure/AzureConfig.ts"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { cosmosDb, isTransient, type ServiceError, Unavailable } from "../domain/ServiceError.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import * as StartupHints from "./StartupHints.ts"

/** The worker can't start. Every failure was logged; `message` says them all, each with the way out. */
export class StartupFailed extends Schema.TaggedError<StartupFailed>()("StartupFailed", { message: Schema.String }) {}

export interface StartupOptions {
  /** How long services that do not answer are waited for; null is for ever. */
  readonly timeout: Duration.Duration | null
  /** Gets what the last try found missing. */
  readonly waitsFor?: (missing: ReadonlyArray<string>) => Effect.Effect<void>
}

/** The SDKs repeat calls by themselves for minutes, without a word. */
const tryTimeout = Duration.seconds(15)

/** The longest pause between two tries. */
const longestPause = 10_000

interface Failure {
  readonly text: string
  /** It may pass without anybody changing anything. */
  readonly heals: boolean
}

const checked = <R>(
  service: string,
  check: Effect.Effect<void, ServiceError, R>,
  limit: Duration.Duration,
  help: (error: ServiceError) => string
): Effect.Effect<Failure | null, never, R> =>
  check.pipe(
    Effect.timeoutFail({
      duration: limit,
      onTimeout: () =>
        new Unavailable({
          service,
          operation: "start",
          message: `${service} gave no answer within ${Duration.format(limit)}.`
        })
    }),
    Effect.as(null),
    Effect.catchAll((error) =>
      Effect.succeed({ text: `${error.message} ${help(error)}`.trim(), heals: isTransient(error) })
    )
  )

/** Creates what is missing in Cosmos DB when that is allowed. What can't be created is told, and then found missing. */
const create = Effect.catchIf(
  CosmosResources.ensureResources,
  (error) => !isTransient(error),
  (error) => Effect.logWarning(`Missing Cosmos resources could not be created: ${error.message}`)
)

/**
 * Whether the database, its five containers and the queue are there, all asked before any failure counts. The poison queue is created when
 * it is missing; with `CREATE_MISSING_RESOURCES` so is everything else. Services that do not answer are asked again, after 0.5, 1, 2, …,
 * 10 seconds; each failed try is logged. What only a person can change ends the start at once.
 */
export const run = ({ timeout, waitsFor = () => Effect.void }: StartupOptions) =>
  Effect.gen(function* () {
    const queue = yield* TaskQueue
    const settings = yield* AzureConfig
    const { containers, createMissingResources } = settings
    const until = timeout === null ? Number.POSITIVE_INFINITY : (yield* MonotonicTime.now) + Duration.toMillis(timeout)
    const cosmos = createMissingResources
      ? Effect.zipRight(create, CosmosResources.checkResources)
      : CosmosResources.checkResources

    for (let attempt = 1; ; attempt++) {
      const left = until - (yield* MonotonicTime.now)
      const limit = Duration.min(tryTimeout, Duration.millis(Math.max(left, 1_000)))
      const results = yield* Effect.all(
        [
          checked(cosmosDb, cosmos, limit, (error) => StartupHints.cosmos(settings, error)),
          checked("Storage Queue", queue.check, limit, (error) => StartupHints.queue(settings, error))
        ],
        { concurrency: "unbounded" }
      )
      const failures = results.filter((failure) => failure !== null)
      if (failures.length === 0) break
      const texts = failures.map(({ text }) => text)
      const pause = Math.min(500 * 2 ** Math.min(attempt - 1, 10), longestPause) * (yield* Random.nextRange(0.8, 1.2))
      const remaining = until - (yield* MonotonicTime.now)
      if (failures.some(({ heals }) => !heals) || remaining < pause) {
        const waited =
          timeout !== null && failures.every(({ heals }) => heals)
            ? `\nGave up after ${attempt} tries in ${Duration.format(timeout)} (STARTUP_TIMEOUT_SECONDS; 0 goes on trying).`
            : ""
        return yield* new StartupFailed({ message: `${texts.map((text) => `- ${text}`).join("\n")}${waited}` })
      }
      yield* waitsFor(texts)
      const end =
        timeout === null ? "" : `; the process ends in ${Math.ceil(remaining / 1_000)} s if it fails until then`
      yield* Effect.logWarning(
        `The worker can't start yet (try ${attempt}): ${texts.join(" ")} Next try in ${(pause / 1_000).toFixed(1)} s${end}`
      )
      yield* Effect.sleep(Duration.millis(pause))
    }
    yield* waitsFor([])
    const expire = yield* Effect.catchAll(CosmosTtl.locksExpire, () => Effect.succeed(true))
    if (!expire) {
      yield* Effect.logWarning(
        `The container ${containers.locks} has no time to live switched on (defaultTtl -1): expired locks are taken over all the same, but their documents stay`
      )
    }
  }).pipe(Effect.withSpan("startup checks"))
