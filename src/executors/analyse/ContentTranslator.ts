import * as Effect from "effect/Effect"
import * as Settings from "../../executor/Settings.ts"
import { keyIn } from "./model/TextFields.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as TextNode from "./model/TextNode.ts"

const settings = {
  ...ModelSettings.text({ outputField: "translated_text", temperature: 0.3, maxTokens: 600 }),
  target_language: Settings.string({ description: "The language to translate into.", required: true }),
  source_language: Settings.string({
    description: "The language of the texts; without it the model finds out.",
    default: null
  }),
  translation_style: Settings.choice(["formal", "informal", "technical", "literal", "natural"], {
    description: "The style of the translation.",
    default: "natural"
  }),
  preserve_formatting: Settings.boolean({ description: "Keep line breaks, lists, Markdown and so on.", default: true }),
  preserve_terminology: Settings.list({ description: "Terms that are not translated.", default: [] }),
  glossary: Settings.object({ description: "Translations of terms: source to target.", default: {} }),
  include_source: Settings.boolean({
    description: "Put the text that was translated into data, under output_field with _source behind it.",
    default: false
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `content_translator`: a text is translated in parts that fit into `max_tokens`, in their order, with the blanks between them as they were. */
export const executor = TextNode.define({
  type: "content_translator",
  aliases: ["content_translator_executor", "translation_executor"],
  name: "Content Translator",
  description: "Translates each text into another language, of whatever length it is.",
  settings,
  work: (given) => {
    const instructions = instructionsOf(given)
    const key = keyIn(given.input_field, given.output_field) ?? given.output_field
    return {
      settings: given,
      partTokens: Math.min(given.max_input_tokens, given.max_tokens),
      work: (asking, { text }, original) =>
        Effect.map(
          asking.parts(text, 0, (part) => {
            const body = part.text.trim()
            const before = part.text.slice(0, part.text.length - part.text.trimStart().length)
            const after = part.text.slice(part.text.trimEnd().length)
            return body === ""
              ? Effect.succeed(part.text)
              : Effect.map(asking.text({ instructions, text: body }), (answer) => `${before}${answer.trim()}${after}`)
          }),
          (parts) => ({
            value: parts.join(""),
            ...(given.include_source ? { beside: { [`${key}_source`]: original } } : {})
          })
        )
    }
  }
})

const styles = {
  formal: "formal",
  informal: "informal, as among friends",
  technical: "technical and precise",
  literal: "as close to the words of the original as the language allows",
  natural: "natural, as a native speaker would write"
}

const instructionsOf = (given: Decoded): string => {
  const glossary = Object.entries(given.glossary)
  return [
    `Translate the document ${given.source_language === null ? "" : `from ${given.source_language} `}into ${given.target_language}. Style: ${styles[given.translation_style]}.`,
    given.preserve_formatting ? "Keep its formatting: line breaks, lists, headings, Markdown." : "",
    given.preserve_terminology.length > 0
      ? `Leave these terms as they are: ${given.preserve_terminology.join(", ")}.`
      : "",
    glossary.length > 0
      ? `Use this glossary: ${glossary.map(([source, target]) => `${source} → ${String(target)}`).join("; ")}.`
      : "",
    "It may be a part of a longer document, so it may begin and end anywhere. Write only the translation."
  ]
    .filter((line) => line !== "")
    .join("\n")
}
