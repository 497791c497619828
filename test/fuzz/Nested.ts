import * as Either from "effect/Either"
import * as Condition from "../../src/condition/Condition.ts"
import * as Pattern from "../../src/condition/Pattern.ts"
import { SyntaxProblem } from "../../src/condition/SyntaxProblem.ts"
import * as Document from "../../src/documents/Document.ts"
import * as Limits from "../../src/documents/Limits.ts"
import * as PdfDocument from "../../src/documents/pdf/PdfDocument.ts"
import * as TextDocument from "../../src/documents/text/TextDocument.ts"
import * as DataBounds from "../../src/domain/DataBounds.ts"
import * as ExactJson from "../../src/domain/ExactJson.ts"
import * as JsonSize from "../../src/domain/JsonSize.ts"
import { redact } from "../../src/domain/Redaction.ts"
import * as SafeJson from "../../src/domain/SafeJson.ts"
import * as Task from "../../src/domain/Task.ts"
import { extract } from "../../src/executors/input/scraping/Extraction.ts"
import * as Selector from "../../src/executors/input/scraping/Selector.ts"
import { glob } from "../../src/executors/transform/fields/Glob.ts"
import * as Template from "../../src/executors/transform/fields/Template.ts"
import * as Definition from "../../src/pipeline/Definition.ts"
import * as PythonText from "../../src/python/PythonText.ts"
import { runJob } from "../../src/threads/RunJob.ts"
import * as Yaml from "../../src/yaml/Yaml.ts"
import { makeDocx, makePptx, paragraph, shape } from "../documents/Packages.ts"

/** Reads inputs that are nested as deeply as is asked for. A `DocumentError` or a `Left` is an answer; any other error is a finding. */
export interface Reader {
  /** The texts by what repeats in them. */
  readonly shapes: Readonly<Record<string, (levels: number) => unknown>>
  readonly read: (input: unknown) => unknown
}

/** `open` so often, `inner`, and `close` as often; without `close` what is open stays open. */
const nest =
  (open: string, close = "", inner = "", before = "", after = "") =>
  (levels: number): string =>
    before + open.repeat(levels) + inner + close.repeat(levels) + after

const reader = (
  shapes: Readonly<Record<string, (levels: number) => string>>,
  read: (text: string) => unknown
): Reader => ({ shapes, read: (input) => read(String(input)) })

const bytesOf = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text)).buffer

const text =
  (format: TextDocument.TextType, options: Partial<TextDocument.TextOptions> = {}) =>
  (content: string) =>
    runJob("text", {
      bytes: bytesOf(content),
      options: {
        ...TextDocument.defaults,
        extract_data: true,
        extract_links: true,
        extract_attachments: true,
        format,
        ...options
      },
      limits: TextDocument.defaultLimits,
      hints: {}
    })

const brackets = {
  lists: nest("[", "]"),
  "open lists": nest("["),
  objects: nest('{"a":', "}", "1"),
  mixed: nest('[{"a":', "}]", '"[[["'),
  wide: (levels: number) => `[${"[],".repeat(levels)}1]`
}

const html = {
  div: nest("<div>", "</div>", "words"),
  "open div": nest("<div>"),
  span: nest("<span>", "</span>", "words"),
  "formatting, never closed": nest("<b><i>", "", "words"),
  table: nest("<table><tr><td>", "</td></tr></table>", "words"),
  list: nest("<ul><li>", "</li></ul>", "words"),
  "open list": nest("<ul><li>"),
  select: nest("<select><option>", "", "words"),
  svg: nest("<svg><g>", "</g></svg>", "words"),
  template: nest("<template>", "</template>", "words"),
  paragraphs: nest("<p>", "", "words"),
  anchors: nest('<a href="x">', "", "words"),
  comments: nest("<!--"),
  attributes: (levels: number) => `<div ${"a=b ".repeat(levels)}>words</div>`,
  entities: nest("&amp", "", "words"),
  "less than": nest("<")
}

