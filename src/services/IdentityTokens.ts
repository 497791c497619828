import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Credentials } from "../azure/Credentials.ts"
import * as SdkCall from "../azure/SdkCall.ts"
import { redact } from "../domain/Redaction.ts"
import * as CutText from "../text/CutText.ts"

export interface TokenFailure {
  readonly message: string
  /** Whether it may work later. */
  readonly heals: boolean
}

/** Tokens of the worker's own identity, by scope; each is fetched once for all that need it, and kept until shortly before its end. */
export const make = Effect.gen(function* () {
  const credentials = yield* Effect.serviceOption(Credentials)
  const known = new Map<string, { readonly token: Redacted.Redacted; readonly until: number }>()
  // One fetch serves all that wait for it.
  const fetching = yield* Effect.makeSemaphore(1)

  const fetch = (scope: string): Effect.Effect<Redacted.Redacted, TokenFailure> =>
    Option.match(credentials, {
      onNone: () =>
        Effect.fail({ heals: false, message: "This program has no Azure identity; use a key (azure_key_credential)." }),
      onSome: ({ credential }) =>
        SdkCall.run({
          start: (abortSignal) => credential.getToken(scope, { abortSignal }),
          timeout: tokenTimeout,
          onTimeout: (): TokenFailure => ({ heals: true, message: "No token came within 30 s." }),
          onReject: (cause) =>
            Effect.fail<TokenFailure>({
              heals: !(cause instanceof Error && /CredentialUnavailable|AuthenticationRequired/.test(cause.name)),
              message: CutText.cut(redact(cause instanceof Error ? cause.message : String(cause)), 300)
            })
        }).pipe(
          Effect.flatMap((token) =>
            token === null
              ? Effect.fail<TokenFailure>({ heals: false, message: "The identity has no token for this service." })
              : Effect.sync(() => {
                  const redacted = Redacted.make(token.token)
                  known.set(scope, { token: redacted, until: token.expiresOnTimestamp - tokenMargin })
                  return redacted
                })
          )
        )
    })

  const cached = (scope: string): Effect.Effect<Option.Option<Redacted.Redacted>> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const found = known.get(scope)
      return found !== undefined && found.until > now ? Option.some(found.token) : Option.none()
    })

  const orFetch = (scope: string, otherwise: Effect.Effect<Redacted.Redacted, TokenFailure>) =>
    Effect.flatMap(cached(scope), Option.match({ onSome: Effect.succeed, onNone: () => otherwise }))

  return {
    get: (scope: string) => orFetch(scope, fetching.withPermits(1)(Effect.suspend(() => orFetch(scope, fetch(scope))))),
    forget: (scope: string) => Effect.sync(() => void known.delete(scope))
  }
})

const tokenTimeout = Duration.seconds(30)
/** A token is fetched anew this long before its end. */
const tokenMargin = 300_000
