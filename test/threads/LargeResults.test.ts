import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { deserialize, serialize } from "node:v8"
import { defaultLimits, type TextOptions } from "../../src/documents/text/TextDocument.ts"
import * as JobProcess from "../../src/threads/JobProcess.ts"
import * as ThreadPool from "../../src/threads/ThreadPool.ts"
import * as EventLoop from "../bench/executors/EventLoop.ts"
import * as WorkTime from "../support/WorkTime.ts"

const options: TextOptions = {
  format: "auto",
  encoding: null,
  html_content: "full",
  markdown_text: "source",
  mail_headers: true,
  extract_headings: false,
  extract_links: false,
  extract_tables: true,
  extract_data: true,
  extract_attachments: false
}

const read = (pool: ThreadPool.ThreadPool["Type"], text: string, name: string) =>
  pool.run("text", {
    bytes: ThreadPool.ownBuffer(Buffer.from(text)),
    options: { ...options, extract_data: name.endsWith("json") },
    hints: { name },
    limits: defaultLimits
  })

const rows = Array.from({ length: 150_000 }, (_, index) => ({
  index,
  name: `row ${index}`,
  values: [index, "é", null]
}))
const json = JSON.stringify({ rows, tail: "z".repeat(3_000_000) })

describe("results that are too large for one message", { timeout: 120_000 }, () => {
  it.scopedLive("come back whole, the event loop turning meanwhile", () =>
    Effect.gen(function* () {
      const pool = yield* ThreadPool.make({ threads: 1 })
      // The start of a thread is no matter of its results.
      yield* read(pool, "warm", "a.txt")
      const watched = yield* EventLoop.watch(read(pool, json, "a.json"))
      const { value } = watched
      assert.deepStrictEqual(value.data, { rows, tail: "z".repeat(3_000_000) })
      assert.strictEqual(value.text.length, json.length)
      const message = serialize(value)
      // What one message would have taken, or a garbage collection.
      const atOnce = WorkTime.of(() => void deserialize(message))
      assert.isBelow(EventLoop.holdOf(watched).longest, Math.max(50, atOnce / 2))
    })
  )

  it.scopedLive("come back from a process of their own, too", () =>
    Effect.gen(function* () {
      const pool = yield* ThreadPool.make({ threads: 1 })
      const own = Effect.locally(read(pool, json, "a.json"), JobProcess.isolated, true)
      const { data } = yield* own
      assert.deepStrictEqual(data, { rows, tail: "z".repeat(3_000_000) })
      const short = yield* Effect.locally(read(pool, "short", "a.txt"), JobProcess.isolated, true)
      assert.strictEqual(short.text, "short")
    })
  )

  it.scopedLive("stop with their job", () =>
    Effect.gen(function* () {
      const pool = yield* ThreadPool.make({ threads: 1 })
      const late = yield* Effect.either(
        Effect.timeoutFail(read(pool, json, "a.json"), { duration: "400 millis", onTimeout: () => "late" })
      )
      assert.include(["Left", "Right"], late._tag)
      assert.strictEqual((yield* read(pool, "after", "a.txt")).text, "after")
    })
  )

  it.scopedLive("that hold nothing but blanks are empty", () =>
    Effect.gen(function* () {
      const pool = yield* ThreadPool.make({ threads: 1 })
      assert.strictEqual((yield* read(pool, " \n".repeat(1_000_000), "a.txt")).text, "")
    })
  )
})

describe("the usual number of threads", () => {
  it("is two where the memory allows it, and one less than there are cores where there are many", () => {
    const gigabytes = 2 ** 30
    assert.deepStrictEqual(
      [
        [1, 8],
        [2, 4],
        [2, 2],
        [2, 1],
        [8, 32],
        [8, 4],
        [64, 16]
      ].map(([cores = 0, memory = 0]) => ThreadPool.usualThreads(cores, memory * gigabytes)),
      [2, 2, 1, 1, 7, 3, 15]
    )
  })
})

describe("a small document beside large ones", { timeout: 120_000 }, () => {
  it.scopedLive("waits for none of them where there are two threads", () =>
    Effect.gen(function* () {
      const pool = yield* ThreadPool.make({ threads: 2 })
      const large = "word ".repeat(4_000_000)
      const order: Array<string> = []
      const one = (name: string, text: string) => {
        const input = {
          bytes: ThreadPool.ownBuffer(Buffer.from(text)),
          options,
          hints: { name },
          limits: defaultLimits
        }
        return Effect.tap(pool.runWith("text", Effect.succeed(input), { size: text.length }), () =>
          Effect.sync(() => order.push(name))
        )
      }
      // Threads start with their first jobs.
      yield* Effect.all([one("a.txt", "a"), one("b.txt", "b"), one("c.txt", "c")], { concurrency: "unbounded" })
      order.length = 0
      const all = ["1.txt", "2.txt", "3.txt", "4.txt"].map((name) => one(name, large))
      yield* Effect.all([...all, one("small.txt", "small")], { concurrency: "unbounded" })
      assert.isAtMost(order.indexOf("small.txt"), 1, order.join())
    })
  )
})
