import process from "node:process"
import { isatty } from "node:tty"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import * as CutText from "../../text/CutText.ts"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import type { Listener } from "./LocalCatalog.ts"
import { plain } from "./ProblemLine.ts"

/** Where the bar is drawn. */
export interface Screen {
  readonly isTerminal: boolean
  readonly write: (text: string) => void
}

export interface ProgressBar {
  readonly listener: Listener
  /** Logs to standard error, each line in place of the bar, which comes again below it. */
  readonly logger: Logger.Logger<unknown, void>
  /** From now on the bar is drawn, for these nodes, until the scope closes. */
  readonly show: (executorIds: ReadonlyArray<string>) => Effect.Effect<void, never, Scope>
}

/** The nodes that have worked, of all, and what works now. Elsewhere than in a terminal nothing is drawn. */
export const make = (screen: Screen = standardError): ProgressBar => {
  const working = new Map<string, number>()
  const ended = new Set<string>()
  let nodes: ReadonlySet<string> = new Set()
  const pretty = Logger.prettyLogger({ stderr: true, colors: screen.isTerminal })
  const clear = () => {
    if (screen.isTerminal && nodes.size > 0) screen.write(eraseLine)
  }
  const draw = (elapsedMillis: number) => {
    const done = [...ended].filter((id) => !working.has(id)).length
    const now = [...working].map(([id, items]) => `${id} (${items})`).join(", ")
    const text = `${bar(done, nodes.size)} ${done} of ${nodes.size} nodes, ${Math.floor(elapsedMillis / 1000)} s  ${now}`
    screen.write(`${eraseLine}${CutText.cut(plain(text), widest)}`)
  }
  return {
    listener: {
      started: (id, items) =>
        Effect.sync(() => {
          if (nodes.has(id)) working.set(id, items)
        }),
      ended: (id) =>
        Effect.sync(() => {
          working.delete(id)
          if (nodes.has(id)) ended.add(id)
        })
    },
    logger: Logger.make((entry) => {
      clear()
      pretty.log(entry)
    }),
    show: (executorIds) =>
      Effect.gen(function* () {
        if (!screen.isTerminal) return
        nodes = new Set(executorIds)
        const startedAt = yield* MonotonicTime.now
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            clear()
            nodes = new Set()
          })
        )
        yield* MonotonicTime.now.pipe(
          Effect.map((now) => draw(now - startedAt)),
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

const bar = (done: number, all: number): string => {
  const filled = all === 0 ? 0 : Math.round((done / all) * width)
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}]`
}

const standardError: Screen = {
  isTerminal: isatty(2),
  write: (text) => {
    process.stderr.write(text)
  }
}
