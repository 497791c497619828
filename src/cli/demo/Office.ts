import * as Zip from "./Zip.ts"

/*
 * The least that Office's own programs and our readers take for a document (ECMA-376-1): content types, the relationship to the main
 * part, and the parts with the words.
 */

/** A Word document of these paragraphs; the first is a heading. */
export const writeWord = ([heading = "", ...paragraphs]: ReadonlyArray<string>): Uint8Array => {
  const paragraph = (text: string, style = "") => `<w:p>${style}<w:r><w:t>${escaped(text)}</w:t></w:r></w:p>`
  const title = paragraph(heading, '<w:pPr><w:pStyle w:val="Heading1"/><w:outlineLvl w:val="0"/></w:pPr>')
  return write("word/document.xml", `${wordprocessing}.document.main+xml`, {
    "word/document.xml":
      `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>` +
      `${title}${paragraphs.map((text) => paragraph(text)).join("")}</w:body></w:document>`
  })
}

/** A presentation of these slides, each a title and lines. */
export const writePowerPoint = (slides: ReadonlyArray<ReadonlyArray<string>>): Uint8Array => {
  const names = slides.map((_, index) => `slides/slide${index + 1}.xml`)
  return write(
    "ppt/presentation.xml",
    `${presentation}.presentation.main+xml`,
    {
      "ppt/presentation.xml":
        `<p:presentation ${slideNamespaces}><p:sldIdLst>` +
        names.map((_, index) => `<p:sldId id="${256 + index}" r:id="rId${index + 1}"/>`).join("") +
        `</p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>`,
      "ppt/_rels/presentation.xml.rels": relationships(names.map((name) => ["slide", name])),
      ...Object.fromEntries(slides.map((lines, index) => [`ppt/${names[index]}`, slide(lines)]))
    },
    Object.fromEntries(names.map((name) => [`ppt/${name}`, `${presentation}.slide+xml`]))
  )
}

const slide = (lines: ReadonlyArray<string>): string => {
  const shapes = lines.map(
    (line, index) =>
      `<p:sp><p:nvSpPr><p:cNvPr id="${index + 2}" name="Text ${index + 1}"/><p:cNvSpPr/><p:nvPr>` +
      `<p:ph type="${index === 0 ? "title" : "body"}" idx="${index}"/></p:nvPr></p:nvSpPr><p:spPr/>` +
      `<p:txBody><a:bodyPr/><a:p><a:r><a:t>${escaped(line)}</a:t></a:r></a:p></p:txBody></p:sp>`
  )
  return (
    `<p:sld ${slideNamespaces}><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/>` +
    `</p:nvGrpSpPr><p:grpSpPr/>${shapes.join("")}</p:spTree></p:cSld></p:sld>`
  )
}

/** A workbook with one sheet of these rows. */
export const writeExcel = (name: string, rows: ReadonlyArray<ReadonlyArray<string | number>>): Uint8Array => {
  const cell = (value: string | number) =>
    typeof value === "number" ? `<c><v>${value}</v></c>` : `<c t="inlineStr"><is><t>${escaped(value)}</t></is></c>`
  return write(
    "xl/workbook.xml",
    `${spreadsheet}.sheet.main+xml`,
    {
      "xl/workbook.xml":
        `<workbook xmlns="${sheetNamespace}" xmlns:r="${relationshipTypes}"><sheets>` +
        `<sheet name="${escaped(name)}" sheetId="1" r:id="rId1"/></sheets></workbook>`,
      "xl/_rels/workbook.xml.rels": relationships([["worksheet", "worksheets/sheet1.xml"]]),
      "xl/worksheets/sheet1.xml":
        `<worksheet xmlns="${sheetNamespace}"><sheetData>` +
        rows.map((row) => `<row>${row.map(cell).join("")}</row>`).join("") +
        `</sheetData></worksheet>`
    },
    { "xl/worksheets/sheet1.xml": `${spreadsheet}.worksheet+xml` }
  )
}

const office = "application/vnd.openxmlformats-officedocument"
const wordprocessing = `${office}.wordprocessingml`
const presentation = `${office}.presentationml`
const spreadsheet = `${office}.spreadsheetml`

const relationshipTypes = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
const sheetNamespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
const slideNamespaces =
  'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" ' +
  `xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="${relationshipTypes}"`

const write = (
  mainPart: string,
  mainType: string,
  parts: Readonly<Record<string, string>>,
  types: Readonly<Record<string, string>> = {}
): Uint8Array => {
  const overrides = Object.entries({ [mainPart]: mainType, ...types }).map(
    ([name, type]) => `<Override PartName="/${name}" ContentType="${type}"/>`
  )
  const whole = {
    "[Content_Types].xml":
      `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
      `<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
      `<Default Extension="xml" ContentType="application/xml"/>${overrides.join("")}</Types>`,
    "_rels/.rels": relationships([["officeDocument", mainPart]]),
    ...parts
  }
  const declared = Object.entries(whole).map(([name, xml]) => [name, `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`])
  return Zip.writeZip(Object.fromEntries(declared))
}

const relationships = (targets: ReadonlyArray<readonly [kind: string, target: string]>): string =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
  targets
    .map(
      ([kind, target], index) =>
        `<Relationship Id="rId${index + 1}" Type="${relationshipTypes}/${kind}" Target="${target}"/>`
    )
    .join("") +
  `</Relationships>`

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
