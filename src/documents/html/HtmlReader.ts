import { Parser } from "htmlparser2"
import * as CutText from "../../text/CutText.ts"
import { limitExceeded } from "../DocumentError.ts"
import { fromSymbolFont, type SymbolFont, symbolFont } from "../drawing/SymbolFont.ts"
import type { Heading, Link, TextLimits, TextTable } from "../text/TextDocument.ts"
import type { Warnings } from "../Warnings.ts"
import { gap, raised } from "../drawing/LinearFormula.ts"
import { fontFamily } from "./FontFamily.ts"
import { isHidden } from "./Hidden.ts"
import { makeFlow } from "./HtmlFlow.ts"
import { isMath, makeMathFormula, type MathFormula } from "./MathFormula.ts"
import { makeTables } from "./HtmlTables.ts"

/** What a page shows and what it says of itself. */
export interface HtmlPage {
  /** All visible text; cells of a row are apart by tabs. */
  readonly text: string
  readonly title: string | null
  /** The `lang` of the page. */
  readonly language: string | null
  readonly canonicalUrl: string | null
  /** `content` of `<meta>` by `name`, `property` or `http-equiv`, in lower case; of two the first. */
  readonly meta: ReadonlyMap<string, string>
  readonly headings: ReadonlyArray<Heading>
  readonly links: ReadonlyArray<Link>
  readonly tables: ReadonlyArray<TextTable>
}

