import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { readExcel } from "../../src/documents/excel/Excel.ts"
import * as Excel from "../../src/documents/excel/ExcelDocument.ts"
import * as Limits from "../../src/documents/Limits.ts"
import { readPowerPoint } from "../../src/documents/powerpoint/PowerPoint.ts"
import * as PowerPoint from "../../src/documents/powerpoint/PowerPointDocument.ts"
import { readWord } from "../../src/documents/word/Word.ts"
import * as Word from "../../src/documents/word/WordDocument.ts"
import { sniff } from "../../src/documents/zip/Sniff.ts"
import { openZip } from "../../src/documents/zip/ZipArchive.ts"
import { ending } from "./Packages.ts"

const corpus = new URL("../../../shared/corpus/", import.meta.url)
const present = Fs.existsSync(corpus)
const formats = ["docx", "pptx", "xlsx"] as const

/** The files of a format; `note` is what the corpus says of each. */
const files = (
  format: string
): ReadonlyArray<{ readonly name: string; readonly bytes: Uint8Array; readonly note: string }> => {
  if (!present) return []
  const manifest = Fs.readFileSync(new URL("MANIFEST.tsv", corpus), "utf8")
  return Fs.readdirSync(new URL(`${format}/`, corpus))
    .filter((name) => name.endsWith(`.${format}`))
    .map((name) => ({
      name,
      bytes: new Uint8Array(Fs.readFileSync(new URL(`${format}/${name}`, corpus))),
      note:
        manifest
          .split("\n")
          .find((line) => line.startsWith(`${format}/${name}\t`))
          ?.split("\t")[6] ?? ""
    }))
}

/** What a reader gives, or undefined for a file that it refuses. */
const contentOf = <A>(read: () => A): A | undefined => {
  let content: A | undefined
  ending(() => {
    content = read()
  })
  return content
}

const withoutNumbers = (list: ReadonlyArray<string>) =>
  list.map((value) => value.replace(/[\d.:+-]+(T[\d.:]+|E[-+]?\d+)?/gi, " "))

describe.skipIf(!present)("Corpus (skipped without ../shared/corpus)", () => {
  it.each(formats)("every %s ends in content or a DocumentError that fits", (format) => {
    const read = {
      docx: (bytes: Uint8Array) =>
        readWord(bytes, { ...Word.defaults, extract_images: true, extract_properties: true }),
      pptx: (bytes: Uint8Array) =>
        readPowerPoint(bytes, {
          ...PowerPoint.defaults,
          extract_images: true,
          extract_notes: true,
          extract_properties: true
        }),
      xlsx: (bytes: Uint8Array) =>
        readExcel(bytes, {
          ...Excel.defaults,
          extract_images: true,
          extract_comments: true,
          extract_formulas: true,
          extract_properties: true
        })
    }[format]
    let readable = 0
    for (const { name, bytes, note } of files(format)) {
      const error = ending(() => read(bytes))
      if (error === undefined) {
        readable++
        assert.strictEqual(sniff(bytes), format, name)
        continue
      }
      assert.isNotEmpty(error.message, name)
      if (note.startsWith("encrypted")) {
        assert.strictEqual(error.reason, "Encrypted", name)
        assert.strictEqual(sniff(bytes), "ole-encrypted", name)
      } else {
        assert.match(note, /corrupted|fuzzed|attack/, `${name} ended in ${error.message}`)
        assert.include(["Damaged", "NotThisFormat", "LimitExceeded"], error.reason, name)
      }
    }
    assert.isAbove(readable, 20)
  })

  it("has the words of the Word documents, each once", () => {
    for (const { name, bytes } of files("docx")) {
      const document = contentOf(() => readWord(bytes, Word.defaults))
      if (document === undefined) continue
      const tables = (document.blocks ?? []).flatMap((block) => (block.type === "table" ? [block.text] : []))
      const stories = [document.headers, document.footers, document.footnotes, document.endnotes, document.comments]
      const found = [document.text ?? "", ...tables, ...stories.flatMap((list) => (list ?? []).map(({ text }) => text))]
      const reference = partTexts(
        bytes,
        /word\/(document|header|footer|footnotes|endnotes|comments)\d*\.xml$/i,
        wordText
      )
      assert.isAtLeast(similarity(found, reference), 0.95, name)
    }
  })

  it("has the words of the presentations, each once", () => {
    for (const { name, bytes } of files("pptx")) {
      const text = contentOf(() => readPowerPoint(bytes, PowerPoint.defaults))?.text
      if (text === undefined) continue
      const reference = [
        ...partTexts(bytes, /ppt\/slides\/slide\d+\.xml$/, drawingText),
        ...partTexts(bytes, /ppt\/diagrams\/data\d+\.xml$/, drawingText)
      ]
      // Charts say their categories once a series; here they are read from the side that has each once.
      const charts = partTexts(bytes, /ppt\/charts\/chart[^/]*\.xml$/, chartValues)
      if (charts.length === 0) assert.isAtLeast(similarity([text], reference), 0.95, name)
      assert.isAtLeast(
        recall([text], [...reference, ...new Set(charts.flatMap((chart) => chart.split("\n")))]),
        0.95,
        name
      )
    }
  })

  it("has the texts and the number of cells of the workbooks", () => {
    for (const { name, bytes } of files("xlsx")) {
      const document = contentOf(() => readExcel(bytes, Excel.defaults))
      if (document === undefined) continue
      const { text = "", sheets = [] } = document
      const reference = sheetCells(bytes)
      const cells = sheets.reduce((sum, { cell_count }) => sum + cell_count, 0)
      assert.isAtLeast(cells, 0.99 * reference.length, name)
      assert.isAtMost(cells, reference.length, name)
      assert.isAtLeast(recall(withoutNumbers([text]), withoutNumbers(reference)), 0.95, name)
    }
  })
})

