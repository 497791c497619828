import { assert, describe, it } from "@effect/vitest"
import * as Limits from "../../src/documents/Limits.ts"
import { readExcel } from "../../src/documents/excel/ExcelReader.ts"
import * as Excel from "../../src/documents/excel/ExcelDocument.ts"
import { readPowerPoint } from "../../src/documents/powerpoint/PowerPointReader.ts"
import * as PowerPoint from "../../src/documents/powerpoint/PowerPointDocument.ts"
import { readWord } from "../../src/documents/word/WordReader.ts"
import * as Word from "../../src/documents/word/WordDocument.ts"
import { links, makeDocx, makePptx, makeXlsx, xmlns } from "./Packages.ts"

const r = (text: string) => `<m:r><m:t xml:space="preserve">${text}</m:t></m:r>`
const e = (inner: string) => `<m:e>${inner}</m:e>`
const f = (numerator: string, denominator: string, properties = "") =>
  `<m:f>${properties}<m:num>${numerator}</m:num><m:den>${denominator}</m:den></m:f>`
const sup = (base: string, exponent: string) => `<m:sSup>${e(base)}<m:sup>${exponent}</m:sup></m:sSup>`
const sub = (base: string, index: string) => `<m:sSub>${e(base)}<m:sub>${index}</m:sub></m:sSub>`
const d = (properties: string, ...entries: ReadonlyArray<string>) =>
  `<m:d><m:dPr>${properties}</m:dPr>${entries.map(e).join("")}</m:d>`
const row = (...cells: ReadonlyArray<string>) => `<m:mr>${cells.map((cell) => e(r(cell))).join("")}</m:mr>`
const rad = (degree: string, content: string) =>
  `<m:rad><m:radPr>${degree === "" ? '<m:degHide m:val="on"/>' : ""}</m:radPr><m:deg>${degree}</m:deg>${e(content)}</m:rad>`
const nary = (sign: string, lower: string, upper: string, content: string) =>
  `<m:nary><m:naryPr>${sign}</m:naryPr><m:sub>${lower}</m:sub><m:sup>${upper}</m:sup>${e(content)}</m:nary>`
const set = (name: string, value: string) => `<m:${name} m:val="${value}"/>`

const cases: ReadonlyArray<readonly [formula: string, expected: string]> = [
  [f(r("x+1"), r("2a")), "(x+1)/(2a)"],
  [f(r("distance"), r("time")), "distance/time"],
  [r("2") + f(r("1"), r("2")), "2 1/2"],
  [f(f(r("1"), r("2")), r("3")), "(1/2)/3"],
  [d("", f(r("n"), r("k"), `<m:fPr>${set("type", "noBar")}</m:fPr>`)), "(n¦k)"],
  [r("1.5×") + sup(r("10"), r("−3")), "1.5×10^−3"],
  [sup(r("x"), r("2")) + r("y"), "x^2 y"],
  [sup(d("", r("a+b")), r("n+1")), "(a+b)^(n+1)"],
  [sup(f(r("1"), r("2")), r("n")), "(1/2)^n"],
  [sub(r("CO"), r("2")), "CO_2"],
  [`<m:sSubSup>${e(r("x"))}<m:sub>${r("i")}</m:sub><m:sup>${r("2")}</m:sup></m:sSubSup>`, "x_i^2"],
  [`<m:sPre><m:sub>${r("6")}</m:sub><m:sup>${r("14")}</m:sup>${e(r("C"))}</m:sPre>`, "(_6^14)C"],
  [d(set("begChr", "[") + set("endChr", "]") + set("sepChr", ";"), r("a"), r("b")), "[a;b]"],
  [d(set("begChr", "|") + set("endChr", "|"), r("x")), "|x|"],
  [
    d(set("begChr", "{") + set("endChr", ""), `<m:eqArr>${e(r("x&amp;, x&gt;0"))}${e(r("−x&amp;, x&lt;0"))}</m:eqArr>`),
    "{x, x>0; −x, x<0"
  ],
  [d("", `<m:m>${row("1", "2")}${row("3", "4")}</m:m>`), "(1, 2; 3, 4)"],
  [`<m:m>${row("a", "b")}</m:m>`, "[a, b]"],
  [nary(set("chr", "∏"), r("k=0"), r("n−1"), f(r("1"), r("k"))), "∏_(k=0)^(n−1) 1/k"],
  [nary("", r("0"), r("∞"), r("f dx")), "∫_0^∞ f dx"],
  [nary(set("chr", "∑") + set("subHide", "1") + set("supHide", "1"), "", "", d("", r("x"))), "∑(x)"],
  [rad("", r("x+1")), "√(x+1)"],
  [rad(r("3"), r("8")), "∛8"],
  [rad(r("5"), r("32")), "√(5&32)"],
  [`<m:func><m:fName>${r("sin")}</m:fName>${e(r("x"))}</m:func>`, "sin x"],
  [r("cos\u2061θ"), "cos θ"],
  [
    `<m:func><m:fName><m:limLow>${e(r("lim"))}<m:lim>${r("x→0")}</m:lim></m:limLow></m:fName>${e(d("", r("x")))}</m:func>`,
    "lim_(x→0)(x)"
  ],
  [`<m:acc><m:accPr>${set("chr", "\u20d7")}</m:accPr>${e(r("v"))}</m:acc>`, "v\u20d7"],
  [`<m:bar><m:barPr>${set("pos", "top")}</m:barPr>${e(r("x"))}</m:bar>`, "x\u0305"],
  [`<m:borderBox>${e(r("x=2"))}</m:borderBox>`, "x=2"],
  [`<m:phant><m:phantPr>${set("show", "0")}</m:phantPr>${e(r("hidden"))}</m:phant>${r("y")}`, "y"]
]

