import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { setImmediate } from "node:timers/promises"
import type { Document, DocumentLimits, DocumentOptions } from "../../src/documents/Document.ts"
import { DocumentError } from "../../src/documents/DocumentError.ts"
import * as Limits from "../../src/documents/Limits.ts"
import { defaultLimits as pdf } from "../../src/documents/pdf/PdfDocument.ts"
import { defaultLimits as plain, defaults } from "../../src/documents/text/TextDocument.ts"
import { runJob } from "../../src/threads/RunJob.ts"
import { ownBuffer } from "../../src/threads/ThreadPool.ts"

const corpus = new URL("../../../shared/corpus/", import.meta.url)

const options: DocumentOptions = {
  hints: {},
  page_separator: "\n\n",
  extract_pages: false,
  extract_tables: true,
  extract_images: false,
  extract_properties: false,
  extract_notes: true,
  min_image_size: 100,
  password: null,
  text: defaults
}
const limits: DocumentLimits = { office: Limits.defaults, pdf, text: plain }

/** Files of which the other reader has words that ours lacks, and why that is right. */
const reasons: Readonly<Record<string, string>> = {
  "pdf/docling__right_to_left_03.pdf": "pdftotext turns the letters of lam-alef ligatures round",
  "pdf/pdfjs__issue11016_reduced.pdf":
    "the meaning of its ligature stands in the name of its glyph alone, which PDFium does not read",
  "pdf/pdfjs__issue15092.pdf": "pdftotext reads the fields as a script formatted them, we read their values",
  "pdf/sample-files__GeoTopo-komprimiert.pdf": "formulas and figures, whose letters each joins to words in its own way"
}

/** The share of the other reader's words that ours must have. */
const least = 0.98

const files = (folder: string): ReadonlyArray<string> =>
  existsSync(new URL(`${folder}/`, corpus))
    ? readdirSync(new URL(`${folder}/`, corpus)).filter((name) => name.endsWith(`.${folder}`))
    : []

const pathOf = (folder: string, name: string): string => fileURLToPath(new URL(`${folder}/${name}`, corpus))

/** The output of a program; undefined where it is not installed or fails. */
const outputOf = (program: string, args: ReadonlyArray<string>): string | undefined => {
  try {
    return execFileSync(program, [...args], {
      encoding: "utf8",
      timeout: 20_000,
      maxBuffer: 256 * 1024 * 1024,
      stdio: ["ignore", "pipe", "ignore"]
    })
  } catch {
    return undefined
  }
}

// --- The other readers ---

/** The Python that has a module: Debian's packages are for the system's own. */
const pythonWith = (module: string): string | undefined =>
  ["python3", "/usr/bin/python3"].find((python) => outputOf(python, ["-c", `import ${module}`]) !== undefined)

const pdfToText =
  outputOf("pdftotext", ["-v"]) === undefined
    ? undefined
    : (path: string) => outputOf("pdftotext", ["-enc", "UTF-8", path, "-"])

const byPython = (module: string, script: string) => {
  const python = pythonWith(module)
  return python === undefined ? undefined : (path: string) => outputOf(python, ["-c", script, path])
}

const pythonDocx = byPython(
  "docx",
  `
import sys, docx
document = docx.Document(sys.argv[1])
def cells(table):
    seen = set()
    for row in table.rows:
        for cell in row.cells:
            if id(cell._tc) not in seen:
                seen.add(id(cell._tc))
                yield cell
def words(block):
    for paragraph in block.paragraphs:
        print(paragraph.text)
    for table in block.tables:
        for cell in cells(table):
            words(cell)
sys.stdout.reconfigure(encoding="utf-8", errors="replace")
words(document)
`
)

const openpyxl = byPython(
  "openpyxl",
  `
import sys, openpyxl
sys.stdout.reconfigure(encoding="utf-8", errors="replace")
for sheet in openpyxl.load_workbook(sys.argv[1], data_only=True).worksheets:
    for row in sheet.iter_rows(values_only=True):
        for value in row:
            # numbers and dates are written in other ways
            if isinstance(value, str):
                print(value)
`
)

// --- Words ---

const wordsOf = (text: string): ReadonlyMap<string, number> => {
  const words = new Map<string, number>()
  for (const [word] of text
    .normalize("NFKC")
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}]+/gu)) {
    words.set(word, (words.get(word) ?? 0) + 1)
  }
  return words
}

/** The share of the words of `other` that are in `ours`, and some that are not. A word that ours parts or joins counts as there. */
const compare = (other: string, ours: string): { readonly share: number; readonly missing: ReadonlyArray<string> } => {
  const [theirs, known] = [wordsOf(other), wordsOf(ours)]
  const joined = ours
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "")
  let all = 0
  let found = 0
  const missing: Array<string> = []
  for (const [word, count] of theirs) {
    all += count
    const has = known.get(word) ?? 0
    if (has >= count || (has === 0 && joined.includes(word))) found += count
    else {
      found += has
      missing.push(word)
    }
  }
  return { share: all === 0 ? 1 : found / all, missing: missing.slice(0, 10) }
}

const textOf = (document: Document): string =>
  [
    document.text,
    ...(document.notes ?? []).map(({ text }) => text),
    ...(document.tables ?? []).flatMap(({ data }) => data.flat().filter((cell) => typeof cell === "string"))
  ].join("\n")

for (const [folder, name, read] of [
  ["pdf", "pdftotext", pdfToText],
  ["docx", "python-docx", pythonDocx],
  ["xlsx", "openpyxl", openpyxl]
] as const) {
  // What is compared are the readers, which are the same on Deno, and have their own tests there.
  describe.skipIf("Deno" in globalThis || read === undefined || files(folder).length === 0)(
    `words of ${name} (skipped where it is not installed, on Deno, and without ../shared/corpus)`,
    () => {
      for (const file of files(folder)) {
        it(`are in what we read of ${file}`, { timeout: 60_000 }, async (context) => {
          await setImmediate()
          const other = read?.(pathOf(folder, file))
          if (other === undefined || other.trim() === "") return context.skip(`${name} reads no text of it`)
          let ours: string
          try {
            const bytes = ownBuffer(new Uint8Array(readFileSync(pathOf(folder, file))))
            ours = textOf(await runJob("document", { bytes, options, limits }))
          } catch (error) {
            assert.instanceOf(error, DocumentError)
            return context.skip(`we refuse it: ${error.message}`)
          }
          const { missing, share } = compare(other, ours)
          const reason = reasons[`${folder}/${file}`]
          if (reason === undefined) assert.isAtLeast(share, least, `${folder}/${file} lacks ${missing.join(", ")}`)
          else process.stdout.write(`${folder}/${file}: ${(100 * share).toFixed(1)} %, ${reason}\n`)
        })
      }
    }
  )
}
