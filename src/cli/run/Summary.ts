import { type Content, nameOf } from "../../domain/Content.ts"
import type { NodeReport } from "../../pipeline/RunReport.ts"
import { aligned } from "../Columns.ts"
import { plain } from "./ProblemLine.ts"

/** Errors of items that are told one by one; all of them are in the result. */
const maxErrors = 20

export interface Finished {
  readonly pipeline: string
  readonly itemsIn: number
  /** Null when the run failed. */
  readonly items: ReadonlyArray<Content> | null
  readonly nodes: ReadonlyArray<NodeReport>
  readonly millis: number
}

/** How a run went: its nodes with their counts, times and errors, then the errors of single items. */
export const print = ({ items, itemsIn, millis, nodes, pipeline }: Finished): string => {
  const head = `Pipeline ${plain(pipeline)}: ${itemsIn} items in, ${items === null ? "failed" : `${items.length} out`}, ${seconds(millis)}`
  const rows = nodes.map((node) => [
    `  ${plain(node.executorId)}`,
    node.type,
    node.status,
    String(node.itemsIn),
    String(node.itemsOut),
    String(node.itemsFailed),
    seconds(node.endedAt - node.startedAt)
  ])
  return [
    head,
    ...(rows.length === 0 ? [] : [aligned([["  NODE", "TYPE", "STATUS", "IN", "OUT", "FAILED", "TIME"], ...rows])]),
    // The error that ended a run is told after this.
    ...(items === null ? [] : errorsOf(nodes, items))
  ].join("\n")
}

const errorsOf = (nodes: ReadonlyArray<NodeReport>, items: ReadonlyArray<Content>): ReadonlyArray<string> => {
  const errors = new Set<string>()
  for (const { error, executorId } of nodes) if (error !== null) errors.add(plain(`${executorId}: ${error}`))
  for (const item of items) {
    for (const entry of item.executor_logs) {
      if (entry.status === "failed")
        errors.add(plain(`${nameOf(item)}: ${entry.executor_id}: ${entry.errors.join("; ") || "failed"}`))
    }
  }
  const told = [...errors].slice(0, maxErrors).map((error) => `  ${error}`)
  if (told.length === 0) return []
  return ["Errors:", ...told, ...(errors.size > maxErrors ? [`  and ${errors.size - maxErrors} more`] : [])]
}

const seconds = (millis: number): string => `${(millis / 1000).toFixed(2)} s`
