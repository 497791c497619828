import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ExecutionFilter, type Position } from "../domain/ExecutionFilter.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { redact } from "../domain/Redaction.ts"
import * as BulkOperations from "../operations/BulkOperations.ts"
import * as Executions from "../operations/Executions.ts"
import type { NoSuchThing, NotPossible } from "../operations/Operation.ts"
import { OperationLog } from "../operations/OperationLog.ts"
import { Overview } from "../operations/Overview.ts"
import { Pipelines } from "../operations/Pipelines.ts"
import { PoisonMessages } from "../operations/PoisonMessages.ts"
import { Submissions } from "../operations/Submissions.ts"
import { Vaults } from "../operations/Vaults.ts"
import { Workers } from "../operations/Workers.ts"
import { Access } from "./Access.ts"
import { Actor, sessionCookie } from "./Actor.ts"
import * as Changes from "./Changes.ts"
import * as Cursor from "./Cursor.ts"
import * as OperationsApi from "./OperationsApi.ts"
import * as Problems from "./Problems.ts"
import * as Requests from "./Requests.ts"
import * as SlowAnswers from "./SlowAnswers.ts"
import { WorkerApi } from "./WorkerApi.ts"

/** Executions of one page where nobody says. */
const defaultLimit = 50

/** A request waits no longer than this for an execution. */
const longestWait = Duration.seconds(60)

const storeFails = (error: ServiceError) => new Problems.StoreFails({ detail: redact(error.message) })
const isStoreError = (error: { readonly _tag: string }): error is ServiceError =>
  error._tag !== "NoSuchThing" && error._tag !== "NotPossible"

/** What operations fail with, as HTTP says it. */
const answered = <A, E extends NoSuchThing | NotPossible | ServiceError, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.mapError(effect, (error) =>
    isStoreError(error)
      ? storeFails(error)
      : error._tag === "NoSuchThing"
        ? new Problems.Missing({ detail: error.message })
        : new Problems.Refused({ detail: error.message })
  ) as Effect.Effect<
    A,
    | Problems.StoreFails
    | (Extract<E, { _tag: "NoSuchThing" }> extends never ? never : Problems.Missing)
    | (Extract<E, { _tag: "NotPossible" }> extends never ? never : Problems.Refused),
    R
  >

const positionOf = (cursor: string | undefined): Effect.Effect<Position | undefined, Problems.BadRequest> =>
  cursor === undefined
    ? Effect.succeed(undefined)
    : Effect.mapError(
        Cursor.positionOf(cursor),
        () => new Problems.BadRequest({ detail: "`after` is none of the values of `next`." })
      )

const decodeFilter = (value: Readonly<Record<string, unknown>>): Effect.Effect<ExecutionFilter, Problems.BadRequest> =>
  Effect.mapError(
    Schema.decodeUnknown(ExecutionFilter)(
      Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined))
    ),
    (error) => new Problems.BadRequest({ detail: Requests.mistakes(ParseResult.ArrayFormatter.formatErrorSync(error)) })
  )

const given = <A extends Readonly<Record<string, unknown>>>(values: A) =>
  Object.fromEntries(Object.entries(values).filter(([, each]) => each !== undefined)) as {
    readonly [K in keyof A]?: Exclude<A[K], undefined>
  }

const waitOf = (seconds: number | undefined): Duration.Duration | undefined =>
  seconds === undefined || !(seconds > 0) ? undefined : Duration.min(longestWait, Duration.seconds(seconds))

const ExecutionsLive = HttpApiBuilder.group(WorkerApi, "executions", (handlers) =>
  Effect.gen(function* () {
    const executions = yield* Executions.Executions
    const submissions = yield* Submissions
    return handlers
      .handle("list", ({ urlParams }) =>
        Effect.gen(function* () {
          const { after, document, error, from, limit, not_version, operation, pipeline, status, to, vault, version } =
            urlParams
          const filter = yield* decodeFilter({
            vault_id: vault,
            pipeline_id: pipeline,
            pipeline_version: version,
            not_pipeline_version: not_version,
            status: status?.split(","),
            from,
            to,
            document,
            error,
            operation
          })
          const page = yield* answered(executions.list(filter, limit ?? defaultLimit, yield* positionOf(after)))
          return { items: page.executions, next: Cursor.of(page.next) }
        })
      )
      .handle("show", ({ path: { id }, urlParams: { wait } }) =>
        Effect.gen(function* () {
          const within = waitOf(wait)
          if (within !== undefined) yield* SlowAnswers.within(within, answered(submissions.wait(id, within)))
          return yield* answered(executions.show(id))
        })
      )
      .handle("retry", ({ path: { id } }) => Effect.flatMap(Actor, ({ name }) => answered(executions.retry(id, name))))
      .handle("cancel", ({ path: { id } }) =>
        Effect.flatMap(Actor, ({ name }) => answered(executions.cancel(id, name)))
      )
      .handle("remove", ({ path: { id } }) =>
        Effect.flatMap(Actor, ({ name }) => answered(executions.remove(id, name)))
      )
  })
)

