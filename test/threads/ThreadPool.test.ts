import { assert, describe, it, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { DocumentError } from "../../src/documents/DocumentError.ts"
import * as Excel from "../../src/documents/excel/ExcelDocument.ts"
import { defaultLimits } from "../../src/documents/pdf/PdfDocument.ts"
import * as PowerPoint from "../../src/documents/powerpoint/PowerPointDocument.ts"
import * as Word from "../../src/documents/word/WordDocument.ts"
import * as JobProcess from "../../src/threads/JobProcess.ts"
import type { Job } from "../../src/threads/Jobs.ts"
import * as ThreadPool from "../../src/threads/ThreadPool.ts"
import { text, writePdf } from "../support/Pdf.ts"

interface Misbehaviour {
  readonly echo: Job<string, string>
  readonly size: Job<ArrayBuffer, number>
  readonly forever: Job<void, never>
  readonly exit: Job<undefined, never>
  readonly abort: Job<undefined, never>
  readonly print: Job<unknown, unknown>
  readonly environment: Job<undefined, ReadonlyArray<string>>
  readonly reject: Job<undefined, never>
  readonly hoard: Job<undefined, never>
}

const worker = new URL("./Misbehaving.worker.js", import.meta.url)
const makePool = (options: ThreadPool.ThreadPoolOptions = {}) =>
  ThreadPool.make<Misbehaviour>({ worker, threads: 1, maxHeapMegabytes: 64, ...options })

const inOwnProcess = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.locally(effect, JobProcess.isolated, true)

describe("jobs in a process of their own", () => {
  it.scopedLive("give what they give in a thread, of every kind and size, whatever is printed", () =>
    Effect.gen(function* () {
      const pool = yield* makePool()
      const value = {
        big: 2n ** 70n,
        day: new Date(0),
        map: new Map([["a", new Set([1])]]),
        none: undefined,
        bytes: new Uint8Array([1, 2]),
        text: "é😀".repeat(200_000)
      }
      assert.deepStrictEqual(yield* inOwnProcess(pool.run("print", value)), value)
      assert.strictEqual(yield* inOwnProcess(pool.run("size", new ArrayBuffer(3_000_000))), 3_000_000)
    })
  )

  it.scopedLive("end alone, whatever they do", () =>
    Effect.gen(function* () {
      const pool = yield* makePool()
      for (const job of ["exit", "abort"] as const) {
        const error = yield* Effect.flip(inOwnProcess(pool.run(job, undefined)))
        assert.deepInclude(error, { _tag: "ThreadError", reason: "Crashed", job })
        assert.include(error.message, "its process")
      }
      const bug = yield* Effect.flip(inOwnProcess(pool.run("reject", undefined)))
      assert.include(bug.message, "a bug")
      const late = yield* Effect.flip(inOwnProcess(pool.run("forever", undefined, { timeout: "2 seconds" })))
      assert.deepInclude(late, { _tag: "ThreadError", reason: "TimedOut" })
      const hoarding = yield* Effect.flip(inOwnProcess(pool.run("hoard", undefined)))
      assert.deepInclude(hoarding, { _tag: "ThreadError", reason: "OutOfMemory" })
      assert.strictEqual(yield* pool.run("echo", "unharmed"), "unharmed")
    })
  )

  it.scopedLive("know nothing of the environment that could be a secret", () =>
    Effect.gen(function* () {
      const pool = yield* makePool()
      process.env["SOME_SECRET"] = "x"
      const names = yield* inOwnProcess(pool.run("environment", undefined))
      delete process.env["SOME_SECRET"]
      assert.include(names, "PATH")
      assert.notInclude(names, "SOME_SECRET")
    })
  )

  it.scopedLive("read documents, and tell what is wrong with one", () =>
    Effect.gen(function* () {
      const pool = yield* ThreadPool.make({ threads: 1 })
      const bytes = ThreadPool.ownBuffer(writePdf({ pages: [{ content: text(72, 700, "Hello") }] }))
      const document = yield* inOwnProcess(pool.run("pdf", { bytes, options: {}, limits: defaultLimits }))
      assert.include(document.text, "Hello")
      const broken = pool.run("pdf", { bytes: new ArrayBuffer(10), options: {}, limits: defaultLimits })
      assert.instanceOf(yield* Effect.flip(inOwnProcess(broken)), DocumentError)
    })
  )
})

describe("threads that misbehave", () => {
  it.scopedLive("a job that exceeds its time is stopped, and the pool goes on", () =>
    Effect.gen(function* () {
      const pool = yield* makePool()
      const error = yield* Effect.flip(pool.run("forever", undefined, { timeout: "200 millis" }))
      assert.deepInclude(error, { _tag: "ThreadError", reason: "TimedOut" })
      assert.include(error.message, "200ms")
      // the only thread is free again
      assert.strictEqual(yield* pool.run("echo", "still here"), "still here")
    })
  )

  it.scopedLive("interruption stops a job, whether it runs or waits for a thread", () =>
    Effect.gen(function* () {
      const pool = yield* makePool()
      const started = yield* Deferred.make<void>()
      const running = yield* Effect.fork(pool.runWith("forever", Effect.asVoid(Deferred.succeed(started, undefined))))
      yield* Deferred.await(started)
      const waiting = yield* Effect.fork(pool.run("forever", undefined))
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(waiting)))
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(running)))
      assert.strictEqual(yield* pool.run("echo", "free"), "free")
    })
  )

  it.scopedLive("a time-out kills no other job", () =>
    Effect.gen(function* () {
      const pool = yield* makePool({ threads: 2 })
      const [error, echo] = yield* Effect.all(
        [
          Effect.flip(pool.run("forever", undefined, { timeout: "300 millis" })),
          Effect.replicateEffect(pool.run("echo", "unharmed"), 20)
        ],
        { concurrency: 2 }
      )
      assert.strictEqual(error._tag, "ThreadError")
      assert.deepStrictEqual(new Set(echo), new Set(["unharmed"]))
    })
  )

  it.scoped("waiting for a thread does not count as time of the job", () =>
    Effect.gen(function* () {
      const pool = yield* makePool({ timeout: "1 day" })
      const started = yield* Effect.all([Deferred.make<void>(), Deferred.make<void>()])
      const [running, waiting] = yield* Effect.forEach(started, (signal, index) =>
        Effect.fork(
          pool.runWith("forever", Effect.asVoid(Deferred.succeed(signal, undefined)), {
            timeout: index === 0 ? "1 day" : "1 minute"
          })
        )
      )
      assert.isDefined(running)
      assert.isDefined(waiting)
      yield* Deferred.await(started[0])
      yield* TestClock.adjust("1 hour")
      // it would have been stopped if its time ran already
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      yield* Fiber.interrupt(running)
      yield* Deferred.await(started[1])
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* Effect.flip(Fiber.join(waiting)), { _tag: "ThreadError", reason: "TimedOut" })
    })
  )

  it.scopedLive("a thread that ends, or a bug in it, is a typed error, and the pool recovers", () =>
    Effect.gen(function* () {
      const pool = yield* makePool()
      for (const job of ["exit", "reject", "exit"] as const) {
        const error = yield* Effect.flip(pool.run(job, undefined))
        assert.deepInclude(error, { _tag: "ThreadError", reason: "Crashed", job })
        assert.strictEqual(yield* pool.run("echo", "back"), "back")
      }
    })
  )

  // Deno has no bound of a thread's heap
  it.scopedLive.skipIf("Deno" in globalThis)(
    "a job that exceeds its heap is stopped, and the error names that bound",
    () =>
      Effect.gen(function* () {
        const pool = yield* makePool()
        const error = yield* Effect.flip(pool.run("hoard", undefined))
        assert.deepInclude(error, { _tag: "ThreadError", reason: "OutOfMemory" })
        assert.include(error.message, "64 MB")
        assert.strictEqual(yield* pool.run("echo", "back"), "back")
      })
  )

  it.scopedLive("buffers are moved when that is asked for, and copied otherwise", () =>
    Effect.gen(function* () {
      const pool = yield* makePool()
      const bytes = new Uint8Array(1000)
      const moved = ThreadPool.ownBuffer(bytes)
      assert.strictEqual(yield* pool.run("size", moved, { transfer: () => [moved] }), 1000)
      assert.strictEqual(moved.byteLength, 0)
      assert.strictEqual(yield* pool.run("size", bytes.buffer), 1000)
      assert.strictEqual(bytes.byteLength, 1000)
    })
  )

  it.scopedLive("a thread file that is missing is named", () =>
    Effect.gen(function* () {
      const pool = yield* makePool({ worker: new URL("./Missing.worker.js", import.meta.url) })
      const error = yield* Effect.flip(pool.run("echo", ""))
      assert.deepInclude(error, { _tag: "ThreadError", reason: "NotStarted" })
      assert.include(error.message, "Missing.worker.js")
    })
  )
})

