import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Checkpoint, nothingCrawled } from "../../domain/Checkpoint.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { ExecutorError } from "../../executor/ExecutorError.ts"
import type { InputExecutor } from "../../pipeline/Plan.ts"

export const wholeSecond = (millis: number): number => Math.floor(millis / 1_000) * 1_000

/**
 * Where a crawl starts to look: the last one's start less the overlap (milliseconds); all documents when there was none. Services tell times of change in
 * whole seconds: without an overlap, what changed in that very second may have come after the last listing.
 */
export const since = ({ checkpoint_timestamp, taken_over }: Checkpoint, overlap: number): Option.Option<number> =>
  checkpoint_timestamp === nothingCrawled
    ? Option.none()
    : Option.map(Timestamp.parse(checkpoint_timestamp), (at) =>
        taken_over || overlap === 0 ? wholeSecond(at) - 1 : at - overlap
      )

/** What lists the documents of a source; fails where the executor is none that can. */
export const crawlOf = Effect.fnUntraced(function* (input: InputExecutor, pipelineName: string) {
  const { crawl } = yield* input.prepared({ id: input.id, pipelineName, failOnError: true })
  return (
    crawl ??
    (yield* new ExecutorError({
      reason: "Setting",
      executorId: input.id,
      itemId: null,
      message: `The executor ${input.id} (${input.type}) can't crawl.`
    }))
  )
})

/** Where an earlier crawl of this version of the pipeline was cut off. */
export const progressOf = (
  { progress }: Checkpoint,
  { input, version }: { readonly input: Pick<InputExecutor, "itemsPerTask">; readonly version: string }
): (Checkpoint["progress"] & {}) | null =>
  progress !== undefined && progress !== null && progress.pipeline_version === version && input.itemsPerTask === 1
    ? progress
    : null