/** Reads HTML in one pass, however wrong it is; no script runs and nothing is fetched. Throws `DocumentError` past a limit. */
export const readHtml = (html: string, limits: TextLimits, warnings: Warnings): HtmlPage => {
  const flow = makeFlow()
  const tables = makeTables(limits.cells)
  const meta = new Map<string, string>()
  const headings = makeCollector<Heading>("headings", limits.entries, warnings)
  const links = makeCollector<Link>("links", limits.entries, warnings)
  let title: string | undefined
  let language: string | null = null
  let canonicalUrl: string | null = null
  let depth = 0
  let hidden = 0
  /** The depth of the outermost element that is hidden with all in it; 0 outside of any. */
  let hiddenAt = 0
  /** Of the elements under way those that name a font, innermost last; the signs of symbol fonts are letters elsewhere. */
  const fonts: Array<{ readonly depth: number; readonly font: SymbolFont | undefined }> = []
  /** By depth, of the elements under way. */
  const classes = new Map<number, string>()
  let preformatted = 0
  let math: MathFormula | undefined
  /** The depth of the formula that has just ended, with nothing behind it yet; 0 behind anything else. */
  let endedMath = 0
  /** Where the text that comes first in this element stands. */
  let script: "^" | "_" | undefined
  /** The end of the line so far, and the formula that the next text stands right behind. */
  let tail = ""
  let behindMath = ""
  let inTitle = false
  let inSvg = 0
  let heading: { readonly level: number; text: string } | undefined
  let link: { readonly url: string; text: string } | undefined

  const closeLink = (): void => {
    if (link !== undefined) links.add({ url: link.url, text: collapsed(link.text) })
    link = undefined
  }
  const closeHeading = (): void => {
    const text = collapsed(heading?.text ?? "")
    if (heading !== undefined && text !== "") headings.add({ level: heading.level, text })
    heading = undefined
  }

  const addText = (written: string): void => {
    const apart = behindMath === "" ? written : gap(behindMath, written) + written
    const text = script === undefined ? apart : raised(script, tail, apart)
    behindMath = ""
    script = undefined
    if (text !== "") tail = text.slice(-2)
    if (heading !== undefined) heading.text += text
    if (link !== undefined) link.text += text
    tables.text(text)
    if (preformatted > 0) flow.preformatted(text)
    else flow.text(text)
  }

  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        depth++
        if (depth > limits.depth) {
          throw limitExceeded("depth", `The page has elements nested more than ${limits.depth} deep`)
        }
        if (hiddenAt > 0) return
        const drawnMath = endedMath
        endedMath = 0
        if (hidden === 0 && drawsMath(name, attributes, classes.get(depth - 1), drawnMath - depth)) {
          hiddenAt = depth
          return
        }
        if (attributes["class"] === undefined) classes.delete(depth)
        else classes.set(depth, attributes["class"])
        if (hidden === 0 && (math !== undefined || isMath(name))) {
          math ??= makeMathFormula()
          math.open(name, attributes)
          return
        }
        // a page whose script shows it in the end is one that readers see
        if (hidden === 0 && name !== "html" && name !== "body" && isHidden(name, attributes)) {
          hiddenAt = depth
          return
        }
        const family = fontFamily(name, attributes)
        if (family !== undefined) fonts.push({ depth, font: symbolFont(family) })
        if (name === "title") {
          // that of a drawing is no title of the page
          inTitle = inSvg === 0 && title === undefined
          hidden++
          return
        }
        if (unseen.has(name)) {
          hidden++
          return
        }
        if (hidden > 0) return
        if (name === "svg") inSvg++
        else if (name === "html") language = attributes["lang"]?.trim() || null
        else if (name === "meta") addMeta(meta, attributes)
        else if (name === "link" && /(^|\s)canonical(\s|$)/i.test(attributes["rel"] ?? "")) {
          canonicalUrl ??= attributes["href"]?.trim() || null
        } else if (name === "table") tables.openTable()
        else if (name === "tr") tables.openRow()
        else if (name === "td" || name === "th") {
          if (tables.inRow()) flow.tab()
          tables.openCell(attributes)
          tail = ""
          // the first cell of a row ends the line before it, the others do not
          if (!tables.inRow()) flow.lineBreak(1)
          return
        } else if (name === "a") {
          closeLink()
          const url = attributes["href"]?.trim() ?? ""
          if (url !== "" && !/^(javascript|data):/i.test(url)) link = { url, text: "" }
        } else if (name === "pre" || name === "textarea") preformatted++
        else if (name === "sup" || name === "sub") script = name === "sup" ? "^" : "_"
        else if (name === "img" && heading !== undefined) heading.text += ` ${attributes["alt"] ?? ""} `
        if (attributes["style"] !== undefined) script = scriptOfStyle(attributes["style"]) ?? script
        if (/^h[1-6]$/.test(name)) {
          closeHeading()
          heading = { level: Number(name[1]), text: "" }
        }
        breakAround(name)
      },
      ontext: (written) => {
        if (inTitle) title = (title ?? "") + written
        if (hidden > 0 || hiddenAt > 0) return
        if (math !== undefined) {
          math.text(written)
          return
        }
        const font = fonts.at(-1)?.font
        if (endedMath > 0 && written.trim() !== "") endedMath = 0
        addText(font === undefined ? written : fromSymbolFont(font, written))
      },
      onclosetag: (name) => {
        depth--
        if ((fonts.at(-1)?.depth ?? 0) > depth) fonts.pop()
        if (hiddenAt > 0) {
          if (depth >= hiddenAt) return
          hiddenAt = 0
          return
        }
        if (math !== undefined) {
          const formula = math.close()
          if (formula === undefined) return
          math = undefined
          endedMath = depth + 1
          addText(gap(tail, formula) + formula)
          behindMath = formula
          return
        }
        if (name === "title") {
          inTitle = false
          hidden--
          return
        }
        if (unseen.has(name)) {
          hidden--
          return
        }
        if (hidden > 0) return
        if (name === "svg") inSvg--
        else if (name === "table") tables.closeTable()
        else if (name === "td" || name === "th") {
          tables.closeCell()
          return
        } else if (name === "a") closeLink()
        else if (name === "pre" || name === "textarea") preformatted--
        if (/^h[1-6]$/.test(name)) closeHeading()
        // it has been one already
        if (name !== "br") breakAround(name)
      }
    },
    { decodeEntities: true, recognizeSelfClosing: isXhtml(html) }
  )
  const breakAround = (name: string): void => {
    if (name === "br" || paragraphs.has(name) || blocks.has(name)) tail = ""
    if (name === "br") {
      flow.forcedBreak()
      tables.lineBreak()
    } else if (paragraphs.has(name)) {
      flow.lineBreak(2)
      tables.lineBreak()
    } else if (blocks.has(name)) {
      flow.lineBreak(1)
      tables.lineBreak()
    }
  }
  for (let start = 0; start < html.length; start += chunk) parser.write(html.slice(start, start + chunk))
  parser.end()
  closeLink()
  closeHeading()
  return {
    text: flow.finish(),
    title: collapsed(title ?? "") || null,
    language,
    canonicalUrl,
    meta,
    headings: headings.list,
    links: links.list,
    tables: tables.list()
  }
}

