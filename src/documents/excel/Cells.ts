import { unescapeText } from "../xml/EscapedText.ts"
import { scanXml } from "../xml/XmlScanner.ts"
import type { Tag } from "../xml/XmlTag.ts"
import type { Budget } from "../Limits.ts"
import { integer, isOn } from "../xml/XmlTree.ts"
import { fromPrivateUse, fromSymbolFont, type SymbolFont, symbolFont } from "../drawing/SymbolFont.ts"
import { maxColumn, maxRow, packedCell, packedRows, parseCell } from "./CellReference.ts"
import type { CellValue } from "./ExcelDocument.ts"
import type { SharedStrings } from "./ExcelStrings.ts"
import { makeRichString, scriptMark } from "./RichString.ts"
import type { RichValue } from "./RichValues.ts"
import { serialToIso, type TimeKind } from "../SerialTime.ts"
import { shiftFormula } from "./SharedFormula.ts"

/** What the cells of every sheet refer to. */
export interface CellContext {
  readonly sharedStrings: SharedStrings
  readonly timeKinds: ReadonlyArray<TimeKind | undefined>
  /** Of each cell style; empty if there is none. */
  readonly symbolFonts: ReadonlyArray<SymbolFont | undefined>
  readonly richValue: (valueMetadata: string) => RichValue | undefined
  /** The picture that a stored text stands for. */
  readonly cellImage: (value: string) => RichValue | undefined
  readonly from1904: boolean
  readonly budget: Budget
  /** Whether formulas are wanted at all; working them out costs time. */
  readonly formulas: boolean
}

export interface CellHandler {
  /** A cell with a value or a formula; `formula` begins with `=`. Cells come in the order of the file. */
  readonly cell: (row: number, column: number, value: CellValue, formula: string | undefined) => void
  /** After the last cell of a row, or of a part of it; a row may come again. */
  readonly endOfRow: (row: number) => void
  readonly mergedRange: (range: string) => void
  /** A cell that shows a picture. */
  readonly picture: (row: number, column: number, image: NonNullable<RichValue["image"]>) => void
  /** A header or footer, as stored, by the name of its element without a prefix. */
  readonly header: (name: string, stored: string) => void
  /** What says which headers count: `differentFirst`, `differentOddEven`. */
  readonly headerFlag: (name: string) => void
}

/** What was odd about a sheet, counted. */
export interface CellProblems {
  /** Formulas without a stored result. */
  readonly uncalculated: number
  /** Cells that point to a shared string that is not there. */
  readonly missingStrings: number
}

type Capture = "none" | "value" | "formula" | "inline" | "header"

