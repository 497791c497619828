import * as Terminal from "@effect/platform/Terminal"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as CutText from "../../text/CutText.ts"
import { Checkpoint } from "../../domain/Checkpoint.ts"
import { Execution, isTerminal } from "../../domain/Execution.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { decoderOf } from "../../store/DocumentContainer.ts"
import * as BlobAddresses from "../BlobAddresses.ts"
import { outputContainer } from "./Installation.ts"
import { Records } from "./Records.ts"

/** The executions of a vault, in the order in which they were created. */
export const executionsOf = Effect.fnUntraced(function* (vaultId: string) {
  const { executions: container } = yield* Records
  const decode = decoderOf(container, Execution)
  const documents = yield* container.where({ vault_id: vaultId })
  const executions = yield* Effect.forEach(documents, decode)
  return executions.toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1))
})

/** Whether a crawl of the vault came to its end, so that every document that it found has an execution. */
export const isCrawled = Effect.fnUntraced(function* (vaultId: string) {
  const { checkpoints: container } = yield* Records
  const checkpoints = yield* Effect.flatMap(container.where({ vault_id: vaultId }), (documents) =>
    Effect.forEach(documents, decoderOf(container, Checkpoint))
  )
  return checkpoints.some(
    ({ last_crawl_completed_at, listing }) => last_crawl_completed_at !== null && listing === null
  )
})

/** `3 of 7 documents` as a bar that is drawn over itself in a terminal, and a line for every finished document elsewhere. */
export const make = Effect.gen(function* () {
  const terminal = yield* Terminal.Terminal
  const live = yield* terminal.isTTY
  const told = new Set<string>()
  const draw = (text: string) => Effect.orDie(terminal.display(`\r\u001b[2K${text}`))
  return {
    /** Tells what changed since it was called last. */
    show: (executions: ReadonlyArray<Execution>, expected: number) => {
      const finished = executions.filter(({ status }) => isTerminal(status))
      if (live) {
        const running = executions.find(({ status }) => status === "running")
        return draw(bar(finished.length, Math.max(expected, executions.length), running))
      }
      return Effect.forEach(
        finished.filter(({ id }) => !told.has(id)),
        (execution) => {
          told.add(execution.id)
          return Console.log(line(execution))
        },
        { discard: true }
      )
    },
    /** Takes the bar away. */
    clear: live ? draw("") : Effect.void
  }
})

const width = 30

const bar = (finished: number, all: number, running: Execution | undefined): string => {
  const filled = all === 0 ? 0 : Math.round((finished / all) * width)
  const now = running === undefined ? "" : `  ${CutText.cut(nameOf(running), 30)}`
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${finished} of ${all} documents${now}`
}

export const line = (execution: Execution): string =>
  execution.status === "completed"
    ? `${nameOf(execution)}: completed in ${secondsOf(execution)}, written to ${outputOf(execution)}`
    : `${nameOf(execution)}: ${execution.status}. ${BlobAddresses.withoutAddresses(execution.error ?? "")}`

/** The document's path in its container. */
export const nameOf = ({ content }: Execution): string => {
  const first = content?.[0]
  // Complete items once it is completed, bare identifiers when it failed.
  const id = isObject(first?.["id"]) ? first["id"] : first
  return text(id?.["path"]) ?? "(unknown document)"
}

/** Where a completed execution's result is: the container and path of a blob, or how many documents an index got; a dash when it is nowhere. */
export const outputOf = ({ content }: Execution): string => {
  const summary = content?.[0]?.["summary_data"]
  if (!isObject(summary)) return "-"
  const output = summary["blob_output"]
  const path = isObject(output) ? text(output["blob_path"]) : undefined
  const indexed = summary["indexed_count"]
  const places = [
    ...(typeof indexed === "number" ? [`${indexed} ${indexed === 1 ? "entry" : "entries"} of the index`] : []),
    ...(path === undefined ? [] : [`${outputContainer}/${path}`])
  ]
  return places.length === 0 ? "-" : places.join(", ")
}

/** What the calls of models and services came to, by node: `embed: 8 calls, 1,204 tokens`. */
export const usageOf = (executions: ReadonlyArray<Execution>): ReadonlyArray<string> => {
  const sums = new Map<string, { calls: number; tokens: number; pages: number }>()
  for (const { content } of executions) {
    for (const item of content ?? []) {
      const summary = item["summary_data"]
      const usage = isObject(summary) && isObject(summary["usage"]) ? summary["usage"] : {}
      for (const [node, entries] of Object.entries(usage)) {
        const sum = sums.get(node) ?? { calls: 0, tokens: 0, pages: 0 }
        for (const entry of Array.isArray(entries) ? entries.filter(isObject) : []) {
          sum.calls += number(entry["calls"])
          sum.tokens += number(entry["input_tokens"]) + number(entry["output_tokens"])
          sum.pages += number(entry["pages"])
        }
        sums.set(node, sum)
      }
    }
  }
  return [...sums].map(([node, { calls, pages, tokens }]) =>
    [
      `${node}: ${calls} calls`,
      ...(tokens === 0 ? [] : [`${tokens.toLocaleString("en")} tokens`]),
      ...(pages === 0 ? [] : [`${pages} pages`])
    ].join(", ")
  )
}

export const secondsOf = ({ completed_at, started_at }: Execution): string =>
  Option.match(Option.all([Timestamp.parse(started_at), Timestamp.parse(completed_at)]), {
    onNone: () => "-",
    onSome: ([from, to]) => `${((to - from) / 1_000).toFixed(1)} s`
  })

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const number = (value: unknown): number => (typeof value === "number" ? value : 0)

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
