import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nameOf } from "../domain/Content.ts"
import * as ExactJson from "../domain/ExactJson.ts"
import * as JsonReader from "../domain/JsonReader.ts"
import { redact } from "../domain/Redaction.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Task from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { type PoisonMessage, type ReceivedMessage, type Receipt, TaskQueue } from "../queue/TaskQueue.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import { VaultStore } from "../store/VaultStore.ts"
import { ClaimCheck, type ClaimLost } from "../worker/ClaimCheck.ts"
import * as CutText from "../text/CutText.ts"
import type { PoisonFilter } from "./BulkRequest.ts"
import * as ExecutionActions from "./ExecutionActions.ts"
import { NoSuchThing, NotPossible, type Operation } from "./Operation.ts"
import * as OperationLog from "./OperationLog.ts"

/** A message of the poison queue as people see it. */
export interface PoisonEntry {
  readonly id: string
  /** Since when it is there. */
  readonly inserted_at: string
  /** Null where others put it there. */
  readonly reason: string | null
  readonly rejected_at: string | null
  readonly rejected_by: string | null
  /** Others put it there, who gave no reason. */
  readonly foreign: boolean
  /** Why it can't be put back; null when it can. */
  readonly unusable: string | null
  readonly task_id: string | null
  readonly execution_id: string | null
  readonly pipeline_id: string | null
  readonly vault_id: string | null
  /** The name of its first document. */
  readonly document: string | null
}

export interface PoisonDetails extends PoisonEntry {
  /** The message as it came to the worker. */
  readonly body: string
  /** How often it had been delivered; null where nobody says. */
  readonly dequeue_count: number | null
  /** Attempts that ended with their worker. */
  readonly died_attempts: ReadonlyArray<unknown>
}

/** What became of a message that was put back. */
export type PutBack = "sent" | "at work"

