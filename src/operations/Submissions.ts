import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import type { ContentIdentifier } from "../domain/Content.ts"
import * as DataBounds from "../domain/DataBounds.ts"
import { isTerminal } from "../domain/Execution.ts"
import * as Ids from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Task } from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import { VaultStore } from "../store/VaultStore.ts"
import { ClaimCheck } from "../worker/ClaimCheck.ts"
import * as ExecutionChanges from "../worker/ExecutionChanges.ts"
import * as ExecutionActions from "./ExecutionActions.ts"
import { NoSuchThing, NotPossible } from "./Operation.ts"
import * as OperationLog from "./OperationLog.ts"
import type { Submission } from "./Submission.ts"

export interface Submitted {
  readonly execution_id: string
  readonly task_id: string
  /** False: the same key was sent before, and this is what became of it. */
  readonly created: boolean
}

/** Documents that other programs bring, and the results that they wait for. */
export class Submissions extends Context.Tag("contentflow-worker/operations/Submissions")<
  Submissions,
  {
    /** Makes a task of them. The same key for the same pipeline makes one, however often it is sent. */
    readonly submit: (
      submission: Submission,
      by: string,
      key?: string
    ) => Effect.Effect<Submitted, NoSuchThing | NotPossible | ServiceError>
    /** Waits until the execution has ended, so long at most; gives whether it has. */
    readonly wait: (
      executionId: string,
      within: Duration.DurationInput
    ) => Effect.Effect<boolean, NoSuchThing | ServiceError>
  }
>() {}

/** Between two looks at an execution that is waited for; they grow from the first to the longest. */
const firstLook = 200
const longestLook = 2_000

const make = Effect.gen(function* () {
  const pipelines = yield* PipelineStore
  const vaults = yield* VaultStore
  const executions = yield* ExecutionStore
  const runner = yield* PipelineRunner
  const queue = yield* TaskQueue
  const claims = yield* ClaimCheck
  const log = yield* OperationLog.OperationLog
  const { maxTaskRetries } = yield* WorkerConfig

  const pipelineOf = Effect.fnUntraced(function* (name: string) {
    const found = yield* pipelines.find(Ids.PipelineId.make(name))
    const pipeline = Option.isSome(found) ? found : yield* pipelines.findByName(name)
    return yield* Option.match(pipeline, {
      onNone: () => Effect.fail(new NoSuchThing({ message: `There is no pipeline with the id or name ${name}.` })),
      onSome: Effect.succeed
    })
  })

  const submit = Effect.fnUntraced(function* (submission: Submission, by: string, key?: string) {
    const tooDeep = DataBounds.problemOf(submission.content)
    if (tooDeep !== undefined) return yield* new NotPossible({ message: `The content can't be taken: ${tooDeep}` })
    const found = yield* pipelineOf(submission.pipeline)
    const { pipeline } = found
    const vaultId = submission.vault_id === undefined ? null : Ids.VaultId.make(submission.vault_id)
    const vault = vaultId === null ? Option.none() : yield* vaults.find(vaultId)
    if (vaultId !== null && Option.isNone(vault)) {
      return yield* new NoSuchThing({ message: `There is no vault ${vaultId}.` })
    }
    const input = yield* Effect.catchTag(runner.inputExecutor(found), "PipelineInvalid", (error) =>
      Effect.fail(new NotPossible({ message: error.message }))
    )
    const version: Ids.DocumentVersion = {
      vaultId,
      pipelineId: pipeline.id,
      items: ["submitted"],
      versions: [key ?? Ids.random()]
    }
    const now = yield* Clock.currentTimeMillis
    const task: Task = {
      task_id: Ids.taskIdOf(version),
      task_type: "content_processing",
      priority: "normal",
      pipeline_id: pipeline.id,
      pipeline_name: pipeline.name,
      execution_id: Ids.executionIdOf(version),
      vault_id: vaultId,
      content: submission.content.map((item) => ({
        id: identifierOf(item.id),
        summary_data: item.summary_data ?? {},
        data: item.data ?? {},
        executor_logs: []
      })),
      // What is brought need not be found.
      executed_input_executor: Option.getOrNull(Option.map(input, ({ id }) => id)),
      created_at: Timestamp.format(now),
      retry_count: 0,
      max_retries: maxTaskRetries,
      content_reference: null,
      etags: null,
      keep_result: true
    }
    const submitted = { execution_id: task.execution_id, task_id: task.task_id }
    const execution = { ...ExecutionChanges.pending(task, by, true, now), source_worker_id: null }
    const creation = yield* executions.create(execution)
    if (creation._tag === "Exists") {
      const { enqueued_at, started_at, status } = creation.execution
      // Sent before, unless its sender died before the queue had it.
      if (status !== "pending" || enqueued_at !== null || started_at !== null) return { ...submitted, created: false }
    }
    yield* Effect.flatMap(claims.encode(task), queue.send)
    yield* executions.markEnqueued(task.execution_id, yield* Timestamp.now)
    yield* log.record({ verb: "submit", target: task.execution_id, by, count: task.content.length })
    return { ...submitted, created: creation._tag === "Created" }
  })

  const wait = Effect.fnUntraced(function* (executionId: string, within: Duration.DurationInput) {
    const id = yield* ExecutionActions.idOf(executionId)
    const look = (pause: number): Effect.Effect<boolean, NoSuchThing | ServiceError> =>
      Effect.flatMap(
        executions.find(id),
        Option.match({
          onNone: () => Effect.fail(new NoSuchThing({ message: `There is no execution ${executionId}.` })),
          onSome: ({ status }) =>
            isTerminal(status)
              ? Effect.succeed(true)
              : Effect.delay(
                  Effect.suspend(() => look(Math.min(longestLook, pause * 1.5))),
                  Duration.millis(pause)
                )
        })
      )
    return Option.getOrElse(yield* Effect.timeoutOption(look(firstLook), within), () => false)
  })

  return Submissions.of({ submit, wait })
})

const identifierOf = (id: string | ContentIdentifier | undefined): ContentIdentifier => {
  if (typeof id === "object") return id
  const name = id ?? `submitted-${Ids.random(8)}`
  return {
    canonical_id: name,
    unique_id: name,
    source_name: null,
    source_type: null,
    container: null,
    path: null,
    filename: null,
    metadata: null
  }
}

export const layer = Layer.effect(Submissions, make)
