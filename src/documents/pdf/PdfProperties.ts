import { targetPage } from "./PageNotes.ts"
import type { PdfLimits, PdfOutlineEntry, PdfProperties } from "./PdfDocument.ts"
import { type Pdfium, readText, withString } from "./Pdfium.ts"
import type { PdfObjects } from "./PdfObjects.ts"
import { readMetadata } from "./XmpMetadata.ts"

/** What the document's information says, and what only its XMP metadata do. */
export const readProperties = (
  pdfium: Pdfium,
  document: number,
  { file, isEncrypted }: { readonly file: PdfObjects; readonly isEncrypted: boolean }
): PdfProperties => {
  const { call } = pdfium
  const value = (key: string): string | null => {
    const text = withString(pdfium, key, (name) =>
      readText(pdfium, (pointer, size) => call.FPDF_GetMetaText(document, name, pointer, size))
    ).trim()
    return text === "" ? null : text
  }
  const told = {
    title: value("Title"),
    author: value("Author"),
    subject: value("Subject"),
    keywords: value("Keywords"),
    creator: value("Creator"),
    producer: value("Producer"),
    created: isoDate(value("CreationDate")),
    modified: isoDate(value("ModDate"))
  }
  const metadata = Object.values(told).includes(null) ? readMetadata(file) : {}
  return {
    title: told.title ?? metadata.title ?? null,
    author: told.author ?? metadata.author ?? null,
    subject: told.subject ?? metadata.subject ?? null,
    keywords: told.keywords ?? metadata.keywords ?? null,
    creator: told.creator ?? metadata.creator ?? null,
    producer: told.producer ?? metadata.producer ?? null,
    created: told.created ?? metadata.created ?? null,
    modified: told.modified ?? metadata.modified ?? null,
    page_count: call.FPDF_GetPageCount(document),
    encrypted: isEncrypted
  }
}

/** The bookmarks, from top to bottom. Damaged files have entries that contain themselves, so each is taken once. */
export const readOutline = (pdfium: Pdfium, document: number, limits: PdfLimits): ReadonlyArray<PdfOutlineEntry> => {
  const { call } = pdfium
  const entries: Array<PdfOutlineEntry> = []
  const seen = new Set<number>()
  const open: Array<{ bookmark: number; level: number }> = [
    { bookmark: call.FPDFBookmark_GetFirstChild(document, 0), level: 1 }
  ]
  for (let next = open.pop(); next !== undefined && entries.length < limits.outlineEntries; next = open.pop()) {
    const { bookmark, level } = next
    if (bookmark === 0 || seen.has(bookmark)) continue
    seen.add(bookmark)
    const title = readText(pdfium, (pointer, size) => call.FPDFBookmark_GetTitle(bookmark, pointer, size))
      .replace(/\s+/g, " ")
      .trim()
    const destination = call.FPDFBookmark_GetDest(document, bookmark)
    const page_number = targetPage(pdfium, document, destination, call.FPDFBookmark_GetAction(bookmark))
    // the root of an empty outline passes for an entry
    if (title !== "" || page_number !== null) entries.push({ title, level, page_number })
    open.push({ bookmark: call.FPDFBookmark_GetNextSibling(document, bookmark), level })
    if (level < maxDepth) open.push({ bookmark: call.FPDFBookmark_GetFirstChild(document, bookmark), level: level + 1 })
  }
  return entries
}

const maxDepth = 32

/** `D:20240131120000+01'00'` and its shorter forms as ISO 8601; null for what is no date. */
export const isoDate = (text: string | null): string | null => {
  const parts = text === null ? null : datePattern.exec(text.trim())
  if (parts === null) return null
  const [
    ,
    year = "",
    month = "01",
    day = "01",
    hour = "00",
    minute = "00",
    second = "00",
    zone,
    hours,
    minutes = "00"
  ] = parts
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  // the 31st of February and hour 25 must not pass
  const exact = new Date(`${local}Z`)
  if (Number.isNaN(exact.getTime()) || !exact.toISOString().startsWith(local)) return null
  if (zone === undefined) return local
  return zone === "Z" || hours === undefined ? `${local}Z` : `${local}${zone}${hours}:${minutes}`
}

const datePattern =
  /^(?:D:)?(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d))?)?)?)?)?(?:([Zz+-])(?:(\d\d)'?(?:(\d\d)'?)?)?)?$/
