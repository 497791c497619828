import type {
  Document,
  DocumentLimits,
  DocumentOptions,
  DocumentImage,
  DocumentNote,
  DocumentPage
} from "./Document.ts"
import { countCodePoints } from "../python/CodePoints.ts"
import { guarded, limitExceeded } from "./DocumentError.ts"
import type { ExcelDocument } from "./excel/ExcelDocument.ts"
import type { PdfDocument, PdfLimits, PdfOptions } from "./pdf/PdfDocument.ts"
import type { PowerPointDocument } from "./powerpoint/PowerPointDocument.ts"
import { type DocumentType, identify, promisedBy } from "./DocumentType.ts"
import type { TextDocument } from "./text/TextDocument.ts"
import type { WordBlock, WordDocument } from "./word/WordDocument.ts"

/** Reads PDFs; the engine belongs to the thread. */
export type ReadPdf = (bytes: Uint8Array, options: PdfOptions, limits: PdfLimits) => Promise<PdfDocument>

/** Finds out what a document is and reads it with the reader of its kind. Rejects with `DocumentError` and nothing else. */
export const readDocument = async (
  bytes: Uint8Array,
  options: DocumentOptions,
  limits: DocumentLimits,
  readPdf: ReadPdf
): Promise<Document> => {
  try {
    const type = identify(bytes, options.hints, limits.office)
    const document = await read(type, bytes, options, limits, readPdf)
    const promised = promisedBy(options.hints.name)
    return promised === undefined || promised === type
      ? document
      : {
          ...document,
          warnings: [`By its name the document is ${promised}, by its bytes ${type}`, ...document.warnings]
        }
  } catch (error) {
    return guarded("document", () => {
      throw error
    })
  }
}

const read = async (
  type: DocumentType,
  bytes: Uint8Array,
  options: DocumentOptions,
  limits: DocumentLimits,
  readPdf: ReadPdf
): Promise<Document> => {
  switch (type) {
    case "pdf":
      return fromPdf(options, await readPdf(bytes, pdfOptions(options), limits.pdf))
    case "word": {
      const [{ readWord }, { defaults }] = await Promise.all([
        import("./word/WordReader.ts"),
        import("./word/WordDocument.ts")
      ])
      return fromWord(options, readWord(bytes, { ...defaults, ...officeOptions(options) }, limits.office))
    }
    case "powerpoint": {
      const [{ readPowerPoint }, { defaults }] = await Promise.all([
        import("./powerpoint/PowerPointReader.ts"),
        import("./powerpoint/PowerPointDocument.ts")
      ])
      const asked = { ...defaults, ...officeOptions(options), slide_separator: options.page_separator }
      return fromPowerPoint(options, readPowerPoint(bytes, asked, limits.office))
    }
    case "excel": {
      const [{ readExcel }, { defaults }] = await Promise.all([
        import("./excel/ExcelReader.ts"),
        import("./excel/ExcelDocument.ts")
      ])
      const asked = { ...defaults, ...officeOptions(options), sheet_separator: options.page_separator }
      return fromExcel(options, readExcel(bytes, asked, limits.office))
    }
    case "csv":
      return readTable(bytes, options, limits)
    default: {
      const { readText } = await import("./text/TextReader.ts")
      // the kind that was found may be no more than a name: reading tells
      const asked = { ...options.text, format: "auto", extract_tables: options.extract_tables } as const
      return fromText(options, await readText(bytes, asked, limits.text, options.hints))
    }
  }
}

const officeOptions = (options: DocumentOptions) => ({
  extract_tables: options.extract_tables,
  extract_images: options.extract_images,
  extract_properties: options.extract_properties,
  extract_notes: options.extract_notes,
  extract_comments: options.extract_notes,
  extract_headers_footers: options.extract_notes
})

// --- PDF ---

const pdfOptions = (options: DocumentOptions): PdfOptions => ({
  ...(options.password === null ? {} : { password: options.password }),
  pageSeparator: options.page_separator,
  tables: options.extract_tables,
  images: options.extract_images,
  imageFormat: "jpeg",
  minImageSize: options.min_image_size
})

