import { Effect, Option } from "effect"
import { statSync } from "node:fs"
import { availableParallelism } from "node:os"
import type { ExecutorInstance } from "../../../src/executor/Executor.ts"
import type { Document, Documents } from "./Documents.ts"
import * as EventLoop from "./EventLoop.ts"
import * as Nodes from "./Nodes.ts"
import * as RoundRobin from "./RoundRobin.ts"
import { table } from "./Table.ts"

/** What a second thread brings, all documents at once, and how late the event loop is meanwhile. */
export const run = (documents: Documents, seconds: number) =>
  Effect.gen(function* () {
    const one = yield* Nodes.withThreads(1)
    const two = yield* Nodes.withThreads(2)
    const office = (["docx", "pptx", "xlsx"] as const).flatMap(documents.of)
    const rows = yield* Effect.forEach(
      [
        { type: "pdf_extractor", what: "PDFs", all: documents.of("pdf") },
        { type: "document_extractor", what: "Office documents", all: office }
      ],
      ({ all, type, what }) =>
        Effect.gen(function* () {
          const settings = { max_concurrent: 4 }
          const nodes = { one: yield* one(type, settings), two: yield* two(type, settings) }
          const { large, small } = yield* bySpeed(all, nodes.one)
          yield* took(nodes.two, small)
          const times = { one: Infinity, two: Infinity }
          const lateness: Array<ReadonlyArray<number>> = []
          const end = performance.now() + seconds * 1_000
          do {
            for (const key of ["one", "two", "two", "one"] as const) {
              const watched = yield* EventLoop.watch(took(nodes[key], small))
              times[key] = Math.min(times[key], watched.value)
              if (key === "two") lateness.push(watched.lateness)
            }
          } while (performance.now() < end)
          const speedUp = [times.one.toFixed(0), times.two.toFixed(0), (times.one / times.two).toFixed(2)]
          const first = [`${type}, ${small.length} ${what}`, ...speedUp, ...delay(lateness.flat())]
          if (large.length === 0) return [first]
          const watched = yield* EventLoop.watch(took(nodes.two, large))
          const second = [
            `${type}, ${large.length} large ones`,
            "",
            watched.value.toFixed(0),
            "",
            ...delay(watched.lateness)
          ]
          return [first, second]
        })
    )
    const idle = yield* EventLoop.watch(Effect.sleep("2 seconds"))
    return [
      `Threads: EXECUTOR_THREADS 1 and 2 on ${availableParallelism()} cores; large is what takes a thread more than half a second`,
      table(
        ["", "1 thread, ms", "2 threads, ms", "speed-up", "event loop p99, ms", "longest, ms"],
        [...rows.flat(), ["nothing, to compare", "", "", "", ...delay(idle.lateness)]]
      )
    ].join("\n\n")
  }).pipe(Effect.scoped)

/** The documents that a node can read; one that is large would be the time of all of them, however many threads there are. */
const bySpeed = (documents: ReadonlyArray<Document>, work: ExecutorInstance["process"]) =>
  Effect.map(
    Effect.forEach(documents, (document) =>
      Effect.map(RoundRobin.timed(work([document.item])), (time) => ({ document, time }))
    ),
    (all) => {
      const read = all.flatMap(({ document, time }) =>
        Option.isSome(time) ? [{ document, isLarge: time.value.wall > 500 }] : []
      )
      const which = (large: boolean) =>
        // largest first, or the end of a run would be one thread at a large one
        read
          .filter(({ isLarge }) => isLarge === large)
          .map(({ document }) => document)
          .toSorted((a, b) => statSync(b.path).size - statSync(a.path).size)
      return { large: which(true), small: which(false) }
    }
  )

/** The milliseconds that a node takes over all documents. */
const took = (work: ExecutorInstance["process"], documents: ReadonlyArray<Document>) =>
  Effect.suspend(() => {
    const startedAt = performance.now()
    return Effect.map(Effect.orDie(work(documents.map(({ item }) => item))), () => performance.now() - startedAt)
  })

const delay = (lateness: ReadonlyArray<number>): ReadonlyArray<string> => {
  const { max, p99 } = EventLoop.delayOf(lateness)
  return [p99.toFixed(1), max.toFixed(0)]
}
