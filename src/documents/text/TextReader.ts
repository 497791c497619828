import { damaged, guarded, limitExceeded, notThisFormat } from "../DocumentError.ts"
import { declaredCharset, readHtmlDocument } from "../html/HtmlDocument.ts"
import { identify } from "../DocumentType.ts"
import { makeWarnings, type Warnings } from "../Warnings.ts"
import { type Decoded, decode, remarks } from "./Encoding.ts"
import { type FrontMatter, takeFrontMatter } from "./FrontMatter.ts"
import { parseJson, requireJson, type Json } from "./Json.ts"
import {
  defaultLimits,
  type DocumentHints,
  type TextDocument,
  type TextLimits,
  type TextOptions,
  type TextType
} from "./TextDocument.ts"
import { readXmlText } from "./XmlText.ts"

type Reading = Omit<TextDocument, "type" | "encoding" | "warnings">

/**
 * Reads a document that is text of some kind. Line ends become `\n`. With `format: auto` a document that only its name calls JSON or XML
 * is plain text, with a warning. Rejects with `DocumentError` and nothing else.
 */
export const readText = async (
  bytes: Uint8Array,
  options: TextOptions,
  limits: TextLimits = defaultLimits,
  hints: DocumentHints = {}
): Promise<TextDocument> => {
  const warnings = makeWarnings()
  try {
    const type = options.format === "auto" ? textTypeOf(bytes, hints) : options.format
    if (type === "email") {
      const { readMail } = await import("../mail/MailReader.ts")
      return finished(type, null, await readMail(bytes, options, limits, warnings), warnings)
    }
    const { encoding, text } = await decoded(bytes, type, options, limits, warnings, hints)
    const { reading, type: found } = await read(type, text, options, limits, warnings)
    return finished(found, encoding, reading, warnings)
  } catch (error) {
    return guarded("document", () => {
      throw error
    })
  }
}

const textTypeOf = (bytes: Uint8Array, hints: DocumentHints): TextType => {
  const type = identify(bytes, hints)
  switch (type) {
    case "csv":
      return "text"
    case "pdf":
    case "word":
    case "powerpoint":
    case "excel":
      throw notThisFormat(`The document is no text: by its bytes it is for ${type}_extractor`)
    default:
      return type
  }
}

const decoded = async (
  bytes: Uint8Array,
  type: TextType,
  options: TextOptions,
  limits: TextLimits,
  warnings: Warnings,
  hints: DocumentHints
): Promise<Decoded> => {
  if (bytes.length > 4 * limits.textLength) throw tooLong(limits)
  const fromMediaType = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(hints.mediaType ?? "")?.[1]
  const decoding = await decode(bytes, {
    encoding: options.encoding ?? undefined,
    declared: [fromMediaType, type === "html" || type === "xml" ? declaredCharset(bytes) : undefined]
  })
  for (const remark of remarks(decoding)) warnings.add(remark)
  const text = decoding.text.replace(/\r\n?/g, "\n").replaceAll("\0", "")
  if (text.length > limits.textLength) throw tooLong(limits)
  return { ...decoding, text }
}

const tooLong = (limits: TextLimits) =>
  limitExceeded("textLength", `The document has more than ${limits.textLength} characters`)

const read = async (
  type: Exclude<TextType, "email">,
  text: string,
  options: TextOptions,
  limits: TextLimits,
  warnings: Warnings
): Promise<{ readonly type: TextType; readonly reading: Reading }> => {
  switch (type) {
    case "text":
      return { type, reading: plain(text) }
    case "html": {
      const { body, frontMatter } = aboveMarkup(text, warnings)
      return { type, reading: withFields(await readHtmlDocument(body, options, limits, warnings), frontMatter) }
    }
    case "markdown":
      return { type, reading: await markdown(text, options, limits, warnings) }
    case "json": {
      const json = options.format === "json" ? requireJson(text, limits) : parseJson(text, limits)
      if (json !== undefined) return { type, reading: jsonDocument(text, json, options) }
      warnings.add("The document looks like JSON or is called so, but is not valid JSON: it was read as plain text")
      return { type: "text", reading: plain(text) }
    }
    default: {
      const { body, frontMatter } = aboveMarkup(text, warnings)
      if (options.format === "xml" || /^\s*</.test(body)) {
        return { type, reading: withFields(xml(body, limits, warnings), frontMatter) }
      }
      warnings.add("The document is called XML, but has no element: it was read as plain text")
      return { type: "text", reading: plain(text) }
    }
  }
}

const finished = (type: TextType, encoding: string | null, reading: Reading, warnings: Warnings): TextDocument => ({
  type,
  encoding,
  ...reading,
  warnings: warnings.list()
})

const plain = (text: string): Reading => ({ text, properties: { line_count: lineCount(text) } })

const lineCount = (text: string): number => {
  let lines = text === "" || text.endsWith("\n") ? 0 : 1
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines++
  return lines
}

const markdown = async (
  text: string,
  options: TextOptions,
  limits: TextLimits,
  warnings: Warnings
): Promise<Reading> => {
  const { readMarkdown } = await import("./Markdown.ts")
  const { frontMatter, headings, links, plain, source, tables } = readMarkdown(text, limits, warnings)
  const title = titleOf(frontMatter)
  return {
    text: options.markdown_text === "plain" ? plain : source,
    properties: {
      title: title ?? headings[0]?.text ?? null,
      ...(frontMatter !== null && { front_matter: frontMatter })
    },
    ...(options.extract_headings && { headings }),
    ...(options.extract_links && { links }),
    ...(options.extract_tables && { tables })
  }
}

const titleOf = (frontMatter: FrontMatter["frontMatter"]): string | undefined => {
  const title = frontMatter?.["title"]
  return typeof title === "string" || typeof title === "number" ? String(title) : undefined
}

/** Pages and feeds that a site generator completes begin like its Markdown. */
const aboveMarkup = (text: string, warnings: Warnings): FrontMatter => {
  if (!text.startsWith("---")) return { body: text, frontMatter: null }
  const taken = takeFrontMatter(text, warnings)
  return taken.body.startsWith("<") ? taken : { body: text, frontMatter: null }
}

const withFields = (reading: Reading, frontMatter: FrontMatter["frontMatter"]): Reading =>
  frontMatter === null
    ? reading
    : {
        ...reading,
        properties: {
          ...reading.properties,
          ...("title" in reading.properties && { title: reading.properties["title"] ?? titleOf(frontMatter) ?? null }),
          front_matter: frontMatter
        }
      }

const jsonDocument = (text: string, { lines, value }: Json, options: TextOptions): Reading => ({
  text,
  properties: {
    root: Array.isArray(value) ? "array" : value === null ? "null" : typeof value,
    entry_count: typeof value === "object" && value !== null ? Object.keys(value).length : 1,
    json_lines: lines
  },
  ...(options.extract_data && { data: value })
})

const xml = (text: string, limits: TextLimits, warnings: Warnings): Reading => {
  const { elements, isAttributesOnly, root, text: found } = readXmlText(text.trimStart(), limits)
  if (elements === 0) throw damaged("The XML document has no element")
  const properties = { root, element_count: elements }
  if (isAttributesOnly) warnings.add("The XML document has no text, so its attributes' values are given")
  return { text: found, properties }
}
