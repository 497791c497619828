import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { availableParallelism, totalmem } from "node:os"
import { fileURLToPath } from "node:url"
import { Piscina } from "piscina"
import { DocumentError } from "../documents/DocumentError.ts"
import * as JobProcess from "./JobProcess.ts"
import type { Job, Jobs } from "./Jobs.ts"
import * as Lanes from "./Lanes.ts"
import * as Pieces from "./Pieces.ts"
import * as ProgramFile from "./ProgramFile.ts"
import * as Reply from "./Reply.ts"
import { runJob } from "./RunJob.ts"
import * as WaitingTime from "../concurrency/WaitingTime.ts"

/**
 * Work that would hold up the event loop, done in threads that can be killed one by one; in a process of its own where `JobProcess.isolated`
 * says so.
 */
export class ThreadPool extends Context.Tag("worker/threads/ThreadPool")<ThreadPool, Threads<Jobs>>() {}

export interface Threads<Known extends Readonly<Record<keyof Known, Job<unknown, unknown>>>> {
  /**
   * Runs a job in a thread of its own, waiting for a free one first. Interruption and time-outs kill that thread, whatever
   * it is doing, and no other.
   */
  readonly run: <Name extends keyof Known & string>(
    job: Name,
    input: Known[Name]["input"],
    options?: RunOptions<Known[Name]["input"]>
  ) => Effect.Effect<Known[Name]["output"], DocumentError | ThreadError>
  /** The same with an input that is made once a thread is free, so that no more inputs are in memory than there are threads. */
  readonly runWith: <Name extends keyof Known & string, E>(
    job: Name,
    input: Effect.Effect<Known[Name]["input"], E>,
    options?: RunOptions<Known[Name]["input"]>
  ) => Effect.Effect<Known[Name]["output"], DocumentError | ThreadError | E>
}

export interface RunOptions<Input = unknown> {
  /** Buffers in the input that move to the thread instead of being copied. The caller has lost them from then on. */
  readonly transfer?: (input: Input) => ReadonlyArray<ArrayBuffer>
  /** How long the job may run once it has a thread; the pool's time-out when absent. */
  readonly timeout?: Duration.DurationInput
  /** Bytes of the input, as far as they are known before it is made: large jobs leave a thread to small ones, and let them pass. */
  readonly size?: number
}

/**
 * A job ended without an answer of its own: it ran into a bound of the pool (`TimedOut`, `OutOfMemory`), its thread ended
 * under it (`Crashed`), or there was no thread (`NotStarted`).
 */
export class ThreadError extends Schema.TaggedError<ThreadError>()("ThreadError", {
  reason: Schema.Literal("TimedOut", "OutOfMemory", "Crashed", "NotStarted"),
  job: Schema.String,
  message: Schema.String
}) {}

export interface ThreadPoolOptions {
  /** `EXECUTOR_THREADS`; {@link usualThreads} when absent. */
  readonly threads?: number | null
  /** How long a job may run; 5 minutes when absent. */
  readonly timeout?: Duration.DurationInput
  /**
   * Heap of one thread, 1,024 when absent. It bounds JavaScript objects alone, not buffers and not WebAssembly, and Node alone:
   * Deno does not know it.
   */
  readonly maxHeapMegabytes?: number
  /** The file that threads run. */
  readonly worker?: URL
}

/** What goes to a thread. */
export interface JobRequest {
  readonly id: number
  readonly job: string
  readonly input: unknown
  /** Counts the pieces of the result that the event loop has taken; absent where no thread does the job. */
  readonly taken?: SharedArrayBuffer
}

