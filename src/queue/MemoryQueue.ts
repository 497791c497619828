import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as MessageBody from "./MessageBody.ts"
import { LeaseLost, type Receipt, type ReceivedMessage, TaskQueue } from "./TaskQueue.ts"
import * as VisibilityHeap from "./VisibilityHeap.ts"

export type Operation = Exclude<keyof TaskQueue["Type"], "awaitSend">

/** What a test or an embedding program can do to a queue in memory beside using it. */
export class MemoryQueue extends Context.Tag("contentflow-worker/queue/MemoryQueue")<
  MemoryQueue,
  {
    /** The next call of `operation` fails and does nothing; further faults of the same operation wait for their turn. */
    readonly failNext: (operation: Operation, error: ServiceError) => Effect.Effect<void>
    /** The next call of `operation` does its work, then fails: its answer was lost. */
    readonly loseNext: (operation: Operation, error: ServiceError) => Effect.Effect<void>
    /** The bodies in the queue, the invisible ones included, in the order of their arrival. */
    readonly bodies: Effect.Effect<ReadonlyArray<string>>
    readonly poison: Effect.Effect<ReadonlyArray<string>>
    /** Removes all tasks, the leased ones included, as the service's own operation does. */
    readonly clear: Effect.Effect<void>
  }
>() {}

interface Message extends VisibilityHeap.Waiting {
  readonly id: string
  readonly insertedAt: number
  body: string
  dequeueCount: number
  /** Null until the first receive. */
  receipt: string | null
}

interface PoisonedMessage {
  readonly id: string
  readonly body: string
  readonly insertedAt: number
  visibleAt: number
  dequeueCount: number
  receipt: string | null
}

