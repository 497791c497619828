import { parentPort, threadId } from "node:worker_threads"
import * as piscina from "piscina"
import { DocumentError } from "../documents/DocumentError.ts"
import type { LastReply, Task } from "./ThreadPool.ts"
import * as Reply from "./Reply.ts"
import { isJobName, leavesMuch, runJob } from "./RunJob.ts"

/** What a thread of the pool runs: one job after another. Anything else than a `DocumentError` is a bug and rejects. */
export default async ({ id, job, input }: Task): Promise<unknown> => {
  if (!isJobName(job)) throw new TypeError(`No job is called ${JSON.stringify(job)}`)
  const given = input as Parameters<typeof runJob>[1]
  const inputBytes = given.bytes.byteLength
  const reply = await runJob(job, given).then(Reply.success, (error: unknown) => {
    if (error instanceof DocumentError) return Reply.failure(error)
    throw error
  })
  const buffers = "buffers" in reply ? reply.buffers : []
  if (leavesMuch(inputBytes) && parentPort !== null) {
    const last: LastReply = { lastReplyTo: id, threadId, reply }
    parentPort.postMessage(last, [...buffers])
    return new Promise(() => undefined)
  }
  return piscina.move({ [piscina.transferableSymbol]: buffers, [piscina.valueSymbol]: reply })
}
