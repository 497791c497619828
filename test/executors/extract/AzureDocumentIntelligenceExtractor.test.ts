import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { executor } from "../../../src/executors/extract/AzureDocumentIntelligenceExtractor.ts"
import * as ServiceHttp from "../../../src/services/ServiceHttp.ts"
import * as Analyses from "./Analyses.ts"
import { output } from "./Items.ts"

const base = {
  doc_intelligence_endpoint: "https://contoso.cognitiveservices.azure.com/",
  doc_intelligence_credential_type: "azure_key_credential",
  doc_intelligence_credential_key: "key-of-the-test",
  content_field: "content",
  max_retries: 0
}
const location = "https://contoso.cognitiveservices.azure.com/documentintelligence/documentModels/m/analyzeResults/1"
const accepted = (address = location) => Analyses.accepted(address)
const running = ServiceHttp.json(200, { status: "running" })
const done = (analyzeResult: unknown) => ServiceHttp.json(200, { status: "succeeded", analyzeResult })

const result = {
  content: "Total 😀 12\nFigure: a map",
  pages: [
    { pageNumber: 1, width: 8.5, height: 11, unit: "inch", lines: [{ content: "Total 😀 12" }, { content: "Figure" }] },
    { pageNumber: 2, width: null, height: null, unit: null }
  ],
  tables: [
    {
      rowCount: 1,
      columnCount: 2,
      cells: [
        { rowIndex: 0, columnIndex: 0, content: "Total", kind: "rowHeader" },
        { rowIndex: 0, columnIndex: 1, content: "12" }
      ]
    }
  ],
  keyValuePairs: [{ key: { content: "Total" }, value: { content: "12" } }, { key: { content: "Date" } }],
  figures: [
    {
      id: "1.1",
      boundingRegions: [{ pageNumber: 1 }],
      spans: [{ offset: 12, length: 6 }],
      caption: { content: "a map" }
    },
    { spans: [] }
  ]
}

const analyse = (settings: Readonly<Record<string, unknown>>, answers: ReadonlyArray<Analyses.Answer>) =>
  Analyses.analyse(executor, { ...base, ...settings }, answers)

const failure = (settings: Readonly<Record<string, unknown>>, ...answers: ReadonlyArray<Analyses.Answer>) =>
  Effect.map(analyse(settings, answers), ({ message }) => message)

