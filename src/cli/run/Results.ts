import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as DocumentResult from "./DocumentResult.ts"
import * as OutputFormat from "./OutputFormat.ts"
import type { Option } from "effect/Option"

/** Writes results on standard output, one after another, since one text has its limits. */
export interface Printer {
  readonly print: (result: DocumentResult.DocumentResult) => Effect.Effect<void>
  /** Completes what was written, also of a run that was cut short. */
  readonly end: Effect.Effect<void>
}

export interface Options {
  readonly format: OutputFormat.OutputFormat
  readonly json: boolean
  readonly output: Option<string>
}

/** What standard output gets: a line a document with `json`; without a folder for results the items as one JSON list, or their texts. */
export const printer = ({ format, json, output }: Options, documents: number): Printer => {
  if (json) return { print: (result) => Console.log(DocumentResult.json(result)), end: Effect.void }
  if (output._tag === "Some") return { print: () => Effect.void, end: Effect.void }
  return format === "json" ? list() : texts(format, documents > 1)
}

/** `[`, the items, `]`. */
const list = (): Printer => {
  let isFirst = true
  let before = ""
  return {
    print: ({ items }) =>
      Effect.forEach(
        items,
        (item) =>
          Effect.suspend(() => {
            // A line break in JSON is between values, never in one.
            const text = `  ${OutputFormat.jsonOf(item, 2).replaceAll("\n", "\n  ")}`
            const complete = isFirst ? "[" : `${before},`
            isFirst = false
            before = text
            return Console.log(complete)
          }),
        { discard: true }
      ),
    end: Effect.suspend(() => Console.log(isFirst ? "[]" : `${before}\n]`))
  }
}

/** Each text below a line with its document's name where there are several. */
const texts = (format: "markdown" | "text", withNames: boolean): Printer => ({
  print: ({ items, name }) =>
    Effect.suspend(() => {
      const text = OutputFormat.print(items, format)
      if (text === undefined) return Effect.void
      const head = format === "markdown" ? `<!-- ${name.replaceAll("--", "- -")} -->` : `==> ${name} <==`
      return Console.log(withNames ? `${head}\n\n${text}` : text.trimEnd())
    }),
  end: Effect.void
})
