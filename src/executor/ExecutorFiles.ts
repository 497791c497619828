import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { existsSync } from "node:fs"
import { dirname, resolve } from "node:path"
import process from "node:process"
import { pathToFileURL } from "node:url"
import { redact } from "../domain/Redaction.ts"
import * as EffectCopies from "./EffectCopies.ts"
import type { Executor } from "./Executor.ts"

/** A file of executors can't be used: which, why, and what helps. */
export class ExecutorFileInvalid extends Schema.TaggedError<ExecutorFileInvalid>()("ExecutorFileInvalid", {
  message: Schema.String
}) {}

/**
 * The executor types that these modules export, by themselves or in lists; paths are relative to the working directory. What they require must be what the
 * built-in types have: blobs, models, threads and the like.
 */
export const load = <R>(files: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Executor<R>>, ExecutorFileInvalid> =>
  Effect.gen(function* () {
    const places = new Map<string, string>()
    const loaded: Array<Executor<R>> = []
    for (const file of files) {
      const executors = executorsIn<R>(yield* exportsOf(file))
      if (executors.length === 0) {
        return yield* invalid(file, "exports no executor: export what Executor.define gives, or a list of it")
      }
      for (const executor of executors) {
        const before = places.get(executor.type)
        if (before !== undefined)
          return yield* invalid(file, `defines the type ${executor.type}, which ${before} defines, too`)
        places.set(executor.type, file)
        loaded.push(executor)
      }
    }
    return loaded
  })

const invalid = (file: string, reason: string) =>
  new ExecutorFileInvalid({ message: `The file of executors ${file} ${reason}.` })

const exportsOf = Effect.fnUntraced(function* (file: string) {
  const path = resolve(file)
  if (!existsSync(path)) return yield* invalid(file, `is not there (looked for ${path})`)
  const copies = EffectCopies.difference(path)
  if (copies !== undefined) yield* Effect.logWarning(copies)
  return yield* Effect.tryPromise({
    try: (): Promise<Readonly<Record<string, unknown>>> => import(pathToFileURL(path).href),
    catch: (cause) => invalid(file, `can't be loaded: ${reasonOf(cause, path)}`)
  })
})

const reasonOf = (cause: unknown, path: string): string => {
  const { code, message } =
    cause instanceof Error
      ? { code: undefined, ...cause, message: cause.message }
      : { code: undefined, message: String(cause) }
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return `Node ${process.versions.node} reads no TypeScript; use Node 22.18 or later, or Deno, or give a file of JavaScript`
  }
  const [, missing] = /Cannot find package '([^']+)'|Relative import path "([^"]+)" not prefixed/.exec(message) ?? []
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(missing ?? "")?.[0]
  return name === undefined
    ? redact(message.split("\n", 1)[0] ?? "")
    : `it imports ${name}, which is not installed beside it; run npm install ${name} in ${dirname(path)}`
}

const executorsIn = <R>(exported: Readonly<Record<string, unknown>>): ReadonlyArray<Executor<R>> => [
  // A default export may be one of the others.
  ...new Set(
    Object.values(exported)
      .flatMap((value) => (Array.isArray(value) ? value : [value]))
      .filter((value) => isExecutor<R>(value))
  )
]

const isExecutor = <R>(value: unknown): value is Executor<R> =>
  typeof value === "object" &&
  value !== null &&
  "type" in value &&
  typeof value.type === "string" &&
  "prepare" in value &&
  typeof value.prepare === "function" &&
  "settings" in value &&
  "aliases" in value
