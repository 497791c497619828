import MarkdownIt from "markdown-it"
import { limitExceeded } from "../DocumentError.ts"
import { makeCollector, readHtml } from "../html/HtmlReader.ts"
import { makeFlow } from "../html/HtmlFlow.ts"
import type { Warnings } from "../Warnings.ts"
import { takeFrontMatter } from "./FrontMatter.ts"
import type { Heading, Link, TextLimits, TextTable } from "./TextDocument.ts"

/** A Markdown document. */
export interface MarkdownReading {
  /** The document without its front matter. */
  readonly source: string
  /** What a reader sees, without marks; cells of a row are apart by tabs. */
  readonly plain: string
  /** Null if there is none, or none that is a mapping. */
  readonly frontMatter: Readonly<Record<string, unknown>> | null
  readonly headings: ReadonlyArray<Heading>
  readonly links: ReadonlyArray<Link>
  readonly tables: ReadonlyArray<TextTable>
}

/** Reads CommonMark with tables and YAML front matter. Throws `DocumentError` past a limit. */
export const readMarkdown = (text: string, limits: TextLimits, warnings: Warnings): MarkdownReading => {
  const { body, frontMatter } = takeFrontMatter(text, warnings)
  if (body.length > limits.treeLength) {
    warnings.add(`The document has more than ${limits.treeLength} characters, too many to be read as Markdown`)
    return { source: body, plain: body, frontMatter, headings: [], links: [], tables: [] }
  }
  const headings = makeCollector<Heading>("headings", limits.entries, warnings)
  const links = makeCollector<Link>("links", limits.entries, warnings)
  const tables: Array<TextTable> = []
  const flow = makeFlow()
  let level = 0
  let rows: Array<Array<string>> | undefined
  let cells = 0

  for (const token of new MarkdownIt({ html: true }).parse(body, {})) {
    switch (token.type) {
      case "heading_open":
        level = Number(token.tag.slice(1))
        flow.lineBreak(2)
        break
      case "inline": {
        const inline = readInline(token.children ?? [], links.add)
        if (level > 0 && inline.trim() !== "") headings.add({ level, text: inline.replace(/\s+/g, " ").trim() })
        rows?.at(-1)?.push(inline.trim())
        for (const [index, line] of inline.split("\n").entries()) {
          if (index > 0) flow.forcedBreak()
          flow.text(line)
        }
        break
      }
      case "heading_close":
        level = 0
        flow.lineBreak(2)
        break
      case "fence":
      case "code_block":
        flow.lineBreak(2)
        flow.preformatted(token.content.replace(/\n$/, ""))
        flow.lineBreak(2)
        break
      case "html_block": {
        const page = readHtml(token.content, limits, warnings)
        flow.lineBreak(2)
        flow.preformatted(page.text)
        flow.lineBreak(2)
        for (const heading of page.headings) headings.add(heading)
        for (const link of page.links) links.add(link)
        break
      }
      case "table_open":
        rows = []
        flow.lineBreak(2)
        break
      case "tr_open":
        rows?.push([])
        flow.lineBreak(1)
        break
      case "td_open":
      case "th_open":
        cells++
        if (cells > limits.cells) {
          throw limitExceeded("cells", `The tables of the document have more than ${limits.cells} cells`)
        }
        if ((rows?.at(-1)?.length ?? 0) > 0) flow.tab()
        break
      case "table_close":
        if (rows !== undefined) {
          tables.push({
            table_number: tables.length + 1,
            rows: rows.length,
            columns: rows.reduce((most, row) => Math.max(most, row.length), 0),
            data: rows
          })
        }
        rows = undefined
        flow.lineBreak(2)
        break
      case "paragraph_open":
      case "paragraph_close":
        // the paragraphs of a tight list are hidden
        flow.lineBreak(token.hidden ? 1 : 2)
        break
      case "list_item_open":
      case "list_item_close":
        flow.lineBreak(1)
        break
      default:
        if (token.nesting !== 0 && token.block && !/^(thead|tbody|tr|td|th)_/.test(token.type)) flow.lineBreak(2)
    }
  }
  return {
    source: body,
    plain: flow.finish(),
    frontMatter,
    headings: headings.list,
    links: links.list,
    tables
  }
}

type Token = ReturnType<InstanceType<typeof MarkdownIt>["parse"]>[number]

/** The text of a line or paragraph: images by their descriptions, HTML tags left out. */
const readInline = (tokens: ReadonlyArray<Token>, addLink: (link: Link) => void): string => {
  let text = ""
  let link: { readonly url: string; readonly start: number } | undefined
  for (const token of tokens) {
    switch (token.type) {
      case "text":
      case "code_inline":
        text += token.content
        break
      case "image":
        text += token.content
        break
      case "softbreak":
        text += " "
        break
      case "hardbreak":
        text += "\n"
        break
      case "html_inline":
        if (/^<br\b/i.test(token.content)) text += "\n"
        break
      case "link_open":
        link = { url: String(token.attrGet("href") ?? ""), start: text.length }
        break
      case "link_close":
        if (link !== undefined && link.url !== "") addLink({ url: link.url, text: text.slice(link.start).trim() })
        link = undefined
        break
      default:
        text += token.content
    }
  }
  return text
}