/** The poison queue as people see it and act on it. */
export class PoisonMessages extends Context.Tag("contentflow-worker/operations/PoisonMessages")<
  PoisonMessages,
  {
    /** At most so many, in no order that is promised. More than 32 are hidden from others while they are read. */
    readonly list: (filter: PoisonFilter, most: number) => Effect.Effect<ReadonlyArray<PoisonEntry>, ServiceError>
    readonly show: (id: string) => Effect.Effect<PoisonDetails, NoSuchThing | ServiceError>
    /** Its task runs again, with its counts from the beginning. */
    readonly putBack: (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError>
    /** Deletes it; its execution stays. */
    readonly discard: (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | ServiceError>
    /**
     * Does one of the two to every message of the filter, in the name of an order: who does it again in the same name does the rest. `onEach` is
     * told of each, and ends it by false.
     */
    readonly each: (
      action: "put_back" | "discard",
      filter: PoisonFilter,
      order: ExecutionActions.Order,
      onEach: (result: Either.Either<PutBack | "discarded", NotPossible>) => Effect.Effect<boolean, ServiceError>
    ) => Effect.Effect<void, ServiceError>
  }
>() {}

/** Messages of one call. */
const atOnce = 32

/** Messages of one walk. What is left comes next time. */
const mostWalked = 100_000

/** How long the messages that a walk passes are hidden from others. */
const hidden = "5 minutes"

/** Messages that are let go, or acted on, at once. */
const concurrency = 8

type Walked = "taken" | "left" | "last"

const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const executions = yield* ExecutionStore
  const vaults = yield* VaultStore
  const claims = yield* ClaimCheck
  const log = yield* OperationLog.OperationLog
  const actions = yield* ExecutionActions.make

  /**
   * Passes the messages, each once: `visit` says what became of it. What it leaves is there for others again in the end; of a walk that dies, after
   * some minutes.
   */
  const walk = <E>(visit: (message: ReceivedMessage) => Effect.Effect<Walked, E | ServiceError>) =>
    Effect.gen(function* () {
      // Without their bodies: there may be many.
      const passed = new Map<string, Receipt>()
      const from = (count: number): Effect.Effect<void, E | ServiceError> =>
        Effect.gen(function* () {
          const messages = yield* queue.receivePoison(atOnce, hidden)
          const pass = ({ id, receipt }: Receipt) => passed.set(id, { id, receipt })
          let ends = messages.length === 0 || count > mostWalked
          const visited = yield* Effect.forEach(
            messages,
            (message) => {
              // It came back: the walk took longer than messages are hidden.
              if (passed.has(message.id)) {
                ends = true
                pass(message)
                return Effect.succeed<Walked>("left")
              }
              pass(message)
              return visit(message)
            },
            { concurrency }
          )
          messages.forEach((message, index) => {
            if (visited[index] === "taken") passed.delete(message.id)
            if (visited[index] === "last") ends = true
          })
          if (!ends) yield* from(count + messages.length)
        })
      const letGo = Effect.suspend(() =>
        Effect.forEach(passed.values(), (receipt) => Effect.ignore(queue.releasePoison(receipt)), {
          concurrency,
          discard: true
        })
      )
      yield* Effect.ensuring(from(0), letGo)
    })

  /** Uses the message with this id; `gone` makes it so, or leaves it. */
  const find = Effect.fnUntraced(function* <A, E>(
    id: string,
    use: (message: ReceivedMessage) => Effect.Effect<A, E | ServiceError>,
    gone: (message: ReceivedMessage) => Effect.Effect<unknown, ServiceError>
  ) {
    let result: Option.Option<A> = Option.none()
    yield* walk<E>((message) =>
      message.id === id
        ? Effect.flatMap(use(message), (used) => {
            result = Option.some(used)
            return Effect.as(gone(message), "last" as const)
          })
        : Effect.succeed("left")
    )
    return yield* Option.match(result, {
      onNone: () => Effect.fail(new NoSuchThing({ message: `There is no message ${id} in the poison queue.` })),
      onSome: Effect.succeed
    })
  })

  const complete = (message: ReceivedMessage) =>
    Effect.catchTag(queue.completePoison(message), "LeaseLost", () => Effect.void)

  /** The message as it came to the worker. */
  const bodyOf = (read: Read): Effect.Effect<string, ServiceError | NotPossible> =>
    read.reference === undefined
      ? Effect.succeed(read.body)
      : Effect.catchTag(claims.recall(read.reference), "ClaimLost", (lost: ClaimLost) =>
          Effect.fail(new NotPossible({ message: lost.message }))
        )

  /** Sends the task again, its execution first: the queue holds it twice rather than never. */
  const sendAgain = Effect.fnUntraced(function* (message: ReceivedMessage, order: ExecutionActions.Order) {
    const body = yield* bodyOf(readBody(message))
    const decoded = yield* Either.mapLeft(
      Task.decode(body),
      (error) => new NotPossible({ message: `It is no task, and can only be discarded: ${error.message}` })
    )
    const { task } = decoded
    const now = yield* Timestamp.now
    const anew = Task.encodeAnew(decoded, now)
    const send = Effect.flatMap(
      anew === undefined ? claims.encode({ ...task, retry_count: 0, found_at: now }) : Effect.succeed(anew),
      queue.send
    )
    const execution = yield* executions.find(task.execution_id)
    if (Option.isNone(execution)) {
      if (task.vault_id !== null && Option.isNone(yield* vaults.find(task.vault_id))) {
        return yield* new NotPossible({ message: `The vault ${task.vault_id} of this task was deleted.` })
      }
      yield* send
      return "sent" as const
    }
    // It went on without this message: a second run is nothing that anybody asked for.
    if (execution.value.status === "completed") return "at work" as const
    return yield* actions.putBack(task.execution_id, order, send).pipe(
      Effect.as("sent" as const),
      Effect.catchTags({
        NotPossible: (error) =>
          Effect.flatMap(executions.find(task.execution_id), (now) =>
            Option.isSome(now) && now.value.status !== "failed"
              ? Effect.succeed("at work" as const)
              : Effect.fail(error)
          ),
        NoSuchThing: () => Effect.as(send, "sent" as const)
      })
    )
  })

  return PoisonMessages.of({
    list: Effect.fnUntraced(function* (filter, most) {
      const entries: Array<PoisonEntry> = []
      const take = (message: PoisonMessage) => {
        const entry = entryOf(readBody(message))
        if (entries.length < most && isMeant(entry, filter)) entries.push(entry)
      }
      const peeked = yield* queue.peekPoison(atOnce)
      if (peeked.length < atOnce || (most <= atOnce && Object.keys(filter).length === 0)) {
        peeked.forEach(take)
        return entries
      }
      yield* walk<never>((message) =>
        Effect.sync(() => {
          take(message)
          return entries.length < most ? "left" : "last"
        })
      )
      return entries
    }),
    show: Effect.fnUntraced(function* (id) {
      const peeked = (yield* queue.peekPoison(atOnce)).find((message) => message.id === id)
      const message = peeked ?? (yield* find<PoisonMessage, never>(id, Effect.succeed, () => Effect.void))
      const read = readBody(message)
      const body = yield* Effect.catchTag(bodyOf(read), "NotPossible", (error) => Effect.succeed(error.message))
      return { ...entryOf(read), body: redact(body), dequeue_count: read.dequeueCount, died_attempts: read.died }
    }),
    putBack: Effect.fnUntraced(function* (id, by) {
      const order = { id: OperationLog.newId(), by }
      const result = yield* find<PutBack, NotPossible | NoSuchThing>(
        id,
        (message) => sendAgain(message, order),
        complete
      )
      const note =
        result === "sent"
          ? "Its task is in the queue again."
          : "Its execution is at work, or completed: the message is deleted."
      return yield* log.record({ ...order, verb: "put_back", target: id, note })
    }),
    discard: Effect.fnUntraced(function* (id, by) {
      yield* find<void, never>(id, () => Effect.void, complete)
      return yield* log.record({ verb: "discard", target: id, by })
    }),
    each: (action, filter, order, onEach) =>
      walk<never>((message) =>
        Effect.gen(function* () {
          if (!isMeant(entryOf(readBody(message)), filter)) return "left"
          const result: Either.Either<PutBack | "discarded", NotPossible> =
            action === "discard"
              ? Either.right("discarded" as const)
              : yield* Effect.matchEffect(sendAgain(message, order), {
                  onSuccess: (sent) => Effect.succeed(Either.right(sent)),
                  onFailure: (error) =>
                    error._tag === "NotPossible" ? Effect.succeed(Either.left(error)) : Effect.fail(error)
                })
          if (Either.isRight(result)) yield* complete(message)
          const goesOn = yield* onEach(
            Either.mapLeft(result, (error) => new NotPossible({ message: `${message.id}: ${error.message}` }))
          )
          return Either.isRight(result) && goesOn ? "taken" : goesOn ? "left" : "last"
        })
      )
  })
})

