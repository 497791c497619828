import { Effect } from "effect"
import type { Dice } from "./Dice.ts"
import * as World from "./World.ts"

/**
 * Other programs that read the task queue and let go what they got: a person's queue explorer, a monitor. Each message is handed out more
 * often than a worker may die over it.
 */
export const make = (world: World.World, dice: Dice) => {
  const counts = { deliveries: 0 }

  const look = Effect.gen(function* () {
    const { receivedMessageItems } = yield* Effect.tryPromise(() =>
      world.tasks.receiveMessages({ numberOfMessages: 8, visibilityTimeout: dice.between(1, 3) })
    )
    counts.deliveries += receivedMessageItems.length
    // One in three is left to its timeout.
    yield* Effect.forEach(
      receivedMessageItems,
      ({ messageId, popReceipt }) =>
        dice.next() < 0.33
          ? Effect.void
          : Effect.tryPromise(() => world.tasks.updateMessage(messageId, popReceipt, undefined, 0)),
      { concurrency: "unbounded", discard: true }
    )
  })

  return {
    counts,
    /** Reads a few times in a row; where the emulator is away there is nothing to read. */
    read: Effect.suspend(() => Effect.ignore(Effect.repeatN(look, dice.between(4, 8))))
  }
}

export type ForeignReaders = ReturnType<typeof make>
