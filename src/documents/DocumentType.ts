import { Buffer } from "node:buffer"
import { DocumentError, notThisFormat, unsupported } from "./DocumentError.ts"
import * as Limits from "./Limits.ts"
import { describeBinary, describeZip } from "./UnreadableFiles.ts"
import { parseJson } from "./text/Json.ts"
import { defaultLimits, type DocumentHints } from "./text/TextDocument.ts"
import { looksLikeText } from "./text/LooksLikeText.ts"
import { looksLikeTable, sampleBytes, textSample } from "./text/TextSample.ts"
import { makeWarnings } from "./Warnings.ts"
import { describeOle, oleKind } from "./zip/OleContainer.ts"
import { openAnyPackage } from "./zip/OpcPackage.ts"
import { looksLikeZip } from "./zip/ZipArchive.ts"

/** The kinds of documents that can be read. */
export type DocumentType =
  | "pdf"
  | "word"
  | "powerpoint"
  | "excel"
  | "csv"
  | "text"
  | "markdown"
  | "html"
  | "json"
  | "xml"
  | "email"

/**
 * What a document is. The bytes decide; name and media type only between kinds of text that look alike. Throws `DocumentError`: an
 * Office file's own error when it is broken or locked, else `NotThisFormat` or `Unsupported`, naming what was found.
 */
export const identify = (
  bytes: Uint8Array,
  hints: DocumentHints = {},
  limits: Limits.Limits = Limits.defaults
): DocumentType => {
  if (bytes.length === 0) throw notThisFormat("The document is empty: it has no bytes")
  if (oleKind(bytes) !== undefined) throw describeOle(bytes)
  if (looksLikeZip(bytes)) return officeType(bytes, limits)
  if (hasPdfHeader(bytes)) return "pdf"
  const binary = describeBinary(bytes)
  if (binary !== undefined) throw unsupported(`The document is ${binary}, which no extractor reads`)
  const sample = textSample(bytes)
  if (!looksLikeText(sample)) {
    const start = Buffer.from(bytes.subarray(0, 8))
      .toString("hex")
      .replace(/(..)(?=.)/g, "$1 ")
    throw notThisFormat(`The document is binary data of an unknown kind; it starts with the bytes ${start}`)
  }
  return textType(sample, hints, bytes.length <= sampleBytes)
}

/** PDF 32000 lets the header stand anywhere in the first 1,024 bytes. */
const hasPdfHeader = (bytes: Uint8Array): boolean =>
  new TextDecoder("latin1").decode(bytes.subarray(0, 1029)).includes("%PDF-")

const officeType = (bytes: Uint8Array, limits: Limits.Limits): DocumentType => {
  try {
    const { format } = openAnyPackage(bytes, limits, makeWarnings())
    return format === "docx" ? "word" : format === "pptx" ? "powerpoint" : "excel"
  } catch (error) {
    if (error instanceof DocumentError && error.reason === "NotThisFormat") throw describeZip(bytes, limits)
    throw error
  }
}

// --- Kinds of text ---

const textType = (sample: string, hints: DocumentHints, whole: boolean): DocumentType => {
  const start = sample.trimStart()
  const hint = hintOf(hints)
  if (/^<(!doctype\s+html|html|head|body)\b/i.test(withoutComments(start))) return "html"
  if (/^<\?xml\b/i.test(start)) return /<html\b/i.test(start.slice(0, 2000)) ? "html" : "xml"
  // other kinds of text may hold marks, braces and lines like headers, but only by accident start a page or a mail
  if (hint === "markdown" || hint === "html") return hint
  if (looksLikeMail(start, hint === "email")) return "email"
  if (hint === "xml" || (start.startsWith("<") && hint === undefined)) return markupType(start, hint, whole)
  if (hint === "json") return "json"
  if (hint === "csv") return "csv"
  if (/^[{[]/.test(start) && looksLikeJson(start, whole)) return "json"
  return hint === undefined && looksLikeTable(sample) ? "csv" : "text"
}

/** Markup without a name: HTML if it uses tags of HTML, XML if it is as strict as that, and else just text. */
const markupType = (start: string, hint: DocumentType | undefined, whole: boolean): DocumentType => {
  if (hint === "xml") return "xml"
  const [, root = ""] = /^<([A-Za-z][\w:.-]*)[\s/>]/.exec(withoutComments(start, true)) ?? []
  if (root === "") return "text"
  if (htmlTags.has(root.toLowerCase())) return "html"
  return !whole || start.trimEnd().endsWith(">") ? "xml" : "text"
}

/** What follows the comments at the beginning; `declarations` such as `<!DOCTYPE …>` are skipped too. */
const withoutComments = (start: string, declarations = false): string => {
  let at = 0
  for (;;) {
    const isComment = start.startsWith("<!--", at)
    if (!isComment && !(declarations && start.startsWith("<!", at))) return start.slice(at)
    const end = isComment ? start.indexOf("-->", at) : start.indexOf(">", at)
    if (end === -1) return ""
    at = end + (isComment ? 3 : 1)
    while (/\s/.test(start[at] ?? "")) at++
  }
}

const htmlTags = new Set(
  "a,article,b,blockquote,br,center,div,dl,em,font,footer,form,h1,h2,h3,h4,h5,h6,header,hr,i,img,link,main,meta,nav,ol,p,pre,script,section,span,strong,style,table,title,ul".split(
    ","
  )
)

/** A value begins as one of JSON does; where all of it is here, it must be one. */
const looksLikeJson = (start: string, whole: boolean): boolean =>
  whole
    ? parseJson(start, defaultLimits) !== undefined
    : /^(\{\s*"(\\.|[^"\\]){0,1000}"\s*:|\[\s*([{["\]\d-]|true\b|false\b|null\b))/.test(start.slice(0, 5000))

