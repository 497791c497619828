import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Either, Layer, Logger, LogLevel } from "effect"
import { createHash } from "node:crypto"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import { executor } from "../../../src/executors/input/WebScraper.ts"
import * as EndpointValves from "../../../src/concurrency/EndpointValves.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import * as LoopbackServer from "../../web/LoopbackServer.ts"
import { item, runNode } from "../NodeRun.ts"

const services = Layer.mergeAll(
  NodeContext.layer,
  ThreadPool.layerInline,
  EndpointValves.layer,
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map())),
  Logger.minimumLogLevel(LogLevel.None)
)

/** Real time: pages come over a real connection, ten a second. */
const scrape = (settings: Readonly<Record<string, unknown>>, items: Parameters<typeof runNode>[3] = []) =>
  runNode(
    executor,
    "web",
    { allow_private_addresses: true, render_js: false, rate_limit: 10, respect_robots_txt: false, ...settings },
    items
  ).pipe(Effect.provide(services))

const output = (
  page: { readonly data: Readonly<Record<string, unknown>> } | undefined,
  field = "web_scraping_output"
) => page?.data[field] as Readonly<Record<string, unknown>>

const urlsOf = (pages: ReadonlyArray<{ readonly summary_data: Readonly<Record<string, unknown>> }>, origin: string) =>
  pages.map(({ summary_data }) => String(summary_data["url"]).replace(origin, ""))

const problemsOf = (settings: Readonly<Record<string, unknown>>) =>
  Either.match(executor.prepare(settings), { onLeft: (found) => found, onRight: () => [] })

const paragraph =
  "This is the main story of the page, long enough to be told from what stands around it, with commas, clauses and words. "

