import { parentPort, threadId } from "node:worker_threads"
import * as piscina from "piscina"
import { DocumentError } from "../documents/DocumentError.ts"
import type { LastReply, SentPiece, JobRequest } from "./ThreadPool.ts"
import type { Piece } from "./Pieces.ts"
import * as Reply from "./Reply.ts"
import { isJobName, leavesMuch, runJob } from "./RunJob.ts"

/** What a thread of the pool runs: one job after another. Anything else than a `DocumentError` is a bug and rejects. */
export default async (task: JobRequest, send: (piece: Piece) => Promise<void> = sendTo(task)): Promise<unknown> => {
  const { id, job, input } = task
  if (!isJobName(job)) throw new TypeError(`No job is called ${JSON.stringify(job)}`)
  const given = input as Parameters<typeof runJob>[1]
  const inputBytes = given.bytes.byteLength
  const result = await runJob(job, given).then(Reply.success, (error: unknown) => {
    if (error instanceof DocumentError) return Reply.failure(error)
    throw error
  })
  const reply = await Reply.ahead(result, send)
  const buffers = "buffers" in reply ? reply.buffers : []
  if (leavesMuch(inputBytes) && parentPort !== null) {
    const last: LastReply = { lastReplyTo: id, threadId, reply }
    parentPort.postMessage(last, [...buffers])
    return new Promise(() => undefined)
  }
  return piscina.move({ [piscina.transferableSymbol]: buffers, [piscina.valueSymbol]: reply })
}

/** Sends pieces as the event loop finds time for them: until it has taken one, the thread stands still. */
const sendTo = ({ id, taken }: JobRequest): ((piece: Piece) => Promise<void>) => {
  const count = new Int32Array(taken ?? new SharedArrayBuffer(4))
  let sent = 0
  return (piece) => {
    const message: SentPiece = { pieceOf: id, piece }
    parentPort?.postMessage(message, [])
    sent += 1
    for (let seen = Atomics.load(count, 0); seen < sent; seen = Atomics.load(count, 0)) Atomics.wait(count, 0, seen)
    return Promise.resolve()
  }
}
