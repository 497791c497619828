import { countCodePoints } from "../../python/CodePoints.ts"
import { guarded } from "../DocumentError.ts"
import { warnOfCarriedFiles } from "../drawing/CarriedFiles.ts"
import { makeImages } from "../drawing/Images.ts"
import * as Limits from "../Limits.ts"
import { makeWarnings, type Warnings } from "../Warnings.ts"
import { parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { readCoreProperties } from "../zip/CoreProperties.ts"
import { type OpcPackage, openPackage, optionalPart } from "../zip/OpcPackage.ts"
import { cellName } from "./CellReference.ts"
import { makeCellImages } from "./CellImages.ts"
import { type CellContext, scanCells } from "./Cells.ts"
import { makeCommentReader } from "./Comments.ts"
import { type AnchoredImage, readDrawings } from "./Drawings.ts"
import type {
  CellValue,
  ExcelDocument,
  ExcelOptions,
  Sheet,
  SheetCell,
  SheetComment,
  SheetFormula,
  SheetHeader,
  SheetImage,
  SheetTable,
  WorkbookProperties
} from "./ExcelDocument.ts"
import { readSharedStrings, type SharedStrings } from "./ExcelStrings.ts"
import { headerText } from "./HeaderFooter.ts"
import { readSymbolFonts, readTimeKinds, stylesChoice } from "./NumberFormat.ts"
import { makeRichValues } from "./RichValues.ts"
import { fullSheet, makeRowFilter, makeTableBuilder, readTableDefinitions, type RowCells } from "./SheetTables.ts"
import { isBlank, paddedText, rowText } from "./SheetText.ts"
import { readWorkbook, type Workbook } from "./Workbook.ts"

/** Reads a workbook (.xlsx, .xlsm, .xltx). Throws `DocumentError` and nothing else. */
export const readExcel = (
  bytes: Uint8Array,
  options: ExcelOptions,
  limits: Limits.Limits = Limits.defaults
): ExcelDocument =>
  guarded("Excel workbook", () => {
    const warnings = makeWarnings()
    const document = openPackage(bytes, "xlsx", limits, warnings)
    const budget = Limits.makeBudget(limits)
    const workbook = readWorkbook(
      document,
      parseXml(document.read(document.mainPart), document.mainPart, limits),
      warnings
    )
    const sheetReader = makeSheetReader(document, workbook, options, budget, warnings)
    const images = makeImages(document, budget, warnings)
    const commentsOf = makeCommentReader(document, warnings)

    const texts: Array<ReadonlyArray<string>> = []
    const sheets: Array<Sheet> = []
    const tables: Array<SheetTable> = []
    const formulas: Array<SheetFormula> = []
    const comments: Array<SheetComment> = []
    const allImages: Array<SheetImage> = []
    const headers: Array<SheetHeader> = []
    const footers: Array<SheetHeader> = []

    const shown: Array<string> = []
    for (const { name, part, state } of workbook.sheets) {
      if (state !== "visible" && !options.include_hidden_sheets) continue
      shown.push(part)
      const drawings = readDrawings(document, part, warnings)
      const content = sheetReader.read(name, part)
      const around = [
        ...drawings.textBoxes,
        ...drawings.charts,
        ...drawings.diagrams,
        ...content.headers,
        ...content.footers
      ]
      for (const each of around) budget.spendText(2 * each.length)
      const lines = [...content.lines, ...around.filter((each) => each !== "")]
      if (lines.length > 0) texts.push([`Sheet: ${name}`, ...lines])
      sheets.push({
        sheet_name: name,
        max_row: content.maxRow,
        max_column: content.maxColumn,
        cell_count: content.cellCount,
        char_count: lines.reduce((sum, line) => sum + countCodePoints(line), Math.max(lines.length - 1, 0)),
        cells: content.cells,
        ...(content.cellCount > content.cells.length && { cells_truncated: true }),
        ...(state !== "visible" && { state }),
        ...(content.mergedRanges.length > 0 && { merged_ranges: content.mergedRanges }),
        ...(drawings.textBoxes.length > 0 && { text_boxes: drawings.textBoxes }),
        ...(drawings.charts.length > 0 && { charts: drawings.charts }),
        ...(drawings.diagrams.length > 0 && { diagrams: drawings.diagrams })
      })
      for (const table of content.tables) tables.push(table)
      for (const formula of content.formulas) formulas.push(formula)
      if (options.extract_comments) {
        for (const comment of commentsOf(name, part)) {
          budget.spendText(comment.text.length)
          comments.push(comment)
        }
      }
      if (options.extract_headers_footers) {
        for (const header of content.headers) headers.push(sheetHeader(name, header))
        for (const footer of content.footers) footers.push(sheetHeader(name, footer))
      }
      if (options.extract_images) {
        for (const { part: drawing, relationship, anchorCell } of [...content.pictures, ...drawings.images]) {
          const image = images.ofRelationship(drawing, relationship)
          if (image === undefined) continue
          allImages.push({
            sheet_name: name,
            image_index: allImages.length,
            ...image,
            ...(anchorCell !== undefined && { anchor_cell: anchorCell })
          })
        }
      }
    }

    warnOfCarriedFiles(document, shown, warnings)
    return {
      ...(options.extract_text && { text: joined(texts, options.sheet_separator) }),
      ...(options.extract_sheets && { sheets }),
      ...(options.extract_tables && { tables }),
      ...(options.extract_formulas && { formulas }),
      ...(options.extract_comments && { comments }),
      ...(options.extract_images && { images: allImages }),
      ...(headers.length > 0 && { headers }),
      ...(footers.length > 0 && { footers }),
      ...(options.extract_properties && { properties: readProperties(document, workbook, warnings) }),
      sheet_count: sheets.length,
      warnings: warnings.list()
    }
  })

// --- Sheets ---

interface SheetContent {
  readonly lines: ReadonlyArray<string>
  readonly maxRow: number
  readonly maxColumn: number
  readonly cellCount: number
  readonly cells: ReadonlyArray<SheetCell>
  readonly mergedRanges: ReadonlyArray<string>
  readonly tables: ReadonlyArray<SheetTable>
  readonly formulas: ReadonlyArray<SheetFormula>
  /** Pictures in cells. */
  readonly pictures: ReadonlyArray<AnchoredImage>
  readonly headers: ReadonlyArray<string>
  readonly footers: ReadonlyArray<string>
}

const sheetHeader = (sheet_name: string, text: string): SheetHeader => ({
  sheet_name,
  text,
  char_count: countCodePoints(text)
})

/** In one go: of a large workbook each text made on the way would be a copy of most of it. */
const joined = (texts: ReadonlyArray<ReadonlyArray<string>>, separator: string): string => {
  const lines: Array<string> = []
  for (const [first = "", ...others] of texts) {
    const last = lines.pop()
    lines.push(last === undefined ? first : `${last}${separator}${first}`)
    for (const line of others) lines.push(line)
  }
  return lines.join("\n")
}

/** As many cells of a sheet are listed one by one. */
const listedCells = 1000

const makeSheetReader = (
  document: OpcPackage,
  workbook: Workbook,
  options: ExcelOptions,
  budget: Limits.Budget,
  warnings: Warnings
) => {
  const styles = readStyles(document, warnings)
  const context: CellContext = {
    sharedStrings: readStrings(document, budget),
    timeKinds: readTimeKinds(styles),
    symbolFonts: readSymbolFonts(styles),
    richValue: makeRichValues(document, warnings),
    cellImage: makeCellImages(document, warnings),
    from1904: workbook.from1904,
    budget,
    formulas: options.extract_formulas || !options.data_only
  }
  const tableBuilder = makeTableBuilder(options, budget.limits.cells)

  const read = (sheet_name: string, part: string): SheetContent => {
    const definitions = options.extract_tables ? readTableDefinitions(document, part, warnings) : []
    const inTable = makeRowFilter(definitions, options)
    const keeps = (row: number) => options.include_empty_cells || (options.extract_tables && inTable(row))
    const kept = new Map<number, RowCells>()
    const lines: Array<string> = []
    const cells: Array<SheetCell> = []
    const formulas: Array<SheetFormula> = []
    const mergedRanges: Array<string> = []
    const pictures: Array<AnchoredImage> = []
    const storedHeaders = new Map<string, string>()
    const headerFlags = new Set<string>()
    let cellCount = 0
    let maxRow = 0
    let maxColumn = 0
    let columns: Array<number> = []
    let values: Array<CellValue> = []
    let isOrdered = true

    budget.renewCells()
    const problems = scanCells(document.read(part), part, context, {
      cell: (row, column, stored, formula) => {
        if (formula !== undefined && options.extract_formulas) {
          formulas.push({ sheet_name, cell: cellName(row, column), formula, row, column })
        }
        const value = options.data_only ? stored : (formula ?? stored)
        if (value === null || (value === "" && !options.include_empty_cells)) return
        cellCount++
        if (cells.length < listedCells) cells.push({ cell: cellName(row, column), value, row, column })
        maxRow = Math.max(maxRow, row)
        maxColumn = Math.max(maxColumn, column)
        if (column <= (columns.at(-1) ?? 0)) isOrdered = false
        columns.push(column)
        values.push(value)
      },
      endOfRow: (row) => {
        if (columns.length === 0) return
        const found = isOrdered ? { columns, values } : ordered(columns, values)
        columns = []
        values = []
        isOrdered = true
        budget.spendText(found.columns.at(-1) ?? 0)
        if (!isBlank(found)) lines.push(rowText(found))
        if (keeps(row)) kept.set(row, kept.has(row) ? merged(kept.get(row), found) : found)
      },
      mergedRange: (range) => {
        budget.spendText(range.length)
        mergedRanges.push(range)
      },
      picture: (row, column, image) => {
        pictures.push({ ...image, anchorCell: cellName(row, column) })
      },
      header: (name, stored) => {
        storedHeaders.set(name, stored)
      },
      headerFlag: (name) => {
        headerFlags.add(name)
      }
    })
    if (options.data_only && problems.uncalculated > 0) {
      warnings.add(
        `${problems.uncalculated} formulas of the sheet ${sheet_name} have no stored result and are blank; ` +
          "set data_only to false to read the formulas"
      )
    }
    if (problems.missingStrings > 0) {
      warnings.add(
        `${problems.missingStrings} cells of the sheet ${sheet_name} refer to texts that are not in the file`
      )
    }
    const wanted = definitions.length > 0 ? definitions : maxRow > 0 ? [fullSheet(maxRow, maxColumn)] : []
    const padded = options.include_empty_cells ? paddedText(kept, maxRow, maxColumn, sheet_name, budget) : ""
    return {
      lines: options.include_empty_cells ? (padded === "" ? [] : [padded]) : lines,
      maxRow,
      maxColumn,
      cellCount,
      cells,
      mergedRanges,
      tables: options.extract_tables
        ? wanted.map((definition) => tableBuilder.build(sheet_name, definition, kept))
        : [],
      formulas,
      pictures,
      ...headerText(storedHeaders, headerFlags, sheet_name)
    }
  }
  return { read }
}

/** Columns ascending; of two cells in one place the later counts. */
const ordered = (columns: ReadonlyArray<number>, values: ReadonlyArray<CellValue>): RowCells => {
  const last = new Map(columns.map((column, index) => [column, values[index] ?? null]))
  const sorted = [...last].toSorted(([a], [b]) => a - b)
  return { columns: sorted.map(([column]) => column), values: sorted.map(([, value]) => value) }
}

const merged = (earlier: RowCells | undefined, later: RowCells): RowCells =>
  earlier === undefined ? later : ordered([...earlier.columns, ...later.columns], [...earlier.values, ...later.values])

const readStrings = (document: OpcPackage, budget: Limits.Budget): SharedStrings => {
  const part = document.relationships(document.mainPart).find(({ kind }) => kind === "sharedStrings")?.part
  return part === undefined ? { texts: [], styled: new Set() } : readSharedStrings(document.read(part), part, budget)
}

const readStyles = (document: OpcPackage, warnings: Warnings): XmlElement | undefined => {
  const part = document.relationships(document.mainPart).find(({ kind }) => kind === "styles")?.part
  if (part === undefined) return undefined
  return optionalPart<XmlElement | undefined>(warnings, undefined, () =>
    parseXml(document.read(part), part, document.limits, stylesChoice)
  )
}

// --- Properties ---

const readProperties = (document: OpcPackage, workbook: Workbook, warnings: Warnings): WorkbookProperties => ({
  ...readCoreProperties(document, warnings),
  sheet_count: workbook.sheetNames.length,
  sheet_names: workbook.sheetNames,
  ...(workbook.definedNames.length > 0 && {
    named_ranges: workbook.definedNames.map(({ name }) => name),
    defined_names: workbook.definedNames
  })
})
