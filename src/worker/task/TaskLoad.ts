import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { Content } from "../../domain/Content.ts"
import { isOutcome, Outcome } from "../../domain/Outcome.ts"
import type { VersionedPipeline } from "../../domain/Pipeline.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { Task } from "../../domain/Task.ts"
import { shownName, type Vault } from "../../domain/Vault.ts"
import { PipelineRunner } from "../../pipeline/PipelineRunner.ts"
import { ExecutionStore } from "../../store/ExecutionStore.ts"
import { ClaimCheck } from "../ClaimCheck.ts"
import { DefinitionCache } from "../DefinitionCache.ts"
import * as PipelineVersions from "./PipelineVersions.ts"
import { policyOf } from "./RetryPolicy.ts"
import { type Attempt, learn } from "./AttemptFacts.ts"
import type { Started } from "./TaskStart.ts"

/** All that a run needs is read. */
export interface Loaded extends Started {
  /** In the version that the first attempt began with. */
  readonly pipeline: VersionedPipeline
  readonly vault: Option.Option<Vault>
  /** Whether the execution keeps the whole result, or the identifiers of its items alone. */
  readonly keepItems: boolean
  readonly items: ReadonlyArray<Content>
}

/** Reads the pipeline, the vault and the items of a task, and rejects what can't be run before anything is done for it. */
export const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const definitions = yield* DefinitionCache
  const claims = yield* ClaimCheck
  const versions = yield* PipelineVersions.PipelineVersions
  const runner = yield* PipelineRunner

  /** The version that the first attempt began with; the present one is kept for the attempts that may follow. */
  const pinned = Effect.fnUntraced(function* (attempt: Attempt, { owner, task }: Started, stored: VersionedPipeline) {
    const present = yield* runner.withChildren(stored)
    const version = PipelineVersions.versionOf(present)
    const { version: first } = yield* Ref.get(attempt)
    // Where only the pipeline's own version is known, none of its children has run.
    if (first !== null && first !== version && first !== PipelineVersions.ownVersionOf(present)) {
      const before = yield* versions.find(present, first)
      if (Option.isSome(before)) return before.value
      yield* Effect.logWarning(
        `The version ${first} of the pipeline, which an earlier attempt began with, is not known any more: its present version runs`
      )
    }
    if (first !== version) {
      yield* learn(attempt, { version })
      yield* executions.change(task.execution_id, { pipeline_version: version }, owner)
    }
    yield* versions.keep(present)
    return present
  })

  const readItems = (task: Task): Effect.Effect<ReadonlyArray<Content> | Outcome, ServiceError> =>
    task.content_reference === null
      ? Effect.succeed(someItems(task))
      : Effect.catchTag(claims.resolve(task).pipe(Effect.map(someItems)), "ClaimLost", ({ message }) =>
          Effect.succeed(Outcome.Rejected({ reason: message }))
        )

  return Effect.fnUntraced(function* (attempt: Attempt, started: Started) {
    const { task } = started
    const present = yield* definitions.pipeline(task.pipeline_id)
    if (Option.isNone(present)) {
      return Outcome.Rejected({ reason: `Pipeline not found: ${task.pipeline_id} does not exist (any more).` })
    }
    const pipeline = yield* pinned(attempt, started, present.value)
    const policy = policyOf(task, pipeline.pipeline)
    if (task.retry_count >= policy.attempts) {
      return Outcome.Rejected({ reason: `Max retries exceeded: ${task.retry_count} retries are counted.` })
    }
    // A vault that can't be read as one is a mistake to report before anything is done for it.
    const vault = task.vault_id === null ? Option.none() : yield* definitions.vault(task.vault_id)
    const keepItems =
      task.keep_result === true || Option.exists(vault, ({ save_execution_output }) => save_execution_output)
    const items = yield* readItems(task)
    if (isOutcome(items)) return items
    yield* learn(attempt, { policy, items, vaultName: Option.getOrNull(Option.map(vault, shownName)) })
    return { ...started, pipeline, vault, keepItems, items } satisfies Loaded
  })
})

const someItems = ({ content }: Task): ReadonlyArray<Content> | Outcome =>
  content.length === 0 ? Outcome.Rejected({ reason: "No input content: the task brings no items." }) : content
