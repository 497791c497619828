import { assert } from "@effect/vitest"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { executor } from "../../../src/executors/extract/AzureContentUnderstandingExtractor.ts"
import * as Analysis from "../../support/AnalysisServices.ts"
import * as Prism from "../../support/Prism.ts"
import * as ServiceCases from "./ServiceCases.ts"

type Seen = ServiceCases.Seen<Analysis.Service>
type Data = Readonly<Record<string, unknown>>
const { succeeded } = ServiceCases

/** A recorded answer of the service, with figures, which it has not. */
const recorded = (Prism.description("cu-doc.json")?.["result"] ?? {
  apiVersion: "2025-11-01",
  contents: [{ kind: "document", markdown: "CONTOSO LTD.", pages: [{ pageNumber: 1 }] }]
}) as Record<string, unknown>
const [content = {}] = recorded["contents"] as ReadonlyArray<Data>
const figures = [
  { id: "1.1", source: "D(1,0,0)", description: "A logo" },
  { id: "1.2", caption: { content: "A map" } },
  { id: "gone" }
]
const result = { ...recorded, contents: [{ ...content, figures }] }
const pages = (content["pages"] as ReadonlyArray<unknown>).length

const service =
  (moods: Analysis.Moods = {}) =>
  () =>
    Analysis.contentUnderstanding(result, moods)
const starts = ({ asked }: Seen) => asked.filter(({ method }) => method === "POST")
const patches = ({ asked }: Seen) => asked.filter(({ method }) => method === "PATCH")
const images = ({ data }: Seen, key = "figures") => (data[key] ?? []) as ReadonlyArray<Data>

const file = join(mkdtempSync(join(tmpdir(), "understood-")), "a.pdf")
writeFileSync(file, "%PDF from a file")
const bytes = Buffer.from("%PDF from data").toString("base64")
const busy = { status: 503, body: { error: { code: "ServiceUnavailable", message: "Busy." } } }

