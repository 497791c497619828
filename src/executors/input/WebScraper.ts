import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import * as CutText from "../../text/CutText.ts"
import { type Content, withData, withSummary } from "../../domain/Content.ts"
import { EndpointValves } from "../../concurrency/EndpointValves.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import type { ThreadPool } from "../../threads/ThreadPool.ts"
import { systemLookup } from "../../web/HostAddresses.ts"
import type { FetchOptions } from "../../web/HttpFetch.ts"
import * as Robots from "../../web/Robots.ts"
import { judge, refused, type WebError } from "../../web/WebError.ts"
import * as Executor from "../../executor/Executor.ts"
import * as ItemLog from "../../executor/ItemLog.ts"
import type * as Retry from "../../executor/Retry.ts"
import * as Findings from "../extract/parsing/Findings.ts"
import { glob } from "../transform/fields/Glob.ts"
import { crawl, type Visit } from "./scraping/SiteCrawl.ts"
import { itemOf } from "./scraping/PageItem.ts"
import * as PageReader from "./scraping/PageReader.ts"
import * as PageUrl from "./scraping/PageUrl.ts"
import { problems, type ScrapeSettings, settings } from "./scraping/ScrapeSettings.ts"

/**
 * `web_scraper`: pages of the web, one item each. The incoming items only give addresses. A page that fails is an item with a failed
 * entry in its log; the node fails when not one page could be read.
 */
export const executor = Executor.define({
  type: "web_scraper",
  aliases: ["web_scraping_executor"],
  category: "input",
  name: "Web Scraper",
  description:
    "Reads pages of the web: their text, and fields by CSS selectors or XPath; follows links within bounds. Renders pages in a Chromium where one is configured.",
  settings,
  check: problems,
  make: (settings, context) =>
    Effect.gen(function* () {
      const services = yield* Effect.context<FileSystem.FileSystem | Path.Path | ThreadPool | EndpointValves>()
      return {
        retriesItems: true,
        process: (items) => scrape(context, settings, items).pipe(Effect.scoped, Effect.provide(services))
      }
    })
})

/** The version says what the header's readers look for: who it is, and not which build. */
const ownUserAgent = "Mozilla/5.0 (compatible; contentflow-worker/1.0)"

const scrape = (context: Executor.ExecutorContext, settings: ScrapeSettings, items: ReadonlyArray<Content>) =>
  Effect.gen(function* () {
    const log = yield* ItemLog.start(context)
    const addresses = addressesOf(settings, items)
    if (addresses.length === 0) {
      yield* Effect.logWarning(
        `${context.id} has no address to start from: start_urls is empty, and no incoming item has one in data.url or data.source_url.`
      )
      return []
    }
    const [wrong, starts] = Array.partitionMap(addresses, (address) =>
      Either.mapLeft(PageUrl.parse(address), (message): Failure => ({ address, error: refused(message) }))
    )
    const fetching: FetchOptions = {
      allowPrivate: settings.allow_private_addresses,
      lookup: systemLookup,
      userAgent: settings.user_agent ?? ownUserAgent,
      maxBytes: settings.max_page_bytes,
      timeout: Duration.seconds(settings.page_timeout_secs)
    }
    const valves = yield* EndpointValves
    const through = (url: URL) => valves.through({ endpoint: url.origin, caller: url.href, judge })
    const robots = settings.respect_robots_txt ? yield* Robots.make(fetching) : Robots.lawless
    const read = yield* PageReader.make(context, settings, fetching, robots)
    const visits = yield* crawl<PageReader.Page>(
      {
        maxDepth: settings.max_depth,
        maxPages: settings.max_pages,
        follows: settings.follow_links ? followed(settings, starts) : null,
        permit: (url) => through(url)(robots.permit(url)),
        pause: (url) =>
          Effect.map(robots.delayOf(url), (delay) => Duration.millis(Math.max(1000 / settings.rate_limit, delay))),
        load: (url, index) => retrying(context.retry, through(url)(read(url, index)))
      },
      starts
    )
    const failures = [...wrong, ...visits.flatMap((visit) => failureOf(visit) ?? [])]
    const scraped = visits.length + wrong.length - failures.length
    if (scraped === 0 && context.failOnError) return yield* nodeError(context, failures)

    const timestamp = yield* Timestamp.now
    const item = (address: string, status: "success" | "error", output: Readonly<Record<string, unknown>>): Content =>
      withData(withSummary(itemOf(address), { extraction_status: status, url: address, pages_scraped: scraped }), {
        [settings.output_field]: output
      })
    const failedItem = (failure: Failure): ReadonlyArray<Content> => {
      if (!settings.include_failed_pages) return []
      const message = messageOf(context, failure)
      return [log.failed(item(failure.address, "error", failedOutput(failure.address, message, timestamp)), message)]
    }
    yield* Effect.forEach(
      visits.filter((visit) => visit._tag === "Read"),
      ({ page, url }) => Findings.log(itemOf(url.href), page.warnings),
      { discard: true }
    )
    return [
      ...wrong.flatMap(failedItem),
      ...visits.flatMap((visit) => {
        const failure = failureOf(visit)
        return visit._tag === "Read"
          ? [
              log.completed(
                Findings.withWarnings(
                  item(visit.url.href, "success", outputOf(settings, visit.url, visit.page)),
                  visit.page.warnings
                ),
                detailsOf(visit)
              )
            ]
          : failure === undefined
            ? []
            : failedItem(failure)
      })
    ]
  })

