import { assert, describe, it } from "@effect/vitest"
import * as Limits from "../../../src/documents/Limits.ts"
import { readExcel } from "../../../src/documents/excel/ExcelReader.ts"
import { defaults, type ExcelOptions } from "../../../src/documents/excel/ExcelDocument.ts"
import {
  ending,
  failure,
  links,
  makePptx,
  makeXlsx,
  namespaces,
  type Parts,
  png,
  type SheetSource,
  type WorkbookSource,
  xmlns
} from "../Packages.ts"

const read = (
  sheets: ReadonlyArray<SheetSource> | string,
  options: Partial<ExcelOptions> = {},
  source: WorkbookSource = {},
  limits = Limits.defaults
) =>
  readExcel(
    makeXlsx(typeof sheets === "string" ? [{ name: "S", rows: sheets }] : sheets, source),
    { ...defaults, ...options },
    limits
  )

/** A row of numbers (blank where undefined), or of cells as they are written. */
const row = (number: number, ...cells: ReadonlyArray<string | number | undefined>) =>
  `<row r="${number}">${cells
    .map((cell, index) =>
      cell === undefined
        ? ""
        : typeof cell === "string"
          ? cell
          : `<c r="${"ABCDEFGH"[index]}${number}"><v>${cell}</v></c>`
    )
    .join("")}</row>`
const values = (document: ReturnType<typeof read>) =>
  document.sheets?.[0]?.cells.map(({ cell, value }) => [cell, value])

const definition = (reference: string, name: string): string =>
  `<table xmlns="${namespaces.x}" id="1" name="x" displayName="${name}" ref="${reference}"/>`

const withTables = (rows: string, ...tables: ReadonlyArray<string>): [ReadonlyArray<SheetSource>, WorkbookSource] => [
  [
    {
      name: "S",
      rows,
      rels: links(...tables.map((_, index) => ({ kind: "table", target: `../tables/table${index}.xml` })))
    }
  ],
  { parts: Object.fromEntries(tables.map((table, index) => [`xl/tables/table${index}.xml`, table])) }
]

const anchor = (inner: string) =>
  `<xdr:twoCellAnchor><xdr:from><xdr:col>1</xdr:col><xdr:row>4</xdr:row></xdr:from>${inner}</xdr:twoCellAnchor>`

const picture = (id: string) => `<xdr:pic><xdr:blipFill><a:blip r:embed="${id}"/></xdr:blipFill></xdr:pic>`

const longSheet = (count: number) =>
  Array.from({ length: count }, (_, index) => `<row><c><v>${index * 7919}</v></c></row>`).join("")

