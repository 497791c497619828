import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { ExecutionFilter, type Position } from "../domain/ExecutionFilter.ts"
import * as Ids from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import * as ControlDocument from "../store/ControlDocument.ts"
import { ControlStore } from "../store/ControlStore.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import * as Backfill from "./Backfill.ts"
import { BackfillFilter, type BulkRequest, PoisonFilter } from "./BulkRequest.ts"
import * as ExecutionActions from "./ExecutionActions.ts"
import { NoSuchThing, NotPossible, type Operation, type Verb } from "./Operation.ts"
import * as OperationLog from "./OperationLog.ts"
import { PoisonMessages } from "./PoisonMessages.ts"

export interface BulkOptions {
  readonly by: string
  /** At most so many a second. */
  readonly ratePerSecond?: number
  /** Somebody has seen how many it concerns, and wants it. */
  readonly confirmed?: boolean
  /** A name of the caller's for the operation: the same one again begins nothing. */
  readonly id?: string
}

/** How many an operation would concern. */
export interface Counted {
  readonly count: number
  /** There are more. */
  readonly more: boolean
}

/** Operations on many things: each is written before it begins, goes on after a stop or a death of its process, and may be begun again. */
export class BulkOperations extends Context.Tag("contentflow-worker/operations/BulkOperations")<
  BulkOperations,
  {
    /** Counts what it would concern, and does nothing. */
    readonly dryRun: (request: BulkRequest) => Effect.Effect<Counted, NotPossible | ServiceError>
    /** Writes the operation; a process of the fleet carries it out, or whoever calls `run`. NotPossible when it concerns many and is not confirmed. */
    readonly begin: (request: BulkRequest, options: BulkOptions) => Effect.Effect<Operation, NotPossible | ServiceError>
    readonly show: (id: string) => Effect.Effect<Operation, NoSuchThing | ServiceError>
    readonly stop: (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError>
    readonly goOn: (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError>
    /** Carries it out in this process as far as it goes, unless another does; gives it as it is then. */
    readonly run: (id: string) => Effect.Effect<Operation, NoSuchThing | ServiceError>
    /** The operations that are under way and that no process carries out. */
    readonly waiting: Effect.Effect<ReadonlyArray<string>, ServiceError>
  }
>() {}

/** What concerns more must be confirmed. */
export const confirmAbove = 100

/** Nobody counts beyond. */
const mostCounted = 100_000

/** Things between two notes of how far it is. */
const pageSize = 50
const concurrency = 8

/** A process that has not noted its progress for this long has died, or stands still: another goes on. */
const silentMillis = 60_000

/** The runner of an operation that some process had before it was stopped. */
const nobody = "nobody"

const mostNotes = 10

interface Progress {
  done: number
  skipped: number
  failed: number
  notes: ReadonlyArray<string>
}

const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const poison = yield* PoisonMessages
  const log = yield* OperationLog.OperationLog
  const control = ControlDocument.make(yield* ControlStore)
  const actions = yield* ExecutionActions.make
  const backfill = yield* Backfill.make
  const runner = Ids.random(8)

  const look = (id: string) =>
    Effect.flatMap(
      log.look(id),
      Option.match({
        onNone: () => Effect.fail(new NoSuchThing({ message: `There is no operation ${id}.` })),
        onSome: Effect.succeed
      })
    )

  const countPages = (filter: ExecutionFilter): Effect.Effect<Counted, ServiceError> => {
    const from = (count: number, after: Position | undefined): Effect.Effect<Counted, ServiceError> =>
      Effect.flatMap(executions.page(filter, 1_000, after), ({ executions: found, next }) => {
        const sum = count + found.length
        return next === null || sum >= mostCounted
          ? Effect.succeed({ count: sum, more: next !== null })
          : from(sum, next)
      })
    return from(0, undefined)
  }

  const dryRun = (request: BulkRequest): Effect.Effect<Counted, NotPossible | ServiceError> => {
    switch (request.verb) {
      case "put_back":
      case "discard":
        return Effect.map(poison.list(request.filter, mostCounted), ({ length }) => ({
          count: length,
          more: length >= mostCounted
        }))
      case "backfill":
        return Effect.map(backfill.count(request.filter, mostCounted), (count) => ({
          count,
          more: count >= mostCounted
        }))
      default:
        return countPages(withStatus(request))
    }
  }

  const announce = (id: string, isActive: boolean) =>
    control.update((current) => {
      const others = current.operations.filter((each) => each !== id)
      return { ...current, operations: isActive ? [...others, id] : others }
    })

  const begin = Effect.fnUntraced(function* (request: BulkRequest, options: BulkOptions) {
    const id = options.id === undefined ? OperationLog.newId() : `operation_${options.id}`
    const known = yield* log.look(id)
    if (Option.isSome(known)) return known.value.operation
    const { count, more } = yield* dryRun(request)
    if (count > confirmAbove && options.confirmed !== true) {
      return yield* new NotPossible({
        message: `This concerns ${count}${more ? " or more" : ""}. Say that you mean it (confirmed, or --yes).`
      })
    }
    const at = Timestamp.format(yield* Clock.currentTimeMillis)
    const operation: Operation = {
      id,
      verb: request.verb,
      target: null,
      filter: { ...request.filter },
      by: options.by,
      created_at: at,
      updated_at: at,
      status: "running",
      done: 0,
      skipped: 0,
      failed: 0,
      notes: [],
      total: more ? null : count,
      rate_per_second: options.ratePerSecond ?? null,
      position: null,
      runner: null,
      error: null
    }
    yield* Effect.logInfo(`${options.by}: ${request.verb} of ${count}`).pipe(
      Effect.annotateLogs({ audit: true, operation_id: id })
    )
    const created = yield* log.create(operation)
    yield* announce(id, true)
    return created ? operation : (yield* Effect.catchTag(look(id), "NoSuchThing", Effect.die)).operation
  })

  const change = (
    id: string,
    decide: (seen: OperationLog.SeenOperation, at: string) => Either.Either<Operation, NotPossible>
  ): Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError> =>
    Effect.gen(function* () {
      for (;;) {
        const seen = yield* look(id)
        const next = yield* decide(seen, Timestamp.format(yield* Clock.currentTimeMillis))
        const saved = yield* log.save(seen, next)
        if (Option.isSome(saved)) return next
      }
    })

  // --- Carrying it out ---

  /** Notes how far it is; none when somebody stopped it, or another process has it. */
  const note = Effect.fnUntraced(function* (
    seen: OperationLog.SeenOperation,
    progress: Progress,
    position: Position | null
  ) {
    const updated_at = Timestamp.format(yield* Clock.currentTimeMillis)
    return yield* log.save(seen, { ...seen.operation, ...progress, position, runner, updated_at })
  })

  const counted = (progress: Progress, result: Either.Either<boolean, { readonly message: string }>): void => {
    if (Either.isRight(result)) {
      if (result.right) progress.done++
      else progress.skipped++
      return
    }
    progress.skipped++
    progress.notes = [...progress.notes, result.left.message].slice(-mostNotes)
  }

  const paced = (operation: Operation, startedAt: number, count: number) =>
    operation.rate_per_second === null
      ? Effect.void
      : Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.sleep(
            Duration.millis(Math.max(0, startedAt + (count * 1_000) / (operation.rate_per_second ?? 1) - now))
          )
        )

  /** What a page of an operation with a rate holds: it takes some seconds at most, so that a stop is soon seen. */
  const sizeOf = ({ rate_per_second }: Operation): number =>
    rate_per_second === null ? pageSize : Math.max(1, Math.min(pageSize, Math.ceil(rate_per_second * 5)))

  const actOn = (verb: Verb, id: string, order: ExecutionActions.Order, attempts: Array<string>) =>
    Effect.gen(function* () {
      const known = yield* ExecutionActions.idOf(id)
      if (verb === "retry") {
        yield* actions.putBack(known, order)
        return true
      }
      const { attempt } = yield* verb === "cancel" ? actions.callOff(known, order) : actions.remove(known, order)
      if (attempt !== null) attempts.push(attempt)
      return true
    }).pipe(
      Effect.map((done) => Either.right(done)),
      Effect.catchTags({
        NotPossible: (error) => Effect.succeed(Either.left(error)),
        NoSuchThing: (error) => Effect.succeed(Either.left(error))
      })
    )

  /** What a process that died had put back, and may not have sent: the second of two messages finds the first one's work. */
  const sendWhatWasPutBack = Effect.fnUntraced(function* (operation: Operation, order: ExecutionActions.Order) {
    const from = (after: Position | undefined): Effect.Effect<void, ServiceError> =>
      Effect.flatMap(
        executions.page({ operation: operation.id, status: ["pending"] }, pageSize, after),
        ({ executions: found, next }) =>
          Effect.forEach(found, ({ id }) => actOn("retry", id, order, []), { concurrency, discard: true }).pipe(
            Effect.zipRight(next === null ? Effect.void : from(next))
          )
      )
    yield* from(undefined)
  })

  const overExecutions = Effect.fnUntraced(function* (taken: OperationLog.SeenOperation) {
    const { operation } = taken
    const order = { id: operation.id, by: operation.by }
    const filter = withStatus({
      verb: operation.verb as "retry" | "cancel" | "delete",
      filter: yield* decodeExecutionFilter(operation.filter)
    })
    // What comes later is not what somebody counted.
    const limited = { ...filter, to: earlier(filter.to, operation.created_at) }
    if (operation.verb === "retry" && operation.runner !== null) yield* sendWhatWasPutBack(operation, order)
    const progress = progressOf(operation)
    const from = (seen: OperationLog.SeenOperation): Effect.Effect<OperationLog.SeenOperation, ServiceError> =>
      Effect.gen(function* () {
        const startedAt = yield* Clock.currentTimeMillis
        const { position } = seen.operation
        const page = yield* executions.page(limited, sizeOf(operation), position ?? undefined)
        const attempts: Array<string> = []
        const results = yield* Effect.forEach(page.executions, ({ id }) => actOn(operation.verb, id, order, attempts), {
          concurrency
        })
        yield* actions.stopAttempts(attempts)
        for (const result of results) counted(progress, result)
        const last = page.executions.at(-1)
        const reached = page.next ?? (last === undefined ? position : { at: last.created_at, id: last.id })
        const saved = yield* note(seen, progress, reached)
        if (Option.isNone(saved)) return seen
        if (page.next === null) return yield* ended(saved.value, progress)
        yield* paced(operation, startedAt, results.length)
        return yield* from(saved.value)
      })
    return yield* from(taken)
  })

  const overPoison = Effect.fnUntraced(function* (taken: OperationLog.SeenOperation) {
    const { operation } = taken
    const filter = yield* decodePoisonFilter(operation.filter)
    const progress = progressOf(operation)
    const startedAt = yield* Clock.currentTimeMillis
    let seen: Option.Option<OperationLog.SeenOperation> = Option.some(taken)
    let count = 0
    const noting = yield* Effect.makeSemaphore(1)
    yield* poison.each(
      operation.verb === "discard" ? "discard" : "put_back",
      { ...filter, before: earlier(filter.before, operation.created_at) },
      { id: operation.id, by: operation.by },
      (result) =>
        noting.withPermits(1)(
          Effect.gen(function* () {
            counted(
              progress,
              Either.map(result, (what) => what !== "at work")
            )
            count++
            yield* paced(operation, startedAt, count)
            if (Option.isSome(seen) && count % sizeOf(operation) === 0) seen = yield* note(seen.value, progress, null)
            return Option.isSome(seen)
          })
        )
    )
    return Option.isSome(seen) ? yield* ended(seen.value, progress) : taken
  })

  const overDocuments = Effect.fnUntraced(function* (taken: OperationLog.SeenOperation) {
    const { operation } = taken
    const filter = yield* decodeBackfillFilter(operation.filter)
    const progress = progressOf(operation)
    let seen: Option.Option<OperationLog.SeenOperation> = Option.some(taken)
    yield* backfill.each(
      filter,
      { id: operation.id, by: operation.by },
      { before: operation.created_at, after: operation.position, size: sizeOf(operation) },
      (results, position) =>
        Effect.gen(function* () {
          const startedAt = yield* Clock.currentTimeMillis
          for (const result of results) counted(progress, result)
          if (Option.isSome(seen)) seen = yield* note(seen.value, progress, position)
          yield* paced(operation, startedAt, results.length)
          return Option.isSome(seen)
        })
    )
    return Option.isSome(seen) ? yield* ended(seen.value, progress) : taken
  })

  const ended = Effect.fnUntraced(function* (seen: OperationLog.SeenOperation, progress: Progress) {
    const updated_at = Timestamp.format(yield* Clock.currentTimeMillis)
    // Only what was put back says by which operation: it is counted exactly, whatever died in between.
    const done =
      seen.operation.verb === "retry" ? (yield* countPages({ operation: seen.operation.id })).count : progress.done
    const operation: Operation = { ...seen.operation, ...progress, done, status: "completed", updated_at }
    const saved = yield* log.save(seen, operation)
    yield* announce(operation.id, false)
    return Option.getOrElse(saved, () => seen)
  })

  const carryOut = (taken: OperationLog.SeenOperation) => {
    switch (taken.operation.verb) {
      case "retry":
      case "cancel":
      case "delete":
        return overExecutions(taken)
      case "put_back":
      case "discard":
        return overPoison(taken)
      default:
        return overDocuments(taken)
    }
  }

  const isFree = ({ idleMillis, operation }: OperationLog.SeenOperation): boolean =>
    operation.status === "running" &&
    (operation.runner === null ||
      operation.runner === runner ||
      operation.runner === nobody ||
      idleMillis > silentMillis)

  const run = Effect.fnUntraced(function* (id: string) {
    const seen = yield* look(id)
    if (seen.operation.status !== "running") yield* announce(id, false)
    if (!isFree(seen)) return seen.operation
    const before = seen.operation.runner
    const claimed = yield* note(seen, progressOf(seen.operation), seen.operation.position)
    if (Option.isNone(claimed)) return seen.operation
    // Whether a process had it before is what its next one must know.
    const taken = { ...claimed.value, operation: { ...claimed.value.operation, runner: before } }
    yield* Effect.catchTag(carryOut(taken), "NotPossible", (error) =>
      change(id, ({ operation }, at) =>
        Either.right({ ...operation, status: "failed" as const, error: error.message, updated_at: at })
      ).pipe(
        Effect.zipRight(announce(id, false)),
        Effect.catchTag("NotPossible", () => Effect.void)
      )
    )
    return (yield* look(id)).operation
  })

  return BulkOperations.of({
    dryRun,
    begin,
    show: (id) => Effect.map(look(id), ({ operation }) => operation),
    stop: (id, by) =>
      change(id, ({ operation }, at) =>
        operation.status === "running"
          ? Either.right({
              ...operation,
              status: "stopped",
              runner: operation.runner,
              notes: [...operation.notes, `Stopped by ${by} at ${at}.`].slice(-mostNotes),
              updated_at: at
            })
          : Either.left(new NotPossible({ message: `The operation ${id} is ${operation.status}.` }))
      ).pipe(Effect.zipLeft(announce(id, false))),
    goOn: (id, by) =>
      change(id, ({ operation }, at) =>
        operation.status === "stopped" || operation.status === "failed"
          ? Either.right({
              ...operation,
              status: "running",
              // Free for any process; a name that no process has says that one had it.
              runner: operation.runner === null ? null : nobody,
              error: null,
              notes: [...operation.notes, `Continued by ${by} at ${at}.`].slice(-mostNotes),
              updated_at: at
            })
          : Either.left(new NotPossible({ message: `The operation ${id} is ${operation.status}.` }))
      ).pipe(Effect.zipLeft(announce(id, true))),
    run,
    waiting: Effect.gen(function* () {
      const seen = yield* control.look()
      const ids = seen?.control.operations ?? []
      const free = yield* Effect.forEach(ids, (id) =>
        Effect.map(log.look(id), (found) => (Option.isSome(found) && isFree(found.value) ? [id] : [])).pipe(
          // One of a later version is for workers of that version.
          Effect.catchTag("Invalid", () => Effect.succeed([]))
        )
      )
      return free.flat()
    })
  })
})