const PoisonLive = HttpApiBuilder.group(WorkerApi, "poison", (handlers) =>
  Effect.map(PoisonMessages, (poison) =>
    handlers
      .handle("list", ({ urlParams: { before, execution, foreign, limit, pipeline, reason, vault } }) =>
        Effect.map(
          answered(
            poison.list(
              given({ vault_id: vault, pipeline_id: pipeline, execution_id: execution, reason, before, foreign }),
              Math.min(OperationsApi.mostPoisonListed, limit ?? 32)
            )
          ),
          (items) => ({ items, next: null })
        )
      )
      .handle("show", ({ path: { id } }) => answered(poison.show(id)))
      .handle("putBack", ({ path: { id } }) => Effect.flatMap(Actor, ({ name }) => answered(poison.putBack(id, name))))
      .handle("discard", ({ path: { id } }) => Effect.flatMap(Actor, ({ name }) => answered(poison.discard(id, name))))
  )
)

const VaultsLive = HttpApiBuilder.group(WorkerApi, "vaults", (handlers) =>
  Effect.map(Vaults, (vaults) =>
    handlers
      .handle("list", () => Effect.map(answered(vaults.list), (items) => ({ items, next: null })))
      .handle("show", ({ path: { id } }) => answered(vaults.show(id)))
      .handle("crawl", ({ path: { id } }) => Effect.flatMap(Actor, ({ name }) => answered(vaults.crawl(id, name))))
      .handle("confirmDeletions", ({ path: { id }, payload: { token } }) =>
        Effect.flatMap(Actor, ({ name }) => answered(vaults.confirmDeletions(id, token, name)))
      )
      .handle("pauses", () => Effect.map(answered(vaults.pauses), (items) => ({ items, next: null })))
      .handle("pause", ({ payload: { scope, work } }) =>
        Effect.flatMap(Actor, ({ name }) => answered(vaults.pause(scope, work, name)))
      )
      .handle("resume", ({ payload: { scope, work } }) =>
        Effect.flatMap(Actor, ({ name }) => answered(vaults.resume(scope, work, name)))
      )
  )
)

const PipelinesLive = HttpApiBuilder.group(WorkerApi, "pipelines", (handlers) =>
  Effect.map(Pipelines, (pipelines) =>
    handlers.handle("show", ({ path: { id }, urlParams: { version } }) => answered(pipelines.show(id, version)))
  )
)

const OverviewLive = HttpApiBuilder.group(WorkerApi, "overview", (handlers) =>
  Effect.map(Overview, (overview) =>
    handlers.handle("show", ({ urlParams: { hours = 24 } }) => answered(overview.show(hours)))
  )
)

const WorkersLive = HttpApiBuilder.group(WorkerApi, "workers", (handlers) =>
  Effect.map(Workers, (workers) =>
    handlers
      .handle("list", () => Effect.map(answered(workers.list), (items) => ({ items, next: null })))
      .handle("drain", ({ path: { id } }) => Effect.flatMap(Actor, ({ name }) => answered(workers.drain(id, name))))
  )
)

