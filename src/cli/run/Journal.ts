import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { appendFile, mkdir, open as openFile, stat } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { createInterface } from "node:readline"
import * as LocalDocument from "./LocalDocument.ts"
import { RunFailed } from "./RunFailed.ts"

/** What a run notes in its output folder of a document that it is done with: one JSON line each. */
const Entry = Schema.Struct({
  document: Schema.String,
  /** Size, time in milliseconds and SHA-256 of the document's bytes. */
  size: Schema.Number,
  modified: Schema.Number,
  sha256: Schema.String,
  /** What the results depend on beside the document. */
  pipeline: Schema.String,
  status: Schema.Literal("completed", "without_text"),
  outputs: Schema.Array(Schema.String)
})
type Entry = typeof Entry.Type

/** What was done into an output folder, so that another run can leave it. */
export interface Journal {
  /** The files of the document's result where that is there and nothing has changed: neither document nor pipeline. */
  readonly done: (document: LocalDocument.LocalDocument) => Effect.Effect<Option.Option<ReadonlyArray<string>>>
  /** Notes a result whose files are written. `version` is what the document was before it was read. */
  readonly note: (
    document: LocalDocument.LocalDocument,
    version: LocalDocument.Version,
    result: Pick<Entry, "outputs" | "status">
  ) => Effect.Effect<void, RunFailed>
}

/** The file in the output folder. */
export const fileIn = (output: string): string => join(output, ".contentflow", "run.jsonl")

/** A key of all that a result depends on beside its document. */
export const keyOf = (parts: ReadonlyArray<string | null>): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex")

/** `pipeline` is a {@link keyOf}. Reads the notes of runs before only when this one `resumes`. */
export const open = (output: string, pipeline: string, resumes: boolean): Effect.Effect<Journal, RunFailed> =>
  Effect.gen(function* () {
    const file = fileIn(output)
    const known = resumes ? yield* attempt(file, () => read(file, pipeline)) : new Map<string, Entry>()
    yield* attempt(file, () => begin(file))
    return {
      done: (document) => {
        const entry = known.get(document.name)
        return entry === undefined
          ? Effect.succeedNone
          : Effect.map(isCurrent(document, entry, output), (current) =>
              current ? Option.some(entry.outputs.map((path) => join(output, path))) : Option.none()
            )
      },
      note: ({ name }, version, { outputs, status }) => {
        const entry: Entry = {
          document: name,
          ...version,
          pipeline,
          status,
          outputs: outputs.map((path) => relative(output, path))
        }
        return attempt(file, () => appendFile(file, `${JSON.stringify(entry)}\n`))
      }
    }
  })

/** Makes the file, or ends the half line of a run that was killed, so that it spoils none behind it. */
const begin = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  const handle = await openFile(file, "a+")
  try {
    const { size } = await handle.stat()
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(size - 1, 0))
    if (size > 0 && buffer.toString() !== "\n") await handle.appendFile("\n")
  } finally {
    await handle.close()
  }
}

/** A copy or a touch is no new version, so that the bytes decide where the time differs. */
const isCurrent = (document: LocalDocument.LocalDocument, entry: Entry, output: string): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const state = yield* Effect.option(LocalDocument.stateOf(document))
    if (Option.isNone(state) || state.value.size !== entry.size) return false
    const isThere = yield* Effect.every(entry.outputs, (path) =>
      Effect.promise(() =>
        stat(join(output, path)).then(
          (info) => info.isFile(),
          () => false
        )
      )
    )
    if (!isThere) return false
    if (state.value.modified === entry.modified) return true
    return Option.contains(yield* Effect.option(LocalDocument.hashOf(document)), entry.sha256)
  })

const decode = Schema.decodeUnknownOption(Schema.parseJson(Entry))

const read = async (file: string, pipeline: string): Promise<Map<string, Entry>> => {
  const entries = new Map<string, Entry>()
  const isThere = await stat(file).then(
    (info) => info.isFile(),
    () => false
  )
  if (!isThere) return entries
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    // The last line of a run that was killed may be half of one.
    const entry = decode(line)
    if (Option.isSome(entry) && entry.value.pipeline === pipeline) entries.set(entry.value.document, entry.value)
  }
  return entries
}

const attempt = <A>(file: string, act: () => Promise<A>): Effect.Effect<A, RunFailed> =>
  Effect.tryPromise({
    try: act,
    catch: (error) =>
      new RunFailed({
        message: `What was done can't be noted in ${file}: ${error instanceof Error ? error.message : String(error)}`
      })
  })