const make = Effect.gen(function* () {
  const messages = new Map<string, Message>()
  const waiting = VisibilityHeap.make<Message>()
  const poison = new Map<string, PoisonedMessage>()
  const faults = new Map<Operation, Array<{ readonly error: ServiceError; readonly worked: boolean }>>()
  const sent = yield* Queue.sliding<void>(1)
  // One counter for ids, receipts and turns: each of its numbers is used once.
  let count = 0

  const withFaults = <A, E>(operation: Operation, effect: Effect.Effect<A, E>): Effect.Effect<A, E | ServiceError> =>
    Effect.suspend((): Effect.Effect<A, E | ServiceError> => {
      const fault = faults.size === 0 ? undefined : faults.get(operation)?.shift()
      if (fault === undefined) return effect
      return fault.worked ? Effect.zipRight(effect, Effect.fail(fault.error)) : Effect.fail(fault.error)
    })
  const plan = (operation: Operation, error: ServiceError, worked: boolean) =>
    Effect.sync(() => {
      faults.set(operation, [...(faults.get(operation) ?? []), { error, worked }])
    })

  const forget = (message: Message) => {
    messages.delete(message.id)
    waiting.remove(message)
  }
  const owned = (lease: Receipt): Message | LeaseLost => {
    const message = messages.get(lease.id)
    if (message !== undefined && message.receipt === lease.receipt) return message
    return new LeaseLost({
      messageId: lease.id,
      message: `Message ${lease.id} is no longer ours: it was deleted, or received by somebody else.`
    })
  }
  const withOwned = <A>(lease: Receipt, use: (message: Message, now: number) => A): Effect.Effect<A, LeaseLost> =>
    Effect.clockWith((clock) => {
      const now = MonotonicTime.unsafeNow(clock)
      const message = owned(lease)
      return message instanceof LeaseLost ? message : Effect.succeed(use(message, now))
    })

  const visiblePoison = (max: number, now: number): ReadonlyArray<PoisonedMessage> => {
    const found: Array<PoisonedMessage> = []
    for (const message of poison.values()) {
      if (found.length >= Math.min(max, 32)) break
      if (message.visibleAt <= now) found.push(message)
    }
    return found
  }
  const ownedPoison = (lease: Receipt, use: (message: PoisonedMessage, now: number) => void) =>
    Effect.clockWith((clock) => {
      const message = poison.get(lease.id)
      if (message === undefined || message.receipt !== lease.receipt) {
        return new LeaseLost({ messageId: lease.id, message: `Message ${lease.id} is no longer ours.` })
      }
      return Effect.sync(() => use(message, MonotonicTime.unsafeNow(clock)))
    })

  const add = (body: string, now: number) => {
    const turn = ++count
    const message: Message = {
      id: `message-${turn}`,
      body,
      insertedAt: now,
      dequeueCount: 0,
      receipt: null,
      visibleAt: now,
      turn,
      slot: 0
    }
    messages.set(message.id, message)
    waiting.add(message)
  }
  /** Invisible until `visibleAt`; the receipts given before are void. */
  const hide = (message: Message, visibleAt: number): string => {
    const receipt = `receipt-${++count}`
    message.receipt = receipt
    message.visibleAt = visibleAt
    message.turn = count
    waiting.moved(message)
    return receipt
  }
  const take = (max: number, visibility: number, now: number): ReadonlyArray<ReceivedMessage> => {
    const received: Array<ReceivedMessage> = []
    const visibleAt = now + Math.max(1, visibility)
    while (received.length < max) {
      const message = waiting.first()
      if (message === undefined || message.visibleAt > now) break
      const receipt = hide(message, visibleAt)
      message.dequeueCount++
      const { body, dequeueCount, id, insertedAt } = message
      received.push({ id, receipt, body, dequeueCount, insertedAt })
    }
    return received
  }

  const queue = TaskQueue.of({
    send: (body) =>
      withFaults(
        "send",
        Effect.zipRight(
          MessageBody.check(service, "send a task", body),
          Effect.clockWith((clock) => {
            add(body, MonotonicTime.unsafeNow(clock))
            return Effect.asVoid(Queue.offer(sent, undefined))
          })
        )
      ),
    receive: (max, visibility) =>
      withFaults(
        "receive",
        Effect.clockWith((clock) =>
          Effect.sync(() => take(Math.min(max, 32), Duration.toMillis(visibility), MonotonicTime.unsafeNow(clock)))
        )
      ),
    update: (lease, visibility, body) =>
      withFaults(
        "update",
        (body === undefined ? Effect.void : MessageBody.check(service, "update a task", body)).pipe(
          Effect.zipRight(
            withOwned(lease, (message, now) => {
              if (body !== undefined) message.body = body
              return { id: message.id, receipt: hide(message, now + Duration.toMillis(visibility)) }
            })
          )
        )
      ),
    complete: (lease) => withFaults("complete", withOwned(lease, forget)),
    sendPoison: (body) =>
      withFaults(
        "sendPoison",
        Effect.zipRight(
          MessageBody.check(service, "send a poison message", body),
          Effect.clockWith((clock) =>
            Effect.sync(() => {
              const now = MonotonicTime.unsafeNow(clock)
              const id = `poison-${++count}`
              poison.set(id, { id, body, insertedAt: now, visibleAt: now, dequeueCount: 0, receipt: null })
            })
          )
        )
      ),
    peekPoison: (max) =>
      withFaults(
        "peekPoison",
        Effect.clockWith((clock) =>
          Effect.sync(() =>
            visiblePoison(max, MonotonicTime.unsafeNow(clock)).map(({ body, id, insertedAt }) => ({
              id,
              body,
              insertedAt
            }))
          )
        )
      ),
    receivePoison: (max, visibility) =>
      withFaults(
        "receivePoison",
        Effect.clockWith((clock) =>
          Effect.sync(() => {
            const now = MonotonicTime.unsafeNow(clock)
            return visiblePoison(max, now).map((message): ReceivedMessage => {
              const receipt = `receipt-${++count}`
              message.receipt = receipt
              message.visibleAt = now + Duration.toMillis(visibility)
              message.dequeueCount++
              const { body, dequeueCount, id, insertedAt } = message
              return { id, receipt, body, dequeueCount, insertedAt }
            })
          })
        )
      ),
    releasePoison: (lease) =>
      withFaults(
        "releasePoison",
        ownedPoison(lease, (message, now) => {
          message.visibleAt = now
        })
      ),
    completePoison: (lease) =>
      withFaults(
        "completePoison",
        ownedPoison(lease, ({ id }) => {
          poison.delete(id)
        })
      ),
    stats: withFaults(
      "stats",
      Effect.clockWith((clock) =>
        Effect.sync(() => {
          const now = MonotonicTime.unsafeNow(clock)
          let oldest = Infinity
          for (const { insertedAt, visibleAt } of waiting.members) {
            if (visibleAt <= now && insertedAt < oldest) oldest = insertedAt
          }
          return {
            depth: messages.size,
            oldestAgeMillis: oldest === Infinity ? null : now - oldest,
            poisonDepth: poison.size
          }
        })
      )
    ),
    check: withFaults("check", Effect.void),
    awaitSend: Queue.take(sent)
  })

  const control = MemoryQueue.of({
    failNext: (operation, error) => plan(operation, error, false),
    loseNext: (operation, error) => plan(operation, error, true),
    bodies: Effect.sync(() => Array.from(messages.values(), (message) => message.body)),
    poison: Effect.sync(() => Array.from(poison.values(), ({ body }) => body)),
    clear: Effect.sync(() => {
      for (const message of messages.values()) forget(message)
    })
  })

  return Context.make(TaskQueue, queue).pipe(Context.add(MemoryQueue, control))
})

/** An empty queue in this process, on Effect's monotonic clock. It behaves as Azure's does, with visibilities to the millisecond. */
export const layer: Layer.Layer<TaskQueue | MemoryQueue> = Layer.effectContext(make)

const service = "Memory queue"
