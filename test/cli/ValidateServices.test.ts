import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { stringify } from "yaml"
import { builtins } from "../../src/executors/Builtins.ts"
import { cli, folder } from "./Captured.ts"

type Settings = Readonly<Record<string, unknown>>

const model = { endpoint: "https://contoso.openai.azure.com/", deployment_name: "gpt-4.1-mini" }
const models = [
  "azure_openai_agent",
  "azure_openai_embeddings",
  "content_classifier",
  "content_translator",
  "cross_document_comparison",
  "entity_extractor",
  "keyword_extractor",
  "language_detector",
  "pii_detector",
  "sentiment_analyser",
  "text_summarizer"
]

/** What each type that calls a service must be told. */
const required: Readonly<Record<string, Settings>> = {
  ...Object.fromEntries(models.map((type) => [type, model])),
  azure_openai_agent: { ...model, instructions: "Say what it is." },
  content_classifier: { ...model, categories: ["invoice", "letter"] },
  content_translator: { ...model, target_language: "French" },
  azure_document_intelligence_extractor: { doc_intelligence_endpoint: "https://contoso.cognitiveservices.azure.com/" },
  azure_content_understanding_extractor: {
    content_understanding_endpoint: "https://contoso.services.ai.azure.com/",
    content_understanding_model_mappings: '{"gpt-4.1": "my-gpt"}'
  },
  ai_search_index_output: {
    ai_search_account: "contoso",
    ai_search_index: "docs",
    content_to_index_mappings: { "chunk.id": "id" }
  }
}
const types = Object.keys(required)

const validated = (nodes: ReadonlyArray<readonly [type: string, settings: Settings]>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const executors = nodes.map(([type, settings], index) => ({ id: `n${index}`, type, settings }))
      const sequence = executors.map(({ id }) => id)
      const files = yield* folder({
        "p.yaml": stringify(
          { pipeline: { name: "P", executors, execution_sequence: sequence } },
          { defaultStringType: "QUOTE_DOUBLE" }
        )
      })
      const { code, stdout } = yield* cli(["validate", files.at("p.yaml")])
      return { code, lines: stdout.split("\n").filter((line) => line !== "") }
    })
  )

/** What examples, forms and templates put where a resource belongs. */
const placeholders: ReadonlyArray<readonly [setting: string, values: ReadonlyArray<string>]> = [
  [
    "endpoint",
    [
      "https://<foundry-resource>.openai.azure.com/openai/v1/",
      "https://your-resource.openai.azure.com/",
      "https://my-resource.openai.azure.com",
      "https://your-foundry-resource.openai.azure.com/",
      "https://your-gpt.openai.azure.com/"
    ]
  ],
  ["deployment_name", ["<deployment>", "your-deployment-name", "<your deployment>", "YOUR_GPT_4", "replace-me"]],
  [
    "doc_intelligence_endpoint",
    [
      "https://<your-resource>.cognitiveservices.azure.com/",
      "https://your-doc-intelligence.cognitiveservices.azure.com/",
      "https://yourdocintelligence.cognitiveservices.azure.com/"
    ]
  ],
  [
    "content_understanding_endpoint",
    ["https://<foundry-resource>.services.ai.azure.com/", "https://your-foundry.services.ai.azure.com/"]
  ],
  ["content_understanding_model_mappings", ['{"gpt-4.1": "<your-gpt-4.1-deployment>"}']],
  [
    "ai_search_account",
    ["<enterprise-search-service-name>", "your-search-service", "https://<name>.search.windows.net"]
  ],
  ["ai_search_index", ["<gpt-rag-index-name>", "your-index"]],
  ["model_id", ["<your-model>"]],
  ["analyzer_id", ["<your-analyzer>"]]
]

describe("validate, of types that call services", () => {
  it.effect("finds nothing in settings that are right, and knows every setting of every type", () =>
    Effect.gen(function* () {
      const whole = types.map((type) => {
        const settings = builtins.find((each) => each.type === type)?.settings ?? {}
        const defaults = Object.entries(settings).flatMap(([name, info]) =>
          info.required || info.default === null ? [] : [[name, info.default] as const]
        )
        return [type, { ...Object.fromEntries(defaults), ...required[type] }] as const
      })
      const { code, lines } = yield* validated(whole)
      assert.deepStrictEqual(lines, [])
      assert.strictEqual(code, 0)
    })
  )

  it.effect("names a setting that a type does not have", () =>
    Effect.gen(function* () {
      const { lines } = yield* validated(types.map((type) => [type, { ...required[type], max_retrys: 1 }] as const))
      assert.lengthOf(lines, types.length)
      for (const line of lines) assert.match(line, /warning: .*max_retrys/)
    })
  )

  it.effect("tells the setting that a part of its name stands for, and what to leave out of an endpoint", () =>
    Effect.gen(function* () {
      const settings = { ...required["azure_openai_agent"], deployment: "gpt", key: "k", max: 5, input: "text" }
      const pasted = "https://contoso.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
      const { lines } = yield* validated([
        ["azure_openai_agent", settings],
        ["azure_openai_agent", { ...required["azure_openai_agent"], endpoint: pasted }]
      ])
      assert.match(lines[0] ?? "", /"deployment"\. Did you mean deployment_name\?/)
      assert.match(lines[1] ?? "", /"key"\. Did you mean api_key\?/)
      // Several settings begin so.
      assert.match(lines[2] ?? "", /"max"\. \(/)
      assert.match(lines[3] ?? "", /"input"\. Did you mean input_field\?/)
      assert.match(lines[4] ?? "", /endpoint must end before \? and #: leave out "\?api-version=2024-10-21"/)
    })
  )

  it.effect("takes names that only look like placeholders at a glance", () =>
    Effect.gen(function* () {
      const { lines } = yield* validated(
        [
          "https://yours.openai.azure.com/",
          "https://flavour-it.openai.azure.com/",
          "https://yourk.openai.azure.com/"
        ].map((endpoint) => ["text_summarizer", { ...model, endpoint, deployment_name: "favour-gpt" }] as const)
      )
      assert.deepStrictEqual(lines, [])
    })
  )

  for (const type of types) {
    it.effect(`${type}: names what is left at its placeholder`, () =>
      Effect.gen(function* () {
        const own: Settings = builtins.find((each) => each.type === type)?.settings ?? {}
        const cases = placeholders.flatMap(([setting, values]) =>
          setting in own ? values.map((value) => [setting, value] as const) : []
        )
        assert.isNotEmpty(cases)
        const { code, lines } = yield* validated(
          cases.map(([setting, value]) => [type, { ...required[type], [setting]: value }] as const)
        )
        assert.strictEqual(code, 1)
        assert.lengthOf(lines, cases.length)
        for (const [index, [setting]] of cases.entries()) {
          assert.match(lines[index] ?? "", new RegExp(`error: .*${setting} (?:is still|still has) the placeholder`))
        }
      })
    )
  }
})
