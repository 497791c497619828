import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/ContentTranslator.ts"
import type { Case, ModelType } from "./ModelCases.ts"
import { parted, succeeded } from "./SharedModelCases.ts"

const asks = (value: unknown, words: RegExp, others: RegExp = /$^/): Case => ({
  value,
  expect: (seen) => {
    succeeded(seen)
    assert.match(seen.questions[0]?.system ?? "", words)
    assert.notMatch(seen.questions[0]?.system ?? "", others)
  }
})

export const type: ModelType = {
  executor,
  required: { target_language: "French" },
  defaults: {
    output_field: "translated_text",
    temperature: 0.3,
    max_tokens: 600,
    target_language: "required",
    source_language: null,
    translation_style: "natural",
    preserve_formatting: true,
    include_source: false
  },
  data: { text: " Good day.\n" },
  reply: () => "Bonjour.",
  output: { key: "translated_text", value: " Bonjour.\n" },
  cases: {
    target_language: [asks("Dutch", /into Dutch\./)],
    source_language: [asks("English", /from English into French/), asks(null, /document into French/, / from /)],
    translation_style: [
      asks("formal", /Style: formal/),
      asks("informal", /Style: informal/),
      asks("technical", /Style: technical/),
      asks("literal", /as close to the words/),
      asks("natural", /Style: natural/)
    ],
    preserve_formatting: [asks(true, /Keep its formatting/), asks(false, /French/, /Keep its formatting/)],
    preserve_terminology: [
      asks(["Kubernetes", "pod"], /Leave these terms as they are: Kubernetes, pod\./),
      asks("Kubernetes, pod", /Leave these terms as they are: Kubernetes, pod\./)
    ],
    glossary: [
      asks({ day: "journée" }, /Use this glossary: day → journée\./),
      asks('{"day": "journée"}', /Use this glossary: day → journée\./)
    ],
    include_source: [
      {
        value: true,
        with: { output_field: "french" },
        expect: ({ data }) => assert.strictEqual(data["french_source"], " Good day.\n")
      },
      { value: false, expect: ({ data }) => assert.notProperty(data, "translated_text_source") }
    ],
    max_input_tokens: parted
  }
}
