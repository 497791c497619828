import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, TestClock } from "effect"
import { crawl, type SiteCrawlOptions, type CrawledPage } from "../../../../src/executors/input/scraping/SiteCrawl.ts"
import * as Robots from "../../../../src/web/Robots.ts"
import { refused, WebError } from "../../../../src/web/WebError.ts"
import * as LoopbackServer from "../../../web/LoopbackServer.ts"

const url = (path: string) => new URL(path, "https://site.test")
const gone = new WebError({ reason: "Status", message: "gone", transient: false })

/** Pages by path, with what they link to; null is one that fails. Notes when each was read. */
const site = (
  pages: Readonly<Record<string, ReadonlyArray<string> | null>>,
  more: Partial<SiteCrawlOptions<CrawledPage>> = {}
) => {
  const times: Array<readonly [string, number]> = []
  const options: SiteCrawlOptions<CrawledPage> = {
    maxDepth: 10,
    maxPages: 100,
    follows: () => true,
    permit: () => Effect.void,
    pause: () => Effect.succeed(Duration.seconds(2)),
    load: (at) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        times.push([at.pathname + at.search, now])
        const links = pages[at.pathname] ?? null
        return links === null ? Effect.fail(gone) : Effect.succeed({ finalUrl: at, links: links.map(url) })
      }),
    ...more
  }
  return { times, run: (...starts: ReadonlyArray<string>) => crawl(options, starts.map(url)) }
}

describe("crawl", () => {
  it.effect("waits before every page but the first, failed ones too, and not for what it passes over", () =>
    Effect.gen(function* () {
      const { run, times } = site(
        { "/": ["/closed", "/b", "/none", "/b/", "/b#x"], "/b": ["/c", "/"], "/c": [] },
        { permit: (at) => (at.pathname === "/closed" ? Effect.fail(refused("closed")) : Effect.void) }
      )
      const fiber = yield* Effect.fork(run("/"))
      yield* TestClock.adjust("1 minute")
      const visits = yield* Fiber.join(fiber)
      assert.deepStrictEqual(times, [
        ["/", 0],
        ["/b", 2000],
        ["/none", 4000],
        ["/c", 6000]
      ])
      assert.deepStrictEqual(
        visits.map(({ _tag, depth, url: at }) => [_tag, at.pathname, depth]),
        [
          ["Read", "/", 0],
          ["Read", "/b", 1],
          ["Failed", "/none", 1],
          ["Read", "/c", 2]
        ]
      )
    })
  )

  it.effect("ends where pages that lead on or fail never would", () =>
    Effect.gen(function* () {
      const quick = { pause: () => Effect.succeed(Duration.zero), maxPages: 20 }
      let count = 0
      const endless = site(
        {},
        { ...quick, load: (at) => Effect.succeed({ finalUrl: at, links: [url(`/${++count}`)] }) }
      )
      const far = yield* Effect.fork(endless.run("/"))
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* Fiber.join(far), 11)
      const failing = site({ "/": Array.from({ length: 1000 }, (_, index) => `/none-${index}`) }, quick)
      const fails = yield* Effect.fork(failing.run("/"))
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* Fiber.join(fails), 21)
    })
  )
})

describe("Robots", () => {
  const options = {
    allowPrivate: true,
    lookup: () => Effect.succeed(["127.0.0.1"]),
    userAgent: "Mozilla/5.0 (compatible; contentflow-worker/1.0)",
    maxBytes: 1000,
    timeout: Duration.seconds(30)
  }

  it.scoped("reads Crawl-delay, bounded, and the rules of any length", () =>
    Effect.gen(function* () {
      const long = `User-agent: *\n${"Disallow: /x\n".repeat(10_000)}Disallow: /last\nCrawl-delay: 3600\n`
      const server = yield* LoopbackServer.make({ "/robots.txt": long })
      const robots = yield* Robots.make(options)
      const at = (path: string) => new URL(path, server.origin)
      assert.strictEqual(yield* robots.delayOf(at("/")), 10_000)
      yield* robots.permit(at("/free"))
      assert.strictEqual((yield* Effect.flip(robots.permit(at("/last")))).reason, "Refused")
      assert.lengthOf(server.requests, 1)
    })
  )

  it.scoped("allows everything where there is none", () =>
    Effect.gen(function* () {
      const server = yield* LoopbackServer.make({})
      const robots = yield* Robots.make(options)
      yield* robots.permit(new URL("/any", server.origin))
      assert.strictEqual(yield* robots.delayOf(new URL("/any", server.origin)), 0)
    })
  )

  it("finds the name that robots.txt files know a crawler by", () => {
    assert.strictEqual(Robots.productOf(options.userAgent), "contentflow-worker")
    assert.strictEqual(Robots.productOf("MyBot/2 (+https://x.test)"), "MyBot")
    assert.strictEqual(Robots.productOf("Mozilla/5.0 (X11) Chrome/1"), "Mozilla")
  })
})
