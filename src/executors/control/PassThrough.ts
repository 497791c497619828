import * as Effect from "effect/Effect"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import * as Executor from "../../executor/Executor.ts"
import * as ItemLog from "../../executor/ItemLog.ts"

/** `pass_through`: gives every item on as it is, with one `completed` log entry. */
export const executor = Executor.define({
  type: "pass_through",
  aliases: ["pass_through_executor"],
  category: "Utility",
  name: "Pass Through",
  description: "Gives the items on unchanged: an end node, or a place to look at what flows.",
  settings: {},
  make: (_, context) =>
    Effect.succeed({
      process: (items) =>
        Effect.flatMap(ItemLog.start(context), (log) => EventLoopTurns.map(items, (item) => log.completed(item)))
    })
})
