import { Effect } from "effect"
import { availableParallelism } from "node:os"
import type { ExecutorInstance } from "../../../src/executors/Executor.ts"
import type { Document, Documents } from "./Documents.ts"
import * as EventLoop from "./EventLoop.ts"
import * as Nodes from "./Nodes.ts"
import * as Readable from "./Readable.ts"
import { table } from "./Table.ts"
import { statSync } from "node:fs"

/** What a second thread brings, all documents at once, and how late the event loop is meanwhile. */
export const run = (documents: Documents, seconds: number) =>
  Effect.gen(function* () {
    const one = yield* Nodes.withThreads(1)
    const two = yield* Nodes.withThreads(2)
    const pdfs = documents.of("pdf")
    const office = (["docx", "pptx", "xlsx"] as const).flatMap(documents.of)
    const rows = yield* Effect.forEach(
      [
        { what: "pdf_extractor, the PDFs", type: "pdf_extractor", all: pdfs },
        { what: "document_extractor, the Office documents", type: "document_extractor", all: office }
      ],
      ({ all, type, what }) =>
        Effect.gen(function* () {
          const settings = { max_concurrent: 4, ...(type === "document_extractor" ? { on_invalid_file: "fail" } : {}) }
          const nodes = { one: yield* one(type, settings), two: yield* two(type, settings) }
          // largest first, or the end of a run would be one thread at a large one
          const readable = bySize(yield* Readable.among(all, nodes.one))
          yield* process(nodes.two, readable)
          const times = { one: Infinity, two: Infinity }
          const lateness: Array<ReadonlyArray<number>> = []
          const end = performance.now() + seconds * 1_000
          do {
            for (const key of ["one", "two", "two", "one"] as const) {
              const watched = yield* EventLoop.watch(process(nodes[key], readable))
              times[key] = Math.min(times[key], watched.value)
              if (key === "two") lateness.push(watched.lateness)
            }
          } while (performance.now() < end)
          const delay = EventLoop.delayOf(lateness.flat())
          return [
            what,
            times.one.toFixed(0),
            times.two.toFixed(0),
            (times.one / times.two).toFixed(2),
            delay.p99.toFixed(1),
            delay.max.toFixed(0)
          ]
        })
    )
    const idle = EventLoop.delayOf((yield* EventLoop.watch(Effect.sleep("2 seconds"))).lateness)
    return [
      `Threads: EXECUTOR_THREADS 1 and 2 on ${availableParallelism()} cores`,
      table(
        ["", "1 thread, ms", "2 threads, ms", "speed-up", "event loop p99, ms", "longest, ms"],
        [...rows, ["nothing, to compare", "", "", "", idle.p99.toFixed(1), idle.max.toFixed(0)]]
      )
    ].join("\n\n")
  }).pipe(Effect.scoped)

/** The milliseconds that a node takes over all documents. */
const process = (work: ExecutorInstance["process"], documents: ReadonlyArray<Document>) =>
  Effect.suspend(() => {
    const startedAt = performance.now()
    return Effect.map(Effect.orDie(work(documents.map(({ item }) => item))), () => performance.now() - startedAt)
  })

const bySize = <D extends Document>(documents: ReadonlyArray<D>): ReadonlyArray<D> => {
  const size = ({ path }: D) => statSync(path).size
  return documents.toSorted((a, b) => size(b) - size(a))
}
