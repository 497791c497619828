import { assert, describe, it } from "@effect/vitest"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { readText } from "../../../src/documents/text/TextReader.ts"
import { defaultLimits, defaults, type TextLimits, type TextOptions } from "../../../src/documents/text/TextDocument.ts"

const read = (html: string | Uint8Array, options: Partial<TextOptions> = {}, limits: Partial<TextLimits> = {}) =>
  readText(
    typeof html === "string" ? new TextEncoder().encode(html) : html,
    { ...defaults, format: "html", ...options },
    { ...defaultLimits, ...limits }
  )

const textOf = async (html: string): Promise<string> => (await read(html)).text

describe("HTML text", () => {
  it("is laid out in blocks, with white space as a reader sees it", async () => {
    assert.strictEqual(
      await textOf("<h1> A  title</h1><p>One\n<b>two</b>three<i> four</i> .</p><p>Next<br>line</p><ul><li>a<li>b</ul>"),
      "A title\n\nOne twothree four .\n\nNext\nline\n\na\nb"
    )
    assert.strictEqual(await textOf("<pre>  a\n    b</pre>c"), "  a\n    b\n\nc")
    assert.strictEqual(await textOf("<div>a</div><div>b</div>"), "a\nb")
    assert.strictEqual(await textOf("&lt;b&gt; &amp;amp; &eacute;&#x1F600; a&nbsp;b"), "<b> &amp; é😀 a b")
  })

  it("has nothing that is not shown, though it never runs or fetches", async () => {
    assert.strictEqual(
      await textOf(
        "<title>T</title><style>p{}</style><script>var a='<p>x</p>'</script><noscript>n</noscript><template>t</template><!-- c -->shown<svg><title>i</title><text>s</text></svg>"
      ),
      "showns"
    )
  })

  it("is read however wrong the tags are", async () => {
    assert.strictEqual(
      await textOf("<p>a<p>b</div></span><table><tr><td>c<td>d<tr><td>e</p></table"),
      "a\n\nb\n\nc\td\ne"
    )
    assert.strictEqual(await textOf("just words"), "just words")
    assert.strictEqual(await textOf("<b>a<i>b</b>c</i>"), "abc")
  })

  it("sets the cells of a row apart by tabs", async () => {
    assert.strictEqual(
      await textOf("<table><tr><th>A<th>B</tr>\n<tr>\n<td> 1 </td>\n<td><p>2</p></td></tr></table>after"),
      "A\tB\n1\t2\n\nafter".replace("1\t2", "1\n\n2")
    )
  })
})

