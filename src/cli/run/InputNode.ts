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
export const of = ({ graph, input }: Plan): InputNode | undefined => {
  const index = Option.getOrUndefined(input)?.node
  const node = index === undefined ? undefined : graph.nodes[index]
  if (index === undefined || node === undefined) return undefined
  return {
    id: ExecutorId.make(node.id, true),
    type: node.type,
    begins: node.enabled && graph.order.includes(index) && graph.incoming[index]?.length === 0
  }
}
