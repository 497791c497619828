import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import {
  Conflict,
  Invalid,
  NotFound,
  PreconditionFailed,
  type ServiceError,
  Throttled,
  Unauthorized,
  Unavailable
} from "../domain/ServiceError.ts"
import * as Proxy from "./Proxy.ts"

/** What was called, for the texts of its errors. */
export interface CalledOperation {
  readonly service: "Storage Queue" | "Blob Storage"
  /** What was tried, on what: `receive from contentflow-execution-requests`. */
  readonly operation: string
  /** Host and port. */
  readonly host: string
}

/** A failed call, and the service's own word for it (`MessageNotFound`), null when it did not say one. */
export interface StorageFailure {
  readonly error: ServiceError
  readonly code: string | null
}

/**
 * Whatever a Storage client rejected with, as one of our errors. Texts are put together from the status, the service's error code
 * and request id and the socket's error code; never from the thrown message, which may quote an address with a signature in it.
 * `now` (epoch milliseconds) serves waits that are given as a date.
 */
export const fromUnknown = (cause: unknown, called: CalledOperation, now: number): StorageFailure => {
  const code = serviceCode(cause)
  return { error: classify(cause, code, called, now), code }
}

const classify = (cause: unknown, code: string | null, called: CalledOperation, now: number): ServiceError => {
  const status = numberOf(cause, "statusCode")
  const wait = retryAfterMillis(cause, now)
  const { service, operation } = called
  const text = (what: string, advice = "") =>
    `${service} could not ${operation} at ${called.host}: ${what}${answer(status, code, cause)}.${advice === "" ? "" : ` ${advice}`}`
  const unavailable = (what: string, advice?: string) =>
    new Unavailable({ service, operation, message: text(what, advice) })
  const unauthorized = (what: string, advice?: string) =>
    new Unauthorized({ service, operation, message: text(what, advice) })
  const badRequest = (what: string) => new Invalid({ service, operation, message: text(what), reason: "BadRequest" })

  if (isSignInFailure(cause)) {
    return status !== null && (status === 429 || status >= 500)
      ? unavailable("the identity service did not answer as it should")
      : unauthorized(`no credential could sign in${entraCode(cause)}`, signInAdvice)
  }
  if (isDeniedByRuntime(cause)) {
    return unauthorized("the runtime forbids the connection", `Start Deno with --allow-net=${called.host}.`)
  }
  if (status === null || stringOf(cause, "code") === "PARSE_ERROR") {
    const known = stringOf(cause, "code")
    if (known !== null && /^ERR_(INVALID|HTTP_INVALID)/.test(known))
      return badRequest(`the request can't be sent (${known})`)
    return unavailable(noAnswer(cause, known, called.host))
  }
  if (status === 429 || (status === 503 && wait !== null)) {
    const message = text(wait === null ? "it asks to slow down" : `it asks to wait for ${Math.ceil(wait / 1000)} s`)
    return new Throttled({ service, operation, message, retryAfterMillis: wait })
  }
  if (status === 408 || status >= 500) return unavailable("it failed for the moment")
  if (status === 401 || status === 403) {
    return unauthorized(
      "access is refused",
      Option.getOrElse(adviceFor(code, service), () => roleAdvice(service))
    )
  }
  if (status === 404 || status === 410) {
    const message = text(
      missing(code),
      Option.getOrElse(adviceFor(code, service), () => "")
    )
    return new NotFound({ service, operation, message, code })
  }
  if (status === 409) {
    // The name is taken by something on its way out, or a copy is under way: the same call works a little later.
    if (code !== null && passingConflict.test(code)) return unavailable(conflictOf(code))
    return new Conflict({ service, operation, message: text(conflictOf(code)), code })
  }
  if (status === 412 && code !== null && code.startsWith("Lease")) {
    return new Conflict({ service, operation, message: text(conflictOf(code)), code })
  }
  if (status === 412 || status === 304) {
    return new PreconditionFailed({
      service,
      operation,
      message: text("it is not, or no longer, in the expected state"),
      code
    })
  }
  if (status === 413 || code === "RequestBodyTooLarge") {
    return new Invalid({
      service,
      operation,
      message: text("it is larger than the service accepts"),
      reason: "TooLarge"
    })
  }
  return badRequest("the request is not accepted")
}

// --- Texts ---

const answer = (status: number | null, code: string | null, cause: unknown): string => {
  if (status === null) return ""
  const id = header(cause, "x-ms-request-id")
  const request = id !== null && /^[\w-]{1,64}$/.test(id) ? `, request ${id}` : ""
  return ` (${status}${code === null ? "" : ` ${code}`}${request})`
}

