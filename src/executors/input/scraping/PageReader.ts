import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import * as Timestamp from "../../../domain/Timestamp.ts"
import { noArticle } from "../../../documents/html/HtmlDocument.ts"
import * as TextDocument from "../../../documents/text/TextDocument.ts"
import { ownBuffer, ThreadPool } from "../../../threads/ThreadPool.ts"
import { type FetchOptions, fetch } from "../../../web/HttpFetch.ts"
import type { Robots } from "../../../web/Robots.ts"
import { unusable, WebError } from "../../../web/WebError.ts"
import { ExecutorError, type ExecutorContext } from "../../../executor/Executor.ts"
import * as Browser from "./Browser.ts"
import type { Fields } from "./Extraction.ts"
import type { ScrapeSettings } from "./ScrapeSettings.ts"
import { CurrentRunFiles } from "../../../executor/RunFiles.ts"
import * as LocalFolder from "../../LocalFolder.ts"
import * as ScreenshotFile from "./ScreenshotFile.ts"
import * as Selector from "./Selector.ts"
import { fromResponse, isReadable } from "./PageSource.ts"

/** Everything that is taken from one page. */
export interface Page {
  readonly finalUrl: URL
  readonly title: string
  readonly fields: Readonly<Record<string, string | null>>
  readonly links: ReadonlyArray<URL>
  /** The main content as a reader sees it; all of the page where no main content stands out. */
  readonly text: string
  readonly html: string
  readonly rendered: boolean
  /** When it was read, as stored documents write it. */
  readonly timestamp: string
  readonly screenshot: { readonly base64: string } | { readonly path: string } | null
  readonly warnings: ReadonlyArray<string>
}

export type PageReader = (url: URL, index: number) => Effect.Effect<Page, WebError>

/** Reads pages as the settings say: fetched, or rendered by a browser that starts here and ends with the scope. */
export const make = (
  context: ExecutorContext,
  settings: ScrapeSettings,
  fetching: FetchOptions,
  robots: Robots
): Effect.Effect<PageReader, ExecutorError, FileSystem.FileSystem | Path.Path | ThreadPool | Scope> =>
  Effect.gen(function* () {
    const threads = yield* ThreadPool
    const keep = yield* screenshotKeeper(context, settings)
    const browser = yield* browserOf(context, settings, fetching)
    const fields = fieldsOf(settings)

    const load = (url: URL) =>
      browser !== null
        ? Effect.tap(browser.render(url), (rendered) =>
            rendered.url.href === url.href ? Effect.void : robots.permit(rendered.url)
          )
        : fetch(fetching, {
            url,
            accept: "text/html,application/xhtml+xml,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.1",
            permit: robots.permit,
            wanted: isReadable
          }).pipe(
            Effect.flatMap(fromResponse),
            Effect.map((source): Browser.Rendered => ({ ...source, screenshot: null }))
          )

    return (url, index) =>
      Effect.gen(function* () {
        const source = yield* load(url)
        // The thread goes first: it refuses pages whose nesting would cost too much here.
        const { text, warnings } = yield* readableText(threads, source.html, settings)
        const { extract } = yield* Effect.promise(() => import("./Extraction.ts"))
        const extracted = yield* Effect.try({
          try: () => extract(source.html, source.url, fields, settings.follow_links),
          catch: (cause) =>
            unusable(`Its HTML can't be read (${cause instanceof Error ? cause.message : "unknown problem"})`)
        })
        const kept = source.screenshot === null ? null : yield* Effect.either(keep(url, index, source.screenshot))
        return {
          finalUrl: source.url,
          title: extracted.title,
          fields: extracted.fields,
          links: extracted.links,
          text,
          html: source.html,
          rendered: browser !== null,
          timestamp: yield* Timestamp.now,
          screenshot: kept === null ? null : Either.getOrElse(kept, () => null),
          warnings: [
            ...source.warnings,
            ...warnings,
            ...extracted.warnings,
            ...(kept !== null && Either.isLeft(kept) ? [`There is no screenshot: ${kept.left}.`] : [])
          ]
        }
      })
  })

