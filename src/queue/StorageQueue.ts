import type { QueueClient } from "@azure/storage-queue"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { call, request, type StorageCall } from "../azure/StorageCall.ts"
import { StorageClients } from "../azure/StorageClients.ts"
import type { StorageFailure } from "../azure/StorageErrors.ts"
import { AzureConfig } from "../azure/AzureConfig.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as MessageBody from "./MessageBody.ts"
import { LeaseLost, type Receipt, type ReceivedMessage, TaskQueue } from "./TaskQueue.ts"

/*
 * Answers can get lost after the service did what was asked. What that means here, and why only some calls are repeated:
 *
 * - send, sendPoison: repeated; the message may exist twice. A second task is harmless, because task and execution ids are derived
 *   from what the task is about, and a second poison message only says the same again.
 * - receive: not repeated. The messages stay invisible until their visibility ends, and their dequeue count has grown by one.
 * - update: not repeated. The new receipt was in the lost answer, so a repetition fails with LeaseLost although no other worker has
 *   the message; it becomes visible when the visibility ends, and the next attempt finds the execution as this one left it.
 * - complete: not repeated here, but the caller may. A repetition that fails with LeaseLost means that the message is deleted, or
 *   that another worker received it in between: the service answers 404 in both cases. Either way it is no longer ours, and the
 *   caller, who recorded the result before, has nothing left to do.
 */

const make = Effect.gen(function* () {
  const settings = yield* AzureConfig
  const clients = yield* StorageClients
  const tasks = clients.queue(settings.queueName)
  const poison = clients.queue(settings.poisonQueueName)
  // One place is enough: it says that something came since the poller looked last.
  const sent = yield* Queue.sliding<void>(1)

  const createTasks = create(tasks)
  const createPoison = create(poison)
  if (settings.createMissingResources) yield* Effect.all([createTasks, createPoison], { discard: true })

  const put = (queue: QueueClient, span: string, body: string) => {
    const send = described(queue, span, `send to ${queue.name}`, "few")
    return MessageBody.check(send.service, send.operation, body).pipe(
      Effect.zipRight(
        call(send, (abortSignal) => queue.sendMessage(body, { abortSignal, messageTimeToLive: neverExpires }))
      ),
      Effect.asVoid
    )
  }
  const depth = (queue: QueueClient) =>
    call(described(queue, "StorageQueue.depth", `count the messages of ${queue.name}`, "few"), (abortSignal) =>
      queue.getProperties({ abortSignal })
    ).pipe(Effect.map((properties) => properties.approximateMessagesCount ?? 0))

  const receiving = described(tasks, "StorageQueue.receive", `receive from ${tasks.name}`, "none")
  const updating = described(tasks, "StorageQueue.update", `update a message of ${tasks.name}`, "none")
  const completing = described(tasks, "StorageQueue.complete", `delete a message of ${tasks.name}`, "none")
  const receivingPoison = described(poison, "StorageQueue.receivePoison", `receive from ${poison.name}`, "none")
  const updatingPoison = described(poison, "StorageQueue.updatePoison", `update a message of ${poison.name}`, "none")
  const completingPoison = described(
    poison,
    "StorageQueue.completePoison",
    `delete a message of ${poison.name}`,
    "none"
  )
  const peekingPoison = described(poison, "StorageQueue.peekPoison", `peek at ${poison.name}`, "few")
  const peeking = described(tasks, "StorageQueue.peek", `peek at ${tasks.name}`, "few")

  const receive = (
    queue: QueueClient,
    description: StorageCall,
    max: number,
    visibility: Duration.DurationInput
  ): Effect.Effect<ReadonlyArray<ReceivedMessage>, ServiceError> => {
    const numberOfMessages = Math.min(Math.floor(max), maxMessages)
    if (!(numberOfMessages >= 1)) return Effect.succeed([])
    const visibilityTimeout = Math.max(1, seconds(visibility))
    return call(description, (abortSignal) =>
      queue.receiveMessages({ numberOfMessages, visibilityTimeout, abortSignal })
    ).pipe(
      Effect.map((answer) =>
        answer.receivedMessageItems.map((message) => ({
          id: message.messageId,
          receipt: message.popReceipt,
          body: message.messageText,
          dequeueCount: message.dequeueCount,
          insertedAt: message.insertedOn.getTime()
        }))
      )
    )
  }
  /** Nothing was ever set aside. */
  const noneYet = <A>(call: Effect.Effect<ReadonlyArray<A>, ServiceError>) =>
    Effect.catchTag(call, "NotFound", () => Effect.succeed<ReadonlyArray<A>>([]))

  return TaskQueue.of({
    send: (body) => Effect.zipRight(put(tasks, "StorageQueue.send", body), Effect.asVoid(Queue.offer(sent, undefined))),

    receive: (max, visibility) => receive(tasks, receiving, max, visibility),

    update: (lease, visibility, body) =>
      (body === undefined ? Effect.void : MessageBody.check(updating.service, updating.operation, body)).pipe(
        Effect.zipRight(
          // Without a text the request has no body, and the message keeps its own.
          request(updating, (abortSignal) =>
            tasks.updateMessage(lease.id, lease.receipt, body, seconds(visibility), { abortSignal })
          ).pipe(Effect.mapError(leaseOr(lease)))
        ),
        Effect.map((answer) => ({ id: lease.id, receipt: answer.popReceipt ?? lease.receipt }))
      ),

    complete: (lease) =>
      request(completing, (abortSignal) => tasks.deleteMessage(lease.id, lease.receipt, { abortSignal })).pipe(
        Effect.mapError(leaseOr(lease)),
        Effect.asVoid
      ),

    sendPoison: (body) => {
      const send = put(poison, "StorageQueue.sendPoison", body)
      return Effect.catchTag(send, "NotFound", () => Effect.zipRight(createPoison, send))
    },

    peekPoison: (max) =>
      noneYet(
        call(peekingPoison, (abortSignal) =>
          poison.peekMessages({
            numberOfMessages: Math.max(1, Math.min(Math.floor(max), maxMessages)),
            abortSignal
          })
        ).pipe(
          Effect.map((answer) =>
            answer.peekedMessageItems.map((message) => ({
              id: message.messageId,
              body: message.messageText,
              insertedAt: message.insertedOn.getTime()
            }))
          )
        )
      ),
    receivePoison: (max, visibility) => noneYet(receive(poison, receivingPoison, max, visibility)),
    releasePoison: (lease) =>
      request(updatingPoison, (abortSignal) =>
        poison.updateMessage(lease.id, lease.receipt, undefined, 0, { abortSignal })
      ).pipe(Effect.mapError(leaseOr(lease)), Effect.asVoid),
    completePoison: (lease) =>
      request(completingPoison, (abortSignal) => poison.deleteMessage(lease.id, lease.receipt, { abortSignal })).pipe(
        Effect.mapError(leaseOr(lease)),
        Effect.asVoid
      ),

    stats: Effect.all(
      [
        depth(tasks),
        Effect.catchTag(depth(poison), "NotFound", () => Effect.succeed(0)),
        call(peeking, (abortSignal) => tasks.peekMessages({ numberOfMessages: maxMessages, abortSignal }))
      ],
      { concurrency: "unbounded" }
    ).pipe(
      Effect.flatMap(([depth, poisonDepth, peeked]) =>
        Effect.clockWith((clock) => {
          const now = peeked.date?.getTime() ?? clock.unsafeCurrentTimeMillis()
          const inserted = peeked.peekedMessageItems.map((message) => message.insertedOn.getTime())
          const oldestAgeMillis = inserted.length === 0 ? null : Math.max(0, now - Math.min(...inserted))
          return Effect.succeed({ depth, oldestAgeMillis, poisonDepth })
        })
      )
    ),

    check: Effect.zipRight(depth(tasks), createPoison),

    awaitSend: Queue.take(sent)
  })
})

