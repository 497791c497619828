import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import * as Limits from "../../../src/documents/Limits.ts"
import { scanXml } from "../../../src/documents/xml/XmlScanner.ts"
import { parseXml } from "../../../src/documents/xml/XmlTree.ts"
import { failure, namespaces } from "../Packages.ts"

const bytes = (xml: string): Uint8Array => new TextEncoder().encode(xml)

/** What a scan reports, as one line. */
const events = (xml: string | Uint8Array, limits = Limits.defaults): string => {
  const seen: Array<string> = []
  scanXml(typeof xml === "string" ? bytes(xml) : xml, "part.xml", limits, {
    open: (name, attributes) => {
      seen.push(["<", name, ...Object.entries(attributes).map(([key, value]) => ` ${key}=${value}`), ">"].join(""))
    },
    text: (text) => {
      if (text.trim() !== "") seen.push(text)
    },
    close: (name) => {
      seen.push(`</${name}>`)
    }
  })
  return seen.join("")
}

/** Without the declarations of namespaces. */
const plain = (line: string): string => line.replace(/ xmlns(:\w+)?=[^ >]*/g, "")

const { w, mc } = namespaces
const strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"

const alternatives = (inner: string) =>
  `<w:r xmlns:w="${w}" xmlns:mc="${mc}"><mc:AlternateContent>${inner}</mc:AlternateContent></w:r>`

