import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Content, nameOf, withSummary } from "../../domain/Content.ts"
import * as CutText from "../../text/CutText.ts"
import * as PythonText from "../../python/PythonText.ts"
import * as Executor from "../../executor/Executor.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import { isObject } from "../../executor/DottedPath.ts"
import * as Nesting from "./fields/Nesting.ts"
import * as Selection from "./fields/Selection.ts"

const operators = ["equals", "not_equals", "contains", "not_contains", "exists", "not_exists"] as const

const settings = {
  ...PerItem.settings({ maxConcurrent: 5, anyConcurrency: true }),
  mode: Settings.choice(["include", "exclude"], {
    description: "Keep nothing but the fields, or remove them.",
    default: "include"
  }),
  fields: Settings.array({
    description:
      "Names of data, paths such as metadata.author, and patterns with * and ? (which also match dots): a list, or a JSON list as text. They reach into lists: people.ssn is the ssn of each.",
    required: true
  }),
  nested_delimiter: Settings.string({ description: "What stands between the names of a path.", default: "." }),
  preserve_structure: Settings.boolean({
    description: "Keep objects in objects. False: one flat object with whole paths as keys.",
    default: true
  }),
  conditional_selection: Settings.boolean({
    description: "Leave items unchanged that do not meet the condition_ settings.",
    default: false
  }),
  condition_field: Settings.string({ description: "Path in data of the value to look at.", default: null }),
  condition_operator: Settings.string({
    description: "How it is compared, as a text.",
    default: "equals",
    options: operators
  }),
  condition_value: Settings.string({ description: "What it is compared with.", default: null }),
  keep_id_fields: Settings.boolean({
    description: "Keep id, canonical_id and source_id of data whatever the fields say.",
    default: true
  }),
  bulk_operations: Settings.boolean({ description: "Has no effect, as in the original.", default: false }),
  fail_on_missing_field: Settings.boolean({
    description: "Fail items that lack one of the fields; patterns never do.",
    default: false
  }),
  add_selection_metadata: Settings.boolean({ description: "Write field_selection into the summary.", default: false })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `field_selector`: keeps or removes fields of data. What is excluded is gone, wherever it lies. */
export const executor = Executor.define({
  type: "field_selector",
  aliases: ["field_selector_executor"],
  category: "transform",
  name: "Field Selector",
  description: "Keeps or removes fields, by name, path or pattern.",
  settings,
  check: (settings) => [
    ...(settings.fields.every((field) => typeof field === "string")
      ? []
      : [{ path: ["fields"], message: "The setting fields must hold nothing but texts." }]),
    ...(settings.conditional_selection && settings.condition_field === null
      ? [
          {
            path: ["condition_field"],
            message: "The setting condition_field is required when conditional_selection is true."
          }
        ]
      : []),
    ...(settings.conditional_selection ? wrongOperator(settings) : [])
  ],
  advise: (settings) =>
    wrongOperator(settings).map(({ message, path }) => ({
      path,
      message: `${message} Nothing reads it while conditional_selection is false.`
    })),
  make: (settings, context) => {
    const selection = Selection.make({
      mode: settings.mode,
      fields: fieldsOf(settings),
      delimiter: settings.nested_delimiter,
      nested: settings.preserve_structure,
      always: settings.keep_id_fields ? coreFields : new Set()
    })
    return Effect.succeed(
      PerItem.perItem(context, settings, (item) =>
        Either.mapLeft(select(settings, selection, item), (message) => Executor.documentError(context, item, message))
      )
    )
  }
})

const coreFields: ReadonlySet<string> = new Set(["id", "canonical_id", "source_id"])

const wrongOperator = ({ condition_operator: operator }: Decoded): ReadonlyArray<Settings.SettingProblem> =>
  operators.some((known) => known === operator)
    ? []
    : [
        {
          path: ["condition_operator"],
          message: `The setting condition_operator must be one of ${operators.join(", ")}, not ${JSON.stringify(CutText.cut(operator, 100))}.`
        }
      ]

const fieldsOf = (settings: Decoded): ReadonlyArray<string> =>
  settings.fields.filter((field) => typeof field === "string")

const select = (settings: Decoded, selection: Selection.Selection, item: Content): Either.Either<Content, string> => {
  if (settings.conditional_selection && !meetsCondition(settings, item)) return Either.right(item)
  try {
    const missing = settings.fail_on_missing_field ? selection.missing(item.data) : undefined
    if (missing !== undefined) {
      return Either.left(`${nameOf(item)} has no field data.${missing} (settings fields and fail_on_missing_field).`)
    }
    const selected = { ...item, data: selection.select(item.data) }
    if (!settings.add_selection_metadata) return Either.right(selected)
    const count = selection.count(item.data)
    return Either.right(
      withSummary(selected, {
        field_selection: {
          mode: settings.mode,
          fields_selected: count.selected,
          fields_removed: count.removed,
          patterns: fieldsOf(settings)
        }
      })
    )
  } catch (cause) {
    if (!(cause instanceof Nesting.NestedTooDeeply)) throw cause
    return Either.left(Nesting.message(nameOf(item)))
  }
}

/** Null meets nothing but `not_exists`; a condition without value compares with the text `None`, as the original does. */
const meetsCondition = (settings: Decoded, item: Content): boolean => {
  const value = pathValue(item.data, (settings.condition_field ?? "").split(settings.nested_delimiter))
  const operator = settings.condition_operator
  if (value === null || value === undefined) return operator === "not_exists"
  const text = PythonText.ofValue(value)
  const wanted = settings.condition_value ?? "None"
  switch (operator) {
    case "exists":
      return true
    case "not_exists":
      return false
    case "equals":
      return text === wanted
    case "not_equals":
      return text !== wanted
    case "contains":
      return text.includes(wanted)
    default:
      return !text.includes(wanted)
  }
}

const pathValue = (data: unknown, path: ReadonlyArray<string>): unknown => {
  let value = data
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}
