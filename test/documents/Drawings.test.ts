import { assert, describe, it } from "@effect/vitest"
import { readExcel } from "../../src/documents/excel/ExcelReader.ts"
import * as Excel from "../../src/documents/excel/ExcelDocument.ts"
import { readPowerPoint } from "../../src/documents/powerpoint/PowerPointReader.ts"
import * as PowerPoint from "../../src/documents/powerpoint/PowerPointDocument.ts"
import { readWord } from "../../src/documents/word/WordReader.ts"
import * as Word from "../../src/documents/word/WordDocument.ts"
import { links, makeDocx, makePptx, makeXlsx, namespaces, type Parts, xmlns } from "./Packages.ts"

const a = (text: string) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`

/** The text of a chart or diagram in a document of each of the three formats. */
const inEach = (element: string, kind: string, parts: Parts): ReadonlyArray<string | undefined> => {
  const graphic = `<a:graphic><a:graphicData>${element}</a:graphicData></a:graphic>`
  const rels = (target: string) => links({ id: "rId5", kind, target })
  const word = readWord(
    makeDocx(`<w:p><w:r><w:drawing>${graphic}</w:drawing></w:r></w:p>`, {
      "word/_rels/document.xml.rels": rels("/part.xml"),
      ...parts
    }),
    Word.defaults
  )
  const powerPoint = readPowerPoint(
    makePptx([`<p:graphicFrame>${graphic}</p:graphicFrame>`], {
      "ppt/slides/_rels/slide1.xml.rels": rels("/part.xml"),
      ...parts
    }),
    PowerPoint.defaults
  )
  const excel = readExcel(
    makeXlsx([{ name: "S", rows: "", rels: links({ kind: "drawing", target: "../drawings/d.xml" }) }], {
      parts: {
        "xl/drawings/d.xml": `<xdr:wsDr ${xmlns}><xdr:twoCellAnchor><xdr:graphicFrame>${graphic}</xdr:graphicFrame></xdr:twoCellAnchor></xdr:wsDr>`,
        "xl/drawings/_rels/d.xml.rels": rels("/part.xml"),
        ...parts
      }
    }),
    Excel.defaults
  )
  const [sheet] = excel.sheets ?? []
  return [
    word.blocks?.map((block) => (block.type === "image" ? "" : block.text)).join("\n"),
    powerPoint.text,
    [...(sheet?.charts ?? []), ...(sheet?.diagrams ?? [])].join("\n")
  ]
}

const chart = (inner: string, parts: Parts = {}) =>
  inEach('<c:chart r:id="rId5"/>', "chart", {
    "part.xml": `<c:chartSpace ${xmlns} xmlns:c15="http://schemas.microsoft.com/office/drawing/2012/chart">${inner}</c:chartSpace>`,
    ...parts
  })

const diagram = (points: string, connections: string) =>
  inEach('<dgm:relIds r:dm="rId5"/>', "diagramData", {
    "part.xml": `<dgm:dataModel ${xmlns}><dgm:ptLst>${points}</dgm:ptLst><dgm:cxnLst>${connections}</dgm:cxnLst></dgm:dataModel>`
  })

const cache = (format: string, ...values: ReadonlyArray<string>) =>
  `<c:numRef><c:numCache><c:formatCode>${format}</c:formatCode>${values.map((value, index) => `<c:pt idx="${index}"><c:v>${value}</c:v></c:pt>`).join("")}</c:numCache></c:numRef>`
const plot = (series: string, axes = "") =>
  `<c:chart><c:plotArea><c:lineChart>${series}<c:axId val="1"/></c:lineChart>${axes}</c:plotArea></c:chart>`

const everywhere = (found: ReadonlyArray<string | undefined>, expected: string) => {
  for (const text of found) assert.strictEqual(text, expected)
}

describe("Charts", () => {
  it("show dates and times as their format code says", () => {
    const series = (categories: string, values: string) =>
      plot(`<c:ser><c:cat>${categories}</c:cat><c:val>${values}</c:val></c:ser>`)
    everywhere(
      chart(series(cache("d\\/m\\/yy;@", "45292", "45293.0"), cache("0%", "0.5", "1"))),
      "2024-01-01\t0.5\n2024-01-02\t1"
    )
    everywhere(chart(series(cache("General", "1", "2"), cache("hh:mm", "0.5", "0.75"))), "1\t12:00:00\n2\t18:00:00")
    everywhere(chart(`<c:date1904 val="1"/>${series(cache("yyyy", "0"), cache("General", "7"))}`), "1904-01-01\t7")
    const mixed = `<c:numLit><c:formatCode>General</c:formatCode><c:pt idx="0" formatCode="mmm\\-yy"><c:v>45292</c:v></c:pt><c:pt idx="1"><c:v>5</c:v></c:pt></c:numLit>`
    everywhere(chart(series(mixed, cache("General", "1", "2"))), "2024-01-01\t1\n5\t2")
  })

  it("take the format of a date axis where the numbers have none", () => {
    const axis = `<c:dateAx><c:axId val="1"/><c:numFmt formatCode="mmm yyyy"/></c:dateAx>`
    const series = `<c:ser><c:cat>${cache("General", "45292")}</c:cat><c:val>${cache("General", "45292")}</c:val></c:ser>`
    everywhere(chart(plot(series, axis)), "2024-01-01\t45292")
    everywhere(chart(plot(series, axis.replace('val="1"', 'val="2"'))), "45292\t45292")
  })

  it("have labels of their own, from cells too", () => {
    const label = (index: number, inner: string) => `<c:dLbl><c:idx val="${index}"/>${inner}</c:dLbl>`
    const rich = (inner: string) => `<c:tx><c:rich><a:p>${inner}</a:p></c:rich></c:tx>`
    const fld = (type: string) => `<a:fld type="${type}"><a:t>[${type}]</a:t></a:fld>`
    const range = `<c:extLst><c:ext><c15:datalabelsRange><c15:dlblRangeCache><c:pt idx="0"><c:v>from cell</c:v></c:pt><c:pt idx="2"><c:v>third</c:v></c:pt></c15:dlblRangeCache></c15:datalabelsRange></c:ext></c:extLst>`
    const shows = `<c:extLst><c:ext><c15:showDataLabelsRange val="1"/></c:ext></c:extLst>`
    const labels =
      label(0, rich(`<a:r><a:t>strike: </a:t></a:r>${fld("CELLRANGE")}`)) +
      label(1, rich(`${fld("CATEGORYNAME")}<a:r><a:t>=</a:t></a:r>${fld("VALUE")}`)) +
      label(3, `<c:delete val="1"/>${rich("<a:r><a:t>gone</a:t></a:r>")}`)
    const series = `<c:ser><c:tx><c:v>S</c:v></c:tx><c:dLbls>${labels}${shows}</c:dLbls><c:cat>${cache("General", "1", "2")}</c:cat><c:val>${cache("General", "3", "4")}</c:val>${range}</c:ser>`
    everywhere(chart(plot(series)), "\tS\n1\t3\n2\t4\nstrike: from cell\n2=4\nthird")
  })

  it("have labels that show a cell, and sizes of bubbles", () => {
    const linked = `<c:dLbls><c:dLbl><c:idx val="1"/><c:tx><c:strRef><c:f>S!A1</c:f><c:strCache><c:pt idx="0"><c:v>peak_x0020_load</c:v></c:pt></c:strCache></c:strRef></c:tx></c:dLbl></c:dLbls>`
    const bubbles = (name: string, sizes: string) =>
      `<c:ser><c:tx><c:v>${name}</c:v></c:tx>${linked}<c:xVal>${cache("General", "1", "2")}</c:xVal><c:yVal>${cache("General", "3", "4")}</c:yVal>${sizes}</c:ser>`
    const sized = bubbles("Sales", `<c:bubbleSize>${cache("General", "50", "60")}</c:bubbleSize>`)
    everywhere(chart(plot(sized)), "\tSales\n1\t3\t50\n2\t4\t60\npeak load")
    everywhere(
      chart(plot(sized + bubbles("Plain", ""))),
      "\tSales\t\tPlain\n1\t3\t50\t3\n2\t4\t60\t4\npeak load\npeak load"
    )
  })

  it("have shapes drawn on them, names of units and of trends", () => {
    const shapes = `<c:userShapes ${xmlns} xmlns:cdr="http://schemas.openxmlformats.org/drawingml/2006/chartDrawing"><cdr:absSizeAnchor><cdr:grpSp><cdr:sp><cdr:txBody>${a("forecast")}</cdr:txBody></cdr:sp></cdr:grpSp></cdr:absSizeAnchor></c:userShapes>`
    const units = `<c:valAx><c:dispUnits><c:dispUnitsLbl><c:tx><c:rich>${a("in millions")}</c:rich></c:tx></c:dispUnitsLbl></c:dispUnits></c:valAx>`
    const trend = "<c:trendline><c:name>growth</c:name></c:trendline>"
    const inner = `${plot(`<c:ser>${trend}<c:val>${cache("General", "3")}</c:val></c:ser>`, units)}<c:userShapes r:id="rId1"/>`
    const found = chart(inner, {
      "_rels/part.xml.rels": links({ kind: "chartUserShapes", target: "shapes.xml" }),
      "shapes.xml": shapes
    })
    everywhere(found, "in millions\n\t3\ngrowth\nforecast")
  })

  it("of Office 2016 show dates by the format of their level", () => {
    const cx = "http://schemas.microsoft.com/office/drawing/2014/chartex"
    const part = `<cx:chartSpace xmlns:cx="${cx}" xmlns:a="${namespaces.a}"><cx:chartData><cx:data><cx:numDim type="val"><cx:lvl formatCode="m/d/yyyy"><cx:pt idx="0">45292</cx:pt></cx:lvl></cx:numDim></cx:data></cx:chartData></cx:chartSpace>`
    everywhere(inEach(`<cx:chart xmlns:cx="${cx}" r:id="rId5"/>`, "chartEx", { "part.xml": part }), "2024-01-01")
  })
})

describe("Diagrams", () => {
  const point = (id: string, text: string, type = "") =>
    `<dgm:pt modelId="${id}" ${type === "" ? "" : `type="${type}"`}><dgm:t>${text === "" ? "<a:p/>" : a(text)}</dgm:t></dgm:pt>`
  const connection = (from: string, to: string, order: number, more = "") =>
    `<dgm:cxn srcId="${from}" destId="${to}" srcOrd="${order}" ${more}/>`

  it("are read by their connections, each shape with what stands below it", () => {
    const points = [point("c", "child of one"), point("2", "two"), point("1", "one"), point("0", "", "doc")].join("")
    const connections = connection("0", "2", 1) + connection("0", "1", 0) + connection("1", "c", 0)
    everywhere(diagram(points, connections), "one\nchild of one\ntwo")
  })

  it("tell what is written on their arrows between the shapes, and nothing of how they are drawn", () => {
    const points = [
      point("0", "", "doc"),
      point("1", "one"),
      point("2", "two"),
      point("s", "then", "sibTrans"),
      point("p", "", "pres")
    ].join("")
    const connections =
      connection("2", "p", 0, 'type="presOf"') +
      connection("0", "2", 1) +
      connection("0", "1", 0, 'sibTransId="s"') +
      connection("p", "1", 9, 'type="presParOf"')
    everywhere(diagram(points, connections), "one\nthen\ntwo")
  })

  it("keep shapes that nothing leads to, and end when connections go round in circles", () => {
    const points = point("1", "one") + point("2", "two") + point("3", "alone")
    everywhere(diagram(points, connection("1", "2", 0) + connection("2", "1", 0)), "one\ntwo\nalone")
    everywhere(diagram(points, connection("2", "1", 0) + connection("2", "9", 1)), "two\none\nalone")
    everywhere(diagram(points, ""), "one\ntwo\nalone")
  })
})