const declaredAs = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?><a>Grüße Ж</a>`

describe("XmlScanner", () => {
  it("names elements by their namespace, whatever the prefix", () => {
    for (const xml of [
      `<w:p xmlns:w="${w}" w:val="1"/>`,
      `<q:p xmlns:q="${w}" q:val="1"/>`,
      `<w:p xmlns:w="${strict}" w:val="1"/>`,
      `<q:p xmlns:q="${strict}" q:val="1"/>`
    ]) {
      assert.strictEqual(plain(events(xml)), "<w:p w:val=1></w:p>", xml)
    }
    assert.strictEqual(plain(events(`<p xmlns="${w}"><t/></p>`)), "<w:p><w:t></w:t></w:p>")
  })

  it("is not misled by a prefix that means something else here", () => {
    const xml = `<a xmlns:w="urn:other"><w:t w:x="1"/><b xmlns:w="${w}"><w:t/></b><w:t/></a>`
    assert.strictEqual(plain(events(xml)), "<a><?:t ?:x=1></?:t><b><w:t></w:t></b><?:t></?:t></a>")
  })

  it("takes a prefix that nobody declares at its word", () => {
    assert.strictEqual(events("<w:p><w:t/></w:p>"), "<w:p><w:t></w:t></w:p>")
  })

  it("takes the first choice, and the fallback only without one", () => {
    assert.strictEqual(
      plain(
        events(
          alternatives(
            "<mc:Choice><w:t>1</w:t></mc:Choice><mc:Choice><w:t>2</w:t></mc:Choice><mc:Fallback><w:t>3</w:t></mc:Fallback>"
          )
        )
      ),
      "<w:r><w:t>1</w:t></w:r>"
    )
    assert.strictEqual(
      plain(events(alternatives("<mc:Fallback><w:t>3</w:t></mc:Fallback>"))),
      "<w:r><w:t>3</w:t></w:r>"
    )
    const nested = `<mc:AlternateContent><mc:Choice>in</mc:Choice><mc:Fallback>no</mc:Fallback></mc:AlternateContent>`
    assert.strictEqual(
      plain(events(alternatives(`<mc:Choice>a${nested}b</mc:Choice><mc:Fallback>no${nested}</mc:Fallback>`))),
      "<w:r>ainb</w:r>"
    )
  })

  it("takes the first choice of which it understands all that it requires", () => {
    const choices = (...list: ReadonlyArray<string>) =>
      plain(events(alternatives(`${list.join("")}<mc:Fallback><w:t>fallback</w:t></mc:Fallback>`)))
    const choice = (requires: string, declared = "") =>
      `<mc:Choice ${declared} Requires="${requires}"><w:t>${requires}</w:t></mc:Choice>`
    const wps = `xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"`
    const other = `xmlns:zz="urn:some-extension"`
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
      [[choice("zz", other)], "fallback"],
      [[choice("wps", wps)], "wps"],
      [[choice("wps zz", `${wps} ${other}`)], "fallback"],
      [[choice("zz", other), choice("wps", wps)], "wps"],
      [[choice("never-declared")], "fallback"],
      [[choice("wps", `xmlns:wps="urn:some-extension"`)], "fallback"],
      [[choice("s", wps.replace("wps=", "s="))], "s"],
      [[choice("zz", other), choice("zz", other)], "fallback"]
    ]
    for (const [list, expected] of cases) {
      assert.strictEqual(choices(...list), `<w:r><w:t>${expected}</w:t></w:r>`, list.join())
    }
    assert.strictEqual(plain(events(alternatives(choice("zz", other)))), "<w:r></w:r>")
    const inner = `<mc:AlternateContent>${choice("zz", other)}<mc:Fallback><w:t>inner</w:t></mc:Fallback></mc:AlternateContent>`
    assert.strictEqual(choices(`<mc:Choice ${wps} Requires="wps">${inner}</mc:Choice>`), "<w:r><w:t>inner</w:t></w:r>")
    assert.strictEqual(
      choices(`<mc:Choice ${other} Requires="zz">${inner}</mc:Choice>`),
      "<w:r><w:t>fallback</w:t></w:r>"
    )
  })

  it("reads UTF-8 and UTF-16 with and without marks, and what the declaration names", () => {
    const little = Buffer.from(declaredAs("UTF-16"), "utf16le")
    const big = Buffer.from(little).swap16()
    for (const content of [
      bytes(declaredAs("UTF-8")),
      bytes(`\uFEFF${declaredAs("UTF-8")}`),
      little,
      big,
      Buffer.concat([Buffer.from([0xff, 0xfe]), little]),
      Buffer.concat([Buffer.from([0xfe, 0xff]), big]),
      bytes(declaredAs("UTF-16"))
    ]) {
      assert.strictEqual(events(new Uint8Array(content)), "<a>Grüße Ж</a>")
    }
    const latin = Buffer.from('<?xml version="1.0" encoding="windows-1252"?><a>\x93x\x94</a>', "latin1")
    assert.strictEqual(events(new Uint8Array(latin)), "<a>“x”</a>")
    assert.strictEqual(failure(() => events('<?xml version="1.0" encoding="x-klingon"?><a/>')).reason, "Damaged")
  })

  it("keeps characters whole where its pieces meet", () => {
    const text = `${"a".repeat(65_530)}${"€😀".repeat(50_000)}`
    assert.strictEqual(events(`<a>${text}</a>`), `<a>${text}</a>`)
  })

  it("skips a DTD and expands nothing that it defines", () => {
    const laughs = Array.from({ length: 10 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`)
    const xml = `<!DOCTYPE a [<!ENTITY l0 "lol">${laughs.join("")}<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&l10;|&x;|&amp;</a>`
    assert.strictEqual(events(xml), "<a>&l10;|&x;|&</a>")
  })

  it("refuses a part that is full of undefined entities", () => {
    assert.strictEqual(failure(() => events(`<a>${"&e;".repeat(20_000)}</a>`)).limit, "mistakes")
  })

  it("drops characters that XML forbids, as other programs do", () => {
    assert.strictEqual(events("<a>x\u0001y&#11;z&#xFFFF;!</a>"), "<a>xyz!</a>")
  })

  it("refuses depth, broken tags and a cut, each with the part's name", () => {
    const deep = failure(() => events("<a>".repeat(200_000)))
    assert.strictEqual(deep.limit, "xmlDepth")
    for (const xml of ["<a><b></a>", "<a", "<a>", "<a b=1/>", "", "<a/><b/>", "<a b='1' b='2'/>"]) {
      const error = failure(() => events(xml))
      assert.strictEqual(error.reason, "Damaged", xml)
      assert.include(error.message, "part.xml")
    }
  })

  it("bounds the prefixes that a part declares", () => {
    const many = Array.from({ length: 300 }, (_, index) => `xmlns:p${index}="urn:${index}"`).join(" ")
    assert.strictEqual(failure(() => events(`<a ${many}/>`)).limit, "prefixes")
  })

  it("keeps names such as __proto__ as they are", () => {
    assert.strictEqual(events(`<a __proto__="1" constructor="2"/>`), "<a __proto__=1 constructor=2></a>")
  })

  it("bounds the elements of one tree", () => {
    const xml = bytes(`<a>${"<b/>".repeat(100)}</a>`)
    assert.strictEqual(parseXml(xml, "part.xml", Limits.defaults).children.length, 100)
    assert.strictEqual(
      failure(() => parseXml(xml, "part.xml", { ...Limits.defaults, treeElements: 100 })).limit,
      "treeElements"
    )
  })
})
