import { assert, describe, it } from "@effect/vitest"
import { readExcel } from "../../../src/documents/excel/ExcelReader.ts"
import { defaults, type ExcelOptions } from "../../../src/documents/excel/ExcelDocument.ts"
import { links, makePackage, makeXlsx, namespaces, type Parts, png, type SheetSource, xmlns } from "../Packages.ts"

const read = (sheet: Partial<SheetSource>, parts: Parts = {}, source = {}, options: Partial<ExcelOptions> = {}) =>
  readExcel(makeXlsx([{ name: "S", rows: "", ...sheet }], { ...source, parts }), {
    ...defaults,
    extract_images: true,
    ...options
  })

const text = (cell: string, value: string, style = 0) =>
  `<c r="${cell}" s="${style}" t="inlineStr"><is><t>${value}</t></is></c>`
const row = (...cells: ReadonlyArray<string>) => `<row r="1">${cells.join("")}</row>`

describe("Excel: around the cells", () => {
  it("puts what floats above the cells behind the rows of its sheet, with as many characters as it says", () => {
    const a = (value: string) => `<a:p><a:r><a:t>${value}</a:t></a:r></a:p>`
    const anchor = (inner: string) => `<xdr:absoluteAnchor>${inner}</xdr:absoluteAnchor>`
    const document = read(
      { rows: row(text("A1", "cell")), rels: links({ kind: "drawing", target: "../d.xml" }) },
      {
        "xl/d.xml": `<xdr:wsDr ${xmlns}>${anchor(`<xdr:grpSp><xdr:sp><xdr:txBody>${a("box 😀")}${a("two")}</xdr:txBody></xdr:sp></xdr:grpSp>`)}${anchor(
          '<xdr:graphicFrame><a:graphic><a:graphicData><dgm:relIds r:dm="rId1"/></a:graphicData></a:graphic></xdr:graphicFrame>'
        )}</xdr:wsDr>`,
        "xl/_rels/d.xml.rels": links({ kind: "diagramData", target: "data.xml" }),
        "xl/data.xml": `<dgm:dataModel ${xmlns}><dgm:ptLst><dgm:pt><dgm:t>${a("step")}</dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>`
      }
    )
    assert.strictEqual(document.text, "Sheet: S\ncell\nbox 😀\ntwo\nstep")
    assert.strictEqual(document.sheets?.[0]?.char_count, 19)
    assert.deepStrictEqual(document.sheets?.[0]?.text_boxes, ["box 😀\ntwo"])
    assert.deepStrictEqual(document.sheets?.[0]?.diagrams, ["step"])
  })

  it("gives the headers and footers that count, without fields and looks", () => {
    const cases: ReadonlyArray<readonly [stored: string, header: string | undefined]> = [
      ["&amp;LLeft&amp;CMiddle&amp;RRight", "Left\tMiddle\tRight"],
      ["no section", "no section"],
      ['&amp;C&amp;"Arial,Bold"&amp;14&amp;KFF0000Offer &amp;&amp; order', "Offer & order"],
      ["&amp;K01+000Net 30", "Net 30"],
      ["&amp;L&amp;A: list&amp;R&amp;D &amp;T", "S: list"],
      ["&amp;C&amp;A&amp;R&amp;P/&amp;N", undefined],
      ["&amp;Lone_x000D_&#10;two", "one\ntwo"],
      ["&amp;L&amp;B Draft &amp;B&amp;P+1 pages", "Draft pages"],
      ['&amp;L&amp;"Wingdings,Regular"\u00fc&amp;"Arial,Regular" checked', "✓ checked"],
      ["&amp;L10&amp;X6&amp;X cells per mm&amp;X3", "10^6 cells per mm3"],
      ["&amp;C2&amp;Y10&amp;Y0&amp;R5&amp;X&amp;14 2", "2_100\t5 2"]
    ]
    for (const [stored, header] of cases) {
      const document = read({ rest: `<headerFooter><oddHeader>${stored}</oddHeader></headerFooter>` })
      assert.deepStrictEqual(
        (document.headers ?? []).map((found) => found.text),
        header === undefined ? [] : [header],
        stored
      )
    }
    const all = `<oddHeader>odd</oddHeader><evenHeader>even</evenHeader><firstHeader>first</firstHeader><oddFooter>foot</oddFooter><evenFooter>foot</evenFooter>`
    const plain = read({ rows: row(text("A1", "x")), rest: `<headerFooter>${all}</headerFooter>` })
    assert.strictEqual(plain.text, "Sheet: S\nx\nodd\nfoot")
    assert.deepStrictEqual(plain.footers, [{ sheet_name: "S", text: "foot", char_count: 4 }])
    const apart = read({ rest: `<headerFooter differentOddEven="1" differentFirst="true">${all}</headerFooter>` })
    assert.deepStrictEqual(
      apart.headers?.map((found) => found.text),
      ["odd", "even", "first"]
    )
    assert.lengthOf(apart.footers ?? [], 1)
    assert.notProperty(read({}, {}, {}, { extract_headers_footers: false }), "headers")
  })

  it("reads the header of a chart sheet", () => {
    const document = readExcel(
      makePackage("xlsx", "xl/workbook.xml", {
        "xl/workbook.xml": `<workbook xmlns="${namespaces.x}" ${xmlns}><sheets><sheet name="C" sheetId="1" r:id="rId1"/></sheets></workbook>`,
        "xl/_rels/workbook.xml.rels": links({ kind: "chartsheet", target: "chartsheets/sheet1.xml" }),
        "xl/chartsheets/sheet1.xml": `<chartsheet xmlns="${namespaces.x}"><headerFooter><oddFooter>&amp;CSource: survey</oddFooter></headerFooter></chartsheet>`
      }),
      defaults
    )
    assert.strictEqual(document.text, "Sheet: C\nSource: survey")
  })
})

