import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Outage } from "./Outage.ts"

const facts = {
  /** Which service, for people: `Storage Queue`, `Blob Storage`, `Cosmos DB`, … */
  service: Schema.String,
  /** What was tried, on what: `read pipelines/my_pipeline`. */
  operation: Schema.String,
  message: Schema.String,
  /** The service's own word for it (`BlobArchived`), which tells causes with the same status apart; null when it said none. */
  code: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })
}

/** `service` of the store of documents on Azure, and in memory. */
export const cosmosDb = "Cosmos DB"

/** `service` of the same in a folder. */
export const folderDatabase = "The folder's database"

/** Whether the store of documents failed, whichever implementation it has. */
export const isOfDocuments = ({ service }: { readonly service: string }): boolean =>
  service === cosmosDb || service === folderDatabase

/** What is known of the service's state for others; null where it is not looked at. */
const outage = Schema.optionalWith(Schema.NullOr(Outage), { default: () => null })

/** 429, or 503 with a wait: the service asks for patience. */
export class Throttled extends Schema.TaggedError<Throttled>()("Throttled", {
  ...facts,
  /** Milliseconds that the service asked us to wait, or null. */
  retryAfterMillis: Schema.NullOr(Schema.Number),
  outage
}) {}

/** 404: the thing (or the queue, container or database it lives in) does not exist. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", facts) {}

/** 409: it exists already, or its state does not allow the call; `code` says which. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", facts) {}

/** 412: it changed since it was read, or it does not meet the condition of the write. */
export class PreconditionFailed extends Schema.TaggedError<PreconditionFailed>()("PreconditionFailed", facts) {}

/** 401 or 403, or no credential at all: the identity lacks a role, or a key is wrong. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { ...facts, outage }) {}

/** 408, 5xx, a cut or refused connection, a time-out: it may work later. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { ...facts, outage }) {}

/** 413, or any other 4xx: this request will never be accepted. */
export class Invalid extends Schema.TaggedError<Invalid>()("Invalid", {
  ...facts,
  reason: Schema.Literal("TooLarge", "BadRequest")
}) {}

/**
 * Everything that a call of a remote service can end in. Texts are free of secrets. Any call of a port may fail with Throttled, Unavailable or
 * Unauthorized, and with NotFound where its queue, container or database is missing; a member's own comment names the others.
 */
export type ServiceError = Throttled | NotFound | Conflict | PreconditionFailed | Unauthorized | Unavailable | Invalid

/** Whether the same call may succeed later without any change. */
export const isTransient = (error: ServiceError): error is Throttled | Unavailable =>
  error._tag === "Throttled" || error._tag === "Unavailable"

/** How long the service asked us to wait. */
export const retryAfter = (error: ServiceError): Option.Option<Duration.Duration> =>
  error._tag === "Throttled" && error.retryAfterMillis !== null
    ? Option.some(Duration.millis(error.retryAfterMillis))
    : Option.none()

/** Whether one of the worker's own stores failed, and not what was asked of it: its container may be missing, too. */
export const isOutage = ({ _tag }: ServiceError): boolean =>
  _tag === "Unavailable" || _tag === "Throttled" || _tag === "Unauthorized" || _tag === "NotFound"
