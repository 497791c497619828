import { isObject } from "./StandIn.ts"

/** A value that a JSON schema allows, with words of a text where it asks for texts. */
export const sample = (schema: unknown, text: string): unknown => valueOf(schema, schema, "", text)

const valueOf = (root: unknown, schema: unknown, name: string, text: string): unknown => {
  if (!isObject(schema)) return null
  const reference = schema["$ref"]
  if (typeof reference === "string") return valueOf(root, definition(root, reference), name, text)
  const [choice] = listOf(schema["enum"])
  if (choice !== undefined) return choice
  if ("const" in schema) return schema["const"]
  const [variant] = listOf(schema["anyOf"] ?? schema["oneOf"])
  if (variant !== undefined) return valueOf(root, variant, name, text)
  const [type] = listOf(schema["type"])
  switch (type) {
    case "object": {
      const properties = isObject(schema["properties"]) ? schema["properties"] : {}
      return Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, valueOf(root, each, key, text)]))
    }
    case "array":
      return [valueOf(root, schema["items"], name, text)]
    case "number":
      return 0.9
    case "integer":
      return 1
    case "boolean":
      return true
    case "null":
      return null
    default:
      return wordFor(name, text)
  }
}

const definition = (root: unknown, reference: string): unknown =>
  reference
    .replace(/^#\//, "")
    .split("/")
    .reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), root)

const listOf = (value: unknown): ReadonlyArray<unknown> =>
  value === undefined ? [] : Array.isArray(value) ? (value as ReadonlyArray<unknown>) : [value]

/** Languages are checked by their codes; everything else must only occur in the text. */
const wordFor = (name: string, text: string): string => {
  if (name === "iso_639_1") return "en"
  if (name === "iso_639_3") return "eng"
  return /\p{Lu}[\p{L}\p{M}]{3,}/u.exec(text)?.[0] ?? /\p{L}+/u.exec(text)?.[0] ?? ""
}
