import { createHash } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import { type Content, nameOf, withSummary } from "../../domain/Content.ts"
import * as SafeJson from "../../domain/SafeJson.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import * as Executor from "../../executor/Executor.ts"
import { isObject, valueAt } from "../../executor/DottedPath.ts"
import * as Outputs from "../../executor/Outputs.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as Usage from "../../executor/Usage.ts"
import { toExecutorError } from "../../services/CallError.ts"
import * as Endpoint from "../../services/Endpoint.ts"
import * as SearchIndexes from "../../services/search/SearchIndexes.ts"
import * as ServiceSignIn from "../ServiceSignIn.ts"

const settings = {
  ...PerItem.settings({ timeoutSecs: 30 }),
  timeout_secs: Settings.number({ description: "Seconds that one item may take.", default: 30, min: 1, max: 300 }),
  ai_search_account: Settings.string({
    description: "The search service: its name, or its address where that is not https://<name>.search.windows.net.",
    required: true
  }),
  ai_search_credential_type: ServiceSignIn.type(
    ["default_azure_credential", "azure_key_credential"],
    "ai_search_api_key"
  ),
  ai_search_api_key: Settings.secret({ description: "The key, for azure_key_credential.", default: null }),
  ai_search_api_version: Settings.string({ description: "The service's version.", default: "2025-11-01-preview" }),
  ai_search_index: Settings.string({ description: "The index, which must exist.", required: true }),
  index_mode: Settings.string({
    description: "chunks makes a document of each chunk; anything else one of each item.",
    default: "chunks"
  }),
  chunk_iterator_field: Settings.string({ description: "Key of data for the list of chunks.", default: "chunks" }),
  content_to_index_mappings: Settings.object({
    description:
      "Fields of the index by the path of their value, as a mapping or as JSON text. Paths begin at data, summary_data or id (id.unique_id), and in chunks mode also at the chunk (chunk.text), which goes first. Values that are null are left out.",
    required: true
  }),
  index_action_type: Settings.choice(["upload", "merge", "mergeOrUpload", "delete"], {
    description:
      "upload replaces documents, merge changes those that exist, mergeOrUpload does either, delete removes them.",
    default: "mergeOrUpload"
  }),
  key_field: Settings.string({
    description: "The key field of the index, where the service does not show it; id when absent.",
    default: null
  }),
  batch_size: Settings.integer({ description: "Documents of one request.", default: 100, min: 1, max: 1000 }),
  add_timestamp: Settings.boolean({
    description: "Write indexed_at, where the index has such a field.",
    default: true
  }),
  max_retries: Settings.integer({
    description: "How often a document is sent at most; 0 counts as once.",
    default: 3,
    min: 0,
    max: 10
  }),
  retry_delay: Settings.number({
    description: "Seconds before the second time; each further wait is twice as long.",
    default: 1,
    min: 0.1,
    max: 60
  }),
  ...Outputs.settings
}

type Decoded = Settings.TypeOf<typeof settings>

const urlOf = (account: string): string => (account.includes("://") ? account : `https://${account}.search.windows.net`)

