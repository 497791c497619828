import * as Effect from "effect/Effect"
import type { Content } from "../domain/Content.ts"
import type { Cost } from "./Cost.ts"
import type { ExecutorContext, ExecutorInstance } from "./Executor.ts"
import type { ExecutorError } from "./ExecutorError.ts"
import type { Rehearsal } from "./Rehearsal.ts"

/** A node that is not built: its items go on as they came. */
export const leftOut = (rehearsal: Rehearsal, node: string, writes: boolean): ExecutorInstance => ({
  retriesItems: true,
  process: (items) =>
    Effect.sync(() => {
      rehearsal.visit(node, items.length)
      if (!writes) rehearsal.compute(node, items.length)
      return items
    })
})

/** A node that works: behind a step that was left out its failure says nothing, and its items go on as they came. */
export const watched = (
  rehearsal: Rehearsal,
  { id }: Pick<ExecutorContext, "id">,
  cost: Cost,
  instance: ExecutorInstance
): ExecutorInstance => ({
  ...instance,
  process: (items) =>
    Effect.suspend((): Effect.Effect<ReadonlyArray<Content>, ExecutorError> => {
      rehearsal.visit(id, items.length)
      // Of several items at once no single result could be kept, so its work would be done.
      if (cost !== "cheap" && instance.keepsSteps !== true && items.length > 1) {
        rehearsal.compute(id, items.length)
        return Effect.succeed(items)
      }
      return Effect.catchAll(instance.process(items), (error) =>
        rehearsal.isUncertainAt(id) ? Effect.succeed(items) : Effect.fail(error)
      )
    })
})
