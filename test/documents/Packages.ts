import assert from "node:assert/strict"
import { DocumentError } from "../../src/documents/DocumentError.ts"
import { makeZip, type ZipEntry } from "../support/Zip.ts"

/** Parts by name. */
export type Parts = Readonly<Record<string, string | Uint8Array>>

export const namespaces = {
  w: "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
  p: "http://schemas.openxmlformats.org/presentationml/2006/main",
  x: "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
  a: "http://schemas.openxmlformats.org/drawingml/2006/main",
  r: "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
  c: "http://schemas.openxmlformats.org/drawingml/2006/chart",
  dgm: "http://schemas.openxmlformats.org/drawingml/2006/diagram",
  m: "http://schemas.openxmlformats.org/officeDocument/2006/math",
  mc: "http://schemas.openxmlformats.org/markup-compatibility/2006",
  v: "urn:schemas-microsoft-com:vml",
  wps: "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
  xdr: "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing",
  tc: "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments",
  p188: "http://schemas.microsoft.com/office/powerpoint/2018/8/main"
} as const

/** All the declarations a root element can need. */
export const xmlns = Object.entries(namespaces)
  .map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`)
  .join(" ")

const relationshipTypes = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

export interface Link {
  readonly id?: string
  readonly kind: string
  readonly target: string
  readonly external?: boolean
}

/** A `.rels` part. Ids are `rId1`, `rId2`, ... unless given. */
export const links = (...list: ReadonlyArray<Link>): string =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${list
    .map(
      ({ id, kind, target, external }, index) =>
        `<Relationship Id="${id ?? `rId${index + 1}`}" Type="${kind.includes(":") ? kind : `${relationshipTypes}/${kind}`}" ` +
        `Target="${target}"${external === true ? ' TargetMode="External"' : ""}/>`
    )
    .join("")}</Relationships>`

export const contentTypes = (mainPart: string, type: string): string =>
  `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
  `<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>` +
  `<Default Extension="jpeg" ContentType="image/jpeg"/><Override PartName="/${mainPart}" ContentType="${type}"/></Types>`

export const mainTypes = {
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
} as const

/** A package of these parts and the two that every package has; a part given here replaces one of those. */
export const makePackage = (format: keyof typeof mainTypes, mainPart: string, parts: Parts): Uint8Array =>
  makeZip(packageEntries(format, mainPart, parts))

export const packageEntries = (format: keyof typeof mainTypes, mainPart: string, parts: Parts): Array<ZipEntry> =>
  Object.entries({
    "[Content_Types].xml": contentTypes(mainPart, mainTypes[format]),
    "_rels/.rels": links(
      { kind: "officeDocument", target: mainPart },
      {
        kind: "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
        target: "docProps/core.xml"
      }
    ),
    ...parts
  }).map(([name, content]) => ({ name, content }))

/** A Word document with this body and these other parts. */
export const makeDocx = (body: string, parts: Parts = {}): Uint8Array =>
  makePackage("docx", "word/document.xml", {
    "word/document.xml": `<?xml version="1.0"?><w:document ${xmlns}><w:body>${body}</w:body></w:document>`,
    ...parts
  })

export const paragraph = (text: string, properties = ""): string =>
  `<w:p>${properties}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`

/** A presentation whose slides have these shape trees. */
export const makePptx = (slides: ReadonlyArray<string>, parts: Parts = {}): Uint8Array =>
  makePackage("pptx", "ppt/presentation.xml", {
    "ppt/presentation.xml":
      `<p:presentation ${xmlns}><p:sldIdLst>` +
      slides.map((_, index) => `<p:sldId id="${256 + index}" r:id="rId${index + 1}"/>`).join("") +
      `</p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": links(
      ...slides.map((_, index) => ({ kind: "slide", target: `slides/slide${index + 1}.xml` }))
    ),
    ...Object.fromEntries(slides.map((shapes, index) => [`ppt/slides/slide${index + 1}.xml`, slide(shapes)])),
    ...parts
  })

export const slide = (shapes: string, attributes = ""): string =>
  `<p:sld ${xmlns} ${attributes}><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:sld>`

export const shape = (...lines: ReadonlyArray<string>): string =>
  `<p:sp><p:txBody>${lines.map((line) => `<a:p><a:r><a:t>${line}</a:t></a:r></a:p>`).join("")}</p:txBody></p:sp>`

export interface SheetSource {
  readonly name: string
  /** What stands inside `sheetData`. */
  readonly rows: string
  /** What follows `sheetData`. */
  readonly rest?: string
  readonly attributes?: string
  /** The sheet's `.rels`. */
  readonly rels?: string
}

export interface WorkbookSource {
  readonly strings?: string
  readonly styles?: string
  readonly workbook?: string
  readonly parts?: Parts
}

/** A workbook with these sheets. */
export const makeXlsx = (sheets: ReadonlyArray<SheetSource>, source: WorkbookSource = {}): Uint8Array =>
  makePackage("xlsx", "xl/workbook.xml", {
    "xl/workbook.xml":
      `<workbook xmlns="${namespaces.x}" ${xmlns}>${source.workbook ?? ""}<sheets>` +
      sheets
        .map(
          ({ name, attributes = "" }, index) =>
            `<sheet name="${name}" sheetId="${index + 1}" r:id="rId${index + 1}" ${attributes}/>`
        )
        .join("") +
      `</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": links(
      ...sheets.map((_, index) => ({ kind: "worksheet", target: `worksheets/sheet${index + 1}.xml` })),
      { kind: "sharedStrings", target: "sharedStrings.xml" },
      { kind: "styles", target: "styles.xml" },
      { kind: "http://schemas.microsoft.com/office/2017/10/relationships/person", target: "persons/person.xml" }
    ),
    "xl/sharedStrings.xml": `<sst xmlns="${namespaces.x}">${source.strings ?? ""}</sst>`,
    "xl/styles.xml": `<styleSheet xmlns="${namespaces.x}">${source.styles ?? ""}</styleSheet>`,
    ...Object.fromEntries(
      sheets.flatMap(({ rows, rest = "", rels }, index): Array<[string, string]> => [
        [
          `xl/worksheets/sheet${index + 1}.xml`,
          `<worksheet xmlns="${namespaces.x}" ${xmlns}><sheetData>${rows}</sheetData>${rest}</worksheet>`
        ],
        ...(rels === undefined ? [] : [[`xl/worksheets/_rels/sheet${index + 1}.xml.rels`, rels] as [string, string]])
      ])
    ),
    ...source.parts
  })

/** The error that a reader ends in, if it ends in one; what is no `DocumentError` is thrown on and fails the test. */
export const ending = (read: () => unknown): DocumentError | undefined => {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof DocumentError) return error
    throw error
  }
}

/** The error that a reader must end in. */
export const failure = (read: () => unknown): DocumentError => {
  const error = ending(read)
  if (error === undefined) assert.fail("the reader ended well")
  return error
}

/** Enough of an image for a reader that does not look into it. */
export const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
