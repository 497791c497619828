import * as Effect from "effect/Effect"
import type { ExecutorError } from "../../executor/ExecutorError.ts"
import type { ExecutorInstance } from "../../executor/Executor.ts"
import { Meter } from "../../executor/Usage.ts"
import type { WriteOrder } from "../../executor/WriteOrder.ts"
import type { OutputNode } from "../../pipeline/Plan.ts"
import * as Manifest from "./Manifest.ts"

type Outputs = NonNullable<ExecutorInstance["outputs"]>

/** What became of a removal. */
export interface Removed {
  /** What could not be removed now. */
  readonly left: Manifest.Written
}

/**
 * Removes outputs by the nodes of a pipeline, each by the first that covers its place, whatever that node is called now. Of a place that none covers
 * (its node left the pipeline) the outputs stay, and people are told.
 */
export const remove = (
  nodes: ReadonlyArray<OutputNode>,
  written: Manifest.Written,
  mayRemove: (there: WriteOrder) => boolean
): Effect.Effect<Removed> =>
  written.length === 0
    ? Effect.succeed({ left: [] })
    : opened(nodes, (instances, areAll) =>
        Effect.map(
          Effect.forEach(written, (each) => removeAt(instances, areAll, each, mayRemove)),
          (left) => ({ left: left.flat() })
        )
      )

/** Whether any of these outputs is where late writes are not refused. */
export const hasUnordered = (nodes: ReadonlyArray<OutputNode>, written: Manifest.Written): Effect.Effect<boolean> =>
  written.length === 0
    ? Effect.succeed(false)
    : opened(nodes, (instances) =>
        Effect.succeed(written.some(({ place }) => instances.find(({ covers }) => covers(place))?.ordered === false))
      )

const opened = <A>(
  nodes: ReadonlyArray<OutputNode>,
  use: (instances: ReadonlyArray<Outputs>, areAll: boolean) => Effect.Effect<A>
): Effect.Effect<A> =>
  Effect.scoped(
    Effect.flatMap(
      Effect.forEach(nodes, (node) =>
        Effect.catchAll(node.open(undefined, new Meter()), (error: ExecutorError) =>
          Effect.as(Effect.logWarning(`Outputs of ${node.id} can't be removed now: ${error.message}`), undefined)
        )
      ),
      (instances) =>
        use(
          instances.flatMap((instance) => instance?.outputs ?? []),
          instances.every((instance) => instance !== undefined)
        )
    )
  )

const removeAt = (
  instances: ReadonlyArray<Outputs>,
  areAll: boolean,
  { keys, node, place }: Manifest.Written[number],
  mayRemove: (there: WriteOrder) => boolean
): Effect.Effect<Manifest.Written> => {
  const instance = instances.find(({ covers }) => covers(place))
  if (instance === undefined && !areAll) return Effect.succeed([{ keys, node, place }])
  if (instance === undefined) {
    return Effect.as(
      Effect.logWarning(
        `${keys.length} outputs of ${node} in ${place} stay, since no output node of the pipeline writes there any more: ${keys.slice(0, 5).join(", ")}${keys.length > 5 ? ", …" : ""}`
      ),
      []
    )
  }
  return instance
    .remove(
      keys.map((key) => ({ place, key })),
      mayRemove
    )
    .pipe(
      Effect.as([]),
      Effect.catchAll((error) =>
        Effect.as(
          Effect.logWarning(
            `${keys.length} outputs of ${node} in ${place} could not be removed; a later crawl will: ${error.message}`
          ),
          [{ keys, node, place }]
        )
      )
    )
}
