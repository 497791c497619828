import * as http from "node:http"
import * as https from "node:https"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type AddressPolicy, resolve } from "./HostAddresses.ts"
import { connectionError, pinnedTo } from "./HttpFetch.ts"
import { WebError } from "./WebError.ts"

export interface PostOptions extends AddressPolicy {
  readonly userAgent: string
  /** For the name, the connection and the head of the answer. */
  readonly timeout: Duration.Duration
}

export interface PostRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * POSTs a text, and gives the status of the answer, whose body is not read; redirects are not followed. All addresses of the host are checked, and the
 * connection goes to one of those checked.
 */
export const post = (options: PostOptions, request: PostRequest): Effect.Effect<number, WebError> => {
  const { timeout, userAgent } = options
  const { body, headers, url } = request
  const late = new WebError({
    reason: "Timeout",
    message: `${url.host} did not answer within ${Duration.format(timeout)}`,
    transient: true
  })
  const lookup: AddressPolicy["lookup"] = (name) =>
    Effect.timeoutFail(options.lookup(name), { duration: timeout, onTimeout: () => late })
  return Effect.flatMap(resolve({ ...options, lookup }, url.hostname), (addresses) =>
    Effect.async<number, WebError>((resume) => {
      const bytes = Buffer.from(body)
      const sent = (url.protocol === "https:" ? https : http).request(url, {
        method: "POST",
        agent: false,
        auth: "",
        lookup: pinnedTo(addresses),
        headers: { "user-agent": userAgent, ...headers, "content-length": String(bytes.length) }
      })
      // A timer of the machine: what the network does is not of the program's time.
      const timer = setTimeout(() => {
        resume(Effect.fail(late))
        sent.destroy()
      }, Duration.toMillis(timeout))
      const end = (effect: Effect.Effect<number, WebError>) => {
        clearTimeout(timer)
        resume(effect)
      }
      sent.on("error", (cause) => end(Effect.fail(connectionError(url, cause))))
      sent.on("response", (response) => {
        response.on("error", () => undefined)
        end(Effect.succeed(response.statusCode ?? 0))
        sent.destroy()
      })
      sent.end(bytes)
      return Effect.sync(() => {
        clearTimeout(timer)
        sent.destroy()
      })
    })
  )
}