const noAnswer = (cause: unknown, code: string | null, host: string): string => {
  const shown = code !== null && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : ""
  const proxy = Proxy.of(`https://${host}`)
  if (proxy !== undefined && code !== "PARSE_ERROR") {
    return `the proxy ${proxy.url.host} of ${proxy.variable} gave no answer of it${shown}`
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `the name can't be resolved${shown}`
  if (code === "ECONNREFUSED") return `nothing listens there${shown}`
  if (code === "PARSE_ERROR") return `the answer was cut short or can't be read${shown}`
  // Only the connection's end aborts here: our own interruption never waits for the answer.
  if (stringOf(cause, "name") === "AbortError") return "the connection was cut"
  return `the connection was cut or the service did not answer${shown}`
}

const missing = (code: string | null): string => {
  switch (code) {
    case "QueueNotFound":
      return "the queue does not exist"
    case "ContainerNotFound":
      return "the container does not exist"
    case "BlobNotFound":
      return "the blob does not exist"
    case "MessageNotFound":
      return "the message does not exist"
    default:
      return "it does not exist"
  }
}

const passingConflict = /^(\w+Being(Deleted|Disabled)|PendingCopyOperation|ContainerDisabled)$/

/** What stands in the way, by the service's own code: a status of 409 alone says nothing. */
const conflictOf = (code: string | null): string => {
  switch (code) {
    case "BlobArchived":
      return "the blob is in the archive tier, and can't be read or written before it is rehydrated"
    case "BlobBeingRehydrated":
      return "the blob is being rehydrated from the archive tier, which takes hours"
    case "BlobImmutableDueToPolicy":
      return "a policy of the account or container forbids to change or delete the blob (immutability or legal hold)"
    case "InvalidBlobType":
      return "a blob of another type (append or page blob) has this name"
    case "LeaseIdMissing":
    case "LeaseIdMismatchWithBlobOperation":
    case "LeaseAlreadyPresent":
      return "another program holds a lease on it"
    case "SnapshotsPresent":
      return "it has snapshots"
    case "PendingCopyOperation":
      return "a copy to it is under way"
    case null:
      return "its state does not allow it"
    default:
      return code.endsWith("AlreadyExists")
        ? "it exists already"
        : /Being(Deleted|Disabled)$/.test(code)
          ? "it is just being deleted"
          : "its state does not allow it"
  }
}

const adviceFor = (code: string | null, service: CalledOperation["service"]): Option.Option<string> => {
  switch (code) {
    case "QueueNotFound":
      return Option.some("Create the queue, or correct STORAGE_WORKER_QUEUE_NAME.")
    case "AuthenticationFailed":
      return Option.some("The key, signature or token is not accepted; check it, and this machine's clock.")
    case "AuthorizationPermissionMismatch":
    case "InsufficientAccountPermissions":
      return Option.some(roleAdvice(service))
    case "KeyBasedAuthenticationNotPermitted":
      return Option.some("The account accepts no keys: leave the key out and give this worker's identity a role.")
    case "AuthorizationFailure":
      return Option.some("The key is wrong, or the account's network rules do not let this address in.")
    default:
      return Option.none()
  }
}

const roleAdvice = (service: CalledOperation["service"]): string =>
  service === "Storage Queue"
    ? "Give this worker's identity the role Storage Queue Data Contributor."
    : "Give this worker's identity the role Storage Blob Data Contributor."

const signInAdvice =
  "Run `az login`, set AZURE_CLIENT_ID to the managed identity's client id, or configure a connection string or key."

// --- What was thrown ---

/** The service's error code: from the parsed body, or from the header where there is no body (HEAD). */
const serviceCode = (cause: unknown): string | null => {
  if (numberOf(cause, "statusCode") === null) return null
  const details = propertyOf(cause, "details")
  const candidates = [header(cause, "x-ms-error-code"), stringOf(details, "errorCode"), stringOf(cause, "code")]
  return candidates.find((code) => code !== null && /^[A-Za-z]{1,80}$/.test(code)) ?? null
}

const isSignInFailure = (cause: unknown): boolean =>
  /^(CredentialUnavailable|AggregateAuthentication|Authentication|AuthenticationRequired)Error$/.test(
    stringOf(cause, "name") ?? ""
  )

const isDeniedByRuntime = (cause: unknown): boolean =>
  stringOf(cause, "name") === "NotCapable" || (stringOf(cause, "message") ?? "").startsWith("Requires net access")

/** Microsoft Entra's number of the reason, which its documentation explains. */
const entraCode = (cause: unknown): string => {
  const found = /\bAADSTS\d{3,9}\b/.exec(stringOf(cause, "message") ?? "")
  return found === null ? "" : ` (${found[0]})`
}

/** The wait that the answer asks for, in milliseconds: Azure's own headers first, then `Retry-After` as seconds or as a date. */
const retryAfterMillis = (cause: unknown, now: number): number | null => {
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) {
    const millis = header(cause, name)?.trim()
    if (millis !== undefined && /^\d{1,12}$/.test(millis)) return Number(millis)
  }
  const value = header(cause, "retry-after")?.trim()
  if (value === undefined) return null
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000)
  // `Date.parse` alone finds a date in nearly everything.
  const at = /^[A-Za-z]{3,9},? /.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(at)) return null
  // Both dates come from the same clock then, whatever ours says.
  const served = Date.parse(header(cause, "date") ?? "")
  return Math.max(0, at - (Number.isNaN(served) ? now : served))
}

const header = (cause: unknown, name: string): string | null => {
  const headers = propertyOf(propertyOf(cause, "response"), "headers")
  if (!Predicate.hasProperty(headers, "get") || !Predicate.isFunction(headers.get)) return null
  const value: unknown = headers.get(name)
  return Predicate.isString(value) ? value : null
}

const propertyOf = (value: unknown, key: string): unknown =>
  Predicate.hasProperty(value, key) ? value[key] : undefined

const stringOf = (value: unknown, key: string): string | null => {
  const found = propertyOf(value, key)
  return Predicate.isString(found) ? found : null
}

const numberOf = (value: unknown, key: string): number | null => {
  const found = propertyOf(value, key)
  return Predicate.isNumber(found) ? found : null
}
