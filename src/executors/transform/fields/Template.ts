import * as PythonText from "../../../python/PythonText.ts"
import { isObject } from "../../../executor/DottedPath.ts"
import { formatValue } from "../../../python/FormatSpec.ts"
import * as Nesting from "./Nesting.ts"

/**
 * Fills the placeholders of a text as Python's `str.format` does: `{name}`, `{name.key}`, `{name[key]}`, `{name[0]}`, with `!r`, `!s`, `!a` and a format
 * (`{total:.2f}`); `{{` and `}}` are braces. Undefined when a placeholder has no value or can't be read, for then the text is not a template.
 */
export const fill = (template: string, valueOf: (name: string) => unknown): string | undefined => {
  let text = ""
  let at = 0
  for (const match of template.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g)) {
    text += template.slice(at, match.index)
    at = match.index + match[0].length
    if (match[0] === "{{" || match[0] === "}}") text += match[0].charAt(0)
    else {
      const filled = match[1] === undefined ? undefined : placeholder(match[1], valueOf)
      if (filled === undefined) return undefined
      text += filled
    }
  }
  return text + template.slice(at)
}

/** The names that a text may use: keys of `data`, and keys of objects in it by their own short name, the last one of them. Throws `NestedTooDeeply`. */
export const namesOf = (data: Readonly<Record<string, unknown>>): ((name: string) => unknown) => {
  const nested = new Map<string, unknown>()
  const collect = (value: Readonly<Record<string, unknown>>, depth: number): void => {
    Nesting.guard(depth)
    for (const [key, each] of Object.entries(value)) {
      if (depth > 0) nested.set(key, each)
      if (isObject(each)) collect(each, depth + 1)
    }
  }
  collect(data, 0)
  return (name) => (Object.hasOwn(data, name) ? data[name] : nested.get(name))
}

const field = /^([^.[\]!:]+)((?:\.[^.[\]!:]+|\[[^[\]]+\])*)(?:!([rsa]))?(?::([^]*))?$/u

const placeholder = (text: string, valueOf: (name: string) => unknown): string | undefined => {
  const parts = field.exec(text)
  if (parts === null) return undefined
  const [, name = "", accessors = "", conversion, spec = ""] = parts
  let value = valueOf(name)
  for (const [, key, index] of accessors.matchAll(/\.([^.[\]]+)|\[([^[\]]+)\]/gu))
    value = inside(value, key ?? index ?? "")
  if (value === undefined || value === null) return undefined
  switch (conversion) {
    case "r":
      return formatValue(representation(value), spec)
    case "a":
      return formatValue(asciiOnly(representation(value)), spec)
    case "s":
      return formatValue(PythonText.ofValue(value), spec)
    default:
      return formatValue(value, spec)
  }
}

const inside = (value: unknown, key: string): unknown => {
  if (isObject(value)) return Object.hasOwn(value, key) ? value[key] : undefined
  if (!/^\d{1,9}$/.test(key)) return undefined
  if (Array.isArray(value)) return value[Number(key)]
  return typeof value === "string" ? Array.from(value.slice(0, 2 * (Number(key) + 1)))[Number(key)] : undefined
}

const representation = (value: unknown): string =>
  typeof value === "string" ? PythonText.quote(value) : PythonText.ofValue(value)

const asciiOnly = (text: string): string =>
  text.replaceAll(/[^\0-\x7f]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`
  })
