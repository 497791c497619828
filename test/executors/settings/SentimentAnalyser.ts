import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/SentimentAnalyser.ts"
import type { ModelType } from "./ModelCases.ts"
import { parted } from "./SharedModelCases.ts"

const answer = (sentiment: string) => ({
  value: {
    overall: { sentiment, confidence: 1.5, explanation: "Praise.", emotions: ["joy"] },
    sentences: [
      { text: "I love it.", sentiment, confidence: 0.9 },
      { text: "It was never said.", sentiment, confidence: 0.9 }
    ],
    aspects: [{ aspect: "price", sentiment, confidence: 0.8 }]
  }
})
const judged = { sentiment: "positive", confidence: 1 }

export const type: ModelType = {
  executor,
  required: {},
  defaults: {
    output_field: "sentiment",
    temperature: 0.2,
    max_tokens: 600,
    granularity: "document",
    include_confidence: true,
    include_emotions: false,
    scale: "3-point"
  },
  data: { text: "I love it. The price is right." },
  reply: () => answer("positive"),
  output: { key: "sentiment", value: { ...judged, explanation: "Praise." } },
  cases: {
    granularity: [
      { value: "document", expect: ({ data }) => assert.property(data["sentiment"], "explanation") },
      {
        value: "sentence",
        expect: ({ data }) =>
          assert.deepStrictEqual(data["sentiment"], {
            sentences: [{ text: "I love it.", sentiment: "positive", confidence: 0.9 }],
            overall: judged
          })
      },
      {
        value: "aspect",
        expect: ({ data }) =>
          assert.deepStrictEqual(data["sentiment"], {
            aspects: { price: { sentiment: "positive", confidence: 0.8 } },
            overall: judged
          })
      }
    ],
    include_confidence: [
      { value: true, expect: ({ data }) => assert.property(data["sentiment"], "confidence") },
      { value: false, expect: ({ data }) => assert.notProperty(data["sentiment"], "confidence") }
    ],
    include_emotions: [
      { value: true, expect: ({ data }) => assert.deepInclude(data["sentiment"], { emotions: ["joy"] }) },
      { value: false, expect: ({ data }) => assert.notProperty(data["sentiment"], "emotions") }
    ],
    aspects: [
      {
        value: ["price", "service"],
        with: { granularity: "aspect" },
        expect: ({ data, questions }) => {
          assert.include(questions[0]?.system, "speaks of: price, service.")
          assert.nestedProperty(data, "sentiment.aspects.price")
        }
      },
      {
        value: ["service"],
        with: { granularity: "aspect" },
        expect: ({ error }) => assert.match(error, /answered twice with something else/)
      }
    ],
    scale: [
      {
        value: "3-point",
        reply: () => answer("very positive"),
        expect: ({ error }) => assert.match(error, /answered twice with something else/)
      },
      {
        value: "5-point",
        reply: () => answer("very positive"),
        expect: ({ data }) => assert.deepInclude(data["sentiment"], { sentiment: "very positive" })
      }
    ],
    max_input_tokens: parted
  }
}
