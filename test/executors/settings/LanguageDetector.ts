import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/LanguageDetector.ts"
import type { ModelType } from "./ModelCases.ts"
import { succeeded, words } from "./SharedModelCases.ts"

const german = {
  name: "German",
  iso_639_1: "de",
  iso_639_3: "deu",
  confidence: 0.9,
  script: "Latin",
  dialect: "Austrian"
}
const found = (...languages: ReadonlyArray<Readonly<Record<string, unknown>>>) => ({ value: { languages } })

export const type: ModelType = {
  executor,
  required: {},
  defaults: {
    output_field: "language",
    temperature: 0.1,
    max_tokens: 600,
    detect_multiple: false,
    include_confidence: true,
    detect_script: false,
    detect_dialect: false,
    min_confidence: 0.5,
    iso_format: "name"
  },
  data: { text: "Grüß Gott, wie geht's?" },
  reply: () => found(german),
  output: { key: "language", value: { language: "German", confidence: 0.9 } },
  cases: {
    detect_multiple: [
      {
        value: true,
        reply: () => found(german, { ...german, name: "Latin", iso_639_1: "la", iso_639_3: "lat", confidence: 0.6 }),
        expect: ({ data, questions }) => {
          assert.include(questions[0]?.system, "all languages")
          assert.deepStrictEqual(data["language"], {
            languages: [
              { language: "German", confidence: 0.9 },
              { language: "Latin", confidence: 0.6 }
            ],
            primary_language: "German"
          })
        }
      },
      { value: false, expect: ({ data }) => assert.property(data["language"], "language") }
    ],
    include_confidence: [
      { value: true, expect: ({ data }) => assert.property(data["language"], "confidence") },
      { value: false, expect: ({ data }) => assert.deepStrictEqual(data["language"], { language: "German" }) }
    ],
    detect_script: [
      { value: true, expect: ({ data }) => assert.propertyVal(data["language"], "script", "Latin") },
      { value: false, expect: ({ data }) => assert.notProperty(data["language"], "script") }
    ],
    detect_dialect: [
      { value: true, expect: ({ data }) => assert.propertyVal(data["language"], "dialect", "Austrian") },
      { value: false, expect: ({ data }) => assert.notProperty(data["language"], "dialect") }
    ],
    min_confidence: [
      {
        value: 0.95,
        expect: ({ data }) => assert.deepStrictEqual(data["language"], { language: null, confidence: 0.9 })
      }
    ],
    iso_format: [
      { value: "iso-639-1", expect: ({ data }) => assert.propertyVal(data["language"], "language", "de") },
      { value: "iso-639-3", expect: ({ data }) => assert.propertyVal(data["language"], "language", "deu") },
      { value: "name", expect: ({ data }) => assert.propertyVal(data["language"], "language", "German") },
      {
        value: "iso-639-1",
        reply: () => found({ ...german, iso_639_1: "German" }),
        expect: ({ error }) => assert.match(error, /a code has another form/)
      }
    ],
    max_input_tokens: [
      {
        // A sample tells the language, whatever the length.
        value: 100,
        with: { max_calls: 1 },
        items: [{ text: words(20_000) }],
        expect: (seen) => {
          succeeded(seen)
          assert.lengthOf(seen.questions, 1)
          assert.isAtMost(seen.questions[0]?.document.length ?? 0, 400)
        }
      }
    ]
  }
}
