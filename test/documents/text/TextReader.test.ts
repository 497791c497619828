import { assert, describe, it } from "@effect/vitest"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { readText } from "../../../src/documents/text/TextReader.ts"
import { defaultLimits, defaults, type TextLimits, type TextOptions } from "../../../src/documents/text/TextDocument.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const read = (
  text: string | Uint8Array,
  options: Partial<TextOptions> = {},
  name = "",
  limits: Partial<TextLimits> = {}
) =>
  readText(
    typeof text === "string" ? bytes(text) : text,
    { ...defaults, ...options },
    { ...defaultLimits, ...limits },
    { name }
  )

const refused = async (reading: Promise<unknown>): Promise<DocumentError> => {
  const error = await reading.then(
    () => assert.fail("was read"),
    (cause: unknown) => cause
  )
  assert.instanceOf(error, DocumentError)
  return error
}

describe("plain text", () => {
  it("has line ends of one kind, and no zeros", async () => {
    assert.deepStrictEqual(await read(`a\r\nb\rc\n\0d${" more words".repeat(20)}`), {
      type: "text",
      encoding: "utf-8",
      text: `a\nb\nc\nd${" more words".repeat(20)}`,
      properties: { line_count: 4 },
      warnings: []
    })
  })

  it("warns of broken characters, and stops at its limit", async () => {
    const broken = Uint8Array.from([...bytes("я".repeat(50)), 0xd1])
    assert.match((await read(broken)).warnings[0] ?? "", /broken.*utf-8/)
    assert.deepInclude(await refused(read("abcdef", {}, "", { textLength: 5 })), {
      reason: "LimitExceeded",
      limit: "textLength"
    })
    assert.strictEqual((await refused(read("a".repeat(100), {}, "", { textLength: 5 }))).limit, "textLength")
  })

  it("leaves documents that are none to those who read them", async () => {
    assert.match((await refused(read("%PDF-1.4"))).message, /pdf_extractor/)
    assert.strictEqual((await read("a,b,c\n1,2,3\n", {}, "x.csv")).type, "text")
  })
})

describe("JSON", () => {
  it("is its own text, and gives its data when asked", async () => {
    const text = '{"a": [1, "x"], "__proto__": {"b": 1}}'
    const document = await read(text, { extract_data: true })
    assert.strictEqual(document.type, "json")
    assert.strictEqual(document.text, text)
    assert.deepStrictEqual(document.properties, { root: "object", entry_count: 2, json_lines: false })
    assert.strictEqual(JSON.stringify(document.data), JSON.stringify(JSON.parse(text)))
    assert.notProperty(await read(text), "data")
  })

  it("is also a value a line", async () => {
    const document = await read('{"a":1}\n\n{"a":2}\n', { extract_data: true }, "x.jsonl")
    assert.deepStrictEqual(document.data, [{ a: 1 }, { a: 2 }])
    assert.deepInclude(document.properties, { json_lines: true, entry_count: 2 })
  })

  it("falls back to text where only the name says JSON, and fails where it must be", async () => {
    const document = await read("{ nearly: json }", {}, "x.json")
    assert.strictEqual(document.type, "text")
    assert.match(document.warnings[0] ?? "", /not valid JSON/)
    const error = await refused(read("{ nearly: json }", { format: "json" }))
    assert.strictEqual(error.reason, "Damaged")
  })

  it("is stopped when nested too deeply, brackets in strings aside", async () => {
    const deep = "[".repeat(200_000)
    assert.deepInclude(await refused(read(deep, { format: "json" })), { reason: "LimitExceeded", limit: "depth" })
    assert.strictEqual((await read(`["${deep}\\"${deep}"]`)).type, "json")
  })
})

describe("front matter", () => {
  it("keeps values as they are written where YAML would change them", async () => {
    const page = "---\ntitle: 2024\nversion: 1.10\nn: 007\nat: 12:30\nid: 12\nf: 1.5\nok: true\nl: [1.0, 2]\n---\nBody"
    const { properties, text } = await read(page, {}, "a.md")
    assert.deepStrictEqual(properties, {
      title: "2024",
      front_matter: {
        title: 2024,
        version: "1.10",
        n: "007",
        at: "12:30",
        id: 12,
        f: 1.5,
        ok: true,
        l: ["1.0", 2]
      }
    })
    assert.strictEqual(text, "Body")
  })

  it("is none below a rule with a blank line, and is told where it is broken", async () => {
    const ruled = "---\n\nNote: this offer ends\n\n---\n\nBody"
    assert.strictEqual((await read(ruled, {}, "a.md")).text, ruled)
    const broken = await read("---\ntitle: [a\n---\nBody", {}, "a.md")
    assert.include(broken.text, "title: [a")
    assert.match(broken.warnings.join(), /no valid YAML/)
  })

  it("stands above pages and feeds, too", async () => {
    const page = await read("---\ntitle: T\nlayout: main\n---\n<p>Body</p>", {}, "a.html")
    assert.deepInclude(page, { type: "html", text: "Body" })
    assert.deepInclude(page.properties, { title: "T", front_matter: { title: "T", layout: "main" } })
    const feed = await read("---\nlayout: null\n---\n<feed><entry>Body</entry></feed>", {}, "feed.xml")
    assert.deepInclude(feed, { type: "xml", text: "Body" })
  })
})

