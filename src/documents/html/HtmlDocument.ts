import type { TextDocument, TextLimits, TextOptions, TextProperties } from "../text/TextDocument.ts"
import type { Warnings } from "../Warnings.ts"
import type { Article } from "./Article.ts"
import { type HtmlPage, isXhtml, readHtml } from "./HtmlReader.ts"

/** Reads a page: all of it, or its article. Rejects with `DocumentError` past a limit. */
export const readHtmlDocument = async (
  html: string,
  options: TextOptions,
  limits: TextLimits,
  warnings: Warnings
): Promise<Omit<TextDocument, "type" | "encoding" | "warnings">> => {
  const page = readHtml(html, limits, warnings)
  const article = options.html_content === "article" ? await articleOf(html, limits, warnings) : undefined
  const shown = article === undefined ? page : readHtml(article.html, limits, warnings)
  return {
    text: shown.text,
    properties: propertiesOf(page, article),
    ...(options.extract_headings && { headings: shown.headings }),
    ...(options.extract_links && { links: shown.links }),
    ...(options.extract_tables && { tables: shown.tables })
  }
}

/** The warning where all of a page is given in place of its article. */
export const noArticle = "The page has no article that stands out, so this is all of its text"

const articleOf = async (html: string, limits: TextLimits, warnings: Warnings): Promise<Article | undefined> => {
  if (html.length > limits.treeLength) {
    warnings.add(`The page has more than ${limits.treeLength} characters, too many to look for its article`)
    return undefined
  }
  const { findArticle } = await import("./Article.ts")
  const article = findArticle(isXhtml(html) ? withEndTags(html) : html)
  if (article === undefined) warnings.add(noArticle)
  return article
}

/** What XHTML writes as `<script/>` is never closed for a reader of HTML, but for elements that have no content anyway. */
const withEndTags = (xhtml: string): string =>
  xhtml.replace(/<([a-z][a-z0-9]{0,20})((?:\s[^<>]{0,2000})?)\/>/gi, (tag, name: string, attributes: string) =>
    withoutContent.has(name.toLowerCase()) ? tag : `<${name}${attributes}></${name}>`
  )

const withoutContent = new Set("area,base,br,col,embed,hr,img,input,link,meta,param,source,track,wbr".split(","))

/** The head's charset, where a page declares one: in `<meta>` or in an XML declaration (HTML 13.2.3.2). */
export const declaredCharset = (bytes: Uint8Array): string | undefined => {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 4096))
  return (
    /^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1] ??
    /<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([\w.:-]+)/i.exec(head)?.[1]
  )
}

const propertiesOf = (page: HtmlPage, article: Article | undefined): TextProperties => {
  const of = (...names: ReadonlyArray<string>): string | null =>
    names.map((name) => page.meta.get(name)).find((value) => value !== undefined) ?? null
  return {
    title: page.title ?? of("og:title", "twitter:title", "dc.title") ?? article?.title ?? null,
    author: of("author", "article:author", "dc.creator", "parsely-author") ?? article?.author ?? null,
    description:
      of("description", "og:description", "twitter:description", "dc.description") ?? article?.excerpt ?? null,
    keywords: of("keywords", "news_keywords"),
    language: page.language ?? of("content-language", "og:locale"),
    site_name: of("og:site_name", "application-name") ?? article?.siteName ?? null,
    canonical_url: page.canonicalUrl ?? of("og:url"),
    published: of("article:published_time", "date", "dc.date", "dcterms.created") ?? article?.published ?? null,
    modified: of("article:modified_time", "last-modified", "dcterms.modified"),
    metadata: Object.fromEntries(page.meta)
  }
}