interface Read {
  readonly message: PoisonMessage
  readonly facts: JsonReader.Fields | undefined
  readonly body: string
  readonly reference: Task.ContentReference | undefined
  readonly dequeueCount: number | null
  readonly died: ReadonlyArray<unknown>
}

/** What this worker, or another program, put there. */
const readBody = (message: PoisonMessage): Read => {
  const foreign: Read = {
    message,
    facts: undefined,
    body: message.body,
    reference: undefined,
    dequeueCount: null,
    died: []
  }
  const facts = parsed(message.body)
  if (facts === undefined || typeof facts["reason"] !== "string") return foreign
  const { body, body_reference, dequeue_count, died_attempts } = facts
  const reference = Schema.decodeUnknownOption(Task.ContentReference)(body_reference)
  if (typeof body !== "string" && Option.isNone(reference)) return foreign
  return {
    message,
    facts,
    body: typeof body === "string" ? body : "",
    reference: Option.getOrUndefined(reference),
    dequeueCount: typeof dequeue_count === "number" ? dequeue_count : null,
    died: Array.isArray(died_attempts) ? died_attempts : []
  }
}

const parsed = (text: string): JsonReader.Fields | undefined => {
  try {
    const value = ExactJson.parse(text)
    return JsonReader.isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

const entryOf = ({ body, facts, message, reference }: Read): PoisonEntry => {
  const decoded = reference === undefined ? Option.some(Task.decode(body)) : Option.none()
  const task = Option.getOrUndefined(Option.flatMap(decoded, Either.getRight))?.task
  const problem = Option.flatMap(decoded, Either.getLeft)
  const textOf = (value: unknown) => (typeof value === "string" ? redact(value) : null)
  const [item] = task?.content ?? []
  return {
    id: message.id,
    inserted_at: Timestamp.format(message.insertedAt),
    reason: textOf(facts?.["reason"]),
    rejected_at: textOf(facts?.["rejected_at"]),
    rejected_by: textOf(facts?.["rejected_by"]),
    foreign: facts === undefined,
    unusable: Option.getOrNull(Option.map(problem, ({ message: why }) => CutText.cut(redact(why), 1_000))),
    task_id: task?.task_id ?? null,
    execution_id: task?.execution_id ?? null,
    pipeline_id: task?.pipeline_id ?? null,
    vault_id: task?.vault_id ?? null,
    document: item === undefined ? null : nameOf(item)
  }
}

const isMeant = (entry: PoisonEntry, filter: PoisonFilter): boolean =>
  (filter.vault_id === undefined || entry.vault_id === filter.vault_id) &&
  (filter.pipeline_id === undefined || entry.pipeline_id === filter.pipeline_id) &&
  (filter.execution_id === undefined || entry.execution_id === filter.execution_id) &&
  (filter.foreign === undefined || entry.foreign === filter.foreign) &&
  (filter.reason === undefined || (entry.reason ?? "").toLowerCase().includes(filter.reason.toLowerCase())) &&
  (filter.before === undefined || isBefore(entry.inserted_at, filter.before))

const isBefore = (at: string, limit: string): boolean =>
  Option.getOrElse(
    Option.zipWith(Timestamp.parse(at), Timestamp.parse(limit), (a, b) => a < b),
    () => false
  )

export const layer = Layer.effect(PoisonMessages, make)
