import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import * as Limits from "../../../src/documents/Limits.ts"
import { scanXml } from "../../../src/documents/xml/XmlScanner.ts"
import { makeTreeBuilder, parseXml, type XmlElement } from "../../../src/documents/xml/XmlTree.ts"
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

  it("refuses a tag with attributes beyond number", () => {
    const many = Array.from({ length: 10_001 }, (_, index) => `a${index}="1"`).join(" ")
    assert.strictEqual(failure(() => events(`<a ${many}/>`)).limit, "attributes")
  })

  it("refuses a part with nothing in it but blanks or a declaration, whatever lies around it in memory", () => {
    for (const xml of [
      " ",
      "\n\n\n\n\n",
      '<?xml version="1.0"?>',
      '<?xml version="1.0"?>\n',
      '<?xml version="1.0"?><a'
    ]) {
      for (const shift of [0, 1, 2, 3]) {
        const placed = new Uint8Array(shift + xml.length)
        placed.set(bytes(xml), shift)
        assert.strictEqual(failure(() => events(placed.subarray(shift))).reason, "Damaged", JSON.stringify(xml))
      }
    }
  })

  it("reads line ends, blanks and marks wherever they may stand", () => {
    for (const [xml, expected] of [
      ["<a>1\r\n2\r3\n4</a>", "<a>1\n2\n3\n4</a>"],
      ["<a\r\n b='1'\t c = \"2\"\r/>", "<a b=1 c=2></a>"],
      ["<a b='x\ty\r\nz'></a\r\n>", "<a b=x y z></a>"],
      ["<a b='>'><!-- <b> --><![CDATA[<c>&amp;]]></a >", "<a b=>><c>&amp;</a>"],
      ["\ufeff \r\n<a/>\n", "<a></a>"],
      ["<a b='&#x20AC;&lt;&unknown;'>&#128512;</a>", "<a b=€<&unknown;>😀</a>"],
      ["<ä ö='ü'>ß</ä>", "<ä ö=ü>ß</ä>"]
    ] as const) {
      assert.strictEqual(events(xml), expected, JSON.stringify(xml))
    }
  })
})

/** The tree without that anything is kept of elements for those that are like them. */
const plainTree = (xml: string): XmlElement => {
  const builder = makeTreeBuilder("part.xml", Limits.defaults)
  let root: XmlElement | undefined
  scanXml(bytes(xml), "part.xml", Limits.defaults, {
    open: builder.open,
    text: builder.text,
    close: () => {
      root = builder.close() ?? root
    }
  })
  assert.isDefined(root)
  return root
}

describe("elements that stand in a part again and again", () => {
  const look = (inner: string) => `<w:rPr>${inner}</w:rPr>`
  const changed = look(`<w:b/>${look("<w:i/>")}`)
  const cases: ReadonlyArray<readonly [title: string, inner: string]> = [
    ["the same", look("<w:b/>").repeat(3)],
    ["empty ones", "<w:rPr/><w:rPr /><w:rPr></w:rPr><w:rPr/>"],
    ["with a text", look("<w:t>a</w:t> b").repeat(2)],
    ["with one of their name in them", changed.repeat(3)],
    ["with their end in a comment", look("<!-- </w:rPr> --><w:b/>").repeat(2)],
    ["with their end in an attribute", look("<w:b w:val='</w:rPr>'/>").repeat(2)],
    ["with a closing bracket in the first attribute", "<w:rPr w:a='/>'><w:b/></w:rPr>".repeat(2)],
    ["unlike in one character", `${look("<w:b w:val='1'/>")}${look("<w:b w:val='2'/>")}${look("<w:b w:val='1'/>")}`],
    ["in each other", `<w:pPr>${look("<w:b/>")}</w:pPr>`.repeat(3)],
    [
      "under a prefix of another meaning",
      `${look("<w:b/>")}<x xmlns:w="urn:other">${look("<w:b/>")}</x>${look("<w:b/>")}`
    ],
    ["that declare a prefix", `<w:rPr xmlns:w="urn:other"><w:b/></w:rPr>`.repeat(2) + look("<w:b/>")],
    ["very long ones", look("<w:b/>".repeat(2000)).repeat(2)],
    [
      "in an alternative that is passed over",
      `<mc:AlternateContent><mc:Choice Requires="zz">${look("<w:b/>")}</mc:Choice><mc:Fallback>${look("<w:b/>")}</mc:Fallback></mc:AlternateContent>`.repeat(
        2
      )
    ]
  ]
  for (const [title, inner] of cases) {
    it(`are read as if each stood alone: ${title}`, () => {
      const xml = `<w:p xmlns:w="${w}" xmlns:mc="${mc}" xmlns:zz="urn:zz">${inner}</w:p>`
      assert.deepStrictEqual(parseXml(bytes(xml), "part.xml", Limits.defaults), plainTree(xml))
    })
  }

  it("are refused where they are too deep, though they were not before", () => {
    const xml = (around: number) =>
      bytes(`<a>${look("<b><c/></b>")}${"<d>".repeat(around)}${look("<b><c/></b>")}${"</d>".repeat(around)}</a>`)
    const limits = { ...Limits.defaults, xmlDepth: 10 }
    assert.strictEqual(parseXml(xml(6), "part.xml", limits).children.length, 2)
    assert.strictEqual(failure(() => parseXml(xml(7), "part.xml", limits)).limit, "xmlDepth")
  })

  it("are refused where one is broken after sound ones", () => {
    for (const broken of ["<w:rPr><w:b/>", "<w:rPr><w:b></w:rPr>", "<w:rPr><w:b c=1/></w:rPr>"]) {
      const error = failure(() =>
        parseXml(bytes(`<a>${look("<w:b/>").repeat(2)}${broken}</a>`), "part.xml", Limits.defaults)
      )
      assert.strictEqual(error.reason, "Damaged", broken)
    }
  })
})

describe("a choice of a part", () => {
  const names = (element: XmlElement): ReadonlyArray<unknown> => [
    element.name,
    ...Object.keys(element.attributes),
    ...element.children.map(names)
  ]
  const chosen = (inner: string) =>
    names(
      parseXml(bytes(`<w:style xmlns:w="${w}">${inner}</w:style>`), "styles.xml", Limits.defaults, {
        without: new Set(["w:tblPr", "w:tblStylePr"]),
        attributesOf: new Set(["w:rFonts"])
      })
    )
  const run = '<w:rPr><w:sz w:val="1"/><w:rFonts w:ascii="Symbol"/></w:rPr>'
  const read = ["w:rPr", ["w:sz"], ["w:rFonts", "w:ascii"]]

  it("leaves out elements that are looks as well, and gives what stands before and behind them", () => {
    const table = '<w:tblPr><w:jc w:val="center"/></w:tblPr>'
    assert.deepStrictEqual(chosen(`${run}${table}${run}${table}${run}`), ["w:style", read, read, read])
  })

  it("takes no look from a part that is left out", () => {
    assert.deepStrictEqual(chosen(`<w:tblStylePr>${run}${run}</w:tblStylePr>${run}`), ["w:style", read])
    assert.deepStrictEqual(chosen(`${run}<w:tblStylePr>${run}</w:tblStylePr><w:b/>`), ["w:style", read, ["w:b"]])
  })

  it("has the attributes of the named elements alone", () => {
    assert.deepStrictEqual(chosen('<w:name w:val="x"/><w:rFonts w:ascii="a" w:cs="b"/>'), [
      "w:style",
      ["w:name"],
      ["w:rFonts", "w:ascii", "w:cs"]
    ])
  })
})