// --- An independent reading of the same XML, by patterns ---

const partTexts = (bytes: Uint8Array, pattern: RegExp, textOf: (xml: string) => string): ReadonlyArray<string> => {
  const zip = openZip(bytes, Limits.defaults)
  return zip.names.filter((name) => pattern.test(name)).map((name) => textOf(xmlOf(zip.read(name))))
}

const xmlOf = (bytes: Uint8Array | undefined): string => {
  const label = bytes?.[0] === 0xff ? "utf-16le" : "utf-8"
  return new TextDecoder(label).decode(bytes).replace(/<mc:Fallback\b[\s\S]*?<\/mc:Fallback>/g, "")
}

const textsOf = (xml: string, pattern: RegExp): string =>
  [...xml.matchAll(pattern)].map((match) => match.groups?.text ?? "\n").join("")

const wordText = (xml: string): string =>
  unescape(
    textsOf(
      xml.replace(/<w:(del|moveFrom)\b[^>]*[^/]>[\s\S]*?<\/w:\1>/g, ""),
      /<(?<prefix>[wm]):t(?: [^>]*)?>(?<text>[^<]*)<\/\k<prefix>:t>|<\/w:p>|<w:(?:br|p?tab|cr)\b/g
    )
  )

const drawingText = (xml: string): string =>
  unescape(textsOf(xml, /<a:t(?: [^>]*)?>(?<text>[^<]*)<\/a:t>|<\/a:p>|<a:br\b/g))

const chartValues = (xml: string): string => unescape(textsOf(xml, /<c:v>(?<text>[^<]*)<\/c:v>|<\/c:pt>|<a:t>/g))

/** The values of the cells of all worksheets that have one. */
const sheetCells = (bytes: Uint8Array): ReadonlyArray<string> => {
  const [sharedXml = ""] = partTexts(bytes, /xl\/sharedStrings\.xml$/i, (xml) =>
    xml.replace(/<rPh[\s\S]*?<\/rPh>/g, "")
  )
  const shared = [...sharedXml.matchAll(/<(?:\w+:)?si>([\s\S]*?)<\/(?:\w+:)?si>|<(?:\w+:)?si\/>/g)].map(
    ([, inner = ""]) => inlineText(inner)
  )
  return partTexts(bytes, /xl\/worksheets\/[^/]*\.xml$/i, (xml) => xml).flatMap((xml) =>
    [...xml.matchAll(/<(?:\w+:)?c(?<attributes>\s[^>]*[^/>])?>(?<inner>[\s\S]*?)<\/(?:\w+:)?c>/g)].flatMap(
      ({ groups }) => {
        const { attributes = "", inner = "" } = groups ?? {}
        const value =
          /<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)</.exec(inner)?.[1] ??
          inlineText(/<(?:\w+:)?is>[\s\S]*/.exec(inner)?.[0] ?? "")
        const text = /\bt="s"/.test(attributes) ? shared[Number(value)] : unescape(value)
        return text === undefined || text === "" ? [] : [text]
      }
    )
  )
}

const inlineText = (xml: string): string => unescape(textsOf(xml, /<(?:\w+:)?t(?: [^>]*)?>(?<text>[^<]*)</g))

const unescape = (text: string): string =>
  text
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&")

// --- Multisets of words ---

const wordsOf = (texts: ReadonlyArray<string>): ReadonlyMap<string, number> => {
  const words = new Map<string, number>()
  for (const text of texts) {
    for (const [word] of text
      .normalize("NFKC")
      .toLowerCase()
      .matchAll(/[\p{L}\p{N}]+/gu))
      words.set(word, (words.get(word) ?? 0) + 1)
  }
  return words
}

const overlap = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number =>
  [...a].reduce((sum, [word, count]) => sum + Math.min(count, b.get(word) ?? 0), 0)

const size = (words: ReadonlyMap<string, number>): number => [...words.values()].reduce((sum, count) => sum + count, 0)

/** The share of the words of both that they have in common (Jaccard). */
const similarity = (found: ReadonlyArray<string>, reference: ReadonlyArray<string>): number => {
  const [a, b] = [wordsOf(found), wordsOf(reference)]
  const common = overlap(a, b)
  const all = size(a) + size(b) - common
  return all === 0 ? 1 : common / all
}

/** The share of the reference's words that were found. */
const recall = (found: ReadonlyArray<string>, reference: ReadonlyArray<string>): number => {
  const words = wordsOf(reference)
  return size(words) === 0 ? 1 : overlap(words, wordsOf(found)) / size(words)
}
