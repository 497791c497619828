import * as Effect from "effect/Effect"
import { EndpointValves } from "../../concurrency/EndpointValves.ts"
import type { PipelineId } from "../../domain/Ids.ts"

/** Attempts in a row that a service ended before the next ones of their pipeline wait without being started. */
const closesAfter = 3

/** Pipelines that are remembered; the one that was blocked longest ago goes first. */
const mostPipelines = 1_000

export interface BlockedPipelines {
  /** The attempt ended at the closed valve of this service. */
  readonly note: (pipeline: PipelineId, endpoint: string) => void
  readonly forget: (pipeline: PipelineId) => void
  /** The service that blocks the pipeline, and for how long at least; null when its tasks may start. */
  readonly by: (
    pipeline: PipelineId
  ) => Effect.Effect<{ readonly endpoint: string; readonly waitMillis: number } | null>
}

/**
 * Pipelines whose attempts end, one after the other, at the closed valve of the same service: until a probe may go there, their tasks need
 * not be started. One that has many ways, and comes to its end by another, is not meant.
 */
export const make = Effect.map(EndpointValves, (valves): BlockedPipelines => {
  const blocks = new Map<PipelineId, { readonly endpoint: string; readonly count: number }>()
  return {
    note: (pipeline, endpoint) => {
      const before = blocks.get(pipeline)
      blocks.delete(pipeline)
      blocks.set(pipeline, { endpoint, count: before?.endpoint === endpoint ? before.count + 1 : 1 })
      const oldest = blocks.size > mostPipelines ? blocks.keys().next() : undefined
      if (oldest !== undefined && oldest.done !== true) blocks.delete(oldest.value)
    },
    forget: (pipeline) => void blocks.delete(pipeline),
    by: (pipeline) =>
      Effect.suspend(() => {
        const block = blocks.get(pipeline)
        if (block === undefined || block.count < closesAfter) return Effect.succeed(null)
        return Effect.map(valves.waitFor(block.endpoint), (waitMillis) =>
          waitMillis === 0 ? null : { endpoint: block.endpoint, waitMillis }
        )
      })
  }
})
