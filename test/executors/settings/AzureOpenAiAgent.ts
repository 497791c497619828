import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/AzureOpenAiAgent.ts"
import type { ModelType } from "./ModelCases.ts"
import { succeeded, words } from "./SharedModelCases.ts"

export const type: ModelType = {
  executor,
  required: { instructions: "Say what it is." },
  defaults: {
    instructions: "required",
    endpoint: "required",
    deployment_name: "required",
    credential_type: "default_azure_credential",
    api_key: null,
    input_field: "text",
    output_field: "agent_response",
    include_full_response: false,
    temperature: null,
    max_tokens: 400,
    parse_response_as_json: false,
    max_retries: 3,
    retry_backoff_seconds: 1,
    retry_backoff_factor: 2,
    max_concurrent: 3,
    timeout_secs: 300
  },
  data: { text: "An invoice." },
  reply: () => '{"kind": "invoice"}',
  output: { key: "agent_response", value: '{"kind": "invoice"}' },
  cases: {
    instructions: [
      {
        value: "Be brief.",
        expect: (seen) => {
          succeeded(seen)
          assert.match(seen.questions[0]?.system ?? "", /^Be brief\./)
          assert.notInclude(seen.questions[0]?.user, "Be brief.")
          assert.strictEqual(seen.questions[0]?.document, "An invoice.")
        }
      }
    ],
    parse_response_as_json: [
      {
        value: true,
        expect: ({ data, summary }) => {
          assert.deepStrictEqual(data["agent_response"], { kind: "invoice" })
          assert.deepInclude(summary, { agent_execution_status: "success", response_length: 1 })
        }
      },
      {
        value: true,
        reply: (_, place) => (place === 0 ? "It is {an} invoice." : '["invoice"]'),
        expect: ({ data, questions }) => {
          assert.deepStrictEqual(data["agent_response"], ["invoice"])
          assert.lengthOf(questions, 2)
        }
      },
      {
        value: false,
        expect: ({ data }) => assert.strictEqual(data["agent_response"], '{"kind": "invoice"}')
      }
    ],
    max_input_tokens: [
      {
        value: 100,
        items: [{ text: words(150) }],
        expect: ({ error, questions }) => {
          assert.match(error, /tokens\. Raise the setting max_input_tokens/)
          assert.lengthOf(questions, 0)
        }
      },
      { value: 1_000, items: [{ text: words(150) }], expect: succeeded }
    ]
  }
}