/** Whether a page is XML by its own word, so that `<title/>` is a whole element and not the start of one. */
export const isXhtml = (html: string): boolean => {
  const head = html.slice(0, 2000)
  return (
    /^\s*<\?xml\b/i.test(head) || /<html\b[^>]*\sxmlns\s*=\s*["']http:\/\/www\.w3\.org\/1999\/xhtml["']/i.test(head)
  )
}

/** Where an inline style has the text stand, as word processors write it in place of `<sup>`. */
const scriptOfStyle = (style: string): "^" | "_" | undefined => {
  const found = /(?:^|;)\s*vertical-align\s*:\s*(super|sub)\b/i.exec(style.slice(0, longest))?.[1]?.toLowerCase()
  return found === undefined ? undefined : found === "super" ? "^" : "_"
}

/**
 * Whether an element draws a formula that stands beside it as MathML, and is hidden from screen readers for that: KaTeX has it behind the
 * formula, `levels` farther out, MathJax in front of it.
 */
const drawsMath = (
  name: string,
  attributes: Readonly<Record<string, string>>,
  classOfParent: string | undefined,
  levels: number
): boolean =>
  attributes["aria-hidden"]?.trim().toLowerCase() === "true" &&
  !paragraphs.has(name) &&
  !blocks.has(name) &&
  (levels === 0 || levels === 1 || (name === "nobr" && /(^|\s)MathJax(\s|$)/.test(classOfParent ?? "")))

/** A list that stops growing, with a warning. */
export const makeCollector = <A>(what: string, most: number, warnings: Warnings) => {
  const list: Array<A> = []
  return {
    list: list as ReadonlyArray<A>,
    add: (entry: A): void => {
      if (list.length < most) list.push(entry)
      else warnings.add(`Only the first ${most} ${what} are listed`)
    }
  }
}

const chunk = 64 * 1024

/** An element that is never closed would make a heading or a link of all the rest. */
const longest = 2000

const collapsed = (text: string): string =>
  CutText.cut(
    text
      .slice(0, 2 * longest)
      .replace(/\s+/g, " ")
      .trim(),
    longest
  )

const addMeta = (meta: Map<string, string>, attributes: Readonly<Record<string, string>>): void => {
  const name = (attributes["name"] ?? attributes["property"] ?? attributes["http-equiv"])?.trim().toLowerCase() ?? ""
  const content = attributes["content"]?.trim() ?? ""
  if (name !== "" && content !== "" && !meta.has(name) && meta.size < mostMeta) {
    meta.set(CutText.cut(name, 200), CutText.cut(content, 10_000))
  }
}

const mostMeta = 200

/** Elements whose content no reader sees. */
const unseen = new Set(["script", "style", "noscript", "template", "iframe", "object", "audio", "video", "canvas"])

/** Elements with a blank line around them. */
const paragraphs = new Set([
  "p",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "ul",
  "ol",
  "dl",
  "table",
  "pre",
  "blockquote",
  "article",
  "section",
  "header",
  "footer",
  "main",
  "nav",
  "aside",
  "figure",
  "fieldset",
  "form",
  "hr"
])

/** Elements on lines of their own. */
const blocks = new Set([
  "address",
  "body",
  "caption",
  "dd",
  "details",
  "dialog",
  "div",
  "dt",
  "figcaption",
  "frameset",
  "legend",
  "li",
  "optgroup",
  "option",
  "summary",
  "tbody",
  "textarea",
  "tfoot",
  "thead",
  "tr"
])
