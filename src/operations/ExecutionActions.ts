import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import { openAttempt } from "../domain/AttemptNotes.ts"
import * as Cancellation from "../domain/Cancellation.ts"
import { type Execution, isTerminal } from "../domain/Execution.ts"
import * as Ids from "../domain/Ids.ts"
import * as JsonReader from "../domain/JsonReader.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Task } from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import * as ControlDocument from "../store/ControlDocument.ts"
import { ControlStore } from "../store/ControlStore.ts"
import { ExecutionStore, type Sighting } from "../store/ExecutionStore.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import { VaultStore } from "../store/VaultStore.ts"
import { ClaimCheck } from "../worker/ClaimCheck.ts"
import * as ExecutionChanges from "../worker/ExecutionChanges.ts"
import * as TaskOfExecution from "../worker/TaskOfExecution.ts"
import { NoSuchThing, NotPossible } from "./Operation.ts"

/** On whose behalf, and as what, something is done. */
export interface Order {
  readonly id: string
  readonly by: string
}

/** An execution that is called off: at once, or when the worker that has it stops it. */
export interface CalledOff {
  /** The attempt that must be stopped; null where none is at work. */
  readonly attempt: string | null
}

/** How often an execution may change under our eyes. */
const mostTries = 5

type Failure = NoSuchThing | NotPossible | ServiceError