/** `ai_search_index_output`: writes items, or their chunks, into an index of Azure AI Search. */
export const executor = Executor.define({
  type: "ai_search_index_output",
  aliases: ["ai_search_index_writer", "ai_search_index_uploader"],
  category: "output",
  name: "AI Search Index Output",
  description: "Writes documents or chunks into an index of Azure AI Search.",
  settings,
  check: (given) => [
    ...(given.ai_search_account.includes("://") || /^[a-z0-9-]{2,60}$/.test(given.ai_search_account)
      ? ServiceSignIn.problems({
          endpoint: ["ai_search_account", urlOf(given.ai_search_account)],
          type: ["ai_search_credential_type", given.ai_search_credential_type],
          key: ["ai_search_api_key", given.ai_search_api_key]
        })
      : ServiceSignIn.named(
          "ai_search_account",
          given.ai_search_account,
          false,
          "must be the name of a search service."
        )),
    ...ServiceSignIn.named(
      "ai_search_index",
      given.ai_search_index,
      SearchIndexes.isIndexName(given.ai_search_index),
      "must be an index's name: lower-case letters, digits and dashes."
    ),
    ...Object.entries(given.content_to_index_mappings).flatMap(([path, field]) =>
      typeof field === "string" && /^[A-Za-z]\w{0,127}$/.test(field)
        ? []
        : [
            {
              path: ["content_to_index_mappings", path],
              message: `The setting content_to_index_mappings must name a field of the index for ${path}.`
            }
          ]
    )
  ],
  make: (given, context) =>
    Effect.gen(function* () {
      const indexes = yield* SearchIndexes.SearchIndexes
      const endpoint = yield* Either.mapLeft(Endpoint.parse(urlOf(given.ai_search_account)), (problem) =>
        ServiceSignIn.settingError(context, `The setting ai_search_account ${problem}`)
      )
      const attempts = Math.max(1, given.max_retries)
      const delay = Duration.seconds(given.retry_delay)
      const index = yield* Effect.mapError(
        indexes.open(
          {
            service: "AI Search",
            noun: "index",
            type: "ai_search_index_output",
            run: context.run,
            meter: context.meter,
            endpoint,
            signIn: ServiceSignIn.of(
              "api-key",
              "https://search.azure.com/.default",
              given.ai_search_credential_type === "azure_key_credential" ? given.ai_search_api_key : null
            ),
            deployment: given.ai_search_index,
            settings: { key: "ai_search_api_key", endpoint: "ai_search_account", deployment: "ai_search_index" },
            retries: { times: attempts - 1, delay, factor: 2 },
            timeout: Duration.seconds(given.timeout_secs)
          },
          given.ai_search_index,
          given.ai_search_api_version
        ),
        toExecutorError(context)
      )
      let takesTime = true
      const place = `search:${endpoint.url}/${given.ai_search_index}`
      const keyField = Effect.mapBoth(index.schema, {
        onSuccess: (schema) => keyOf(given, Option.getOrUndefined(schema)),
        onFailure: toExecutorError(context)
      })
      const intended = (items: ReadonlyArray<Content>) =>
        Effect.flatMap(keyField, (key) =>
          Effect.map(
            EventLoopTurns.map(items, (item): readonly [Content, ReadonlyArray<Outputs.Output>] => [
              item,
              // Neither makes a document.
              given.index_action_type === "delete" || given.index_action_type === "merge"
                ? []
                : Either.getOrElse(documentsOf(given, item, key), () => []).map((document) => ({
                    place,
                    key: String(document[key])
                  }))
            ]),
            (outputs) => new Map(outputs)
          )
        )
      const remove = (outputs: ReadonlyArray<Outputs.Output>) =>
        Effect.flatMap(keyField, (key) =>
          Effect.mapError(
            index.write({
              action: "delete",
              key,
              documents: outputs.map((output) => ({ [key]: output.key })),
              batchSize: given.batch_size,
              attempts,
              delay
            }),
            toExecutorError(context)
          )
        )
      const written = (late: ReadonlySet<Content>) =>
        PerItem.perItem(context, given, (item, keep) =>
          Effect.gen(function* () {
            if (late.has(item)) return withSummary(item, { index_status: "superseded" })
            const meter = new Usage.Meter(context.meter)
            return yield* Effect.gen(function* () {
              const schema = Option.getOrUndefined(yield* Effect.mapError(index.schema, toExecutorError(context, item)))
              const wrong = mismatch(given, schema)
              if (wrong !== undefined) return yield* ServiceSignIn.settingError(context, wrong)
              const key = keyOf(given, schema)
              const now = Timestamp.format(yield* Clock.currentTimeMillis)
              const documents = yield* Either.mapLeft(documentsOf(given, item, key), (message) =>
                Executor.documentError(context, item, `${context.id}: ${message}`)
              )
              const isStamped =
                given.add_timestamp &&
                given.index_action_type !== "delete" &&
                schema?.fields.has("indexed_at") !== false
              const write = (written: ReadonlyArray<Data>) =>
                index.write({
                  action: given.index_action_type,
                  key,
                  documents: written,
                  batchSize: given.batch_size,
                  attempts,
                  delay,
                  meter
                })
              yield* Effect.mapError(
                isStamped && takesTime
                  ? Effect.catchIf(
                      write(documents.map((document) => ({ indexed_at: now, ...document }))),
                      // Who may only write documents is not shown the index, and learns so that it has no such field.
                      ({ message, reason }) =>
                        schema === undefined && reason === "Invalid" && message.includes("indexed_at"),
                      () => {
                        takesTime = false
                        return write(documents)
                      }
                    )
                  : write(documents),
                toExecutorError(context, item)
              )
              const written = withSummary(item, { indexed_count: documents.length, index_status: "success" })
              return Usage.noted(context, written, meter)
            }).pipe(
              Effect.tapError(({ message }) =>
                Effect.sync(() =>
                  keep(Usage.noted(context, withSummary(item, { index_status: "error", index_error: message }), meter))
                )
              )
            )
          })
        )
      return {
        retriesItems: true,
        outputs: { ordered: false, covers: (given) => given === place, remove },
        process: (items) =>
          Effect.flatMap(
            Outputs.intend(context.run?.outputs, { id: context.id, policy: given.on_source_deleted }, () =>
              intended(items)
            ),
            (late) => written(late).process(items)
          )
      }
    })
})