ServiceCases.runAll<Analysis.Service>({
  executor,
  required: {
    content_understanding_endpoint: `https://${Analysis.understandingHost}/`,
    content_understanding_credential_type: "subscription_key",
    content_understanding_subscription_key: Analysis.key,
    content_understanding_model_mappings: "{}",
    content_understanding_polling_interval: 1,
    content_understanding_max_retries: 0,
    content_field: "content"
  },
  defaults: {
    temp_file_path_field: "temp_file_path",
    content_field: null,
    output_field: "content_understanding_result",
    analyzer_id: "prebuilt-documentSearch",
    retrieve_figures: false,
    figures_output_field: "figures",
    content_understanding_endpoint: "required",
    content_understanding_credential_type: "default_azure_credential",
    content_understanding_subscription_key: null,
    content_understanding_api_version: "2025-11-01",
    content_understanding_timeout: 60,
    content_understanding_polling_interval: 2,
    content_understanding_max_retries: 3,
    content_understanding_retry_backoff_factor: 2,
    content_understanding_model_mappings: "required",
    max_concurrent: 3,
    timeout_secs: 300
  },
  data: { content: bytes },
  host: Analysis.understandingHost,
  description: undefined,
  service: service(),
  respond: ({ respond }, asked) => respond(asked),
  cases: {
    temp_file_path_field: [
      {
        value: "path",
        items: [{ path: file, content: bytes }],
        expect: (seen) => assert.deepStrictEqual([seen.error, seen.service.documents], ["", ["%PDF from a file"]])
      }
    ],
    content_field: [
      {
        value: "content",
        expect: (seen) => assert.deepStrictEqual([seen.error, seen.service.documents], ["", ["%PDF from data"]])
      },
      { value: null, expect: ({ error }) => assert.match(error, /temp_file_path/) }
    ],
    max_size_bytes: [
      {
        value: 5,
        expect: ({ asked, error }) => {
          assert.match(error, /bytes/)
          assert.lengthOf(asked, 0)
        }
      }
    ],
    output_field: [
      {
        value: "understood",
        expect: ({ data, summary }) => {
          const whole = data["understood"] as Data
          assert.strictEqual(whole["status"], "Succeeded")
          assert.property(whole, "id")
          assert.deepStrictEqual((whole["result"] as Data)["contents"], result.contents)
          assert.deepInclude(summary, { extraction_status: "success", analyzer_id: "prebuilt-documentSearch" })
          const usage = summary["usage"] as Record<string, ReadonlyArray<Data>>
          assert.deepInclude(usage["node"]?.[0], { pages, calls: 1 })
        }
      }
    ],
    analyzer_id: [
      {
        value: "my-analyzer",
        expect: (seen) => {
          succeeded(seen)
          assert.strictEqual(starts(seen)[0]?.path, "/contentunderstanding/analyzers/my-analyzer:analyzeBinary")
        }
      },
      {
        value: "gone",
        expect: ({ error }) =>
          assert.match(error, /Content Understanding at contoso.*, analyzer gone does not know.*analyzer_id/)
      },
      { value: "a/../b", expect: ({ error }) => assert.match(error, /The setting analyzer_id must/) }
    ],
    retrieve_figures: [
      {
        value: true,
        expect: (seen) => {
          succeeded(seen)
          assert.deepStrictEqual(
            images(seen).map(({ bytes: image, ...rest }) => [Buffer.from(image as Uint8Array).length, rest]),
            [
              [4, { id: "1.1", content_type: "image/png", source: "D(1,0,0)", description: "A logo" }],
              [4, { id: "1.2", content_type: "image/png", caption: { content: "A map" } }]
            ]
          )
        }
      },
      { value: false, expect: ({ data }) => assert.notProperty(data, "figures") }
    ],
    figures_output_field: [
      {
        value: "images",
        with: { retrieve_figures: true },
        expect: (seen) => assert.lengthOf(images(seen, "images"), 2)
      }
    ],
    max_figures: [
      { value: 1, with: { retrieve_figures: true }, expect: (seen) => assert.lengthOf(images(seen), 1) },
      { value: 0, with: { retrieve_figures: true }, expect: ({ data }) => assert.notProperty(data, "figures") }
    ],
    content_understanding_endpoint: [
      { value: `https://${Analysis.understandingHost}`, expect: succeeded },
      {
        value: "https://<foundry-resource>.services.ai.azure.com/",
        expect: ({ error }) =>
          assert.match(error, /The setting content_understanding_endpoint is still the placeholder/)
      }
    ],
    content_understanding_credential_type: [
      {
        value: "default_azure_credential",
        expect: (seen) => {
          succeeded(seen)
          assert.strictEqual(seen.asked[0]?.headers["authorization"], "Bearer token-1")
        }
      },
      ...["subscription_key", "azure_key_credential"].map((value) => ({
        value,
        expect: (seen: Seen) => {
          succeeded(seen)
          assert.isTrue(seen.asked.every(({ headers }) => headers["ocp-apim-subscription-key"] === Analysis.key))
        }
      }))
    ],
    content_understanding_subscription_key: [
      {
        value: "a-wrong-key-of-the-test",
        expect: ({ error }) => {
          assert.match(error, /the key in the setting content_understanding_subscription_key is wrong/)
          assert.notInclude(error, "a-wrong-key-of-the-test")
        }
      },
      { value: "", expect: ({ error }) => assert.match(error, /content_understanding_subscription_key is required/) }
    ],
    content_understanding_api_version: [
      {
        value: "2025-05-01-preview",
        expect: (seen) => {
          succeeded(seen)
          assert.isTrue(seen.asked.every(({ query }) => query.get("api-version") === "2025-05-01-preview"))
        }
      }
    ],
    content_understanding_timeout: [
      {
        value: 1,
        service: service({ first: ["silence"] }),
        expect: ({ error }) => assert.match(error, /did not answer within 1 s/)
      },
      {
        value: 2,
        service: service({ looks: Number.POSITIVE_INFINITY }),
        expect: ({ error }) => assert.match(error, /has not ended the operation within 2 s/)
      }
    ],
    content_understanding_polling_interval: [
      {
        value: 1,
        service: service({ looks: 1 }),
        expect: (seen) => {
          succeeded(seen)
          for (const gap of seen.gaps) assert.isAtLeast(gap, 900)
        }
      }
    ],
    content_understanding_max_retries: [
      {
        value: 0,
        service: service({ first: [busy] }),
        expect: (seen) => {
          assert.match(seen.error, /can't answer at the moment \(503\)/)
          assert.lengthOf(starts(seen), 1)
        }
      },
      {
        value: 1,
        service: service({ first: [busy] }),
        expect: (seen) => {
          succeeded(seen)
          assert.lengthOf(starts(seen), 2)
        }
      },
      {
        // What is final is not tried again.
        value: 3,
        service: service({ first: [{ status: 400, body: { error: { code: "InvalidRequest", message: "No." } } }] }),
        expect: (seen) => assert.lengthOf(starts(seen), 1)
      }
    ],
    content_understanding_retry_backoff_factor: [
      {
        value: 1.5,
        with: { content_understanding_max_retries: 2 },
        service: service({ first: [busy, busy] }),
        expect: (seen) => {
          succeeded(seen)
          assert.isAtLeast(seen.gaps[1] ?? 0, 1_400)
        }
      }
    ],
    content_understanding_model_mappings: [
      {
        value: '{"gpt-4.1": "my-gpt", "text-embedding-3-large": "my-embed"}',
        items: [{ content: bytes }, { content: bytes }],
        expect: (seen) => {
          succeeded(seen)
          assert.lengthOf(patches(seen), 1)
          assert.deepStrictEqual(seen.service.models, { "gpt-4.1": "my-gpt", "text-embedding-3-large": "my-embed" })
        }
      },
      {
        value: { "gpt-4.1": "my-gpt" },
        service: () => {
          const made = service()()
          made.models["gpt-4.1"] = "my-gpt"
          made.models["other"] = "kept"
          return made
        },
        expect: (seen) => {
          succeeded(seen)
          assert.lengthOf(patches(seen), 0)
          assert.propertyVal(seen.service.models, "other", "kept")
        }
      },
      { value: "{}", expect: (seen) => assert.isTrue(seen.asked.every(({ path }) => !path.endsWith("/defaults"))) },
      {
        value: '{"gpt-4.1": "<deployment>"}',
        expect: ({ error }) => assert.match(error, /content_understanding_model_mappings still has the placeholder/)
      },
      { value: "no JSON", expect: ({ error }) => assert.match(error, /content_understanding_model_mappings must be/) }
    ],
    requests_per_minute: [
      { value: null, expect: succeeded },
      {
        value: 100,
        items: [{ content: bytes }, { content: bytes }],
        expect: (seen) => {
          succeeded(seen)
          const [first, second] = starts(seen)
          assert.isAtLeast((second?.at ?? 0) - (first?.at ?? 0), 400)
        }
      }
    ],
    max_concurrent: [1, 2].map((value) => ({
      value,
      items: [{ content: bytes }, { content: bytes }],
      service: service({ delay: 60 }),
      expect: (seen: Seen) => {
        succeeded(seen)
        assert.strictEqual(seen.most, value)
      }
    })),
    timeout_secs: [
      {
        value: 1,
        service: service({ looks: Number.POSITIVE_INFINITY }),
        expect: ({ error }) => assert.match(error, /longer than 1 s/)
      }
    ],
    continue_on_error: [true, false].map((value) => ({
      value,
      with: { max_concurrent: 1 },
      items: [{}, { content: bytes }],
      expect: (seen: Seen) => {
        assert.notStrictEqual(seen.error, "")
        assert.lengthOf(starts(seen), value ? 1 : 0)
      }
    }))
  }
})
