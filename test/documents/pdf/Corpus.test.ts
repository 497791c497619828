import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { defaultLimits, type PdfDocument } from "../../../src/documents/pdf/PdfDocument.ts"
import { makePdfEngine } from "../../../src/documents/pdf/PdfEngine.ts"

const folder = new URL("../../../../shared/corpus/pdf/", import.meta.url)
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".pdf")) : []

/** `key=value` pairs of the manifest's last column, where another reader counted pages and words. */
const notes = new Map(
  (files.length === 0 ? "" : readFileSync(new URL("MANIFEST.tsv", folder), "utf8")).split("\n").map((line) => {
    const columns = line.split("\t")
    const pairs = (columns.at(-1) ?? "").split("; ").map((pair): readonly [string, string] => {
      const [key = "", value = ""] = pair.split("=")
      return [key, value]
    })
    return [columns[0] ?? "", new Map(pairs)] as const
  })
)

/** Files that the other reader sees differently. */
const disputed = new Set([
  // it was stopped on the bomb, and counted nothing
  "pdfjs__bomb_giant.pdf",
  // a field of a broken form
  "pdfjs__PDFBOX-3148-2-fuzzed.pdf",
  // it finds no page
  "pdfjs__poppler-91414-0-53.pdf"
])

const words = (text: string): ReadonlyArray<string> => text.normalize("NFKC").toLowerCase().match(/\S+/g) ?? []

describe.skipIf(files.length === 0)("corpus of PDFs (../shared/corpus)", () => {
  it("ends every file in text, in the outcome without text, or in a typed error", { timeout: 120_000 }, async () => {
    const engine = makePdfEngine()
    const rows: Array<ReadonlyArray<string | number>> = []
    let [pages, milliseconds] = [0, 0]
    for (const file of files) {
      const bytes = readFileSync(new URL(file, folder))
      const start = performance.now()
      const result = await engine
        .read(bytes, { tables: true, pageSeparator: "" }, defaultLimits)
        .catch((error: unknown) => error)
      milliseconds += performance.now() - start
      if (result instanceof DocumentError) {
        rows.push([file, result.reason])
        continue
      }
      const document = result as PdfDocument
      assert.strictEqual(document.outcome, document.text.trim() === "" ? "no_text" : "text", file)
      pages += document.pages.length
      const found = words(document.text)
      const scan = document.is_scanned ? "scanned" : ""
      rows.push([
        file,
        document.outcome,
        document.pages.length,
        found.length,
        document.tables.length,
        jaccard(file, found),
        scan
      ])
      check(file, document.pages.length, found.length)
    }
    process.stdout.write(
      `${rows.map((row) => row.join("\t")).join("\n")}\n${Math.round((pages / milliseconds) * 1000)} pages/s\n`
    )
    assert.strictEqual(rows.length, files.length)
    // protected, cut short, or no PDF at all: few, and none of them an accident of ours
    assert.isAtMost(rows.filter((row) => row.length === 2).length, files.length / 5)
  })
})

/** Pages and words agree with the manifest: the latter within a tenth, for hyphens and columns are read differently. */
const check = (file: string, pages: number, count: number): void => {
  const note = notes.get(file)
  if (disputed.has(file) || note === undefined) return
  const expected = Number(note.get("words") ?? Number.NaN)
  if (note.has("pages")) assert.strictEqual(pages, Number(note.get("pages")), `pages of ${file}`)
  if (!Number.isNaN(expected)) assert.closeTo(count, expected, expected / 10 + 5, `words of ${file}`)
}

/** Likeness of word multisets with pdftotext, where that is installed. */
const jaccard = (file: string, ours: ReadonlyArray<string>): string => {
  // pdftotext fills the memory with this one
  if (pdftotext === undefined || file.includes("bomb")) return ""
  try {
    const options = {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      timeout: 20_000,
      stdio: "pipe"
    } as const
    const theirs = words(execFileSync(pdftotext, [fileURLToPath(new URL(file, folder)), "-"], options))
    const counts = new Map<string, number>()
    for (const word of theirs) counts.set(word, (counts.get(word) ?? 0) + 1)
    let common = 0
    for (const word of ours) {
      const left = counts.get(word) ?? 0
      if (left > 0) {
        counts.set(word, left - 1)
        common++
      }
    }
    const union = ours.length + theirs.length - common
    return union === 0 ? "1.00" : (common / union).toFixed(2)
  } catch {
    return "refused"
  }
}

const pdftotext = (process.env["PATH"] ?? "")
  .split(":")
  .map((directory) => `${directory}/pdftotext`)
  .find((file) => existsSync(file))
