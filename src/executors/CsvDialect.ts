import * as Either from "effect/Either"
import * as CutText from "../text/CutText.ts"
import type { Dialect } from "../documents/csv/CsvReader.ts"
import { strip } from "../python/PythonStrings.ts"
import { ofValue } from "../python/PythonText.ts"
import * as Settings from "../executor/Settings.ts"

/** What a delimiter setting holds when the text itself shall say which it is. */
export const detected = "auto"

const described = {
  delimiter: "What stands between cells: one character, or tab",
  quote: "What stands around cells that hold delimiters, line ends or quotes; inside it is doubled."
}

const delimiterText = (raw: unknown): string => {
  const given = ofValue(raw)
  const text = isCharacter(given) ? given : strip(given)
  return text === "" ? "," : text === "tab" ? "\t" : text
}

const quoteText = (raw: unknown): string => strip(ofValue(raw)) || '"'

const isCharacter = (text: string): boolean => text.length === ((text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1)

const isDelimiter = (text: string): boolean => isCharacter(text) && !/[\n\r]/.test(text)

const noDelimiter = (text: string): string =>
  `must be one character, or the word tab for a tab (in YAML also "\\t" in double quotes), not ${JSON.stringify(CutText.cut(text, 20))}.`

const noQuote = "must be one character."

/** A delimiter: one character, blanks and tabs included, or the word `tab` or `auto`. Blank text counts as absent. */
export const delimiter: Settings.Setting<string> = Settings.custom(
  "string",
  {
    description: `${described.delimiter}, or auto to find out which of comma, tab, bar and semicolon it is.`,
    default: ","
  },
  (raw) => {
    const text = delimiterText(raw)
    return isDelimiter(text) || text === detected ? Either.right(text) : Either.left(noDelimiter(text))
  }
)

/** The quote character; blank text counts as absent. */
export const quote: Settings.Setting<string> = Settings.custom(
  "string",
  { description: described.quote, default: '"' },
  (raw) => {
    const text = quoteText(raw)
    return isCharacter(text) ? Either.right(text) : Either.left(noQuote)
  }
)

/** The same for a type to which a text may come or not: any text is taken, and {@link problems} tells what a CSV text cannot be read with. */
export const forTexts = {
  delimiter: Settings.custom("string", { description: `${described.delimiter}.`, default: "," }, (raw) =>
    Either.right(delimiterText(raw))
  ),
  quote: Settings.custom("string", { description: described.quote, default: '"' }, (raw) =>
    Either.right(quoteText(raw))
  )
}

/** What is wrong with the two together; `names` are those of the settings. */
export const problems = (
  { delimiter, quote }: Dialect,
  names: { readonly delimiter: string; readonly quote: string }
): ReadonlyArray<Settings.SettingProblem> =>
  delimiter === quote
    ? [
        {
          path: [names.quote],
          message: `The settings ${names.delimiter} and ${names.quote} must be different characters.`
        }
      ]
    : []

/** What is wrong with two of {@link forTexts}. */
export const textProblems = (
  dialect: Dialect,
  names: { readonly delimiter: string; readonly quote: string }
): ReadonlyArray<Settings.SettingProblem> => [
  ...(isDelimiter(dialect.delimiter)
    ? []
    : [{ path: [names.delimiter], message: `The setting ${names.delimiter} ${noDelimiter(dialect.delimiter)}` }]),
  ...(isCharacter(dialect.quote) ? [] : [{ path: [names.quote], message: `The setting ${names.quote} ${noQuote}` }]),
  ...problems(dialect, names)
]
