import * as JSONSchema from "effect/JSONSchema"
import * as Predicate from "effect/Predicate"
import { variables } from "../../config/Variables.ts"
import type { JsonSchema } from "../../pipeline/PipelineSchema.ts"
import * as Project from "./Project.ts"

/** The form of `contentflow.yaml`, for editors. */
export const make = (): JsonSchema => {
  const { $schema, ...form } = JSONSchema.make(Project.File)
  const schema = withNulls(form)
  return {
    $schema,
    title: "A folder of contentflow-worker serve",
    ...schema,
    properties: { ...(Predicate.isRecord(schema["properties"]) ? schema["properties"] : {}), settings }
  }
}

/** A key without a value is no key. */
const withNulls = (schema: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const required = Array.isArray(schema["required"]) ? schema["required"] : []
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (keyword === "properties" && Predicate.isRecord(value)) {
        const entries = Object.entries(value).map(([name, each]) => {
          const inner = Predicate.isRecord(each) ? withNulls(each) : each
          return [name, required.includes(name) ? inner : { anyOf: [inner, { type: "null" }] }]
        })
        return [keyword, Object.fromEntries(entries)]
      }
      return [keyword, Predicate.isRecord(value) ? withNulls(value) : value]
    })
  )
}

const value = { type: ["string", "number", "boolean", "null"] }

const offered = Object.values(variables).filter(({ name }) => Project.settable.has(name))

const taken = [...Project.settable].flatMap((name) => [name, name.toLowerCase()])

/** Names count in whatever case; editors offer them as they are in the documentation. */
const settings: JsonSchema = {
  type: ["object", "null"],
  description: "Settings by their names. Variables of the environment of the same names go before them.",
  properties: Object.fromEntries(offered.map(({ description, name }) => [name, { ...value, description }])),
  patternProperties: {
    [`^(?:${taken.filter((name) => !offered.some((variable) => variable.name === name)).join("|")})$`]: value
  },
  additionalProperties: false
}