describe("Excel: cells", () => {
  const strings = `<si><t>plain</t></si><si><r><t>ri</t></r><r><t xml:space="preserve">ch </t></r><rPh><t>phonetic</t></rPh><phoneticPr/></si><si><t>a_x000D_
b_x0041_</t></si>`

  it("keeps numbers, booleans, errors and every kind of text as they are", () => {
    const document = read(
      row(
        1,
        '<c r="A1" t="s"><v>0</v></c>',
        '<c r="B1" t="s"><v>1</v></c>',
        '<c r="C1"><v>1.5</v></c>',
        '<c r="D1"><v>0</v></c>',
        '<c r="E1" t="b"><v>1</v></c>',
        '<c r="F1" t="b"><v>0</v></c>',
        '<c r="G1" t="e"><v>#DIV/0!</v></c>',
        '<c r="H1" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r><rPh><t>no</t></rPh></is></c>',
        '<c r="I1" t="str"><f>A1</f><v>formula</v></c>',
        '<c r="J1" t="d"><v>2024-01-05T00:00:00</v></c>',
        '<c r="K1" t="s"><v>2</v></c>',
        '<c r="L1"><v>1e-7</v></c>',
        '<c r="M1"><v>12x</v></c>'
      ),
      {},
      { strings }
    )
    assert.deepStrictEqual(values(document), [
      ["A1", "plain"],
      ["B1", "rich "],
      ["C1", 1.5],
      ["D1", 0],
      ["E1", true],
      ["F1", false],
      ["G1", "#DIV/0!"],
      ["H1", "inline"],
      ["I1", "formula"],
      ["J1", "2024-01-05T00:00:00"],
      ["K1", "a\nbA"],
      ["L1", 1e-7],
      ["M1", "12x"]
    ])
    assert.strictEqual(
      document.text,
      "Sheet: S\nplain\trich \t1.5\t0\tTrue\tFalse\t#DIV/0!\tinline\tformula\t2024-01-05T00:00:00\ta\nbA\t1e-7\t12x"
    )
    assert.deepStrictEqual(document.warnings, [])
  })

  it("turns numbers with a date format into ISO texts, from 1900 or from 1904", () => {
    const styles =
      '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm"/><numFmt numFmtId="165" formatCode="0.0&quot;h&quot;"/></numFmts>' +
      '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="20"/><xf numFmtId="46"/></cellXfs>'
    const cells = [1, 2, 3, 4, 5].map(
      (style, index) => `<c r="${"ABCDE"[index]}1" s="${style}"><v>${[45296, 45296.5, 45296, 0.75, 1.5][index]}</v></c>`
    )
    const document = read(row(1, ...cells), {}, { styles })
    assert.deepStrictEqual(
      values(document)?.map(([, value]) => value),
      ["2024-01-05", "2024-01-05T12:00:00", 45296, "18:00:00", "PT36H"]
    )
    const from1904 = read(
      row(1, '<c r="A1" s="1"><v>43834</v></c>'),
      {},
      { styles, workbook: '<workbookPr date1904="1"/>' }
    )
    assert.deepStrictEqual(values(from1904), [["A1", "2024-01-05"]])
    const odd = read(row(1, '<c r="A1" s="1"><v>-5</v></c>', '<c r="B1" s="99"><v>5</v></c>'), {}, { styles })
    assert.deepStrictEqual(values(odd), [
      ["A1", -5],
      ["B1", 5]
    ])
  })

  it("counts on where rows and cells have no address or an impossible one", () => {
    const document = read(
      '<row><c><v>1</v></c><c><v>2</v></c></row><row r="5"><c r="C5"><v>3</v></c><c r="QQQQ9"><v>4</v></c></row><row><c r="A6"><v>5</v></c></row>'
    )
    assert.deepStrictEqual(values(document), [
      ["A1", 1],
      ["B1", 2],
      ["C5", 3],
      ["D5", 4],
      ["A6", 5]
    ])
  })

  it("puts cells that come out of order into order", () => {
    const document = read(
      '<row r="2"><c r="B2"><v>2</v></c><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>0</v></c></row>'
    )
    assert.deepStrictEqual(document.tables?.[0]?.data, [
      [0, null],
      [1, 2]
    ])
    assert.strictEqual(document.text, "Sheet: S\n1\t2\n0")
  })

  it("warns of shared texts that are not there", () => {
    const document = read(
      '<row r="1"><c r="A1" t="s"><v>7</v></c><c r="B1" t="s"><v>__proto__</v></c><c r="C1"><v>1</v></c></row>'
    )
    assert.deepStrictEqual(values(document), [["C1", 1]])
    assert.match(document.warnings.join(), /2 cells of the sheet S/)
  })
})