/** A pool whose threads start with its first job, and end with its scope or after half a minute without work. */
export const make = <Known extends Readonly<Record<keyof Known, Job<unknown, unknown>>> = Jobs>(
  options: ThreadPoolOptions = {}
): Effect.Effect<Threads<Known>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const threads = options.threads ?? usualThreads(availableParallelism(), totalmem())
    const worker = options.worker ?? ProgramFile.beside("Parse.worker")
    const megabytes = options.maxHeapMegabytes ?? 1024
    const scope = yield* Effect.scope
    // jobs wait here and not inside the pool, so that a time-out measures the job alone
    const lanes = yield* Lanes.make(threads)
    const pool = yield* Effect.cached(Scope.extend(acquirePool(threads, worker, megabytes), scope))

    let count = 0
    const run = Effect.fn("ThreadPool.run")(function* <Name extends keyof Known & string>(
      job: Name,
      input: Known[Name]["input"],
      runOptions: RunOptions<Known[Name]["input"]> = {}
    ) {
      const timeout = Duration.decode(runOptions.timeout ?? options.timeout ?? "5 minutes")
      const task: JobRequest = { id: ++count, job, input }
      const isolated = yield* FiberRef.get(JobProcess.isolated)
      const running = yield* pool.pipe(
        Effect.mapError(() => {
          const message = `No thread can start: ${fileURLToPath(worker)} is missing. Build it with: npm run build`
          return new ThreadError({ reason: "NotStarted", job, message })
        })
      )
      const reply = yield* Effect.tryPromise({
        try: (signal): Promise<Reply.Reply<Known[Name]["output"]>> =>
          isolated
            ? JobProcess.perform(worker, task, megabytes, signal)
            : perform(running, task, worker, runOptions.transfer?.(input) ?? [], signal),
        catch: (cause) => ended(job, cause, megabytes)
      }).pipe(
        Effect.timeoutFail({
          duration: timeout,
          onTimeout: () => {
            const message = `The ${job} job took longer than ${Duration.format(timeout)} and was stopped`
            return new ThreadError({ reason: "TimedOut", job, message })
          }
        })
      )
      const opened = Reply.open(reply)
      return opened instanceof DocumentError ? yield* opened : opened.value
    })
    const runWith: Threads<Known>["runWith"] = (job, input, runOptions) =>
      Effect.acquireUseRelease(
        Effect.interruptible(WaitingTime.counted(lanes.take(runOptions?.size ?? 0))),
        () => Effect.flatMap(input, (ready) => run(job, ready, runOptions)),
        (lane) => lanes.release(lane)
      )
    return { run: (job, input, runOptions) => runWith(job, Effect.succeed(input), runOptions), runWith }
  })

export const layer = (options: ThreadPoolOptions = {}): Layer.Layer<ThreadPool> =>
  Layer.scoped(ThreadPool, make(options))

/** Runs jobs on the calling thread, one at a time: for tests and small documents. It knows no time-outs and cannot be interrupted. */
export const layerInline: Layer.Layer<ThreadPool> = Layer.effect(
  ThreadPool,
  Effect.map(Effect.makeSemaphore(1), (free) => {
    const run = <Name extends keyof Jobs>(job: Name, input: Jobs[Name]["input"]) =>
      Effect.tryPromise({
        try: () => runJob(job, input),
        catch: (cause) => (cause instanceof DocumentError ? cause : ended(job, cause, 0))
      }).pipe(Effect.uninterruptible)
    return ThreadPool.of({
      run: (job, input) => free.withPermits(1)(run(job, input)),
      runWith: (job, input) => free.withPermits(1)(Effect.flatMap(input, (ready) => run(job, ready)))
    })
  })
)

/**
 * One less than there are cores, but two where the memory allows, so that a small document need not wait for a large one: a thread may
 * take a gigabyte, and the rest of the process as much again.
 */
export const usualThreads = (cores: number, bytesOfMemory: number): number =>
  Math.max(1, Math.min(Math.max(2, cores - 1), Math.floor(bytesOfMemory / gigabyte) - 1))

const gigabyte = 2 ** 30

/** A copy of the bytes in a buffer of its own, to be moved to a thread while others keep the original. */
export const ownBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