describe("Excel: symbol fonts", () => {
  const styles = `<fonts><font><name val="Calibri"/></font><font><name val="Wingdings"/></font></fonts><cellXfs><xf fontId="0"/><xf fontId="1"/></cellXfs>`

  it("shows the signs of cells and of runs in them", () => {
    const run = (value: string, font = "") =>
      `<r>${font === "" ? "" : `<rPr><rFont val="${font}"/></rPr>`}<t xml:space="preserve">${value}</t></r>`
    const document = read(
      {
        rows: row(
          text("A1", "\u00fc", 1),
          text("B1", "\u00fc", 0),
          `<c r="C1" t="inlineStr"><is>${run("50 ")}${run("m", "Symbol")}${run("g", "Calibri")}</is></c>`,
          `<c r="D1" s="1" t="s"><v>0</v></c>`,
          `<c r="E1" s="1" t="s"><v>1</v></c>`,
          `<c r="F1" s="1"><v>7</v></c>`,
          `<c r="G1" s="1" t="str"><f>X</f><v>\u00a8</v></c>`
        )
      },
      {},
      {
        styles,
        strings: `<si><t>\u00fe</t></si><si>${run("\uf0fe")}${run(" plain", "Calibri")}</si>`
      }
    )
    assert.strictEqual(document.text, "Sheet: S\n✓\tü\t50 µg\t☑\t☑ plain\t7\t☐")
  })
})

