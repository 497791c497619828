import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { WebError } from "../../../web/WebError.ts"
import * as PageUrl from "./PageUrl.ts"

/** How a crawl goes from page to page. */
export interface SiteCrawlOptions<Page> {
  readonly maxDepth: number
  /** Pages read; as many again may fail. */
  readonly maxPages: number
  /** Whether a link is followed; null when none is. */
  readonly follows: ((url: URL) => boolean) | null
  /** Fails for a page that must not be read. */
  readonly permit: (url: URL) => Effect.Effect<void, WebError>
  /** Waited before each page but the first. */
  readonly pause: (url: URL) => Effect.Effect<Duration.Duration>
  /** Reads a page; `index` counts the pages read before it. */
  readonly load: (url: URL, index: number) => Effect.Effect<Page, WebError>
}

/** What a crawl needs to know of a page. */
export interface CrawledPage {
  /** After redirects. */
  readonly finalUrl: URL
  readonly links: ReadonlyArray<URL>
}

export type Visit<Page> =
  | { readonly _tag: "Read"; readonly url: URL; readonly depth: number; readonly page: Page }
  | { readonly _tag: "Failed"; readonly url: URL; readonly depth: number; readonly error: WebError }

/** Links that wait; a page of nothing but links must not fill the memory. */
const mostWaiting = 100_000

/**
 * Visits pages breadth first, in the order given and found, each page once, one after another. A page that fails is reported, and the crawl goes on. A link
 * that leads where we don't go (robots.txt, a private address) or to no page is passed over; a start page like that has failed.
 */
export const crawl = <Page extends CrawledPage>(
  options: SiteCrawlOptions<Page>,
  starts: ReadonlyArray<URL>
): Effect.Effect<ReadonlyArray<Visit<Page>>> =>
  Effect.gen(function* () {
    const known = new Set<string>()
    const waiting: Array<{ readonly url: URL; readonly depth: number }> = []
    const add = (url: URL, depth: number): void => {
      const key = PageUrl.keyOf(url)
      if (known.has(key) || waiting.length >= mostWaiting) return
      known.add(key)
      waiting.push({ url, depth })
    }
    for (const url of starts) add(url, 0)

    const visits: Array<Visit<Page>> = []
    let [read, failed, loads] = [0, 0, 0]
    for (let at = 0; read < options.maxPages && failed < options.maxPages; at++) {
      const next = waiting[at]
      if (next === undefined) break
      const { depth, url } = next
      const result = yield* Effect.gen(function* () {
        yield* options.permit(url)
        if (loads++ > 0) yield* Effect.sleep(yield* options.pause(url))
        return yield* options.load(url, read)
      }).pipe(Effect.either)

      if (result._tag === "Left") {
        const error = result.left
        if (depth > 0 && (error.reason === "Refused" || error.reason === "NotAPage")) {
          yield* Effect.logDebug(`Passed over ${url.href}: ${error.message}.`)
        } else {
          failed++
          visits.push({ _tag: "Failed", url, depth, error })
        }
        continue
      }
      const page = result.right
      const finalKey = PageUrl.keyOf(page.finalUrl)
      const isElsewhere = finalKey !== PageUrl.keyOf(url)
      if (isElsewhere && known.has(finalKey) && depth > 0) continue
      known.add(finalKey)
      read++
      visits.push({ _tag: "Read", url, depth, page })
      if (options.follows !== null && depth < options.maxDepth) {
        for (const link of page.links) if (options.follows(link)) add(link, depth + 1)
      }
    }
    return visits
  })
