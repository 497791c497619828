import * as Effect from "effect/Effect"
import robotsParser from "robots-parser"
import { fetch, type FetchOptions } from "./HttpFetch.ts"
import { refused, WebError } from "./WebError.ts"

/** What the sites of one crawl allow. */
export interface Robots {
  /** Fails when the site's robots.txt forbids the page, or can't be read although the site has one. */
  readonly permit: (url: URL) => Effect.Effect<void, WebError>
  /** `Crawl-delay` of the page's site in milliseconds, bounded; 0 without one. */
  readonly delayOf: (url: URL) => Effect.Effect<number>
}

/** RFC 9309 asks crawlers to read 500 KiB at least. */
const maxBytes = 2 * 1024 * 1024

/** Matching a rule costs its length times the path's where it has wildcards: rules with wildcards beyond this many characters are not looked at. */
const wildcardBudget = 128 * 1024

/** A site that asks for more has its pages fetched at this distance all the same. */
const longestDelayMillis = 10_000

/** Reads each site's robots.txt once (RFC 9309): without one everything is allowed, behind an error of the server nothing. */
export const make = (options: FetchOptions): Effect.Effect<Robots> =>
  Effect.map(
    Effect.cachedFunction((origin: string) => Effect.either(read(options, origin))),
    (rulesOf) => ({
      permit: (url) =>
        Effect.flatMap(Effect.flatten(rulesOf(url.origin)), (rules) =>
          rules.isAllowed(url.href, productOf(options.userAgent)) === false
            ? Effect.fail(
                refused(`${url.origin}/robots.txt forbids it (respect_robots_txt: false goes there all the same)`)
              )
            : Effect.void
        ),
      delayOf: (url) =>
        Effect.map(rulesOf(url.origin), (rules) => {
          const seconds = rules._tag === "Right" ? (rules.right.getCrawlDelay(productOf(options.userAgent)) ?? 0) : 0
          return seconds > 0 ? Math.min(seconds * 1000, longestDelayMillis) : 0
        })
    })
  )

/** No robots.txt: everything is allowed. */
export const lawless: Robots = { permit: () => Effect.void, delayOf: () => Effect.succeed(0) }

/** Its types tell of an ES module, but it is CommonJS: the module is the function. */
const parse = robotsParser as typeof robotsParser & typeof robotsParser.default

type Rules = ReturnType<typeof parse>

const read = (options: FetchOptions, origin: string): Effect.Effect<Rules, WebError> => {
  const url = new URL("/robots.txt", origin)
  return fetch({ ...options, maxBytes }, { url, accept: "text/plain,*/*;q=0.5" }).pipe(
    Effect.mapError(
      (error) =>
        new WebError({
          ...error,
          message: `${url.href} can't be read, so nothing tells what is allowed. ${error.message.replace(" (setting max_page_bytes)", "")}`
        })
    ),
    Effect.flatMap(({ body, retryAfterMillis, status }) =>
      status >= 500 || status === 429
        ? Effect.fail(
            new WebError({
              reason: "Status",
              message: `${url.href} answered with status ${status}, so nothing tells what is allowed`,
              transient: true,
              status,
              retryAfterMillis
            })
          )
        : Effect.succeed(parse(url.href, status < 300 ? bounded(new TextDecoder().decode(body)) : ""))
    )
  )
}

const bounded = (text: string): string => {
  let budget = wildcardBudget
  return text
    .split(/\r\n|\r|\n/)
    .filter((line) => !/^\s*(dis)?allow\s*:.*\*/i.test(line) || (budget -= line.length) >= 0)
    .join("\n")
}

/** The name that robots.txt files know a crawler by: `MyBot` of `Mozilla/5.0 (compatible; MyBot/2.0; +https://…)`. */
export const productOf = (userAgent: string): string => {
  const compatible = /\(compatible;\s*([\w-]+)/i.exec(userAgent)?.[1]
  return compatible ?? /[\w-]+/.exec(userAgent)?.[0] ?? "*"
}
