import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { ExecutionFilter, Position } from "../domain/ExecutionFilter.ts"
import { Invalid, type ServiceError, Throttled, Unauthorized, Unavailable } from "../domain/ServiceError.ts"
import type { BulkRequest } from "../operations/BulkRequest.ts"
import { Installation } from "../operations/Installation.ts"
import { NoSuchThing, NotPossible } from "../operations/Operation.ts"
import * as Cursor from "./Cursor.ts"
import { mostPoisonListed } from "./OperationsApi.ts"
import type * as Problems from "./Problems.ts"
import * as WorkerClient from "./WorkerClient.ts"

export interface RemoteOptions {
  readonly url: string
  readonly token: Redacted.Redacted | null
}

/** A worker answers within this, or is taken for unreachable; it counts for a minute at most. */
const answerTimeout = Duration.seconds(75)

/** The longest that a worker lets one request wait for an execution. */
const longestWait = Duration.seconds(50)

const service = "The worker"

type Problem =
  | Problems.BadRequest
  | Problems.Forbidden
  | Problems.IssuerFails
  | Problems.Missing
  | Problems.Refused
  | Problems.StoreFails
  | Problems.TooManyRequests
  | Problems.Unauthenticated

type Failure =
  | Problem
  | HttpClientError.HttpClientError
  | ParseResult.ParseError
  | { readonly _tag: "HttpApiDecodeError"; readonly message: string }

const decodeDetail = Schema.decodeUnknownOption(Schema.parseJson(Schema.Struct({ detail: Schema.String })))

