import { createHash } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Content } from "../../domain/Content.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { ofValue } from "../../python/PythonText.ts"
import * as Executor from "../../executor/Executor.ts"
import { isObject, valueAt } from "../../executor/DottedPath.ts"
import * as ItemLog from "../../executor/ItemLog.ts"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import * as Settings from "../../executor/Settings.ts"
import { compareOrders, fieldOf } from "./DocumentSet.ts"

/**
 * `document_set_collector`: one item for each document set, with what was found in its documents. Items that belong to
 * no set share one. A set that is not complete fails the node, unless `require_complete_set` is off.
 */
export const executor = Executor.define({
  type: "document_set_collector",
  category: "document_set",
  name: "Document Set Collector",
  description: "Makes one item out of the documents of a set.",
  settings: {
    require_complete_set: Settings.boolean({
      description: "Whether a set must have as many documents as it had when it was made.",
      default: true
    }),
    fields_to_collect: names("Keys of data, or dotted paths in it, to take from each document. Empty: everything."),
    summary_fields_to_collect: names(
      "Keys of summary_data to take from each document. Empty: all but those of the set itself."
    ),
    output_key: Settings.string({ description: "The key of data that gets the set.", default: "document_set" }),
    include_raw_content_list: Settings.boolean({
      description: "Whether the complete items are kept in data.raw_content_list.",
      default: false
    })
  },
  make: (settings, context) =>
    Effect.succeed({
      process: (items) => {
        if (items.length === 0) return Effect.fail(setError(context, "there are no items to collect."))
        return Effect.gen(function* () {
          const sets = yield* groups(items)
          const incomplete = sets.find(({ expected, members }) => expected !== members.length)
          if (settings.require_complete_set && incomplete !== undefined) {
            const { expected, members, name, setId } = incomplete
            return yield* setError(
              context,
              `the document set ${JSON.stringify(name)} (${setId}) is incomplete: ${members.length} of ${ofValue(expected)} documents came (setting require_complete_set).`
            )
          }
          const log = yield* ItemLog.start(context)
          const now = yield* Clock.currentTimeMillis
          return yield* EventLoopTurns.forEach(
            sets,
            (set) =>
              Effect.map(collect(set, settings, now), (collected) =>
                log.completed(collected, {
                  set_id: set.setId,
                  documents_collected: set.members.length,
                  expected_total: set.expected
                })
              ),
            { concurrency: 1 }
          )
        })
      }
    })
})

function names(description: string): Settings.Setting<ReadonlyArray<string> | null> {
  const setting = Settings.list({ description, default: null })
  return { ...setting, info: { ...setting.info, type: "array" } }
}

const setError = (context: Executor.ExecutorContext, message: string): Executor.ExecutorError =>
  new Executor.ExecutorError({
    reason: "Document",
    executorId: context.id,
    itemId: null,
    message: `${context.id}: ${message}`
  })

interface DocumentSet {
  readonly setId: string
  readonly name: unknown
  /** As the first document says; what is written there need not be a number. */
  readonly expected: unknown
  /** In their order in the set. */
  readonly members: ReadonlyArray<Content>
}

const groups = (items: ReadonlyArray<Content>): Effect.Effect<ReadonlyArray<DocumentSet>> =>
  Effect.gen(function* () {
    const bySet = new Map<string | null, Array<Content>>()
    yield* EventLoopTurns.each(items, (item) => {
      const id = item.summary_data["document_set_id"] || null
      const key = id === null ? null : ofValue(id)
      const known = bySet.get(key)
      if (known === undefined) bySet.set(key, [item])
      else known.push(item)
    })
    return yield* EventLoopTurns.forEach([...bySet], ([id, members]) => setOf(id, members), { concurrency: 1 })
  })