describe("formulas and signs of a page", () => {
  const math = (inner: string) => `<math xmlns="http://www.w3.org/1998/Math/MathML">${inner}</math>`
  const fraction = (top: string, bottom: string, attributes = "") =>
    `<mfrac ${attributes}><mn>${top}</mn><mn>${bottom}</mn></mfrac>`

  const drawn = (...words: ReadonlyArray<string>) => words.map((word) => `<span class="mord">${word}</span>`).join("")
  const half = math(`${fraction("1", "2")}<annotation encoding="application/x-tex">\\frac{1}{2}</annotation>`)
  const katex = `<span class="katex"><span class="katex-mathml">${half}</span><span class="katex-html" aria-hidden="true">${drawn("1", "2")}</span></span>`

  for (const [what, html, expected] of [
    ["KaTeX's", `<p>Take ${katex} cup and ${katex}.</p>`, "Take 1/2 cup and 1/2."],
    ["KaTeX's on its own line", `<p>So<span class="katex-display">${katex}</span></p>`, "So 1/2"],
    [
      "MathJax's",
      `<p>Take <span class="MathJax" role="presentation"><nobr aria-hidden="true">${drawn("1", "2")}</nobr><span class="MJX_Assistive_MathML">${half}</span></span> cup</p>`,
      "Take 1/2 cup"
    ],
    [
      "MediaWiki's",
      `<p>Take <span class="mwe-math-element"><span class="mwe-math-mathml-inline mwe-math-mathml-a11y" style="display: none;">${half}</span><img alt="{1/2}" aria-hidden="true"></span> cup</p>`,
      "Take 1/2 cup"
    ],
    [
      "KaTeX's without MathML",
      `<p>Take <span class="katex"><span class="katex-html" aria-hidden="true">${drawn("½")}</span></span> cup</p>`,
      "Take ½ cup"
    ],
    [
      "none that only stand behind one",
      `<p>${half}</p><p aria-hidden="true">seen</p><p>${half} or <span aria-hidden="true">more</span></p>`,
      "1/2\n\nseen\n\n1/2 or more"
    ]
  ] as const) {
    it(`come once where they are drawn beside their MathML: ${what}`, async () => {
      assert.strictEqual(await textOf(html), expected)
    })
  }

  it("keep their value where MathML lays them out", async () => {
    for (const [html, expected] of [
      [`Take 2${math(fraction("1", "2"))} cups`, "Take 2 1/2 cups"],
      [math("<msup><mn>10</mn><mrow><mo>−</mo><mn>6</mn></mrow></msup>"), "10^−6"],
      [
        math("<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>"),
        "∑_(i=1)^n i"
      ],
      [math("<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt><mo>=</mo><mroot><mn>8</mn><mn>3</mn></mroot>"), "√(x+1)=∛8"],
      [math(`<mo>(</mo>${fraction("n", "k", 'linethickness="0"')}<mo>)</mo>`), "(n¦k)"],
      [math("<mfenced><mi>a</mi><mi>b</mi></mfenced>"), "(a,b)"],
      [
        math(
          '<semantics><mrow><mi>a</mi><mo>=</mo><msub><mi>b</mi><mn>2</mn></msub></mrow><annotation encoding="application/x-tex">a=b_2</annotation></semantics>'
        ),
        "a=b_2"
      ],
      [math("<mn>5</mn><mtext>mg per</mtext><mi>kg</mi>"), "5 mg per kg"],
      [
        "<m:math><m:mtable><m:mtr><m:mtd><m:mn>1</m:mn></m:mtd><m:mtd><m:mn>2</m:mn></m:mtd></m:mtr></m:mtable></m:math>",
        "[1, 2]"
      ],
      [`<h1>Size ${math(fraction("1", "2"))}</h1><table><tr><td>${math(fraction("3", "4"))}`, "Size 1/2\n\n3/4"]
    ] as const) {
      assert.strictEqual(await textOf(html), expected)
    }
    const long = "<msup><mn>1</mn><mn>2</mn></msup>".repeat(20_000)
    assert.strictEqual(await textOf(math(long)), "12".repeat(20_000))
    const deep = `${"<mrow>".repeat(9_900)}<mn>7</mn>${"</mrow>".repeat(9_900)}`
    assert.strictEqual((await read(math(deep), {}, { depth: 10_000 })).text, "7")
  })

  it("are no digits of the number that they stand above or below", async () => {
    assert.strictEqual(
      await textOf("10<sup>6</sup>, 10<sup>−3</sup>, 101<sub>2</sub>; 4<sup>th</sup>, m<sup>2</sup>, H<sub>2</sub>O"),
      "10^6, 10^−3, 101_2; 4th, m2, H2O"
    )
    assert.strictEqual(await textOf("<p>5</p><sup>1</sup> note"), "5\n\n1 note")
    const styled = (style: string, text: string) => `<span style="${style}">${text}</span>`
    assert.strictEqual(
      await textOf(
        `10${styled("font-size:8pt; Vertical-Align: super", "6")}, 101${styled("vertical-align:sub", "2")}, 10${styled("vertical-align:baseline", "6")}`
      ),
      "10^6, 101_2, 106"
    )
  })

  it("are read in symbol fonts", async () => {
    for (const [html, expected] of [
      ["Thanks <span style='font-family:Wingdings'>J</span>!", "Thanks ☺!"],
      ['<font face="Symbol">m</font>g <FONT FACE=Wingdings>&#224;</FONT> b', "µg → b"],
      [`<p style="font:12pt/14pt Symbol,serif">m<span style="font:7pt 'Times New Roman'">m</span>m</p>m`, "µmµ\n\nm"],
      ['<table><tr><td style="font-family:&quot;Wingdings&quot;"><b>ü</b></td><td>ü</td></tr></table>', "✓\tü"],
      ['<p style="font-family:Symbola">m</p>', "m"]
    ] as const) {
      assert.strictEqual(await textOf(html), expected)
    }
    assert.strictEqual(await textOf(`</p></b>${"</span>".repeat(3)}<b style="font-family:Symbol">m</b></b>m`), "µm")
  })
})

