import * as Either from "effect/Either"
import * as CutText from "../text/CutText.ts"
import type { Dialect } from "../documents/csv/CsvReader.ts"
import { strip } from "../python/PythonStrings.ts"
import * as Settings from "../executor/Settings.ts"

/** What a delimiter setting holds when the text itself shall say which it is. */
export const detected = "auto"

/** A delimiter: one character, blanks and tabs included, or the word `tab`; where `detection` is on also `auto`. Blank text counts as absent. */
export const delimiter = (options: { readonly detection: boolean }): Settings.Setting<string> =>
  Settings.custom(
    "string",
    {
      description: `What stands between cells: one character, or tab${options.detection ? ", or auto to find out which of comma, tab, bar and semicolon it is" : ""}.`,
      default: ","
    },
    (raw) => {
      if (typeof raw !== "string" && typeof raw !== "number") return Either.left("must be one character.")
      const given = String(raw)
      const text = isCharacter(given) ? given : strip(given)
      if (text === "") return Either.right(",")
      if (text === "tab") return Either.right("\t")
      if (text === detected && options.detection) return Either.right(detected)
      return isCharacter(text) && !/[\n\r]/.test(text)
        ? Either.right(text)
        : Either.left(
            `must be one character, or the word tab for a tab (in YAML also "\\t" in double quotes), not ${JSON.stringify(CutText.cut(text, 20))}.`
          )
    }
  )

/** The quote character; blank text counts as absent. */
export const quote: Settings.Setting<string> = Settings.custom(
  "string",
  {
    description: "What stands around cells that hold delimiters, line ends or quotes; inside it is doubled.",
    default: '"'
  },
  (raw) => {
    const text = typeof raw === "string" ? strip(raw) : ""
    if (text === "" && typeof raw === "string") return Either.right('"')
    return isCharacter(text) ? Either.right(text) : Either.left("must be one character.")
  }
)

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

const isCharacter = (text: string): boolean => text.length === ((text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1)
