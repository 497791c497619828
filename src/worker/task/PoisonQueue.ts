import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type { AttemptNote } from "../../domain/AttemptNotes.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { maxMessageBytes } from "../../domain/Task.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import * as XmlJson from "../../domain/XmlJson.ts"
import { type ReceivedMessage, TaskQueue } from "../../queue/TaskQueue.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { ClaimCheck } from "../ClaimCheck.ts"
import * as Metrics from "../Metrics.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"

/** Where messages go that can't succeed: with the reason, for ever, never a message less than came. */
export class PoisonQueue extends Context.Tag("contentflow-worker/worker/PoisonQueue")<
  PoisonQueue,
  {
    /** `died`: the attempts that ended with their worker. */
    readonly put: (
      message: ReceivedMessage,
      reason: string,
      died?: ReadonlyArray<AttemptNote>
    ) => Effect.Effect<void, ServiceError>
  }
>() {}

const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const claims = yield* ClaimCheck
  const { workerName } = yield* WorkerConfig
  return PoisonQueue.of({
    put: Effect.fnUntraced(function* (message, reason, died = []) {
      const facts = {
        reason: ExecutionChanges.bounded(reason),
        rejected_at: Timestamp.format(yield* Clock.currentTimeMillis),
        rejected_by: workerName,
        message_id: message.id,
        dequeue_count: message.dequeueCount,
        inserted_at: Timestamp.format(message.insertedAt),
        ...(died.length === 0 ? {} : { died_attempts: died })
      }
      const whole = XmlJson.stringify({ ...facts, body: message.body })
      const body =
        Buffer.byteLength(whole) <= maxMessageBytes
          ? whole
          : XmlJson.stringify({ ...facts, body_reference: yield* claims.keepText(`${message.id}.txt`, message.body) })
      yield* queue.sendPoison(body)
      yield* Metric.increment(Metrics.poisoned)
    })
  })
})

export const layer: Layer.Layer<PoisonQueue, never, TaskQueue | ClaimCheck | WorkerConfig> = Layer.effect(
  PoisonQueue,
  make
)