const progressOf = ({ done, failed, notes, skipped }: Operation): Progress => ({ done, skipped, failed, notes })

/** Which states the verb is about, where nobody says. */
const withStatus = ({
  filter,
  verb
}: Extract<BulkRequest, { readonly verb: "retry" | "cancel" | "delete" }>): ExecutionFilter =>
  filter.status !== undefined
    ? filter
    : {
        ...filter,
        status: verb === "cancel" ? ["pending", "running"] : verb === "retry" ? ["failed"] : ["completed", "failed"]
      }

const earlier = (one: string | undefined, other: string): string =>
  one !== undefined &&
  Option.getOrElse(
    Option.zipWith(Timestamp.parse(one), Timestamp.parse(other), (a, b) => a < b),
    () => false
  )
    ? one
    : other

const decoderOf =
  <A, I>(schema: Schema.Schema<A, I>) =>
  (value: unknown): Effect.Effect<A, NotPossible> =>
    Effect.mapError(
      Schema.decodeUnknown(schema)(value ?? {}),
      (error) =>
        new NotPossible({ message: `The filter is not valid: ${ParseResult.TreeFormatter.formatErrorSync(error)}` })
    )

const decodeExecutionFilter = decoderOf(ExecutionFilter)
const decodePoisonFilter = decoderOf(PoisonFilter)
const decodeBackfillFilter = decoderOf(BackfillFilter)

export const layer = Layer.effect(BulkOperations, make)
