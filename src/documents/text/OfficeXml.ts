import { limitExceeded } from "../DocumentError.ts"
import type { XmlLines, XmlName } from "./XmlLines.ts"

/** The paragraphs of a Word document that was saved as XML, in its form of 2003 or 2007 ("flat OPC"); undefined where the outermost element is of neither. */
export const wordText = (root: XmlName): XmlLines | undefined => {
  const isFlat = root.uri === flatPackage && root.local === "package"
  const isOld = root.uri === word2003 && root.local === "wordDocument"
  if (!isFlat && !isOld) return undefined
  const lines: Array<string> = []
  /** The cells of the rows that are open, the innermost last. */
  const rows: Array<Array<string>> = []
  let paragraph = ""
  let isRead = isOld
  let reading = 0
  let skipped = 0

  const endParagraph = (): void => {
    const text = paragraph.trimEnd()
    paragraph = ""
    const cells = rows.at(-1)
    if (cells === undefined) {
      if (text.trim() !== "") lines.push(...text.split("\n"))
    } else if (cells.length > 0) cells.push([cells.pop(), text.replace(/\s+/g, " ").trim()].filter(Boolean).join(" "))
  }
  return {
    open: ({ attributes, local, uri }) => {
      if (skipped > 0 || local === "Fallback") {
        skipped++
        return
      }
      if (uri === flatPackage && local === "part")
        isRead = readParts.test(attributes["pkg:name"] ?? attributes["name"] ?? "")
      if (!isRead || !isWord(uri)) {
        // text of drawings and formulas
        if (isRead && local === "t") reading++
        return
      }
      if (local === "t") reading++
      else if (local === "tab" || local === "ptab") paragraph += paragraph === "" ? "" : "\t"
      else if (local === "br" || local === "cr") paragraph += "\n"
      else if (local === "noBreakHyphen") paragraph += "-"
      else if (local === "tr") rows.push([])
      else if (local === "tc") rows.at(-1)?.push("")
    },
    text: (text) => {
      if (reading > 0 && skipped === 0) paragraph += text
    },
    close: ({ local, uri }) => {
      if (skipped > 0) {
        skipped--
        return
      }
      if (!isRead) return
      if (local === "t" && reading > 0) reading--
      else if (!isWord(uri)) return
      else if (local === "p") endParagraph()
      else if (local === "tr") {
        const row = (rows.pop() ?? []).join("\t").trimEnd()
        const outer = rows.at(-1)
        if (outer === undefined) {
          if (row !== "") lines.push(row)
        } else if (outer.length > 0) outer.push([outer.pop(), row].filter(Boolean).join(" "))
      }
    },
    lines: () => {
      endParagraph()
      return lines
    }
  }
}

const flatPackage = "http://schemas.microsoft.com/office/2006/xmlPackage"
const word2003 = "http://schemas.microsoft.com/office/word/2003/wordml"

const isWord = (uri: string): boolean =>
  uri === word2003 ||
  uri === "http://schemas.openxmlformats.org/wordprocessingml/2006/main" ||
  uri === "http://purl.oclc.org/ooxml/wordprocessingml/main"

/** Of the parts of a package those with the words of the document. */
const readParts = /^\/word\/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml$/

/** The rows of an Excel workbook that was saved as XML ("XML Spreadsheet 2003"), cells apart by tabs; undefined where the outermost element is no such. */
export const spreadsheetText = (root: XmlName, mostCells: number): XmlLines | undefined => {
  if (root.uri !== spreadsheet || root.local !== "Workbook") return undefined
  const lines: Array<string> = []
  let cells: Array<string> = []
  let comments: Array<string> = []
  let isComment = false
  let reading = 0
  let spent = 0
  const addCell = (): void => {
    if (++spent > mostCells) throw limitExceeded("cells", `The workbook has more than ${mostCells} cells`)
    cells.push("")
  }
  return {
    open: ({ attributes, local, uri }) => {
      if (reading > 0) {
        reading++
        return
      }
      if (uri !== spreadsheet) return
      const attribute = (name: string): string | undefined =>
        attributes[`ss:${name}`] ?? Object.entries(attributes).find(([key]) => key.endsWith(`:${name}`))?.[1]
      if (local === "Worksheet") {
        if (lines.length > 0) lines.push("")
        lines.push(`Sheet: ${attribute("Name") ?? ""}`)
      } else if (local === "Row") cells = []
      else if (local === "Cell") {
        const place = Number(attribute("Index") ?? cells.length + 1)
        for (let left = Math.min(place, mostColumns) - 1 - cells.length; left > 0; left--) addCell()
        addCell()
      } else if (local === "Comment") isComment = true
      else if (local === "Data") {
        reading = 1
        if (isComment) comments.push("")
      }
    },
    text: (text) => {
      if (reading === 0) return
      const list = isComment ? comments : cells
      if (list.length > 0) list[list.length - 1] += text
    },
    close: ({ local, uri }) => {
      if (reading > 0) reading--
      else if (uri !== spreadsheet) return
      else if (local === "Comment") isComment = false
      else if (local === "Row") {
        const row = cells
          .map((cell) => cell.replace(/\s+/g, " ").trim())
          .join("\t")
          .trimEnd()
        if (row !== "") lines.push(row)
        for (const comment of comments) lines.push(comment.replace(/\s+/g, " ").trim())
        comments = []
      }
    },
    lines: () => lines
  }
}

const spreadsheet = "urn:schemas-microsoft-com:office:spreadsheet"
/** As wide as a sheet can be. */
const mostColumns = 16_384
