import { stringify } from "yaml"
import type { Executor } from "./Executor.ts"
import type { SettingInfo } from "./Settings.ts"

/** An executor type without its implementation. */
export type Described = Omit<Executor<never>, "prepare" | "inner" | "advise" | "cost" | "version" | "effective">

/** The type as an entry of a definition, with what it requires and no more. */
export const entryOf = (executor: Described): Readonly<Record<string, unknown>> => {
  const required = Object.entries(executor.settings).filter(([, info]) => info.required)
  const settings = {
    ...Object.fromEntries(required.map(([name, info]) => [name, sampleOf(name, info)])),
    ...furtherSettings.get(executor.type)
  }
  return {
    id: `my_${executor.type}`,
    type: executor.type,
    ...(Object.keys(settings).length === 0 ? {} : { settings })
  }
}

/** The entry as YAML. */
export const toYaml = (executor: Described): string =>
  stringify({ executors: [entryOf(executor)] }, { version: "1.1", lineWidth: 0 }).trimEnd()

/** Settings that a type can't do without though no single one is required; a test tells which types need an entry. */
const furtherSettings: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map<
  string,
  Readonly<Record<string, unknown>>
>([
  [
    "cosmos_db_lookup",
    {
      credential_type: "default_azure_credential",
      query_template: "SELECT * FROM c WHERE c.code = @code",
      field_mappings: { "@code": "invoice.code" }
    }
  ],
  ["field_mapper", { mappings: { "pdf_output.text": "text" } }],
  ["subpipeline", { pipeline: "my_other_pipeline" }]
])

const sampleOf = (name: string, info: SettingInfo): unknown => {
  const known = samples.get(name)
  if (known !== undefined) return known
  if (info.options !== undefined) return info.options[0]
  switch (info.type) {
    case "integer":
    case "number":
      return info.min ?? 1
    case "boolean":
      return true
    case "array":
      return ["value"]
    case "object":
      return { name: "value" }
    case "string":
      return name.endsWith("endpoint") ? "https://contoso.cognitiveservices.azure.com/" : `my_${name}`
  }
}

/** By the setting's name, where its kind of value is not enough to make one. */
const samples: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["blob_storage_account", "mystorageaccount"],
  ["storage_account_name", "mystorageaccount"],
  ["blob_container_name", "documents"],
  ["container_name", "output"],
  ["endpoint", "https://contoso.openai.azure.com/openai/v1/"],
  ["deployment_name", "gpt-4.1-mini"],
  ["ai_search_account", "mysearchservice"],
  ["ai_search_index", "documents"],
  ["content_to_index_mappings", { "chunk.id": "id", "chunk.text": "content" }],
  ["content_understanding_endpoint", "https://contoso.services.ai.azure.com/"],
  ["content_understanding_model_mappings", { "gpt-4.1-mini": "gpt-4.1-mini" }],
  ["cosmos_endpoint", "https://my-account.documents.azure.com:443/"],
  ["instructions", "Summarise the text in one sentence."],
  ["target_language", "German"],
  ["categories", ["invoice", "letter"]],
  ["fields", ["text", "metadata.*"]],
  ["start_urls", ["https://example.com/"]],
  ["steps", [{ id: "step", type: "pass_through" }]],
  ["aggregations", [{ field_path: "data.total", operations: ["sum"] }]]
])
