import * as CutText from "../../text/CutText.ts"
import * as BlobAddresses from "../BlobAddresses.ts"
import { aligned } from "../Columns.ts"
import type { Execution } from "../../domain/Execution.ts"
import { nameOf, outputOf, secondsOf } from "./Progress.ts"

/** A line for every execution: the document, what became of it, and where its result is, or why there is none. */
export const ofExecutions = (executions: ReadonlyArray<Execution>): string => {
  const rows = executions.map((execution) => [
    nameOf(execution),
    execution.status,
    String(execution.number_of_items ?? "-"),
    secondsOf(execution),
    execution.error === null ? outputOf(execution) : oneLine(execution.error)
  ])
  return aligned([["Document", "Status", "Items", "Time", "Output"], ...rows])
}

const oneLine = (error: string): string => {
  const line = BlobAddresses.withoutAddresses(error).replaceAll(/\s+/g, " ")
  return CutText.shortened(line, 200, " …")
}
