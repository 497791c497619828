import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Content, nameOf } from "../../domain/Content.ts"
import * as Executor from "../../executor/Executor.ts"
import { isObject } from "../../executor/DottedPath.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as CaseTransform from "./fields/CaseTransform.ts"
import * as IdMapping from "./fields/IdMapping.ts"
import * as ListReading from "./fields/ListReading.ts"
import * as Nesting from "./fields/Nesting.ts"
import * as ObjectMapping from "./fields/ObjectMapping.ts"
import * as PathWriting from "./fields/PathWriting.ts"
import * as Template from "./fields/Template.ts"

const settings = {
  ...PerItem.settings({ maxConcurrent: 5, anyConcurrency: true }),
  mappings: Settings.object({
    description:
      "Path of a value in data → path where it goes, in this order; a mapping, or a JSON object as text. Both may hold placeholders.",
    default: null
  }),
  object_mappings: Settings.object({
    description: "Path where a list of objects goes → their keys, each with the path of its values.",
    default: null
  }),
  source_id_mappings: Settings.object({
    description:
      "Path where it goes → part of the item's identifier: id.path, {id.container}/{id.path}, id for all of it, or a fixed text.",
    default: null
  }),
  copy_mode: Settings.choice(["move", "copy"], {
    description: "move takes the values of mappings away from where they were. A blank text is move.",
    default: "copy",
    blank: "move"
  }),
  create_nested: Settings.boolean({
    description: "Make the objects that a path needs. False: they must be there.",
    default: true
  }),
  overwrite_existing: Settings.boolean({
    description: "Write where something is already. False: leave that, and its source, as they are.",
    default: true
  }),
  template_fields: Settings.boolean({
    description:
      "Fill placeholders such as {doc_type} or {total:.2f} with fields of data; {{ and }} are braces. Without a value for each of them the text stays as it is.",
    default: true
  }),
  nested_delimiter: Settings.string({ description: "What stands between the names of a path.", default: "." }),
  list_handling: Settings.choice(ListReading.handlings, {
    description:
      "A list before the end of a path: first goes on in its first element, merge collects from all into one list, concatenate joins that as a text, all keeps a result for each element.",
    default: "merge"
  }),
  join_separator: Settings.separator({ description: "Between the parts, for concatenate.", default: "\n" }),
  merge_filter_empty: Settings.boolean({
    description: "Leave out null and empty texts of merge and concatenate, and objects without any value.",
    default: true
  }),
  merge_deduplicate: Settings.boolean({
    description: "Keep only the first of equal values, for merge and concatenate.",
    default: false
  }),
  case_transform: Settings.choice(CaseTransform.cases, {
    description: "Spelling of the paths that mappings write to.",
    default: null
  }),
  fail_on_missing_source: Settings.boolean({
    description: "Fail items that lack the value of a mapping; null counts as missing.",
    default: false
  }),
  remove_empty_objects: Settings.boolean({
    description: "With move: take away the objects that are empty at the end.",
    default: false
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `field_mapper`: copies, moves and combines fields of data. */
export const executor = Executor.define({
  type: "field_mapper",
  aliases: ["field_mapper_executor"],
  category: "transform",
  name: "Field Mapper",
  description: "Copies, moves, renames and combines fields.",
  settings,
  check: (settings) => {
    const problems = [
      ...wrongTexts("mappings", settings.mappings),
      ...(settings.fail_on_missing_source ? wrongTexts("source_id_mappings", settings.source_id_mappings) : []),
      ...Object.entries(settings.object_mappings ?? {}).flatMap(([target, shape]) =>
        isObject(shape)
          ? wrongTexts("object_mappings", shape, [target])
          : [
              {
                path: ["object_mappings", target],
                message: `The setting object_mappings must hold an object of keys and paths at ${target}.`
              }
            ]
      )
    ]
    const count = [settings.mappings, settings.object_mappings, settings.source_id_mappings].reduce(
      (sum, each) => sum + Object.keys(each ?? {}).length,
      0
    )
    return count > 0
      ? problems
      : [
          {
            path: ["mappings"],
            message: "One of the settings mappings, object_mappings and source_id_mappings must not be empty."
          }
        ]
  },
  advise: (settings) => [
    ...Object.entries(settings.object_mappings ?? {}).flatMap(([target, shape]) =>
      isObject(shape) && Object.keys(shape).length === 0
        ? [
            {
              path: ["object_mappings", target],
              message: `The setting object_mappings has no keys at ${target}, so nothing is written there.`
            }
          ]
        : []
    ),
    ...wrongTexts("source_id_mappings", settings.source_id_mappings).map(({ message, path }) => ({
      path,
      message: `${message} It is left out.`
    }))
  ],
  make: (settings, context) =>
    Effect.succeed(
      PerItem.perItem(context, settings, (item, keep) => {
        const result = map(settings, item)
        if (result.problem === null) return Effect.succeed({ ...item, data: result.data })
        // As in the original: what was written before it failed stays.
        keep({ ...item, data: result.data })
        return Effect.fail(Executor.documentError(context, item, result.problem))
      })
    )
})

const wrongTexts = (
  setting: string,
  mapping: Readonly<Record<string, unknown>> | null,
  path: ReadonlyArray<string> = []
): ReadonlyArray<Settings.SettingProblem> =>
  Object.entries(mapping ?? {}).flatMap(([key, value]) =>
    typeof value === "string"
      ? []
      : [
          {
            path: [setting, ...path, key],
            message: `The setting ${setting} must hold a text at ${[...path, key].join(" → ")}.`
          }
        ]
  )

type Fields = Readonly<Record<string, unknown>>

interface Result {
  readonly data: Fields
  readonly problem: string | null
}

/** Stops a mapping; what was written before is in the `Result`. */
class Stop extends Error {}

/** The steps in the original's order: identifiers, objects, fields, cleaning up. */
const map = (settings: Decoded, item: Content): Result => {
  let data: Fields = item.data
  try {
    for (const [target, expression] of Object.entries(settings.source_id_mappings ?? {})) {
      if (typeof expression !== "string") continue
      const value = IdMapping.valueOf(item.id, expression, settings.template_fields, settings.nested_delimiter)
      if (value === undefined || value === null || isKept(settings, data, target)) continue
      const written = PathWriting.write(data, pathOf(settings, target), value, settings.create_nested)
      if (Either.isRight(written)) data = written.right
      else if (settings.fail_on_missing_source) throw new Stop(unwritable(target, written.left))
    }
    for (const [target, shape] of Object.entries(settings.object_mappings ?? {})) {
      const objects = ObjectMapping.build(data, shapeOf(settings, shape), reading(settings), (path) => {
        if (settings.fail_on_missing_source) throw new Stop(missing(path.join(settings.nested_delimiter)))
      })
      if (objects !== null) data = write(settings, data, target, objects)
    }
    for (const [source, target] of resolved(settings, data)) data = mapField(settings, data, source, target)
    if (settings.copy_mode === "move" && settings.remove_empty_objects) data = PathWriting.withoutEmptyObjects(data)
    return { data, problem: null }
  } catch (cause) {
    if (cause instanceof Stop) return { data, problem: `${nameOf(item)}: ${cause.message}` }
    if (cause instanceof Nesting.NestedTooDeeply) return { data, problem: Nesting.message(nameOf(item)) }
    throw cause
  }
}

const mapField = (settings: Decoded, data: Fields, source: string, target: string): Fields => {
  const path = pathOf(settings, source)
  const value = ListReading.read(data, path, reading(settings))
  if (value === null || value === undefined) {
    if (settings.fail_on_missing_source) throw new Stop(missing(source))
    return data
  }
  if (isKept(settings, data, target)) return data
  // Taken away first, so that a path may move into itself or onto its parent.
  const lists = settings.list_handling === "first" ? "first" : "each"
  const base = settings.copy_mode === "move" && source !== target ? PathWriting.remove(data, path, lists) : data
  return write(settings, base, target, value)
}

/** All placeholders are filled before the first field is mapped, as in the original. */
const resolved = (settings: Decoded, data: Fields): ReadonlyArray<readonly [source: string, target: string]> => {
  const mappings = Object.entries(settings.mappings ?? {}).map(([source, target]) => [source, String(target)] as const)
  const names =
    settings.template_fields && mappings.flat().some((text) => text.includes("{")) ? Template.namesOf(data) : null
  const fill = (text: string): string =>
    names !== null && text.includes("{") ? (Template.fill(text, names) ?? text) : text
  const spelled = (text: string): string =>
    settings.case_transform === null ? text : CaseTransform.transform(text, settings.case_transform)
  return mappings.map(([source, target]) => [fill(source), spelled(fill(target))])
}

const write = (settings: Decoded, data: Fields, target: string, value: unknown): Fields => {
  if (isKept(settings, data, target)) return data
  const written = PathWriting.write(data, pathOf(settings, target), value, settings.create_nested)
  if (Either.isLeft(written)) throw new Stop(unwritable(target, written.left))
  return written.right
}

const unwritable = (target: string, why: string): string => `data.${target} can't be written, because ${why}.`

const isKept = (settings: Decoded, data: Fields, target: string): boolean => {
  if (settings.overwrite_existing) return false
  let value: unknown = data
  for (const key of pathOf(settings, target)) value = ListReading.member(value, key)
  return value !== null
}

const missing = (source: string): string => `data.${source} is missing (setting fail_on_missing_source).`

const pathOf = (settings: Decoded, path: string): ReadonlyArray<string> => path.split(settings.nested_delimiter)

const shapeOf = (settings: Decoded, shape: unknown): ObjectMapping.Shape =>
  Object.entries(isObject(shape) ? shape : {}).map(([key, path]) => [key, pathOf(settings, String(path))] as const)

const reading = (settings: Decoded): ListReading.ListReading => ({
  handling: settings.list_handling,
  separator: settings.join_separator,
  filterEmpty: settings.merge_filter_empty,
  deduplicate: settings.merge_deduplicate
})
