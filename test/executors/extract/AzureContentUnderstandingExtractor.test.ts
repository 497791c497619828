import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as KeptSteps from "../../../src/executor/KeptSteps.ts"
import { executor } from "../../../src/executors/extract/AzureContentUnderstandingExtractor.ts"
import * as ServiceHttp from "../../../src/services/ServiceHttp.ts"
import * as StepResults from "../../../src/store/StepResults.ts"
import * as Analyses from "./Analyses.ts"

const origin = "https://contoso.services.ai.azure.com"
const base = {
  content_understanding_endpoint: `${origin}/`,
  content_understanding_credential_type: "subscription_key",
  content_understanding_subscription_key: "key-of-the-test",
  content_understanding_model_mappings: "{}",
  content_field: "content",
  content_understanding_max_retries: 0
}
const accepted = Analyses.accepted(`${origin}/contentunderstanding/analyzerResults/op-1?api-version=2025-11-01`)
const running = ServiceHttp.json(200, { id: "op-1", status: "Running" })
const answer = {
  id: "op-1",
  status: "Succeeded",
  result: {
    contents: [
      {
        kind: "document",
        markdown: "# Hi",
        pages: [{}, {}],
        figures: [{ id: "1.1", description: "a map" }, { id: "2.1" }]
      }
    ]
  }
}
const done = ServiceHttp.json(200, answer)
const image: ServiceHttp.HttpAnswer = {
  status: 200,
  headers: { "content-type": "image/jpeg" },
  body: new Uint8Array([1, 2])
}

const analyse = (settings: Readonly<Record<string, unknown>>, ...answers: ReadonlyArray<Analyses.Answer>) =>
  Analyses.analyse(executor, { ...base, ...settings }, answers)

