import { assert, describe, it } from "@effect/vitest"
import { readSharedStrings } from "../../../src/documents/excel/ExcelStrings.ts"
import { defaults, makeBudget } from "../../../src/documents/Limits.ts"
import * as WorkTime from "../../support/WorkTime.ts"

const strings = (...items: ReadonlyArray<string>): ReadonlyArray<string> =>
  readSharedStrings(
    Buffer.from(
      `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">${items.map((item) => `<si>${item}</si>`).join("")}</sst>`
    ),
    "xl/sharedStrings.xml",
    makeBudget(defaults)
  ).texts

const above = (text: string) => `<r><rPr><vertAlign val="superscript"/></rPr><t>${text}</t></r>`
const run = (text: string) => `<r><t>${text}</t></r>`

describe("a rich string", () => {
  it("keeps powers, fonts and escapes of its runs, and nothing of the string before", () => {
    assert.deepStrictEqual(
      strings(
        `${run("10")}${above("1")}${above("2")}${run(" m")}${above("2")}`,
        above("2"),
        `${run("a_x0041")}${run("_b")}`,
        `<t>10</t>${above("3")}<rPh sb="0" eb="1"><t>ten</t></rPh>`,
        `<r><rPr><rFont val="Wingdings"/></rPr><t>ü</t></r>${run("ü")}`
      ),
      ["10^12 m2", "2", "a_x0041_b", "10^3", "✓ü"]
    )
  })

  it("takes time by its runs, not by their square", () => {
    for (const runs of [run("a1"), `${above("1")}${run("a")}`]) {
      const many = runs.repeat(200_000)
      assert.isBelow(
        WorkTime.of(() => {
          assert.isAtLeast(strings(many)[0]?.length ?? 0, 400_000)
        }),
        4_000
      )
    }
  })
})
