import * as Either from "effect/Either"
import type { DomDocument } from "../../../xpath/DomNode.ts"
import { parsePage } from "./Dom.ts"
import * as PageUrl from "./PageUrl.ts"
import * as Selector from "./Selector.ts"

/** What is taken from a page by its tree. */
export interface Extracted {
  readonly title: string
  /** A field whose selector matches nothing is left out; null is an empty match or a selector that can't be used. */
  readonly fields: Readonly<Record<string, string | null>>
  /** Absolute, without fragments, each once. */
  readonly links: ReadonlyArray<URL>
  readonly warnings: ReadonlyArray<string>
}

export type Fields = ReadonlyMap<string, Either.Either<Selector.Selector, string>>

/** Links of one page; more are left out. */
const mostLinks = 10_000

/** Takes title, fields and (where `links` says so) links from a page that was read at `url`. */
export const extract = (html: string, url: URL, fields: Fields, links: boolean): Extracted => {
  const document = parsePage(html)
  const values: Array<readonly [string, string | null]> = []
  const warnings: Array<string> = []
  for (const [name, selector] of fields) {
    const found = Either.flatMap(selector, (parsed) => Selector.select(parsed, document))
    if (Either.isLeft(found)) {
      warnings.push(`The selector of the field ${name} can't be used: ${found.left}.`)
      values.push([name, null])
    } else if (found.right !== undefined) values.push([name, found.right])
  }
  return {
    title: (document.querySelector("title")?.textContent ?? "").replace(/\s+/g, " ").trim(),
    fields: Object.fromEntries(values),
    links: links ? linksOf(document, url) : [],
    warnings
  }
}

const linksOf = (document: DomDocument, url: URL): ReadonlyArray<URL> => {
  const base = document.querySelector("base[href]")?.getAttribute("href") ?? ""
  const from = URL.canParse(base, url.href) ? new URL(base, url.href).href : url.href
  const found = new Map<string, URL>()
  for (const link of document.querySelectorAll("a[href], area[href]")) {
    const target = PageUrl.parse(link.getAttribute("href") ?? "", from)
    if (Either.isLeft(target)) continue
    found.set(target.right.href, target.right)
    if (found.size === mostLinks) break
  }
  return [...found.values()]
}
