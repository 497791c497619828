import { CosmosClient, type Container, type PatchOperation } from "@azure/cosmos"
import { QueueClient, type DequeuedMessageItem } from "@azure/storage-queue"
import { Effect } from "effect"
import * as Emulators from "../../src/cli/demo/Emulators.ts"
import * as Bench from "./Bench.ts"
import type { Drain, DrainOptions } from "./Measurement.ts"
import * as Emulation from "./Emulation.ts"

/**
 * The least that a task costs with the SDKs: the engine's calls with bodies of the same size, and nothing around them: no leases, no
 * time-outs, no retries, no checks, no pipeline.
 */
export const bareDrain: Drain = (options) =>
  Effect.async((resume) => {
    const queue = new QueueClient(options.emulation.addresses.storage.connectionString, Emulation.queueName)
    const executions = new CosmosClient({
      endpoint: options.emulation.addresses.cosmosEndpoint,
      key: Emulators.cosmosKey,
      connectionPolicy: { enableEndpointDiscovery: false }
    })
      .database(Emulation.database)
      .container(Emulation.containers.executions)
    const loop = { stopped: false }
    receiving(queue, executions, options, loop).catch((cause: unknown) => resume(Effect.fail(cause)))
    return Effect.sync(() => {
      loop.stopped = true
    })
  })

/** Receives for the places that are free, as the engine does. */
const receiving = async (
  queue: QueueClient,
  executions: Container,
  options: DrainOptions,
  loop: { readonly stopped: boolean }
): Promise<void> => {
  let free = options.workers
  let wake: () => void = () => undefined
  while (!loop.stopped) {
    if (free === 0) await new Promise<void>((resume) => void (wake = resume))
    options.onReceive()
    const answer = await queue.receiveMessages({ numberOfMessages: Math.min(free, 32), visibilityTimeout: 300 })
    if (answer.receivedMessageItems.length === 0) await new Promise((resume) => setTimeout(resume, 50))
    for (const message of answer.receivedMessageItems) {
      free--
      void task(queue, executions, message, options).then(() => {
        free++
        wake()
      })
    }
  }
}

const task = async (
  queue: QueueClient,
  executions: Container,
  message: DequeuedMessageItem,
  { onCall, onDone }: DrainOptions
): Promise<void> => {
  const { payload }: { readonly payload: { readonly execution_id: string } } = JSON.parse(message.messageText)
  const item = executions.item(payload.execution_id, payload.execution_id)
  onCall()
  const { etag } = await item.patch({ operations: operations(Bench.running), condition: notTerminal })
  onCall()
  await item.patch(
    { operations: operations(Bench.completed), condition: notTerminal },
    { accessCondition: { type: "IfMatch", condition: etag } }
  )
  onCall()
  await queue.deleteMessage(message.messageId, message.popReceipt)
  onDone()
}

const notTerminal = "FROM c WHERE c.status IN ('pending', 'running')"

const operations = (change: Readonly<Record<string, unknown>>): Array<PatchOperation> =>
  Object.entries(change).map(([key, value]) => ({ op: "set", path: `/${key}`, value }))