describe("what a page hides", () => {
  it("is left out: hidden elements, inline styles, closed dialogs", async () => {
    for (const hidden of [
      '<div style="display:none">x</div>',
      '<div STYLE="color:red; Display : None !important">x</div>',
      '<span style="visibility:hidden">x</span>',
      "<p hidden>x</p>",
      '<section hidden=""><div><p>x</section>',
      "<dialog><p>x</p></dialog>",
      '<div style="mso-hide:all">x</div>',
      '<div style="max-height:0;overflow:hidden">x</div>'
    ]) {
      assert.strictEqual(await textOf(`<p>seen</p>${hidden}<p>also</p>`), "seen\n\nalso", hidden)
    }
  })

  it("is not what only looks so", async () => {
    for (const shown of [
      '<div style="display:block">x</div>',
      '<div data-style="display:none">x</div>',
      "<dialog open>x</dialog>",
      '<div hidden="until-found">x</div>',
      '<div style="background:url(display:none.png)">x</div>',
      '<img hidden><br style="display:none"><input type="hidden" value="1">x'
    ]) {
      assert.strictEqual(await textOf(shown), "x", shown)
    }
  })

  it("is neither in tables nor in headings and links", async () => {
    const document = await read(
      '<h1 style="display:none">H</h1><a hidden href="/a">L</a><table><tr><td>Population</td><td><span style="display:none">7004279940000000000</span>27,994</td></tr></table>',
      { extract_links: true }
    )
    assert.strictEqual(document.text, "Population\t27,994")
    assert.deepStrictEqual(document.tables?.[0]?.data, [["Population", "27,994"]])
    assert.deepStrictEqual([document.headings, document.links], [[], []])
  })
})