describe("Excel: text and sheets", () => {
  const gaps =
    row(1, 1, undefined, 3) + row(3, undefined, 2) + row(4, '<c r="A4" s="0"/>', '<c r="B4" t="str"><v></v></c>')

  it("keeps columns in the text, and tells the true extent", () => {
    const document = read(gaps)
    assert.strictEqual(document.text, "Sheet: S\n1\t\t3\n\t2")
    const { max_row, max_column, cell_count, char_count, cells } = document.sheets?.[0] ?? {}
    assert.deepStrictEqual([max_row, max_column, cell_count, char_count, cells?.length], [3, 3, 3, 7, 3])
  })

  it("writes every row as wide as the sheet if blank cells are wanted", () => {
    assert.strictEqual(read(gaps, { include_empty_cells: true }).text, "Sheet: S\n1\t\t3\n\t\t\n\t2\t")
  })

  it("joins the sheets that are not empty, and lists all", () => {
    const document = read(
      [
        { name: "A", rows: row(1, 1) },
        { name: "B", rows: "" },
        { name: "__proto__", rows: row(1, 2) }
      ],
      { sheet_separator: " || " }
    )
    assert.strictEqual(document.text, "Sheet: A\n1 || Sheet: __proto__\n2")
    assert.deepStrictEqual(
      document.sheets?.map(({ sheet_name, cell_count }) => [sheet_name, cell_count]),
      [
        ["A", 1],
        ["B", 0],
        ["__proto__", 1]
      ]
    )
    assert.strictEqual(document.sheet_count, 3)
    assert.deepStrictEqual(
      document.tables?.map(({ sheet_name }) => sheet_name),
      ["A", "__proto__"]
    )
  })

  it("lists a thousand cells and counts all", () => {
    const sheet = read(Array.from({ length: 400 }, (_, index) => row(index + 1, 1, 2, 3)).join("")).sheets?.[0]
    assert.deepStrictEqual([sheet?.cells.length, sheet?.cell_count, sheet?.cells_truncated], [1000, 1200, true])
    assert.notProperty(read(row(1, 1)).sheets?.[0], "cells_truncated")
  })

  it("marks hidden sheets, or leaves them out", () => {
    const sheets = [
      { name: "A", rows: row(1, 1) },
      { name: "H", rows: row(1, 2), attributes: 'state="hidden"' },
      { name: "V", rows: row(1, 3), attributes: 'state="veryHidden"' }
    ]
    assert.deepStrictEqual(
      read(sheets).sheets?.map(({ state }) => state),
      [undefined, "hidden", "veryHidden"]
    )
    const shown = read(sheets, { include_hidden_sheets: false })
    assert.strictEqual(shown.text, "Sheet: A\n1")
    assert.strictEqual(shown.sheet_count, 1)
  })

  it("keeps merged ranges without copying their values", () => {
    const document = read([
      { name: "S", rows: row(1, 1, undefined, 2), rest: '<mergeCells><mergeCell ref="A1:B1"/></mergeCells>' }
    ])
    assert.deepStrictEqual(document.sheets?.[0]?.merged_ranges, ["A1:B1"])
    assert.deepStrictEqual(document.tables?.[0]?.data, [[1, null, 2]])
  })

  it("has only the keys that are asked for", () => {
    const none = read(row(1, 1), { extract_text: false, extract_sheets: false, extract_tables: false })
    assert.deepStrictEqual(none, { sheet_count: 1, warnings: [] })
  })

  it("reads sheets in the strict standard with prefixes of their own", () => {
    const strict = "http://purl.oclc.org/ooxml"
    const document = read(
      row(1, 1),
      {},
      {
        parts: {
          "xl/worksheets/sheet1.xml": `<s:worksheet xmlns:s="${strict}/spreadsheetml/main"><s:sheetData><s:row r="1"><s:c r="A1" t="inlineStr"><s:is><s:t>strict</s:t></s:is></s:c></s:row></s:sheetData></s:worksheet>`
        }
      }
    )
    assert.deepStrictEqual(values(document), [["A1", "strict"]])
  })
})

describe("Excel: tables", () => {
  const rows = row(1, 1, 2, 3) + row(2, 4, undefined, 6) + row(4, 7, 8, 9)

  it("takes a sheet without tables as one", () => {
    assert.deepStrictEqual(read(rows).tables, [
      {
        sheet_name: "S",
        table_name: "full_sheet",
        range: "A1:C4",
        rows: 4,
        columns: 3,
        data: [
          [1, 2, 3],
          [4, null, 6],
          [null, null, null],
          [7, 8, 9]
        ]
      }
    ])
    assert.deepStrictEqual(read("").tables, [])
  })

  it("finds the tables that a sheet defines, in every mode", () => {
    const [sheets, source] = withTables(
      rows,
      definition("B1:C2", "Sales"),
      definition("A4:A4", "Total"),
      definition("oops", "Odd")
    )
    for (const read_only of [true, false]) {
      const document = read(sheets, { read_only }, source)
      assert.deepStrictEqual(document.tables, [
        {
          sheet_name: "S",
          table_name: "Sales",
          range: "B1:C2",
          rows: 2,
          columns: 2,
          data: [
            [2, 3],
            [null, 6]
          ]
        },
        { sheet_name: "S", table_name: "Total", range: "A4:A4", rows: 1, columns: 1, data: [[7]] }
      ])
      assert.match(document.warnings.join(), /table2\.xml/)
    }
  })

  it("cuts tables to the rows and columns that are wanted, and says so", () => {
    const document = read(rows, { max_rows_per_table: 2, max_columns_per_table: 1 })
    assert.deepStrictEqual(document.tables, [
      {
        sheet_name: "S",
        table_name: "full_sheet",
        range: "A1:C4",
        rows: 2,
        columns: 1,
        data: [[1], [4]],
        truncated_rows: true,
        truncated_columns: true
      }
    ])
    const [sheets, source] = withTables(rows, definition("A2:C4", "T"))
    assert.deepStrictEqual(read(sheets, { max_rows_per_table: 1 }, source).tables?.[0]?.data, [[4, null, 6]])
    assert.strictEqual(
      read(rows, { max_rows_per_table: 4, max_columns_per_table: 3 }).tables?.[0]?.truncated_rows,
      undefined
    )
  })

  it("leaves blank rows and columns out where a far cell makes the sheet huge", () => {
    const far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    const document = read(far)
    assert.deepStrictEqual(document.tables, [
      {
        sheet_name: "S",
        table_name: "full_sheet",
        range: "A1:XFD1048576",
        rows: 2,
        columns: 2,
        data: [
          [1, null],
          [null, 2]
        ],
        sparse: true
      }
    ])
    assert.strictEqual(document.text, "Sheet: S\n1\n\t2")
    const error = failure(() => read(far, { include_empty_cells: true }))
    assert.strictEqual(error.limit, "cells")
    assert.include(error.message, "include_empty_cells")
  })

  it("bounds the blanks that tables are filled up with", () => {
    const small = { ...Limits.defaults, cells: 100 }
    const diagonal = Array.from(
      { length: 40 },
      (_, index) =>
        `<row r="${index + 1}"><c r="${"ABCDEFGHIJKLMNOPQRSTUVWXYZ".at(index % 26)}${index + 1}"><v>1</v></c></row>`
    ).join("")
    assert.strictEqual(failure(() => read(diagonal, {}, {}, small)).limit, "cells")
    assert.strictEqual(read(diagonal, { extract_tables: false }, {}, small).sheets?.[0]?.cell_count, 40)
  })
})

