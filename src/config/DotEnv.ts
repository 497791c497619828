import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { ConfigError } from "./ConfigError.ts"
import * as DotEnvText from "./DotEnvText.ts"

export interface DotEnv {
  /** The file's path; null when there is none. */
  readonly path: string | null
  readonly provider: ConfigProvider.ConfigProvider
  /** What it has values for. */
  readonly names: ReadonlyArray<string>
  /** Sentences about what was not read, with file and line, and never with its text. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * The nearest file `.env` in the working directory or above it. It may be another program's, so what can't be understood in it is told and
 * passed over; one that can't be read at all is a mistake, not a missing file.
 */
export const find: Effect.Effect<DotEnv, ConfigError, FileSystem.FileSystem | Path.Path> = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const passed: Array<string> = []
  for (let folder = path.resolve("."); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, ".env")
    // A folder that we may not look into has no file for us.
    const info = yield* Effect.option(files.stat(candidate))
    if (Option.isSome(info) && info.value.type === "File") {
      const bytes = yield* Effect.mapError(files.readFile(candidate), unreadable(candidate))
      const { texts, warnings } = yield* read(candidate, bytes)
      return {
        path: candidate,
        provider: ConfigProvider.fromMap(texts),
        names: [...texts.keys()],
        warnings: [...passed, ...warnings]
      }
    }
    if (Option.isSome(info)) {
      passed.push(`${candidate} is not read: it is no file (${info.value.type.toLowerCase()})`)
    }
    if (path.dirname(folder) === folder) {
      return { path: null, provider: ConfigProvider.fromMap(new Map()), names: [], warnings: passed }
    }
  }
})

interface Read {
  readonly texts: Map<string, string>
  readonly warnings: ReadonlyArray<string>
}

const read = (file: string, bytes: Uint8Array): Effect.Effect<Read> =>
  Effect.gen(function* () {
    const text = bytes.length > mostBytes ? `it is larger than ${mostBytes} bytes` : decoded(bytes)
    if (Predicate.isString(text))
      return { texts: new Map<string, string>(), warnings: [`${file} is not read: ${text}`] }
    const { assignments, wrongLines } = DotEnvText.parse(text.text)
    const real = yield* realValues(assignments)
    const texts = new Map<string, string>()
    const warnings = wrongLines.map((line) => `${file}, line ${line} is not read: it is not NAME=value`)
    for (const { isLiteral, line, name, value } of assignments) {
      const lookup = (reference: string) => real.get(reference) ?? texts.get(reference)
      if (!isLiteral) {
        for (const { hasDefault, name: reference } of DotEnvText.references(value)) {
          if (!hasDefault && lookup(reference) === undefined) {
            warnings.push(`${file}, line ${line}: \${…} names a variable without a value; nothing stands in its place`)
          }
        }
      }
      const whole = isLiteral ? value : DotEnvText.expand(value, lookup)
      if (whole.length > longestValue) {
        warnings.push(`${file}, line ${line} is not read: its value is longer than ${longestValue} characters`)
      } else texts.set(name, whole)
    }
    return { texts, warnings: few(file, warnings) }
  })

/** Bounds what a foreign file can cost. */
const mostBytes = 1_048_576
const longestValue = 65_536
const mostWarnings = 10

const few = (file: string, warnings: ReadonlyArray<string>): ReadonlyArray<string> =>
  warnings.length <= mostWarnings
    ? warnings
    : [...warnings.slice(0, mostWarnings), `${file} has ${warnings.length - mostWarnings} more lines of this kind`]

/** What the environment says for the names that values refer to: it comes before the file, here as everywhere. */
const realValues = (assignments: ReadonlyArray<DotEnvText.Assignment>): Effect.Effect<ReadonlyMap<string, string>> =>
  Effect.configProviderWith((provider) => {
    const names = new Set(
      assignments.flatMap(({ isLiteral, value }) =>
        isLiteral ? [] : DotEnvText.references(value).map((reference) => reference.name)
      )
    )
    return Effect.map(
      Effect.forEach(names, (name) =>
        Effect.map(Effect.option(provider.load(Config.string(name))), (value) => [name, Option.getOrUndefined(value)])
      ),
      // `constructor` and its like are in every object, but are no texts.
      (found) => new Map(found.flatMap(([name, value]) => (name && Predicate.isString(value) ? [[name, value]] : [])))
    )
  })

/** The text, or as a string why there is none. PowerShell's `>` writes UTF-16. */
const decoded = (bytes: Uint8Array): { readonly text: string } | string => {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8"
  const text = new TextDecoder(encoding).decode(bytes)
  if (text.includes("\0")) return "it is no text in UTF-8, nor in UTF-16 with its mark (BOM) at the beginning"
  return text.includes("\ufffd") && encoding === "utf-8" ? "it is not in UTF-8" : { text }
}

const unreadable = (path: string) => (error: PlatformError) =>
  new ConfigError({
    mistakes: [
      {
        variable: ".env",
        value: null,
        reason: `can't be read: ${error._tag === "SystemError" ? error.reason : "BadArgument"}`,
        source: path
      }
    ]
  })
