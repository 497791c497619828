import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { Content } from "../../domain/Content.ts"
import * as ExactJson from "../../domain/ExactJson.ts"
import { RunFailed } from "./RunFailed.ts"
import * as TextInput from "./TextInput.ts"

/** More would not fit into one text of the JavaScript engine. */
const maxBytes = 256 * 1024 * 1024

/** Problems of the items that are told; a wrong file has the same one in every item. */
const maxProblems = 20

/** A JSON list of Content: what a task carries, and what a run puts out. */
export const read = (file: string): Effect.Effect<ReadonlyArray<Content>, RunFailed, FileSystem.FileSystem> =>
  TextInput.read(file, maxBytes).pipe(
    Effect.flatMap((text) =>
      Effect.try({
        try: (): unknown => ExactJson.parse(text),
        catch: (cause) => `It is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`
      })
    ),
    Effect.flatMap((value) =>
      Array.isArray(value)
        ? Effect.mapError(decode(value), describe)
        : Effect.fail(
            `${shape} It is ${typeof value === "object" ? (value === null ? "null" : "one object: put it in [ ]") : `a ${typeof value}`}.`
          )
    ),
    Effect.mapError((message) => new RunFailed({ message: `--items ${file}: ${message}` }))
  )

/** The files that the items of the command line name: the person who runs a pipeline vouches for them. */
export const filesOf = (
  items: ReadonlyArray<Content>
): Effect.Effect<ReadonlyArray<string>, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.filter(
      new Set(items.flatMap(({ data }) => Object.values(data).filter(isPath))),
      (path) => Effect.match(fs.stat(path), { onFailure: () => false, onSuccess: ({ type }) => type === "File" }),
      { concurrency: 16 }
    )
  )

const isPath = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= 4096 && !/[\0\n]/.test(value)

const shape = "It must be a list of items of the shape {id, summary_data, data, executor_logs}."

const decode = Schema.decodeUnknown(Schema.Array(Content), { errors: "all" })

const describe = (error: ParseResult.ParseError): string => {
  const all = ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => ({
    message,
    path: pathText(path)
  }))
  // Of a value and what is in it, the inner problem says more.
  const issues = all.filter(({ path }) => !all.some((other) => other.path.startsWith(`${path}.`)))
  const lines = issues.slice(0, maxProblems).map(({ message, path }) => `  ${path}: ${message}`)
  const more = issues.length - lines.length
  return [shape, ...lines].concat(more > 0 ? [`  and ${more} more`] : []).join("\n")
}

const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path.length === 0
    ? "the text"
    : path
        .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${String(step)}`))
        .join("")
