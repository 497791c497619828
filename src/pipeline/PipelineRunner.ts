import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Content } from "../domain/Content.ts"
import type { ExecutorId } from "../domain/Ids.ts"
import type { VersionedPipeline } from "../domain/Pipeline.ts"
import type { ExecutorError, Prepared } from "../executors/Executor.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Plan } from "./Plan.ts"

/** Something wrong with a definition, where a person can find it. */
export interface Problem {
  readonly severity: "error" | "warning"
  readonly message: string
  /** `executors[2].settings.chunk_size`; empty for the whole text. */
  readonly path: string
  readonly line: number | null
  readonly column: number | null
}

/** The definition can't run. `message` lists the errors, one a line, each with its line and column. */
export class PipelineInvalid extends Schema.TaggedError<PipelineInvalid>()("PipelineInvalid", {
  pipeline: Schema.String,
  message: Schema.String
}) {}

/** How one node fared in a run. Times in milliseconds since the epoch. */
export interface NodeReport {
  readonly executorId: string
  readonly type: string
  readonly status: "completed" | "failed" | "skipped" | "interrupted"
  readonly startedAt: number
  readonly endedAt: number
  readonly itemsIn: number
  readonly itemsOut: number
  /** Items with a failed log entry of this node. */
  readonly itemsFailed: number
  readonly error: string | null
}

export interface RunResult {
  /** The outputs of all sinks in definition order. */
  readonly items: ReadonlyArray<Content>
  readonly nodes: ReadonlyArray<NodeReport>
}

/** A node failed with `fail_pipeline_on_error`. `nodes` tells how far the run had come. */
export interface RunFailure {
  readonly _tag: "RunFailure"
  readonly error: ExecutorError
  readonly nodes: ReadonlyArray<NodeReport>
}

/** What a vault's crawl needs of a pipeline. */
export interface InputExecutor {
  readonly id: ExecutorId
  readonly type: string
  /** `enabled` of the node's settings: false means no crawl. */
  readonly enabled: boolean
  /** `polling_interval_seconds`, when it is a positive number. */
  readonly pollingInterval: Option.Option<Duration.Duration>
  /** `items_per_task` (ours): how many items one task carries. Default 1. */
  readonly itemsPerTask: number
  readonly prepared: Prepared<never>
}

export interface RunOptions {
  /** The node whose work the crawl did already; it becomes a virtual source that emits the items to its successors. */
  readonly exclude: ExecutorId | null
}

/** From a stored pipeline to a run: reads, checks, compiles (once per version) and executes definitions. */
export class PipelineRunner extends Context.Tag("contentflow-worker/pipeline/PipelineRunner")<
  PipelineRunner,
  {
    /** The plan of this version, cached by id and ETag. ServiceError only when a child pipeline could not be read. */
    readonly compile: (pipeline: VersionedPipeline) => Effect.Effect<Plan, PipelineInvalid | ServiceError>
    /** The executor that crawls for this pipeline, or none when no executor of it can. */
    readonly inputExecutor: (
      pipeline: VersionedPipeline
    ) => Effect.Effect<Option.Option<InputExecutor>, PipelineInvalid | ServiceError>
    /** Runs the plan. Interruption reaches every node. PipelineInvalid only for what depends on the excluded node. */
    readonly run: (
      plan: Plan,
      items: ReadonlyArray<Content>,
      options: RunOptions
    ) => Effect.Effect<RunResult, RunFailure | PipelineInvalid>
  }
>() {}
