import { Effect, Option } from "effect"
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { Buffer } from "node:buffer"
import * as EventLoop from "./EventLoop.ts"
import * as Documents from "./Documents.ts"
import * as Nodes from "./Nodes.ts"
import { table } from "./Table.ts"

/**
 * How long large, and hostile but readable, documents keep the event loop from turning, and what memory they take. The work of the main thread is
 * that of the kernel's books (Linux alone), which other work of the machine does not lengthen; the timers show both.
 */
export const run = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "bench-holds-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const threads = yield* Nodes.withThreads(1)
  const rows = yield* Effect.forEach(hostile, ({ content, name, title, type }) =>
    Effect.gen(function* () {
      const path = join(folder, name)
      writeFileSync(path, content())
      const node = yield* threads(type)
      const small = join(folder, "small.txt")
      writeFileSync(small, "A few words.")
      yield* Effect.option((yield* threads("text_extractor"))([Documents.documentOf(small, "small.txt").item]))
      const memory = peak()
      const watched = yield* EventLoop.watch(Effect.option(node([Documents.documentOf(path, name).item])))
      const most = memory()
      const size = statSync(path).size / 1e6
      rmSync(path)
      return [
        `${type}, ${title}, ${size.toFixed(0)} MB`,
        Option.isSome(watched.value) ? "read" : "refused: a limit",
        EventLoop.delayOf(watched.worked).max.toFixed(0),
        EventLoop.delayOf(watched.lateness).max.toFixed(0),
        most.toFixed(0)
      ]
    })
  )
  return [
    "Large documents, each alone: how long the main thread worked at a time, how late timers were at most, and how much the process grew",
    table(["", "", "longest work, ms", "latest timer, ms", "grew by, MB"], rows)
  ].join("\n\n")
}).pipe(Effect.scoped)

/** Samples the memory of the process, in megabytes above what it had. */
const peak = (): (() => number) => {
  const before = process.memoryUsage.rss()
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 50)
  return () => {
    clearInterval(timer)
    return (Math.max(most, process.memoryUsage.rss()) - before) / 2 ** 20
  }
}

const hostile = [
  { title: "one line", type: "text_extractor", name: "line.txt", content: () => repeated("word ", 95) },
  { title: "combining marks", type: "text_extractor", name: "marks.txt", content: () => repeated("e\u0301\u0302", 40) },
  { title: "quotes", type: "csv_extractor", name: "quotes.csv", content: () => repeated('"a ""b"" c",', 50) },
  {
    title: "wide rows",
    type: "csv_extractor",
    name: "wide.csv",
    content: () => repeated(`${"1,".repeat(5000)}2\n`, 8)
  },
  { title: "short rows", type: "csv_extractor", name: "rows.csv", content: () => repeated("name,12,34\n", 15) },
  {
    title: "one paragraph",
    type: "document_extractor",
    name: "page.html",
    content: () => repeated("<b>x</b> &amp; ", 20)
  },
  { title: "one list", type: "document_extractor", name: "list.json", content: () => list("12345", 60) }
] as const

const repeated = (text: string, megabytes: number): Buffer => Buffer.alloc(megabytes * 1_000_000, text)

const list = (element: string, megabytes: number): Buffer => {
  const count = Math.floor((megabytes * 1_000_000) / (element.length + 1))
  return Buffer.concat([
    Buffer.from(`[${element}`),
    Buffer.alloc(count * (element.length + 1), `,${element}`),
    Buffer.from("]")
  ])
}
