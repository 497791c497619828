import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { createRemoteJWKSet, errors, jwtVerify } from "jose"
import { AccessConfig, type AccessSettings, type Issuer, isOpen } from "../config/AccessConfig.ts"
import { OperatorAccess, type Person, ReaderAccess, type Role } from "./Actor.ts"
import { Forbidden, IssuerFails, TooManyRequests, Unauthenticated } from "./Problems.ts"

/** How requests say who they come from, and what is asked of them beside. */
export class Access extends Context.Tag("contentflow-worker/http/Access")<
  Access,
  {
    /** Who bears the token. */
    readonly bearer: (token: Redacted.Redacted) => Effect.Effect<Person, Refusal, HttpServerRequest.HttpServerRequest>
    /** Whose session it is. */
    readonly session: (token: Redacted.Redacted) => Effect.Effect<Person, Refusal, HttpServerRequest.HttpServerRequest>
    /** A session for who signed in. */
    readonly begin: (person: Person) => Effect.Effect<Redacted.Redacted>
  }
>() {}

export type Refusal = Unauthenticated | Forbidden | TooManyRequests | IssuerFails

/** A session lasts as long as a day at work. */
const sessionMillis = 12 * 60 * 60_000

/** Wrong tokens of one address in a minute. */
const mostFailures = 10
const failureWindow = 60_000

/** Addresses that are remembered. */
const mostAddresses = 10_000

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))

const loopback = new Set(["localhost", "127.0.0.1", "[::1]", "::1"])

const hostOf = (authority: string): string => authority.replace(/:\d+$/, "").toLowerCase()

const make = Effect.gen(function* () {
  const settings = yield* AccessConfig
  const key = sessionKey(settings)
  const verify = settings.issuer === null ? undefined : verifierOf(settings.issuer)
  const failures = new Map<string, { count: number; since: number }>()
  let localUsed = false

  /** A page of another site must not act in the name of who is signed in here; a name that leads to this machine must not either. */
  const checkOrigin = (bySession: boolean): Effect.Effect<void, Forbidden, HttpServerRequest.HttpServerRequest> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers, method }) => {
      const host = headers["host"] ?? ""
      if (settings.local !== null && !loopback.has(hostOf(host))) {
        return new Forbidden({
          detail: `This worker answers only at a name of this machine, and not as ${host.slice(0, 200)}.`
        })
      }
      const origin = headers["origin"]
      if (origin !== undefined && authorityOf(origin) !== host) {
        return new Forbidden({ detail: "The request comes from a page of another site." })
      }
      const isSafe = method === "GET" || method === "HEAD"
      if (bySession && !isSafe && origin === undefined && headers["sec-fetch-site"] !== "same-origin") {
        return new Forbidden({ detail: "A request with a session's cookie must say its origin (the header Origin)." })
      }
      return Effect.void
    })

  const place = Effect.map(HttpServerRequest.HttpServerRequest, ({ remoteAddress }) =>
    Option.getOrElse(remoteAddress, () => "unknown")
  )

  const mayTry = Effect.gen(function* () {
    const failed = failures.get(yield* place)
    const now = yield* Clock.currentTimeMillis
    if (failed !== undefined && now - failed.since < failureWindow && failed.count >= mostFailures) {
      return yield* new TooManyRequests({ detail: "Too many wrong tokens from this address. Try again in a minute." })
    }
  })

  const noteFailure = Effect.gen(function* () {
    const address = yield* place
    const now = yield* Clock.currentTimeMillis
    const failed = failures.get(address)
    const isRecent = failed !== undefined && now - failed.since < failureWindow
    failures.delete(address)
    failures.set(address, isRecent ? { count: failed.count + 1, since: failed.since } : { count: 1, since: now })
    const [oldest] = failures.keys()
    if (failures.size > mostAddresses && oldest !== undefined) failures.delete(oldest)
    yield* Effect.logWarning(`A request from ${address} had a wrong token`).pipe(Effect.annotateLogs({ audit: true }))
  })

  const known = (token: string): Person | undefined => {
    const { local, operatorToken, readerToken } = settings
    if (operatorToken !== null && isSame(token, Redacted.value(operatorToken)))
      return { name: "operator", role: "operator" }
    if (readerToken !== null && isSame(token, Redacted.value(readerToken))) return { name: "reader", role: "reader" }
    if (local !== null && !localUsed && isSame(token, Redacted.value(local))) {
      // Whoever sees it in a list of processes later has nothing of it.
      localUsed = true
      return { name: "local", role: "operator" }
    }
    return undefined
  }

  const bearer = Effect.fnUntraced(function* (token: Redacted.Redacted) {
    if (!isOpen(settings)) return yield* new Forbidden({ detail: closed })
    const text = Redacted.value(token)
    if (text === "")
      return yield* new Unauthenticated({ detail: "The request has no token. Send Authorization: Bearer …" })
    yield* checkOrigin(false)
    yield* mayTry
    const person = known(text) ?? (verify === undefined ? undefined : yield* verify(text))
    if (person !== undefined) return person
    yield* noteFailure
    return yield* new Unauthenticated({ detail: "The token is not valid." })
  })

  return Access.of({
    bearer,
    session: Effect.fnUntraced(function* (token) {
      const person = readSession(Redacted.value(token), key, yield* Clock.currentTimeMillis)
      if (person === undefined) return yield* new Unauthenticated({ detail: "Nobody is signed in here." })
      yield* checkOrigin(true)
      return person
    }),
    begin: (person) =>
      Effect.map(Clock.currentTimeMillis, (now) => Redacted.make(writeSession(person, key, now + sessionMillis)))
  })
})

