import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { deserialize, serialize } from "node:v8"
import * as FiberRef from "effect/FiberRef"
import * as ProgramFile from "./ProgramFile.ts"
import * as Pieces from "./Pieces.ts"
import * as Reply from "./Reply.ts"

/**
 * Whether the jobs of this fiber run in processes of their own. A thread's death can be its process's death (an abort of the engine, Deno's
 * memory), so what was at work when a worker died is read where nothing else is.
 */
export const isolated: FiberRef.FiberRef<boolean> = FiberRef.unsafeMake(false)

/** What a process says, one after another: pieces of a large result, then what a thread would have sent, or why it could not. */
export type Answer =
  | { readonly piece: Pieces.Piece }
  | { readonly reply: Reply.Reply<unknown> }
  | { readonly rejected: string }

/** An answer as it is written: its length in four bytes, then itself. */
export const framed = (answer: Answer): Buffer => {
  const body = serialize(answer)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(body.length)
  return Buffer.concat([length, body])
}

/** The process ended without an answer. */
export class ProcessEnded extends Error {
  readonly outOfMemory: boolean

  constructor(message: string, outOfMemory: boolean) {
    super(message)
    this.outOfMemory = outOfMemory
  }
}

/** What is kept of the process's complaints. */
const longestComplaint = 16 * 1024

/** Runs one task of the worker file in a new process, which is killed when the signal says so. */
export const perform = <A>(
  worker: URL,
  task: unknown,
  megabytes: number,
  signal: AbortSignal
): Promise<Reply.Reply<A>> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...argumentsOf(megabytes), worker.href], {
      stdio: ["pipe", "pipe", "pipe"],
      env: harmlessEnvironment(),
      signal,
      killSignal: "SIGKILL"
    })
    const answers = new AnswerReader<A>()
    let complaint = ""
    child.on("error", reject)
    // A process that ends before it has read its task breaks the pipe; its end says more.
    child.stdin.on("error", () => undefined)
    child.stdout.on("data", (chunk: Buffer) => answers.add(chunk))
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-longestComplaint)
    })
    child.on("close", (code, end) => {
      const answer = code === 0 ? answers.last : undefined
      if (answer === undefined) {
        const how = end === null ? `its process ended with ${String(code)}` : `its process was ended by ${end}`
        reject(new ProcessEnded(how, /out of memory/i.test(complaint)))
      } else if ("rejected" in answer) reject(new Error(answer.rejected))
      else resolve(answer.reply)
    })
    child.stdin.end(serialize(task))
  })

/** Reads answers as they come in, so that none takes the event loop for long. */
class AnswerReader<A> {
  /** The one that ends the job; undefined until it is there, and where what came cannot be read. */
  last: { readonly reply: Reply.Reply<A> } | { readonly rejected: string } | undefined
  private readonly assembly = new Pieces.Assembly()
  private chunks: Array<Buffer> = []
  private length = 0
  private needed = 4

  add(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.length += chunk.length
    while (this.length >= this.needed) {
      const bytes = Buffer.concat(this.chunks)
      this.needed = 4 + bytes.readUInt32LE()
      if (bytes.length < this.needed) return this.keep(bytes)
      this.take(bytes.subarray(4, this.needed))
      const rest = bytes.subarray(this.needed)
      this.needed = 4
      this.keep(rest)
    }
  }

  private keep(bytes: Buffer): void {
    this.chunks = [bytes]
    this.length = bytes.length
  }

  private take(bytes: Buffer): void {
    const answer = answerOf(bytes)
    if (answer === undefined) this.last = undefined
    else if ("piece" in answer) this.assembly.add(answer.piece)
    else this.last = "reply" in answer ? { reply: Reply.whole(answer.reply as Reply.Reply<A>, this.assembly) } : answer
  }
}

const answerOf = (bytes: Buffer): Answer | undefined => {
  try {
    return deserialize(bytes) as Answer
  } catch {
    return undefined
  }
}

const program = fileURLToPath(ProgramFile.beside("Job.process"))

const isDeno = "Deno" in globalThis

const argumentsOf = (megabytes: number): ReadonlyArray<string> =>
  isDeno
    ? ["run", "-A", "--quiet", `--v8-flags=--max-old-space-size=${megabytes}`, program]
    : [`--max-old-space-size=${megabytes}`, program]

/** A parser of documents needs none of the worker's secrets. */
const harmlessEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "DENO_DIR", "SystemRoot"].flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    })
  )
