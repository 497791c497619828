import * as Effect from "effect/Effect"
import { AzureConfig } from "./AzureConfig.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { CosmosDatabase } from "./CosmosClients.ts"
import * as CosmosErrors from "./CosmosErrors.ts"

/**
 * Whether the locks container removes documents by their `ttl`. Correctness does not need it: a lock that expired is taken over. Without
 * it the lock of a vanished pipeline stays as a document.
 */
export const locksExpire: Effect.Effect<boolean, ServiceError, CosmosDatabase | AzureConfig> = Effect.gen(function* () {
  const database = yield* CosmosDatabase
  const { containers } = yield* AzureConfig
  const operation = `read ${database.id}/${containers.locks}`
  const { resource } = yield* Effect.tryPromise({
    try: (abortSignal) => database.container(containers.locks).read({ abortSignal }),
    catch: (cause) => CosmosErrors.fromCosmos(operation, cause)
  })
  return resource?.defaultTtl !== undefined && resource.defaultTtl !== null
})