const document = (pages: number) =>
  ThreadPool.ownBuffer(writePdf({ pages: Array.from({ length: pages }, (_, page) => ({ content: lines(page) })) }))
const lines = (page: number): string =>
  Array.from({ length: 10 }, (_, line) =>
    text(72, 750 - line * 50, `Line ${line} of page ${page + 1} says nothing at all`)
  ).join("")

for (const [name, pool] of Object.entries({
  threads: ThreadPool.layer({ threads: 2 }),
  inline: ThreadPool.layerInline
})) {
  layer(pool, { excludeTestServices: true })(`documents (${name})`, (it) => {
    it.effect("are read", () =>
      Effect.gen(function* () {
        const threads = yield* ThreadPool.ThreadPool
        const bytes = ThreadPool.ownBuffer(writePdf({ pages: [{ content: text(72, 700, "Hello") }] }))
        const read = yield* threads.run("pdf", { bytes, options: {} }, { transfer: () => [bytes] })
        assert.strictEqual(read.text, "Hello\n")
      })
    )

    it.effect("keep their images as bytes", () =>
      Effect.gen(function* () {
        const threads = yield* ThreadPool.ThreadPool
        const image = ["/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8", Uint8Array.of(7)] as const
        const pdf = writePdf({ pages: [{ content: "/Im0 Do" }], images: [image] })
        const { images } = yield* threads.run("pdf", { bytes: pdf.buffer, options: { images: true } })
        assert.deepStrictEqual([...(images[0]?.data.subarray(1, 4) ?? [])], [...Buffer.from("PNG")])
      })
    )

    it.effect("fail with the error of their reader, whichever that is", () =>
      Effect.gen(function* () {
        const threads = yield* ThreadPool.ThreadPool
        const bytes = new ArrayBuffer(8)
        for (const run of [
          Effect.asVoid(threads.run("word", { bytes, options: Word.defaults })),
          Effect.asVoid(threads.run("powerpoint", { bytes, options: PowerPoint.defaults })),
          Effect.asVoid(threads.run("excel", { bytes, options: Excel.defaults }))
        ]) {
          assert.deepInclude(yield* Effect.flip(run), { _tag: "DocumentError", reason: "NotThisFormat" })
        }
      })
    )

    it.effect("fail with the limit that they exceed", () =>
      Effect.gen(function* () {
        const threads = yield* ThreadPool.ThreadPool
        const none = yield* Effect.flip(threads.run("pdf", { bytes: new ArrayBuffer(8), options: {} }))
        assert.instanceOf(none, DocumentError)
        assert.strictEqual(none.reason, "NotThisFormat")
        const limits = { ...defaultLimits, pages: 1 }
        const long = yield* Effect.flip(threads.run("pdf", { bytes: document(2), options: {}, limits }))
        assert.deepInclude(long, { _tag: "DocumentError", reason: "LimitExceeded", limit: "pages" })
      })
    )
  })
}

describe("the event loop", () => {
  it.scopedLive("goes on while a long document is read", () =>
    Effect.gen(function* () {
      const threads = yield* ThreadPool.make({ threads: 1 })
      let ticks = 0
      const clock = yield* Effect.fork(
        Effect.forever(
          Effect.andThen(
            Effect.sleep("1 millis"),
            Effect.sync(() => ticks++)
          )
        )
      )
      const bytes = document(500)
      const read = yield* threads.run("pdf", { bytes, options: { tables: true } }, { transfer: () => [bytes] })
      yield* Fiber.interrupt(clock)
      assert.lengthOf(read.pages, 500)
      assert.include(read.pages[499]?.text, "Line 9 of page 500")
      // read on this thread, the document would let none through
      assert.isAbove(ticks, 10)
    })
  )
})
