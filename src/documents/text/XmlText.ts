import { SaxesParser } from "saxes"
import { damaged, limitExceeded } from "../DocumentError.ts"
import { spreadsheetText, wordText } from "./OfficeXml.ts"
import type { TextLimits } from "./TextDocument.ts"
import type { XmlLines, XmlName } from "./XmlLines.ts"

/** The text of an XML document that nothing else is known of. */
export interface XmlReading {
  /**
   * One line for each element with text, and one for each attribute's value; elements within text stay on its line, and their attributes follow it. Documents of
   * Word and Excel that were saved as XML have their paragraphs and rows.
   */
  readonly text: string
  /** The name of the outermost element as written. */
  readonly root: string
  readonly elements: number
  /** Whether all lines are values of attributes. */
  readonly isAttributesOnly: boolean
}

/**
 * Reads the text of a well-formed XML document. A DTD is read over and nothing it defines is expanded: `&name;` stays as it is. Throws
 * `DocumentError`.
 */
export const readXmlText = (xml: string, limits: TextLimits): XmlReading => {
  const parser = new SaxesParser({ xmlns: false, position: true })
  const scopes: Array<ReadonlyMap<string, string>> = [new Map()]
  const names: Array<XmlName> = []
  const generic = genericText()
  let lines: XmlLines = generic
  let root = ""
  let elements = 0
  let mistakes = 0

  parser.on("error", (error) => {
    mistakes++
    if (!/undefined entity/.test(error.message)) throw damaged(`The XML document is broken: ${error.message}`)
    if (mistakes > mostMistakes) {
      throw limitExceeded(
        "mistakes",
        `The XML document uses more than ${mostMistakes} entities of its own, as in an attack`
      )
    }
  })
  parser.on("opentag", ({ attributes, name }) => {
    if (names.length >= limits.depth) {
      throw limitExceeded("depth", `The XML document has elements nested more than ${limits.depth} deep`)
    }
    const scope = nested(scopes.at(-1) ?? new Map(), attributes)
    scopes.push(scope)
    const resolved = resolve(scope, name)
    names.push(resolved)
    if (elements === 0) {
      root = name
      lines = wordText(resolved) ?? spreadsheetText(resolved, limits.cells) ?? generic
    }
    elements++
    lines.open({ ...resolved, attributes })
  })
  parser.on("closetag", () => {
    scopes.pop()
    const name = names.pop()
    if (name !== undefined) lines.close(name)
  })
  const onText = (text: string): void => {
    if (names.length > 0) lines.text(text)
  }
  parser.on("text", onText)
  parser.on("cdata", onText)
  for (let start = 0; start < xml.length; start += chunk) parser.write(xml.slice(start, start + chunk))
  parser.close()
  const found = lines.lines()
  return {
    text: found.join("\n"),
    root,
    elements,
    isAttributesOnly: lines === generic && found.length > 0 && !generic.hasText()
  }
}

const mostMistakes = 10_000
const chunk = 64 * 1024

// --- Namespaces ---

/** No document needs so many; each declaration copies them all. */
const mostPrefixes = 256

const nested = (
  outer: ReadonlyMap<string, string>,
  attributes: Readonly<Record<string, string>>
): ReadonlyMap<string, string> => {
  let inner: Map<string, string> | undefined
  for (const [name, value] of Object.entries(attributes)) {
    const prefix = name === "xmlns" ? "" : name.startsWith("xmlns:") ? name.slice(6) : undefined
    if (prefix === undefined || outer.get(prefix) === value) continue
    inner ??= new Map(outer)
    if (inner.size < mostPrefixes) inner.set(prefix, value)
  }
  return inner ?? outer
}

const resolve = (scope: ReadonlyMap<string, string>, name: string): XmlName => {
  const colon = name.indexOf(":")
  return { local: name.slice(colon + 1), uri: scope.get(colon === -1 ? "" : name.slice(0, colon)) ?? "" }
}

// --- Documents that nothing is known of ---

const genericText = (): XmlLines & { readonly hasText: () => boolean } => {
  const lines: Array<string> = []
  /** Values of attributes of elements within the line that is under way. */
  let beside: Array<string> = []
  let line = ""
  let pending = ""
  let hasText = false

  const endLine = (): void => {
    const text = line.replace(/\s+/g, " ").trim()
    if (text !== "") {
      lines.push(text)
      hasText = true
    }
    for (const value of beside) lines.push(value)
    beside = []
    line = ""
  }
  /** Two tags without text between them: they structure data. With text between them: they mark words in it. */
  const tag = (): void => {
    if (pending.trim() === "") endLine()
    else line += pending
    pending = ""
  }
  return {
    open: ({ attributes, uri }) => {
      tag()
      if (drawings.has(uri)) return
      const isWithin = line.trim() !== ""
      for (const [name, value] of Object.entries(attributes)) {
        const text = value.replace(/\s+/g, " ").trim()
        if (text === "" || ofTheForm.test(name)) continue
        if (isWithin) beside.push(text)
        else lines.push(text)
      }
    },
    text: (text) => {
      pending += text
    },
    close: tag,
    lines: () => {
      endLine()
      return lines
    },
    hasText: () => hasText
  }
}

/** Attributes that tell programs how to read the document. */
const ofTheForm = /^(?:xmlns|xml:|xsi:)/

/** Their attributes are shapes and colours. */
const drawings = new Set([
  "http://www.w3.org/2000/svg",
  "http://www.w3.org/1998/Math/MathML",
  "http://www.w3.org/1999/XSL/Format"
])