/** Reads the cells of a worksheet part in one pass. Throws `DocumentError`. */
export const scanCells = (
  bytes: Uint8Array,
  part: string,
  context: CellContext,
  handler: CellHandler
): CellProblems => {
  const { budget } = context
  const sharedFormulas = new Map<string, { readonly formula: string; readonly row: number; readonly column: number }>()
  let uncalculated = 0
  let missingStrings = 0
  let row = 0
  let column = 0
  let type = "n"
  let style = -1
  let value = ""
  let stored = false
  let isInline = false
  const inline = makeRichString()
  let formula: string | undefined
  let sharedIndex: string | undefined
  let capture: Capture = "none"
  let inString = false
  let hasFonts = false
  let header = ""
  let valueMetadata: string | undefined
  let phonetic = 0

  const cellValue = (): CellValue => {
    if (isInline) return hasFonts ? inOwnFonts(inline.end()) : inFont(inline.end())
    if (value === "") return null
    switch (type) {
      case "s": {
        const index = integer(value) ?? -1
        const text = context.sharedStrings.texts[index]
        if (text === undefined) missingStrings++
        if (text === undefined || context.symbolFonts.length === 0) return text ?? null
        return context.sharedStrings.styled.has(index) ? inOwnFonts(text) : inFont(text)
      }
      case "b":
        return value.trim() === "1" || value.trim() === "true"
      case "str":
        if (value.startsWith("=")) return pictureValue(value)
        return inFont(unescapeText(value))
      case "inlineStr":
        return inFont(unescapeText(value))
      case "e":
        return errorValue(value.trim())
      case "d":
        return value.trim()
      default:
        return numberValue(value, style, context)
    }
  }

  /** Cells in a symbol font are a common way to show ticks and arrows. */
  const inFont = (text: string): string => {
    const font = fontOfCell()
    return font === undefined || text === "" ? text : fromSymbolFont(font, text)
  }

  /** Of a text whose runs have fonts of their own. */
  const inOwnFonts = (text: string): string => {
    const font = fontOfCell()
    return font === undefined || text === "" ? text : fromPrivateUse(font, text)
  }

  const fontOfCell = (): SymbolFont | undefined =>
    context.symbolFonts.length === 0 ? undefined : context.symbolFonts[Math.max(style, 0)]

  /** The error of a cell with a rich value is only what older programs are to show. */
  const errorValue = (error: string): CellValue => {
    const rich = valueMetadata === undefined ? undefined : context.richValue(valueMetadata)
    if (rich?.image !== undefined) handler.picture(row, column, rich.image)
    return rich?.text === undefined ? error : rich.text
  }

  const pictureValue = (text: string): CellValue => {
    const shown = context.cellImage(text)
    if (shown?.image !== undefined) handler.picture(row, column, shown.image)
    return shown?.text === undefined ? inFont(unescapeText(text)) : shown.text
  }

  const cellFormula = (): string | undefined => {
    if (formula === undefined || !context.formulas) return undefined
    formula = unescapeText(formula)
    if (sharedIndex !== undefined) {
      const shared = sharedFormulas.get(sharedIndex)
      if (formula === "" && shared !== undefined) {
        formula = shiftFormula(shared.formula, row - shared.row, column - shared.column)
      } else if (formula !== "" && shared === undefined) {
        sharedFormulas.set(sharedIndex, { formula, row, column })
      }
    }
    return formula === "" ? undefined : `=${formula}`
  }

  const endOfCell = (): void => {
    const result = cellValue()
    if (formula !== undefined && !stored && !isInline) uncalculated++
    const text = cellFormula()
    if (result === null && text === undefined) return
    budget.spendCells(1)
    budget.spendText((typeof result === "string" ? result.length : 8) + (text?.length ?? 0))
    handler.cell(row, column, result, text)
  }

  const openCell = (tag: Tag): void => {
    const start = tag.start("r")
    const packed = start === -1 ? -1 : packedCell(tag.bytes, start)
    const unusual = start !== -1 && packed === -1 ? parseCell(tag.value("r")) : undefined
    // A cell outside any sheet, or without an address, stands beside the one before.
    column = packed === -1 ? (unusual?.column ?? column + 1) : Math.floor(packed / packedRows)
    // A remainder of so large a number takes the engine many times as long.
    const ownRow = packed === -1 ? unusual?.row : packed - column * packedRows
    if (ownRow !== undefined && ownRow !== row) {
      handler.endOfRow(row)
      row = ownRow
    }
    type = tag.value("t") ?? "n"
    style = tag.digits("s")
    value = ""
    stored = false
    isInline = false
    formula = undefined
    sharedIndex = undefined
    hasFonts = false
    valueMetadata = type === "e" ? tag.value("vm") : undefined
  }

  scanXml(bytes, part, budget.limits, {
    reads: (name) => withAttributes.has(name),
    open: (name, attributes, tag) => {
      switch (name) {
        case "x:c":
          openCell(tag)
          return
        case "x:v":
          capture = "value"
          stored = true
          return
        case "x:row": {
          const digits = tag.digits("r")
          const number = digits >= 0 ? digits : integer(tag.value("r"))
          row = number !== undefined && number >= 1 && number <= maxRow ? number : row + 1
          column = 0
          return
        }
        case "x:f":
          formula = ""
          if (!context.formulas) return
          capture = "formula"
          sharedIndex = tag.value("t") === "shared" ? tag.value("si") : undefined
          return
        case "x:is":
          inString = true
          isInline = true
          inline.begin()
          return
        case "x:t":
          capture = inString && phonetic === 0 ? "inline" : "none"
          return
        case "x:r":
          inline.beginRun()
          return
        case "x:rFont":
          hasFonts = true
          inline.inFont(symbolFont(attributes.val))
          return
        case "x:vertAlign":
          inline.inScript(scriptMark(attributes.val))
          return
        case "x:rPh":
          phonetic++
          return
        case "x:headerFooter":
          for (const flag of ["differentFirst", "differentOddEven"]) {
            if (attributes[flag] !== undefined && isOn(attributes[flag])) handler.headerFlag(flag)
          }
          return
        case "x:oddHeader":
        case "x:oddFooter":
        case "x:evenHeader":
        case "x:evenFooter":
        case "x:firstHeader":
        case "x:firstFooter":
          capture = "header"
          header = ""
          return
        case "x:mergeCell": {
          const range = tag.value("ref")
          if (range !== undefined) handler.mergedRange(range)
        }
      }
    },
    text: (text) => {
      if (capture === "none") return
      if (capture === "value") value += text
      else if (capture === "formula") formula += text
      else if (capture === "inline") inline.text(text)
      else header += text
    },
    close: (name) => {
      switch (name) {
        case "x:c":
          if (row >= 1 && row <= maxRow && column <= maxColumn) endOfCell()
          return
        case "x:t":
          if (capture === "inline") inline.endText()
          capture = "none"
          return
        case "x:v":
        case "x:f":
          capture = "none"
          return
        case "x:row":
          handler.endOfRow(row)
          return
        case "x:is":
          inString = false
          return
        case "x:r":
          inline.endRun()
          return
        case "x:oddHeader":
        case "x:oddFooter":
        case "x:evenHeader":
        case "x:evenFooter":
        case "x:firstHeader":
        case "x:firstFooter":
          capture = "none"
          handler.header(name.slice(2), header)
          return
        case "x:rPh":
          phonetic--
      }
    }
  })
  return { uncalculated, missingStrings }
}

/** The elements whose attributes are looked at, other than one by one. */
const withAttributes = new Set(["x:rFont", "x:vertAlign", "x:headerFooter"])

const numberValue = (text: string, style: number, context: CellContext): CellValue => {
  const number = Number(text)
  if (number === 0 && text.trim() === "") return null
  if (!Number.isFinite(number)) return text.trim()
  const kind = context.timeKinds[style]
  return (kind === undefined ? undefined : serialToIso(number, kind, context.from1904)) ?? number
}
