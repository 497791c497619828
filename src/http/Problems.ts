import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Schema from "effect/Schema"

/** Errors as RFC 9457 describes them: `detail` says what was wrong with this request, and the way out. */
const facts = (status: number, title: string) => ({
  type: Schema.optionalWith(Schema.String, { default: () => "about:blank" }),
  title: Schema.optionalWith(Schema.String, { default: () => title }),
  status: Schema.optionalWith(Schema.Number, { default: () => status }),
  detail: Schema.String
})

export const contentType = "application/problem+json"

const answeredAs = (status: number, description: string) => ({
  description,
  [HttpApiSchema.AnnotationStatus]: status,
  [HttpApiSchema.AnnotationEncoding]: { kind: "Json", contentType }
})

export class BadRequest extends Schema.TaggedError<BadRequest>()(
  "BadRequest",
  facts(400, "Bad Request"),
  answeredAs(400, "The request is not valid.")
) {}

export class Unauthenticated extends Schema.TaggedError<Unauthenticated>()(
  "Unauthenticated",
  facts(401, "Unauthorized"),
  answeredAs(401, "There is no valid token in the request.")
) {}

export class Forbidden extends Schema.TaggedError<Forbidden>()(
  "Forbidden",
  facts(403, "Forbidden"),
  answeredAs(403, "Who asks may not do this, or comes from another site.")
) {}

export class Missing extends Schema.TaggedError<Missing>()(
  "Missing",
  facts(404, "Not Found"),
  answeredAs(404, "There is nothing with this id.")
) {}

export class Refused extends Schema.TaggedError<Refused>()(
  "Refused",
  facts(409, "Conflict"),
  answeredAs(409, "It is not in the state for it.")
) {}

export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()(
  "TooManyRequests",
  facts(429, "Too Many Requests"),
  answeredAs(429, "Too many requests of this kind in a short time.")
) {}

export class StoreFails extends Schema.TaggedError<StoreFails>()(
  "StoreFails",
  facts(503, "Service Unavailable"),
  answeredAs(503, "A store or queue of the worker does not answer.")
) {}

export class IssuerFails extends Schema.TaggedError<IssuerFails>()(
  "IssuerFails",
  facts(503, "Service Unavailable"),
  answeredAs(503, "The keys of who issues tokens can't be read.")
) {}

/** Every problem that endpoints answer with. */
const Problem = Schema.Union(
  BadRequest,
  Unauthenticated,
  Forbidden,
  Missing,
  Refused,
  TooManyRequests,
  StoreFails,
  IssuerFails
)
type Problem = typeof Problem.Type

const isProblem = Schema.is(Problem)

/** A problem that no endpoint is there to answer with. */
export const response = (status: number, title: string, detail: string, more: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.unsafeJson(
    { type: "about:blank", title, status, detail },
    { status, headers: { ...more, "content-type": contentType } }
  )

/** The answer to a failure, unless it is no problem of an endpoint. */
export const answerOf = (failure: unknown): HttpServerResponse.HttpServerResponse | undefined => {
  if (!isProblem(failure)) return undefined
  const { status } = failure
  return HttpServerResponse.unsafeJson(Schema.encodeSync(Problem)(failure), {
    status,
    headers: { "content-type": contentType }
  })
}