const readableText = (
  threads: ThreadPool["Type"],
  html: string,
  settings: ScrapeSettings
): Effect.Effect<{ readonly text: string; readonly warnings: ReadonlyArray<string> }, WebError> => {
  const bytes = ownBuffer(new TextEncoder().encode(html))
  return threads
    .run(
      "text",
      {
        bytes,
        hints: {},
        options: {
          ...TextDocument.defaults,
          format: "html",
          encoding: "utf-8",
          html_content: "article",
          extract_headings: false,
          extract_tables: false
        },
        limits: { ...TextDocument.defaultLimits, treeLength: mostForArticle }
      },
      { transfer: () => [bytes], timeout: Duration.seconds(settings.page_timeout_secs) }
    )
    .pipe(
      Effect.map(({ text, warnings }) => ({
        text,
        warnings: [
          ...warnings.filter((warning) => warning !== noArticle),
          ...(text.trim() === "" ? ["The page has no text"] : [])
        ]
      })),
      Effect.catchTags({
        DocumentError: ({ message }) => Effect.fail(unusable(message)),
        ThreadError: ({ message, reason }) =>
          Effect.fail(
            new WebError({
              reason: reason === "TimedOut" ? "Timeout" : "Unusable",
              message,
              transient: reason === "NotStarted" || reason === "Crashed"
            })
          )
      })
    )
}

/** Longer pages are not searched for their main content: all their text is it. */
const mostForArticle = 3_000_000

const fieldsOf = (settings: ScrapeSettings): Fields =>
  new Map(
    Object.entries(settings.selectors).map(([name, selector]) => [
      name,
      Selector.parse(typeof selector === "string" ? selector : "")
    ])
  )

const browserOf = (
  context: ExecutorContext,
  settings: ScrapeSettings,
  fetching: FetchOptions
): Effect.Effect<Browser.Browser | null, ExecutorError, Scope> =>
  Effect.gen(function* () {
    const isAsked = settings.render_js === true || settings.screenshot_enabled
    if (settings.render_js === false && !settings.screenshot_enabled) return null
    const executablePath = settings.browser_path ?? (yield* configuredBrowser)
    const fail = (why: string) =>
      new ExecutorError({
        reason: "Setting",
        executorId: context.id,
        itemId: null,
        message: `${context.id} needs a browser for ${settings.screenshot_enabled ? "screenshots (screenshot_enabled)" : "the scripts of pages (render_js)"}: ${why}`
      })
    if (executablePath === null) {
      if (isAsked) {
        return yield* fail(
          "set the environment variable CHROMIUM_PATH of the worker, or the setting browser_path, to a Chromium; or set render_js to false and screenshot_enabled to false."
        )
      }
      yield* Effect.logWarning(
        `${context.id} fetches pages without running their scripts, because no browser is configured (CHROMIUM_PATH or browser_path); render_js: false says that this is meant.`
      )
      return null
    }
    return yield* Browser.launch({
      allowPrivate: fetching.allowPrivate,
      lookup: fetching.lookup,
      executablePath,
      userAgent: settings.user_agent,
      timeout: fetching.timeout,
      maxBytes: settings.max_page_bytes,
      waitForSelector: settings.wait_for_selector,
      screenshot: settings.screenshot_enabled
        ? {
            fullPage: settings.screenshot_full_page,
            selector: settings.screenshot_selector,
            type: settings.screenshot_type,
            quality: settings.screenshot_quality
          }
        : null
    }).pipe(Effect.mapError(({ message }) => fail(`${message}.`)))
  })

const configuredBrowser: Effect.Effect<string | null> = Config.nonEmptyString("CHROMIUM_PATH").pipe(
  Effect.option,
  Effect.map(Option.getOrNull)
)

type Keep = (url: URL, index: number, image: Uint8Array) => Effect.Effect<NonNullable<Page["screenshot"]>, string>

const screenshotKeeper = (
  context: ExecutorContext,
  settings: ScrapeSettings
): Effect.Effect<Keep, ExecutorError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (!settings.screenshot_enabled || !settings.screenshot_save_to_file) {
      return (_url, _index, image) => Effect.succeed({ base64: Buffer.from(image).toString("base64") })
    }
    const files = yield* CurrentRunFiles
    const folder = yield* LocalFolder.make(fs, files, settings.screenshot_output_dir).pipe(
      Effect.mapError(
        (why) =>
          new ExecutorError({
            reason: "Setting",
            executorId: context.id,
            itemId: null,
            message: `${context.id} can't make the folder ${settings.screenshot_output_dir} (setting screenshot_output_dir): ${why}.`
          })
      )
    )
    return (url, index, image) =>
      Effect.gen(function* () {
        const epochMillis = yield* Clock.currentTimeMillis
        const place = {
          template: settings.screenshot_filename_template,
          url,
          index,
          type: settings.screenshot_type,
          epochMillis
        }
        const file = yield* ScreenshotFile.write(fs, path, folder, place, image)
        files.own.add(file)
        return { path: file }
      })
  })