const fromPdf = (options: DocumentOptions, document: PdfDocument): Document => ({
  type: "pdf",
  text: document.text,
  ...(options.extract_pages && {
    pages: document.pages.map(({ char_count, page_number, text }) => ({ page_number, text, char_count }))
  }),
  ...(options.extract_tables && {
    tables: document.tables.map(({ columns, data, page_number, rows }, index) => ({
      table_number: index + 1,
      page_number,
      name: null,
      rows,
      columns,
      data
    }))
  }),
  ...(options.extract_images && {
    images: document.images.map(({ data, format, page_number }, index) => ({
      image_index: index,
      page_number,
      format,
      size_bytes: data.length,
      data
    }))
  }),
  ...(options.extract_properties && { properties: { ...document.properties } }),
  headings: document.outline.map(({ level, title }) => ({ level, text: title })),
  ...(options.extract_notes && {
    notes: document.annotations
      .filter(({ text }) => text.trim() !== "")
      .map(({ page_number, text }): DocumentNote => ({ kind: "comment", page_number, author: null, text }))
  }),
  is_scanned: document.is_scanned,
  needs_ocr: document.pages.filter((page) => page.is_scanned).map((page) => page.page_number),
  warnings: document.warnings,
  counts: {
    pages_processed: document.pages.length,
    tables_extracted: document.tables.length,
    images_extracted: document.images.length
  }
})

// --- Office ---

type Image = NonNullable<WordDocument["images"]>[number]

const image = ({ data, format, image_index, size_bytes }: Image, page_number: number | null): DocumentImage => ({
  image_index,
  page_number,
  format,
  size_bytes,
  data
})

const note =
  (kind: DocumentNote["kind"]) =>
  (found: {
    readonly text: string
    readonly author?: string | null
    readonly slide_number?: number
  }): DocumentNote => ({
    kind,
    page_number: found.slide_number ?? null,
    author: found.author ?? null,
    text: found.text
  })

const fromWord = (options: DocumentOptions, document: WordDocument): Document => {
  const notes = [...(document.footnotes ?? []).map(note("footnote")), ...(document.endnotes ?? []).map(note("endnote"))]
  return {
    type: "word",
    text: (document.blocks ?? [])
      .map(blockText)
      .filter((text) => text !== "")
      .join("\n"),
    ...(options.extract_tables && {
      tables: (document.tables ?? []).map(({ columns, data, rows, table_number }) => ({
        table_number,
        page_number: null,
        name: null,
        rows,
        columns,
        data
      }))
    }),
    ...(options.extract_images && { images: (document.images ?? []).map((each) => image(each, null)) }),
    ...(options.extract_properties && { properties: { ...document.properties } }),
    headings: (document.blocks ?? []).flatMap((block) =>
      block.type === "paragraph" && block.heading_level !== undefined
        ? [{ level: block.heading_level, text: block.text.trim() }]
        : []
    ),
    ...(options.extract_notes && {
      notes: [
        ...notes,
        ...(document.comments ?? []).map(note("comment")),
        ...(document.headers ?? []).map(note("header")),
        ...(document.footers ?? []).map(note("footer"))
      ]
    }),
    warnings: document.warnings,
    counts: {
      paragraphs_processed: document.paragraphs?.length ?? 0,
      tables_extracted: document.tables?.length ?? 0,
      images_extracted: document.images?.length ?? 0
    }
  }
}

const blockText = (block: WordBlock): string => (block.type === "image" ? "" : block.text)

const fromPowerPoint = (options: DocumentOptions, document: PowerPointDocument): Document => ({
  type: "powerpoint",
  text: document.text ?? "",
  ...(options.extract_pages && {
    pages: (document.slides ?? []).map(({ char_count, slide_number, text }) => ({
      page_number: slide_number,
      text,
      char_count
    }))
  }),
  ...(options.extract_tables && {
    tables: (document.tables ?? []).map(({ columns, data, rows, slide_number }, index) => ({
      table_number: index + 1,
      page_number: slide_number,
      name: null,
      rows,
      columns,
      data
    }))
  }),
  ...(options.extract_images && { images: (document.images ?? []).map((each) => image(each, each.slide_number)) }),
  ...(options.extract_properties && { properties: { ...document.properties } }),
  ...(options.extract_notes && {
    notes: [
      ...(document.notes ?? []).map(note("notes")),
      ...(document.comments ?? []).map(note("comment")),
      ...(document.headers ?? []).map(note("header")),
      ...(document.footers ?? []).map(note("footer")),
      ...(document.master_texts ?? []).map(note("master"))
    ]
  }),
  warnings: document.warnings,
  counts: {
    slides_processed: document.slide_count,
    tables_extracted: document.tables?.length ?? 0,
    images_extracted: document.images?.length ?? 0
  }
})

