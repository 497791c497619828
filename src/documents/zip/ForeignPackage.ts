import { type DocumentError, unsupported } from "../DocumentError.ts"
import type { ZipArchive } from "./ZipArchive.ts"

/** What a zip file is that holds a document no extractor reads, by its own marks; undefined if it bears none. */
export const foreignArchive = (zip: ZipArchive): DocumentError | undefined => {
  const mimetype = zip.has("mimetype") ? new TextDecoder("latin1").decode(zip.read("mimetype")?.subarray(0, 100)) : ""
  if (mimetype.includes("opendocument")) {
    return unsupported("The file is an OpenDocument file; save it as .docx, .xlsx, .pptx or .pdf")
  }
  if (mimetype.includes("epub")) return unsupported("The file is an EPUB book, which no extractor reads")
  if (zip.has("Index/Document.iwa") || zip.names.some((name) => name.endsWith(".iwa"))) {
    return unsupported("The file is an iWork document; save it as .docx, .xlsx, .pptx or .pdf")
  }
  return undefined
}

/** What a package is whose main part has this content type and name, if it is a known one that is no Office document. */
export const foreignPackage = (contentType: string, mainPart: string): DocumentError | undefined => {
  const found = foreignTypes.find(({ type, part }) => type.test(contentType) || part?.test(mainPart) === true)
  return found === undefined ? undefined : unsupported(`The file is ${found.name}`)
}

const foreignTypes: ReadonlyArray<{ readonly name: string; readonly type: RegExp; readonly part?: RegExp }> = [
  {
    name: "a binary Excel workbook (.xlsb); save it as .xlsx",
    type: /ms-excel\.sheet\.binary/i,
    part: /(^|\/)workbook\.bin$/i
  },
  { name: "a Visio drawing (.vsdx), which no extractor reads; save it as .pdf", type: /ms-visio\./i },
  { name: "an Office theme (.thmx), which has no text", type: /themeManager\+xml/i },
  { name: "an XPS document, which no extractor reads; save it as .pdf", type: /fixeddocumentsequence\+xml/i },
  { name: "a 3MF model, which no extractor reads", type: /3dmanufacturing/i }
]