const mailHeaders =
  /^(from|to|cc|subject|date|message-id|mime-version|received|return-path|delivered-to|reply-to|content-type)$/i

/** Header lines up to a blank line: one will do for what is called a mail, else three that only mails have together. */
const looksLikeMail = (start: string, called: boolean): boolean => {
  const known = new Set<string>()
  for (const line of start.replace(/^From [^\n]*\n/, "").split("\n", 200)) {
    if (line.trim() === "") break
    if (/^[ \t]/.test(line)) continue
    const name = /^([A-Za-z][\w-]*):/.exec(line)?.[1]
    if (name === undefined) {
      // one odd line makes a text that is no mail
      if (!called) return false
      continue
    }
    if (mailHeaders.test(name)) known.add(name.toLowerCase())
  }
  return called ? known.size > 0 : known.size >= 3 && (known.has("from") || known.has("received"))
}

// --- Hints ---

/** What a document's name promises, if that is no kind of text: `report.pdf` is a PDF. */
export const promisedBy = (name: string | undefined): DocumentType | undefined => {
  const extension = extensionOf(name ?? "")
  return Object.hasOwn(byBinaryExtension, extension) ? byBinaryExtension[extension] : undefined
}

const extensionOf = (name: string): string => /\.([A-Za-z0-9]{1,10})$/.exec(name)?.[1]?.toLowerCase() ?? ""

const byBinaryExtension: Readonly<Record<string, DocumentType | undefined>> = {
  pdf: "pdf",
  docx: "word",
  docm: "word",
  dotx: "word",
  pptx: "powerpoint",
  pptm: "powerpoint",
  ppsx: "powerpoint",
  potx: "powerpoint",
  xlsx: "excel",
  xlsm: "excel",
  xltx: "excel"
}

const byExtension: Readonly<Record<string, DocumentType | undefined>> = {
  txt: "text",
  text: "text",
  log: "text",
  md: "markdown",
  markdown: "markdown",
  mdown: "markdown",
  mdx: "markdown",
  htm: "html",
  html: "html",
  xhtml: "html",
  json: "json",
  jsonl: "json",
  ndjson: "json",
  geojson: "json",
  xml: "xml",
  rss: "xml",
  atom: "xml",
  svg: "xml",
  eml: "email",
  mbox: "email",
  mbx: "email",
  mht: "email",
  mhtml: "email",
  csv: "csv",
  tsv: "csv",
  tab: "csv"
}

const byMediaType: Readonly<Record<string, DocumentType | undefined>> = {
  "text/markdown": "markdown",
  "text/html": "html",
  "application/xhtml+xml": "html",
  "application/json": "json",
  "application/x-ndjson": "json",
  "text/xml": "xml",
  "application/xml": "xml",
  "message/rfc822": "email",
  "application/mbox": "email",
  "text/csv": "csv",
  "text/tab-separated-values": "csv"
}

/** The name goes before the media type, which often says no more than `text/plain` or `application/octet-stream`. */
const hintOf = ({ mediaType = "", name = "" }: DocumentHints): DocumentType | undefined => {
  const extension = extensionOf(name.replace(/[?#].*$/s, ""))
  const found = Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined
  const media = mediaType.split(";")[0]?.trim().toLowerCase() ?? ""
  return found ?? (Object.hasOwn(byMediaType, media) ? byMediaType[media] : undefined)
}