const ActionsLive = HttpApiBuilder.group(WorkerApi, "actions", (handlers) =>
  Effect.gen(function* () {
    const log = yield* OperationLog
    const bulk = yield* BulkOperations.BulkOperations
    return handlers
      .handle("list", ({ urlParams: { after, limit } }) =>
        Effect.gen(function* () {
          const page = yield* answered(log.list(Math.min(1_000, limit ?? defaultLimit), yield* positionOf(after)))
          return { items: page.operations, next: Cursor.of(page.next) }
        })
      )
      .handle("show", ({ path: { id } }) => answered(bulk.show(id)))
      .handle("begin", ({ payload }) =>
        Effect.gen(function* () {
          const { name } = yield* Actor
          const { confirmed, dry_run, operation_id, rate_per_second, ...request } = payload
          // Many things take long to count.
          if (dry_run) return yield* SlowAnswers.within(longestWait, answered(bulk.dryRun(request)))
          const begun = bulk.begin(request, {
            by: name,
            confirmed,
            ...(rate_per_second === undefined ? {} : { ratePerSecond: rate_per_second }),
            ...(operation_id === undefined ? {} : { id: operation_id })
          })
          return yield* SlowAnswers.within(longestWait, answered(begun))
        })
      )
      .handle("stop", ({ path: { id } }) => Effect.flatMap(Actor, ({ name }) => answered(bulk.stop(id, name))))
      .handle("goOn", ({ path: { id } }) => Effect.flatMap(Actor, ({ name }) => answered(bulk.goOn(id, name))))
  })
)

const TasksLive = HttpApiBuilder.group(WorkerApi, "tasks", (handlers) =>
  Effect.gen(function* () {
    const submissions = yield* Submissions
    const executions = yield* Executions.Executions
    return handlers.handle("submit", ({ headers, payload, urlParams: { wait } }) =>
      Effect.gen(function* () {
        const { name } = yield* Actor
        const submitted = yield* answered(submissions.submit(payload, name, headers["idempotency-key"]))
        const within = waitOf(wait)
        if (within === undefined) return { ...submitted, execution: null }
        yield* SlowAnswers.within(within, answered(submissions.wait(submitted.execution_id, within)))
        const { execution } = yield* answered(executions.show(submitted.execution_id))
        return { ...submitted, execution }
      })
    )
  })
)

const SessionsLive = HttpApiBuilder.group(WorkerApi, "sessions", (handlers) =>
  Effect.gen(function* () {
    const access = yield* Access
    const cookie = (value: string, maxAge: Duration.DurationInput) =>
      HttpApiBuilder.securitySetCookie(
        { _tag: "ApiKey", in: "cookie", key: sessionCookie } as never,
        Redacted.make(value),
        { httpOnly: true, sameSite: "strict", path: "/", maxAge }
      )
    return handlers
      .handle("begin", () =>
        Effect.gen(function* () {
          const person = yield* Actor
          yield* cookie(Redacted.value(yield* access.begin(person)), "12 hours")
          yield* Effect.logInfo(`${person.name} signed in as ${person.role}`).pipe(Effect.annotateLogs({ audit: true }))
          return { name: person.name, role: person.role }
        })
      )
      .handle("show", () => Effect.map(Actor, ({ name, role }) => ({ name, role })))
      .handle("end", () => Effect.as(cookie("", 0), { ended: true }))
  })
)

const EventsLive = HttpApiBuilder.group(WorkerApi, "events", (handlers) =>
  Effect.gen(function* () {
    const changes = yield* Changes.make
    const headers = { "cache-control": "no-store", "x-accel-buffering": "no" }
    const contentType = "text/event-stream"
    // Who asks for the headers alone reads no stream, and holds no place for one.
    const headersAlone = HttpServerResponse.uint8Array(new Uint8Array(), { contentType, headers })
    return handlers.handleRaw("changes", ({ request }) =>
      request.method === "HEAD"
        ? Effect.succeed(headersAlone)
        : Effect.flatMap(changes, (stream) =>
            Option.match(stream, {
              onNone: () =>
                Effect.succeed(
                  Problems.response(503, "Service Unavailable", "Too many event streams are open. Try again later.", {
                    "retry-after": "30"
                  })
                ),
              onSome: (body) =>
                Effect.as(SlowAnswers.keepOpen, HttpServerResponse.stream(body, { contentType, headers }))
            })
          )
    )
  })
)

/** The handlers over the operations. */
export const layer = Layer.mergeAll(
  ExecutionsLive,
  PoisonLive,
  VaultsLive,
  PipelinesLive,
  WorkersLive,
  OverviewLive,
  ActionsLive,
  TasksLive,
  SessionsLive,
  EventsLive
)
