import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { setImmediate } from "node:timers/promises"
import { readExcel } from "../../src/documents/excel/ExcelReader.ts"
import * as Excel from "../../src/documents/excel/ExcelDocument.ts"
import * as Limits from "../../src/documents/Limits.ts"
import { readPowerPoint } from "../../src/documents/powerpoint/PowerPointReader.ts"
import * as PowerPoint from "../../src/documents/powerpoint/PowerPointDocument.ts"
import { readWord } from "../../src/documents/word/WordReader.ts"
import * as Word from "../../src/documents/word/WordDocument.ts"
import { sniff } from "../../src/documents/zip/OfficeType.ts"
import { openZip } from "../../src/documents/zip/ZipArchive.ts"
import { ending } from "./Packages.ts"

const corpus = new URL("../../../shared/corpus/", import.meta.url)
const present = Fs.existsSync(corpus)

interface Sample {
  readonly name: string
  /** What the corpus says of the file. */
  readonly note: string
  readonly bytes: () => Uint8Array
}

const samples = (format: string): ReadonlyArray<Sample> => {
  if (!present) return []
  const manifest = Fs.readFileSync(new URL("MANIFEST.tsv", corpus), "utf8").split("\n")
  return Fs.readdirSync(new URL(`${format}/`, corpus))
    .filter((name) => name.endsWith(`.${format}`))
    .map((name) => ({
      name,
      note: manifest.find((line) => line.startsWith(`${format}/${name}\t`))?.split("\t")[6] ?? "",
      bytes: () => new Uint8Array(Fs.readFileSync(new URL(`${format}/${name}`, corpus)))
    }))
}

/** The content of a file; undefined if it ends in a `DocumentError`, which must fit what the corpus says of it. */
const contentOf = <A>(format: string, { name, note }: Sample, bytes: Uint8Array, read: () => A): A | undefined => {
  let content: A | undefined
  const error = ending(() => {
    content = read()
  })
  if (error === undefined) {
    assert.strictEqual(sniff(bytes), format, name)
  } else if (note.startsWith("encrypted")) {
    assert.strictEqual(error.reason, "Encrypted", name)
    assert.strictEqual(sniff(bytes), "ole-encrypted", name)
  } else {
    assert.match(note, /corrupted|fuzzed|attack/, `${name} ended in ${error.message}`)
    assert.include(["Damaged", "NotThisFormat", "LimitExceeded"], error.reason, name)
    assert.isNotEmpty(error.message, name)
  }
  return content
}

// Each test lets the event loop turn, so that the runner hears from a thread that is busy for long.
describe.skipIf(!present)("Corpus (skipped without ../shared/corpus)", () => {
  it("is there", () => {
    for (const format of ["docx", "pptx", "xlsx"]) assert.isAbove(samples(format).length, 20)
  })

  it.each(samples("docx"))("$name has its words, each once", async (sample) => {
    await setImmediate()
    const bytes = sample.bytes()
    const document = contentOf("docx", sample, bytes, () =>
      readWord(bytes, { ...Word.defaults, extract_images: true, extract_properties: true })
    )
    if (document === undefined) return
    const tables = (document.blocks ?? []).flatMap((block) => (block.type === "table" ? [block.text] : []))
    const stories = [document.headers, document.footers, document.footnotes, document.endnotes, document.comments]
    const found = [document.text ?? "", ...tables, ...stories.flatMap((list) => (list ?? []).map(({ text }) => text))]
    const parts = /word\/(document|header|footer|footnotes|endnotes|comments)\d*\.xml$/i
    assert.isAtLeast(similarity(found, partTexts(bytes, parts, wordText)), 0.95)
  })

  it.each(samples("pptx"))("$name has its words, each once", async (sample) => {
    await setImmediate()
    const bytes = sample.bytes()
    const options = { ...PowerPoint.defaults, extract_images: true, extract_notes: true, extract_properties: true }
    const text = contentOf("pptx", sample, bytes, () => readPowerPoint(bytes, options))?.text
    if (text === undefined) return
    const reference = [
      ...partTexts(bytes, /ppt\/slides\/slide\d+\.xml$/, drawingText),
      ...partTexts(bytes, /ppt\/diagrams\/data\d+\.xml$/, drawingText)
    ]
    // A chart stores its categories once a series, and is read with them once.
    const charts = partTexts(bytes, /ppt\/charts\/chart[^/]*\.xml$/, chartValues)
    if (charts.length === 0) assert.isAtLeast(similarity([text], reference), 0.95)
    assert.isAtLeast(recall([text], [...reference, ...new Set(charts.flatMap((chart) => chart.split("\n")))]), 0.95)
  })

  it.each(samples("xlsx"))("$name has its cells and their words", async (sample) => {
    await setImmediate()
    const bytes = sample.bytes()
    const options = { ...Excel.defaults, extract_images: true, extract_comments: true, extract_properties: true }
    const document = contentOf("xlsx", sample, bytes, () => readExcel(bytes, options))
    if (document === undefined) return
    const { text = "", sheets = [] } = document
    const reference = sheetCells(bytes)
    const cells = sheets.reduce((sum, { cell_count }) => sum + cell_count, 0)
    assert.isAtLeast(cells, 0.99 * reference.length)
    assert.isAtMost(cells, reference.length)
    assert.isAtLeast(recall(withoutNumbers([text]), withoutNumbers(reference)), 0.95)
  })
})

/** Numbers may be dates, which the reference knows nothing of. */
const withoutNumbers = (list: ReadonlyArray<string>) =>
  list.map((value) => value.replace(/[\d.:+-]+(T[\d.:]+|E[-+]?\d+)?/gi, " "))

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
      xml.replace(/<w:(del|moveFrom)\b[^>]*[^/]>[\s\S]*?<\/w:\1>/g, "").replaceAll("\u2061", " "),
      /<(?<prefix>[wm]):t(?: [^>]*)?>(?<text>[^<]*)<\/\k<prefix>:t>|<\/w:p>|<\/m:(?:e|num|den|sub|sup|deg|lim|fName)>|<w:(?:br|p?tab|cr)\b/g
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
