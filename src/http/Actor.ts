import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { Forbidden, IssuerFails, TooManyRequests, Unauthenticated } from "./Problems.ts"

export type Role = "reader" | "operator"

/** Who asks. */
export interface Person {
  readonly name: string
  readonly role: Role
}

export class Actor extends Context.Tag("contentflow-worker/http/Actor")<Actor, Person>() {}

/** What a browser keeps after it signed in. */
export const sessionCookie = "contentflow_session"

// The last one's refusal is what people read: most have a token.
const security = {
  session: HttpApiSecurity.apiKey({ in: "cookie", key: sessionCookie }),
  bearer: HttpApiSecurity.bearer
}

const failure = Schema.Union(Unauthenticated, Forbidden, TooManyRequests, IssuerFails)

/**
 * Only who may see everything.
 *
 * @effect-expect-leaking HttpServerRequest | ParsedSearchParams | RouteContext
 */
export class ReaderAccess extends HttpApiMiddleware.Tag<ReaderAccess>()("contentflow-worker/http/ReaderAccess", {
  failure,
  provides: Actor,
  security
}) {}

/**
 * Only who may do everything.
 *
 * @effect-expect-leaking HttpServerRequest | ParsedSearchParams | RouteContext
 */
export class OperatorAccess extends HttpApiMiddleware.Tag<OperatorAccess>()("contentflow-worker/http/OperatorAccess", {
  failure,
  provides: Actor,
  security
}) {}
