import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ServiceError } from "../domain/ServiceError.ts"

/** A message that we own until `visibleAt`, by this receipt. A renewal gives a new receipt and voids this one. */
export interface ReceivedMessage {
  readonly id: string
  readonly receipt: string
  readonly body: string
  /** How often the queue handed it out, this time included. */
  readonly dequeueCount: number
  /** Epoch milliseconds, in the queue's clock. */
  readonly insertedAt: number
}

/** A message of the poison queue. */
export interface PoisonMessage {
  readonly id: string
  readonly body: string
  /** Epoch milliseconds, in the queue's clock. */
  readonly insertedAt: number
}

/** What proves the ownership of a message. */
export interface Receipt {
  readonly id: string
  readonly receipt: string
}

/** The receipt is void: the message became visible again, and another reader received or deleted it. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  messageId: Schema.String,
  message: Schema.String
}) {}

export interface QueueStats {
  /** Messages in the queue, the invisible ones included; approximate. */
  readonly depth: number
  /** Milliseconds since the oldest visible message was inserted; null when none is visible. */
  readonly oldestAgeMillis: number | null
  readonly poisonDepth: number
}

/** The queue of tasks, and the poison queue beside it. */
export class TaskQueue extends Context.Tag("contentflow-worker/queue/TaskQueue")<
  TaskQueue,
  {
    /** Puts a message at the end; it never expires. Invalid with reason TooLarge when it exceeds 64 KiB. */
    readonly send: (body: string) => Effect.Effect<void, ServiceError>
    /** Up to `max` (at most 32) visible messages in one call, invisible to others for `visibility`. Empty when there is none. */
    readonly receive: (
      max: number,
      visibility: Duration.DurationInput
    ) => Effect.Effect<ReadonlyArray<ReceivedMessage>, ServiceError>
    /** Makes the message invisible for `visibility` from now (zero: visible at once), optionally with a new body; gives the new receipt. */
    readonly update: (
      lease: Receipt,
      visibility: Duration.DurationInput,
      body?: string
    ) => Effect.Effect<Receipt, ServiceError | LeaseLost>
    /** Deletes the message. LeaseLost, after a call whose answer was lost, leaves nothing to do: it is deleted, or another reader's. */
    readonly complete: (lease: Receipt) => Effect.Effect<void, ServiceError | LeaseLost>
    /** Puts a body on the poison queue, for ever; creates that queue when it is missing. */
    readonly sendPoison: (body: string) => Effect.Effect<void, ServiceError>
    /** Up to `max` (at most 32) visible messages of the poison queue; they stay as they are. */
    readonly peekPoison: (max: number) => Effect.Effect<ReadonlyArray<PoisonMessage>, ServiceError>
    /** The same, invisible to others for `visibility`. */
    readonly receivePoison: (
      max: number,
      visibility: Duration.DurationInput
    ) => Effect.Effect<ReadonlyArray<ReceivedMessage>, ServiceError>
    /** Makes a message of the poison queue visible again. */
    readonly releasePoison: (lease: Receipt) => Effect.Effect<void, ServiceError | LeaseLost>
    /** Deletes a message of the poison queue. */
    readonly completePoison: (lease: Receipt) => Effect.Effect<void, ServiceError | LeaseLost>
    /** Three calls of the service; a poison queue that is missing counts as empty. */
    readonly stats: Effect.Effect<QueueStats, ServiceError>
    /** Fails with NotFound when the queue does not exist; makes the poison queue exist. */
    readonly check: Effect.Effect<void, ServiceError>
    /** Completes when this process enqueued something since the last call: the poller need not wait any longer. */
    readonly awaitSend: Effect.Effect<void>
  }
>() {}
