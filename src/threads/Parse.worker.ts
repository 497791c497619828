import * as piscina from "piscina"
import { DocumentError } from "../documents/DocumentError.ts"
import type { Task } from "./ThreadPool.ts"
import * as Reply from "./Reply.ts"
import { isJobName, runJob } from "./RunJob.ts"

/** What a thread of the pool runs: one job after another. Anything else than a `DocumentError` is a bug and rejects. */
export default async ({ job, input }: Task): Promise<unknown> => {
  if (!isJobName(job)) throw new TypeError(`No job is called ${JSON.stringify(job)}`)
  try {
    const reply = Reply.success(await runJob(job, input as Parameters<typeof runJob>[1]))
    return piscina.move({
      [piscina.transferableSymbol]: reply.buffers,
      [piscina.valueSymbol]: reply
    })
  } catch (error) {
    if (error instanceof DocumentError) return Reply.failure(error)
    throw error
  }
}
