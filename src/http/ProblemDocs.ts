import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import * as Problems from "./Problems.ts"

type Json = Readonly<Record<string, unknown>>

const isJson = Schema.is(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

const children = (value: unknown): Json => (isJson(value) ? value : {})

const mapped = (value: unknown, change: (each: Json) => Json): Json =>
  Object.fromEntries(Object.entries(children(value)).map(([key, each]) => [key, isJson(each) ? change(each) : each]))

/** The platform's own error of requests, which is answered as a problem. */
const platformError = "HttpApiDecodeError"
const platformSchemas = new Set([platformError, "Issue", "PropertyKey"])

const { $schema: _, ...badRequest } = JSONSchema.make(Schema.encodedSchema(Problems.BadRequest))

const described = {
  description: "The request is not valid.",
  content: { [Problems.contentType]: { schema: badRequest } }
}

/** A description of the API in which requests that are not valid are answered as they are here. */
export const told = (spec: Json): Json => ({
  ...spec,
  paths: mapped(spec["paths"], (path) =>
    mapped(path, (operation) => {
      const responses = children(operation["responses"])
      return "400" in responses ? { ...operation, responses: { ...responses, 400: described } } : operation
    })
  ),
  components: {
    ...children(spec["components"]),
    schemas: Object.fromEntries(
      Object.entries(children(children(spec["components"])["schemas"])).filter(([name]) => !platformSchemas.has(name))
    )
  }
})
