import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { deserialize, serialize } from "node:v8"
import * as FiberRef from "effect/FiberRef"
import * as ProgramFile from "./ProgramFile.ts"
import type * as Reply from "./Reply.ts"

/**
 * Whether the jobs of this fiber run in processes of their own. A thread's death can be its process's death (an abort of the engine, Deno's
 * memory), so what was at work when a worker died is read where nothing else is.
 */
export const isolated: FiberRef.FiberRef<boolean> = FiberRef.unsafeMake(false)

/** How a process answers: what a thread would have sent, or why it could not. */
export type Answer = { readonly reply: Reply.Reply<unknown> } | { readonly rejected: string }

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
    const chunks: Array<Buffer> = []
    let complaint = ""
    child.on("error", reject)
    // A process that ends before it has read its task breaks the pipe; its end says more.
    child.stdin.on("error", () => undefined)
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-longestComplaint)
    })
    child.on("close", (code, end) => {
      const answer = code === 0 ? answerOf(Buffer.concat(chunks)) : undefined
      if (answer === undefined) {
        const how = end === null ? `its process ended with ${String(code)}` : `its process was ended by ${end}`
        reject(new ProcessEnded(how, /out of memory/i.test(complaint)))
      } else if ("rejected" in answer) reject(new Error(answer.rejected))
      else resolve(answer.reply as Reply.Reply<A>)
    })
    child.stdin.end(serialize(task))
  })

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