const acquirePool = (threads: number, worker: URL, megabytes: number) =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      if (!existsSync(worker)) return Effect.fail("missing" as const)
      const pool = new Piscina({
        minThreads: 0,
        maxThreads: threads,
        idleTimeout: 30_000,
        resourceLimits: { maxOldGenerationSizeMb: megabytes }
      })
      // the death of an idle thread is harmless, but without a listener it would end the process
      pool.on("error", () => undefined)
      const lastReplies = new Map<number, (last: LastReply) => void>()
      const takers = new Map<number, (piece: Pieces.Piece) => void>()
      pool.on("message", (message: unknown) => {
        if (isLastReply(message)) lastReplies.get(message.lastReplyTo)?.(message)
        else if (isSentPiece(message)) takers.get(message.pieceOf)?.(message.piece)
      })
      return Effect.succeed({ pool, lastReplies, takers })
    }),
    ({ pool }) => Effect.promise(() => pool.destroy())
  )

interface RunningPool {
  readonly pool: Piscina
  /** Who waits for the last reply of a thread, by task. */
  readonly lastReplies: Map<number, (last: LastReply) => void>
  /** Who puts the pieces of a result together, by task. */
  readonly takers: Map<number, (piece: Pieces.Piece) => void>
}

/** A piece of a result that is too large for one message. */
export interface SentPiece {
  readonly pieceOf: number
  readonly piece: Pieces.Piece
}

const isSentPiece = (message: unknown): message is SentPiece =>
  typeof message === "object" && message !== null && "pieceOf" in message

/**
 * The reply of a thread that holds much memory that it no longer needs, and that is only given back for certain by its end. The thread waits
 * for that and takes no other job.
 */
export interface LastReply {
  readonly lastReplyTo: number
  readonly threadId: number
  readonly reply: Reply.Reply<unknown>
}

const isLastReply = (message: unknown): message is LastReply =>
  typeof message === "object" && message !== null && "lastReplyTo" in message

const perform = async <A>(
  { lastReplies, pool, takers }: RunningPool,
  task: JobRequest,
  worker: URL,
  transfer: ReadonlyArray<ArrayBuffer>,
  signal: AbortSignal
): Promise<Reply.Reply<A>> => {
  const ending = new AbortController()
  const end = () => ending.abort()
  signal.addEventListener("abort", end)
  if (signal.aborted) end()
  const last = new Promise<LastReply>((resolve) => lastReplies.set(task.id, resolve))
  const taken = new SharedArrayBuffer(4)
  const assembly = new Pieces.Assembly()
  takers.set(task.id, (piece) => {
    assembly.add(piece)
    // The thread sends the next when others had their turn.
    setImmediate(() => {
      Atomics.add(new Int32Array(taken), 0, 1)
      Atomics.notify(new Int32Array(taken), 0)
    })
  })
  try {
    const first = await Promise.race([
      // the file is named here and not in the pool, where one that does not load would leave the job waiting for ever
      pool.run({ ...task, taken }, { filename: worker.href, signal: ending.signal, transferList: [...transfer] }),
      last
    ])
    if (!isLastReply(first)) return Reply.whole(first as Reply.Reply<A>, assembly)
    const thread = pool.threads.find(({ threadId }) => threadId === first.threadId)
    const gone = new Promise((resolve) => (thread === undefined ? resolve(null) : thread.once("exit", resolve)))
    end()
    await gone
    return Reply.whole(first.reply as Reply.Reply<A>, assembly)
  } finally {
    lastReplies.delete(task.id)
    takers.delete(task.id)
    signal.removeEventListener("abort", end)
  }
}

const ended = (job: string, cause: unknown, megabytes: number): ThreadError => {
  const detail = cause instanceof Error ? cause.message : String(cause)
  const isOutOfMemory =
    cause instanceof JobProcess.ProcessEnded
      ? cause.outOfMemory
      : cause instanceof Error && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY"
  return isOutOfMemory
    ? new ThreadError({
        reason: "OutOfMemory",
        job,
        message: `The ${job} job needed more than the ${megabytes} MB of heap that a thread may have, and was stopped`
      })
    : new ThreadError({ reason: "Crashed", job, message: `The thread of the ${job} job failed: ${detail}` })
}
