import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import { type Content, withSummary } from "../../domain/Content.ts"
import { compareByCodePoint, ofValue } from "../../python/PythonText.ts"
import { isTrue } from "../../python/PythonTruth.ts"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import * as Executor from "../../executor/Executor.ts"
import { valueAt } from "../../executor/DottedPath.ts"
import * as ItemLog from "../../executor/ItemLog.ts"
import * as Settings from "../../executor/Settings.ts"
import { by, sorted } from "./DocumentOrder.ts"
import * as RolePattern from "./RolePattern.ts"

/**
 * `document_set_initializer`: makes its items one set: puts them in order and writes the set's id and name, and each
 * document's role and place, into `summary_data`.
 */
export const executor = Executor.define({
  type: "document_set_initializer",
  category: "document_set",
  name: "Document Set Initializer",
  description: "Makes the items one set: gives each its role and its place in it.",
  settings: {
    set_id: Settings.string({
      description:
        "The id of the set. Without it one is derived from the documents, so that a second attempt gets the same.",
      default: null
    }),
    set_name: Settings.string({
      description: "The name of the set. Default: document_set_ and the start of its id.",
      default: null
    }),
    ordering_strategy: Settings.choice(
      ["filename_alpha", "filename_numeric", "explicit_mapping", "last_modified", "input_order"],
      { description: "What puts the documents in order.", default: "filename_alpha" }
    ),
    role_field: Settings.string({
      description: "Where a document's role stands: data.<path>, or a key of the identifier's metadata.",
      default: null
    }),
    role_mapping: Settings.object({
      description: "Roles by a part of the file name, for example Q1: first_quarter.",
      default: null
    }),
    validate_set_size: Settings.integer({
      description: "How many documents there must be; 0 for any number.",
      default: 0,
      min: 0
    })
  },
  make: (settings, context) => {
    const roles = Object.entries(settings.role_mapping ?? {})
    return Effect.succeed({
      process: (items) => {
        if (items.length === 0) {
          return Effect.as(Effect.logWarning(`${context.id}: there are no items to make a set of.`), items)
        }
        if (settings.validate_set_size > 0 && items.length !== settings.validate_set_size) {
          return Effect.fail(
            new Executor.ExecutorError({
              reason: "Document",
              executorId: context.id,
              itemId: null,
              message: `${context.id}: the set must have ${settings.validate_set_size} documents (setting validate_set_size), but ${items.length} came.`
            })
          )
        }
        return Effect.gen(function* () {
          const setId = settings.set_id ?? (yield* idOf(context, items))
          const setName = settings.set_name ?? `document_set_${Array.from(setId).slice(0, 8).join("")}`
          const patterns = RolePattern.make(
            roles.map(([pattern]) => pattern),
            items.map(fileName)
          )
          const ordered = yield* settings.ordering_strategy === "explicit_mapping"
            ? byPattern(items, patterns, roles.length)
            : sorted(items, settings.ordering_strategy)
          const roleOf = (item: Content): unknown => {
            const own = settings.role_field === null ? undefined : fieldOf(item, settings.role_field)
            if (isTrue(own)) return ofValue(own)
            const name = fileName(item)
            const pattern = patterns(name)
            return pattern === undefined ? stemOf(name) : roles[pattern]?.[1]
          }
          const log = yield* ItemLog.start(context)
          return yield* EventLoopTurns.map(ordered, (item, order) => {
            const role = roleOf(item)
            const stamped = withSummary(item, {
              document_set_id: setId,
              document_set_name: setName,
              document_set_role: role,
              document_set_order: order,
              document_set_total: items.length
            })
            return log.completed(stamped, { set_id: setId, role, order, total: items.length })
          })
        })
      }
    })
  }
})

const fileName = ({ id }: Content): string => id?.filename || id?.path || id?.canonical_id || ""

const stemOf = (name: string): string => (name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : name)

/** In the order of the mapping; documents that nothing in it names come last, all in their own order. */
const byPattern = (
  items: ReadonlyArray<Content>,
  patterns: RolePattern.Patterns,
  count: number
): Effect.Effect<ReadonlyArray<Content>> =>
  count === 0
    ? Effect.succeed(items)
    : by(
        items,
        (item) => patterns(item.id?.filename || item.id?.path || "") ?? count,
        (a, b) => a - b
      )

const fieldOf = (item: Content, field: string): unknown => {
  if (field.startsWith("data.")) return valueAt(item.data, field.slice("data.".length))
  const metadata = item.id?.metadata ?? {}
  return Object.hasOwn(metadata, field) ? metadata[field] : undefined
}

/** In the form of a UUID. A random one, as in the original, would make another set out of every attempt. */
const idOf = ({ id, pipelineName }: Executor.ExecutorContext, items: ReadonlyArray<Content>): Effect.Effect<string> =>
  Effect.gen(function* () {
    const names = yield* EventLoopTurns.sorted(
      items.map((item) => item.id?.canonical_id ?? ""),
      compareByCodePoint
    )
    const hex = createHash("sha256")
      .update(JSON.stringify([pipelineName, id, names]))
      .digest("hex")
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-")
  })
