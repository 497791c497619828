import * as Effect from "effect/Effect"
import type { Content, ExecutorLogEntry } from "../../domain/Content.ts"
import * as Executor from "../Executor.ts"
import * as Settings from "../Settings.ts"

const strategies = ["keep-one", "first", "last", "deep", "fail"] as const
type Strategy = (typeof strategies)[number]

/**
 * `fan_in_aggregator`: one item for each `canonical_id` out of the items of all branches, in the order of first appearance
 * (pipeline.md 9.4). Works behind any edge. The logs of all branches are kept; items without id stay apart.
 */
export const executor = Executor.define({
  type: "fan_in_aggregator",
  category: "transform",
  name: "Fan-In Aggregator",
  description: "Brings the results of parallel branches together: one item for each document.",
  settings: {
    duplicate_field_merge_strategy: Settings.choice(strategies, {
      description:
        "When several branches have the same key of data or summary_data: first (or keep-one) keeps the value of the first branch, last that of the last, deep merges mappings and keeps the first of other values, fail refuses values that differ.",
      default: "first"
    })
  },
  make: ({ duplicate_field_merge_strategy: strategy }, context) =>
    Effect.succeed({
      process: (items) =>
        Effect.suspend(() => {
          const merged = new Map<string | symbol, Content>()
          for (const item of items) {
            const key = item.id?.canonical_id ?? Symbol()
            const known = merged.get(key)
            if (known === undefined) merged.set(key, item)
            else {
              const conflict = strategy === "fail" ? firstConflict(known, item) : undefined
              if (conflict !== undefined) {
                const message = `${context.id}: two branches have different values of ${conflict} for ${key.toString()} (setting duplicate_field_merge_strategy: fail).`
                return Effect.fail(Executor.documentError(context, item, message))
              }
              merged.set(key, merge(known, item, strategy))
            }
          }
          return Effect.succeed([...merged.values()])
        })
    })
})

type Fields = Readonly<Record<string, unknown>>

const merge = (first: Content, later: Content, strategy: Strategy): Content => ({
  id: first.id,
  summary_data: mergeFields(first.summary_data, later.summary_data, strategy),
  data: mergeFields(first.data, later.data, strategy),
  executor_logs: unionOfLogs(first.executor_logs, later.executor_logs)
})

const mergeFields = (first: Fields, later: Fields, strategy: Strategy): Fields => {
  if (first === later) return first
  if (strategy === "last") return { ...first, ...later }
  // Twice: the first one's values, and its order of keys.
  return strategy === "deep" ? mergeDeep(first, later, maxDepth) : { ...first, ...later, ...first }
}

/** Deeper mappings are taken as a whole. */
const maxDepth = 50

const mergeDeep = (first: Fields, later: Fields, depth: number): Fields => {
  const merged = new Map(Object.entries(later))
  for (const [key, value] of Object.entries(first)) {
    const other = merged.get(key)
    merged.set(key, depth > 0 && isMapping(value) && isMapping(other) ? mergeDeep(value, other, depth - 1) : value)
  }
  return Object.fromEntries(merged)
}

/** `data.total`, or whichever key comes first. */
const firstConflict = (first: Content, later: Content): string | undefined => {
  for (const part of ["data", "summary_data"] as const) {
    for (const [key, value] of Object.entries(later[part])) {
      if (!Object.hasOwn(first[part], key) || first[part][key] === value) continue
      if (textOf(first[part][key]) !== textOf(value)) return `${part}.${key}`
    }
  }
  return undefined
}

/**
 * The entries of the first, then those that only the later one has. Branches share the entries of what ran before the fork; where
 * items came through a queue these are equal but not the same.
 */
const unionOfLogs = (
  first: ReadonlyArray<ExecutorLogEntry>,
  later: ReadonlyArray<ExecutorLogEntry>
): ReadonlyArray<ExecutorLogEntry> => {
  let common = 0
  while (common < later.length && first[common] === later[common]) common += 1
  if (common === later.length) return first
  const known = new Set(first.slice(common).map(textOf))
  const added = later.slice(common).filter((entry) => !known.has(textOf(entry)))
  return added.length === 0 ? first : [...first, ...added]
}

const isMapping = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

/** Equal values have equal texts, whatever the order of their keys. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    isMapping(each) ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1))) : each
  ) ?? ""
