import type { Described } from "../executor/CatalogExample.ts"
import type { SettingInfo } from "../executor/Settings.ts"
import * as CommonSettings from "./CommonSettings.ts"
import * as KnownKeys from "./KnownKeys.ts"

/** A JSON Schema, as editors read it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

const draft = "http://json-schema.org/draft-07/schema#"

const ref = (name: string): JsonSchema => ({ $ref: `#/definitions/${name}` })

/** What is there by these names, keys for people, and none that nothing reads. */
const mapping = (
  known: ReadonlyArray<string>,
  properties: Readonly<Record<string, unknown>>,
  required: ReadonlyArray<string> = []
): JsonSchema => ({
  type: "object",
  properties: Object.fromEntries([...KnownKeys.notes, ...known].map((name) => [name, properties[name] ?? true])),
  patternProperties: { [KnownKeys.privateKey.source]: true },
  additionalProperties: false,
  required
})

const text: JsonSchema = { type: "string" }
const condition: JsonSchema = {
  type: ["string", "number", "boolean", "null"],
  description: "Which items take this edge, for example data.type == 'invoice'."
}
const ids: JsonSchema = { anyOf: [{ type: ["string", "null"] }, { type: "array", items: text }] }

/** The form of pipelines that use these types, for editors. Whatever it accepts and the worker does not, `validate` tells. */
export const make = (executors: ReadonlyArray<Described>): JsonSchema => ({
  $schema: draft,
  title: "A pipeline of ContentFlow",
  definitions: {
    pipeline: mapping(
      KnownKeys.definition,
      {
        name: text,
        executors: { type: "array", items: ref("executor") },
        edges: { type: "array", items: ref("edge") },
        execution_sequence: { type: ["array", "null"], items: text }
      },
      ["name"]
    ),
    executor: {
      ...mapping(
        KnownKeys.executor,
        {
          id: { type: "string", minLength: 1, maxLength: 1023 },
          type: {
            anyOf: executors.map(({ description, type }) => ({ const: type, description })),
            enum: executors.flatMap(({ aliases, type }) => [type, ...aliases])
          },
          settings: { type: "object" }
        },
        ["id", "type"]
      ),
      allOf: executors.map(({ aliases, type }) => ({
        if: { properties: { type: { enum: [type, ...aliases] } }, required: ["type"] },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: { properties: { settings: ref(`settings of ${type}`) } }
      }))
    },
    edge: mapping(KnownKeys.edge, {
      from: ids,
      to: {
        anyOf: [{ type: ["string", "null"] }, ref("target"), { type: "array", items: { anyOf: [text, ref("target")] } }]
      },
      type: { type: ["string", "null"] },
      condition
    }),
    target: mapping(KnownKeys.target, { target: text, condition }, ["target"]),
    ...Object.fromEntries(executors.map((executor) => [`settings of ${executor.type}`, settingsOf(executor)]))
  },
  if: { anyOf: KnownKeys.file.map((name) => ({ required: [name] })) },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: mapping(KnownKeys.file, {
    pipeline: ref("pipeline"),
    pipelines: { type: "array", items: ref("pipeline") }
  }),
  else: ref("pipeline")
})

const settingsOf = (executor: Described): JsonSchema => {
  const all = { ...CommonSettings.infos(executor), ...executor.settings }
  return {
    type: "object",
    properties: Object.fromEntries(Object.entries(all).map(([name, info]) => [name, settingOf(info)])),
    patternProperties: { [KnownKeys.privateKey.source]: true },
    additionalProperties: false,
    required: Object.entries(all).flatMap(([name, info]) => (info.required ? [name] : []))
  }
}

/** Any setting may be a text, such as `${NAME}`; null is one that is left out. */
const settingOf = (info: SettingInfo): JsonSchema => ({
  description: info.description,
  ...(info.default === null || info.default === undefined ? {} : { default: info.default }),
  ...formOf(info)
})

const formOf = ({ max, min, options, type }: SettingInfo): JsonSchema => {
  switch (type) {
    case "integer":
    case "number":
      return {
        type: ["number", "string", "boolean", "null"],
        ...(min === undefined ? {} : { minimum: min }),
        ...(max === undefined ? {} : { maximum: max })
      }
    case "boolean":
      return { type: ["boolean", "string", "number", "null"] }
    case "string":
      // Other texts may be meant than those that are offered.
      return options === undefined ? {} : { anyOf: [{ enum: options }, {}] }
    case "array":
      return { type: ["array", "string", "null"] }
    case "object":
      return { type: ["object", "string", "null"] }
  }
}
