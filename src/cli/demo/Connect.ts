import * as Either from "effect/Either"
import { builtins } from "../../executors/Builtins.ts"
import * as Endpoint from "../../services/Endpoint.ts"
import * as Yaml from "../../yaml/Yaml.ts"
import { isObject } from "./standins/StandIn.ts"
import type { Services } from "./standins/Services.ts"

/** Where a definition's executors find what the demo has started. */
export interface Places {
  readonly account: string
  readonly documentsContainer: string
  readonly outputContainer: string
  readonly temporaryFolder: string
  readonly services: Pick<Services, "analysis" | "models" | "search">
}

export interface Connected {
  readonly yaml: string
  /** Indexes that the definition writes into at the stand-in, and the fields that it fills there; the first is the key. */
  readonly indexes: ReadonlyMap<string, readonly [key: string, ...others: ReadonlyArray<string>]>
}

type Settings = Readonly<Record<string, unknown>>

/**
 * A definition in which every executor uses what the demo has started: its blobs, and its stand-ins wherever the address of a service is missing or
 * still a placeholder. So definitions run as the web UI's templates and as examples write them, and real addresses stay.
 */
export const connect = (yaml: string, places: Places): Either.Either<Connected, Yaml.YamlError> =>
  Either.map(Yaml.parse(yaml), ({ value }) => {
    const indexes = new Map<string, readonly [string, ...ReadonlyArray<string>]>()
    const rewritten = rewrite(Yaml.toPlain(value), (type, settings) => {
      const connection = connections.get(type)
      if (connection === undefined) return settings
      const changed = connection(settings, places)
      if (type === "ai_search_index_output" && changed["ai_search_account"] === places.services.search) {
        const index = String(changed["ai_search_index"])
        const [key, ...others] = fieldsOf(changed)
        indexes.set(index, [key, ...new Set([...others, ...(indexes.get(index) ?? [])])])
      }
      return changed
    })
    return { yaml: JSON.stringify(rewritten, (_, each) => (typeof each === "bigint" ? Number(each) : each)), indexes }
  })

/** Changes the settings of every executor, wherever it stands: in lists of pipelines, and in the settings of others. */
const rewrite = (value: unknown, change: (type: string, settings: Settings) => Settings): unknown => {
  if (Array.isArray(value)) return value.map((each) => rewrite(each, change))
  if (!isObject(value)) return value
  const inner = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, rewrite(each, change)]))
  const type = typeof inner["type"] === "string" && "id" in inner ? typeOf.get(inner["type"]) : undefined
  const { settings } = inner
  return type === undefined || (settings !== undefined && settings !== null && !isObject(settings))
    ? inner
    : { ...inner, settings: change(type, isObject(settings) ? settings : {}) }
}

const typeOf = new Map(
  builtins.flatMap(({ aliases, type }) => [[type, type] as const, ...aliases.map((alias) => [alias, type] as const)])
)

const isOpen = (value: unknown): boolean =>
  typeof value !== "string" || value.trim() === "" || Endpoint.isPlaceholder(value)

/** Settings without these, which belong to a place that is not used. */
const without = (settings: Settings, ...names: ReadonlyArray<string>): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name)))

type Connection = (settings: Settings, places: Places) => Settings

const discovery: Connection = (settings, { account, documentsContainer }) => ({
  polling_interval_seconds: 2,
  ...without(settings, "blob_storage_credential_type", "blob_storage_account_key"),
  blob_storage_account: account,
  blob_container_name: documentsContainer
})

const retriever: Connection = (settings, { temporaryFolder }) => ({
  ...without(
    settings,
    "blob_storage_account",
    "blob_storage_account_credential_type",
    "blob_storage_credential_type",
    "blob_storage_account_key"
  ),
  temp_folder: temporaryFolder
})

const blobOutput: Connection = (settings, { account, outputContainer }) => ({
  ...without(settings, "credential_type", "credential_key"),
  storage_account_name: account,
  container_name: outputContainer
})

const model: Connection = (settings, { services }) =>
  isOpen(settings["endpoint"])
    ? {
        ...without(settings, "credential_type", "api_key", "api_version", "api"),
        endpoint: services.models,
        deployment_name: isOpen(settings["deployment_name"]) ? "stand-in" : settings["deployment_name"]
      }
    : settings

const documentIntelligence: Connection = (settings, { services }) =>
  isOpen(settings["doc_intelligence_endpoint"])
    ? {
        ...without(settings, "doc_intelligence_credential_type", "doc_intelligence_credential_key"),
        doc_intelligence_endpoint: services.analysis
      }
    : settings

const contentUnderstanding: Connection = (settings, { services }) =>
  isOpen(settings["content_understanding_endpoint"])
    ? {
        content_understanding_model_mappings: "{}",
        ...without(settings, "content_understanding_credential_type", "content_understanding_subscription_key"),
        content_understanding_endpoint: services.analysis
      }
    : settings

const search: Connection = (settings, { services }) =>
  isOpen(settings["ai_search_account"])
    ? {
        ...without(settings, "ai_search_credential_type", "ai_search_api_key"),
        ai_search_account: services.search,
        ai_search_index: isOpen(settings["ai_search_index"]) ? "documents" : settings["ai_search_index"]
      }
    : settings

const connections: ReadonlyMap<string, Connection> = new Map([
  ...builtins.filter(({ category }) => category === "analyse").map(({ type }) => [type, model] as const),
  ["cross_document_comparison", model],
  ["azure_blob_input_discovery", discovery],
  ["azure_blob_content_retriever", retriever],
  ["content_retriever", retriever],
  ["azure_blob_output", blobOutput],
  ["azure_document_intelligence_extractor", documentIntelligence],
  ["azure_content_understanding_extractor", contentUnderstanding],
  ["ai_search_index_output", search]
])

/** The key field first: the one that is named, else `id`, else the first that is filled. */
const fieldsOf = (settings: Settings): readonly [string, ...ReadonlyArray<string>] => {
  const mappings = mappingOf(settings["content_to_index_mappings"])
  const fields = Object.values(mappings).filter((field) => typeof field === "string")
  const { key_field: named } = settings
  const key = typeof named === "string" ? named : fields.includes("id") ? "id" : (fields[0] ?? "id")
  return [key, ...fields.filter((field) => field !== key), "indexed_at"]
}

const mappingOf = (value: unknown): Settings => {
  if (typeof value !== "string") return isObject(value) ? value : {}
  try {
    const parsed: unknown = JSON.parse(value)
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}