describe("azure_document_intelligence_extractor", () => {
  it.effect("says what could not be read, in the fields that readers of ours write", () =>
    Effect.gen(function* () {
      const none = { content: "", pages: [], tables: [] }
      const cases: ReadonlyArray<readonly [object, string, ReadonlyArray<RegExp>]> = [
        [none, "empty", [/has no text/]],
        [{ ...none, tables: result.tables }, "success", [/no text outside of its tables/]],
        [{ ...result, warnings: [{ code: "x", message: "Page 3 is blurred." }] }, "success", [/^Page 3 is blurred$/]],
        [result, "success", []]
      ]
      for (const [analysis, status, warnings] of cases) {
        const { item } = yield* analyse({}, [accepted(), done(analysis)])
        assert.strictEqual(item.summary_data["extraction_status"], status)
        const told = (item.summary_data["extraction_warnings"] ?? []) as ReadonlyArray<string>
        assert.lengthOf(told, warnings.length)
        warnings.forEach((warning, index) => assert.match(told[index] ?? "", warning))
        assert.deepStrictEqual(output([item], "doc_intell_output")["warnings"] ?? [], told)
      }
    })
  )

  it.effect("writes text, tables, figures and pages, and counts the pages that are paid for", () =>
    Effect.gen(function* () {
      const { item, requests } = yield* analyse({}, [accepted(), running, done(result)])
      const items = [item]
      const found = output(items, "doc_intell_output")
      assert.deepStrictEqual(Object.keys(found), ["text", "tables", "figures", "pages"])
      assert.strictEqual(found["text"], result.content)
      assert.deepInclude((found["tables"] as ReadonlyArray<object>)[0], {
        row_count: 1,
        column_count: 2,
        data: [["Total", "12"]]
      })
      assert.deepStrictEqual(found["figures"], [
        { id: "1.1", page_number: 1, content: "Figure", caption: "a map" },
        { id: "1", page_number: -1, content: "", caption: null }
      ])
      assert.deepStrictEqual(found["pages"], [
        { page_number: 1, width: 8.5, height: 11, unit: "inch", text: "Total 😀 12\nFigure" },
        { page_number: 2, width: null, height: null, unit: null, text: "" }
      ])
      const summary = item.summary_data
      assert.deepInclude(summary, { pages_analyzed: 2, extraction_status: "success" })
      const usage = summary["usage"] as Record<string, ReadonlyArray<Record<string, unknown>>>
      assert.deepInclude(usage["extract"]?.[0], { model: "prebuilt-layout", pages: 2, calls: 1 })
      const [start, look] = requests
      assert.strictEqual(
        start?.url,
        "https://contoso.cognitiveservices.azure.com/documentintelligence/documentModels/prebuilt-layout:analyze?api-version=2024-11-30&stringIndexType=utf16CodeUnit&outputContentFormat=markdown"
      )
      assert.strictEqual(start?.headers["Ocp-Apim-Subscription-Key"], "key-of-the-test")
      assert.strictEqual(Buffer.from(start?.body ?? "").toString(), "%PDF")
      assert.strictEqual(look?.url, location)
    })
  )

  it.effect("asks for what its settings say, and leaves out what they switch off", () =>
    Effect.gen(function* () {
      const settings = {
        extract_key_value_pairs: true,
        extract_text: false,
        extract_tables: false,
        extract_figures: false,
        include_full_result: true,
        doc_intel_features: "formulas, languages",
        output_format: "text",
        output_field: "di",
        pages: "1-3, 5",
        locale: "de-DE"
      }
      const { item, requests } = yield* analyse(settings, [accepted(), done(result)])
      const items = [item]
      assert.deepStrictEqual(Object.keys(output(items, "di")), ["key_value_pairs", "pages"])
      assert.deepStrictEqual(output(items, "di")["key_value_pairs"], { Total: "12" })
      assert.deepStrictEqual(output(items, "di_full_result"), result)
      const query = new URL(requests[0]?.url ?? "").searchParams
      assert.strictEqual(query.get("features"), "formulas,languages,keyValuePairs")
      assert.strictEqual(query.get("pages"), "1-3,5")
      assert.strictEqual(query.get("locale"), "de-DE")
      assert.strictEqual(query.get("outputContentFormat"), "text")
    })
  )

  it.effect("joins paragraphs where there is no whole text", () =>
    Effect.gen(function* () {
      const { item } = yield* analyse({}, [accepted(), done({ paragraphs: [{ content: "a" }, { content: "b" }] })])
      const items = [item]
      assert.strictEqual(output(items, "doc_intell_output")["text"], "a\n\nb")
    })
  )

  it.effect("fails in words, whatever the service answers", () =>
    Effect.gen(function* () {
      const failed = ServiceHttp.json(200, {
        status: "failed",
        error: {
          code: "InvalidRequest",
          message: "no",
          innererror: { code: "InvalidContent", message: "is corrupted" }
        }
      })
      assert.match(yield* failure({}, accepted(), failed), /InvalidContent: is corrupted/)
      assert.match(yield* failure({}, accepted("https://evil.test/1")), /another host \(evil\.test\)/)
      assert.match(yield* failure({}, ServiceHttp.json(202, {})), /does not say where/)
      assert.match(yield* failure({ timeout_secs: 60 }, accepted(), running), /has not ended|longer than 60 s/)
      assert.match(yield* failure({}, accepted(), ServiceHttp.json(200, { status: "succeeded" })), /another shape/)
      assert.match(yield* failure({}, ServiceHttp.json(401, {})), /doc_intelligence_credential_key/)
      assert.match(yield* failure({ model_id: "a/../b" }), /model_id must be/)
      assert.match(yield* failure({ pages: "one" }), /pages must name/)
      assert.match(
        yield* failure({ doc_intelligence_credential_key: "" }),
        /doc_intelligence_credential_key is required/
      )
      assert.match(yield* failure({ doc_intelligence_endpoint: "https://<resource>.com" }), /placeholder/)
    })
  )

  const recorded = new URL("../../../../shared/specs/di-layout.json", import.meta.url)
  const answer = ((): string | undefined => {
    try {
      return readFileSync(recorded, "utf8")
    } catch {
      return undefined
    }
  })()
  it.effect.skipIf(answer === undefined)("reads a recorded answer of the service", () =>
    Effect.gen(function* () {
      const { item } = yield* analyse({}, [accepted(), ServiceHttp.json(200, JSON.parse(answer ?? ""))])
      const items = [item]
      const found = output(items, "doc_intell_output")
      assert.match(String(found["text"]), /^Sample Form Document/)
      assert.strictEqual((found["tables"] as ReadonlyArray<unknown>).length, 4)
      assert.strictEqual(item.summary_data["pages_analyzed"], 2)
    })
  )
})