const make = Effect.fnUntraced(function* ({ token, url }: RemoteOptions) {
  const client = yield* WorkerClient.make(url, token === null ? {} : { token })

  const unavailable = (operation: string, message: string) => new Unavailable({ service, operation, message })

  /** A request that no endpoint answered: another program listens there, or something between refused it. */
  const unexpected = (operation: string, error: HttpClientError.ResponseError) =>
    Effect.map(
      Effect.orElseSucceed(error.response.text, () => ""),
      (text): ServiceError => {
        const { status } = error.response
        const detail = Option.match(decodeDetail(text), { onNone: () => "", onSome: ({ detail: why }) => `: ${why}` })
        const message = `${url} answered ${operation} with ${status}${detail}. Is it the address of a worker of this version?`
        if (status >= 500) return unavailable(operation, message)
        return new Invalid({ service, operation, message, reason: status === 413 ? "TooLarge" : "BadRequest" })
      }
    )

  const translated = (operation: string, error: Failure): Effect.Effect<NoSuchThing | NotPossible | ServiceError> => {
    switch (error._tag) {
      case "Missing":
        return Effect.succeed(new NoSuchThing({ message: error.detail }))
      case "Refused":
        return Effect.succeed(new NotPossible({ message: error.detail }))
      case "Unauthenticated":
      case "Forbidden": {
        const way =
          token === null
            ? " Set CONTENTFLOW_TOKEN to a token of this worker."
            : error._tag === "Unauthenticated"
              ? " Is CONTENTFLOW_TOKEN one of this worker?"
              : ""
        return Effect.succeed(new Unauthorized({ service, operation, message: `${url}: ${error.detail}${way}` }))
      }
      case "TooManyRequests":
        return Effect.succeed(
          new Throttled({ service, operation, message: `${url}: ${error.detail}`, retryAfterMillis: null })
        )
      case "StoreFails":
      case "IssuerFails":
        return Effect.succeed(unavailable(operation, `${url}: ${error.detail}`))
      case "BadRequest":
      case "HttpApiDecodeError": {
        const message = `${url}: ${error._tag === "BadRequest" ? error.detail : error.message}`
        return Effect.succeed(new Invalid({ service, operation, message, reason: "BadRequest" }))
      }
      case "RequestError":
        return Effect.succeed(
          unavailable(operation, `There is no answer from ${url}${causeOf(error.cause)}. Does a worker run there?`)
        )
      case "ResponseError":
        return unexpected(operation, error)
      case "ParseError":
        return Effect.succeed(
          new Invalid({
            service,
            operation,
            message: `${url} answered ${operation} with something else than this version understands.`,
            reason: "BadRequest"
          })
        )
    }
  }

  const answered = <A, E extends Failure>(operation: string, request: Effect.Effect<A, E>) =>
    request.pipe(
      Effect.catchAll((error) => Effect.flatMap(translated(operation, error), Effect.fail)),
      Effect.timeoutFail({
        duration: answerTimeout,
        onTimeout: () => unavailable(operation, `There is no answer from ${url} in time.`)
      })
    )

  /** A request that concerns no one thing, so that nothing can be missing or in the wrong state. */
  const asked = <A, E extends Failure>(operation: string, request: Effect.Effect<A, E>) =>
    Effect.catchTags(answered(operation, request), { NoSuchThing: Effect.die, NotPossible: Effect.die })

  const ofOne = <A, E extends Failure>(operation: string, request: Effect.Effect<A, E>) =>
    Effect.catchTag(answered(operation, request), "NotPossible", Effect.die)

  const ofMany = <A, E extends Failure>(operation: string, request: Effect.Effect<A, E>) =>
    Effect.catchTag(answered(operation, request), "NoSuchThing", Effect.die)

  const pathOf = (id: string) => ({ path: { id: encodeURIComponent(id) } })

  const nextOf = (operation: string, next: string | null): Effect.Effect<Position | null, ServiceError> =>
    next === null
      ? Effect.succeed(null)
      : Effect.mapError(
          Cursor.positionOf(next),
          () =>
            new Invalid({
              service,
              operation,
              message: `${url} gave a next page that this version does not understand.`,
              reason: "BadRequest"
            })
        )

  const paged = (most: number, after: Position | undefined) => ({
    limit: most,
    ...(after === undefined ? {} : { after: Cursor.of(after) ?? "" })
  })

  // The client's types tell requests apart by their whole, not by the verb inside.
  const begin = (request: BulkRequest, how: How) => {
    switch (request.verb) {
      case "retry":
        return client.actions.begin({ payload: { ...request, ...how } })
      case "cancel":
        return client.actions.begin({ payload: { ...request, ...how } })
      case "delete":
        return client.actions.begin({ payload: { ...request, ...how } })
      case "put_back":
        return client.actions.begin({ payload: { ...request, ...how } })
      case "discard":
        return client.actions.begin({ payload: { ...request, ...how } })
      case "backfill":
        return client.actions.begin({ payload: { ...request, ...how } })
    }
  }

  const isEnded = (status: unknown): boolean => status === "completed" || status === "failed"

  const wait = Effect.fnUntraced(function* (id: string, within: Duration.DurationInput) {
    const look = (left: Duration.Duration): Effect.Effect<boolean, NoSuchThing | ServiceError> => {
      const now = Duration.min(left, longestWait)
      return Effect.flatMap(
        ofOne(
          "show execution",
          client.executions.show({ ...pathOf(id), urlParams: { wait: Duration.toSeconds(now) } })
        ),
        ({ execution }) => {
          const rest = Duration.subtract(left, now)
          if (isEnded(execution["status"])) return Effect.succeed(true)
          return Duration.greaterThan(rest, Duration.zero) ? look(rest) : Effect.succeed(false)
        }
      )
    }
    return yield* look(Duration.decode(within))
  })

  return Installation.of({
    executions: {
      list: Effect.fnUntraced(function* (filter, most, after) {
        const page = yield* asked(
          "list executions",
          client.executions.list({ urlParams: { ...queryOf(filter), ...paged(most, after) } })
        )
        return { executions: page.items, next: yield* nextOf("list executions", page.next) }
      }),
      show: (id) => ofOne("show execution", client.executions.show({ ...pathOf(id), urlParams: {} })),
      retry: (id) => answered("retry", client.executions.retry(pathOf(id))),
      cancel: (id) => answered("cancel", client.executions.cancel(pathOf(id))),
      remove: (id) => answered("delete", client.executions.remove(pathOf(id)))
    },
    poison: {
      list: Effect.fnUntraced(function* (filter, most) {
        const { before, execution_id, foreign, pipeline_id, reason, vault_id } = filter
        const limit = Math.min(most, mostPoisonListed)
        const { items } = yield* asked(
          "list poison messages",
          client.poison.list({
            urlParams: {
              vault: vault_id,
              pipeline: pipeline_id,
              execution: execution_id,
              reason,
              before,
              foreign,
              limit
            }
          })
        )
        if (limit < most && items.length === limit) {
          yield* Effect.logWarning(`A worker lists ${mostPoisonListed} messages at most; there may be more.`)
        }
        return items
      }),
      show: (id) => ofOne("show poison message", client.poison.show(pathOf(id))),
      putBack: (id) => answered("put back", client.poison.putBack(pathOf(id))),
      discard: (id) => ofOne("discard", client.poison.discard(pathOf(id)))
    },
    vaults: {
      list: Effect.map(asked("list vaults", client.vaults.list({})), ({ items }) => items),
      show: (id) => ofOne("show vault", client.vaults.show(pathOf(id))),
      pauses: Effect.map(asked("list pauses", client.vaults.pauses({})), ({ items }) => items),
      pause: (scope, work) => asked("pause", client.vaults.pause({ payload: { scope, work } })),
      resume: (scope, work) => asked("resume", client.vaults.resume({ payload: { scope, work } })),
      crawl: (id) => ofOne("crawl", client.vaults.crawl(pathOf(id))),
      confirmDeletions: (id, token) =>
        answered("confirm deletions", client.vaults.confirmDeletions({ ...pathOf(id), payload: { token } }))
    },
    workers: {
      list: Effect.map(asked("list workers", client.workers.list({})), ({ items }) => items),
      drain: (id) => ofOne("drain", client.workers.drain(pathOf(id)))
    },
    submissions: {
      submit: (payload, _by, key) =>
        answered(
          "submit",
          client.tasks.submit({ payload, urlParams: {}, headers: key === undefined ? {} : { "idempotency-key": key } })
        ),
      wait
    },
    operations: {
      dryRun: (request) =>
        Effect.flatMap(ofMany("count", begin(request, { dry_run: true, confirmed: false })), (counted) =>
          "count" in counted
            ? Effect.succeed(counted)
            : Effect.dieMessage("A worker that was to count began an operation.")
        ),
      begin: (request, { confirmed = false, id, ratePerSecond }) =>
        Effect.flatMap(
          ofMany(
            request.verb,
            begin(request, {
              dry_run: false,
              confirmed,
              ...(ratePerSecond === undefined ? {} : { rate_per_second: ratePerSecond }),
              ...(id === undefined ? {} : { operation_id: id })
            })
          ),
          (begun) =>
            "count" in begun ? Effect.dieMessage("A worker that was to begin only counted.") : Effect.succeed(begun)
        ),
      show: (id) => ofOne("show operation", client.actions.show(pathOf(id))),
      stop: (id) => answered("stop", client.actions.stop(pathOf(id))),
      goOn: (id) => answered("continue", client.actions.goOn(pathOf(id))),
      run: (id) => ofOne("show operation", client.actions.show(pathOf(id))),
      list: Effect.fnUntraced(function* (most, after) {
        const page = yield* asked("list operations", client.actions.list({ urlParams: paged(most, after) }))
        return { operations: page.items, next: yield* nextOf("list operations", page.next) }
      })
    }
  })
})

const queryOf = (filter: ExecutionFilter) => ({
  vault: filter.vault_id,
  pipeline: filter.pipeline_id,
  version: filter.pipeline_version,
  not_version: filter.not_pipeline_version,
  status: filter.status?.join(","),
  from: filter.from,
  to: filter.to,
  document: filter.document,
  error: filter.error,
  operation: filter.operation
})

interface How {
  readonly dry_run: boolean
  readonly confirmed: boolean
  readonly rate_per_second?: number
  readonly operation_id?: string
}

/** What the network says, in its own word for it (`ECONNREFUSED`). */
const causeOf = (cause: unknown): string => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  if (!(inner instanceof Error)) return ""
  return `: ${"code" in inner && typeof inner.code === "string" ? inner.code : inner.message}`
}

/** The installation of the worker at this address. What is done there is recorded under the name that its token has. */
export const layer = (options: RemoteOptions): Layer.Layer<Installation> =>
  Layer.effect(Installation, make(options)).pipe(
    Layer.provide(FetchHttpClient.layer),
    // An answer from elsewhere is no worker's, and the token is not for others.
    Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "error" }))
  )