describe("Excel: rich values", () => {
  const rd = `xmlns="http://schemas.microsoft.com/office/spreadsheetml/2017/richdata"`
  const metadata = (count: number) =>
    `<metadata xmlns="${namespaces.x}" xmlns:q="http://schemas.microsoft.com/office/spreadsheetml/2017/richdata"><metadataTypes><metadataType name="XLDAPR"/><metadataType name="XLRICHVALUE"/></metadataTypes>` +
    `<futureMetadata name="XLRICHVALUE">${Array.from({ length: count }, (_, index) => `<bk><extLst><ext><q:rvb i="${index}"/></ext></extLst></bk>`).join("")}</futureMetadata>` +
    `<valueMetadata>${Array.from({ length: count }, (_, index) => `<bk><rc t="2" v="${index}"/></bk>`).join("")}</valueMetadata></metadata>`
  const structure = (type: string, ...keys: ReadonlyArray<string>) =>
    `<s t="${type}">${keys.map((key) => `<k n="${key}" t="s"/>`).join("")}</s>`
  const value = (place: number, ...values: ReadonlyArray<string>) =>
    `<rv s="${place}">${values.map((each) => `<v>${each}</v>`).join("")}</rv>`
  const parts = (structures: string, values: string, count: number): Parts => ({
    "xl/metadata.xml": metadata(count),
    "xl/richData/rdrichvaluestructure.xml": `<rvStructures ${rd}>${structures}</rvStructures>`,
    "xl/richData/rdrichvalue.xml": `<rvData ${rd}>${values}</rvData>`
  })
  const error = (cell: string, vm: number, stored = "#VALUE!") => `<c r="${cell}" t="e" vm="${vm}"><v>${stored}</v></c>`

  it("shows the names of data types and the errors that the format does not know", () => {
    const document = read(
      { rows: row(error("A1", 1), error("B1", 2), error("C1", 3), error("D1", 4, "#N/A")) },
      parts(
        structure("_linkedentity2", "%EntityId", "_DisplayString") + structure("_error", "colOffset", "errorType"),
        value(0, "1", "Contoso_x0020_Ltd") + value(1, "0", "8") + value(1, "0", "13") + value(1, "0", "6"),
        4
      )
    )
    assert.strictEqual(document.text, "Sheet: S\nContoso Ltd\t#SPILL!\t#CALC!\t#N/A")
    assert.deepStrictEqual(document.warnings, [])
  })

  it("gives pictures in cells among the images, and the words that stand for them", () => {
    const document = read(
      { rows: row(error("A1", 1), error("B2", 2), error("C3", 3)) },
      {
        ...parts(
          structure("_localImage", "_rvRel:LocalImageIdentifier", "CalcOrigin", "Text") +
            structure("_webimage", "WebImageIdentifier", "CalcOrigin"),
          value(0, "0", "5", "our logo") + value(1, "0", "1") + value(1, "1", "1"),
          3
        ),
        "xl/richData/richValueRel.xml": `<richValueRels xmlns="http://schemas.microsoft.com/office/spreadsheetml/2022/richvaluerel" xmlns:r="${namespaces.r}"><rel r:id="rId1"/></richValueRels>`,
        "xl/richData/_rels/richValueRel.xml.rels": links({ kind: "image", target: "../media/a.png" }),
        "xl/richData/rdRichValueWebImage.xml": `<webImagesSrd xmlns="http://schemas.microsoft.com/office/spreadsheetml/2020/richdatawebimage" xmlns:r="${namespaces.r}"><webImageSrd><address r:id="rId1"/><blip r:id="rId2"/></webImageSrd><webImageSrd><address r:id="rId1"/></webImageSrd></webImagesSrd>`,
        "xl/richData/_rels/rdRichValueWebImage.xml.rels": links(
          { kind: "hyperlink", target: "https://example.com/a.png", external: true },
          { kind: "image", target: "../media/a.png" }
        ),
        "xl/media/a.png": png
      }
    )
    assert.strictEqual(document.text, "Sheet: S\nour logo\n\t\thttps://example.com/a.png")
    assert.deepStrictEqual(
      document.images?.map(({ anchor_cell, format }) => [anchor_cell, format]),
      [
        ["A1", "png"],
        ["B2", "png"]
      ]
    )
  })

  it("keeps the stored value, with a warning, where the rich one is missing or unknown", () => {
    const missing = read({ rows: row(error("A1", 1), error("B1", 99)) })
    assert.strictEqual(missing.text, "Sheet: S\n#VALUE!\t#VALUE!")
    assert.match(missing.warnings.join(), /rich values/)
    const unknown = read({ rows: row(error("A1", 1)) }, parts(structure("_new", "x"), value(0, "1"), 1))
    assert.strictEqual(unknown.text, "Sheet: S\n#VALUE!")
    assert.lengthOf(unknown.warnings, 1)
    const plain = read({ rows: row('<c r="A1" vm="1"><v>5</v></c>') })
    assert.strictEqual(plain.text, "Sheet: S\n5")
    assert.deepStrictEqual(plain.warnings, [])
  })
})

