import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/PiiDetector.ts"
import type { Case, ModelType } from "./ModelCases.ts"
import { parted } from "./SharedModelCases.ts"

const found = (...all: ReadonlyArray<readonly [type: string, value: string, confidence: number]>) => ({
  value: { found: all.map(([type, value, confidence]) => ({ type, value, confidence })) }
})
const text = "Ann Lee, ann@lee.test"
const name = { type: "name", value: "Ann Lee", position: { start: 0, end: 7 }, confidence: 0.9 }
const email = { type: "email", value: "ann@lee.test", position: { start: 9, end: 21 }, confidence: 1 }

const changed = (action: string, key: string, result: string): Case => ({
  value: action,
  expect: ({ data, summary }) => {
    assert.deepInclude(data["pii_detected"], { count: 2, [key]: result })
    assert.strictEqual(data["text_redacted"], result)
    assert.strictEqual(summary["pii_count"], 2)
  }
})

export const type: ModelType = {
  executor,
  required: {},
  defaults: {
    output_field: "pii_detected",
    temperature: 0.2,
    max_tokens: 400,
    pii_types: ["name", "email", "phone", "ssn", "credit_card", "address"],
    action: "detect",
    include_positions: true,
    confidence_threshold: 0.7,
    redacted_field: "text_redacted"
  },
  data: { text },
  reply: ({ document }) => (document.includes("Ann") ? found(["name", "Ann Lee", 0.9]) : found()),
  output: { key: "pii_detected", value: { pii_found: [name, email], count: 2 } },
  cases: {
    pii_types: [
      ...["name, email", ["name", "email"]].map((value) => ({
        value,
        expect: ({ data, questions }: Parameters<Case["expect"]>[0]) => {
          assert.include(questions[0]?.system, "- name: names of persons\n- email: e-mail addresses\nGive")
          assert.deepInclude(data["pii_detected"], { count: 2 })
        }
      })),
      {
        value: ["name"],
        expect: ({ data }) => assert.deepStrictEqual(data["pii_detected"], { pii_found: [name], count: 1 })
      }
    ],
    action: [
      { value: "detect", expect: ({ data }) => assert.notProperty(data, "text_redacted") },
      changed("redact", "redacted_text", "[REDACTED-NAME], [REDACTED-EMAIL]"),
      changed("mask", "masked_text", "***, ***"),
      changed("label", "labeled_text", "<PII-NAME>Ann Lee</PII-NAME>, <PII-EMAIL>ann@lee.test</PII-EMAIL>")
    ],
    include_positions: [
      { value: true, expect: ({ data }) => assert.nestedProperty(data, "pii_detected.pii_found[0].position") },
      { value: false, expect: ({ data }) => assert.notNestedProperty(data, "pii_detected.pii_found[0].position") }
    ],
    confidence_threshold: [
      {
        value: 0.95,
        with: { action: "redact" },
        expect: ({ data }) => assert.strictEqual(data["text_redacted"], "Ann Lee, [REDACTED-EMAIL]")
      }
    ],
    custom_patterns: [
      {
        value: ["staff numbers like S-12"],
        items: [{ text: "See S-77." }],
        reply: () => found(["custom", "S-77", 1]),
        expect: ({ data, questions }) => {
          assert.include(questions[0]?.system, "- custom: staff numbers like S-12")
          assert.deepInclude(data["pii_detected"], { count: 1 })
        }
      }
    ],
    redacted_field: [
      {
        value: "clean",
        with: { action: "mask" },
        expect: ({ data }) => {
          assert.strictEqual(data["clean"], "***, ***")
          assert.notProperty(data, "text_redacted")
        }
      }
    ],
    replace_input: [
      {
        value: true,
        with: { action: "redact" },
        expect: ({ data }) => {
          assert.strictEqual(data["text"], "[REDACTED-NAME], [REDACTED-EMAIL]")
          assert.notInclude(JSON.stringify(data), "Ann")
        }
      },
      {
        value: true,
        expect: ({ error }) => assert.match(error, /The setting replace_input needs the action redact or mask/)
      },
      { value: false, with: { action: "redact" }, expect: ({ data }) => assert.strictEqual(data["text"], text) }
    ],
    max_input_tokens: parted
  }
}
