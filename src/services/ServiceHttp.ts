import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as CutText from "../text/CutText.ts"

/** One HTTP request to a service. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** An answer with more bytes fails. */
  readonly maxBytes: number
}

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** There is no usable answer. `Unreachable` may heal; `Forbidden` is the runtime's or the certificate's doing, and stays. */
export class HttpFailure extends Schema.TaggedError<HttpFailure>()("HttpFailure", {
  reason: Schema.Literal("Unreachable", "Cut", "Forbidden", "TooLarge"),
  /** Continues `<host> `. */
  message: Schema.String
}) {}

/** How services are reached: one request, one answer. Redirects are answers like any other; nothing is repeated. */
export class ServiceHttp extends Context.Tag("contentflow-worker/services/ServiceHttp")<
  ServiceHttp,
  {
    /** Interruption aborts the request. */
    readonly send: (request: HttpRequest) => Effect.Effect<HttpAnswer, HttpFailure>
  }
>() {}

/** Over the runtime's own client, which keeps connections open between calls. */
export const layer: Layer.Layer<ServiceHttp> = Layer.succeed(ServiceHttp, {
  send: (request) =>
    Effect.tryPromise({ try: (signal) => fetchBounded(request, signal), catch: (cause) => failureOf(cause) })
})

/** For tests: answers from a script, and keeps what it was asked. */
export const layerScripted = (
  answer: (request: HttpRequest) => Effect.Effect<HttpAnswer, HttpFailure>
): Layer.Layer<ServiceHttp> => Layer.succeed(ServiceHttp, { send: answer })

/** An answer of JSON, for scripts. */
export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: new TextEncoder().encode(JSON.stringify(value))
})

const fetchBounded = async (
  { body, headers, maxBytes, method, url }: HttpRequest,
  signal: AbortSignal
): Promise<HttpAnswer> => {
  // A followed redirect would take the key along to another host.
  const response = await fetch(url, {
    method,
    headers,
    redirect: "manual",
    signal,
    // No bytes of ours lie in shared memory, which fetch refuses.
    ...(body === undefined ? {} : { body: body as string | Uint8Array<ArrayBuffer> })
  })
  const chunks: Array<Uint8Array> = []
  let size = 0
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > maxBytes)
        throw new HttpFailure({ reason: "TooLarge", message: `answers with more than ${maxBytes} bytes` })
      chunks.push(chunk)
    }
  } catch (cause) {
    throw cause instanceof HttpFailure
      ? cause
      : new HttpFailure({ reason: "Cut", message: `cut its answer short (${codeOf(cause)})` })
  }
  return { status: response.status, headers: Object.fromEntries(response.headers), body: Buffer.concat(chunks) }
}

const failureOf = (cause: unknown): HttpFailure => {
  if (cause instanceof HttpFailure) return cause
  const code = codeOf(cause)
  if (code === "NotCapable") {
    return new HttpFailure({
      reason: "Forbidden",
      message: "may not be reached by this process: start Deno with --allow-net and this host"
    })
  }
  return new HttpFailure({
    reason: /CERT|SELF_SIGNED|UNABLE_TO|ERR_INVALID|ERR_TLS/.test(code) ? "Forbidden" : "Unreachable",
    message: `can't be reached (${code})`
  })
}

/** The innermost cause says it: `fetch failed` alone says nothing. */
const codeOf = (cause: unknown): string => {
  let current = cause
  for (let depth = 0; depth < 5; depth += 1) {
    if (!(current instanceof Error)) break
    if ("code" in current && typeof current.code === "string") return current.code
    if (current.cause === undefined) break
    current = current.cause
  }
  return current instanceof Error
    ? current.name === "Error"
      ? CutText.cut(current.message, 100)
      : current.name
    : "no reason given"
}
