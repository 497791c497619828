import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Yaml from "../../yaml/Yaml.ts"

/**
 * The definition with another storage account in place of this one, wherever a setting names it; everything else, comments included, stays as
 * it is written. A text that is no YAML stays as it is: the compiler says why.
 */
export const replace = (text: string, from: string, to: string): string => {
  const read = Yaml.parse(text)
  if (Either.isLeft(read)) return text
  // Every line with the break behind it, as YAML 1.1 knows breaks.
  const lines = text.split(/(?<=\r\n|[\n\u0085\u2028\u2029]|\r(?!\n))/)
  const places = pathsOf(Yaml.toPlain(read.right.value), from).map((path) => Yaml.locate(read.right, path))
  // From the end, so that what is replaced moves nothing that is still to be replaced; an alias names one place twice.
  const distinct = new Map(places.map((place) => [`${place.line}:${place.column}`, place]))
  for (const { column, line } of [...distinct.values()].toSorted((a, b) => b.line - a.line || b.column - a.column)) {
    const characters = [...(lines[line - 1] ?? "")]
    const before = characters.slice(0, column - 1).join("")
    const [, quote = "", after = ""] = /^(["']?)([^]*)$/.exec(characters.slice(column - 1).join("")) ?? []
    if (after.startsWith(`${from}${quote}`)) lines[line - 1] = `${before}${quote}${to}${after.slice(from.length)}`
  }
  return lines.join("")
}

/** Where settings of executors name the account. */
const pathsOf = (value: unknown, account: string): ReadonlyArray<ReadonlyArray<string | number>> => {
  const found: Array<ReadonlyArray<string | number>> = []
  const visit = (each: unknown, path: ReadonlyArray<string | number>): void => {
    if (path.length > maxDepth) return
    if (Array.isArray(each)) each.forEach((one, index) => visit(one, [...path, index]))
    else if (Predicate.isRecord(each)) {
      for (const [key, one] of Object.entries(each)) {
        if (one === account && isAccountName(key) && path.at(-1) === "settings") found.push([...path, key])
        else visit(one, [...path, key])
      }
    }
  }
  visit(value, [])
  return found
}

const isAccountName = (setting: string): boolean =>
  setting === "blob_storage_account" || setting === "storage_account_name"

/** Settings lie less deep in any definition. */
const maxDepth = 20
