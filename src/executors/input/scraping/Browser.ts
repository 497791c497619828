import type * as Playwright from "playwright-core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as CutText from "../../../text/CutText.ts"
import * as GuardedProxy from "../../../web/GuardedProxy.ts"
import { type AddressPolicy, resolve } from "../../../web/HostAddresses.ts"
import { mediaTypeOf } from "../../../web/HttpFetch.ts"
import { WebError, unusable } from "../../../web/WebError.ts"
import { isReadable, notAPage, type PageSource, statusError } from "./PageSource.ts"

export interface BrowserOptions extends AddressPolicy {
  readonly executablePath: string
  readonly userAgent: string | null
  readonly timeout: Duration.Duration
  readonly maxBytes: number
  /** Waited for, up to ten seconds; a page without it only gets a warning. */
  readonly waitForSelector: string | null
  readonly screenshot: ScreenshotOptions | null
}

export interface ScreenshotOptions {
  readonly fullPage: boolean
  /** One element instead of the page. */
  readonly selector: string | null
  readonly type: "png" | "jpeg"
  readonly quality: number | null
}

/** A page as the browser shows it after its scripts ran. */
export interface Rendered extends PageSource {
  readonly screenshot: Uint8Array | null
  readonly warnings: ReadonlyArray<string>
}

export interface Browser {
  readonly render: (url: URL) => Effect.Effect<Rendered, WebError>
}

/** The browser can't be used at all: `message` says what is missing and what helps. */
export class NoBrowser extends Schema.TaggedError<NoBrowser>()("NoBrowser", { message: Schema.String }) {}

/** By a name that no bundler follows: the package is optional. */
const driver: string = "playwright-core"

/**
 * Starts a headless Chromium that ends with the scope. All its traffic goes through a proxy of ours that refuses the same addresses as `fetch`: scripts, frames and
 * images of a page reach no private host either. Nothing is kept from page to page but the browser itself.
 */
export const launch = (options: BrowserOptions): Effect.Effect<Browser, NoBrowser | WebError, Scope> =>
  Effect.gen(function* () {
    const { chromium } = yield* Effect.tryPromise({
      try: (): Promise<typeof Playwright> => import(driver),
      catch: () =>
        new NoBrowser({
          message: "the package playwright-core, which drives it, is not installed (npm install playwright-core)"
        })
    })
    const proxy = yield* GuardedProxy.make(options)
    const browser = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () =>
          chromium.launch({
            executablePath: options.executablePath,
            headless: true,
            timeout: startTimeout,
            // The browser's own idea of what needs no proxy is the loopback interface.
            proxy: { server: proxy, bypass: "<-loopback>" },
            args: ["--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--disable-quic"]
          }),
        catch: (cause) => new NoBrowser({ message: `${options.executablePath} does not start: ${firstLine(cause)}` })
      }),
      (started) => Effect.ignore(Effect.tryPromise(() => started.close()))
    )
    return { render: (url) => Effect.scoped(render(options, browser, url)) }
  })

const startTimeout = 30_000

