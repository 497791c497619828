import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { ExecutorId } from "../domain/Ids.ts"
import * as Problem from "./Problem.ts"
import * as Yaml from "../yaml/Yaml.ts"

/** Definitions are read by people and drawn on a canvas; more than this is an accident or an attack. */
const maxExecutors = 10_000
const maxEdges = 50_000

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A mapping as it was read: its keys are the author's, so it is not copied into an object with a prototype. */
const Mapping = Schema.declare(isMapping, {
  message: () => "must be a mapping; leave the key out where there is nothing to set"
})

const saying = <A, I>(schema: Schema.Schema<A, I>, message: string): Schema.Schema<A, I> =>
  schema.annotations({ message: () => ({ message, override: true }) })

/** Errors inside keep their own words; this says what is wrong when the value is something else altogether. */
const otherwise = <A, I>(schema: Schema.Schema<A, I>, message: string): Schema.Schema<A, I> =>
  schema.annotations({ message: () => message })

const listOf = <A, I>(schema: Schema.Schema<A, I>, most: number): Schema.Schema<ReadonlyArray<A>, ReadonlyArray<I>> =>
  otherwise(Schema.Array(schema), "must be a list").pipe(
    Schema.maxItems(most, { message: () => `must have at most ${most} entries` })
  )

/** What a condition may be written as; it is read as text. Null is no condition. */
const ConditionValue = Schema.Union(Schema.Null, Schema.String, Schema.Number, Schema.BigIntFromSelf, Schema.Boolean)

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** `{target, condition}` of a conditional edge. */
const ConditionalTarget = Schema.Struct({ target: Schema.String, condition: optional(ConditionValue) })

const EdgeFields = Schema.Struct({
  from: optional(
    saying(Schema.Union(Schema.Null, Schema.String, Schema.Array(Schema.String)), "must be an id or a list of ids")
  ),
  to: optional(
    saying(
      Schema.Union(
        Schema.Null,
        Schema.String,
        ConditionalTarget,
        Schema.Array(Schema.Union(Schema.String, ConditionalTarget))
      ),
      "must be an id, a list of ids, or a list of {target, condition}"
    )
  ),
  type: optional(saying(Schema.NullOr(Schema.String), "must be a text")),
  wait_strategy: optional(Schema.Unknown),
  condition: optional(saying(ConditionValue, "must be a text"))
})

/** One edge as it is written. */
export interface Edge extends Schema.Schema.Type<typeof EdgeFields> {}

const EntryFields = Schema.Struct({
  id: saying(ExecutorId, "must be a text that is not empty, of at most 1023 characters"),
  type: saying(Schema.String, "must be a text"),
  settings: optional(Mapping)
})

/** One executor as it is written; the keys for the canvas (name, position, …) are left out. */
export interface Entry extends Schema.Schema.Type<typeof EntryFields> {}

const DefinitionFields = Schema.Struct({
  name: saying(Schema.String, "must be a text"),
  executors: optional(listOf(otherwise(EntryFields, "must be a mapping"), maxExecutors)),
  /** Missing means that `execution_sequence` says the order; an empty list does not. */
  edges: optional(listOf(otherwise(EdgeFields, "must be a mapping"), maxEdges)),
  execution_sequence: optional(
    saying(
      Schema.NullOr(Schema.Array(Schema.String).pipe(Schema.maxItems(maxExecutors))),
      `must be a list of at most ${maxExecutors} ids`
    )
  )
})

/** One pipeline of a file, decoded. `at` is where it stands in the file. */
export interface Definition extends Schema.Schema.Type<typeof DefinitionFields> {
  readonly at: Problem.Path
}

/** All pipelines of one YAML text: the one that runs, and all by name, which it may use as children. */
export interface DefinitionFile {
  readonly main: Definition
  readonly byName: ReadonlyMap<string, Definition>
  readonly locate: Problem.Locate
}

export interface Checked {
  readonly problems: ReadonlyArray<Problem.Problem>
  /** Absent when there is an error. */
  readonly definition?: DefinitionFile
}

/**
 * Reads a stored pipeline's YAML: `pipeline:`, a bare definition, or `pipelines:`, of which the one called `name` runs, else
 * the first. Finds every error of form at once; types, settings and the graph are checked when a plan is compiled.
 */
export const check = (text: string, name?: string): Checked =>
  Either.match(Yaml.parse(text), {
    onLeft: (error) => ({
      problems: error.problems.map(({ column, line, message }) => ({
        severity: "error" as const,
        message,
        path: "",
        line,
        column
      }))
    }),
    onRight: (document) => fromPlain(Yaml.toPlain(document.value), name, (path) => Yaml.locate(document, path))
  })

/** The same for a value that was read already. */
export const fromPlain = (value: unknown, name?: string, locate: Problem.Locate = () => undefined): Checked => {
  if (!isMapping(value)) {
    return {
      problems: [Problem.at(locate, [], "error", "The text is no pipeline: expected a mapping with `pipeline:`.")]
    }
  }
  const candidates = candidatesOf(value)
  if (candidates.length === 0) {
    const message =
      "There is no pipeline: expected `pipeline:`, a list under `pipelines:`, or `name`, `executors` and `edges` at the top."
    return { problems: [Problem.at(locate, [], "error", message)] }
  }
  const problems: Array<Problem.Problem> = []
  const definitions: Array<Definition> = []
  for (const candidate of candidates) {
    const decoded = decode(candidate.value)
    if (Either.isRight(decoded)) definitions.push({ ...decoded.right, at: candidate.at })
    else {
      for (const issue of ParseResult.ArrayFormatter.formatErrorSync(decoded.left)) {
        const path = [...candidate.at, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))]
        problems.push(Problem.at(locate, path, "error", sentence(path, issue.message)))
      }
    }
  }
  const first = definitions[0]
  if (problems.length > 0 || first === undefined) return { problems }
  const main =
    first.at[0] === "pipelines" ? (definitions.find((definition) => definition.name === name) ?? first) : first
  // Of two with one name `pipeline:` counts, and of a list the last, as in the original.
  const byName = new Map([...definitions.slice(1), ...definitions.slice(0, 1)].map((each) => [each.name, each]))
  if (first.at[0] === "pipelines") for (const each of definitions) byName.set(each.name, each)
  return { problems, definition: { main, byName, locate } }
}

const decode = Schema.decodeUnknownEither(otherwise(DefinitionFields, "must be a mapping"), {
  errors: "all",
  onExcessProperty: "ignore"
})

const candidatesOf = (
  value: Readonly<Record<string, unknown>>
): ReadonlyArray<{ readonly at: Problem.Path; readonly value: unknown }> => {
  const list = value["pipelines"]
  const listed = Array.isArray(list)
    ? list.map((each: unknown, index) => ({ at: ["pipelines", index], value: each }))
    : []
  if ("pipeline" in value) return [{ at: ["pipeline"], value: value["pipeline"] }, ...listed]
  if ("pipelines" in value) return listed
  return ["name", "executors", "edges", "execution_sequence"].some((key) => key in value) ? [{ at: [], value }] : []
}

const sentence = (path: Problem.Path, message: string): string => {
  const name = path.at(-1)
  return `${typeof name === "string" ? `\`${name}\`` : name === undefined ? "The definition" : "This entry"} ${message}.`
}
