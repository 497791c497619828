import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CosmosResources from "../azure/CosmosResources.ts"
import * as CosmosTtl from "../azure/CosmosTtl.ts"
import { AzureConfig } from "../azure/AzureConfig.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { patiently } from "../worker/Patience.ts"
import * as StartupHints from "./StartupHints.ts"

/** The worker can't start. Every failure was logged; `message` says them all, each with the way out. */
export class StartupFailed extends Schema.TaggedError<StartupFailed>()("StartupFailed", { message: Schema.String }) {}

const checked = <R>(check: Effect.Effect<void, ServiceError, R>, help: (error: ServiceError) => string) =>
  check.pipe(
    patiently("250 millis", "10 seconds"),
    Effect.as(null),
    Effect.catchAll((error) => Effect.succeed(`${error.message} ${help(error)}`.trim()))
  )

/**
 * Whether the database, its five containers and the queue are there (documents.md 9), all asked before any failure counts. The poison
 * queue is created when it is missing; with `CREATE_MISSING_RESOURCES` so is everything else.
 */
export const run = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const settings = yield* AzureConfig
  const { containers, createMissingResources } = settings
  if (createMissingResources) {
    yield* Effect.catchAll(CosmosResources.ensureResources, (error) =>
      Effect.logWarning(`Missing Cosmos resources could not be created: ${error.message}`)
    )
  }
  const results = yield* Effect.all(
    [
      checked(CosmosResources.checkResources, (error) => StartupHints.cosmos(settings, error)),
      checked(queue.check, (error) => StartupHints.queue(settings, error))
    ],
    { concurrency: "unbounded" }
  )
  const failures = results.filter((failure) => failure !== null)
  if (failures.length > 0) {
    return yield* new StartupFailed({ message: failures.map((failure) => `- ${failure}`).join("\n") })
  }
  const expire = yield* Effect.catchAll(CosmosTtl.locksExpire, () => Effect.succeed(true))
  if (!expire) {
    yield* Effect.logWarning(
      `The container ${containers.locks} has no time to live switched on (defaultTtl -1): expired locks are taken over all the same, but their documents stay`
    )
  }
}).pipe(Effect.withSpan("startup checks"))
