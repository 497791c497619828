import * as Option from "effect/Option"
import { type Content, nameOf } from "../../domain/Content.ts"
import * as CutText from "../../text/CutText.ts"
import type { NodeReport } from "../../pipeline/RunReport.ts"
import * as OutputFormat from "./OutputFormat.ts"
import { plain } from "./ProblemLine.ts"

/** `without_text`: the pipeline went well, but its extractor found no text in the document. `skipped`: its result was there already. */
export type DocumentStatus = "completed" | "without_text" | "failed" | "skipped"

/** What became of one document. */
export interface DocumentResult {
  readonly name: string
  /** Null for an item that no file of this machine stands for. */
  readonly path: string | null
  readonly status: DocumentStatus
  /** Why it failed. */
  readonly error: string | null
  /** What could not be read of it, or was only guessed. */
  readonly warnings: ReadonlyArray<string>
  readonly items: ReadonlyArray<Content>
  /** Files that hold its result. */
  readonly outputs: ReadonlyArray<string>
  readonly nodes: ReadonlyArray<NodeReport>
  readonly millis: number
}

/** How many documents ended how. */
export type Tally = Record<DocumentStatus, number>

export const emptyTally = (): Tally => ({ completed: 0, without_text: 0, failed: 0, skipped: 0 })

type Judged = Pick<DocumentResult, "error" | "status" | "warnings">

/** What these items, which one document became, say of it. In a format of text alone one without text has no result. */
export const judge = (items: ReadonlyArray<Content>, format: OutputFormat.OutputFormat): Judged => {
  const failures = items.flatMap(({ executor_logs }) =>
    executor_logs.flatMap(({ errors, executor_id, status }) =>
      status === "failed" ? [`${executor_id}: ${errors.join("; ") || "failed"}`] : []
    )
  )
  const warnings = [...new Set(items.flatMap(warningsOf))]
  if (failures.length > 0) return { status: "failed", error: [...new Set(failures)].join("; "), warnings }
  const isEmpty = items.some(
    (item) => (format !== "json" || item.summary_data["extraction_status"] === "empty") && !hasText(item)
  )
  return { status: isEmpty ? "without_text" : "completed", error: null, warnings }
}

const warningsOf = ({ summary_data }: Content): ReadonlyArray<string> => {
  const warnings = summary_data["extraction_warnings"]
  return Array.isArray(warnings) ? warnings.filter((each) => typeof each === "string") : []
}

const hasText = (item: Content): boolean => /[\p{L}\p{N}]/u.test(OutputFormat.textOf(item) ?? "")

/** The same of an item that is a document by itself. */
export const ofItem = (item: Content, format: OutputFormat.OutputFormat): DocumentResult => ({
  name: nameOf(item),
  path: item.id?.source_type === "local_file" ? item.id.path : null,
  ...judge([item], format),
  items: [item],
  outputs: [],
  nodes: [],
  millis: 0
})

/** One line for people; none for what was skipped. */
export const line = ({
  error,
  name,
  status,
  warnings
}: Pick<DocumentResult, "name" | "status" | "error" | "warnings">): Option.Option<string> => {
  switch (status) {
    case "completed":
      return Option.some(plain(`✓ ${name}${warnings.length === 0 ? "" : `: ${shortened(warnings.join("; "))}`}`))
    case "without_text":
      return Option.some(plain(`! ${name}: ${shortened(warnings.join("; ")) || "no text was found in it"}`))
    case "failed":
      return Option.some(plain(`✗ ${name}: ${shortened(error ?? "failed")}`))
    case "skipped":
      return Option.none()
  }
}

const shortened = (text: string): string => CutText.shortened(text, 400, " …")

/** One line for programs. Items are in it where no file holds them. */
export const json = (result: DocumentResult): string =>
  JSON.stringify({
    document: result.name,
    path: result.path,
    status: result.status,
    error: result.error,
    warnings: result.warnings,
    outputs: result.outputs,
    milliseconds: Math.round(result.millis)
  }).replace(/\}$/, () =>
    result.outputs.length > 0 || result.status === "skipped"
      ? "}"
      : `,"items":[${result.items.map((item) => OutputFormat.jsonOf(item)).join(",")}]}`
  )

/** `3 completed, 1 without text, 1 failed`; what did not happen is left out, but for completed and failed. */
export const counts = ({ completed, failed, skipped, without_text }: Tally): string =>
  [
    `${completed} completed`,
    ...(without_text === 0 ? [] : [`${without_text} without text`]),
    `${failed} failed`,
    ...(skipped === 0 ? [] : [`${skipped} skipped`])
  ].join(", ")
