import type * as Effect from "effect/Effect"
import type { Content } from "../domain/Content.ts"
import type { ExecutorError } from "../executor/ExecutorError.ts"
import type { StepCounts, Usage } from "../executor/Usage.ts"

/** How one node fared in a run. Times in milliseconds since the epoch. */
export interface NodeReport {
  readonly executorId: string
  readonly type: string
  /** `skipped`: no item came to it. `interrupted`: another node ended the run, or a join did not need it any more. */
  readonly status: "completed" | "failed" | "skipped" | "interrupted"
  readonly startedAt: number
  readonly endedAt: number
  readonly itemsIn: number
  readonly itemsOut: number
  /** Items with a failed log entry of this node. */
  readonly itemsFailed: number
  readonly error: string | null
  /** What its calls of paid services used, of a failed node, too; absent where it called none. */
  readonly usage?: ReadonlyArray<Usage>
  /** What was not used, because results were kept. */
  readonly saved?: ReadonlyArray<Usage>
  /** Where its results came from; absent where they are not kept. */
  readonly steps?: StepCounts
}

export interface RunResult {
  /** The outputs of all sinks in definition order. */
  readonly items: ReadonlyArray<Content>
  readonly nodes: ReadonlyArray<NodeReport>
}

/** A node failed with `fail_pipeline_on_error`. `nodes` says how far the run had come. */
export interface RunFailure {
  readonly _tag: "RunFailure"
  readonly error: ExecutorError
  readonly nodes: ReadonlyArray<NodeReport>
}

/** Observes a run while it goes on, so that something is known of it when it is stopped, or when the process dies over it. */
export interface RunWatcher {
  /** Called once, before the first node works. `look` gives the state of all nodes at that moment; one that works is `interrupted`. */
  readonly begin?: (look: () => ReadonlyArray<NodeReport>) => void
  /** Done before a node starts to work on these items, which waits for it. */
  readonly beforeNode?: (
    node: { readonly id: string; readonly type: string },
    items: ReadonlyArray<Content>
  ) => Effect.Effect<void>
}
