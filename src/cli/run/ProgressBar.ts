import process from "node:process"
import { isatty } from "node:tty"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import * as CutText from "../../text/CutText.ts"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { plain } from "./ProblemLine.ts"

/** Where the bar is drawn. */
export interface Screen {
  readonly isTerminal: boolean
  readonly write: (text: string) => void
}

export interface ProgressBar {
  /** Logs to standard error, each line in place of the bar, which comes again below it. */
  readonly logger: Logger.Logger<unknown, void>
  /** Writes a line to standard error in place of the bar. */
  readonly say: (line: string) => Effect.Effect<void>
  /** Takes the bar away before something else is written to the terminal. */
  readonly clear: Effect.Effect<void>
  /** From now on the bar is drawn with this text, of the milliseconds since then, until the scope closes. */
  readonly show: (text: (elapsedMillis: number) => string) => Effect.Effect<void, never, Scope>
}

/** Elsewhere than in a terminal nothing is drawn. */
export const make = (screen: Screen = standardError): ProgressBar => {
  let isShown = false
  const pretty = Logger.prettyLogger({ stderr: true, colors: screen.isTerminal })
  const clear = () => {
    if (screen.isTerminal && isShown) screen.write(eraseLine)
  }
  return {
    logger: Logger.make((entry) => {
      clear()
      pretty.log(entry)
    }),
    say: (line) => Effect.zipRight(Effect.sync(clear), Console.error(line)),
    clear: Effect.sync(clear),
    show: (text) =>
      Effect.gen(function* () {
        if (!screen.isTerminal) return
        isShown = true
        const startedAt = yield* MonotonicTime.now
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            clear()
            isShown = false
          })
        )
        yield* MonotonicTime.now.pipe(
          Effect.map((now) => screen.write(`${eraseLine}${CutText.cut(plain(text(now - startedAt)), widest)}`)),
          Effect.repeat(Schedule.spaced("200 millis")),
          Effect.forkScoped
        )
      })
  }
}

const eraseLine = "\r\u001b[2K"

const width = 30

/** A longer line would wrap, and only its last part be erased. */
const widest = 79

/** `[#####.....]` for so many of all. */
export const bar = (done: number, all: number): string => {
  const filled = all === 0 ? 0 : Math.round((Math.min(done, all) / all) * width)
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}]`
}

const standardError: Screen = {
  isTerminal: isatty(2),
  write: (text) => {
    process.stderr.write(text)
  }
}
