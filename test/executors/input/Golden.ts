import * as Schema from "effect/Schema"
import { Content } from "../../../src/domain/Content.ts"
import * as GoldenFiles from "../../support/GoldenFiles.ts"

/** One line of a file of golden vectors; test/README.md says what they are. */
export interface GoldenCase {
  readonly id: string
  readonly note?: string
  readonly mode?: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly original_defect?: boolean
  readonly defects?: ReadonlyArray<string>
  readonly error?: { readonly kind: string; readonly message: string }
  readonly [field: string]: unknown
}

export const load = (name: string): ReadonlyArray<GoldenCase> =>
  GoldenFiles.lines(name).map((line) => JSON.parse(line) as GoldenCase)

export const items = (input: unknown): ReadonlyArray<Content> =>
  (Array.isArray(input) ? input : [input]).map((item) => Schema.decodeUnknownSync(Content)(fromJson(item)))

/** `{"$bytes": …}` and `{"$float": …}` as what they stand for. */
const fromJson = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first?.[0] === "$bytes") return new Uint8Array(Buffer.from(String(first[1]), "base64"))
  if (entries.length === 1 && first?.[0] === "$float") return Number(first[1])
  return Object.fromEntries(entries.map(([key, each]) => [key, fromJson(each)]))
}

/**
 * Where `actual` differs from what the original gave: `<time>` and `<size>` stand for any, of messages in `errors` only the number
 * counts, numbers may differ by a billionth. Undefined when nothing does.
 */
export const difference = (expected: unknown, actual: unknown, path = ""): string | undefined => {
  if (expected === "<time>" || expected === "<size>" || expected === "<volatile>") {
    return actual === undefined ? `${path}: missing` : undefined
  }
  if (typeof expected === "number" && typeof actual === "number") {
    const near = Math.abs(expected - actual) <= 1e-9 * Math.max(Math.abs(expected), Math.abs(actual))
    return near ? undefined : `${path}: ${expected} and not ${actual}`
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return `${path}: ${expected.length} elements and not ${actual.length}`
    if (path.endsWith(".errors")) return undefined
    return expected.map((each, index) => difference(each, actual[index], `${path}[${index}]`)).find(Boolean)
  }
  if (typeof expected === "object" && expected !== null && typeof actual === "object" && actual !== null) {
    const left = expected as Record<string, unknown>
    const right = actual as Record<string, unknown>
    return [...new Set([...Object.keys(left), ...Object.keys(right)])]
      .map((key) => {
        if (!(key in right)) return `${path}.${key}: missing`
        if (!(key in left)) return `${path}.${key}: not expected`
        return difference(left[key], right[key], `${path}.${key}`)
      })
      .find(Boolean)
  }
  return Object.is(expected, actual)
    ? undefined
    : `${path}: ${JSON.stringify(expected)?.slice(0, 300)} and not ${JSON.stringify(actual)?.slice(0, 300)}`
}