/** The queues of the settings; created here when `createMissingResources` says so. */
export const layer: Layer.Layer<TaskQueue, ServiceError, AzureConfig | StorageClients> = Layer.effect(TaskQueue, make)

/** The service's own limit for one receive. */
const maxMessages = 32

/** As a time to live, in the service's words: a task waits as long as no worker runs, where the default would drop it after 7 days. */
const neverExpires = -1

/** The service counts in whole seconds, up to 7 days; rounding up never ends a lease early. */
const seconds = (visibility: Duration.DurationInput): number =>
  Math.min(Math.ceil(Duration.toSeconds(visibility)), Duration.toSeconds("7 days"))

const described = (
  queue: QueueClient,
  span: string,
  operation: string,
  retries: StorageCall["retries"]
): StorageCall => ({ service: "Storage Queue", operation, host: new URL(queue.url).host, span, retries })

const create = (queue: QueueClient) =>
  call(described(queue, "StorageQueue.create", `create ${queue.name}`, "few"), (abortSignal) =>
    queue.createIfNotExists({ abortSignal })
  ).pipe(Effect.asVoid)

const leaseOr =
  (lease: Receipt) =>
  ({ code, error }: StorageFailure): ServiceError | LeaseLost =>
    code === "MessageNotFound" || code === "PopReceiptMismatch"
      ? new LeaseLost({
          messageId: lease.id,
          message: `Message ${lease.id} is no longer ours: it was deleted, or received by somebody else (${code}).`
        })
      : error