const setOf = (id: string | null, members: ReadonlyArray<Content>): Effect.Effect<DocumentSet> =>
  Effect.gen(function* () {
    const summary = members[0]?.summary_data ?? {}
    const names = members.map((item) => item.id?.canonical_id ?? "")
    const setId = id ?? `ungrouped_${(yield* sha1(names, "\n")).slice(0, 12)}`
    const name = fieldOf(summary, "document_set_name", "")
    return {
      setId,
      name: setId.startsWith("ungrouped_") ? name || "auto_collected_set" : name,
      expected: fieldOf(summary, "document_set_total", members.length),
      members: yield* EventLoopTurns.sorted(members, (a, b) => compareOrders(orderOf(a), orderOf(b)))
    }
  })

interface CollectSettings {
  readonly fields_to_collect: ReadonlyArray<string> | null
  readonly summary_fields_to_collect: ReadonlyArray<string> | null
  readonly output_key: string
  readonly include_raw_content_list: boolean
}

const collect = (
  { expected, members, name, setId }: DocumentSet,
  settings: CollectSettings,
  now: number
): Effect.Effect<Content> =>
  Effect.gen(function* () {
    const documents = yield* EventLoopTurns.map(members, (item) => documentOf(item, settings))
    const ids = members.map((item) => item.id?.unique_id ?? "")
    return {
      id: {
        canonical_id: `document_set://${setId}`,
        // Derived from its members, not from the time as in the original: a second attempt must not index the set twice.
        unique_id: yield* sha1(["set", setId, ...ids], "_"),
        source_name: "document_set_collector",
        source_type: "document_set",
        container: null,
        path: setId,
        filename: name === null ? null : ofValue(name),
        metadata: null
      },
      data: {
        [settings.output_key]: {
          set_id: setId,
          set_name: name,
          total_documents: members.length,
          collected_at: Timestamp.format(now),
          documents
        },
        ...(settings.include_raw_content_list ? { raw_content_list: members } : {})
      },
      summary_data: {
        document_set_id: setId,
        document_set_name: name,
        document_set_total: members.length,
        collection_status: expected === members.length ? "complete" : "partial"
      },
      executor_logs: []
    }
  })

const documentOf = (item: Content, settings: CollectSettings): Readonly<Record<string, unknown>> => ({
  role: fieldOf(item.summary_data, "document_set_role", ""),
  order: orderOf(item),
  canonical_id: item.id === null ? "" : item.id.canonical_id,
  unique_id: item.id === null ? "" : item.id.unique_id,
  filename: item.id === null ? "" : item.id.filename,
  path: item.id === null ? "" : item.id.path,
  data: settings.fields_to_collect === null ? item.data : pick(item.data, settings.fields_to_collect),
  summary_data: summaryOf(item.summary_data, settings.summary_fields_to_collect)
})

type Fields = Readonly<Record<string, unknown>>

/** A nested field keeps its place, so that its path leads to it in the set, too. */
const pick = (data: Fields, fields: ReadonlyArray<string>): Fields => {
  let picked: Fields = {}
  for (const field of fields) {
    if (Object.hasOwn(data, field)) picked = { ...picked, [field]: data[field] }
    else {
      const value = valueAt(data, field)
      if (value !== undefined && value !== null) picked = place(picked, field.split("."), value)
    }
  }
  return picked
}

const place = (into: Fields, [key = "", ...rest]: ReadonlyArray<string>, value: unknown): Fields => {
  const inner = Object.hasOwn(into, key) ? into[key] : undefined
  return { ...into, [key]: rest.length === 0 ? value : place(isObject(inner) ? inner : {}, rest, value) }
}

const summaryOf = (summary: Fields, fields: ReadonlyArray<string> | null): Fields =>
  Object.fromEntries(
    Object.entries(summary).filter(([key]) =>
      fields === null ? !key.startsWith("document_set_") : fields.includes(key)
    )
  )

const orderOf = (item: Content): unknown => fieldOf(item.summary_data, "document_set_order", 0)

/** The digest of the texts with the separator between them. */
const sha1 = (texts: ReadonlyArray<string>, separator: string): Effect.Effect<string> =>
  Effect.suspend(() => {
    const hash = createHash("sha1")
    const update = (text: string, index: number): void => {
      hash.update(index === 0 ? text : separator + text)
    }
    return Effect.map(EventLoopTurns.each(texts, update), () => hash.digest("hex"))
  })
