import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Content, withLog } from "../domain/Content.ts"
import { redact } from "../domain/Redaction.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import type { ExecutorContext } from "./Executor.ts"

/** Writes one node's entries into the logs of items; all share the start that was taken with {@link start}. */
export interface ItemLog {
  readonly completed: (item: Content, details?: Readonly<Record<string, unknown>>) => Content
  readonly failed: (item: Content, message: string, details?: Readonly<Record<string, unknown>>) => Content
}

/** Notes the start of the work of a node; an entry's end is when it is written. */
export const start = (context: Pick<ExecutorContext, "id">): Effect.Effect<ItemLog> =>
  Effect.map(Effect.clock, (clock) => {
    const startedAt = Timestamp.format(clock.unsafeCurrentTimeMillis())
    const entry = (
      status: "completed" | "failed",
      details: Readonly<Record<string, unknown>>,
      errors: Array<string>
    ) => ({
      executor_id: context.id as string,
      start_time: startedAt,
      end_time: now(clock),
      status,
      details,
      errors
    })
    return {
      completed: (item, details = {}) => withLog(item, entry("completed", details, [])),
      failed: (item, message, details = {}) => withLog(item, entry("failed", details, [redact(message)]))
    }
  })

const now = (clock: Clock.Clock): string => Timestamp.format(clock.unsafeCurrentTimeMillis())
