import * as Runtime from "@effect/platform/Runtime"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import process from "node:process"
import * as Cli from "./Cli.ts"
import { isService } from "./Services.ts"
import * as ProcessConsole from "./ProcessConsole.ts"
import * as Signals from "./Signals.ts"
import * as StandardStreams from "./StandardStreams.ts"

/** A result that a full disk swallowed is no success; a reader that has seen enough is. */
const unlessLost = (code: number) =>
  Effect.suspend(() => {
    const { code: reason, isFault } = StandardStreams.lost()
    return code === 0 && isFault && !isService(process.argv)
      ? Effect.as(Console.error(`Standard output can't be written (${reason}): the result is not complete.`), 1)
      : Effect.succeed(code)
    // A stream reports its failure only after the turn that wrote.
  }).pipe(Effect.delay("0 millis"))

const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const keepAlive = setInterval(() => undefined, 2 ** 31 - 1)
  Signals.onStop(() => fiber.unsafeInterruptAsFork(fiber.id()))
  fiber.addObserver((exit) => {
    clearInterval(keepAlive)
    teardown(exit, (code) => {
      if (Signals.hasStopped() || code !== 0) process.exit(code)
      Signals.forget()
    })
  })
})

/** Runs the command line of this process to its end. */
export const main = (): void =>
  runMain(
    Cli.run(process.argv).pipe(ProcessConsole.provide, Effect.flatMap(unlessLost), Effect.provide(NodeContext.layer)),
    {
      disableErrorReporting: true,
      disablePrettyLogger: true,
      teardown: Cli.teardown(process.argv)
    }
  )
