import { assert, describe, it } from "@effect/vitest"
import * as Limits from "../../../src/documents/Limits.ts"
import { readWord } from "../../../src/documents/word/WordReader.ts"
import * as Word from "../../../src/documents/word/WordDocument.ts"
import { makeDocx } from "../Packages.ts"

const escaped = (value: string) => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
const run = (inner: string) => `<w:r>${inner}</w:r>`
const text = (value: string) => run(`<w:t xml:space="preserve">${escaped(value)}</w:t>`)
const mark = (type: string) => run(`<w:fldChar w:fldCharType="${type}"/>`)
const code = (value: string) => run(`<w:instrText xml:space="preserve">${escaped(value)}</w:instrText>`)
const field = (...inner: ReadonlyArray<string>) => mark("begin") + inner.join("") + mark("end")
const textOf = (...inner: ReadonlyArray<string>) =>
  readWord(makeDocx(`<w:p>${inner.join("")}</w:p>`), Word.defaults, Limits.defaults).text

const equations: ReadonlyArray<readonly [code: string, expected: string]> = [
  ["\\f(1,2)", "1/2"],
  ["\\F(x+1;2a)", "(x+1)/(2a)"],
  ["\\f(1,5;2)", "1,5/2"],
  ["\\f(\\f(1,2),3)", "(1/2)/3"],
  ["\\f((a,b),2)", "(a,b)/2"],
  ["3\\f(1,4)cm", "3 1/4 cm"],
  ["\\r(2)", "√2"],
  ["\\r(3,x+1)", "∛(x+1)"],
  ["\\r(5,32)", "√(5&32)"],
  ["x\\s\\up8(2)", "x^2"],
  ["10\\s\\up 5(-3)", "10^-3"],
  ["CO\\s\\do4(2)", "CO_2"],
  ["x\\s(2,i)", "x^2_i"],
  ["\\i\\su(i=1,n,i)", "∑_(i=1)^n i"],
  ["\\i \\in (0,1,f dx)", "∫_0^1 f dx"],
  ["\\i\\pr(k,n,k)", "∏_k^n k"],
  ["\\b(\\f(n,k))", "(n/k)"],
  ["\\b\\lc\\{\\rc\\}(a)", "{a}"],
  ["\\b\\lc\\|\\rc\\|(x)", "|x|"],
  ["\\b\\bc\\[(\\a\\al\\co2\\vs3\\hs3(1,2,3,4))", "[1, 2; 3, 4]"],
  ["\\b\\lc\\{(\\a(x=1,y=2))", "{x=1; y=2"],
  ["\\l(A,B,C)", "A,B,C"],
  ["\\o(x,¯)", "x\u0305"],
  ["\\o\\ac(○,3)", "3\u20dd"],
  ['\\* jc2 \\* "Font:MS Mincho" \\* hps10 \\o\\ad(\\s\\up 9(かんじ),漢字)', "漢字"],
  ["a\\d\\fo20\\li()b", "a b"],
  ["\\x\\to(x)", "x\u0305"],
  ["\\x\\to\\bo(x=2)", "x=2"],
  ["\\f(1\\,5,\\(2\\))", "1,5/(2)"],
  ["\\f(1,2", "1/2"],
  ["\\q(1)\\", "q(1)"]
]

describe("EQ fields of Word", () => {
  it.each(equations)("%s keep their value on one line", (equation, expected) => {
    assert.strictEqual(textOf(field(code(` EQ ${equation} `))), expected)
  })

  it("do not run into the text around them", () => {
    assert.strictEqual(textOf(text("2"), field(code("eq \\f(1,2)")), text("cups")), "2 1/2 cups")
    assert.strictEqual(textOf(text("x = "), field(code("eq \\r(2)")), text(".")), "x = √2.")
    assert.strictEqual(textOf(text("n"), field(code("eq ")), text("o")), "no")
  })

  it("have in their code what fields, runs and symbols within them show", () => {
    const reference = field(code(" REF price "), mark("separate"), text("12"))
    assert.strictEqual(textOf(field(code(" EQ \\f("), reference, code(",4)"))), "12/4")
    assert.strictEqual(textOf(field(code(" EQ \\f("), text("7"), code(",8)"))), "7/8")
    const micro = run('<w:sym w:font="Symbol" w:char="F06D"/>')
    assert.strictEqual(textOf(field(code(" EQ \\f("), micro, code(",s)"))), "µ/s")
    assert.strictEqual(textOf(field(code(" EQ \\f("), field(code(" SYMBOL 109 \\f Symbol ")), code(",s)"))), "µ/s")
  })

  it("are read where they stand as simple fields, or with a result that is empty", () => {
    assert.strictEqual(textOf('<w:fldSimple w:instr=" EQ \\f(1,2) "/>'), "1/2")
    assert.strictEqual(textOf(`<w:fldSimple w:instr=" EQ \\f(1,2) ">${text("half")}</w:fldSimple>`), "half")
    assert.strictEqual(textOf(field(code(" EQ \\f(3,4) "), mark("separate"))), "3/4")
    assert.strictEqual(textOf(field(code(" EQ \\f(3,4) "), mark("separate"), text("0.75"))), "0.75")
  })

  it("end however they are nested", () => {
    assert.include(textOf(text("a "), field(code(` EQ ${"\\f(1,".repeat(2_000)}`))), "a ")
    assert.include(textOf(text("a "), field(code(` EQ ${"\\a \\co".repeat(2_000)}`))), "a ")
    assert.include(textOf(text("a "), field(code(` EQ ${"\\r()".repeat(2_000)}`))), "a ")
  })
})
