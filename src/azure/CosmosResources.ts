import * as Effect from "effect/Effect"
import { AzureConfig } from "./AzureConfig.ts"
import * as ServiceError from "../domain/ServiceError.ts"
import { cosmosDb as service } from "../domain/ServiceError.ts"
import { CosmosDatabase } from "./CosmosClients.ts"
import * as CosmosErrors from "./CosmosErrors.ts"

/**
 * Makes the database and the five containers exist, as the infrastructure makes them: partition key `/id`, documents live for
 * ever unless they carry a `ttl`. Needs a key: a role assignment of the data plane can't create them.
 */
export const ensureResources: Effect.Effect<void, ServiceError.ServiceError, CosmosDatabase | AzureConfig> = Effect.gen(
  function* () {
    const database = yield* CosmosDatabase
    const { containers } = yield* AzureConfig
    yield* call(`create ${database.id}`, (abortSignal) =>
      database.client.databases.createIfNotExists({ id: database.id }, { abortSignal })
    )
    yield* Effect.forEach(
      new Set(Object.values(containers)),
      (id) =>
        call(`create ${database.id}/${id}`, (abortSignal) =>
          database.containers.createIfNotExists(
            { id, partitionKey: { paths: ["/id"] }, defaultTtl: -1 },
            { abortSignal }
          )
        ),
      { discard: true }
    )
  }
)

/** Whether the database and the five containers exist and are partitioned by id; the error names what is wrong and the way out. */
export const checkResources: Effect.Effect<void, ServiceError.ServiceError, CosmosDatabase | AzureConfig> = Effect.gen(
  function* () {
    const database = yield* CosmosDatabase
    const { containers } = yield* AzureConfig
    const operation = `list ${database.id}`
    const found = yield* call(operation, (abortSignal) => database.containers.readAll({ abortSignal }).fetchAll())
    const paths = new Map(found.resources.map(({ id, partitionKey }) => [id, partitionKey?.paths.join(",") ?? ""]))
    const fault = faultOf(database.id, operation, Object.values(containers), paths)
    return yield* fault === null ? Effect.void : Effect.fail(fault)
  }
)

const faultOf = (
  database: string,
  operation: string,
  containers: ReadonlyArray<string>,
  partitionKeys: ReadonlyMap<string, string>
): ServiceError.ServiceError | null => {
  const missing = containers.filter((name) => !partitionKeys.has(name))
  if (missing.length > 0) {
    return new ServiceError.NotFound({
      service,
      operation,
      message: `The database ${database} has no container ${missing.join(", ")}: create it, correct the COSMOS_DB_CONTAINER_… settings, or set CREATE_MISSING_RESOURCES=true.`
    })
  }
  const foreign = containers.filter((name) => partitionKeys.get(name) !== "/id")
  return foreign.length === 0
    ? null
    : new ServiceError.Invalid({
        service,
        operation,
        reason: "BadRequest",
        message: `The partition key of ${foreign.map((name) => `${name} is ${partitionKeys.get(name)}`).join(", ")}; it must be /id. Create such containers, and name them in the COSMOS_DB_CONTAINER_… settings or their database in COSMOS_DB_NAME.`
      })
}

const call = <A>(operation: string, run: (abortSignal: AbortSignal) => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => CosmosErrors.fromCosmos(operation, cause) }).pipe(
    Effect.withSpan("CosmosDB.resources", { kind: "client", attributes: { "db.system": "cosmosdb", operation } })
  )
