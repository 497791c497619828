import { raised } from "../drawing/LinearFormula.ts"
import { fromSymbolFont, symbolFont } from "../drawing/SymbolFont.ts"
import { unescapeText } from "../xml/EscapedText.ts"

/** The headers and footers of a sheet as they are stored, by the names of their elements without a prefix. */
export type StoredHeaders = ReadonlyMap<string, string>

export interface HeaderText {
  readonly headers: ReadonlyArray<string>
  readonly footers: ReadonlyArray<string>
}

/**
 * What they say: left, middle and right apart by tabs. Page numbers, dates and the like are left out; those of first and of
 * even pages count where the sheet has them apart.
 */
export const headerText = (stored: StoredHeaders, flags: ReadonlySet<string>, sheetName: string): HeaderText => {
  const texts = (kind: "Header" | "Footer"): ReadonlyArray<string> => {
    const names = [
      `odd${kind}`,
      ...(flags.has("differentOddEven") ? [`even${kind}`] : []),
      ...(flags.has("differentFirst") ? [`first${kind}`] : [])
    ]
    const found = names.map((name) => decoded(stored.get(name) ?? "", sheetName))
    return [...new Set(found.filter((text) => text !== ""))]
  }
  return { headers: texts("Header"), footers: texts("Footer") }
}

const decoded = (stored: string, sheetName: string): string => {
  const sections = new Map<string, Section>()
  let section = "C"
  let symbols: ReturnType<typeof symbolFont>
  /** Whether text is above or below the line, and none of it has come yet. */
  let script: Script | undefined
  for (const [token, font, code = "", literal = ""] of unescapeText(stored).matchAll(tokens)) {
    if (/^[LCR]$/i.test(code)) {
      section = code.toUpperCase()
      symbols = undefined
      script = undefined
      continue
    }
    const mark = code === "" ? undefined : scripts.get(code.toUpperCase())
    if (mark !== undefined) {
      script = script?.mark === mark ? undefined : { mark, begins: true }
      continue
    }
    if (font !== undefined) {
      symbols = symbolFont(font.split(",")[0])
      continue
    }
    const current = sections.get(section) ?? { text: "", says: false }
    const written = token === "&&" ? "&" : literal
    const plain = symbols === undefined ? written : fromSymbolFont(symbols, written)
    const text = script?.begins === true && plain !== "" ? raised(script.mark, current.text, plain) : plain
    if (script !== undefined && plain !== "") script = { ...script, begins: false }
    const added = code.toUpperCase() === "A" ? sheetName : text
    sections.set(section, {
      text: current.text + added,
      says: current.says || /[\p{L}\p{N}\p{S}]/u.test(text)
    })
  }
  return ["L", "C", "R"]
    .flatMap((name) => {
      const { says, text } = sections.get(name) ?? { says: false, text: "" }
      return says ? [text.replace(/[^\S\n]+/g, " ").trim()] : []
    })
    .join("\t")
}

interface Script {
  readonly mark: "^" | "_"
  readonly begins: boolean
}

const scripts = new Map<string, Script["mark"]>([
  ["X", "^"],
  ["Y", "_"]
])

interface Section {
  readonly text: string
  /** Whether there is more than fields in it. */
  readonly says: boolean
}

/** A font, a colour, a size, another code, or text. */
const tokens = /&(?:"([^"]*)"|K(?:[0-9A-F]{6}|\d\d[+-]\d{3})|\d{1,3}|&|([A-Z])(?:[+-]\d+)?)|([^&]+|&)/gi
