import { Console } from "node:console"
import process from "node:process"
import { once } from "node:events"
import { deserialize } from "node:v8"
import * as piscina from "piscina"
import { type Answer, framed } from "./JobProcess.ts"
import type { Piece } from "./Pieces.ts"
import type * as Reply from "./Reply.ts"

/** What a process for one job runs: the task comes on standard input, the answer goes to standard output, and that is its end. */
const main = async (worker: string): Promise<void> => {
  // Nothing else may be written among the answer.
  globalThis.console = new Console(process.stderr)
  const { default: run } = (await import(worker)) as {
    readonly default: (task: unknown, send: (piece: Piece) => Promise<void>) => Promise<unknown>
  }
  const chunks: Array<Uint8Array> = []
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
  const answer = await run(deserialize(Buffer.concat(chunks)), send).then(
    (result): Answer => ({ reply: replyOf(result) }),
    (error: unknown): Answer => ({ rejected: error instanceof Error ? error.message : String(error) })
  )
  process.stdout.write(framed(answer), () => process.exit(0))
}

const send = async (piece: Piece): Promise<void> => {
  if (!process.stdout.write(framed({ piece }))) await once(process.stdout, "drain")
}

/** A thread moves its reply, with the value beside what is moved. */
const replyOf = (result: unknown): Reply.Reply<unknown> =>
  (typeof result === "object" && result !== null && piscina.valueSymbol in result
    ? (result as Readonly<Record<symbol, unknown>>)[piscina.valueSymbol]
    : result) as Reply.Reply<unknown>

await main(process.argv[2] ?? "")