describe("Excel: pictures in cells of WPS Office", () => {
  const cell = (name: string, id: string) =>
    `<c r="${name}" t="str"><f>_xlfn.DISPIMG("${id}",1)</f><v>=DISPIMG("${id}",1)</v></c>`
  const picture = (name: string, description: string, relationship: string) =>
    `<etc:cellImage><xdr:pic><xdr:nvPicPr><xdr:cNvPr id="2" name="${name}"${description}/></xdr:nvPicPr><xdr:blipFill><a:blip r:embed="${relationship}"/></xdr:blipFill></xdr:pic></etc:cellImage>`
  const parts: Parts = {
    "xl/cellimages.xml": `<etc:cellImages ${xmlns} xmlns:etc="http://www.wps.cn/officeDocument/2017/etCustomData">${picture("ID_1", ' descr="our stamp"', "rId1")}${picture("ID_2", "", "rId1")}</etc:cellImages>`,
    "xl/_rels/cellimages.xml.rels": links({ kind: "image", target: "media/a.png" }),
    "xl/media/a.png": png
  }

  it("are pictures, with what describes them as the text", () => {
    const { images, text, warnings } = read(
      { rows: row(cell("A1", "ID_1"), cell("B1", "ID_2"), cell("C1", "ID_1")) },
      parts
    )
    assert.strictEqual(text, "Sheet: S\nour stamp\t\tour stamp")
    assert.deepStrictEqual(
      images?.map(({ anchor_cell, format }) => [anchor_cell, format]),
      [
        ["A1", "png"],
        ["B1", "png"],
        ["C1", "png"]
      ]
    )
    assert.deepStrictEqual(warnings, [])
  })

  it("keep the stored text where they are not in the file, with a warning, and no other text is one", () => {
    const gone = read({ rows: row(cell("A1", "ID_9")) }, parts)
    assert.strictEqual(gone.text, 'Sheet: S\n=DISPIMG("ID_9",1)')
    assert.match(gone.warnings.join(), /pictures/)
    const none = read({ rows: row(cell("A1", "ID_1")) })
    assert.strictEqual(none.text, 'Sheet: S\n=DISPIMG("ID_1",1)')
    const plain = read({ rows: row('<c r="A1" t="str"><f>"="</f><v>=1+1</v></c>', text("B1", "=DISPIMG(x)")) }, parts)
    assert.strictEqual(plain.text, "Sheet: S\n=1+1\t=DISPIMG(x)")
    assert.deepStrictEqual(plain.warnings, [])
  })
})

describe("Excel: escapes", () => {
  it("are resolved in every place of texts, each by itself", () => {
    const document = readExcel(
      makeXlsx(
        [
          {
            name: "S_x0041_",
            rows: row(
              '<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>',
              '<c r="C1" t="inlineStr"><is><r><t>in_x00</t></r><r><t>41_ _x0042_</t></r></is></c>',
              '<c r="D1" t="str"><f>"_x0043_"</f><v>_x0043_</v></c>'
            ),
            rest: "<headerFooter><oddHeader>&amp;Lof _x0048_&amp;Rin &amp;A</oddHeader></headerFooter>",
            rels: links(
              { kind: "comments", target: "../comments.xml" },
              { kind: "threadedComment", target: "../threads.xml" },
              { kind: "table", target: "../table.xml" }
            )
          }
        ],
        {
          strings:
            "<si><t>A_x000D__x000A_B_x005F_x0041_</t></si><si><r><t>ri_x00</t></r><r><t>43_h_x0021_</t></r></si>",
          workbook: '<definedNames><definedName name="N_x0041_">"_x0042_"</definedName></definedNames>',
          parts: {
            "xl/comments.xml": `<comments xmlns="${namespaces.x}"><authors><author>Ann_x0020_B</author></authors><commentList><comment ref="A1" authorId="0"><text><r><t>x_x00</t></r><r><t>41_y_x0041_</t></r></text></comment></commentList></comments>`,
            "xl/threads.xml": `<ThreadedComments xmlns="${namespaces.tc}"><threadedComment ref="B1" personId="p"><text>one_x000A_two</text></threadedComment></ThreadedComments>`,
            "xl/persons/person.xml": `<personList xmlns="${namespaces.tc}"><person displayName="Cy_x0020_D" id="p"/></personList>`,
            "xl/table.xml": `<table xmlns="${namespaces.x}" displayName="T_x0041_" ref="A1:B1"/>`
          }
        }
      ),
      { ...defaults, extract_comments: true, extract_formulas: true, extract_properties: true }
    )
    assert.deepStrictEqual(document.tables?.[0], {
      sheet_name: "SA",
      table_name: "TA",
      range: "A1:B1",
      rows: 1,
      columns: 2,
      data: [["A\nB_x0041_", "ri_x0043_h!"]]
    })
    assert.strictEqual(document.text, "Sheet: SA\nA\nB_x0041_\tri_x0043_h!\tin_x0041_ B\tC\nof H\tin SA")
    assert.deepStrictEqual(
      document.comments?.map(({ author, text }) => [author, text]),
      [
        ["Ann B", "x_x0041_yA"],
        ["Cy D", "one\ntwo"]
      ]
    )
    assert.deepStrictEqual(
      document.formulas?.map(({ formula }) => formula),
      ['="C"']
    )
    assert.deepStrictEqual(document.properties?.sheet_names, ["SA"])
    assert.deepStrictEqual(document.properties?.defined_names, [{ name: "NA", refers_to: '"B"' }])
  })
})
