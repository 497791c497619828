import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Settings from "../../executor/Settings.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as Occurrences from "./model/Occurrences.ts"
import * as TextNode from "./model/TextNode.ts"

const settings = {
  ...ModelSettings.text({ outputField: "sentiment", temperature: 0.2, maxTokens: 600 }),
  granularity: Settings.choice(["document", "sentence", "aspect"], {
    description: "One sentiment for the whole text, one for each sentence, or one for each aspect.",
    default: "document"
  }),
  include_confidence: Settings.boolean({ description: "Add a confidence from 0 to 1.", default: true }),
  include_emotions: Settings.boolean({ description: "Add the emotions that the whole text shows.", default: false }),
  aspects: Settings.list({
    description: "The aspects to look at; without them the model finds those that the text speaks of.",
    default: []
  }),
  scale: Settings.choice(["3-point", "5-point"], {
    description: "3-point: negative, neutral, positive. 5-point: very negative and very positive, too.",
    default: "3-point"
  })
}

type Decoded = Settings.TypeOf<typeof settings>

const labelsOf = ({ scale }: Pick<Decoded, "scale">) =>
  scale === "3-point"
    ? (["negative", "neutral", "positive"] as const)
    : (["very negative", "negative", "neutral", "positive", "very positive"] as const)

type Label = "very negative" | "negative" | "neutral" | "positive" | "very positive"
const scores: Readonly<Record<Label, number>> = {
  "very negative": -2,
  negative: -1,
  neutral: 0,
  positive: 1,
  "very positive": 2
}

interface Judgement {
  readonly sentiment: Label
  readonly confidence: number
}

/** `sentiment_analyser`: labels are of the scale that was asked for, confidences from 0 to 1, sentences occur in the text. */
export const executor = TextNode.define({
  type: "sentiment_analyser",
  aliases: ["sentiment_analyser_executor", "sentiment_analysis_executor", "sentiment_analyzer"],
  name: "Sentiment Analyser",
  description: "Says whether each text, its sentences or its aspects are positive, neutral or negative.",
  settings,
  work: (given) => {
    const Sentiment = Schema.Literal(...labelsOf(given))
    const judged = { sentiment: Sentiment, confidence: Schema.Number }
    const overall = Schema.Struct({
      ...judged,
      explanation: Schema.String,
      emotions: Schema.Array(Schema.String)
    })
    const schema = Schema.Struct({
      overall,
      sentences: Schema.Array(Schema.Struct({ text: Schema.String, ...judged })),
      aspects: Schema.Array(
        Schema.Struct({
          aspect: given.aspects.length > 0 ? Schema.Literal(...given.aspects) : Schema.String,
          ...judged
        })
      )
    })
    const instructions = instructionsOf(given)
    return {
      settings: given,
      work: (asking, { text }) =>
        Effect.map(
          asking.parts(text, 0, (part) =>
            Effect.map(asking.json({ instructions, text: part.text }, { name: "sentiment", schema }), (answer) => ({
              answer: {
                ...answer,
                sentences: answer.sentences.filter(
                  (sentence) => Occurrences.first(part.text, sentence.text) !== undefined
                )
              },
              weight: part.text.length
            }))
          ),
          (parts) => {
            const whole = together(
              given,
              parts.map(({ answer, weight }) => ({ ...answer.overall, weight }))
            )
            const [first] = parts
            const emotions = [...new Set(parts.flatMap(({ answer }) => answer.overall.emotions))]
            const explanation = parts.map(({ answer }) => answer.overall.explanation).join(" ")
            if (given.granularity === "sentence") {
              const sentences = parts.flatMap(({ answer }) => answer.sentences)
              return {
                value: {
                  sentences: sentences.map((sentence) => ({ text: sentence.text, ...shown(given, sentence) })),
                  overall: shown(given, whole)
                }
              }
            }
            if (given.granularity === "aspect") {
              const all = parts.flatMap(({ answer, weight }) => answer.aspects.map((each) => ({ ...each, weight })))
              const names = [...new Set(all.map(({ aspect }) => aspect))]
              return {
                value: {
                  aspects: Object.fromEntries(
                    names.map((name) => [
                      name,
                      shown(
                        given,
                        together(
                          given,
                          all.filter(({ aspect }) => aspect === name)
                        )
                      )
                    ])
                  ),
                  overall: shown(given, whole)
                }
              }
            }
            return {
              value: {
                ...shown(given, whole),
                explanation: parts.length === 1 ? (first?.answer.overall.explanation ?? "") : explanation,
                ...(given.include_emotions ? { emotions } : {})
              }
            }
          }
        )
    }
  }
})

const shown = ({ include_confidence }: Decoded, { confidence, sentiment }: Judgement) => ({
  sentiment,
  ...(include_confidence ? { confidence: Math.min(1, Math.max(0, confidence)) } : {})
})

/** One judgement of several, by their lengths. */
const together = (given: Decoded, parts: ReadonlyArray<Judgement & { readonly weight: number }>): Judgement => {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  const weight = parts.reduce((sum, part) => sum + part.weight, 0) || 1
  const mean = (of: (part: Judgement) => number) =>
    parts.reduce((sum, part) => sum + of(part) * part.weight, 0) / weight
  const score = mean(({ sentiment }) => scores[sentiment])
  const nearest = [...labelsOf(given)].sort((a, b) => Math.abs(scores[a] - score) - Math.abs(scores[b] - score))[0]
  return { sentiment: nearest ?? "neutral", confidence: mean(({ confidence }) => confidence) }
}

const instructionsOf = (given: Decoded): string =>
  [
    `Analyse the sentiment of the document. Labels: ${labelsOf(given).join(", ")}. Give each label with a confidence from 0 to 1.`,
    "overall is the sentiment of the whole document with a short explanation.",
    given.include_emotions ? "emotions lists the emotions that it shows, one word each." : "emotions is empty.",
    given.granularity === "sentence"
      ? "sentences lists every sentence, exactly as it is written, with its own sentiment."
      : "sentences is empty.",
    given.granularity === "aspect"
      ? given.aspects.length > 0
        ? `aspects gives the sentiment towards each of these that the document speaks of: ${given.aspects.join(", ")}.`
        : "aspects gives the sentiment towards each aspect (quality, price, service and so on) that the document speaks of."
      : "aspects is empty."
  ].join("\n")
