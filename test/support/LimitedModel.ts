import { Effect, Random } from "effect"
import * as ModelStandIn from "../../src/cli/demo/standins/ModelStandIn.ts"
import * as ServiceHttp from "../../src/services/ServiceHttp.ts"

/** What a limit was used for. */
export interface Figures {
  /** Tokens that were granted, with the time. */
  readonly granted: ReadonlyArray<readonly [at: number, tokens: number]>
  readonly refusedAt: ReadonlyArray<number>
  /** By what was asked: how often it was answered. */
  readonly answers: ReadonlyMap<string, number>
}

/**
 * A deployment of so many tokens a minute that refill steadily, as OpenAI and Azure count: a call costs its text and what it may answer, is refused when
 * that much is not left, and takes one to three seconds otherwise. Every answer says what is left, if it `tells`.
 */
export const make = (tokensPerMinute: number, now: () => number, tells = true) => {
  let left = tokensPerMinute
  let at = now()
  const granted: Array<readonly [number, number]> = []
  const refusedAt: Array<number> = []
  const answers = new Map<string, number>()

  const admit = (tokens: number): boolean => {
    left = Math.min(tokensPerMinute, left + ((now() - at) / 60_000) * tokensPerMinute)
    at = now()
    if (left < tokens) return false
    left -= tokens
    return true
  }

  const headers = () =>
    tells
      ? {
          "x-ratelimit-limit-tokens": String(tokensPerMinute),
          "x-ratelimit-remaining-tokens": String(Math.floor(left))
        }
      : {}

  const send = (request: ServiceHttp.HttpRequest): Effect.Effect<ServiceHttp.HttpAnswer> =>
    Effect.gen(function* () {
      const text = String(request.body)
      const body = JSON.parse(text) as { readonly max_tokens?: number; readonly max_completion_tokens?: number }
      const tokens = Math.ceil(text.length / 4) + (body.max_tokens ?? body.max_completion_tokens ?? 0)
      yield* Effect.sleep("20 millis")
      if (!admit(tokens)) {
        refusedAt.push(now())
        const seconds = Math.max(1, Math.ceil(((tokens - left) / tokensPerMinute) * 60))
        return ServiceHttp.json(
          429,
          { error: { code: "RateLimitReached", message: "Requests have exceeded the token rate limit." } },
          { ...headers(), "retry-after": String(seconds) }
        )
      }
      granted.push([now(), tokens])
      yield* Effect.sleep(Math.round(1_000 + 2_000 * (yield* Random.next)))
      const answer = yield* Effect.promise(async () =>
        ModelStandIn.handle({
          method: request.method,
          path: new URL(request.url).pathname,
          query: new URLSearchParams(),
          headers: {},
          body: Buffer.from(text),
          origin: ""
        })
      )
      const asked = text.replaceAll(/(?:DOCUMENT|END) \w+/g, "")
      answers.set(asked, (answers.get(asked) ?? 0) + 1)
      return ServiceHttp.json(answer?.status ?? 404, answer?.json, headers())
    })

  const figures: Figures = { granted, refusedAt, answers }
  return { figures, layer: ServiceHttp.layerScripted(send) }
}