describe("Excel: formulas", () => {
  const rows =
    '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1*2</f><v>2</v></c></row>' +
    '<row r="2"><c r="A2"><f t="shared" ref="A2:A3" si="0">A1+$B$1</f><v>3</v></c><c r="B2"><f t="array" ref="B2">SUM(A1:A2)</f><v>4</v></c></row>' +
    '<row r="3"><c r="A3"><f t="shared" si="0"/><v>5</v></c><c r="B3"><f>NOW()</f></c><c r="C3" t="str"><f>""</f><v></v></c></row>'

  it("gives stored results, and warns where there is none", () => {
    const document = read(rows)
    assert.strictEqual(document.text, "Sheet: S\n1\t2\n3\t4\n5")
    assert.match(document.warnings.join(), /1 formulas of the sheet S have no stored result.*data_only/)
  })

  it("gives the formulas instead, shared ones worked out", () => {
    const document = read(rows, { data_only: false })
    assert.strictEqual(document.text, 'Sheet: S\n1\t=A1*2\n=A1+$B$1\t=SUM(A1:A2)\n=A2+$B$1\t=NOW()\t=""')
    assert.deepStrictEqual(document.warnings, [])
  })

  it("lists formulas in either mode", () => {
    for (const data_only of [true, false]) {
      assert.deepStrictEqual(
        read(rows, { extract_formulas: true, data_only }).formulas?.map(({ cell, formula }) => [cell, formula]),
        [
          ["B1", "=A1*2"],
          ["A2", "=A1+$B$1"],
          ["B2", "=SUM(A1:A2)"],
          ["A3", "=A2+$B$1"],
          ["B3", "=NOW()"],
          ["C3", '=""']
        ]
      )
    }
    assert.deepStrictEqual(read(rows, { extract_formulas: true }).formulas?.[0], {
      sheet_name: "S",
      cell: "B1",
      formula: "=A1*2",
      row: 1,
      column: 2
    })
  })
})

