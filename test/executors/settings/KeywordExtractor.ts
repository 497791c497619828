import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/KeywordExtractor.ts"
import type { Case, ModelType } from "./ModelCases.ts"
import { parted } from "./SharedModelCases.ts"

const keywords = [
  { term: "wind power", score: 0.9 },
  { term: "Sea", score: 1.4 },
  { term: "wind", score: 0.5 },
  { term: "of", score: 0.4 }
]

const terms = (value: unknown, ...wanted: ReadonlyArray<string>): Case => ({
  value,
  with: { include_score: false },
  expect: ({ data, error }) => {
    assert.strictEqual(error, "")
    assert.deepStrictEqual(data["keywords"], { keywords: wanted })
  }
})

export const type: ModelType = {
  executor,
  required: {},
  defaults: {
    output_field: "keywords",
    temperature: 0.2,
    max_tokens: 600,
    max_keywords: 10,
    keyword_type: "both",
    include_score: true,
    extract_topics: false,
    min_word_length: 3,
    ranking_method: "relevance"
  },
  data: { text: "wind power of the Sea: wind, wind" },
  reply: () => ({ value: { keywords, topics: ["energy"] } }),
  output: {
    key: "keywords",
    value: {
      keywords: [
        { term: "Sea", score: 1 },
        { term: "wind power", score: 0.9 },
        { term: "wind", score: 0.5 }
      ]
    }
  },
  cases: {
    max_keywords: [terms(1, "Sea"), terms(50, "Sea", "wind power", "wind")],
    keyword_type: [
      terms("single_words", "Sea", "wind"),
      terms("phrases", "wind power"),
      terms("both", "Sea", "wind power", "wind")
    ],
    include_score: [
      { value: true, expect: ({ data }) => assert.nestedPropertyVal(data, "keywords.keywords[0].score", 1) },
      { value: false, expect: ({ data }) => assert.nestedPropertyVal(data, "keywords.keywords[0]", "Sea") }
    ],
    extract_topics: [
      { value: true, expect: ({ data }) => assert.nestedPropertyVal(data, "keywords.topics[0]", "energy") },
      { value: false, expect: ({ data }) => assert.notNestedProperty(data, "keywords.topics") }
    ],
    min_word_length: [terms(4, "wind power", "wind"), terms(1, "Sea", "wind power", "wind", "of")],
    ranking_method: [
      terms("relevance", "Sea", "wind power", "wind"),
      terms("importance", "Sea", "wind power", "wind"),
      terms("frequency", "wind", "Sea", "wind power")
    ],
    context_aware: [
      { value: true, expect: ({ questions }) => assert.include(questions[0]?.system, "context") },
      { value: false, expect: ({ error }) => assert.strictEqual(error, "") }
    ],
    max_input_tokens: parted
  }
}
