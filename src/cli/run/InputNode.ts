import * as Option from "effect/Option"
import { ExecutorId } from "../../domain/Ids.ts"
import type { Plan } from "../../pipeline/Plan.ts"

/** The node that lists documents for a vault. */
export interface InputNode {
  readonly id: ExecutorId
  readonly type: string
  /** False when other nodes lead to it, or it is disabled: then it is not where the pipeline begins. */
  readonly begins: boolean
}

/** The node that would crawl for this pipeline, if it has one. */
export const of = ({ drawing, input }: Plan): InputNode | undefined => {
  const index = Option.getOrUndefined(input)?.node
  const drawn = index === undefined ? undefined : drawing.nodes[index]
  if (index === undefined || drawn === undefined) return undefined
  return {
    id: ExecutorId.make(drawn.id, true),
    type: drawn.type,
    begins: drawn.enabled && drawing.order.includes(index) && drawing.incoming[index]?.length === 0
  }
}
