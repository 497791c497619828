import * as Schema from "effect/Schema"
import * as SecretShape from "../domain/SecretShape.ts"

/** One thing that is wrong with the configuration. */
export const Mistake = Schema.Struct({
  variable: Schema.String,
  /** The text that was found; null when there is none, or when it is or could be a secret. */
  value: Schema.NullOr(Schema.String),
  /** What is wrong and what would be right, as the end of a sentence about the variable. */
  reason: Schema.String,
  /** Where the text was found: `environment`, the path of a `.env` file, a key of App Configuration; `nowhere` when it is missing. */
  source: Schema.String
})
export interface Mistake extends Schema.Schema.Type<typeof Mistake> {}

/** The configuration can't be used. All mistakes at once, so that one look is enough to mend them. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  mistakes: Schema.NonEmptyArray(Mistake),
  /** Sentences about what else was not read, and may be why something is missing. */
  unread: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] })
}) {
  override get message(): string {
    const [first, ...more] = this.mistakes.map(lineOf)
    const said =
      more.length === 0
        ? `The configuration has a mistake: ${first}`
        : [`The configuration has ${this.mistakes.length} mistakes:`, first, ...more].join("\n- ")
    return [said, ...this.unread.map((sentence) => `Beside it: ${sentence}.`)].join("\n")
  }
}

/** The mistake without its text where that could be a secret: what it looks like stands in its place. */
export const concealed = (mistake: Mistake): Mistake =>
  mistake.value === null || SecretShape.isHarmless(mistake.value)
    ? mistake
    : { ...mistake, value: null, reason: `(${SecretShape.describe(mistake.value)}, not shown) ${mistake.reason}` }

const lineOf = ({ variable, value, reason, source }: Mistake): string => {
  const found = value === null ? "" : ` ${JSON.stringify(value)}`
  return `${variable}${found} ${reason}${source === nowhere ? "" : ` (from ${source})`}.`
}

/** The source of what is missing. */
export const nowhere = "nowhere"

/** The source of a value that was not set. */
export const builtIn = "its default"
