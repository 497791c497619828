import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CutText from "../../text/CutText.ts"
import * as Settings from "../../executor/Settings.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as TextNode from "./model/TextNode.ts"

const settings = {
  ...ModelSettings.text({ outputField: "language", temperature: 0.1, maxTokens: 600 }),
  detect_multiple: Settings.boolean({
    description: "List all languages of a text that mixes several.",
    default: false
  }),
  include_confidence: Settings.boolean({ description: "Add a confidence from 0 to 1.", default: true }),
  detect_script: Settings.boolean({ description: "Add the script, such as Latin or Cyrillic.", default: false }),
  detect_dialect: Settings.boolean({
    description: "Add the dialect or region, where the text shows one.",
    default: false
  }),
  min_confidence: Settings.number({
    description: "Languages with less confidence are not given: language is then null, or missing in languages.",
    default: 0.5,
    min: 0,
    max: 1
  }),
  iso_format: Settings.choice(["iso-639-1", "iso-639-3", "name"], {
    description: "How a language is named: de, deu, or German.",
    default: "name"
  })
}

type Decoded = Settings.TypeOf<typeof settings>

const schema = Schema.Struct({
  languages: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      iso_639_1: Schema.NullOr(Schema.String),
      iso_639_3: Schema.String,
      confidence: Schema.Number,
      script: Schema.String,
      dialect: Schema.NullOr(Schema.String)
    })
  )
})

type Found = (typeof schema.Type)["languages"][number]

/** Characters that tell a language as well as a whole document does; taken from its beginning, middle and end. */
const sampleLength = 2_000
const marks = "\n[…]\n"

/** `language_detector`: a sample of the text is looked at, and codes are checked. */
export const executor = TextNode.define({
  type: "language_detector",
  aliases: ["language_detector_executor"],
  name: "Language Detector",
  description: "Names the language of each text, or all of its languages.",
  settings,
  work: (given) => {
    const instructions = [
      given.detect_multiple
        ? "Name all languages that the document is written in, the one with most of the text first."
        : "Name the one language that the document is written in.",
      "name is its English name, iso_639_1 its code of two letters or null where it has none, iso_639_3 its code of three letters, script the English name of the script, dialect the regional variety or null, confidence a number from 0 to 1."
    ].join("\n")
    return {
      settings: given,
      // One question, however long the text is.
      partTokens: Number.POSITIVE_INFINITY,
      work: (asking, { text }) =>
        Effect.map(
          asking.json({ instructions, text: sample(given, text) }, { name: "languages", schema, check: wrong }),
          ({ languages }) => ({ value: shown(given, languages) })
        )
    }
  }
})

const wrong = ({ languages }: typeof schema.Type): string | null =>
  languages.length === 0
    ? "languages is empty"
    : languages.every(
          ({ iso_639_1, iso_639_3, name }) =>
            name.trim() !== "" && (iso_639_1 === null || /^[a-z]{2}$/.test(iso_639_1)) && /^[a-z]{3}$/.test(iso_639_3)
        )
      ? null
      : "a code has another form than ISO 639 gives it"

const sample = ({ max_input_tokens }: Decoded, text: string): string => {
  const length = Math.min(sampleLength, Math.floor((max_input_tokens * 4) / 3) - marks.length)
  if (text.length <= length * 3) return text
  const middle = Math.floor((text.length - length) / 2)
  return [
    CutText.cut(text, length),
    CutText.cut(CutText.behind(text, middle), length),
    CutText.behind(text, text.length - length)
  ].join(marks)
}

const shown = (given: Decoded, languages: ReadonlyArray<Found>): unknown => {
  const sure = languages
    .map((language) => ({ ...language, confidence: Math.min(1, Math.max(0, language.confidence)) }))
    .filter(({ confidence }) => confidence >= given.min_confidence)
  if (given.detect_multiple) {
    return {
      languages: sure.map((language) => entryOf(given, language)),
      primary_language: sure[0] === undefined ? null : nameIn(given, sure[0])
    }
  }
  const [first] = sure
  if (first !== undefined) return entryOf(given, first)
  return { language: null, ...(given.include_confidence ? { confidence: languages[0]?.confidence ?? 0 } : {}) }
}

const entryOf = (given: Decoded, language: Found) => ({
  language: nameIn(given, language),
  ...(given.include_confidence ? { confidence: language.confidence } : {}),
  ...(given.detect_script ? { script: language.script } : {}),
  ...(given.detect_dialect ? { dialect: language.dialect } : {})
})

/** A language without a code of two letters has the one of three. */
const nameIn = ({ iso_format }: Decoded, { iso_639_1, iso_639_3, name }: Found): string =>
  iso_format === "name" ? name : iso_format === "iso-639-1" ? (iso_639_1 ?? iso_639_3) : iso_639_3
