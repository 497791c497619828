import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/documentset/CrossDocumentComparison.ts"
import type { ModelType, Seen } from "./ModelCases.ts"
import * as SharedModelCases from "./SharedModelCases.ts"

const { succeeded } = SharedModelCases

const documentOf = (role: string, revenue: number) => ({
  role,
  order: 0,
  filename: `${role}.pdf`,
  data: { revenue, other: { revenue: 1 } },
  summary_data: {}
})
const set = {
  set_id: "s",
  set_name: "quarters",
  total_documents: 2,
  documents: [documentOf("Q1", 10), documentOf("Q2", 20)]
}

const variance = { field: "revenue", from: "Q1", to: "Q2", variance_pct: 100, description: "doubled" }
const answer = {
  summary: "It doubled.",
  key_findings: ["growth"],
  comparisons: [{ field: "revenue", description: "10 to 20" }],
  trends: [{ field: "revenue", direction: "increasing", description: "up" }],
  variances: [variance],
  recommendations: ["go on"]
}
const { key_findings: _, ...withoutFindings } = answer

const analysisOf = ({ data }: Seen, key = "cross_document_analysis") =>
  (data[key] as Readonly<Record<string, unknown>> | undefined)?.["analysis"]

const type: ModelType = {
  executor,
  required: {},
  defaults: {
    endpoint: "required",
    deployment_name: "required",
    credential_type: "default_azure_credential",
    api_key: null,
    set_data_key: "document_set",
    output_key: "cross_document_analysis",
    comparison_instructions: null,
    output_format: "structured",
    include_trend_analysis: true,
    include_variance_detection: true,
    variance_threshold_pct: 10,
    temperature: 0.2,
    max_tokens: 2_000,
    max_retries: 3
  },
  data: { document_set: set },
  reply: () => ({ value: answer }),
  // Holds a time.
  output: { key: "missing", value: undefined },
  cases: {
    set_data_key: [
      {
        value: "sets.first",
        items: [{ sets: { first: set } }],
        expect: ({ error }) => assert.match(error, /sets\.first/)
      },
      { value: "mine", items: [{ mine: set }], expect: (seen) => assert.deepStrictEqual(analysisOf(seen), answer) },
      { value: "gone", expect: ({ error }) => assert.match(error, /gone.*setting set_data_key/) }
    ],
    output_key: [{ value: "found", expect: (seen) => assert.deepStrictEqual(analysisOf(seen, "found"), answer) }],
    comparison_instructions: [
      {
        value: "You are an auditor.",
        expect: ({ questions }) => assert.match(questions[0]?.system ?? "", /^You are an auditor\./)
      }
    ],
    comparison_fields: [
      {
        value: ["data.revenue", "data.other.revenue"],
        expect: ({ questions }) => {
          const { documents } = JSON.parse(questions[0]?.document ?? "{}") as { documents: ReadonlyArray<object> }
          assert.deepStrictEqual(documents[0], {
            role: "Q1",
            order: 0,
            filename: "Q1.pdf",
            "data.revenue": 10,
            "data.other.revenue": 1
          })
        }
      },
      {
        value: "data.revenue",
        expect: ({ questions }) => assert.match(questions[0]?.document ?? "", /"revenue": 10\b/)
      }
    ],
    output_format: [
      { value: "structured", expect: (seen) => assert.deepStrictEqual(analysisOf(seen), answer) },
      { value: "json", expect: (seen) => assert.deepStrictEqual(analysisOf(seen), withoutFindings) },
      {
        value: "markdown",
        reply: () => "# Summary\nIt doubled.",
        expect: (seen) => assert.strictEqual(analysisOf(seen), "# Summary\nIt doubled.")
      }
    ],
    include_trend_analysis: [
      { value: true, expect: (seen) => assert.deepInclude(analysisOf(seen), { trends: answer.trends }) },
      { value: false, expect: (seen) => assert.deepInclude(analysisOf(seen), { trends: [] }) }
    ],
    include_variance_detection: [
      { value: true, expect: (seen) => assert.deepInclude(analysisOf(seen), { variances: [variance] }) },
      { value: false, expect: (seen) => assert.deepInclude(analysisOf(seen), { variances: [] }) }
    ],
    variance_threshold_pct: [
      { value: 101, expect: (seen) => assert.deepInclude(analysisOf(seen), { variances: [] }) },
      { value: 5, expect: ({ questions }) => assert.include(questions[0]?.system, "by 5 percent or more") }
    ],
    max_input_tokens: [
      { value: 1_000, expect: succeeded },
      {
        value: 100,
        items: [{ document_set: { ...set, documents: [...set.documents, ...set.documents] } }],
        expect: ({ error, questions }) => {
          assert.match(error, /more than max_input_tokens \(100\)/)
          assert.lengthOf(questions, 0)
        }
      }
    ]
  }
}

export { type }

/** It takes sets and not items. */
export const shared = (of: ModelType): ModelType["cases"] => ({
  ...SharedModelCases.connection(of, "/responses"),
  ...SharedModelCases.language(of),
  timeout_secs: [
    { value: 1, reply: () => null, expect: ({ error }) => assert.match(error, /did not answer within 1 s/) }
  ]
})
