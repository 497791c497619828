import type * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { type AttemptHistory, noHistory, type Ownership } from "../../domain/AttemptNotes.ts"
import type { Content } from "../../domain/Content.ts"
import type { Outcome } from "../../domain/Outcome.ts"
import type { DecodedTask } from "../../domain/Task.ts"
import type { NodeReport } from "../../pipeline/PipelineRunner.ts"
import type { ReceivedMessage } from "../../queue/TaskQueue.ts"
import type { Processed } from "../PipelineMetrics.ts"
import { policyOf, type RetryPolicy } from "./RetryPolicy.ts"

/** What is known of an attempt while it runs and after it ended: settling needs it however the attempt ended. */
export interface AttemptFacts {
  readonly message: ReceivedMessage
  /** The worker's name in the execution. */
  readonly workerId: string
  /** The task with the retries that are counted, in the message or in its execution. */
  readonly decoded: DecodedTask
  /** What makes the execution ours; set before it is written, since the answer may be lost. Undefined: it is not ours. */
  readonly owner: Ownership | undefined
  /** What is known of earlier attempts. */
  readonly history: AttemptHistory
  /** The version of the pipeline that this attempt runs: that of the first one. Null: not known yet. */
  readonly version: string | null
  readonly policy: RetryPolicy
  /** The items the task brought, once they are read. */
  readonly items: ReadonlyArray<Content>
  /** What people call the vault, once it is read. */
  readonly vaultName: string | null
  /** What went through the pipeline; null as long as nothing has. */
  readonly processed: Processed | null
  /** How the nodes ended; none as long as they run. */
  readonly nodes: ReadonlyArray<NodeReport>
  /** How the nodes fare now; none before the pipeline runs. */
  readonly look: () => ReadonlyArray<NodeReport>
  /** Null: the attempt waits for its turn, however long that takes. */
  readonly limit: TimeLimit | null
}

/** When an attempt's time is over, and the outcome then. */
export interface TimeLimit {
  /** In monotonic milliseconds; never sooner than `TASK_TIMEOUT_SECONDS` after the limit was set. */
  readonly until: number
  readonly outcome: Effect.Effect<Outcome>
}

/** One try at running a task: its stages put what they find out into it, and what ends it reads it there. */
export type Attempt = Ref.Ref<AttemptFacts>

export const begin = (message: ReceivedMessage, decoded: DecodedTask, workerId: string): Attempt =>
  Ref.unsafeMake<AttemptFacts>({
    message,
    workerId,
    decoded,
    owner: undefined,
    history: noHistory,
    version: null,
    policy: policyOf(decoded.task, null),
    items: decoded.task.content,
    vaultName: null,
    processed: null,
    nodes: [],
    look: () => [],
    limit: null
  })

/** Puts the facts that are given in the place of the earlier ones. */
export const learn = (attempt: Attempt, more: Partial<AttemptFacts>): Effect.Effect<void> =>
  Ref.update(attempt, (facts) => ({ ...facts, ...more }))
