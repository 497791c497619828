import * as Effect from "effect/Effect"
import * as CutText from "../../../text/CutText.ts"
import { declaredCharset } from "../../../documents/html/HtmlDocument.ts"
import { decode, remarks } from "../../../documents/text/Encoding.ts"
import { type FetchResponse, mediaTypeOf } from "../../../web/HttpFetch.ts"
import { WebError, unusable } from "../../../web/WebError.ts"

/** A page's HTML, and where it came from after redirects. */
export interface PageSource {
  readonly url: URL
  readonly html: string
  /** What people should know of how it was decoded. */
  readonly warnings: ReadonlyArray<string>
}

/** The HTML of an answer: decoded by its byte order mark, its header, what it declares, or its letters. Plain text becomes a page that shows it, as in browsers. */
export const fromResponse = (response: FetchResponse): Effect.Effect<PageSource, WebError> =>
  Effect.gen(function* () {
    if (response.status >= 400) return yield* statusError(response.status, response.retryAfterMillis)
    const mediaType = mediaTypeOf(response.contentType)
    if (!isReadable(mediaType)) return yield* notAPage(mediaType)
    const { body } = response
    const declared = [
      /;\s*charset\s*=\s*["']?([\w.:-]+)/i.exec(response.contentType)?.[1],
      isPlain(mediaType) ? undefined : declaredCharset(body)
    ]
    const decoded = yield* Effect.tryPromise({
      try: () => decode(body, { declared }),
      catch: () => unusable("Its characters can't be read")
    })
    const { text } = decoded
    if (mediaType === "" && text.includes("\0")) return yield* notAPage(mediaType)
    return { url: response.url, html: isPlain(mediaType) ? shown(text) : text, warnings: remarks(decoded) }
  })

/** Whether pages of this media type are read: HTML, XML, and text of any other kind. Without a type it is looked at. */
export const isReadable = (mediaType: string): boolean =>
  mediaType === "" || mediaType.startsWith("text/") || /^application\/(?:.*\+)?(?:xml|json)$/.test(mediaType)

const isPlain = (mediaType: string): boolean => mediaType !== "" && !/html|xml/.test(mediaType)

const shown = (text: string): string =>
  `<html><head></head><body><pre>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</pre></body></html>`

export const notAPage = (mediaType: string): WebError =>
  new WebError({
    reason: "NotAPage",
    message: `It is no page but ${mediaType === "" ? "a file" : CutText.cut(mediaType, 100)}; fetch files with a content retriever`,
    transient: false
  })

export const statusError = (status: number, retryAfterMillis: number | null): WebError =>
  new WebError({
    reason: "Status",
    message: `The server answered with status ${status}`,
    transient: status === 408 || status === 429 || status >= 500,
    status,
    retryAfterMillis
  })