const markdown = {
  quotes: nest("> ", "", "words"),
  "quotes on lines": (levels: number) =>
    Array.from({ length: Math.min(levels, 2_000) }, (_, level) => `${">".repeat(level)} a`).join("\n"),
  "lists on lines": (levels: number) =>
    Array.from({ length: Math.min(levels, 2_000) }, (_, level) => `${"  ".repeat(level)}- a`).join("\n"),
  "lists on a line": nest("- ", "", "words"),
  brackets: nest("[", "]", "words"),
  links: nest("[", "](x)", "words"),
  images: nest("![", "](x)", "words"),
  emphasis: nest("*a ", "*", "words"),
  "open emphasis": nest("*a **b"),
  backticks: (levels: number) => Array.from({ length: Math.min(levels, 500) }, (_, i) => "`".repeat(i)).join(" a "),
  parentheses: nest("(", ")", "words", "[a](", ")"),
  html: nest("<div>\n\n", "</div>", "words"),
  "front matter in lists": (levels: number) => `---\n${"[".repeat(Math.min(levels, 9_000))}\n---\nwords`,
  "front matter in brackets": (levels: number) =>
    `---\n${"[".repeat(Math.min(levels, 9_000))}${"]".repeat(Math.min(levels, 9_000))}\n---\nwords`,
  table: (levels: number) => `|${"a|".repeat(levels)}\n|${"-|".repeat(levels)}\n|${"b|".repeat(levels)}\n`,
  definitions: (levels: number) => "[a]: b\n".repeat(levels)
}

