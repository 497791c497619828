import { assert } from "@effect/vitest"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { executor } from "../../../src/executors/extract/AzureDocumentIntelligenceExtractor.ts"
import * as Analysis from "../../support/AnalysisServices.ts"
import * as Prism from "../../support/Prism.ts"
import * as ServiceCases from "./ServiceCases.ts"

type Seen = ServiceCases.Seen<Analysis.Service>
type Data = Readonly<Record<string, unknown>>
const { succeeded } = ServiceCases

/** A recorded answer of the service, with what it has not: figures and pairs. */
const recorded = (Prism.description("di-layout.json")?.["analyzeResult"] ?? {
  apiVersion: "2024-11-30",
  modelId: "prebuilt-layout",
  stringIndexType: "utf16CodeUnit",
  content: "Sample Form Document",
  pages: [
    { pageNumber: 1, width: 8.5, height: 11, unit: "inch", spans: [], words: [], lines: [] },
    { pageNumber: 2, width: 8.5, height: 11, unit: "inch", spans: [], words: [], lines: [] }
  ],
  tables: Array.from({ length: 4 }, () => ({ rowCount: 1, columnCount: 1, cells: [], spans: [] }))
}) as Record<string, unknown>
const region = { pageNumber: 1, polygon: [0, 0, 1, 0, 1, 1, 0, 1] }
const result = {
  ...recorded,
  figures: [
    {
      id: "1.1",
      boundingRegions: [region],
      spans: [{ offset: 0, length: 6 }],
      caption: { content: "A form", spans: [] }
    }
  ],
  keyValuePairs: [
    { key: { content: "Total", spans: [] }, value: { content: "12", spans: [] }, confidence: 0.9 },
    { key: { content: "Empty", spans: [] }, confidence: 0.9 }
  ]
}

const service =
  (moods: Analysis.Moods = {}) =>
  () =>
    Analysis.documentIntelligence(result, moods)
const found = ({ data }: Seen, key = "doc_intell_output") => (data[key] ?? {}) as Data
const starts = ({ asked }: Seen) => asked.filter(({ method }) => method === "POST")
const query = (seen: Seen) => starts(seen)[0]?.query ?? new URLSearchParams()

const file = join(mkdtempSync(join(tmpdir(), "analysed-")), "a.pdf")
writeFileSync(file, "%PDF from a file")
const bytes = Buffer.from("%PDF from data").toString("base64")
const busy = { status: 503, body: { error: { code: "ServiceUnavailable", message: "Busy." } } }

const described = Prism.description("di.prism.json")

