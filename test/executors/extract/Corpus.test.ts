import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Document } from "../../../src/documents/Document.ts"
import type { Content } from "../../../src/domain/Content.ts"
import type { Executor } from "../../../src/executor/Executor.ts"
import { executor as csv } from "../../../src/executors/extract/CsvExtractor.ts"
import { executor as excel } from "../../../src/executors/extract/ExcelExtractor.ts"
import { executor as pdf } from "../../../src/executors/extract/PdfExtractor.ts"
import { executor as powerpoint } from "../../../src/executors/extract/PowerpointExtractor.ts"
import { executor as text } from "../../../src/executors/extract/TextExtractor.ts"
import { executor as word } from "../../../src/executors/extract/WordExtractor.ts"
import { executor as documentExtractor } from "../../../src/executors/extract/DocumentExtractor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { item, run } from "./Items.ts"

const corpus = new URL("../../../../shared/corpus/", import.meta.url)
const present = existsSync(corpus)

interface File {
  readonly path: string
  /** The last column of the manifest: what another reader found in the file. */
  readonly note: string
}

const files: ReadonlyArray<File> = present
  ? readFileSync(new URL("MANIFEST.tsv", corpus), "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t"))
      .map((columns) => ({ path: columns[0] ?? "", note: columns.at(-1) ?? "" }))
  : []

const kindOf = ({ path }: File): string => path.split("/")[0] ?? ""

/** What the files of a folder are. */
const types: Readonly<Record<string, ReadonlyArray<string>>> = {
  csv: ["csv"],
  docx: ["word"],
  html: ["html"],
  pdf: ["pdf"],
  pptx: ["powerpoint"],
  text: ["text", "markdown"],
  xlsx: ["excel"]
}

/** Where the other reader counts otherwise: a file it could not repair, and forms whose fields it does not read. */
const disputed = new Set([
  "pdf/pdfjs__poppler-91414-0-53.pdf",
  "pdf/pdfjs__bomb_giant.pdf",
  "pdf/pdfjs__PDFBOX-3148-2-fuzzed.pdf"
])

const counted = (note: string, key: string): number | undefined => {
  const value = new RegExp(`(?:^|[; ])${key}=(\\d+)`).exec(note)?.[1]
  return value === undefined ? undefined : Number(value)
}

const countWords = (text: string): number => text.match(/\S+/g)?.length ?? 0

class Row {
  files = 0
  extracted = 0
  empty = 0
  found = 0
  expected = 0
  readonly refused = new Map<string, number>()
}

describe.skipIf(!present)("document_extractor on the corpus (skipped without ../shared/corpus)", () => {
  it.live(
    "ends every file in content or in an error that says why",
    () =>
      Effect.gen(function* () {
        const items = files.map(({ path }) =>
          item({ temp_file_path: fileURLToPath(new URL(path, corpus)) }, path.split("/").at(-1))
        )
        const results = yield* run(documentExtractor, { timeout_secs: 120 }, items, false)
        const rows = new Map<string, Row>()
        files.forEach((file, index) => {
          const row = rows.get(kindOf(file)) ?? new Row()
          rows.set(kindOf(file), row)
          check(file, results[index], row)
        })
        process.stdout.write(table(rows))
        assert.sameMembers([...rows.keys()], Object.keys(types))
      }).pipe(Effect.provide(Layer.merge(NodeContext.layer, ThreadPool.layer()))),
    { timeout: 300_000 }
  )
})

const reader = <R>(executor: Executor<R>, field: string, settings: Readonly<Record<string, unknown>> = {}) => ({
  type: executor.type,
  field,
  read: (items: ReadonlyArray<Content>) => run(executor, { timeout_secs: 120, ...settings }, items, false)
})

