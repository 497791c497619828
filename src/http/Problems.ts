import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"

/** Errors as RFC 9457 describes them: `detail` says what was wrong with this request, and the way out. */
const facts = (status: number, title: string) => ({
  type: Schema.optionalWith(Schema.String, { default: () => "about:blank" }),
  title: Schema.optionalWith(Schema.String, { default: () => title }),
  status: Schema.optionalWith(Schema.Number, { default: () => status }),
  detail: Schema.String
})

export class BadRequest extends Schema.TaggedError<BadRequest>()(
  "BadRequest",
  facts(400, "Bad Request"),
  HttpApiSchema.annotations({ status: 400, description: "The request is not valid." })
) {}

export class Unauthenticated extends Schema.TaggedError<Unauthenticated>()(
  "Unauthenticated",
  facts(401, "Unauthorized"),
  HttpApiSchema.annotations({ status: 401, description: "There is no valid token in the request." })
) {}

export class Forbidden extends Schema.TaggedError<Forbidden>()(
  "Forbidden",
  facts(403, "Forbidden"),
  HttpApiSchema.annotations({ status: 403, description: "Who asks may not do this, or comes from another site." })
) {}

export class Missing extends Schema.TaggedError<Missing>()(
  "Missing",
  facts(404, "Not Found"),
  HttpApiSchema.annotations({ status: 404, description: "There is nothing with this id." })
) {}

export class Refused extends Schema.TaggedError<Refused>()(
  "Refused",
  facts(409, "Conflict"),
  HttpApiSchema.annotations({ status: 409, description: "It is not in the state for it." })
) {}

export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()(
  "TooManyRequests",
  facts(429, "Too Many Requests"),
  HttpApiSchema.annotations({ status: 429, description: "Too many requests of this kind in a short time." })
) {}

export class StoreFails extends Schema.TaggedError<StoreFails>()(
  "StoreFails",
  facts(503, "Service Unavailable"),
  HttpApiSchema.annotations({ status: 503, description: "A store or queue of the worker does not answer." })
) {}

export class IssuerFails extends Schema.TaggedError<IssuerFails>()(
  "IssuerFails",
  facts(503, "Service Unavailable"),
  HttpApiSchema.annotations({ status: 503, description: "The keys of who issues tokens can't be read." })
) {}
