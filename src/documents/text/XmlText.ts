import { SaxesParser } from "saxes"
import { damaged, limitExceeded } from "../DocumentError.ts"
import type { TextLimits } from "./TextDocument.ts"

/** The text of an XML document that nothing else is known of. */
export interface XmlReading {
  /** One line for each element with text; elements within text stay on its line. */
  readonly text: string
  /** The name of the outermost element as written. */
  readonly root: string
  readonly elements: number
  /** The values of attributes, a line each, for documents without any text. */
  readonly attributeText: string
}

/**
 * Reads the text of a well-formed XML document. A DTD is read over and nothing it defines is expanded: `&name;` stays as it is. Throws
 * `DocumentError`.
 */
export const readXmlText = (xml: string, limits: TextLimits): XmlReading => {
  const parser = new SaxesParser({ xmlns: false, position: true })
  const lines: Array<string> = []
  const attributes: Array<string> = []
  let line = ""
  let pending = ""
  let root = ""
  let depth = 0
  let elements = 0
  let mistakes = 0

  const endLine = (): void => {
    const text = line.replace(/\s+/g, " ").trim()
    if (text !== "") lines.push(text)
    line = ""
  }
  /** Two tags without text between them: they structure data. With text between them: they mark words in it. */
  const tag = (): void => {
    if (pending.trim() === "") endLine()
    else line += pending
    pending = ""
  }
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
  parser.on("opentag", ({ attributes: found, name }) => {
    tag()
    if (depth >= limits.depth) {
      throw limitExceeded("depth", `The XML document has elements nested more than ${limits.depth} deep`)
    }
    if (elements === 0) root = name
    depth++
    elements++
    for (const [attribute, value] of Object.entries(found)) {
      if (value.trim() !== "" && !attribute.startsWith("xmlns") && attributes.length < limits.entries) {
        attributes.push(value.replace(/\s+/g, " ").trim())
      }
    }
  })
  parser.on("closetag", () => {
    tag()
    depth--
  })
  const onText = (text: string): void => {
    pending += text
  }
  parser.on("text", onText)
  parser.on("cdata", onText)
  for (let start = 0; start < xml.length; start += chunk) parser.write(xml.slice(start, start + chunk))
  parser.close()
  endLine()
  return { text: lines.join("\n"), root, elements, attributeText: attributes.join("\n") }
}

const mostMistakes = 10_000
const chunk = 64 * 1024