describe.skipIf(!present)("every extractor on the corpus (skipped without ../shared/corpus)", () => {
  for (const [folder, { field, read, type }] of [
    ["csv", reader(csv, "csv_output", { encoding: "auto", delimiter: "auto", extract_text: true })],
    ["csv", reader(text, "text_output")],
    ["docx", reader(word, "word_output")],
    ["html", reader(text, "text_output", { html_content: "article" })],
    ["pdf", reader(pdf, "pdf_output")],
    ["pptx", reader(powerpoint, "pptx_output")],
    ["text", reader(text, "text_output", { markdown_text: "plain" })],
    ["xlsx", reader(excel, "excel_output")]
  ] as const) {
    it.live(
      `${type} says so where it finds no text in ${folder}`,
      () =>
        Effect.gen(function* () {
          const items = files
            .filter((file) => kindOf(file) === folder)
            .map(({ path }) =>
              item({ temp_file_path: fileURLToPath(new URL(path, corpus)) }, path.split("/").at(-1) ?? "")
            )
          let found = 0
          for (const { data, executor_logs, id, summary_data } of yield* read(items)) {
            const output = data[field] as
              | { readonly text: string; readonly warnings?: ReadonlyArray<string> }
              | undefined
            if (output === undefined) continue
            found++
            const { text: words, warnings = [] } = output
            if (words.trim() === "") assert.isNotEmpty(warnings, id?.filename ?? "")
            // what is told in one place is told in each
            const places = [summary_data["extraction_warnings"], executor_logs.at(-1)?.details["warnings"]]
            for (const place of places) assert.strictEqual(place !== undefined, warnings.length > 0, id?.filename ?? "")
          }
          assert.isAbove(found, 0)
        }).pipe(
          Effect.provide(Layer.mergeAll(NodeContext.layer, ThreadPool.layer(), Logger.remove(Logger.defaultLogger)))
        ),
      { timeout: 300_000 }
    )
  }
})

const check = (file: File, result: Content | undefined, row: Row): void => {
  row.files++
  const [entry] = result?.executor_logs ?? []
  const document = result?.data["document_output"] as Document | undefined
  if (document === undefined) {
    assert.strictEqual(entry?.status, "failed", file.path)
    const [error = ""] = entry?.errors ?? []
    // the document's own fault, and neither a bug nor the clock
    assert.match(error, /could not be read in extract\. The /, file.path)
    assert.notMatch(error, /thread|took longer|is not a function|of undefined/, file.path)
    assert.match(file.note, /corrupted|fuzzed|encrypted|attack|password/i, `${file.path} ended in ${error}`)
    const reason = error.replace(/^.* could not be read in extract\. /, "").slice(0, 60)
    row.refused.set(reason, (row.refused.get(reason) ?? 0) + 1)
    return
  }
  assert.strictEqual(entry?.status, "completed", file.path)
  row.extracted++
  if (!(types[kindOf(file)] ?? []).includes(document.type)) {
    assert.match(file.note, /corrupted/, file.path)
    assert.match(document.warnings.join(), /By its name/, file.path)
  }
  const isEmpty = document.text.trim() === ""
  if (isEmpty) {
    row.empty++
    assert.isNotEmpty(document.warnings, file.path)
  }
  assert.strictEqual(result?.summary_data["extraction_status"], isEmpty ? "empty" : "success", file.path)
  compare(file, document, row)
}

/** With what the manifest says: words, and pages, slides or sheets, each of which stands in the text. */
const compare = (file: File, document: Document, row: Row): void => {
  for (const page of document.pages ?? []) assert.isTrue(document.text.includes(page.text), file.path)
  if (disputed.has(file.path)) return
  const pages = counted(file.note, "pages") ?? counted(file.note, "slides") ?? counted(file.note, "sheets")
  if (pages !== undefined && document.pages !== undefined) {
    assert.strictEqual(document.pages.length, pages, `pages of ${file.path}`)
  }
  const words = counted(file.note, "words")
  if (words !== undefined) {
    row.expected += words
    row.found += Math.min(words, countWords(document.text))
  }
}

const table = (rows: ReadonlyMap<string, Row>): string =>
  [
    ["type", "files", "extracted", "of these without text", "words found", "refused"],
    ...[...rows].map(([kind, row]) => [
      kind,
      row.files,
      row.extracted,
      row.empty,
      row.expected === 0 ? "no reference" : `${row.found} of ${row.expected}`,
      [...row.refused].map(([reason, count]) => `${count} x ${reason}`).join(" | ")
    ])
  ]
    .map((cells) => `${cells.join("\t")}\n`)
    .join("")
