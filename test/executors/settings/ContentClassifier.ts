import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/ContentClassifier.ts"
import type { ModelType } from "./ModelCases.ts"
import { parted } from "./SharedModelCases.ts"

const chosen = (...names: ReadonlyArray<readonly [name: string, confidence: number]>) => ({
  value: { categories: names.map(([name, confidence]) => ({ name, confidence })), explanation: "A total." }
})

export const type: ModelType = {
  executor,
  required: { categories: ["invoice", "letter"] },
  defaults: {
    output_field: "classification",
    temperature: 0.2,
    max_tokens: 600,
    categories: "required",
    multi_label: false,
    include_confidence: true,
    min_confidence: 0,
    include_explanation: true
  },
  data: { text: "Total: 5 EUR" },
  reply: () => chosen(["letter", 0.3], ["invoice", 0.9]),
  output: { key: "classification", value: { category: "invoice", confidence: 0.9, explanation: "A total." } },
  cases: {
    categories: [
      {
        value: "invoice, letter",
        expect: ({ data }) => assert.deepInclude(data["classification"], { category: "invoice" })
      },
      {
        value: ["contract"],
        expect: ({ error }) => assert.match(error, /answered twice with something else/)
      },
      { value: [], expect: ({ error }) => assert.match(error, /The setting categories/) }
    ],
    multi_label: [
      {
        value: true,
        expect: ({ data }) =>
          assert.deepStrictEqual(data["classification"], {
            categories: [
              { name: "invoice", confidence: 0.9 },
              { name: "letter", confidence: 0.3 }
            ],
            explanation: "A total."
          })
      },
      { value: false, expect: ({ data }) => assert.property(data["classification"], "category") }
    ],
    include_confidence: [
      { value: true, expect: ({ data }) => assert.property(data["classification"], "confidence") },
      {
        value: false,
        with: { multi_label: true },
        expect: ({ data }) => assert.deepInclude(data["classification"], { categories: ["invoice", "letter"] })
      }
    ],
    category_descriptions: [
      {
        value: { invoice: "asks for money" },
        expect: ({ questions }) => assert.include(questions[0]?.system, "- invoice: asks for money")
      },
      { value: '{"invoice": "asks for money"}', expect: ({ error }) => assert.strictEqual(error, "") },
      {
        value: { contract: "binds" },
        expect: ({ error }) => assert.match(error, /describes "contract", which is none of the categories/)
      }
    ],
    min_confidence: [
      {
        value: 0.95,
        expect: ({ data }) => assert.deepInclude(data["classification"], { category: null, confidence: 0.9 })
      },
      {
        value: 0.5,
        with: { multi_label: true },
        expect: ({ data }) =>
          assert.deepInclude(data["classification"], { categories: [{ name: "invoice", confidence: 0.9 }] })
      }
    ],
    include_explanation: [
      { value: true, expect: ({ data }) => assert.property(data["classification"], "explanation") },
      { value: false, expect: ({ data }) => assert.notProperty(data["classification"], "explanation") }
    ],
    max_input_tokens: parted
  }
}
