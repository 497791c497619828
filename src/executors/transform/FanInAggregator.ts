import * as Effect from "effect/Effect"
import { type Content, type ExecutorLogEntry, nameOf } from "../../domain/Content.ts"
import * as ExactJson from "../../domain/ExactJson.ts"
import * as SafeJson from "../../domain/SafeJson.ts"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import * as Executor from "../../executor/Executor.ts"
import * as Settings from "../../executor/Settings.ts"

const strategies = ["keep-one", "first", "last", "deep", "fail"] as const
type Strategy = (typeof strategies)[number]

/**
 * `fan_in_aggregator`: one item for each `canonical_id` out of the items of all branches, in the order of first appearance.
 * Works behind any edge. The logs of all branches are kept; items without id stay apart.
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
      default: "first",
      unknown: "first"
    })
  },
  make: ({ duplicate_field_merge_strategy: strategy }, context) =>
    Effect.succeed({
      process: (items) =>
        Effect.suspend(() => {
          const same = new Map<string | Content, Array<Content>>()
          for (const item of items) {
            const key = item.id === null ? item : item.id.canonical_id
            const known = same.get(key)
            if (known === undefined) same.set(key, [item])
            else known.push(item)
          }
          const merged: Array<Content> = []
          let failure: Executor.ExecutorError | undefined
          const merging = EventLoopTurns.each([...same.values()], ([first, ...later]) => {
            if (first === undefined) return
            const conflict = strategy === "fail" ? firstConflict(first, later) : undefined
            if (conflict === undefined) {
              merged.push(later.length === 0 ? first : merge(first, later, strategy))
              return
            }
            const message = `${context.id}: the branches have different values of ${conflict} for ${nameOf(first)} (setting duplicate_field_merge_strategy: fail).`
            failure = Executor.documentError(context, first, message)
            return false
          })
          return Effect.flatMap(merging, () => (failure === undefined ? Effect.succeed(merged) : Effect.fail(failure)))
        })
    })
})

type Fields = Readonly<Record<string, unknown>>

const merge = (first: Content, later: ReadonlyArray<Content>, strategy: Strategy): Content => {
  let { data, summary_data } = first
  for (const item of later) {
    data = mergeFields(data, item.data, strategy)
    const usage = usageOf(summary_data, item.summary_data)
    summary_data = { ...mergeFields(summary_data, item.summary_data, strategy), ...usage }
  }
  return { id: first.id, summary_data, data, executor_logs: unionOfLogs([first, ...later]) }
}

/** What branches used of paid services is kept of all of them, whatever the strategy: each node has an entry of its own. */
const usageOf = (first: Fields, later: Fields): Fields => {
  const [one, other] = [first["usage"], later["usage"]]
  return isMapping(one) && isMapping(other) ? { usage: { ...other, ...one } } : {}
}

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
const firstConflict = (first: Content, later: ReadonlyArray<Content>): string | undefined => {
  for (const part of ["data", "summary_data"] as const) {
    const values = new Map(Object.entries(first[part]))
    const texts = new Map<string, string>()
    for (const item of later) {
      for (const [key, value] of Object.entries(item[part])) {
        if (part === "summary_data" && key === "usage") continue
        if (!values.has(key)) values.set(key, value)
        else if (values.get(key) !== value) {
          const text = texts.get(key) ?? textOf(values.get(key))
          texts.set(key, text)
          if (text !== textOf(value)) return `${part}.${key}`
        }
      }
    }
  }
  return undefined
}

/**
 * The entries of the first item, then those that only the later ones have. Branches share the entries of what ran before the fork; where
 * items came through a queue these are equal but not the same.
 */
const unionOfLogs = (items: ReadonlyArray<Content>): ReadonlyArray<ExecutorLogEntry> => {
  const seen = new Set<ExecutorLogEntry>()
  const alike = new Map<string, { readonly first: ExecutorLogEntry; texts?: Set<string> }>()
  for (const { executor_logs } of items) {
    for (const entry of executor_logs) {
      if (seen.has(entry)) continue
      const key = `${entry.executor_id} ${entry.start_time} ${entry.end_time}`
      const others = alike.get(key)
      if (others === undefined) alike.set(key, { first: entry })
      else {
        others.texts ??= new Set([textOf(others.first)])
        const text = textOf(entry)
        if (others.texts.has(text)) continue
        others.texts.add(text)
      }
      seen.add(entry)
    }
  }
  return [...seen]
}

const isMapping = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

/** Equal values have equal texts, whatever the order of their keys. */
const textOf = (value: unknown): string => ExactJson.stringify(sorted(SafeJson.toExactJson(value)))

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isMapping(value)) return value
  const keys = Object.keys(value).toSorted()
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]))
}
