import type { Image } from "../drawing/Images.ts"
import type { CoreProperties } from "../zip/CoreProperties.ts"

/** What to read; names and meanings are those of the settings of `excel_extractor`. */
export interface ExcelOptions {
  readonly extract_text: boolean
  readonly extract_sheets: boolean
  readonly extract_tables: boolean
  readonly extract_properties: boolean
  readonly extract_images: boolean
  /** Lists formulas whatever `data_only` says. */
  readonly extract_formulas: boolean
  readonly extract_comments: boolean
  /** `headers` and `footers`. */
  readonly extract_headers_footers: boolean
  readonly sheet_separator: string
  /** Whether text rows are as wide as the sheet and blank rows are kept, and `cells` lists empty texts. */
  readonly include_empty_cells: boolean
  /** 0 means all. */
  readonly max_rows_per_table: number
  /** 0 means all. */
  readonly max_columns_per_table: number
  /** Has no effect: sheets are always read in one pass, and nothing is missed by it. */
  readonly read_only: boolean
  /** True: a formula's value is the result stored with it; false: its text, `=A1+B1`. */
  readonly data_only: boolean
  /** Whether hidden sheets are read; their `state` tells them. */
  readonly include_hidden_sheets: boolean
}

export const defaults: ExcelOptions = {
  extract_text: true,
  extract_sheets: true,
  extract_tables: true,
  extract_properties: false,
  extract_images: false,
  extract_formulas: false,
  extract_comments: false,
  extract_headers_footers: true,
  sheet_separator: "\n\n===\n\n",
  include_empty_cells: false,
  max_rows_per_table: 0,
  max_columns_per_table: 0,
  read_only: true,
  data_only: true,
  include_hidden_sheets: true
}

/** Dates and times are ISO 8601 texts without a zone; errors are texts (`#DIV/0!`); null is a blank cell. */
export type CellValue = string | number | boolean | null

/** The output of `excel_extractor` with the original's keys and more; a key is there if its option asks for it. */
export interface ExcelDocument {
  /**
   * Each sheet that is not empty: `Sheet: <name>`, then its rows; blank cells keep their column. Text boxes, charts and
   * diagrams, headers and footers follow the rows.
   */
  readonly text?: string
  readonly sheets?: ReadonlyArray<Sheet>
  readonly tables?: ReadonlyArray<SheetTable>
  readonly formulas?: ReadonlyArray<SheetFormula>
  readonly comments?: ReadonlyArray<SheetComment>
  readonly images?: ReadonlyArray<SheetImage>
  /** Absent, as footers, if there is none. */
  readonly headers?: ReadonlyArray<SheetHeader>
  readonly footers?: ReadonlyArray<SheetHeader>
  readonly properties?: WorkbookProperties
  /** Sheets that were read. */
  readonly sheet_count: number
  /** What could not be read, though the rest could. */
  readonly warnings: ReadonlyArray<string>
}

export interface Sheet {
  readonly sheet_name: string
  /** The last row and column with a value, from 1; 0 if there is none. */
  readonly max_row: number
  readonly max_column: number
  /** Cells with a value: all of them, though `cells` lists the first 1000. */
  readonly cell_count: number
  /** Of the sheet's text, in Unicode code points. */
  readonly char_count: number
  readonly cells: ReadonlyArray<SheetCell>
  readonly cells_truncated?: true
  /** Of hidden sheets only. */
  readonly state?: "hidden" | "veryHidden"
  /** The value of merged cells stands in the first cell of their range. */
  readonly merged_ranges?: ReadonlyArray<string>
  readonly text_boxes?: ReadonlyArray<string>
  readonly charts?: ReadonlyArray<string>
  /** SmartArt. */
  readonly diagrams?: ReadonlyArray<string>
}

export interface SheetCell {
  /** `B7`. */
  readonly cell: string
  readonly value: CellValue
  readonly row: number
  readonly column: number
}

export interface SheetTable {
  readonly sheet_name: string
  /** `full_sheet` if the sheet defines no table. */
  readonly table_name: string
  readonly range: string
  /** Of `data`, header row included. */
  readonly rows: number
  readonly columns: number
  readonly data: ReadonlyArray<ReadonlyArray<CellValue>>
  readonly truncated_rows?: true
  readonly truncated_columns?: true
  /** The range is almost all blank and too large to lay out: `data` leaves out the blank rows and columns. */
  readonly sparse?: true
}

export interface SheetFormula {
  readonly sheet_name: string
  readonly cell: string
  /** Begins with `=`. */
  readonly formula: string
  readonly row: number
  readonly column: number
}

export interface SheetComment {
  readonly sheet_name: string
  readonly cell: string
  readonly author: string | null
  readonly text: string
  readonly row: number
  readonly column: number
}

/** The text of a header or footer; what stands left, in the middle and right is apart by tabs. */
export interface SheetHeader {
  readonly sheet_name: string
  readonly text: string
  /** In Unicode code points. */
  readonly char_count: number
}

export interface SheetImage extends Image {
  readonly sheet_name: string
  /** Counts from 0 through the whole workbook. */
  readonly image_index: number
  /** The cell below its upper left corner, or that it is in. */
  readonly anchor_cell?: string
}

export interface WorkbookProperties extends CoreProperties {
  readonly sheet_count: number
  readonly sheet_names: ReadonlyArray<string>
  /** Names of defined names that people made; absent if there is none. */
  readonly named_ranges?: ReadonlyArray<string>
  readonly defined_names?: ReadonlyArray<{ readonly name: string; readonly refers_to: string }>
}