const closed =
  "Operations are not served: nobody is named who may see or do them. Set OPERATOR_TOKEN and READER_TOKEN, or AUTH_ISSUER and AUTH_AUDIENCE."

const authorityOf = (origin: string): string | undefined => {
  try {
    return new URL(origin).host
  } catch {
    return undefined
  }
}

/** Sessions hold on every replica that has the same tokens, and end when those change; without tokens they end with the process. */
const sessionKey = ({ operatorToken, readerToken }: AccessSettings): Buffer =>
  operatorToken === null && readerToken === null
    ? randomBytes(32)
    : digest(
        `session ${operatorToken === null ? "" : Redacted.value(operatorToken)} ${readerToken === null ? "" : Redacted.value(readerToken)}`
      )

const signed = (text: string, key: Buffer): string => createHmac("sha256", key).update(text).digest("base64url")

const writeSession = ({ name, role }: Person, key: Buffer, until: number): string => {
  const text = Buffer.from(JSON.stringify([name, role, until])).toString("base64url")
  return `${text}.${signed(text, key)}`
}

const readSession = (token: string, key: Buffer, now: number): Person | undefined => {
  const [text = "", signature = ""] = token.slice(0, 4_096).split(".")
  if (!isSame(signature, signed(text, key))) return undefined
  const [name, role, until] = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as [string, Role, number]
  return until > now ? { name, role } : undefined
}

/** Of public keys alone: the key set of an issuer must not serve as a shared secret. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

/** What the library says when the keys did not come; all else that it says is about the token. */
const isAboutKeys = (error: unknown): boolean =>
  !(error instanceof errors.JOSEError) ||
  [errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code].includes(error.code)

/** Who a signed token names; undefined where it is not valid for us. The issuer's keys are read once and kept. */
const verifierOf = ({ audience, issuer, operatorRole, readerRole }: Issuer) => {
  const base = issuer.replace(/\/v2\.0\/?$/, "").replace(/\/$/, "")
  const keys = createRemoteJWKSet(
    new URL(
      base.startsWith("https://login.microsoftonline.com/")
        ? `${base}/discovery/v2.0/keys`
        : `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`
    ),
    { cacheMaxAge: 60 * 60_000, timeoutDuration: 5_000 }
  )
  return (token: string): Effect.Effect<Person | undefined, IssuerFails> =>
    Effect.matchEffect(
      Effect.tryPromise({
        try: () => jwtVerify(token, keys, { issuer, audience, clockTolerance: 60, algorithms }),
        catch: (error) => error
      }),
      {
        onFailure: (error) =>
          isAboutKeys(error)
            ? new IssuerFails({
                detail: `The token can't be checked, since the keys of ${issuer} can't be read now. Try again later.`
              })
            : Effect.succeed(undefined),
        onSuccess: ({ payload }) => {
          const roles: ReadonlyArray<unknown> = Array.isArray(payload["roles"]) ? payload["roles"] : []
          const role: Role | undefined = roles.includes(operatorRole)
            ? "operator"
            : roles.includes(readerRole)
              ? "reader"
              : undefined
          const name = [payload["preferred_username"], payload["name"], payload.sub].find(
            (each): each is string => typeof each === "string"
          )
          return Effect.succeed(role === undefined ? undefined : { name: name ?? "unnamed", role })
        }
      }
    )
}

const operator = (person: Person): Effect.Effect<Person, Forbidden> =>
  person.role === "operator"
    ? Effect.succeed(person)
    : new Forbidden({ detail: `${person.name} may see this, and not do it: that takes an operator.` })

/** Who may use the endpoints, by the settings. */
export const layer: Layer.Layer<Access | ReaderAccess | OperatorAccess, never, AccessConfig> = Layer.mergeAll(
  Layer.effect(
    ReaderAccess,
    Effect.map(Access, ({ bearer, session }) => ({ bearer, session }))
  ),
  Layer.effect(
    OperatorAccess,
    Effect.map(Access, ({ bearer, session }) => ({
      bearer: (token) => Effect.flatMap(bearer(token), operator),
      session: (token) => Effect.flatMap(session(token), operator)
    }))
  )
).pipe(Layer.provideMerge(Layer.effect(Access, make)))