describe("Excel: beside the cells", () => {
  const rels = links(
    { kind: "comments", target: "../comments1.xml" },
    {
      kind: "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment",
      target: "../threadedComments/threadedComment1.xml"
    },
    { kind: "drawing", target: "../drawings/drawing1.xml" }
  )
  const parts: Parts = {
    "xl/comments1.xml":
      `<comments xmlns="${namespaces.x}"><authors><author>Ann</author><author>tc={1}</author></authors><commentList>` +
      `<comment ref="B2" authorId="0"><text><r><t>Why </t></r><r><t>so?</t></r></text></comment>` +
      `<comment ref="C3" authorId="1"><text><t>[Threaded comment] ...</t></text></comment></commentList></comments>`,
    "xl/threadedComments/threadedComment1.xml":
      `<tc:ThreadedComments ${xmlns}><tc:threadedComment ref="C3" personId="{P}" id="{1}"><tc:text>First</tc:text></tc:threadedComment>` +
      `<tc:threadedComment ref="C3" personId="{Q}" id="{2}" parentId="{1}"><tc:text>Reply</tc:text></tc:threadedComment></tc:ThreadedComments>`,
    "xl/persons/person.xml": `<tc:personList ${xmlns}><tc:person id="{P}" displayName="Bob"/></tc:personList>`,
    "xl/drawings/drawing1.xml":
      `<xdr:wsDr ${xmlns}>${anchor(picture("rId1"))}${anchor(`<xdr:grpSp>${picture("rId9")}</xdr:grpSp>`)}` +
      anchor("<xdr:sp><xdr:txBody><a:p><a:r><a:t>Boxed</a:t></a:r></a:p></xdr:txBody></xdr:sp>") +
      `${anchor('<xdr:graphicFrame><a:graphic><a:graphicData><c:chart r:id="rId2"/></a:graphicData></a:graphic></xdr:graphicFrame>')}</xdr:wsDr>`,
    "xl/drawings/_rels/drawing1.xml.rels": links(
      { kind: "image", target: "../media/image1.png" },
      { kind: "chart", target: "../charts/chart1.xml" }
    ),
    "xl/media/image1.png": png,
    "xl/charts/chart1.xml": `<c:chartSpace ${xmlns}><c:title><c:tx><c:rich><a:p><a:r><a:t>Growth</a:t></a:r></a:p></c:rich></c:tx></c:title></c:chartSpace>`
  }
  const sheets = [{ name: "S", rows: row(1, 1), rels }]

  it("gives notes and threads, each comment once", () => {
    assert.deepStrictEqual(read(sheets, { extract_comments: true }, { parts }).comments, [
      { sheet_name: "S", cell: "B2", author: "Ann", text: "Why so?", row: 2, column: 2 },
      { sheet_name: "S", cell: "C3", author: "Bob", text: "First", row: 3, column: 3 },
      { sheet_name: "S", cell: "C3", author: null, text: "Reply", row: 3, column: 3 }
    ])
  })

  it("gives images with the cell they hang at, text boxes and charts", () => {
    const document = read(sheets, { extract_images: true }, { parts })
    assert.deepStrictEqual(document.images, [
      {
        sheet_name: "S",
        image_index: 0,
        format: "png",
        content_type: "image/png",
        size_bytes: 8,
        data: png,
        anchor_cell: "B5"
      }
    ])
    assert.deepStrictEqual(document.sheets?.[0]?.text_boxes, ["Boxed"])
    assert.deepStrictEqual(document.sheets?.[0]?.charts, ["Growth"])
    assert.match(document.warnings.join(), /rId9/)
  })

  it("reads a chart sheet as a sheet without cells whose text is its chart and its text boxes", () => {
    const document = read(
      [{ name: "Chart", rows: "", rels: links({ kind: "drawing", target: "../drawings/drawing1.xml" }) }],
      {},
      {
        parts: {
          ...parts,
          "xl/_rels/workbook.xml.rels": links({ kind: "chartsheet", target: "worksheets/sheet1.xml" })
        }
      }
    )
    assert.strictEqual(document.text, "Sheet: Chart\nBoxed\nGrowth")
    assert.strictEqual(document.sheets?.[0]?.cell_count, 0)
    assert.deepStrictEqual(document.tables, [])
  })

  it("gives the properties with sheets and the names that people gave", () => {
    const { properties } = read(
      [
        { name: "A", rows: "" },
        { name: "B", rows: "", attributes: 'state="hidden"' }
      ],
      { extract_properties: true },
      {
        workbook:
          '<definedNames><definedName name="Rate">A!$A$1</definedName><definedName name="_xlnm.Print_Area">A!$A$1</definedName>' +
          '<definedName name="secret" hidden="1">A!$A$2</definedName></definedNames>'
      }
    )
    assert.deepStrictEqual(properties?.sheet_names, ["A", "B"])
    assert.strictEqual(properties?.sheet_count, 2)
    assert.deepStrictEqual(properties?.named_ranges, ["Rate"])
    assert.deepStrictEqual(properties?.defined_names, [{ name: "Rate", refers_to: "A!$A$1" }])
    assert.isNull(properties?.creator)
    assert.notProperty(read(row(1, 1), { extract_properties: true }).properties, "named_ranges")
  })

  it("warns of what is broken beside the cells, and fails for the cells", () => {
    const document = read(
      sheets,
      { extract_comments: true },
      { parts: { ...parts, "xl/comments1.xml": "<comments", "xl/styles.xml": "<x" } }
    )
    assert.strictEqual(document.comments?.length, 2)
    assert.match(document.warnings.join("\n"), /xl\/comments1\.xml is broken/)
    assert.match(document.warnings.join("\n"), /xl\/styles\.xml is broken/)
    const error = failure(() => read("<row>"))
    assert.strictEqual(error.reason, "Damaged")
    assert.include(error.message, "xl/worksheets/sheet1.xml")
    assert.strictEqual(failure(() => read(sheets, {}, { parts: { "xl/sharedStrings.xml": "<sst" } })).reason, "Damaged")
  })

  it("goes on without a sheet that is missing, unless all are", () => {
    const two = [
      { name: "A", rows: row(1, 1) },
      { name: "B", rows: row(1, 2) }
    ]
    const document = read(
      two,
      {},
      {
        parts: {
          "xl/_rels/workbook.xml.rels": links(
            { kind: "worksheet", target: "gone.xml" },
            { kind: "worksheet", target: "WORKSHEETS/Sheet2.xml" }
          )
        }
      }
    )
    assert.strictEqual(document.text, "Sheet: B\n2")
    assert.deepStrictEqual(document.warnings, ["The sheet A is not in the file"])
    assert.strictEqual(
      failure(() => read(two, {}, { parts: { "xl/_rels/workbook.xml.rels": links() } })).reason,
      "Damaged"
    )
    assert.strictEqual(failure(() => readExcel(makePptx([]), defaults)).reason, "NotThisFormat")
  })
})

