import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Layer, Logger, LogLevel } from "effect"
import { existsSync } from "node:fs"
import process from "node:process"
import * as Browser from "../../../src/executors/input/scraping/Browser.ts"
import { executor } from "../../../src/executors/input/WebScraper.ts"
import * as EndpointValves from "../../../src/concurrency/EndpointValves.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { refused } from "../../../src/web/WebError.ts"
import * as LoopbackServer from "../../web/LoopbackServer.ts"
import { runNode } from "../NodeRun.ts"

const chromium = [
  process.env["CHROMIUM_PATH"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome"
].find((path) => path !== "" && existsSync(path))

const services = Layer.mergeAll(
  NodeContext.layer,
  ThreadPool.layerInline,
  EndpointValves.layer,
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["CHROMIUM_PATH", chromium ?? ""]]))),
  Logger.minimumLogLevel(LogLevel.None)
)

const scrape = (settings: Readonly<Record<string, unknown>>) =>
  runNode(
    executor,
    "web",
    { allow_private_addresses: true, rate_limit: 10, respect_robots_txt: false, ...settings },
    []
  ).pipe(Effect.provide(services))

const output = (page: { readonly data: Readonly<Record<string, unknown>> } | undefined) =>
  page?.data["web_scraping_output"] as Readonly<Record<string, unknown>>

const written = '<body><h1>raw</h1><script>document.querySelector("h1").textContent = "by script"</script></body>'

describe("web_scraper in a browser", () => {
  if (chromium === undefined) {
    it.skip("there is no Chromium here: set CHROMIUM_PATH to one", () => {})
    return
  }

  it.live(
    "runs the scripts of pages, reports errors of pages, and leaves files alone",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* LoopbackServer.make({
            "/": written,
            "/to": { status: 302, headers: { location: "/" } },
            "/none": { status: 404, body: "no" },
            "/file": { headers: { "content-type": "application/zip" }, body: "PK" }
          })
          const { origin } = server
          const pages = yield* scrape({
            start_urls: ["/to", "/none", "/file"].map((path) => origin + path),
            selectors: { head: "h1" },
            user_agent: "browser-agent/2"
          })
          assert.deepStrictEqual(
            pages.map(({ summary_data }) => summary_data["extraction_status"]),
            ["success", "error", "error"]
          )
          assert.deepInclude(output(pages[0]), {
            url: `${origin}/to`,
            final_url: `${origin}/`,
            extracted_fields: { head: "by script" },
            rendered: true
          })
          assert.include(String(output(pages[1])["error"]), "status 404")
          assert.include(String(output(pages[2])["error"]), "no page")
          assert.strictEqual(server.requests[0]?.headers["user-agent"], "browser-agent/2")
          const raw = yield* scrape({ start_urls: origin, selectors: { head: "h1" }, render_js: false })
          assert.deepInclude(output(raw[0]), { extracted_fields: { head: "raw" }, rendered: false })
        })
      ),
    60_000
  )

  it.live(
    "keeps what a page itself asks for away from private addresses",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const inside = yield* LoopbackServer.make({
            "/secret": { headers: { "access-control-allow-origin": "*" }, body: "secret" }
          })
          const page = `<body><h1></h1><iframe src="http://inside.test:${inside.port}/secret"></iframe><script>fetch("http://inside.test:${inside.port}/secret").then((answer) => { document.querySelector("h1").textContent = answer.status }, () => { document.querySelector("h1").textContent = "refused" })</script></body>`
          const server = yield* LoopbackServer.make({ "/": page })
          const browser = yield* Browser.launch({
            allowPrivate: true,
            // The internet of this test has one host.
            lookup: (host) => (host === "public.test" ? Effect.succeed(["127.0.0.1"]) : Effect.fail(refused(host))),
            executablePath: chromium,
            userAgent: null,
            timeout: Duration.seconds(30),
            maxBytes: 1_000_000,
            waitForSelector: null,
            screenshot: null
          })
          const { html } = yield* browser.render(new URL(`http://public.test:${server.port}/`))
          assert.include(html, "<h1>refused</h1>")
          assert.isAbove(server.requests.length, 0)
          assert.lengthOf(inside.requests, 0)
          const error = yield* Effect.flip(browser.render(new URL(`http://inside.test:${inside.port}/secret`)))
          assert.strictEqual(error.reason, "Refused")
          assert.lengthOf(inside.requests, 0)
        })
      ),
    60_000
  )

  it.live(
    "takes screenshots as base64 or under file names of their own",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const folder = yield* fs.makeTempDirectoryScoped()
          const server = yield* LoopbackServer.make({
            "/": written,
            "/b": '<div id="box" style="width:40px;height:30px">x</div>'
          })
          const shots = { screenshot_enabled: true, start_urls: [server.origin, `${server.origin}/b`] }
          const [first, second] = yield* scrape({ ...shots, screenshot_selector: "#box", render_js: false })
          assert.notProperty(output(first), "screenshot_base64")
          assert.match(String(first?.executor_logs[0]?.details["warnings"]), /nothing matches #box/)
          const image = Buffer.from(String(output(second)["screenshot_base64"]), "base64")
          assert.deepStrictEqual([image.readUInt32BE(16), image.readUInt32BE(20)], [40, 30])
          const filed = yield* scrape({
            ...shots,
            screenshot_save_to_file: true,
            screenshot_output_dir: `${folder}/shots`,
            screenshot_filename_template: "same.{ext}",
            screenshot_type: "jpeg",
            screenshot_quality: 40
          })
          assert.deepStrictEqual(
            filed.map((page) => output(page)["screenshot_path"]),
            [`${folder}/shots/same.jpeg`, `${folder}/shots/same_2.jpeg`]
          )
          assert.notProperty(output(filed[0]), "screenshot_base64")
          const jpeg = yield* fs.readFile(`${folder}/shots/same_2.jpeg`)
          assert.deepStrictEqual([jpeg[0], jpeg[1]], [0xff, 0xd8])
        })
      ).pipe(Effect.provide(NodeContext.layer)),
    60_000
  )

  it.live(
    "waits for an element, and goes on without it",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* LoopbackServer.make({
            "/": '<body><script>setTimeout(() => { document.body.innerHTML = "<p class=late>late</p>" }, 300)</script></body>'
          })
          const [page] = yield* scrape({
            start_urls: server.origin,
            selectors: { late: ".late" },
            wait_for_selector: ".late"
          })
          assert.deepStrictEqual(output(page)["extracted_fields"], { late: "late" })
        })
      ),
    60_000
  )
})