const multipart = (levels: number): string =>
  `From: a@b.c\n` +
  Array.from(
    { length: Math.min(levels, 20_000) },
    (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\n\n--b${level}\n`
  ).join("") +
  "Content-Type: text/plain\n\nwords"

const mail = {
  multiparts: multipart,
  "mails in mails": nest("Content-Type: message/rfc822\n\n", "", "Subject: x\n\nwords", "From: a@b.c\n"),
  "groups of addresses": (levels: number) => `From: ${"a:".repeat(levels)} b@c.d${";".repeat(levels)}\n\nwords`,
  comments: (levels: number) => `From: ${"(".repeat(levels)} b@c.d ${")".repeat(levels)}\n\nwords`,
  quotes: (levels: number) => `From: ${'"'.repeat(levels)} <b@c.d>\n\nwords`,
  headers: (levels: number) => `From: a@b.c\n${"X: y\n".repeat(levels)}\nwords`,
  "folded header": (levels: number) => `From: a@b.c\nSubject: x\n${" y\n".repeat(levels)}\nwords`,
  "encoded words": (levels: number) => `From: a@b.c\nSubject: ${"=?utf-8?q?a?= ".repeat(levels)}\n\nwords`,
  parameters: (levels: number) =>
    `From: a@b.c\nContent-Type: text/plain${Array.from({ length: Math.min(levels, 20_000) }, (_, i) => `; name*${i}=a`).join("")}\n\nwords`
}

/** A PDF of these objects, numbered from 1; the first is its catalog. Readers rebuild the missing table of places. */
const pdf = (...objects: ReadonlyArray<string>): string =>
  `%PDF-1.7\n${objects.map((object, index) => `${index + 1} 0 obj\n${object}\nendobj\n`).join("")}trailer\n<</Root 1 0 R/Size ${objects.length + 1}>>\n%%EOF\n`

const page = (contents: string, entries = ""): string =>
  pdf(
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    `<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>${entries}>>`,
    `<</Length ${contents.length}>>stream\n${contents}\nendstream`,
    "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>/Length 4>>stream\n/F Do\nendstream"
  )

const pdfs = {
  "page tree": (levels: number) =>
    pdf(
      "<</Type/Catalog/Pages 2 0 R>>",
      ...Array.from({ length: levels }, (_, i) => `<</Type/Pages/Kids[${i + 3} 0 R]/Count 1>>`),
      "<</Type/Page/MediaBox[0 0 9 9]>>"
    ),
  outline: (levels: number) =>
    pdf(
      "<</Type/Catalog/Pages 2 0 R/Outlines 4 0 R>>",
      "<</Type/Pages/Kids[3 0 R]/Count 1>>",
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
      ...Array.from({ length: levels }, (_, i) => `<</Title(a)/First ${i + 5} 0 R/Last ${i + 5} 0 R>>`),
      "<</Title(z)>>"
    ),
  "outline that holds itself": () =>
    pdf(
      "<</Type/Catalog/Pages 2 0 R/Outlines 4 0 R>>",
      "<</Type/Pages/Kids[3 0 R]/Count 1>>",
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
      "<</Title(a)/First 4 0 R/Last 4 0 R/Next 4 0 R>>"
    ),
  arrays: (levels: number) => page("", `/X ${"[".repeat(levels)}${"]".repeat(levels)}`),
  dictionaries: (levels: number) => page("", `/X ${"<</A ".repeat(levels)}1${">>".repeat(levels)}`),
  "strings in strings": (levels: number) => page(`BT (${"(".repeat(levels)}${")".repeat(levels)}) Tj ET`),
  "saved states": (levels: number) => page(`${"q ".repeat(levels)}${"Q ".repeat(levels)}`),
  "marked content": (levels: number) => page(`${"/A BMC ".repeat(levels)}${"EMC ".repeat(levels)}`),
  "arrays in content": (levels: number) => page(`${"[".repeat(levels)}${"]".repeat(levels)} TJ`),
  "form in itself": () => page("/F Do"),
  kids: (levels: number) =>
    pdf("<</Type/Catalog/Pages 2 0 R>>", `<</Type/Pages/Kids[${"2 0 R ".repeat(levels)}]/Count ${levels}>>`)
}

const office = {
  "word tables": (levels: number) =>
    makeDocx(`${"<w:tbl><w:tr><w:tc>".repeat(levels)}${paragraph("a")}${"</w:tc></w:tr></w:tbl>".repeat(levels)}`),
  "word content controls": (levels: number) =>
    makeDocx(`${"<w:sdt><w:sdtContent>".repeat(levels)}${paragraph("a")}${"</w:sdtContent></w:sdt>".repeat(levels)}`),
  "word formulas": (levels: number) =>
    makeDocx(`<w:p>${"<m:d><m:e>".repeat(levels)}<m:r><m:t>a</m:t></m:r>${"</m:e></m:d>".repeat(levels)}</w:p>`),
  "word runs": (levels: number) =>
    makeDocx(`<w:p>${"<w:ins>".repeat(levels)}<w:r><w:t>a</w:t></w:r>${"</w:ins>".repeat(levels)}</w:p>`),
  "word never closed": (levels: number) => makeDocx("<w:tbl><w:tr><w:tc>".repeat(levels)),
  "slide groups": (levels: number) =>
    makePptx([`${"<p:grpSp>".repeat(levels)}${shape("a")}${"</p:grpSp>".repeat(levels)}`]),
  "slide tables": (levels: number) =>
    makePptx([
      `<p:graphicFrame><a:graphic><a:graphicData>${"<a:tbl><a:tr><a:tc><a:txBody>".repeat(levels)}<a:p><a:r><a:t>a</a:t></a:r></a:p>${"</a:txBody></a:tc></a:tr></a:tbl>".repeat(levels)}</a:graphicData></a:graphic></p:graphicFrame>`
    ]),
  "alternate content": (levels: number) =>
    makePptx([
      `${"<mc:AlternateContent><mc:Choice>".repeat(levels)}${shape("a")}${"</mc:Choice></mc:AlternateContent>".repeat(levels)}`
    ])
}

/** Data as an executor could give it: deep, shared, holding itself, with a leaf that is no JSON. */
const leaves: ReadonlyArray<unknown> = [
  1,
  new Date(0),
  undefined,
  2n ** 70n,
  Number.NaN,
  new Map([[{}, new Set([1])]]),
  Symbol("s"),
  "x".repeat(100_000),
  Array(1_000_000),
  {
    get a(): never {
      throw new Error("no")
    }
  }
]

const deep = (levels: number, wrap: (value: unknown, level: number) => unknown): ReadonlyArray<unknown> =>
  leaves.map((leaf) => {
    let value = leaf
    for (let level = 0; level < levels; level++) value = wrap(value, level)
    return value
  })

const values = {
  objects: (levels: number) => deep(levels, (value) => ({ a: value })),
  lists: (levels: number) => deep(levels, (value) => [value]),
  mixed: (levels: number) =>
    deep(levels, (value, level) => (level % 2 === 0 ? { a: value, b: level } : [level, value])),
  shared: (levels: number) => deep(levels, (value) => [value, value]),
  "shared objects": (levels: number) => deep(levels, (value) => ({ a: value, b: value, ["__proto__"]: value })),
  maps: (levels: number) => deep(levels, (value) => new Map([["a", value]])),
  classes: (levels: number) => deep(levels, (value) => Object.assign(Object.create({}), { a: value, b: value })),
  wide: (levels: number) => [Array.from({ length: levels }, (_, i) => leaves[i % 7])],
  keys: (levels: number) => [Object.fromEntries(Array.from({ length: levels }, (_, i) => [`k${i}`, leaves[i % 7]]))],
  cyclic: (levels: number) => {
    const first: Record<string, unknown> = {}
    let last = first
    for (let level = 0; level < levels; level++) {
      const next = { first, list: [first] }
      last["next"] = next
      last = next
    }
    return [first]
  }
}

const condition = (text: string): unknown =>
  Either.map(Condition.parse(text), (parsed) => {
    Condition.print(parsed)
    return Condition.evaluate(parsed, { data: { a: "x" } })
  })

const pattern = (source: string): unknown => {
  try {
    return Pattern.compile(source, 0).test("a".repeat(1_000))
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined
    throw error
  }
}

const selector = (source: string): unknown =>
  extract("<div><p class=a>words</p></div>", new URL("https://a.b/"), new Map([["x", Selector.parse(source)]]), true)

export const readers: Readonly<Record<string, Reader>> = {
  yaml: reader(
    {
      ...brackets,
      dashes: nest("- "),
      mappings: nest("{a: ", "}"),
      "complex keys": nest("? "),
      "flow keys": nest("{? [", "]: 1}"),
      anchors: nest("&a "),
      aliases: (levels: number) => `a: &a 1\n${"- *a\n".repeat(levels)}`,
      "shared lists": (levels: number) =>
        Array.from(
          { length: Math.min(levels, 3_000) },
          (_, i) => `a${i}: &a${i} [${i === 0 ? "1" : `*a${i - 1}, *a${i - 1}`}]`
        ).join("\n"),
      merges: (levels: number) =>
        Array.from(
          { length: Math.min(levels, 3_000) },
          (_, i) => `a${i}: &a${i} {${i === 0 ? "b: 1" : `<<: [*a${i - 1}, *a${i - 1}]`}}`
        ).join("\n"),
      tags: nest("!!seq ", "", "[]"),
      indented: (levels: number) =>
        Array.from({ length: Math.min(levels, 1_300) }, (_, level) => `${" ".repeat(level)}a:`).join("\n"),
      quotes: nest('"', "", "a"),
      errors: nest("a: b: c\n"),
      directives: nest("%A b\n", "", "---\na"),
      digits: nest("9"),
      spaces: nest(" ", "", "a: b"),
      sexagesimal: nest("1:", "", "1")
    },
    (source) => {
      const document = Yaml.parse(source)
      if (Either.isRight(document)) {
        Yaml.toPlain(document.right.value)
        Yaml.locate(document.right, ["a", 0])
      }
    }
  ),
  definition: reader(
    {
      settings: (levels: number) =>
        `pipeline: {name: p, executors: [{id: a, type: pass_through, settings: {x: ${"[".repeat(levels)}${"]".repeat(levels)}}}]}`,
      edges: (levels: number) =>
        `pipeline:\n  name: p\n  executors:\n  - {id: a, type: x}\n  edges:\n${"  - {from: a, to: a}\n".repeat(levels)}`
    },
    (source) => Definition.check(source, "p")
  ),
  json: reader(
    { ...brackets, digits: nest("9"), "numbers in strings": nest('"', '"', "12345678901234567890") },
    text("json")
  ),
  lines: reader({ lines: nest('{"a":[1]}\n'), "broken lines": nest('{"a":[1\n') }, text("json")),
  message: reader(
    {
      ...brackets,
      content: (levels: number) =>
        `{"task_id":"t","pipeline_id":"p","pipeline_name":"p","execution_id":"e","content":[{"data":{"a":${"[".repeat(levels)}${"]".repeat(levels)}}}]}`
    },
    (source) => Either.map(Task.decode(source), ({ task }) => Task.encode(task))
  ),
  xml: reader(
    {
      elements: nest("<a>", "</a>", "words"),
      open: nest("<a>"),
      namespaces: nest('<a xmlns="b">', "</a>", "words"),
      entities: nest("<a>&amp;", "</a>"),
      attributes: (levels: number) => `<a ${Array.from({ length: levels }, (_, i) => `b${i}="c"`).join(" ")}/>`,
      sections: nest("<a><![CDATA[", "]]></a>"),
      declarations: nest("<!DOCTYPE a [<!ENTITY b '", "'>]>", "c", "", "<a/>")
    },
    text("xml")
  ),
  html: reader(html, text("html")),
  article: reader(html, text("html", { html_content: "article" })),
  page: reader(html, (source) =>
    // As the scraper does: the thread's reader decides whether the page may be looked at as a tree.
    Promise.resolve(text("html", { html_content: "article" })(source)).then(() =>
      extract(source, new URL("https://a.b/"), new Map([["x", Selector.parse("//p[1]/ancestor::div")]]), true)
    )
  ),
  markdown: reader(markdown, text("markdown", { markdown_text: "plain" })),
  mail: reader(mail, text("email")),
  csv: reader(
    { quotes: nest('"', "", "a"), cells: nest("a,"), rows: nest("a,b\n"), "open quotes": nest('"a\n') },
    (source) =>
      runJob("document", {
        bytes: bytesOf(source),
        options: documentOptions("a.csv"),
        limits: documentLimits
      })
  ),
  pdf: reader(pdfs, (source) =>
    runJob("pdf", {
      bytes: new Uint8Array(Buffer.from(source, "latin1")).buffer,
      options: { tables: true, images: true },
      limits: PdfDocument.defaultLimits
    })
  ),
  office: {
    shapes: office,
    read: (input) =>
      runJob("document", {
        bytes: new Uint8Array(input as Uint8Array).buffer,
        options: documentOptions("a"),
        limits: documentLimits
      })
  },
  xpath: reader(
    {
      parentheses: nest("(", ")", "//p", "xpath="),
      predicates: nest("//p[", "]", "1"),
      paths: nest("/p"),
      descendants: nest("//*"),
      calls: nest("not(", ")", "//p", "xpath="),
      minus: nest("-", "", "1", "xpath="),
      unions: nest("//p|", "", "//p"),
      sums: nest("1+", "", "1", "xpath="),
      spaces: nest(" ", "", "//p", "xpath=")
    },
    selector
  ),
  css: reader(
    {
      not: nest(":not(", ")", "p"),
      is: nest(":is(", ")", "p"),
      children: nest("div>", "", "p"),
      lists: nest("p,", "", "p"),
      has: nest(":has(", ")", "p"),
      attributes: nest("[a]")
    },
    selector
  ),
  condition: reader(
    {
      parentheses: nest("(", ")", "data.a == 'x'"),
      not: nest("not ", "", "data.a == 'x'"),
      and: nest("data.a == 'x' and ", "", "data.a == 'x'"),
      lists: nest("[", "]", "1", "data.a == "),
      path: nest("a.", "", "b == 1"),
      quotes: nest("'", "", "", "data.a == "),
      backslashes: nest("\\", "", "", "data.a == '", "'")
    },
    condition
  ),
  pattern: reader(
    {
      groups: nest("(", ")", "a"),
      "open groups": nest("("),
      classes: nest("[", "]", "a"),
      options: nest("(?:", ")?", "a"),
      stars: nest("(?:", ")*", "a"),
      counts: nest("(?:", "){2}", "a"),
      alternatives: nest("a|"),
      lookaheads: nest("(?=", ")", "a"),
      backslashes: nest("\\")
    },
    (source) => [pattern(source), condition(`data.a regex_match '${source}'`)]
  ),
  template: reader(
    {
      braces: nest("{", "}", "a"),
      fields: nest("{a}"),
      keys: nest("[a]", "", "", "{a", "}"),
      dots: nest(".a", "", "", "{a", "}"),
      open: nest("{")
    },
    (source) => [
      Template.fill(source, () => ({ a: 1 })),
      glob(source.slice(0, 2_000))(source.slice(0, 2_000)),
      redact(source),
      redact(`?sig=${source}&password=${source}`)
    ]
  ),
  walks: {
    shapes: values,
    read: (input) => {
      for (const value of input as ReadonlyArray<unknown>) {
        const item = { id: null, summary_data: {}, data: { value }, executor_logs: [] }
        SafeJson.toJson(value)
        JSON.stringify(SafeJson.toJson(item)).slice(0, 1)
        ExactJson.stringify(SafeJson.toExactJson(item)).slice(0, 1)
        JsonSize.bound(SafeJson.toJson(item), 2_000_000)
        // What is out of bounds leaves no node, so nobody else walks it.
        if (DataBounds.problemOf(item) !== undefined) continue
        PythonText.ofValue(value)
        for (const source of [
          "data.value == 'x'",
          "data.value starts_with 'x'",
          "data.value contains 'a'",
          "data.value in ['x', 1]"
        ]) {
          Either.map(Condition.parse(source), (parsed) => Condition.evaluate(parsed, { ...item }))
        }
      }
    }
  }
}

const documentLimits: Document.DocumentLimits = {
  office: Limits.defaults,
  pdf: PdfDocument.defaultLimits,
  text: TextDocument.defaultLimits
}

const documentOptions = (name: string): Document.DocumentOptions => ({
  hints: { name },
  page_separator: "\n",
  extract_pages: true,
  extract_tables: true,
  extract_images: true,
  extract_properties: true,
  extract_notes: true,
  min_image_size: 1,
  password: null,
  text: TextDocument.defaults
})
