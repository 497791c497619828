import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { type Content, nameOf, withData, withSummary } from "../../domain/Content.ts"
import { EndpointValves } from "../../concurrency/EndpointValves.ts"
import * as ServiceOutage from "../../concurrency/ServiceOutage.ts"
import * as SafeJson from "../../domain/SafeJson.ts"
import { cosmosDb, type ServiceError } from "../../domain/ServiceError.ts"
import * as Executor from "../../executor/Executor.ts"
import { isObject, valueAt } from "../../executor/DottedPath.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as AccountAddress from "./lookup/AccountAddress.ts"
import { type LookupContainer, type LookupPlace, LookupStore, type PartitionKey } from "../../store/LookupStore.ts"
import { parameterName, parametersOf } from "./lookup/QueryText.ts"

const settings = {
  ...PerItem.settings({ maxConcurrent: 5 }),
  cosmos_endpoint: Settings.string({
    description: "The account's URI, https://<account>.documents.azure.com:443/.",
    required: true
  }),
  cosmos_key: Settings.secret({ description: "The account's key, for credential_type key.", default: null }),
  credential_type: Settings.choice(["key", "default_azure_credential"], {
    description: "How to sign in: with cosmos_key, or as the worker's own identity.",
    default: "key"
  }),
  cosmos_database: Settings.string({ description: "The database.", required: true }),
  cosmos_container: Settings.string({ description: "The container.", required: true }),
  lookup_mode: Settings.choice(["query", "point_read"], {
    description: "query: the results of query_template. point_read: the one document with an id and a partition key.",
    default: "query"
  }),
  query_template: Settings.string({
    description: "SQL whose @parameters field_mappings fills in: SELECT * FROM c WHERE c.code = @code. For query.",
    default: null
  }),
  field_mappings: Settings.object({
    description:
      'Parameters (with or without @) and the paths in data of their values, as a mapping or JSON: {"@code": "invoice.code"}. A missing value is null. point_read needs id and partition_key.',
    default: {}
  }),
  partition_key_field: Settings.string({
    description:
      "Path in data of the partition that a query looks into. An item without a value there has the query run over all partitions, with a cosmos_lookup_warning in its summary.",
    default: null
  }),
  output_field: Settings.string({
    description:
      "Key of data for what is found: of a point read the document or null; of a query a list, or the first result or null. The summary gets cosmos_lookup_status (success or error) and cosmos_lookup_error.",
    default: "cosmos_lookup_result"
  }),
  result_mode: Settings.choice(["all", "first"], {
    description: "all: a list of all results. first: the first one, or null. Of queries.",
    default: "all",
    unknown: "all"
  }),
  flatten_single: Settings.boolean({
    description: "With result_mode all: a single result is given itself, not in a list.",
    default: false
  }),
  max_results: Settings.integer({ description: "Results of a query at most.", default: 50, min: 1, max: 1000 }),
  include_system_properties: Settings.boolean({
    description: "Whether documents keep what Cosmos DB adds to them: _rid, _self, _etag, _attachments, _ts.",
    default: false
  })
}

type Decoded = Settings.TypeOf<typeof settings>

const judge = ServiceOutage.judge("Cosmos DB")

/** `cosmos_db_lookup`: puts what Cosmos DB knows of an item into the item. */
export const executor = Executor.define({
  type: "cosmos_db_lookup",
  category: "transform",
  name: "Cosmos DB Lookup",
  description: "Looks up reference records in an Azure Cosmos DB container, by id or by query.",
  settings,
  failOnError: false,
  check: (settings) => [
    ...endpointProblems(settings),
    ...(settings.credential_type === "key" && settings.cosmos_key === null
      ? [problem(["cosmos_key"], "The setting cosmos_key is required when credential_type is key.")]
      : []),
    ...mappingProblems(settings)
  ],
  make: (settings, context) =>
    Effect.gen(function* () {
      const store = yield* LookupStore
      const valves = yield* EndpointValves
      const scope = yield* Effect.scope
      const place: LookupPlace = {
        endpoint: settings.cosmos_endpoint,
        key: settings.credential_type === "key" ? settings.cosmos_key : null,
        database: settings.cosmos_database,
        container: settings.cosmos_container
      }
      const container = yield* Effect.cached(
        Effect.mapError(Effect.provideService(store.open(place), Scope.Scope, scope), failure(context, settings))
      )
      return PerItem.perItem(context, settings, (item, keep) => {
        // What goes on when the work is stopped half way.
        keep(failed(settings, item, `The lookup of ${context.id} did not end in time.`))
        const through = valves.through({
          endpoint: new URL(settings.cosmos_endpoint).origin,
          caller: nameOf(item),
          judge
        })
        return Effect.flatMap(container, (opened) =>
          lookUp(
            context,
            settings,
            { read: (...asked) => through(opened.read(...asked)), query: (asked) => through(opened.query(asked)) },
            item
          )
        ).pipe(Effect.tapError((error) => Effect.sync(() => keep(failed(settings, item, error.message)))))
      })
    })
})

