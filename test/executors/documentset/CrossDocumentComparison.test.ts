import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { executor } from "../../../src/executors/documentset/CrossDocumentComparison.ts"
import { CallError } from "../../../src/services/CallError.ts"
import * as Analysed from "../analyse/Analysed.ts"

const documents = [
  {
    role: "Q1",
    order: 0,
    filename: "q1.pdf",
    data: { revenue: 10, other: { revenue: 1 }, text: "long" },
    summary_data: {}
  },
  {
    role: "Q2",
    order: 1,
    filename: "q2.pdf",
    data: { revenue: 20, other: { revenue: 2 }, text: "long" },
    summary_data: {}
  }
]
const set = { document_set: { set_id: "s", set_name: "quarters", total_documents: 2, documents } }

const answer = {
  summary: "It doubled.",
  key_findings: ["growth"],
  comparisons: [{ field: "revenue", description: "10 to 20" }],
  trends: [{ field: "revenue", direction: "increasing", description: "up" }],
  variances: [
    { field: "revenue", from: "Q1", to: "Q2", variance_pct: 100, description: "doubled" },
    { field: "cost", from: "Q1", to: "Q2", variance_pct: 2, description: "hardly" }
  ],
  recommendations: ["go on"]
}

const compare = (settings: Record<string, unknown>, script: Parameters<typeof Analysed.model>[0] = () => answer) =>
  Effect.map(Analysed.analyse(executor, settings, set, script), ({ data, item, questions, summary }) => ({
    value: data["cross_document_analysis"] as Record<string, unknown>,
    log: item.executor_logs.at(-1),
    questions,
    summary
  }))

describe("cross_document_comparison", () => {
  it.effect("writes the analysis in the shape that is asked for, with thresholds enforced", () =>
    Effect.gen(function* () {
      const { log, questions, summary, value } = yield* compare({})
      assert.deepInclude(value, {
        type: "cross_document_comparison",
        set_id: "s",
        set_name: "quarters",
        documents_compared: 2,
        output_format: "structured"
      })
      assert.deepStrictEqual(value["analysis"], {
        ...answer,
        variances: [answer.variances[0]]
      })
      assert.deepInclude(log?.details, { set_id: "s", set_name: "quarters", documents_analyzed: 2 })
      assert.strictEqual(summary["agent_execution_status"], "success")
      assert.deepInclude(questions[0], { temperature: 0.2, maxTokens: 2_000 })
      assert.include(questions[0]?.system, "10 percent")
    })
  )

  it.effect("leaves out what is switched off", () =>
    Effect.gen(function* () {
      const { value } = yield* compare({
        output_format: "json",
        include_trend_analysis: false,
        include_variance_detection: false
      })
      const { key_findings: _, ...rest } = answer
      assert.deepStrictEqual(value["analysis"], { ...rest, trends: [], variances: [] })
      const { value: markdown } = yield* compare({ output_format: "markdown" }, () => "# Summary")
      assert.strictEqual(markdown["analysis"], "# Summary")
    })
  )

  it.effect("sends the fields that are named, none over another, with its own instructions", () =>
    Effect.gen(function* () {
      const { questions } = yield* compare({
        comparison_fields: ["data.revenue", "data.other.revenue", "data.text"],
        comparison_instructions: "You are an auditor."
      })
      const [question] = questions
      const sent = JSON.parse(question === undefined ? "" : Analysed.documentOf(question)) as {
        documents: ReadonlyArray<object>
      }
      assert.deepStrictEqual(sent.documents[0], {
        role: "Q1",
        order: 0,
        filename: "q1.pdf",
        "data.revenue": 10,
        "data.other.revenue": 1,
        text: "long"
      })
      assert.match(question?.system ?? "", /^You are an auditor\./)
    })
  )

  it.effect("fails in words for a set that is too large, a missing set, broken JSON twice, a cut answer", () =>
    Effect.gen(function* () {
      const large = yield* Effect.flip(
        Analysed.analyse(
          executor,
          { max_input_tokens: 100 },
          { document_set: { ...set.document_set, documents: [{ data: { text: "x".repeat(10_000) } }] } },
          () => answer
        )
      )
      assert.match(large.message, /comparison_fields/)
      const missing = yield* Effect.flip(Analysed.analyse(executor, {}, { other: 1 }, () => answer))
      assert.match(missing.message, /set_data_key/)
      assert.match((yield* Effect.flip(compare({}, () => "{broken"))).message, /answered twice/)
      const cut = new CallError({ reason: "Truncated", message: "raise max_tokens" })
      assert.match((yield* Effect.flip(compare({}, () => cut))).message, /max_tokens/)
    })
  )
})
