// Reads documents in a pool and tells how much memory the process had at its worst: `{mode, threads, count}` as JSON in, one line of JSON out.
// Plain JavaScript, on Node over the built program, because its memory is measured and not that of a test runner.
import * as Effect from "effect/Effect"
import { deflateSync } from "node:zlib"

// Where only Deno is there, nothing is built.
const module = "Deno" in globalThis ? "../../src/threads/ThreadPool.ts" : "../../dist/threads/ThreadPool.js"
const ThreadPool = await import(module)

const pdf = (objects) => {
  const parts = [Buffer.from("%PDF-1.7\n")]
  const offsets = []
  let length = parts[0].length
  const add = (part) => {
    parts.push(part)
    length += part.length
  }
  for (const [index, object] of objects.entries()) {
    offsets.push(length)
    if (typeof object === "string") add(Buffer.from(`${index + 1} 0 obj ${object} endobj\n`))
    else {
      const body = deflateSync(Buffer.from(object.stream))
      add(Buffer.from(`${index + 1} 0 obj <<${object.dict}/Filter/FlateDecode/Length ${body.length}>> stream\n`))
      add(body)
      add(Buffer.from("\nendstream endobj\n"))
    }
  }
  const at = length
  const xref = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")
  add(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${xref}`))
  add(Buffer.from(`trailer <</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${at}\n%%EOF\n`))
  return Buffer.concat(parts)
}

/** Forms that show the next form ten times each, six deep: a page of a million texts in two kilobytes. */
const nestedForms = () => {
  const resources = (form) => `/Resources <</Font <</F1 5 0 R>> ${form === null ? "" : `/XObject <</X ${form} 0 R>>`}>>`
  const depth = 6
  return pdf([
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    `<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R ${resources(6)}>>`,
    { dict: "", stream: "/X Do\n".repeat(10) },
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ...Array.from({ length: depth }, (_, level) => {
      const last = level === depth - 1
      return {
        dict: `/Type/XObject/Subtype/Form/BBox[0 0 612 792] ${resources(last ? null : 7 + level)}`,
        stream: last ? "BT /F1 12 Tf 10 10 Td (x) Tj ET\n" : "/X Do\n".repeat(10)
      }
    })
  ])
}

/** Large, and damaged at the end. */
const large = () => {
  const bytes = Buffer.alloc(200 * 1024 * 1024, " ")
  bytes.write("%PDF-1.4\n")
  return bytes
}

const { count, mode, threads } = JSON.parse(process.argv[2])
let peak = 0
const look = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5)
const start = process.memoryUsage.rss()
const make = { nestedForms, large }[mode]
let made = 0
let mostWaiting = 0
const read = Effect.flatMap(ThreadPool.ThreadPool, (pool) =>
  Effect.exit(
    pool.runWith(
      "pdf",
      Effect.sync(() => {
        mostWaiting = Math.max(mostWaiting, ++made)
        return { bytes: ThreadPool.ownBuffer(make()), options: {} }
      }),
      { transfer: ({ bytes }) => [bytes] }
    )
  ).pipe(Effect.tap(() => Effect.sync(() => made--)))
)
const all = Effect.forEach(Array.from({ length: count }), () => read, { concurrency: "unbounded" })
const exits = await Effect.runPromise(Effect.provide(all, ThreadPool.layer({ threads })))
clearInterval(look)
const reasons = exits.map((exit) => (exit._tag === "Success" ? "read" : (exit.cause.error?.reason ?? exit.cause._tag)))
const megabytes = (bytes) => Math.round(bytes / 1024 / 1024)
process.stdout.write(`${JSON.stringify({ start: megabytes(start), peak: megabytes(peak), reasons, mostWaiting })}\n`)