describe("XML", () => {
  it("gives a line for each element with text; marks within text do not break it", async () => {
    const document = await read(
      '<?xml version="1.0"?>\n<book xmlns="urn:x"><title>A  title</title><p>Some <b>bold</b> words &amp; more.</p>\n<n><![CDATA[1 < 2]]></n></book>'
    )
    assert.strictEqual(document.type, "xml")
    assert.strictEqual(document.text, "A title\nSome bold words & more.\n1 < 2")
    assert.deepStrictEqual(document.properties, { root: "book", element_count: 5 })
  })

  it("is decoded as it declares", async () => {
    const latin = Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><a>Größe</a>', "latin1")
    assert.deepInclude(await read(latin), { text: "Größe", encoding: "windows-1252" })
  })

  it("gives attributes where there is no text", async () => {
    const document = await read('<settings><set name="color" value="red"/></settings>')
    assert.strictEqual(document.text, "color\nred")
    assert.lengthOf(document.warnings, 1)
  })

  it("has the values of attributes beside its text, and leaves those of its form out", async () => {
    const catalog = `<c xmlns:xsi="urn:i" xsi:schemaLocation="a b"><item name="Widget" price="9.99"/><note lang="en">in <b unit="EUR">euros</b> only</note></c>`
    const { text, warnings } = await read(catalog)
    assert.deepStrictEqual([text, warnings], ["Widget\n9.99\nen\nin euros only\nEUR", []])
    const rows = Array.from({ length: 30_000 }, (_, index) => `<r id="n${index}">v</r>`).join("")
    assert.include((await read(`<t>${rows}</t>`)).text, "n29999\nv")
    const drawing = `<doc><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L5 5"/><text x="1">label</text></svg></doc>`
    assert.strictEqual((await read(drawing)).text, "label")
  })

  it("has the paragraphs and rows of Word documents and workbooks that were saved as XML", async () => {
    const w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    const run = (text: string): string => `<w:r><w:t>${text}</w:t></w:r>`
    const cell = (text: string): string => `<w:tc><w:p>${run(text)}</w:p></w:tc>`
    const flat = [
      '<?xml version="1.0"?><pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">',
      `<pkg:part pkg:name="/word/styles.xml"><pkg:xmlData><w:styles ${w}><w:t>style</w:t></w:styles></pkg:xmlData></pkg:part>`,
      `<pkg:part pkg:name="/word/document.xml"><pkg:xmlData><w:document ${w}><w:body>`,
      `<w:p>${run("Hel")}${run("lo")}<w:r><w:tab/><w:t>world</w:t><w:br/><w:t>next</w:t></w:r></w:p>`,
      `<w:p><w:r><w:instrText>PAGE</w:instrText></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>`,
      `<w:tbl><w:tr>${cell("a")}${cell("b")}</w:tr></w:tbl></w:body></w:document></pkg:xmlData></pkg:part></pkg:package>`
    ].join("")
    assert.strictEqual((await read(flat)).text, "Hello\tworld\nnext\na\tb")
    const old = `<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:body><w:p>${run("on")}${run("ce")}</w:p></w:body></w:wordDocument>`
    assert.strictEqual((await read(old)).text, "once")
    const workbook = `<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="One"><Table><Row><Cell><Data ss:Type="String">Item</Data></Cell><Cell ss:Index="3"><Data>9<B>9</B></Data><Comment><Data>checked</Data></Comment></Cell></Row><Row/></Table></Worksheet></Workbook>`
    assert.strictEqual((await read(workbook)).text, "Sheet: One\nItem\t\t99\nchecked")
    const wide = workbook.replace('ss:Index="3"', 'ss:Index="9000"')
    assert.strictEqual((await refused(read(wide, {}, "a.xml", { cells: 1000 }))).limit, "cells")
  })

  it("expands no entity, reads no file, and refuses bombs, depth and broken documents", async () => {
    const external = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "yyyy">]><a>see &x; and &y;</a>'
    assert.strictEqual((await read(external, { format: "xml" })).text, "see &x; and &y;")
    const bomb = `<a>${"&lol;".repeat(20_000)}</a>`
    assert.strictEqual((await refused(read(bomb, { format: "xml" }))).reason, "LimitExceeded")
    assert.strictEqual((await refused(read("<x>".repeat(100_000)))).limit, "depth")
    assert.deepInclude(await refused(read("<x><b></x>")), { reason: "Damaged" })
    assert.deepInclude(await refused(read("", { format: "xml" })), { reason: "Damaged" })
  })

  it("is text where only the name says XML", async () => {
    const document = await read("no markup", {}, "x.xml")
    assert.deepInclude(document, { type: "text", text: "no markup" })
    assert.lengthOf(document.warnings, 1)
  })
})

