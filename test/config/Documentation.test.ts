import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import { envExample, markdownTable } from "../../src/config/Documentation.ts"
import { variables } from "../../src/config/Variables.ts"

const all = Object.values(variables)

describe("the documentation of the settings", () => {
  it("matches the checked-in .env.example", () => {
    const checkedIn = fs.readFileSync(new URL("../../.env.example", import.meta.url), "utf8")
    assert.strictEqual(checkedIn, envExample(), "write the text of envExample() to .env.example")
  })

  it("has one row for every variable", () => {
    const rows = markdownTable()
      .split("\n")
      .filter((line) => line.startsWith("| `"))
    assert.lengthOf(rows, all.length)
    for (const { name } of all) {
      assert.lengthOf(
        rows.filter((row) => row.startsWith(`| \`${name}\``)),
        1,
        name
      )
    }
    assert.isTrue(rows.every((row) => row.replaceAll("\\|", "").split("|").length === 7))
  })

  it("gives defaults that are valid, and secrets none", () => {
    for (const variable of all) {
      if (variable.default !== null) {
        assert.strictEqual(variable.decode({ text: variable.default, source: "test" })._tag, "Right", variable.name)
      }
      if (variable.secret) assert.isNull(variable.default)
    }
  })

  it("hides every secret in mistakes", () => {
    const named = all.filter(({ name }) => /KEY$|SECRET|CONNECTION_STRING/.test(name))
    assert.isAtLeast(named.length, 4)
    assert.isTrue(named.every((variable) => variable.secret))
  })
})