const inSlide = (formula: string) =>
  readPowerPoint(
    makePptx([
      `<p:sp><p:txBody><a:p><a14:m xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main"><m:oMathPara><m:oMath>${formula}</m:oMath></m:oMathPara></a14:m></a:p></p:txBody></p:sp>`
    ]),
    PowerPoint.defaults
  ).text

const inDocument = (inner: string) => readWord(makeDocx(`<w:p>${inner}</w:p>`), Word.defaults, Limits.defaults).text

const text = (value: string) => `<w:r><w:t xml:space="preserve">${value}</w:t></w:r>`

describe("Formulas", () => {
  it.each(cases)("%#: keep their value on one line in Word and PowerPoint", (formula, expected) => {
    assert.strictEqual(inDocument(`<m:oMath>${formula}</m:oMath>`), expected)
    assert.strictEqual(inSlide(formula), expected)
  })

  it("do not run into the text around them", () => {
    const half = `<m:oMath>${f(r("1"), r("2"))}</m:oMath>`
    assert.strictEqual(inDocument(`${text("2")}${half}${text("cups")}`), "2 1/2 cups")
    assert.strictEqual(inDocument(`${text("a ")}${half}${text(", b")}`), "a 1/2, b")
    assert.strictEqual(inDocument(`${text("a")}<m:oMath>${r("b")}</m:oMath>${text("c")}`), "abc")
  })

  it("are no digits of the number that runs stand above or below", () => {
    const raised = (value: string, align: string) =>
      `<w:r><w:rPr><w:vertAlign w:val="${align}"/></w:rPr><w:t xml:space="preserve">${value}</w:t></w:r>`
    assert.strictEqual(
      inDocument(
        `${text("10")}${raised("6", "superscript")}${text(", 101")}${raised("2", "subscript")}${text("; 4")}${raised("th", "superscript")}${text(" m")}${raised("2", "superscript")}`
      ),
      "10^6, 101_2; 4th m2"
    )
    const slide = `<p:sp><p:txBody><a:p><a:r><a:t>10</a:t></a:r><a:r><a:rPr baseline="30000"/><a:t>−3</a:t></a:r><a:r><a:rPr baseline="0"/><a:t>1</a:t></a:r></a:p></p:txBody></p:sp>`
    assert.strictEqual(readPowerPoint(makePptx([slide]), PowerPoint.defaults).text, "10^−31")
    const runs = `<r><t>10</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>6</t></r><r><t> kg</t></r>`
    const row = `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is>${runs}</is></c></row>`
    const workbook = makeXlsx([{ name: "S", rows: row }], { strings: `<si>${runs}</si>` })
    assert.strictEqual(readExcel(workbook, Excel.defaults).text, "Sheet: S\n10^6 kg\t10^6 kg")
  })

  it("are none of it either where a style or a position raises them", () => {
    const run = (properties: string, value: string) => `<w:r><w:rPr>${properties}</w:rPr><w:t>${value}</w:t></w:r>`
    const style = (id: string, inner: string) => `<w:style w:type="character" w:styleId="${id}">${inner}</w:style>`
    const styled = (id: string, more = "") => run(`<w:rStyle w:val="${id}"/>${more}`, "6")
    const parts = {
      "word/_rels/document.xml.rels": links({ kind: "styles", target: "styles.xml" }),
      "word/styles.xml": `<w:styles ${xmlns}>${style("Up", '<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>')}${style("Based", '<w:basedOn w:val="Up"/>')}${style("Down", '<w:rPr><w:position w:val="-8"/></w:rPr>')}${style("Flat", '<w:basedOn w:val="Up"/><w:rPr><w:vertAlign w:val="baseline"/></w:rPr>')}</w:styles>`
    }
    const cases: ReadonlyArray<readonly [string, string]> = [
      [styled("Up"), "10^6"],
      [styled("Based"), "10^6"],
      [styled("Down"), "10_6"],
      [styled("Flat"), "106"],
      [styled("Up", '<w:vertAlign w:val="baseline"/>'), "106"],
      [run('<w:position w:val="6"/>', "6"), "10^6"],
      [run('<w:position w:val="-6"/>', "6"), "10_6"],
      [run('<w:position w:val="2"/>', "6"), "106"]
    ]
    for (const [raised, expected] of cases) {
      assert.strictEqual(readWord(makeDocx(`<w:p>${text("10")}${raised}</w:p>`, parts), Word.defaults).text, expected)
    }
  })

  it("are one number where it is cut into runs", () => {
    const raised = (value: string) => `<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>${value}</w:t></w:r>`
    assert.strictEqual(
      inDocument(`${text("10")}${raised("1")}${raised("2")}${text(" or 10")}${raised("3")}`),
      "10^12 or 10^3"
    )
    const high = (value: string) => `<a:r><a:rPr baseline="30000"/><a:t>${value}</a:t></a:r>`
    const low = "<a:r><a:t>10</a:t></a:r>"
    const slide = `<p:sp><p:txBody><a:p>${low}${high("1")}${high("2")}<a:r><a:t> </a:t></a:r>${low}${high("3")}</a:p></p:txBody></p:sp>`
    assert.strictEqual(readPowerPoint(makePptx([slide]), PowerPoint.defaults).text, "10^12 10^3")
    const sup = (value: string) => `<r><rPr><vertAlign val="superscript"/></rPr><t>${value}</t></r>`
    const runs = `<r><t>10</t></r>${sup("1")}${sup("2")}<r><t> 10</t></r>${sup("3")}`
    const row = `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is>${runs}</is></c></row>`
    const workbook = makeXlsx([{ name: "S", rows: row }], { strings: `<si>${runs}</si>` })
    assert.strictEqual(readExcel(workbook, Excel.defaults).text, "Sheet: S\n10^12 10^3\t10^12 10^3")
  })

  it("leave out what was deleted with changes tracked, the layout too", () => {
    const deleted = (inner: string) => `<w:del w:id="1">${inner}</w:del>`
    const gone = '<m:fPr><m:ctrlPr><w:del w:id="1"><w:rPr/></w:del></m:ctrlPr></m:fPr>'
    assert.strictEqual(
      inDocument(`<m:oMath>${sup(r("x"), deleted(r("2")) + `<w:ins>${r("3")}</w:ins>`)}</m:oMath>`),
      "x^3"
    )
    assert.strictEqual(inDocument(`<m:oMath>${f(deleted(r("1")), deleted(r("2")), gone)}${r("y")}</m:oMath>`), "y")
    assert.strictEqual(inDocument(`<m:oMath>${f(r("1"), deleted(r("2")), gone)}</m:oMath>`), "1")
  })

  it("stand on lines of their own where Word sets them so", () => {
    const line = (value: string) => `<m:oMath>${r(value)}</m:oMath>`
    assert.strictEqual(inDocument(`<m:oMathPara>${line("a=1")}${line("b=2")}</m:oMathPara>`), "a=1\nb=2")
  })
})