describe("web_scraper", () => {
  it.live("reads a page in the original's shape, with a stable id and its main text", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({
          "/story": `<html><head><title> My  story </title></head><body><nav><a href="/x">Menu entry</a></nav><article><h1>Head</h1>${`<p>${paragraph}</p>`.repeat(8)}</article><img class="logo" src="/l.png"></body></html>`
        })
        const settings = {
          start_urls: `${server.origin}/story#part`,
          selectors: '{"head": "h1", "logo": "img.logo@src", "none": ".none", "bad": "a:has-text(1)"}'
        }
        const [page, ...rest] = yield* scrape(settings)
        assert.lengthOf(rest, 0)
        const url = `${server.origin}/story`
        assert.deepStrictEqual(page?.id, {
          canonical_id: url,
          unique_id: createHash("sha1").update(url).digest("hex"),
          source_name: "web_scraper",
          source_type: "webpage",
          container: null,
          path: null,
          filename: null,
          metadata: null
        })
        const { extraction_warnings, ...summary } = page?.summary_data ?? {}
        assert.deepStrictEqual(summary, { extraction_status: "success", url, pages_scraped: 1 })
        const { text, timestamp, warnings, ...found } = output(page)
        for (const told of [extraction_warnings, warnings]) assert.match(String(told), /field bad .*has-text/)
        assert.deepStrictEqual(found, {
          url,
          title: "My story",
          links: [],
          extracted_fields: { head: "Head", logo: "/l.png", bad: null },
          rendered: false
        })
        assert.include(String(text), paragraph.trim())
        assert.notInclude(String(text), "Menu entry")
        assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/)
        const [entry] = page?.executor_logs ?? []
        assert.strictEqual(entry?.status, "completed")
        assert.match(String(entry?.details["warnings"]), /field bad .*has-text/)
        assert.strictEqual((yield* scrape(settings))[0]?.id?.unique_id, page?.id?.unique_id)
      })
    )
  )

  it.live("takes lists, comma lists, JSON lists, and the addresses of items, each page once and in order", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({
          "/a": "a",
          "/b,c": "b",
          "/c": "c",
          "/d": "d",
          "/e/": "e"
        })
        const { origin } = server
        const items = [
          item({ url: `${origin}/d` }),
          item({ source_url: `${origin}/e/` }),
          item({ url: `${origin}/a/` })
        ]
        for (const start_urls of [
          [`${origin}/c`, `${origin}/b,c`, `${origin}/a`],
          `${origin}/c, ${origin}/b,c,${origin}/a`,
          JSON.stringify([`${origin}/c`, `${origin}/b,c`, `${origin}/a`])
        ]) {
          const pages = yield* scrape({ start_urls }, items)
          assert.deepStrictEqual(urlsOf(pages, origin), ["/c", "/b,c", "/a", "/d", "/e/"])
          assert.deepStrictEqual(
            pages.map(({ summary_data }) => summary_data["pages_scraped"]),
            [5, 5, 5, 5, 5]
          )
        }
        assert.deepStrictEqual(urlsOf(yield* scrape({ start_urls: "" }, items.slice(0, 1)), origin), ["/d"])
        assert.deepStrictEqual(yield* scrape({ start_urls: [] }, [item({ url: 7 })]), [])
      })
    )
  )

  const site = {
    "/": '<base href="/in/"><a href="one">1</a><a href="one#x">1</a><a href="/two">2</a><a href="mailto:x@y">m</a><a href="http://other.test/">o</a><a href="/file.pdf">f</a><a href="/gone">g</a>',
    "/in/one": '<a href="/deep">d</a><a href="/">home</a>',
    "/two": { status: 302, headers: { location: "/in/one" } },
    "/deep": '<a href="/deeper">d</a>',
    "/deeper": "end",
    "/file.pdf": { headers: { "content-type": "application/pdf" }, body: "%PDF-1.7" }
  }

  it.live("follows links breadth first within depth and site; a failing page is an item of its own", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make(site)
        const { origin } = server
        const pages = yield* scrape({ start_urls: origin, follow_links: true, max_depth: 2 })
        assert.deepStrictEqual(urlsOf(pages, origin), ["/", "/in/one", "/gone", "/deep"])
        assert.deepStrictEqual(output(pages[0])["links"], [
          `${origin}/in/one`,
          `${origin}/two`,
          "http://other.test/",
          `${origin}/file.pdf`,
          `${origin}/gone`
        ])
        const gone = pages[2]
        assert.deepInclude(gone?.summary_data, { extraction_status: "error", pages_scraped: 3 })
        assert.deepInclude(output(gone), { url: `${origin}/gone`, text: "", links: [], extracted_fields: {} })
        assert.include(String(output(gone)["error"]), "status 404")
        assert.strictEqual(gone?.executor_logs[0]?.status, "failed")
        const without = yield* scrape({
          start_urls: origin,
          follow_links: "yes",
          max_depth: 2,
          include_failed_pages: false
        })
        assert.deepStrictEqual(urlsOf(without, origin), ["/", "/in/one", "/deep"])
        assert.deepStrictEqual(
          urlsOf(yield* scrape({ start_urls: origin, follow_links: true, max_pages: 1 }), origin),
          ["/"]
        )
        assert.deepStrictEqual(
          urlsOf(yield* scrape({ start_urls: origin, follow_links: true, max_depth: 0 }), origin),
          ["/"]
        )
      })
    )
  )

  it.live("lets patterns decide which links are followed, but not start pages", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make(site)
        const { origin } = server
        const follow = { start_urls: origin, follow_links: true, max_depth: 3 }
        const matching = yield* scrape({ ...follow, link_patterns: [`${origin}/in/*`, `${origin}/deep`] })
        assert.deepStrictEqual(urlsOf(matching, origin), ["/", "/in/one", "/deep"])
        const comma = yield* scrape({ ...follow, link_patterns: `*/nothing*, ${origin}/in/*` })
        assert.deepStrictEqual(urlsOf(comma, origin), ["/", "/in/one"])
      })
    )
  )

  it.live("keeps to robots.txt: links are passed over, a start page fails", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({
          "/robots.txt": "User-agent: *\nDisallow: /private\n\nUser-agent: mybot\nDisallow: /only\n",
          "/": '<a href="/private/x">p</a><a href="/open">o</a>',
          "/open": "open",
          "/hop": { status: 302, headers: { location: "/private/y" } },
          "/only": "only",
          "/private/x": "x",
          "/private/y": "y"
        })
        const { origin } = server
        const kept = { respect_robots_txt: true, follow_links: true }
        const pages = yield* scrape({
          ...kept,
          start_urls: [origin, `${origin}/private/x`, `${origin}/hop`, `${origin}/only`]
        })
        assert.deepStrictEqual(urlsOf(pages, origin), ["/", "/private/x", "/hop", "/only", "/open"])
        assert.deepStrictEqual(
          pages.map(({ summary_data }) => summary_data["extraction_status"]),
          ["success", "error", "error", "success", "success"]
        )
        assert.include(String(output(pages[1])["error"]), "robots.txt forbids")
        assert.lengthOf(
          server.requests.filter(({ path }) => path.startsWith("/private")),
          0
        )
        assert.lengthOf(
          server.requests.filter(({ path }) => path === "/robots.txt"),
          1
        )
        const named = yield* scrape({
          respect_robots_txt: true,
          start_urls: [`${origin}/private/x`, `${origin}/only`],
          user_agent: "Mozilla/5.0 (compatible; MyBot/2.1; +https://example.com)"
        })
        assert.deepStrictEqual(
          named.map(({ summary_data }) => summary_data["extraction_status"]),
          ["success", "error"]
        )
      })
    )
  )

  it.live("does not guess what a robots.txt says that can't be read", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({ "/robots.txt": { status: 503 }, "/": "page" })
        const error = yield* Effect.flip(scrape({ start_urls: server.origin, respect_robots_txt: true }))
        assert.deepInclude(error, { _tag: "ExecutorError", reason: "Transient" })
        assert.include(error.message, "robots.txt answered with status 503")
      })
    )
  )

  it.live("refuses private addresses unless they are allowed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({ "/": "secret" })
        for (const url of [
          server.origin,
          `http://localhost:${server.port}/`,
          "http://169.254.169.254/metadata/instance",
          "http://[::ffff:127.0.0.1]/",
          "http://2130706433/",
          "http://[fd00::1]/"
        ]) {
          const error = yield* Effect.flip(scrape({ start_urls: [url], allow_private_addresses: false }))
          assert.deepInclude(error, { reason: "Document" })
          assert.include(error.message, "allow_private_addresses", url)
        }
        assert.lengthOf(server.requests, 0)
      })
    )
  )

  it.live("fails only when not one page could be read, and says whether that may heal", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({
          "/ok": "fine",
          "/busy": { status: 429, headers: { "retry-after": "3" } }
        })
        const { origin } = server
        const both = yield* Effect.flip(scrape({ start_urls: [`${origin}/none`, `${origin}/busy`] }))
        assert.deepInclude(both, { reason: "Transient", itemId: `${origin}/busy`, retryAfterMillis: 3000 })
        assert.include(both.message, "None of 2 pages")
        assert.deepInclude(yield* Effect.flip(scrape({ start_urls: `${origin}/none` })), { reason: "Document" })
        const one = yield* scrape({ start_urls: [`${origin}/busy`, `${origin}/ok`] })
        assert.deepStrictEqual(
          one.map(({ summary_data }) => summary_data["extraction_status"]),
          ["error", "success"]
        )
        const lenient = yield* scrape({ start_urls: `${origin}/none`, fail_pipeline_on_error: false })
        assert.strictEqual(lenient[0]?.executor_logs[0]?.status, "failed")
        const wrong = yield* scrape({ start_urls: `${origin}/ok` }, [item({ url: "ftp://files.test/x" })])
        assert.deepStrictEqual(
          wrong.map(({ id, summary_data }) => [id?.canonical_id, summary_data["extraction_status"]]),
          [
            ["ftp://files.test/x", "error"],
            [`${origin}/ok`, "success"]
          ]
        )
      })
    )
  )

  it.live("reads any encoding, plain text, and HTML on request", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({
          "/header": {
            headers: { "content-type": "text/html; charset=windows-1251" },
            body: Buffer.from([0xcf, 0xf0, 0xe8])
          },
          "/meta": {
            headers: { "content-type": "text/html" },
            body: Buffer.concat([Buffer.from('<meta charset="iso-8859-1"><body>caf'), Buffer.from([0xe9, 0x92])])
          },
          "/plain": { headers: { "content-type": "text/plain" }, body: "a < b & c" },
          "/xhtml": { headers: { "content-type": "application/xhtml+xml" }, body: "<html><body>x</body></html>" },
          "/broken": "<body><p>un<b>closed"
        })
        const paths = ["/header", "/meta", "/plain", "/xhtml", "/broken"]
        const pages = yield* scrape({
          start_urls: paths.map((path) => server.origin + path),
          selectors: { body: "body" },
          include_html: true,
          output_field: "page"
        })
        assert.deepStrictEqual(
          pages.map((page) => output(page, "page")["extracted_fields"]),
          [{ body: "При" }, { body: "caf\u00e9\u2019" }, { body: "a < b & c" }, { body: "x" }, { body: "unclosed" }]
        )
        assert.strictEqual(output(pages[4], "page")["html"], "<body><p>un<b>closed")
      })
    )
  )

  it.live("bounds hostile pages", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({
          "/large": "x".repeat(20_000),
          "/deep": "<div>".repeat(5000),
          "/loop": { status: 301, headers: { location: "/loop" } },
          "/ok": "ok"
        })
        const pages = yield* scrape({
          start_urls: ["/large", "/deep", "/loop", "/ok"].map((path) => server.origin + path),
          max_page_bytes: 30_000
        })
        assert.deepStrictEqual(
          pages.map(({ summary_data }) => summary_data["extraction_status"]),
          ["success", "error", "error", "success"]
        )
        assert.include(String(output(pages[1])["error"]), "nested more than")
        const small = yield* Effect.flip(scrape({ start_urls: `${server.origin}/large`, max_page_bytes: 10_000 }))
        assert.include(small.message, "max_page_bytes")
      })
    )
  )

  it.live("tries a page again as often as the node's retries say", () =>
    Effect.scoped(
      Effect.gen(function* () {
        let calls = 0
        const server = yield* LoopbackServer.make({ "/": () => (++calls < 3 ? { status: 500 } : "now") })
        const prepared = Either.getOrThrow(
          executor.prepare({
            start_urls: server.origin,
            allow_private_addresses: true,
            render_js: false,
            respect_robots_txt: false
          })
        )
        const context = { id: ExecutorId.make("web"), pipelineName: "test", failOnError: true }
        const run = (times: number) =>
          Effect.flatMap(prepared({ ...context, retry: { times, delay: Duration.zero } }), ({ process }) =>
            process([])
          ).pipe(Effect.scoped, Effect.provide(services))
        assert.deepInclude(yield* Effect.flip(run(1)), { reason: "Transient" })
        calls = 0
        assert.lengthOf(yield* run(2), 1)
      })
    )
  )

  it.live("says when a browser is needed and there is none", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* LoopbackServer.make({ "/": "page" })
        const start_urls = server.origin
        const asked = yield* Effect.flip(scrape({ start_urls, render_js: true }))
        assert.deepInclude(asked, { reason: "Setting" })
        assert.include(asked.message, "CHROMIUM_PATH")
        assert.include(
          (yield* Effect.flip(scrape({ start_urls, screenshot_enabled: true }))).message,
          "screenshot_enabled"
        )
        const absent = yield* Effect.flip(scrape({ start_urls, render_js: true, browser_path: "/no/such/chromium" }))
        assert.include(absent.message, "/no/such/chromium")
        assert.lengthOf(server.requests, 0)
        // Left at its default, it fetches.
        assert.lengthOf(yield* scrape({ start_urls, render_js: null }), 1)
      })
    )
  )

  it("checks its settings", () => {
    const good = { start_urls: "https://example.com" }
    assert.deepStrictEqual(problemsOf(good), [])
    const wrong: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>]> = [
      ["start_urls", {}],
      ["start_urls", { start_urls: "example.com" }],
      ["start_urls", { start_urls: ["https://ok.test", "file:///etc/passwd"] }],
      ["start_urls", { start_urls: "https://user:secret@example.com" }],
      ["start_urls", { start_urls: { a: 1 } }],
      ["selectors", { ...good, selectors: { a: 1 } }],
      ["selectors", { ...good, selectors: "[1]" }],
      ["max_depth", { ...good, max_depth: 11 }],
      ["rate_limit", { ...good, rate_limit: 0 }],
      ["max_pages", { ...good, max_pages: 1001 }],
      ["browser_path", { ...good, browser_path: "/bin/sh" }],
      ["browser_path", { ...good, browser_path: "chromium" }],
      ["screenshot_filename_template", { ...good, screenshot_filename_template: "../{index}.{ext}" }],
      ["screenshot_filename_template", { ...good, screenshot_filename_template: "{host}.{ext}" }]
    ]
    for (const [name, settings] of wrong) {
      const [first] = problemsOf(settings)
      assert.strictEqual(first?.path[0], name, JSON.stringify(settings))
      assert.notInclude(first?.message, "secret")
    }
  })
})
