import type { LookupFunction } from "node:net"
import * as http from "node:http"
import * as https from "node:https"
import { isIPv6 } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CutText from "../text/CutText.ts"
import * as ContentCoding from "./ContentCoding.ts"
import { type AddressPolicy, codeOf, resolve } from "./HostAddresses.ts"
import { refused, unusable, WebError } from "./WebError.ts"

export interface FetchOptions extends AddressPolicy {
  readonly userAgent: string
  /** The largest body, packed and unpacked. */
  readonly maxBytes: number
  /** For everything from the first name to the last byte, redirects included. */
  readonly timeout: Duration.Duration
}

export interface FetchRequest {
  readonly url: URL
  readonly accept: string
  /** Asked before each redirect is followed. */
  readonly permit?: (url: URL) => Effect.Effect<void, WebError>
  /** Whether the body of an answer with this type (lower case, without parameters) is worth its bytes. */
  readonly wanted?: (mediaType: string) => boolean
}

export interface FetchResponse {
  /** After redirects. */
  readonly url: URL
  readonly status: number
  /** The header, `""` without one. */
  readonly contentType: string
  /** Unpacked. Empty for an answer whose status is an error. */
  readonly body: Uint8Array
  /** Milliseconds of `Retry-After`, as far as it is a number of seconds. */
  readonly retryAfterMillis: number | null
}

/** Redirects followed at most; RFC 9309 asks for five. */
const mostRedirects = 10

/**
 * GETs a page over HTTP, following redirects. Every host, that of a redirect too, is resolved here, all its addresses are checked, and the connection goes to
 * one of those checked: neither a redirect nor a name that changes its address leads to a forbidden one. No cookies, no cache, one connection a request.
 */
export const fetch = (options: FetchOptions, request: FetchRequest): Effect.Effect<FetchResponse, WebError> => {
  const follow = (url: URL, hops: number): Effect.Effect<FetchResponse, WebError> =>
    Effect.flatMap(get(options, request, url), (answer) => {
      if (answer.location === null) {
        return Effect.map(
          ContentCoding.decode(answer.body, answer.contentEncoding, options.maxBytes),
          (body): FetchResponse => ({ ...answer, url, body })
        )
      }
      if (hops === mostRedirects) return Effect.fail(unusable(`It redirects more than ${mostRedirects} times`))
      const next = URL.canParse(answer.location, url.href) ? new URL(answer.location, url.href) : undefined
      if (next === undefined || !isHttp(next)) {
        return Effect.fail(unusable(`It redirects to ${CutText.cut(answer.location, 200)}, which is no web address`))
      }
      // Credentials of an address are the address's author's, and what another site says in one is not ours to send.
      next.username = ""
      next.password = ""
      return Effect.zipRight(request.permit?.(next) ?? Effect.void, follow(next, hops + 1))
    })
  return Effect.timeoutFail(follow(request.url, 0), {
    duration: options.timeout,
    onTimeout: () =>
      new WebError({
        reason: "Timeout",
        message: `It took longer than ${Duration.toSeconds(options.timeout)} s (setting page_timeout_secs)`,
        transient: true
      })
  })
}

export const isHttp = (url: URL): boolean => url.protocol === "http:" || url.protocol === "https:"

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly contentEncoding: string
  readonly retryAfterMillis: number | null
  /** The target of a redirect. */
  readonly location: string | null
  readonly body: Uint8Array
}

const get = (options: FetchOptions, { accept, wanted }: FetchRequest, url: URL): Effect.Effect<Answer, WebError> =>
  Effect.flatMap(resolve(options, url.hostname), (addresses) =>
    Effect.async<Answer, WebError>((resume) => {
      const request = (url.protocol === "https:" ? https : http).request(url, {
        agent: false,
        auth: "",
        lookup: pinnedTo(addresses),
        headers: {
          "user-agent": options.userAgent,
          accept,
          "accept-encoding": ContentCoding.accepted
        }
      })
      request.on("error", (cause) => resume(Effect.fail(connectionError(url, cause))))
      request.on("response", (response) => {
        const answer = answerOf(response)
        const finish = (body: Uint8Array) => resume(Effect.succeed({ ...answer, body }))
        const end = (effect: Effect.Effect<Answer, WebError>) => {
          resume(effect)
          request.destroy()
        }
        if (answer.location !== null || answer.status >= 400 || wanted?.(mediaTypeOf(answer.contentType)) === false) {
          return end(Effect.succeed(answer))
        }
        const tooLarge = Effect.fail(ContentCoding.tooLarge(options.maxBytes))
        if (Number(response.headers["content-length"]) > options.maxBytes) return end(tooLarge)
        const chunks: Array<Uint8Array> = []
        let size = 0
        response.on("data", (chunk: Uint8Array) => {
          size += chunk.length
          if (size > options.maxBytes) return end(tooLarge)
          chunks.push(chunk)
        })
        response.on("error", (cause) => resume(Effect.fail(connectionError(url, cause))))
        response.on("aborted", () => resume(Effect.fail(cut(url))))
        response.on("end", () => (response.complete ? finish(Buffer.concat(chunks)) : resume(Effect.fail(cut(url)))))
      })
      request.end()
      return Effect.sync(() => request.destroy())
    })
  )

/** Answers the connection's question for addresses with those that were checked. */
export const pinnedTo =
  (addresses: ReadonlyArray<string>): LookupFunction =>
  (_, options, callback) => {
    const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
    const [first] = found
    if (options.all === true) callback(null, found)
    else callback(null, first?.address ?? "", first?.family)
  }

const redirects = new Set([301, 302, 303, 307, 308])

const answerOf = ({ headers, statusCode = 0 }: http.IncomingMessage): Answer => ({
  status: statusCode,
  contentType: headers["content-type"] ?? "",
  contentEncoding: headers["content-encoding"] ?? "",
  retryAfterMillis: /^\d{1,6}$/.test(headers["retry-after"] ?? "") ? Number(headers["retry-after"]) * 1000 : null,
  location: redirects.has(statusCode) ? (headers.location ?? null) : null,
  body: new Uint8Array()
})

/** `text/html` of `Text/HTML; charset=utf-8`. */
export const mediaTypeOf = (contentType: string): string => (contentType.split(";", 1)[0] ?? "").trim().toLowerCase()

/** What went wrong with a connection, in words. */
export const connectionError = (url: URL, cause: unknown): WebError => {
  const code = codeOf(cause)
  if (code === "NotCapable") {
    return refused(`The runtime forbids the connection to ${url.host}: start Deno with --allow-net and this host`)
  }
  if (code.startsWith("HPE_")) return unusable(`${url.host} does not speak HTTP as it should (${code})`)
  return new WebError({
    reason: "Unreachable",
    message: `${url.host} can't be reached (${code})`,
    // A certificate that is wrong stays wrong.
    transient: !/CERT|SIGNED|TLS|SSL|ERR_INVALID|UNABLE_TO/.test(code)
  })
}

const cut = (url: URL): WebError =>
  new WebError({ reason: "Unreachable", message: `${url.host} cut the answer short`, transient: true })