interface Failure {
  readonly address: string
  readonly error: WebError
}

const failureOf = (visit: Visit<PageReader.Page>): Failure | undefined =>
  visit._tag === "Failed" ? { address: visit.url.href, error: visit.error } : undefined

const detailsOf = ({ depth, page: { warnings } }: Extract<Visit<PageReader.Page>, { readonly _tag: "Read" }>) => ({
  depth,
  ...Findings.detailsOf(warnings)
})

/** The settings' first, then those of the items, in order. */
const addressesOf = (settings: ScrapeSettings, items: ReadonlyArray<Content>): ReadonlyArray<string> => [
  ...settings.start_urls,
  ...items.flatMap(({ data }) => addressOf(data["url"]) ?? addressOf(data["source_url"]) ?? [])
]

const addressOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : undefined

const followed = (settings: ScrapeSettings, starts: ReadonlyArray<URL>): ((url: URL) => boolean) => {
  const patterns = settings.link_patterns?.map((pattern) => glob(pattern)) ?? null
  const sites = new Set(starts.map(PageUrl.siteOf))
  const isBound = settings.same_site ?? patterns === null
  return (url) =>
    (!isBound || sites.has(PageUrl.siteOf(url))) && (patterns === null || patterns.some((matches) => matches(url.href)))
}

/** A node's own retries, for each page, as long as the server asks for up to five minutes. */
const retrying = <A>(policy: Retry.Policy | undefined, load: Effect.Effect<A, WebError>): Effect.Effect<A, WebError> =>
  policy === undefined
    ? load
    : Effect.retry(load, {
        while: (error) => error.transient && error.outage?.closed !== true,
        times: policy.times,
        schedule: Schedule.identity<WebError>().pipe(
          Schedule.addDelay((error) =>
            Duration.max(policy.delay, Duration.min(Duration.millis(error.retryAfterMillis ?? 0), Duration.minutes(5)))
          )
        )
      })

const outputOf = (settings: ScrapeSettings, url: URL, page: PageReader.Page) => ({
  url: url.href,
  title: page.title,
  links: page.links.map(({ href }) => href),
  extracted_fields: page.fields,
  text: page.text,
  timestamp: page.timestamp,
  rendered: page.rendered,
  ...(page.finalUrl.href === url.href ? {} : { final_url: page.finalUrl.href }),
  ...(settings.include_html ? { html: page.html } : {}),
  ...(page.warnings.length === 0 ? {} : { warnings: page.warnings }),
  ...(page.screenshot === null
    ? {}
    : "path" in page.screenshot
      ? { screenshot_path: page.screenshot.path }
      : { screenshot_base64: page.screenshot.base64 })
})

/** With the keys that later steps read, empty. */
const failedOutput = (address: string, error: string, timestamp: string) => ({
  url: address,
  title: null,
  links: [],
  extracted_fields: {},
  text: "",
  timestamp,
  error
})

const messageOf = (context: Executor.ExecutorContext, { address, error }: Failure): string =>
  `${context.id} could not read ${CutText.cut(address, 500)}. ${error.message}.`

/** Not one page could be read; if any of them may heal, the crawl may. */
const nodeError = (
  context: Executor.ExecutorContext,
  failures: ReadonlyArray<Failure>
): Effect.Effect<never, Executor.ExecutorError> => {
  const told = failures.find(({ error }) => error.transient) ?? failures[0]
  if (told === undefined) return Effect.dieMessage("No page failed")
  const { error } = told
  return Effect.fail(
    new Executor.ExecutorError({
      reason: !error.transient ? "Document" : error.reason === "Timeout" ? "Timeout" : "Transient",
      executorId: context.id,
      itemId: told.address,
      message: `${messageOf(context, told)}${failures.length > 1 ? ` None of ${failures.length} pages could be read.` : ""}`,
      retryAfterMillis: error.retryAfterMillis,
      outage: error.outage
    })
  )
}
