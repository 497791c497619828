import * as Schema from "effect/Schema"

/** One thing that is wrong with the configuration. */
export const Mistake = Schema.Struct({
  variable: Schema.String,
  /** The text that was found; null when there is none, or when it is a secret. */
  value: Schema.NullOr(Schema.String),
  /** What is wrong and what would be right, as the end of a sentence about the variable. */
  reason: Schema.String,
  /** Where the text was found: `environment`, the path of a `.env` file, a key of App Configuration; `nowhere` when it is missing. */
  source: Schema.String
})
export interface Mistake extends Schema.Schema.Type<typeof Mistake> {}

/** The configuration can't be used. All mistakes at once, so that one look is enough to mend them. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  mistakes: Schema.NonEmptyArray(Mistake)
}) {
  override get message(): string {
    const [first, ...more] = this.mistakes.map(lineOf)
    return more.length === 0
      ? `The configuration has a mistake: ${first}`
      : [`The configuration has ${this.mistakes.length} mistakes:`, first, ...more].join("\n- ")
  }
}

const lineOf = ({ variable, value, reason, source }: Mistake): string => {
  const found = value === null ? "" : ` ${JSON.stringify(value.slice(0, 200))}`
  return `${variable}${found} ${reason}${source === nowhere ? "" : ` (from ${source})`}.`
}

/** The source of what is missing. */
export const nowhere = "nowhere"

/** The source of what nobody set. */
export const builtIn = "its default"