/** What operations do to one execution. Nothing here is recorded as an operation, and all of it may be repeated. */
export const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const pipelines = yield* PipelineStore
  const vaults = yield* VaultStore
  const queue = yield* TaskQueue
  const claims = yield* ClaimCheck
  const runner = yield* PipelineRunner
  const { maxTaskRetries } = yield* WorkerConfig
  const control = ControlDocument.make(yield* ControlStore)

  const look = (id: Ids.ExecutionId): Effect.Effect<Sighting, NoSuchThing | ServiceError> =>
    Effect.flatMap(
      executions.look(id),
      Option.match({
        onNone: () => new NoSuchThing({ message: `There is no execution ${id}.` }),
        onSome: Effect.succeed
      })
    )

  /** Looks and acts, again when somebody wrote the execution in between. `act` gives undefined for that. */
  const settled = <A>(
    id: Ids.ExecutionId,
    act: (seen: Sighting) => Effect.Effect<A | undefined, Failure>
  ): Effect.Effect<A, Failure> => {
    const attempt = (tries: number): Effect.Effect<A, Failure> =>
      Effect.flatMap(Effect.flatMap(look(id), act), (result) => {
        if (result !== undefined) return Effect.succeed(result)
        return tries <= 1
          ? new NotPossible({ message: `The execution ${id} changes again and again at this moment. Try again.` })
          : attempt(tries - 1)
      })
    return attempt(mostTries)
  }

  /** The executor whose work a crawl did; executions of before do not say it. */
  const inputExecutorOf = Effect.fnUntraced(function* (execution: Execution) {
    if (typeof execution.executed_input_executor === "string") {
      return Ids.ExecutorId.make(execution.executed_input_executor)
    }
    if (execution.source_worker_id === null) return null
    const pipeline = yield* pipelines.find(execution.pipeline_id)
    if (Option.isNone(pipeline)) return null
    const input = yield* Effect.catchTag(
      runner.inputExecutor(pipeline.value),
      "PipelineInvalid",
      () => Effect.succeedNone
    )
    return Option.getOrNull(Option.map(input, ({ id }) => id))
  })

  /** The task that the execution was made for, as far as it is known still. */
  const taskOf = Effect.fnUntraced(function* (execution: Execution): Effect.fn.Return<Task, Failure> {
    if (execution.task_id === null && execution.content === null) {
      return yield* new NotPossible({
        message: `${execution.id} is the record of a crawl, and no task. Crawl its vault instead.`
      })
    }
    const inputExecutor = yield* inputExecutorOf(execution)
    const task = TaskOfExecution.make(execution, inputExecutor, maxTaskRetries)
    // What a completed execution holds are the results.
    const content = execution.status === "completed" ? (ExecutionChanges.documentsOf(execution) ?? []) : task.content
    if (content.length > 0)
      return { ...task, content, etags: task.etags?.length === content.length ? task.etags : null }
    const kept = yield* claims.refind(task)
    if (Option.isSome(kept)) return kept.value
    return yield* new NotPossible({
      message: `The execution ${execution.id} does not hold all of what its task brought. Put its message back from the poison queue, or send the task again.`
    })
  })

  /** Its deliveries are counted from one again, and its outputs come after those of the earlier ones all the same. */
  const send = (task: Task) =>
    Effect.flatMap(Timestamp.now, (now) => Effect.flatMap(claims.encode({ ...task, found_at: now }), queue.send))

  /** The vault is there, or the execution has none: a result without its vault is wanted by nobody. */
  const wanted = Effect.fnUntraced(function* ({ id, vault_id }: Execution): Effect.fn.Return<void, Failure> {
    if (vault_id !== null && Option.isNone(yield* vaults.find(vault_id))) {
      return yield* new NotPossible({ message: `The vault ${vault_id} of the execution ${id} was deleted.` })
    }
  })

  /**
   * A new attempt at an execution that has ended, and its message; its counts begin anew. Repeated in the same order's name it sends the message
   * again as long as no attempt began: the second copy finds the first at work, or ended. `given` sends its
   * message, where that is at hand.
   */
  const putBack = (
    id: Ids.ExecutionId,
    order: Order,
    given?: Effect.Effect<void, ServiceError>
  ): Effect.Effect<void, Failure> =>
    settled(id, (seen) =>
      Effect.gen(function* () {
        const { execution } = seen
        const isOurs = orderOf(execution) === order.id
        if (isTerminal(execution.status)) {
          if (isOurs) return true
          yield* wanted(execution)
          const sending = given ?? send(yield* taskOf(execution))
          const change = ExecutionChanges.putBack(execution, order, yield* Clock.currentTimeMillis)
          // First, so that the message finds it; should the message not follow, the order's next try sends it, or the next look for lost ones.
          const written = yield* executions.reopen(seen, change)
          if (written._tag !== "Changed") return undefined
          yield* sending
          return true
        }
        if (isOurs && execution.status === "pending" && openAttempt(execution) === undefined) {
          yield* given ?? send(yield* taskOf(execution))
          return true
        }
        if (isOurs) return true
        return yield* new NotPossible({ message: `The execution ${id} is ${execution.status}: it has not ended yet.` })
      })
    ).pipe(Effect.asVoid)

  /** Takes a pending execution back, and marks one that runs; who marks must tell the workers of the attempt. */
  const callOff = (id: Ids.ExecutionId, order: Order, alsoDelete = false): Effect.Effect<CalledOff, Failure> =>
    settled(id, (seen) =>
      Effect.gen(function* () {
        const { execution } = seen
        if (isTerminal(execution.status)) {
          return yield* new NotPossible({ message: `The execution ${id} has ended: it is ${execution.status}.` })
        }
        const now = yield* Clock.currentTimeMillis
        const before = Cancellation.of(execution)
        const cancellation: Cancellation.Cancellation = {
          by: before?.by ?? order.by,
          at: before?.at ?? Timestamp.format(now),
          message_gone: false,
          delete: alsoDelete || before?.delete === true
        }
        const attempt = openAttempt(execution)
        if (execution.status === "running" && attempt === undefined) {
          return yield* new NotPossible({
            message: `The execution ${id} runs in a worker that can't be told to stop it (${execution.processing_worker_id ?? "unknown"}): it is not one of ours.`
          })
        }
        const change =
          execution.status === "running"
            ? { cancellation, updated_at: Timestamp.format(now) }
            : ExecutionChanges.calledOff(cancellation, now)
        const written = yield* executions.changeSeen(seen, change)
        if (written._tag !== "Changed") return undefined
        return { attempt: execution.status === "running" ? (attempt?.id ?? null) : null }
      })
    )

  /** Tells the workers which attempts to stop. */
  const stopAttempts = (attempts: ReadonlyArray<string>): Effect.Effect<void, ServiceError> =>
    attempts.length === 0
      ? Effect.void
      : Effect.asVoid(
          control.update((current, now) => ({
            ...current,
            cancelled_attempts: {
              ...current.cancelled_attempts,
              ...Object.fromEntries(attempts.map((attempt) => [attempt, now]))
            }
          }))
        )

  /**
   * Deletes an execution. One that has not ended is called off first, and deleted by the worker that gets its message: without that its message
   * would bring it back.
   */
  const remove = (
    id: Ids.ExecutionId,
    order: Order
  ): Effect.Effect<CalledOff & { readonly deleted: boolean }, Failure> =>
    settled(id, (seen) =>
      Effect.gen(function* () {
        const { execution } = seen
        if (!isTerminal(execution.status)) return { ...(yield* callOff(id, order, true)), deleted: false }
        const cancellation = Cancellation.of(execution)
        if (cancellation !== undefined && Cancellation.awaitsMessage(execution)) {
          const marked = yield* executions.amend(seen, { cancellation: { ...cancellation, delete: true } })
          return marked._tag === "Refused" ? undefined : { attempt: null, deleted: false }
        }
        const removed = yield* executions.remove(seen)
        return removed._tag === "Refused" ? undefined : { attempt: null, deleted: true }
      })
    )

  return { look, taskOf, putBack, callOff, stopAttempts, remove, send }
})

export type ExecutionActions = Effect.Effect.Success<typeof make>

/** The operation that put the execution back last. */
const orderOf = ({ operation }: Execution): string | undefined =>
  JsonReader.isFields(operation) && typeof operation["id"] === "string" ? operation["id"] : undefined

/** The id of an execution as somebody wrote it. */
export const idOf = (text: string): Either.Either<Ids.ExecutionId, NoSuchThing> =>
  text === "" || text.length > Ids.maxIdLength
    ? Either.left(new NoSuchThing({ message: "This is no id of an execution." }))
    : Either.right(Ids.ExecutionId.make(text))
