import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Settings from "../../executor/Settings.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as TextNode from "./model/TextNode.ts"

const settings = {
  ...ModelSettings.text({ outputField: "classification", temperature: 0.2, maxTokens: 600 }),
  categories: Settings.list({ description: "The categories: a list, or a text with commas.", required: true }),
  multi_label: Settings.boolean({ description: "A text may have several categories.", default: false }),
  include_confidence: Settings.boolean({ description: "Add a confidence from 0 to 1.", default: true }),
  category_descriptions: Settings.object({
    description: "What belongs into a category, by its name.",
    default: {}
  }),
  min_confidence: Settings.number({
    description: "Categories with less confidence are not given: category is then null, or missing in categories.",
    default: 0,
    min: 0,
    max: 1
  }),
  include_explanation: Settings.boolean({ description: "Add why.", default: true })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `content_classifier`: what the model answers is one of the categories, and sure enough, or it is not given. */
export const executor = TextNode.define({
  type: "content_classifier",
  aliases: ["content_classifier_executor"],
  name: "Content Classifier",
  description: "Puts each text into one or several of your categories.",
  settings,
  check: ({ categories, category_descriptions }) => {
    const unknown = Object.keys(category_descriptions).find((name) => !categories.includes(name))
    return unknown === undefined
      ? []
      : [
          {
            path: ["category_descriptions", unknown],
            message: `The setting category_descriptions describes ${JSON.stringify(unknown)}, which is none of the categories.`
          }
        ]
  },
  work: (given) => {
    const schema = Schema.Struct({
      categories: Schema.Array(Schema.Struct({ name: Schema.Literal(...given.categories), confidence: Schema.Number })),
      explanation: Schema.String
    })
    const instructions = instructionsOf(given)
    return {
      settings: given,
      work: (asking, { text }) =>
        Effect.map(
          asking.parts(text, 0, (part) =>
            Effect.map(
              asking.json(
                { instructions, text: part.text },
                {
                  name: "classification",
                  schema,
                  check: ({ categories }) =>
                    categories.length === 0 && !given.multi_label ? "categories is empty" : null
                }
              ),
              (answer) => ({ ...answer, weight: part.text.length })
            )
          ),
          (parts) => {
            const chosen = ranked(given, parts).filter(({ confidence }) => confidence >= given.min_confidence)
            const explanation = given.include_explanation
              ? { explanation: parts.map((part) => part.explanation).join(" ") }
              : {}
            if (given.multi_label) {
              return {
                value: {
                  categories: given.include_confidence ? chosen : chosen.map(({ name }) => name),
                  ...explanation
                }
              }
            }
            const [best] = chosen
            return {
              value: {
                category: best?.name ?? null,
                ...(given.include_confidence
                  ? { confidence: best?.confidence ?? ranked(given, parts)[0]?.confidence ?? 0 }
                  : {}),
                ...explanation
              }
            }
          }
        )
    }
  }
})

interface Weighed {
  readonly categories: ReadonlyArray<{ readonly name: string; readonly confidence: number }>
  readonly weight: number
}

/** The surest first. Of several parts, a category of many texts has the sureness of its surest part; the one of a whole text their mean. */
const ranked = ({ categories, multi_label }: Decoded, parts: ReadonlyArray<Weighed>) => {
  const weight = parts.reduce((sum, part) => sum + part.weight, 0) || 1
  return categories
    .map((name) => {
      const found = parts.map((part) => ({
        weight: part.weight,
        confidence: part.categories
          .filter((category) => category.name === name)
          .reduce((most, { confidence }) => Math.max(most, Math.min(1, confidence)), -1)
      }))
      const surest = Math.max(...found.map(({ confidence }) => confidence))
      const mean = found.reduce((sum, part) => sum + Math.max(0, part.confidence) * part.weight, 0) / weight
      return { name, confidence: multi_label ? surest : surest < 0 ? -1 : mean }
    })
    .filter(({ confidence }) => confidence >= 0)
    .sort((a, b) => b.confidence - a.confidence)
}

const instructionsOf = ({ categories, category_descriptions, multi_label }: Decoded): string =>
  [
    multi_label
      ? "Say which of these categories the document belongs to; it may be several, or none."
      : "Say which one of these categories the document belongs to.",
    ...categories.map((name) => {
      const words = new Map(Object.entries(category_descriptions)).get(name)
      return `- ${name}${typeof words === "string" ? `: ${words}` : ""}`
    }),
    "Give each with a confidence from 0 to 1, and explain the choice in one sentence."
  ].join("\n")