describe("azure_content_understanding_extractor", () => {
  it.effect("keeps the whole answer, and counts the pages that are paid for", () =>
    Effect.gen(function* () {
      const { item, requests } = yield* analyse({}, accepted, running, done)
      assert.deepStrictEqual(item.data["content_understanding_result"], answer)
      assert.notProperty(item.data, "figures")
      assert.deepInclude(item.summary_data, { extraction_status: "success", analyzer_id: "prebuilt-documentSearch" })
      const usage = item.summary_data["usage"] as Record<string, ReadonlyArray<Record<string, unknown>>>
      assert.deepInclude(usage["extract"]?.[0], { pages: 2, calls: 1 })
      assert.strictEqual(
        requests[0]?.url,
        `${origin}/contentunderstanding/analyzers/prebuilt-documentSearch:analyzeBinary?api-version=2025-11-01`
      )
      assert.strictEqual(requests[0]?.headers["Ocp-Apim-Subscription-Key"], "key-of-the-test")
      assert.strictEqual(requests[0]?.headers["content-type"], "application/octet-stream")
    })
  )

  it.effect("says what could not be read, in the fields that readers of ours write", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [object, string, ReadonlyArray<string>]> = [
        [{ contents: [{ markdown: " " }] }, "empty", ["The document has no text"]],
        [{ contents: [] }, "empty", ["The document has no text"]],
        [
          { contents: [{ markdown: "a" }], warnings: [{ message: "Page 3 is damaged." }] },
          "success",
          ["Page 3 is damaged"]
        ],
        [{ contents: [{ fields: { total: {} } }] }, "success", []]
      ]
      for (const [result, status, warnings] of cases) {
        const { item } = yield* analyse({}, accepted, ServiceHttp.json(200, { ...answer, result }))
        assert.strictEqual(item.summary_data["extraction_status"], status)
        assert.deepStrictEqual(item.summary_data["extraction_warnings"] ?? [], warnings)
        const found = item.data["content_understanding_result"] as Readonly<Record<string, unknown>>
        assert.deepStrictEqual(found["warnings"] ?? [], warnings)
      }
    })
  )

  it.effect("fetches the images of figures, and leaves out one that can't be had", () =>
    Effect.gen(function* () {
      const settings = { retrieve_figures: true, figures_output_field: "images", output_field: "cu" }
      const { item, requests } = yield* analyse(settings, accepted, done, image, ServiceHttp.json(404, {}))
      assert.deepStrictEqual(item.data["images"], [
        { id: "1.1", bytes: new Uint8Array([1, 2]), content_type: "image/jpeg", description: "a map" }
      ])
      assert.deepStrictEqual(item.data["cu"], answer)
      assert.strictEqual(
        requests[2]?.url,
        `${origin}/contentunderstanding/analyzerResults/op-1/files/figures/1.1?api-version=2025-11-01`
      )
    })
  )

  it.effect(
    "with a figure missing is kept no result: the next run asks for the figures again, and pays for no analysis",
    () =>
      Effect.gen(function* () {
        const store = StepResults.makeMemory({ timeToLive: Duration.days(1), maxBytes: 1_000_000 })
        const node = { id: "extract", type: executor.type, digest: "digest", cache: "shared" } as const
        const run = (...answers: ReadonlyArray<Analyses.Answer>) =>
          Effect.map(
            Analyses.analyse(executor, { ...base, retrieve_figures: true }, answers, "10 minutes", {
              steps: KeptSteps.make(store, node, undefined, undefined)
            }),
            ({ item, requests }) => ({
              ids: (item.data["figures"] as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id),
              methods: requests.map(({ method }) => method)
            })
          )
        const out = ServiceHttp.json(503, {})
        assert.deepStrictEqual(yield* run(accepted, done, image, out), {
          ids: ["1.1"],
          methods: ["POST", "GET", "GET", "GET"]
        })
        assert.deepStrictEqual(yield* run(done, image, image), { ids: ["1.1", "2.1"], methods: ["GET", "GET", "GET"] })
        assert.deepStrictEqual(yield* run(), { ids: ["1.1", "2.1"], methods: [] })
      })
  )

  it.effect("sets the models of the resource only where they differ", () =>
    Effect.gen(function* () {
      const settings = { content_understanding_model_mappings: { "gpt-4.1": "mine" } }
      const same = ServiceHttp.json(200, { modelDeployments: { "gpt-4.1": "mine", other: "x" } })
      const first = yield* analyse(settings, same, accepted, done)
      assert.deepStrictEqual(
        first.requests.map(({ method }) => method),
        ["GET", "POST", "GET"]
      )
      const empty = ServiceHttp.json(200, { modelDeployments: {} })
      const json = { content_understanding_model_mappings: '{"gpt-4.1": "mine"}' }
      const second = yield* analyse(json, empty, ServiceHttp.json(200, {}), accepted, done)
      assert.deepStrictEqual(
        second.requests.map(({ method }) => method),
        ["GET", "PATCH", "POST", "GET"]
      )
      assert.strictEqual(second.requests[1]?.headers["content-type"], "application/merge-patch+json")
      assert.strictEqual(
        Buffer.from(second.requests[1]?.body ?? "").toString(),
        '{"modelDeployments":{"gpt-4.1":"mine"}}'
      )
    })
  )

  const wrong: ReadonlyArray<
    readonly [string, Readonly<Record<string, unknown>>, ReadonlyArray<Analyses.Answer>, RegExp]
  > = [
    [
      "a failed operation",
      {},
      [accepted, ServiceHttp.json(200, { status: "Failed", error: { code: "X", message: "bad" } })],
      /X: bad/
    ],
    ["an operation that never ends", { content_understanding_timeout: 30 }, [accepted, running], /within 30 s/],
    ["an operation elsewhere", {}, [Analyses.accepted("https://evil.test/1")], /another host/],
    ["a page for an answer", {}, [{ status: 200, headers: {}, body: Buffer.from("<html>") }], /page \(HTML/],
    [
      "half an answer",
      {},
      [accepted, { status: 200, headers: {}, body: Buffer.from('{"status": "Succ') }, running],
      /within 60 s|breaks off/
    ],
    ["another shape", {}, [accepted, ServiceHttp.json(200, { status: "Succeeded", result: [] })], /another shape/],
    [
      "a redirect",
      {},
      [{ status: 302, headers: { location: "https://evil.test" }, body: new Uint8Array() }],
      /redirects/
    ],
    ["an analyzer's name with slashes", { analyzer_id: "a/b" }, [], /analyzer_id must be/],
    ["mappings that are none", { content_understanding_model_mappings: "[1]" }, [], /must be a mapping/],
    ["a placeholder", { content_understanding_endpoint: "https://your-resource.test" }, [], /placeholder/]
  ]
  for (const [what, settings, answers, message] of wrong) {
    it.effect(`fails the item in words for ${what}`, () =>
      Effect.gen(function* () {
        assert.match((yield* analyse(settings, ...answers)).message, message)
      })
    )
  }
})
