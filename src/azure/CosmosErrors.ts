import * as Predicate from "effect/Predicate"
import * as CutText from "../text/CutText.ts"
import * as ServiceError from "../domain/ServiceError.ts"
import { cosmosDb as service } from "../domain/ServiceError.ts"

/**
 * What the Cosmos SDK (or the credential that it asked) threw, as our error. `operation` names the call and the document:
 * `patch vault_executions/exec_1`. Texts keep the service's own first line, without addresses, ids of the call, and secrets.
 */
export const fromCosmos = (operation: string, cause: unknown): ServiceError.ServiceError => {
  const failure = factsOf(cause)
  const facts = (text: string) => ({ service, operation, message: `${text} (${operation}).${detailOf(failure)}` })

  if (isCredentialError(failure)) {
    return isTransientStatus(failure.status ?? 401)
      ? new ServiceError.Unavailable(facts("The sign-in service did not answer"))
      : new ServiceError.Unauthorized(
          facts(
            "No credential could sign in at Cosmos DB: log in with `az login`, give the worker a managed identity, or set COSMOS_DB_KEY"
          )
        )
  }
  if (failure.name === "NotCapable") {
    return new ServiceError.Unauthorized(
      facts("The runtime forbids the connection: start Deno with --allow-net and the account's host")
    )
  }
  const status = failure.status
  if (status === undefined) {
    return failure.name === "TypeError" || failure.name === "RangeError"
      ? new ServiceError.Invalid({ ...facts("The document can't be written as JSON"), reason: "BadRequest" })
      : new ServiceError.Unavailable(facts("Cosmos DB can't be reached"))
  }
  switch (status) {
    case 401:
      return new ServiceError.Unauthorized(facts("Cosmos DB refused the key or token"))
    case 403:
      return movedSubstatus.has(failure.substatus)
        ? new ServiceError.Unavailable(facts("Cosmos DB is moving the account to another region"))
        : new ServiceError.Unauthorized(
            facts("Cosmos DB denied access: the identity needs the role Cosmos DB Built-in Data Contributor")
          )
    case 404:
      return failure.substatus === sessionNotAvailable
        ? new ServiceError.Unavailable(facts("The replica of Cosmos DB is behind our last write"))
        : new ServiceError.NotFound(facts("The document, its container or its database does not exist"))
    case 409:
      return new ServiceError.Conflict(facts("It exists already"))
    case 412:
      return new ServiceError.PreconditionFailed(facts("It changed since it was read, or is in another state"))
    case 413:
      return new ServiceError.Invalid({
        ...facts("The document is larger than 2 MB, which is the most that Cosmos DB stores"),
        reason: "TooLarge"
      })
    case 429:
      return new ServiceError.Throttled({
        ...facts("Cosmos DB asks to slow down"),
        retryAfterMillis: failure.retryAfterMillis ?? null
      })
  }
  if (isTransientStatus(status)) {
    return status === 503 && failure.retryAfterMillis !== undefined
      ? new ServiceError.Throttled({
          ...facts("Cosmos DB asks to slow down"),
          retryAfterMillis: failure.retryAfterMillis
        })
      : new ServiceError.Unavailable(facts(`Cosmos DB answered with status ${status}`))
  }
  return new ServiceError.Invalid({ ...facts(`Cosmos DB refused the request (${status})`), reason: "BadRequest" })
}

/** Whether the answer says that the document is not there, and not its container (1003) or a replica's news of it (1002). */
export const isMissingDocument = (cause: unknown): boolean => {
  const { status, substatus } = factsOf(cause)
  return status === 404 && substatus !== ownerNotFound && substatus !== sessionNotAvailable
}

/** The HTTP status of what the SDK threw; undefined when there was no answer. */
export const statusOf = (cause: unknown): number | undefined => factsOf(cause).status

interface Failure {
  readonly name: string
  readonly message: string
  readonly status: number | undefined
  readonly substatus: number | undefined
  readonly retryAfterMillis: number | undefined
}

const sessionNotAvailable = 1002
const ownerNotFound = 1003
/** WriteForbidden and DatabaseAccountNotFound: a fail-over is under way. */
const movedSubstatus = new Set<number | undefined>([3, 1008])

/** 449 is Cosmos's own "this document is being written right now", 410 and 408 its "the partition moved" and "too slow". */
const isTransientStatus = (status: number): boolean =>
  status >= 500 || status === 408 || status === 410 || status === 429 || status === 449

const isCredentialError = (failure: Failure): boolean =>
  /^(CredentialUnavailableError|AggregateAuthenticationError|AuthenticationError|AuthenticationRequiredError)$/.test(
    failure.name
  )

/** The SDK throws errors of its own, errors of the HTTP stack, and plain objects with a message. */
const factsOf = (cause: unknown): Failure => {
  const read = (name: string): unknown => (Predicate.hasProperty(cause, name) ? cause[name] : undefined)
  const number = (...names: ReadonlyArray<string>): number | undefined => {
    for (const name of names) {
      const value = read(name)
      if (Predicate.isNumber(value) && Number.isFinite(value)) return value
    }
    return undefined
  }
  return {
    name: text(read("name")),
    message: text(read("message")),
    status: number("code", "statusCode"),
    substatus: number("substatus", "substatusCode"),
    retryAfterMillis: number("retryAfterInMs", "retryAfterInMilliseconds")
  }
}

const text = (value: unknown): string => (Predicate.isString(value) ? value : "")

/** What the service itself says, on one line and without what does not belong in a log. */
const detailOf = (failure: Failure): string => {
  const line = CutText.cut(
    firstLineOf(failure.message)
      .replace(
        /,?\s*(?:ActivityId|RequestStartTime|RequestUri|RequestStats|SDK|Windows\/|Microsoft\.Azure\.Documents).*$/i,
        ""
      )
      .replace(/\b(?:https?|wss?):\/\/[^\s"'<>]+/gi, "(address)")
      .replace(/[A-Za-z0-9+/_=.-]{40,}/g, "(…)")
      .trim(),
    240
  )
  return line === "" ? "" : ` ${line}`
}

const firstLineOf = (message: string): string => CutText.cut(message, 2000).split(/\r?\n/, 1)[0] ?? ""