const render = (
  options: BrowserOptions,
  browser: Playwright.Browser,
  url: URL
): Effect.Effect<Rendered, WebError, Scope> =>
  Effect.gen(function* () {
    // The proxy would refuse it too, but the browser would not say why.
    yield* resolve(options, url.hostname)
    const timeout = Duration.toMillis(options.timeout)
    const call = <A>(run: () => Promise<A>) =>
      Effect.tryPromise({ try: run, catch: (cause) => renderError(options, url, cause) })
    const context = yield* Effect.acquireRelease(
      call(() =>
        browser.newContext({
          acceptDownloads: false,
          serviceWorkers: "block",
          ...(options.userAgent === null ? {} : { userAgent: options.userAgent })
        })
      ),
      (opened) => Effect.ignore(Effect.tryPromise(() => opened.close()))
    )
    context.setDefaultTimeout(timeout)
    const page = yield* call(() => context.newPage())
    // Close pop-ups.
    context.on("page", (other) => void other.close().catch(() => undefined))

    const response = yield* call(() => page.goto(url.href, { waitUntil: "domcontentloaded", timeout }))
    const status = response?.status() ?? 200
    if (status >= 400) return yield* statusError(status, null)
    const mediaType = mediaTypeOf(response?.headers()["content-type"] ?? "")
    if (!isReadable(mediaType)) return yield* notAPage(mediaType)

    const warnings: Array<string> = []
    yield* Effect.ignore(call(() => page.waitForLoadState("networkidle", { timeout: idleTimeout })))
    const { waitForSelector } = options
    if (waitForSelector !== null) {
      yield* call(() => page.waitForSelector(waitForSelector, { timeout: selectorTimeout, state: "attached" })).pipe(
        Effect.catchAll(() =>
          Effect.sync(() => warnings.push(`${waitForSelector} did not appear within ${selectorTimeout / 1000} s.`))
        )
      )
    }
    const html = yield* call(() => page.content())
    if (html.length > options.maxBytes) {
      return yield* unusable(`It is larger than ${options.maxBytes} bytes (setting max_page_bytes)`)
    }
    const screenshot =
      options.screenshot === null
        ? null
        : yield* capture(page, options.screenshot, options.maxBytes, call).pipe(
            Effect.catchAll((error) =>
              Effect.sync(() => {
                warnings.push(`There is no screenshot: ${error.message}.`)
                return null
              })
            )
          )
    return { url: new URL(page.url()), html, screenshot, warnings }
  }).pipe(
    Effect.timeoutFail({
      duration: Duration.sum(options.timeout, Duration.millis(idleTimeout + selectorTimeout + startTimeout)),
      onTimeout: () => timedOut(options)
    })
  )

/** A page that never stops talking is taken as it is then. */
const idleTimeout = 5000
const selectorTimeout = 10_000

const capture = (
  page: Playwright.Page,
  options: ScreenshotOptions,
  maxBytes: number,
  call: <A>(run: () => Promise<A>) => Effect.Effect<A, WebError>
): Effect.Effect<Uint8Array, WebError> =>
  Effect.gen(function* () {
    const { fullPage, selector, type } = options
    const image = { type, ...(type === "jpeg" && options.quality !== null ? { quality: options.quality } : {}) }
    const element = selector === null ? null : page.locator(selector).first()
    if (element !== null && (yield* call(() => element.count())) === 0) {
      return yield* unusable(`nothing matches ${selector}`)
    }
    const bytes = yield* call(() =>
      element === null ? page.screenshot({ ...image, fullPage }) : element.screenshot(image)
    )
    return bytes.length > maxBytes
      ? yield* unusable(`it is larger than ${maxBytes} bytes (setting max_page_bytes)`)
      : bytes
  })

const timedOut = ({ timeout }: BrowserOptions): WebError =>
  new WebError({
    reason: "Timeout",
    message: `It took longer than ${Duration.toSeconds(timeout)} s (setting page_timeout_secs)`,
    transient: true
  })

const renderError = (options: BrowserOptions, url: URL, cause: unknown): WebError => {
  const message = firstLine(cause)
  if (cause instanceof Error && cause.name === "TimeoutError") return timedOut(options)
  if (/download is starting/i.test(message)) return notAPage("")
  const code = /net::(ERR_\w+)/.exec(message)?.[1]
  return new WebError({
    // The proxy answers like that for an address that it refuses.
    reason: code === "ERR_TUNNEL_CONNECTION_FAILED" ? "Refused" : code === "ERR_ABORTED" ? "NotAPage" : "Unreachable",
    message: `The browser could not open ${url.host} (${code ?? message})`,
    transient: code !== undefined && !/CERT|SSL|ABORTED|TUNNEL|INVALID/.test(code)
  })
}

const firstLine = (cause: unknown): string =>
  CutText.cut((cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0] ?? "", 300)
