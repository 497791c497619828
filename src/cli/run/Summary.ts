import type { NodeReport } from "../../pipeline/RunReport.ts"
import { aligned } from "../Columns.ts"
import { plain } from "./ProblemLine.ts"

export interface Finished {
  readonly pipeline: string
  /** What became of what, in words. */
  readonly result: string
  readonly nodes: Iterable<NodeTotals>
  readonly millis: number
}

/** How a node fared in all runs. */
export interface NodeTotals extends Pick<NodeReport, "executorId" | "itemsFailed" | "itemsIn" | "itemsOut" | "type"> {
  readonly status: string
  /** Together, which is more than went by where runs went on at the same time. */
  readonly millis: number
}

/** How a run went: its nodes with their counts and times. */
export const print = ({ millis, nodes, pipeline, result }: Finished): string => {
  const rows = [...nodes].map((node) => [
    `  ${plain(node.executorId)}`,
    node.type,
    node.status,
    String(node.itemsIn),
    String(node.itemsOut),
    String(node.itemsFailed),
    seconds(node.millis)
  ])
  return [
    `Pipeline ${plain(pipeline)}: ${result}, ${seconds(millis)}`,
    ...(rows.length === 0 ? [] : [aligned([["  NODE", "TYPE", "STATUS", "IN", "OUT", "FAILED", "TIME"], ...rows])])
  ].join("\n")
}

/** What each node says of several runs, by the first one's order. */
export const add = (totals: Map<string, NodeTotals>, nodes: ReadonlyArray<NodeReport>): void => {
  for (const { endedAt, executorId, itemsFailed, itemsIn, itemsOut, startedAt, status, type } of nodes) {
    const before = totals.get(executorId)
    // A node that failed counts its documents as failed, though it gave none of them back.
    const failed = status === "failed" ? Math.max(itemsFailed, itemsIn) : itemsFailed
    totals.set(executorId, {
      executorId,
      type,
      status: before === undefined || rank(status) > rank(before.status) ? status : before.status,
      itemsIn: itemsIn + (before?.itemsIn ?? 0),
      itemsOut: itemsOut + (before?.itemsOut ?? 0),
      itemsFailed: failed + (before?.itemsFailed ?? 0),
      millis: endedAt - startedAt + (before?.millis ?? 0)
    })
  }
}

/** Of several runs the worst status is told. */
const rank = (status: string): number => ["skipped", "completed", "interrupted", "failed"].indexOf(status)

const seconds = (millis: number): string => `${(millis / 1000).toFixed(2)} s`
