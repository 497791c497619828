import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/TextSummarizer.ts"
import type { Case, ModelType, Seen } from "./ModelCases.ts"
import { parted, succeeded } from "./SharedModelCases.ts"

/** The instructions say this. */
const asks = (value: unknown, words: RegExp, others: RegExp = /$^/): Case => ({
  value,
  expect: (seen: Seen) => {
    succeeded(seen)
    assert.match(seen.questions[0]?.system ?? "", words)
    assert.notMatch(seen.questions[0]?.system ?? "", others)
  }
})

export const type: ModelType = {
  executor,
  required: {},
  defaults: {
    endpoint: "required",
    deployment_name: "required",
    credential_type: "default_azure_credential",
    api_key: null,
    input_field: "text",
    output_field: "summary",
    include_full_response: false,
    temperature: 0.3,
    max_tokens: 500,
    summary_length: "short",
    summary_style: "paragraph",
    focus_areas: null,
    preserve_key_facts: true,
    max_retries: 3
  },
  data: { text: "The quarter went well: 12 % more." },
  reply: () => " It went well. ",
  output: { key: "summary", value: "It went well." },
  cases: {
    summary_length: [
      asks("brief", /1 or 2 sentences/),
      asks("short", /3 to 5 sentences/),
      asks("medium", /one paragraph of 5 to 8/),
      asks("detailed", /several paragraphs/)
    ],
    summary_style: [
      asks("bullet_points", /bullet points/),
      asks("paragraph", /running text/),
      asks("abstract", /abstract/)
    ],
    focus_areas: [asks("risks, costs", /attention to: risks, costs\./), asks(null, /objective/, /attention/)],
    preserve_key_facts: [asks(true, /Keep important facts/), asks(false, /objective/, /Keep important facts/)],
    max_input_tokens: parted
  }
}