const lookUp = (
  context: Executor.ExecutorContext,
  settings: Decoded,
  container: LookupContainer,
  item: Content
): Effect.Effect<Content, Executor.ExecutorError> =>
  Effect.gen(function* () {
    const { query_template: query } = settings
    const fail = failure(context, settings, item)
    const values = new Map(
      Object.entries(settings.field_mappings).map(([name, path]) => [
        parameterName(name),
        SafeJson.toJson(valueAt(item.data, String(path)))
      ])
    )
    if (settings.lookup_mode === "point_read" || query === null) {
      const id = values.get("@id") ?? null
      const key = yield* partitionKeyOf(context, item, values.get("@partition_key") ?? null)
      if (id === null || key === null) return succeeded(settings, item, null)
      if (typeof id === "object") {
        return yield* Executor.documentError(
          context,
          item,
          `The id that ${context.id} looks up for ${nameOf(item)} is no text (setting field_mappings).`
        )
      }
      const found = yield* Effect.mapError(container.read(String(id), key), fail)
      return succeeded(settings, item, Option.getOrNull(Option.map(found, (document) => shown(settings, document))))
    }
    const field = settings.partition_key_field
    const partitionKey =
      field === null ? null : yield* partitionKeyOf(context, item, SafeJson.toJson(valueAt(item.data, field)))
    const results = yield* container
      .query({
        query,
        parameters: [...values].map(([name, value]) => ({ name, value })),
        partitionKey,
        limit: settings.result_mode === "first" ? 1 : settings.max_results
      })
      .pipe(Effect.mapError(fail))
    const all = results.map((result) => shown(settings, result))
    const [first] = all
    const done = succeeded(
      settings,
      item,
      settings.result_mode === "first" ? (first ?? null) : settings.flatten_single && all.length === 1 ? first : all
    )
    return field !== null && partitionKey === null
      ? withSummary(done, {
          cosmos_lookup_warning: `There is nothing at ${field} (setting partition_key_field), so all partitions were searched.`
        })
      : done
  })

const succeeded = (settings: Decoded, item: Content, result: unknown): Content =>
  withSummary(withData(item, { [settings.output_field]: result }), { cosmos_lookup_status: "success" })

const failed = (settings: Decoded, item: Content, message: string): Content =>
  withSummary(withData(item, { [settings.output_field]: null }), {
    cosmos_lookup_status: "error",
    cosmos_lookup_error: message
  })

const systemProperties = new Set(["_rid", "_self", "_etag", "_attachments", "_ts"])

const shown = (settings: Decoded, result: unknown): unknown =>
  settings.include_system_properties || !isObject(result)
    ? result
    : Object.fromEntries(Object.entries(result).filter(([name]) => !systemProperties.has(name)))

const partitionKeyOf = (
  context: Executor.ExecutorContext,
  item: Content,
  value: unknown
): Effect.Effect<PartitionKey | null, Executor.ExecutorError> =>
  value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? Effect.succeed(value)
    : Effect.fail(
        Executor.documentError(
          context,
          item,
          `The partition key that ${context.id} looks up for ${nameOf(item)} is no text, number or boolean.`
        )
      )

/** What is not there, or not ours to read, the definition has named. */
const failure =
  (context: Executor.ExecutorContext, settings: Decoded, item?: Content) =>
  (error: ServiceError): Executor.ExecutorError => {
    const ours = Executor.fromServiceError(context, item)(error)
    const where = `${settings.cosmos_database}/${settings.cosmos_container} at ${settings.cosmos_endpoint}`
    switch (error._tag) {
      case "NotFound":
        return new Executor.ExecutorError({
          ...ours,
          reason: "Setting",
          message: `${context.id} finds no container ${where} (settings cosmos_database, cosmos_container and cosmos_endpoint).${error.service === cosmosDb ? "" : ` ${error.message}`}`
        })
      case "Unauthorized":
        return new Executor.ExecutorError({
          ...ours,
          message: `${context.id} may not read ${where} (settings credential_type and cosmos_key). ${error.message.replace("set COSMOS_DB_KEY", "set cosmos_key")}`
        })
      default:
        return ours
    }
  }

const problem = (path: ReadonlyArray<string | number>, message: string): Settings.SettingProblem => ({ path, message })

const endpointProblems = ({ cosmos_endpoint, credential_type }: Decoded): ReadonlyArray<Settings.SettingProblem> => {
  const message = AccountAddress.problemOf(cosmos_endpoint, credential_type === "default_azure_credential")
  return message === null ? [] : [problem(["cosmos_endpoint"], `The setting cosmos_endpoint ${message}`)]
}

const mappingProblems = (settings: Decoded): ReadonlyArray<Settings.SettingProblem> => {
  const { field_mappings, lookup_mode, query_template } = settings
  const given = new Set(Object.keys(field_mappings).map(parameterName))
  const wrong = Object.entries(field_mappings).flatMap(([name, path]) =>
    typeof path === "string" && path.trim() !== ""
      ? []
      : [problem(["field_mappings", name], `The setting field_mappings.${name} must be a path in data.`)]
  )
  if (lookup_mode === "point_read") {
    const missing = ["id", "partition_key"].filter((name) => !given.has(parameterName(name)))
    return missing.length === 0
      ? wrong
      : [
          ...wrong,
          problem(
            ["field_mappings"],
            `The setting field_mappings must say where ${missing.join(" and ")} stand${missing.length === 1 ? "s" : ""} in data when lookup_mode is point_read.`
          )
        ]
  }
  if (query_template === null) {
    return [...wrong, problem(["query_template"], "The setting query_template is required when lookup_mode is query.")]
  }
  const unknown = parametersOf(query_template).filter((name) => !given.has(name))
  return unknown.length === 0
    ? wrong
    : [
        ...wrong,
        problem(
          ["query_template"],
          `The setting query_template names ${unknown.join(", ")}, which field_mappings gives no value.`
        )
      ]
}
