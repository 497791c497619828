import { assert, describe, it } from "@effect/vitest"
import * as FileNames from "../../src/embedded/FileNames.ts"

const exact = { foldsNames: false }
const folding = { foldsNames: true }

const parts = [
  "plain.txt",
  "a b c.txt",
  "größe ✓ 日本語 😀.pdf",
  "",
  ".hidden",
  "..",
  "...",
  ".properties",
  "trailing.",
  "trailing ",
  "100% done?.pdf",
  "%3F",
  "%",
  "%_",
  "%!",
  "x%!",
  `x%~${"0".repeat(32)}`,
  'a<b>c:d"e|f*g\\h',
  "tab\tnew\nline\u007f",
  "con",
  "CON.txt",
  "com1",
  "LPT9.tar.gz",
  "nul",
  "console.log",
  "a",
  "A",
  "\u00e9",
  "e\u0301",
  "ſ",
  "K"
]

describe("FileNames", () => {
  for (const [name, rules] of [
    ["exact", exact],
    ["folding", folding]
  ] as const) {
    it(`maps every part to a file name of its own and back, where names are ${name}`, () => {
      const names = parts.map((part) => FileNames.encode(part, rules))
      const key = (file: string) => (rules.foldsNames ? file.normalize("NFC").toLowerCase() : file)
      assert.strictEqual(new Set(names.map(key)).size, parts.length)
      for (const [index, file] of names.entries()) {
        assert.strictEqual(FileNames.decode(file, rules), parts[index], file)
        // oxlint-disable-next-line no-control-regex -- what Windows refuses
        assert.notMatch(file, /[\u0000-\u001f<>:"\\|?*/]|^\.|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i)
      }
    })
  }

  it("leaves names as people know them", () => {
    for (const part of ["Invoice 2026-01 (final).pdf", "größe.txt", "日本語.docx", "a,b;c='d'&e.csv"]) {
      assert.strictEqual(FileNames.encode(part, exact), part)
    }
  })

  it("shortens long parts to different names that every file system takes", () => {
    const long = [
      "x".repeat(241),
      "x".repeat(242),
      "é".repeat(500),
      "😀".repeat(500),
      "?".repeat(1024),
      "日".repeat(1000)
    ]
    const names = long.map((part) => FileNames.encode(part, exact))
    assert.strictEqual(new Set(names).size, long.length)
    for (const name of names) {
      assert.isAtMost(Buffer.byteLength(name), 240)
      assert.isTrue(FileNames.isShortened(name))
      assert.isUndefined(FileNames.decode(name, exact))
      assert.isFalse(/\p{Surrogate}/u.test(name))
    }
    assert.isFalse(FileNames.isShortened(FileNames.encode("x".repeat(240), exact)))
  })

  it("what a person called as no blob would be called is a blob of that name", () => {
    for (const name of ["100% done?.pdf", "%zz", "50%", "%3f", "con.txt"]) {
      assert.strictEqual(FileNames.decode(name, exact), name)
    }
    for (const name of [".DS_Store", ".git", ".properties"]) assert.isUndefined(FileNames.decode(name, exact))
  })

  it("random texts come back", () => {
    let seed = 7
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
    const alphabet = [..."aAbB.%~!_ ?*:éÉe\u0301ßſ日😀\t"]
    for (let round = 0; round < 5_000; round++) {
      const part = Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)] ?? "").join("")
      for (const rules of [exact, folding]) {
        assert.strictEqual(FileNames.decode(FileNames.encode(part, rules), rules), part)
      }
    }
  })
})