describe("XHTML", () => {
  const page = (head: string, body: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head>${head}</head><body>${body}</body></html>`

  it("has whole elements that close themselves", async () => {
    const chapter = await read(page('<title/><script src="a.js"/>', "<h1>Chapter One</h1><p>Body text.</p>"))
    assert.strictEqual(chapter.text, "Chapter One\n\nBody text.")
    assert.strictEqual(chapter.properties["title"], null)
    for (const element of ["iframe", "textarea", "style", "script", "noscript", "object", "template", "canvas"]) {
      assert.strictEqual(await textOf(page("<title>T</title>", `<p>a</p><${element}/><p>b</p>`)), "a\n\nb", element)
    }
  })

  it("goes by the namespace where there is no declaration", async () => {
    const html =
      '<!DOCTYPE html><html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><p>a</p></body></html>'
    assert.strictEqual(await textOf(html), "a")
    assert.strictEqual(await textOf("<body><script/>var x</script>a</body>"), "a")
  })

  it("has its article, too", async () => {
    const words = "A sentence of the article, with a comma, and some more words in it. ".repeat(20)
    const html = page('<title/><script src="a.js"/>', `<article><h1>Head</h1><p>${words}</p><p>${words}</p></article>`)
    const article = await read(html, { html_content: "article" })
    assert.include(article.text, "A sentence of the article")
    assert.deepStrictEqual(article.warnings, [])
  })
})

describe("HTML structure", () => {
  it("has tables as grids, spans and nesting included", async () => {
    const { tables } = await read(
      '<table><tr><th colspan="2">A</th><th rowspan="2">B</th></tr><tr><td>1</td><td>2<br>3</td></tr></table>' +
        "<table><tr><td><table><tr><td>x</td><td>y</td></tr></table></td><td>outer</td></tr></table><table><tr><td>alone</td></tr></table>"
    )
    assert.deepStrictEqual(tables, [
      {
        table_number: 1,
        rows: 2,
        columns: 3,
        data: [
          ["A", "", "B"],
          ["1", "2\n3", ""]
        ]
      },
      { table_number: 2, rows: 1, columns: 2, data: [["", "outer"]] },
      { table_number: 3, rows: 1, columns: 2, data: [["x", "y"]] }
    ])
  })

  it("has headings and links", async () => {
    const html =
      '<h1>One <em>two</em></h1><h3></h3><h2>Three</h2><a href="/a?b=1&amp;c=2"> to  A </a><a href="javascript:alert(1)">no</a><a name="x">no</a>'
    const document = await read(html, { extract_links: true })
    assert.deepStrictEqual(document.headings, [
      { level: 1, text: "One two" },
      { level: 2, text: "Three" }
    ])
    assert.deepStrictEqual(document.links, [{ url: "/a?b=1&c=2", text: "to A" }])
    const without = await read(html, { extract_headings: false, extract_tables: false })
    assert.sameMembers(Object.keys(without), ["type", "encoding", "text", "properties", "warnings"])
  })

  it("says what it is in properties", async () => {
    const { properties } = await read(
      '<html lang="de"><head><title> A\n title </title><meta name="Author" content="Ann"><meta property="og:description" content="About"><meta property="article:published_time" content="2024-01-02"><link rel="alternate canonical" href="https://example.org/x"><meta name="__proto__" content="x"></head>'
    )
    assert.deepInclude(properties, {
      title: "A title",
      author: "Ann",
      description: "About",
      language: "de",
      published: "2024-01-02",
      canonical_url: "https://example.org/x",
      keywords: null
    })
    assert.strictEqual(Object.getPrototypeOf(properties["metadata"]), Object.prototype)
    assert.include(Object.keys(properties["metadata"] as object), "__proto__")
  })

  it("is decoded by the charset it declares, if it is not UTF-8", async () => {
    const latin = Buffer.from(
      '<html><meta http-equiv="Content-Type" content="text/html; charset=windows-1250">\xb9',
      "latin1"
    )
    assert.deepInclude(await read(latin), { text: "ą", encoding: "windows-1250" })
  })
})

describe("HTML article", () => {
  const words = "Sentences of an article, with commas, and enough of them to be one. ".repeat(10)
  const page = `<html><head><title>News</title></head><body><nav><a href="/">Home</a> <a href="/b">More</a></nav>
    <article><h1>News</h1><p>${words}</p><p>${words}</p></article><footer><a href="/c">Imprint</a></footer></body></html>`

  it.each(['<a href="x">', "<a><br>"])(
    "is not looked for in a page that is nested too deeply: 30,000 times %s",
    async (tag) => {
      const document = await read(tag.repeat(30_000) + words, { html_content: "article" })
      assert.include(document.text, "Sentences of an article")
      assert.include(document.warnings.join(), "no article")
    }
  )

  it("leaves out what surrounds it", async () => {
    const document = await read(page, { html_content: "article" })
    assert.include(document.text, words.trim())
    assert.notInclude(document.text, "Imprint")
    assert.include((await read(page)).text, "Imprint")
  })

  it("is the whole page, with a warning, where there is none", async () => {
    for (const html of ["<p>short</p>", "", "<html></html>", "<b>".repeat(900)]) {
      const document = await read(html, { html_content: "article" })
      assert.strictEqual(document.text, html === "<p>short</p>" ? "short" : "")
    }
    const long = await read(page, { html_content: "article" }, { treeLength: 100 })
    assert.include(long.text, "Imprint")
    assert.match(long.warnings[0] ?? "", /too many/)
  })
})

describe("hostile HTML", () => {
  const refused = async (html: string, limits: Partial<TextLimits> = {}): Promise<DocumentError> => {
    const error = await read(html, {}, limits).then(
      () => assert.fail("was read"),
      (cause: unknown) => cause
    )
    assert.instanceOf(error, DocumentError)
    return error
  }

  it("is stopped at its depth", async () => {
    assert.deepInclude(await refused("<div>".repeat(100_000)), { reason: "LimitExceeded", limit: "depth" })
  })

  it("is stopped at the cells of its tables, which spans cannot multiply without end", async () => {
    const spans = `<table>${`<tr>${'<td colspan="1000" rowspan="1000">x</td>'.repeat(10)}</tr>`.repeat(200)}</table>`
    assert.strictEqual((await refused(spans)).limit, "cells")
    const deep = "<table><tr><td>".repeat(200)
    assert.strictEqual((await read(deep)).text, "")
  })

  it("lists no more links and headings than allowed", async () => {
    const document = await read('<a href="x">x</a><h1>h</h1>'.repeat(20), { extract_links: true }, { entries: 5 })
    assert.lengthOf(document.links ?? [], 5)
    assert.lengthOf(document.headings ?? [], 5)
    assert.lengthOf(document.warnings, 2)
  })

  it("ends in text for attributes without end, unclosed comments and tags", async () => {
    for (const html of [`<a ${"x=1 ".repeat(50_000)}>y`, "<!--".repeat(10_000), "<".repeat(100_000), "<a href='"]) {
      assert.isString((await read(html)).text)
    }
  })
})
