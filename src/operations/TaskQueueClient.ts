import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Task } from "../domain/Task.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { ClaimCheck } from "../worker/ClaimCheck.ts"

/** Puts tasks on the queue of a fleet, for services that make their own. */
export class TaskQueueClient extends Context.Tag("contentflow-worker/operations/TaskQueueClient")<
  TaskQueueClient,
  {
    /** Sends the task; content that does not fit in a message is stored beside it. The worker that gets it writes its execution where nobody has. */
    readonly sendContentProcessingTask: (task: Task) => Effect.Effect<void, ServiceError>
  }
>() {}

export const layer: Layer.Layer<TaskQueueClient, never, TaskQueue | ClaimCheck> = Layer.effect(
  TaskQueueClient,
  Effect.map(Effect.all([TaskQueue, ClaimCheck]), ([queue, claims]) =>
    TaskQueueClient.of({ sendContentProcessingTask: (task) => Effect.flatMap(claims.encode(task), queue.send) })
  )
)