const fromExcel = (options: DocumentOptions, document: ExcelDocument): Document => {
  const places = new Map((document.sheets ?? []).map(({ sheet_name }, index) => [sheet_name, index + 1]))
  const placeOf = (name: string): number | null => places.get(name) ?? null
  const noteOfSheet =
    (kind: DocumentNote["kind"]) =>
    (found: { readonly sheet_name: string; readonly text: string; readonly author?: string | null }): DocumentNote => ({
      kind,
      page_number: placeOf(found.sheet_name),
      author: found.author ?? null,
      text: found.text
    })
  return {
    type: "excel",
    text: document.text ?? "",
    ...(options.extract_pages && { pages: sheetPages(document, options.page_separator) }),
    ...(options.extract_tables && {
      tables: (document.tables ?? []).map(({ columns, data, rows, sheet_name, table_name }, index) => ({
        table_number: index + 1,
        page_number: placeOf(sheet_name),
        name: table_name === "full_sheet" ? sheet_name : table_name,
        rows,
        columns,
        data
      }))
    }),
    ...(options.extract_images && {
      images: (document.images ?? []).map((each) => image(each, placeOf(each.sheet_name)))
    }),
    ...(options.extract_properties && { properties: { ...document.properties } }),
    ...(options.extract_notes && {
      notes: [
        ...(document.comments ?? []).map(noteOfSheet("comment")),
        ...(document.headers ?? []).map(noteOfSheet("header")),
        ...(document.footers ?? []).map(noteOfSheet("footer"))
      ]
    }),
    warnings: document.warnings,
    counts: {
      sheets_processed: document.sheet_count,
      tables_extracted: document.tables?.length ?? 0,
      images_extracted: document.images?.length ?? 0
    }
  }
}

/** Cuts the text of a workbook at its sheets: each that is not empty has its name on a line, and as much text as it says. */
const sheetPages = (document: ExcelDocument, separator: string): ReadonlyArray<DocumentPage> => {
  const text = document.text ?? ""
  let at = 0
  return (document.sheets ?? []).map(({ char_count, sheet_name: name }, index): DocumentPage => {
    if (char_count === 0) return { page_number: index + 1, name, text: "", char_count: 0 }
    const end = skipCodePoints(text, at + `Sheet: ${name}\n`.length, char_count)
    const page = text.slice(at, end)
    at = end + separator.length
    return { page_number: index + 1, name, text: page, char_count: countCodePoints(page) }
  })
}

const skipCodePoints = (text: string, from: number, count: number): number => {
  let at = from
  for (let left = count; left > 0; left--) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
  return at
}

// --- Text ---

const fromText = (options: DocumentOptions, document: TextDocument): Document => {
  const { attachments, data, encoding, headers_only, headings, links, properties, tables, text, type, warnings } =
    document
  return {
    type,
    text,
    ...(tables !== undefined && {
      tables: tables.map((table) => ({ page_number: null, name: null, ...table }))
    }),
    ...(options.extract_properties && { properties }),
    ...(headings !== undefined && { headings }),
    ...(links !== undefined && { links }),
    ...(attachments !== undefined && { attachments }),
    ...(data !== undefined && { data }),
    ...(encoding !== null && { encoding }),
    ...(headers_only === true && { headers_only }),
    warnings,
    counts: { ...(tables !== undefined && { tables_extracted: tables.length }) }
  }
}

const readTable = async (bytes: Uint8Array, options: DocumentOptions, limits: DocumentLimits): Promise<Document> => {
  const [{ readText }, { guessDelimiter }, { withoutSeparatorLine }, { reader, TooManyCells }] = await Promise.all([
    import("./text/TextReader.ts"),
    import("./csv/Delimiter.ts"),
    import("./csv/SeparatorLine.ts"),
    import("./csv/CsvReader.ts")
  ])
  const asked = { ...options.text, format: "text", extract_tables: false } as const
  const { encoding, text: whole, warnings } = await readText(bytes, asked, limits.text, options.hints)
  const { delimiter: named, text } = withoutSeparatorLine(whole)
  const delimiter = named ?? guessDelimiter(text, '"')
  const rows: Array<ReadonlyArray<string>> = []
  try {
    const next = reader(text, { delimiter, quote: '"' }, limits.text.cells)
    for (let row = next(); row !== undefined; row = next()) if (row.some((cell) => cell.trim() !== "")) rows.push(row)
  } catch (error) {
    if (!(error instanceof TooManyCells)) throw error
    throw limitExceeded("cells", `The table has more than ${limits.text.cells} cells`)
  }
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0)
  return {
    type: "csv",
    text: rows.map((row) => row.map((cell) => cell.replace(/\s*\n\s*/g, " ")).join("\t")).join("\n"),
    ...(options.extract_tables && {
      tables:
        rows.length === 0
          ? []
          : [{ table_number: 1, page_number: null, name: null, rows: rows.length, columns, data: rows }]
    }),
    ...(options.extract_properties && { properties: { delimiter, headers: rows[0] ?? [] } }),
    ...(encoding !== null && { encoding }),
    warnings,
    counts: {
      rows_extracted: Math.max(rows.length - 1, 0),
      columns_detected: columns,
      tables_extracted: rows.length === 0 ? 0 : 1
    }
  }
}
