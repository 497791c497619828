import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { PipelineId } from "../domain/Ids.ts"
import { redact } from "../domain/Redaction.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import * as RefreshingCache from "../concurrency/RefreshingCache.ts"

export interface DependencyState {
  readonly name: string
  readonly error: string | null
  readonly responseMillis: number
}

/** Whether the services that the worker can't do without answer. Asked at most every five seconds, whoever asks. */
export class Dependencies extends Context.Tag("contentflow-worker/http/Dependencies")<
  Dependencies,
  { readonly check: Effect.Effect<ReadonlyArray<DependencyState>> }
>() {}

const timeout = Duration.seconds(3)

/** No pipeline has this id: reading it shows that the container answers. */
const probe = PipelineId.make("contentflow-worker-readiness")

const probeOf = (name: string, call: Effect.Effect<unknown, ServiceError>): Effect.Effect<DependencyState> =>
  Effect.gen(function* () {
    const startedAt = yield* MonotonicTime.now
    const error = yield* call.pipe(
      Effect.as(null),
      Effect.timeoutFail({
        duration: timeout,
        onTimeout: () => ({ message: `no answer in ${Duration.format(timeout)}` })
      }),
      Effect.catchAll((failure) => Effect.succeed(redact(failure.message)))
    )
    return { name, error, responseMillis: (yield* MonotonicTime.now) - startedAt }
  })

const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const pipelines = yield* PipelineStore
  const states = RefreshingCache.make({
    maxAge: Duration.seconds(5),
    capacity: 1,
    read: (_: "all") =>
      Effect.all([probeOf("storage_queue", queue.stats), probeOf("cosmos_db", pipelines.find(probe))], {
        concurrency: "unbounded"
      })
  })
  return Dependencies.of({ check: states("all") })
})

export const layer: Layer.Layer<Dependencies, never, TaskQueue | PipelineStore> = Layer.effect(Dependencies, make)
