import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Setting } from "../../../executor/Settings.ts"
import * as PythonText from "../../../python/PythonText.ts"

/** Blank line, line, sentence, word, character: the original's own default, which its catalog spoiled. */
export const usual: ReadonlyArray<string> = ["\n\n", "\n", ". ", " ", ""]

const most = 100
const longest = 1000

/**
 * The setting `separators`: a YAML list, taken as it is, a JSON list as text, or a comma text. In a comma text `\n`, `\r`, `\t`, `\\` and `\,` are escapes, blanks
 * count, and nothing between or after commas means single characters.
 */
export const setting: Setting<ReadonlyArray<string>> = {
  info: {
    type: "string",
    description:
      "Where to cut, the best place first: a list, or a comma text with the escapes \\n \\r \\t \\\\ \\, (blanks count). An empty one cuts between characters. Default: blank line, line, sentence, word, character.",
    required: false,
    default: usual
  },
  schema: Schema.declare(
    [],
    {
      decode: () => (raw, _, ast) => Either.mapLeft(read(raw), (message) => new ParseResult.Type(ast, raw, message)),
      encode: () => (value) => Either.right(value)
    },
    { description: "separators" }
  ) as Schema.Schema<ReadonlyArray<string>, unknown>,
  advise: (raw) =>
    Either.match(read(raw), {
      onLeft: () => undefined,
      onRight: (separators) =>
        typeof raw === "string" || Array.isArray(raw)
          ? undefined
          : `takes a list of texts or a comma text; this counts as ${JSON.stringify(separators.slice(0, 10))}.`
    })
}

const read = (raw: unknown): Either.Either<ReadonlyArray<string>, string> => {
  if (typeof raw === "string") {
    if (raw === "") return Either.right(usual)
    const json = raw.trimStart().startsWith("[") ? parseJson(raw) : undefined
    return bounded(Array.isArray(json) ? json : split(raw))
  }
  return bounded(Array.isArray(raw) ? raw : split(PythonText.ofValue(raw)))
}

const bounded = (list: ReadonlyArray<unknown>): Either.Either<ReadonlyArray<string>, string> => {
  if (list.length === 0) return Either.left("must not be an empty list.")
  if (list.length > most) return Either.left(`must have at most ${most} separators, not ${list.length}.`)
  const texts = list.map((each) => (typeof each === "number" ? String(each) : each))
  return texts.every((each) => typeof each === "string" && each.length <= longest)
    ? Either.right(texts.filter((each) => typeof each === "string"))
    : Either.left(`must hold nothing but texts of at most ${longest} characters.`)
}

const split = (text: string): ReadonlyArray<string> => {
  if (text === ",") return [","]
  const separators = [""]
  for (const [token] of text.matchAll(/\\[nrt\\,]|[^]/g)) {
    if (token === ",") separators.push("")
    else separators[separators.length - 1] += escapes[token] ?? token
  }
  return separators
}

const escapes: Readonly<Record<string, string>> = { "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\\\": "\\", "\\,": "," }

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
