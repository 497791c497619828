import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as JsonSchema from "./JsonSchema.ts"
import * as Project from "./serve/Project.ts"

/** The project can't be written; `message` says why, and the way out. */
export class InitFailed extends Schema.TaggedError<InitFailed>()("InitFailed", { message: Schema.String }) {}

/** With which editors complete and check the other files; their first lines name them. */
const schemas = [
  ["pipeline", "schemas/pipeline.json"],
  ["folder", "schemas/contentflow.json"]
] as const

const tell = (isThere: boolean, file: string): string => `${isThere ? "Left as it is" : "Written      "}  ${file}`

/** Writes a small project that `serve` runs. A file that is there already stays as it is. */
export const init = (options: { readonly folder: Option.Option<string> }) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = path.resolve(Option.getOrElse(options.folder, () => "."))
    const names = (yield* fs.readDirectory(Project.template, { recursive: true })).toSorted()
    const told: Array<string> = []
    for (const name of names) {
      const from = path.join(Project.template, name)
      if ((yield* fs.stat(from)).type !== "File") continue
      const to = path.join(folder, name)
      yield* fs.makeDirectory(path.dirname(to), { recursive: true })
      const isThere = yield* fs.exists(to)
      // Two that begin at once: the first one's file stays.
      if (!isThere) yield* fs.writeFile(to, yield* fs.readFile(from), { flag: "wx" })
      told.push(tell(isThere, to))
    }
    for (const [kind, name] of schemas) {
      const to = path.join(folder, name)
      yield* fs.makeDirectory(path.dirname(to), { recursive: true })
      const isThere = yield* fs.exists(to)
      if (!isThere) yield* fs.writeFileString(to, `${yield* JsonSchema.textOf(kind)}\n`, { flag: "wx" })
      told.push(tell(isThere, to))
    }
    yield* Console.log(told.join("\n"))
    const shown = Option.getOrElse(options.folder, () => "")
    yield* Console.log(`\nNow run: contentflow-worker serve${shown === "" ? "" : ` ${shown}`}`)
  }).pipe(
    Effect.catchTags({
      SystemError: ({ message }) => new InitFailed({ message: `The project can't be written: ${message}` }),
      BadArgument: ({ message }) => new InitFailed({ message: `The project can't be written: ${message}` })
    })
  )