describe("Markdown", () => {
  const text = [
    "---",
    "title: The title",
    "tags: [a, b]",
    "---",
    "",
    "# First *heading*",
    "",
    "Some **bold** words and a [link](https://example.org).",
    "",
    "| A | B |",
    "|---|---|",
    "| 1 | `x` |",
    "",
    "- one",
    "- two",
    "",
    "```js",
    "  code()",
    "```",
    "",
    "<h2>Raw</h2>"
  ].join("\n")

  it("keeps its source, without front matter, and tells its structure", async () => {
    const document = await read(text, { extract_links: true }, "a.md")
    assert.isTrue(document.text.startsWith("# First *heading*"))
    assert.deepStrictEqual(document.properties, {
      title: "The title",
      front_matter: { title: "The title", tags: ["a", "b"] }
    })
    assert.deepStrictEqual(document.headings, [
      { level: 1, text: "First heading" },
      { level: 2, text: "Raw" }
    ])
    assert.deepStrictEqual(document.links, [{ url: "https://example.org", text: "link" }])
    assert.deepStrictEqual(document.tables, [
      {
        table_number: 1,
        rows: 2,
        columns: 2,
        data: [
          ["A", "B"],
          ["1", "x"]
        ]
      }
    ])
  })

  it("gives what a reader sees when asked", async () => {
    const document = await read(text, { markdown_text: "plain" }, "a.md")
    assert.strictEqual(
      document.text,
      "First heading\n\nSome bold words and a link.\n\nA\tB\n1\tx\n\none\ntwo\n\n  code()\n\nRaw"
    )
  })

  it("reads front matter as YAML 1.1, and says where it is broken", async () => {
    const good = await read("---\ndraft: yes\nday: 2024-01-01\nbase: &b [x]\ncopy: *b\n---\nwords", {}, "a.md")
    assert.deepStrictEqual(good.properties.front_matter, { draft: true, day: "2024-01-01", base: ["x"], copy: ["x"] })
    const broken = await read("---\ntitle: a: b\n---\nwords", {}, "a.md")
    assert.match(broken.warnings[0] ?? "", /front matter.*line 2: /)
  })

  for (const levels of [40, 70, 900, 3_500]) {
    it(`survives front matter of ${levels} levels, twice`, async () => {
      for (const text of [
        "[".repeat(levels) + "]".repeat(levels),
        "{a: ".repeat(levels) + "1" + "}".repeat(levels),
        "- ".repeat(levels)
      ]) {
        for (let round = 0; round < 2; round++) {
          const document = await read(`---\n${text}\n---\nwords`, {}, "a.md")
          assert.match(document.warnings[0] ?? "", /front matter.*32 levels/)
          assert.include(document.text, "words")
        }
      }
    })
  }

  it("takes no rule for front matter, and no bomb", async () => {
    assert.strictEqual((await read("---\nwords\n---\nmore", {}, "a.md")).text, "---\nwords\n---\nmore")
    const bomb = `---\na: &a [${"x, ".repeat(100)}]\nb: &b [${"*a, ".repeat(50)}]\nc: [*b, *b, *b]\n---\ntext`
    const document = await read(bomb, {}, "a.md")
    assert.match(document.warnings[0] ?? "", /front matter/)
    assert.include(document.text, "text")
  })

  it("ends whatever the nesting", async () => {
    const yaml = await read(`---\n${"[".repeat(15_000)}\n---\n`, {}, "a.md")
    assert.lengthOf(yaml.warnings, 1)
    const quotes = await read(">".repeat(20_000), {}, "a.md")
    assert.strictEqual(quotes.type, "markdown")
    const list = Array.from({ length: 500 }, (_, depth) => `${"  ".repeat(depth)}- x`).join("\n")
    assert.strictEqual((await read(list, { markdown_text: "plain" }, "a.md")).type, "markdown")
    const long = await read("words ".repeat(100), {}, "a.md", { treeLength: 100 })
    assert.lengthOf(long.warnings, 1)
  })
})