/** A document is sent as its bytes, of which the description says that they are an object. */
const withBytes = (document: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(document).replaceAll(
      /("name":"input","in":"body",(?:"description":"[^"]*",)?"required":true,"schema":)\{"type":"object"\}/g,
      "$1{}"
    )
  ) as Record<string, unknown>

ServiceCases.runAll<Analysis.Service>({
  executor,
  required: {
    doc_intelligence_endpoint: `https://${Analysis.documentHost}/`,
    doc_intelligence_credential_type: "azure_key_credential",
    doc_intelligence_credential_key: Analysis.key,
    content_field: "content",
    polling_interval_seconds: 0.1,
    max_retries: 0
  },
  defaults: {
    content_field: null,
    temp_file_path_field: "temp_file_path",
    output_field: "doc_intell_output",
    model_id: "prebuilt-layout",
    extract_text: true,
    extract_tables: true,
    extract_figures: true,
    extract_key_value_pairs: false,
    pages: null,
    locale: null,
    output_format: "markdown",
    include_full_result: false,
    doc_intelligence_endpoint: "required",
    doc_intelligence_credential_type: "default_azure_credential",
    doc_intelligence_credential_key: null,
    max_concurrent: 3,
    timeout_secs: 300
  },
  data: { content: bytes },
  host: Analysis.documentHost,
  description: described === undefined ? undefined : withBytes(described),
  wrong: {
    path: "/documentintelligence/documentModels/prebuilt-layout:analyze?api-version=2024-11-30&outputContentFormat=html",
    init: {
      method: "POST",
      headers: { "content-type": "application/octet-stream", "Ocp-Apim-Subscription-Key": Analysis.key },
      body: "%PDF"
    }
  },
  service: service(),
  respond: ({ respond }, asked) => respond(asked),
  cases: {
    content_field: [
      {
        value: "content",
        items: [{ content: bytes, temp_file_path: file }],
        expect: (seen) => assert.deepStrictEqual([seen.error, seen.service.documents], ["", ["%PDF from data"]])
      },
      {
        value: null,
        items: [{ content: bytes, temp_file_path: file }],
        expect: (seen) => assert.deepStrictEqual([seen.error, seen.service.documents], ["", ["%PDF from a file"]])
      }
    ],
    temp_file_path_field: [
      {
        value: "path",
        items: [{ path: file }],
        expect: (seen) => assert.deepStrictEqual([seen.error, seen.service.documents], ["", ["%PDF from a file"]])
      },
      { value: "path", items: [{}], expect: ({ error }) => assert.match(error, /path/) }
    ],
    max_size_bytes: [
      {
        value: 5,
        expect: ({ asked, error }) => {
          assert.match(error, /max_size_bytes|larger|bytes/)
          assert.lengthOf(asked, 0)
        }
      }
    ],
    output_field: [{ value: "di", expect: (seen) => assert.property(found(seen, "di"), "text") }],
    model_id: [
      {
        value: "prebuilt-read",
        expect: (seen) => {
          succeeded(seen)
          assert.match(starts(seen)[0]?.path ?? "", /documentModels\/prebuilt-read:analyze$/)
        }
      },
      {
        value: "gone",
        expect: ({ error }) =>
          assert.match(error, /Document Intelligence at contoso.*, model gone does not know.*model_id/)
      },
      { value: "a/../b", expect: ({ error }) => assert.match(error, /The setting model_id must/) }
    ],
    extract_text: [
      { value: true, expect: (seen) => assert.match(String(found(seen)["text"]), /^Sample Form Document/) },
      { value: false, expect: (seen) => assert.notProperty(found(seen), "text") }
    ],
    extract_tables: [
      { value: true, expect: (seen) => assert.lengthOf(found(seen)["tables"] as ReadonlyArray<unknown>, 4) },
      { value: false, expect: (seen) => assert.notProperty(found(seen), "tables") }
    ],
    extract_figures: [
      {
        value: true,
        expect: (seen) =>
          assert.deepStrictEqual(found(seen)["figures"], [
            { id: "1.1", page_number: 1, content: "Sample", caption: "A form" }
          ])
      },
      { value: false, expect: (seen) => assert.notProperty(found(seen), "figures") }
    ],
    extract_key_value_pairs: [
      {
        value: true,
        expect: (seen) => {
          assert.strictEqual(query(seen).get("features"), "keyValuePairs")
          assert.deepStrictEqual(found(seen)["key_value_pairs"], { Total: "12" })
        }
      },
      { value: false, expect: (seen) => assert.notProperty(found(seen), "key_value_pairs") }
    ],
    pages: [
      {
        value: "2",
        expect: (seen) => {
          assert.deepStrictEqual(
            (found(seen)["pages"] as ReadonlyArray<Data>).map(({ page_number }) => page_number),
            [2]
          )
          assert.deepInclude(seen.summary, { pages_analyzed: 1, extraction_status: "success" })
        }
      },
      { value: "1-2, 5", expect: (seen) => assert.strictEqual(query(seen).get("pages"), "1-2,5") },
      { value: "one", expect: ({ error }) => assert.match(error, /The setting pages must/) }
    ],
    locale: [
      {
        value: "de-DE",
        expect: (seen) => assert.deepStrictEqual([seen.error, query(seen).get("locale")], ["", "de-DE"])
      }
    ],
    doc_intel_features: [
      ...["formulas, languages", ["formulas", "languages"]].map((value) => ({
        value,
        expect: (seen: Seen) =>
          assert.deepStrictEqual([seen.error, query(seen).get("features")], ["", "formulas,languages"])
      })),
      { value: null, expect: (seen) => assert.isNull(query(seen).get("features")) }
    ],
    output_format: [
      { value: "markdown", expect: (seen) => assert.strictEqual(query(seen).get("outputContentFormat"), "markdown") },
      { value: "text", expect: (seen) => assert.strictEqual(query(seen).get("outputContentFormat"), "text") }
    ],
    include_full_result: [
      {
        value: true,
        expect: (seen) => assert.strictEqual(found(seen, "doc_intell_output_full_result")["modelId"], "prebuilt-layout")
      },
      { value: false, expect: ({ data }) => assert.notProperty(data, "doc_intell_output_full_result") }
    ],
    doc_intelligence_endpoint: [
      { value: `https://${Analysis.documentHost}`, expect: succeeded },
      {
        value: "https://<doc-intelligence-resource>.cognitiveservices.azure.com/",
        expect: ({ error }) => assert.match(error, /The setting doc_intelligence_endpoint is still the placeholder/)
      },
      { value: "contoso", expect: ({ error }) => assert.match(error, /The setting doc_intelligence_endpoint must/) }
    ],
    doc_intelligence_credential_type: [
      {
        value: "default_azure_credential",
        expect: (seen) => {
          succeeded(seen)
          assert.strictEqual(seen.asked[0]?.headers["authorization"], "Bearer token-1")
        }
      },
      {
        value: "azure_key_credential",
        expect: (seen) => {
          succeeded(seen)
          assert.isTrue(seen.asked.every(({ headers }) => headers["ocp-apim-subscription-key"] === Analysis.key))
        }
      }
    ],
    doc_intelligence_credential_key: [
      {
        value: "a-wrong-key-of-the-test",
        expect: ({ error }) => {
          assert.match(error, /the key in the setting doc_intelligence_credential_key is wrong/)
          assert.notInclude(error, "a-wrong-key-of-the-test")
        }
      },
      { value: null, expect: ({ error }) => assert.match(error, /doc_intelligence_credential_key is required/) }
    ],
    doc_intelligence_api_version: [
      { value: "2024-11-30", expect: (seen) => assert.strictEqual(query(seen).get("api-version"), "2024-11-30") }
    ],
    polling_interval_seconds: [
      {
        value: 0.3,
        service: service({ looks: 2 }),
        expect: (seen) => {
          succeeded(seen)
          assert.lengthOf(seen.asked, 4)
          for (const gap of seen.gaps) assert.isAtLeast(gap, 200)
        }
      }
    ],
    max_retries: [
      {
        value: 0,
        service: service({ first: [busy] }),
        expect: (seen) => {
          assert.match(seen.error, /can't answer at the moment \(503\)/)
          assert.lengthOf(seen.asked, 1)
        }
      },
      {
        value: 2,
        with: { retry_backoff_seconds: 0 },
        service: service({ first: [busy, busy] }),
        expect: (seen) => {
          succeeded(seen)
          assert.lengthOf(starts(seen), 3)
        }
      }
    ],
    retry_backoff_seconds: [
      {
        value: 0.2,
        with: { max_retries: 1 },
        service: service({ first: [busy] }),
        expect: (seen) => {
          succeeded(seen)
          assert.isAtLeast(seen.gaps[0] ?? 0, 150)
        }
      }
    ],
    requests_per_minute: [
      { value: null, expect: succeeded },
      {
        value: 100,
        items: [{ content: bytes }, { content: bytes }],
        expect: (seen) => {
          succeeded(seen)
          const [first, second] = starts(seen)
          assert.isAtLeast((second?.at ?? 0) - (first?.at ?? 0), 200)
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
        expect: ({ error }) => assert.match(error, /longer than 1 s|has not ended the operation within 1 s/)
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
