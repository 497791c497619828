import * as Schema from "effect/Schema"
import { Content } from "../../src/domain/Content.ts"
import * as GoldenFiles from "../support/GoldenFiles.ts"

/** The lines of a file of golden vectors: what the original does with given inputs. */
export const vectors = (file: string): ReadonlyArray<Record<string, unknown>> =>
  GoldenFiles.lines(file).map((line) => JSON.parse(line) as Record<string, unknown>)

const decodeItem = Schema.decodeUnknownSync(Content)

/** One item or a list of them, as the items of a task. */
export const items = (value: unknown): ReadonlyArray<Content> =>
  (Array.isArray(value) ? value : [value]).map((item) => decodeItem(item))

/** A list of items as JSON has it. */
export const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/**
 * The first difference between a vector's output and ours, or undefined. Placeholders stand for anything, numbers
 * are compared by value, messages of log entries only by their number.
 */
export const difference = (expected: unknown, actual: unknown, path = ""): string | undefined => {
  if (typeof expected === "string" && placeholder.test(expected)) {
    const pattern = expected
      .split(placeholder)
      .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".+")
    return new RegExp(`^${pattern}$`, "su").test(String(actual)) && actual !== undefined && actual !== null
      ? undefined
      : `${path}: expected ${expected}, got ${String(actual)}`
  }
  if (typeof expected === "number" && typeof actual === "number") {
    return Math.abs(expected - actual) <= 1e-9 * Math.max(1, Math.abs(expected))
      ? undefined
      : `${path}: expected ${expected}, got ${actual}`
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return `${path}: expected a list, got ${JSON.stringify(actual)}`
    if (expected.length !== actual.length) {
      return `${path}: expected ${expected.length} elements, got ${actual.length}: ${JSON.stringify(actual).slice(0, 500)}`
    }
    if (path.endsWith(".errors")) return undefined
    return first(expected.map((each, index) => difference(each, actual[index], `${path}[${index}]`)))
  }
  if (typeof expected === "object" && expected !== null) {
    if (typeof actual !== "object" || actual === null || Array.isArray(actual)) {
      return `${path}: expected an object, got ${JSON.stringify(actual)}`
    }
    const extra = Object.keys(actual).find((key) => !Object.hasOwn(expected, key))
    if (extra !== undefined) return `${path}: unexpected key ${extra}`
    return first(
      Object.entries(expected).map(([key, value]) =>
        difference(value, (actual as Record<string, unknown>)[key], `${path}.${key}`)
      )
    )
  }
  return expected === actual
    ? undefined
    : `${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`
}

const placeholder = /<(?:time|volatile|uuid|first 8 of uuid|size|n)>/

const first = (differences: ReadonlyArray<string | undefined>): string | undefined =>
  differences.find((each) => each !== undefined)

/** The same list of items with the log entries of each in an order of their own. */
export const withSortedLogs = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((item: { readonly executor_logs: ReadonlyArray<{ readonly executor_id: string }> }) => ({
        ...item,
        executor_logs: item.executor_logs.toSorted((a, b) => (a.executor_id < b.executor_id ? -1 : 1))
      }))
    : value