const fieldsOf = (given: Decoded) =>
  Object.entries(given.content_to_index_mappings).map(([path, field]) => [path, String(field)] as const)

const keyOf = (given: Decoded, schema: SearchIndexes.IndexSchema | undefined): string =>
  schema?.key ?? given.key_field ?? "id"

/** What of the mappings the index can't take. */
const mismatch = (given: Decoded, schema: SearchIndexes.IndexSchema | undefined): string | undefined => {
  const fields = fieldsOf(given).map(([, field]) => field)
  const missing = fields.filter((field) => schema?.fields.has(field) === false)
  if (missing.length > 0) {
    return `the index ${given.ai_search_index} has no field ${missing.join(", ")} (setting content_to_index_mappings).`
  }
  const key = keyOf(given, schema)
  return fields.includes(key)
    ? undefined
    : `no entry of content_to_index_mappings fills ${key}, the key field of the index ${given.ai_search_index}${schema === undefined ? " (setting key_field)" : ""}.`
}

type Data = Readonly<Record<string, unknown>>

const documentsOf = (given: Decoded, item: Content, key: string): Either.Either<ReadonlyArray<Data>, string> => {
  if (Object.keys(item.data).length === 0) return Either.left(`${nameOf(item)} has no data to index.`)
  const source: Data = { id: item.id ?? {}, ...item.data, ...item.summary_data }
  if (given.index_mode !== "chunks") {
    return Either.map(documentOf(given, source, undefined, key, undefined), (document) => [document])
  }
  const chunks = item.data[given.chunk_iterator_field] ?? []
  if (!Array.isArray(chunks)) {
    return Either.left(
      `data.${given.chunk_iterator_field} of ${nameOf(item)} is no list (setting chunk_iterator_field).`
    )
  }
  const seen = new Set<string>()
  const documents: Array<Data> = []
  for (const [place, chunk] of chunks.entries()) {
    if (!isObject(chunk)) continue
    const made = documentOf(given, source, chunk, key, place)
    if (Either.isLeft(made)) return Either.left(made.left)
    const value = String(made.right[key])
    const unique = seen.has(value) ? numbered(value, place) : value
    seen.add(unique)
    documents.push({ ...made.right, [key]: unique })
  }
  return Either.right(documents)
}

const documentOf = (
  given: Decoded,
  source: Data,
  chunk: Data | undefined,
  key: string,
  place: number | undefined
): Either.Either<Data, string> => {
  const document: Record<string, unknown> = {}
  let isShared = true
  for (const [path, field] of fieldsOf(given)) {
    const plain = path.startsWith("chunk.") ? path.slice("chunk.".length) : path
    const own = chunk === undefined ? undefined : valueAt(chunk, plain)
    const value = own ?? valueAt(source, plain)
    if (value === undefined || value === null) continue
    document[field] = SafeJson.toJson(value)
    if (field === key) isShared = own === undefined || own === null
  }
  const value = document[key]
  if ((typeof value !== "string" && typeof value !== "number") || value === "") {
    return Either.left(
      `the key field ${key} gets no value${place === undefined ? "" : ` in chunk ${place}`} (setting content_to_index_mappings).`
    )
  }
  const valid = validKey(String(value))
  // A key of the item is the same in all its chunks.
  const whole = place !== undefined && isShared ? numbered(valid, place) : valid
  return Either.right(given.index_action_type === "delete" ? { [key]: whole } : { ...document, [key]: whole })
}

const numbered = (key: string, place: number): string => `${key}-c${String(place).padStart(5, "0")}`

/** Keys have letters, digits, dashes, underscores and equal signs, 1024 at most. Two that differ stay different. */
const validKey = (key: string): string => {
  if (/^[A-Za-z0-9=-][A-Za-z0-9_=-]{0,999}$/.test(key)) return key
  const base = key
    .slice(0, 900)
    .replaceAll(/[^A-Za-z0-9_=-]+/g, "-")
    .replaceAll(/^[-_]+|-+$/g, "")
  return `${base === "" ? "key" : base}-${createHash("sha256").update(key).digest("hex").slice(0, 16)}`
}
