import { stringify } from "yaml"
import type { Described } from "./CatalogExample.ts"
import { originalTypes, originalVersion } from "./OriginalTypes.ts"
import type { SettingInfo } from "./Settings.ts"

/** A type as the API stores it and the UI draws it: an entry of the original's `executor_catalog.yaml`. */
export interface CatalogDefinition {
  readonly id: string
  readonly name: string
  readonly description: string
  /** The original's Python module and class, so that its API can load the entry; blank for types of our own. */
  readonly module_path: string
  readonly class_name: string
  readonly tags: ReadonlyArray<string>
  readonly category: string
  /** The API takes an entry over when its version differs from the stored one. */
  readonly version: string
  readonly settings_schema: Readonly<Record<string, SettingDefinition>>
  readonly ui_metadata: {
    readonly icon: string
    readonly description_short: string
    readonly description_long: string
  }
}

export interface SettingDefinition {
  readonly type: string
  readonly title: string
  readonly description: string
  readonly required: boolean
  /** The API refuses an entry with a list or a mapping here, so these are texts, which executors read just as well. */
  readonly default: string | number | boolean | null
  readonly options?: ReadonlyArray<string>
  readonly min?: number
  readonly max?: number
  readonly increment?: number
  readonly ui_component: "checkbox" | "select" | "number" | "textarea" | "password" | "input"
}

export interface CatalogOptions {
  readonly version: string
  /** The settings that the worker adds to those of the type itself. */
  readonly commonOf: (executor: Described) => Readonly<Record<string, SettingInfo>>
}

/** The types as entries of the original's catalog file, the common settings before their own. */
export const definitions = (
  executors: ReadonlyArray<Described>,
  { commonOf, version }: CatalogOptions
): ReadonlyArray<CatalogDefinition> =>
  executors.map((executor) => ({
    id: executor.type,
    name: executor.name,
    description: executor.description,
    module_path: originalTypes.get(executor.type)?.modulePath ?? "",
    class_name: originalTypes.get(executor.type)?.className ?? "",
    tags: [...new Set([executor.category.toLowerCase(), ...executor.type.split("_")])],
    category: executor.category,
    version: originalTypes.has(executor.type) ? originalVersion : version,
    settings_schema: Object.fromEntries(
      Object.entries({ ...commonOf(executor), ...executor.settings }).map(([name, info]) => [
        name,
        settingOf(name, info)
      ])
    ),
    ui_metadata: {
      icon: icons.get(executor.type) ?? categoryIcons.get(executor.category) ?? "square",
      description_short: firstSentence(executor.description),
      description_long: executor.description
    }
  }))

/** The whole file, in the YAML 1.1 that the API reads. */
export const print = (executors: ReadonlyArray<Described>, options: CatalogOptions): string =>
  `# Written by: contentflow-worker executors --catalog-yaml\n${stringify(
    { executor_catalog: definitions(executors, options) },
    // Aliases would tie settings together that only look alike.
    { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false }
  )}`

const settingOf = (name: string, info: SettingInfo): SettingDefinition => ({
  type: info.type,
  title: titleOf(name),
  description: info.description,
  required: info.required,
  default: defaultOf(info),
  ...(info.options === undefined ? {} : { options: info.options }),
  ...(info.min === undefined ? {} : { min: info.min }),
  ...(info.max === undefined ? {} : { max: info.max }),
  ...(info.type === "integer" ? { increment: 1 } : info.type === "number" ? { increment: 0.1 } : {}),
  ui_component: componentOf(name, info)
})

const defaultOf = ({ default: value, type }: SettingInfo): SettingDefinition["default"] => {
  if (value === null || value === undefined) return null
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value
  const isPlainList =
    type === "string" && Array.isArray(value) && value.every((each) => typeof each === "string" && !each.includes(","))
  return isPlainList ? value.join(",") : JSON.stringify(value)
}

const componentOf = (name: string, info: SettingInfo): SettingDefinition["ui_component"] => {
  if (info.options !== undefined) return "select"
  if (info.secret === true) return "password"
  switch (info.type) {
    case "boolean":
      return "checkbox"
    case "integer":
    case "number":
      return "number"
    case "array":
    case "object":
      return "textarea"
    case "string":
      return longTexts.has(name) ? "textarea" : "input"
  }
}

const longTexts: ReadonlySet<string> = new Set(["condition", "instructions", "prompt"])

const titleOf = (name: string): string =>
  name
    .split("_")
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join(" ")

const firstSentence = (text: string): string => /^.*?\.(?= |$)/s.exec(text)?.[0] ?? text

/** The UI knows its icons by these names of lucide; any other name gets a default. */
const categoryIcons: ReadonlyMap<string, string> = new Map([
  ["input", "download"],
  ["extract", "file-text"],
  ["transform", "split"],
  ["analyse", "brain"],
  ["output", "cloud-upload"],
  ["Utility", "forward"],
  ["document_set", "folder"],
  ["control_flow", "repeat"]
])

const icons: ReadonlyMap<string, string> = new Map([
  ["azure_blob_input_discovery", "cloud"],
  ["azure_content_understanding_extractor", "sparkles"],
  ["azure_document_intelligence_extractor", "scan-text"],
  ["azure_openai_embeddings", "square"],
  ["ai_search_index_output", "text-search"],
  ["content_classifier", "folder"],
  ["content_translator", "languages"],
  ["csv_extractor", "table-rows-split"],
  ["entity_extractor", "tag"],
  ["excel_extractor", "file-spreadsheet"],
  ["fan_in_aggregator", "combine"],
  ["field_mapper", "map"],
  ["field_selector", "filter"],
  ["gptrag_search_index_document_generator", "text-search"],
  ["keyword_extractor", "key"],
  ["language_detector", "globe"],
  ["pii_detector", "shield"],
  ["sentiment_analyser", "smile"],
  ["table_row_splitter", "table-rows-split"],
  ["text_summarizer", "file-text"],
  ["web_scraper", "link"]
])
