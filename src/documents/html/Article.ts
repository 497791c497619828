import { Readability } from "@mozilla/readability"
import { parseHTML } from "linkedom"

/** The main content of a page, and what is known of it. */
export interface Article {
  readonly html: string
  readonly title: string | null
  readonly author: string | null
  readonly siteName: string | null
  readonly published: string | null
  readonly excerpt: string | null
}

const mostElements = 100_000

/** Readability takes time quadratic in the depth; pages that people write are nested a few hundred levels deep at most. */
const mostLevels = 1_000

/** The main content as Mozilla's reader mode finds it; undefined when it finds none, or the page is too much for it. */
export const findArticle = (html: string): Article | undefined => {
  try {
    // by name, since linkedom describes its result as the global object, which has no document on every runtime
    const document: ConstructorParameters<typeof Readability>[0] = Reflect.get(parseHTML(html), "document")
    // an empty page has no root, which Readability does not expect
    if (document.documentElement === null || document.body === null) return undefined
    if (isDeeperThan(mostLevels, document.documentElement)) return undefined
    const article = new Readability(document, { maxElemsToParse: mostElements }).parse()
    if (article === null || !article.content) return undefined
    return {
      html: article.content,
      title: article.title || null,
      author: article.byline || null,
      siteName: article.siteName || null,
      published: article.publishedTime || null,
      excerpt: article.excerpt || null
    }
  } catch {
    // it is heuristics over any tree: where they fail, the whole page is the answer
    return undefined
  }
}

interface Nested {
  readonly children: Iterable<Nested>
}

const isDeeperThan = (levels: number, root: Nested): boolean => {
  let level: ReadonlyArray<Nested> = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true
    level = level.flatMap(({ children }) => Array.from(children))
  }
  return false
}