describe("Excel: hostile workbooks", () => {
  it("lists, cuts and counts a long sheet, and stops a longer one at the limit of cells", () => {
    const document = read(longSheet(100_000), { max_rows_per_table: 10 })
    assert.strictEqual(document.sheets?.[0]?.max_row, 100_000)
    assert.strictEqual(document.sheets?.[0]?.cells.length, 1000)
    assert.strictEqual(document.tables?.[0]?.rows, 10)
    const million = "<row><c><v>7</v></c></row>".repeat(1_000_000)
    const error = failure(() => read(million, {}, {}, { ...Limits.defaults, ratio: 10_000, cells: 50_000 }))
    assert.strictEqual(error.limit, "cells")
  })

  it("bounds text that a million cells share, and formulas that many cells share", () => {
    const limits = { ...Limits.defaults, textLength: 100_000 }
    const shared = '<row><c t="s"><v>0</v></c></row>'.repeat(1000)
    assert.strictEqual(
      failure(() => read(shared, {}, { strings: `<si><t>${"x".repeat(1000)}</t></si>` }, limits)).limit,
      "textLength"
    )
    const formulas = `<row><c><f t="shared" si="0">${"A1+".repeat(300)}1</f></c></row>${'<row><c><f t="shared" si="0"/></c></row>'.repeat(1000)}`
    assert.strictEqual(failure(() => read(formulas, { data_only: false }, {}, limits)).limit, "textLength")
  })

  it("expands no entity of a DTD in the shared texts", () => {
    const document = read(
      '<row><c t="s"><v>0</v></c></row>',
      {},
      {
        parts: {
          "xl/sharedStrings.xml": `<!DOCTYPE sst [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><sst xmlns="${namespaces.x}"><si><t>x&b;</t></si></sst>`
        }
      }
    )
    assert.deepStrictEqual(values(document), [["A1", "x&b;"]])
  })

  it("ends in content or a DocumentError for any changed byte", () => {
    const bytes = makeXlsx([{ name: "S", rows: row(1, 1, 2) }], { strings: "<si><t>x</t></si>" })
    let readable = 0
    for (let position = 0; position < bytes.byteLength; position += 3) {
      const changed = Uint8Array.from(bytes)
      changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
      if (
        ending(() =>
          readExcel(changed, { ...defaults, extract_properties: true, extract_comments: true, extract_images: true })
        ) === undefined
      )
        readable++
    }
    assert.isAbove(readable, 0)
  })
})
