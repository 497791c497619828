import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import process from "node:process"
import { format } from "node:util"
import { isTransient, type ServiceError } from "../../domain/ServiceError.ts"
import { plain } from "../run/ProblemLine.ts"
import * as StandardStreams from "../StandardStreams.ts"

export interface WatchOptions {
  readonly watch: boolean
  readonly json: boolean
}

/** Between two looks. */
const interval = Duration.seconds(2)

const isServiceError = (error: unknown): error is ServiceError =>
  typeof error === "object" && error !== null && "_tag" in error && "service" in error

/** Shows what a command says, with `watch` again and again: in the same place of a terminal, and until it is interrupted or nothing reads any more. */
export const redrawn =
  ({ json, watch }: WatchOptions) =>
  <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    watch ? watched(command, json) : command

const watched = <A, E, R>(command: Effect.Effect<A, E, R>, json: boolean): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const first = yield* drawn(command, json)
    const goOn: Effect.Effect<A, E, R> = Effect.suspend(() =>
      StandardStreams.isReaderGone()
        ? Effect.succeed(first)
        : drawn(command, json).pipe(
            // A worker that is started anew is back in a moment.
            Effect.catchIf(
              (error) => isServiceError(error) && isTransient(error),
              (error) => Effect.as(Console.error(plain(error instanceof Error ? error.message : "")), first)
            ),
            Effect.zipRight(Effect.delay(goOn, interval))
          )
    )
    return yield* Effect.delay(goOn, interval)
  })

/** Runs it, and writes what it said at once, so that nothing flickers. */
const drawn = <A, E, R>(command: Effect.Effect<A, E, R>, json: boolean): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    if (json) return yield* command
    const lines: Array<string> = []
    const say = (...parts: ReadonlyArray<unknown>) => void lines.push(...format(...parts).split("\n"))
    const current = yield* Effect.console
    const result = yield* Effect.withConsole(command, {
      ...current,
      log: (...parts) => Effect.sync(() => say(...parts)),
      error: (...parts) => Effect.sync(() => say(...parts)),
      unsafe: { ...current.unsafe, log: say, error: say }
    })
    const now = DateTime.formatIso(DateTime.unsafeMake(yield* Clock.currentTimeMillis))
      .slice(0, 19)
      .replace("T", " ")
    yield* Console.log(frame(`${now}, every ${Duration.format(interval)}`, lines))
    return result
  })

/** A terminal is cleared, and shows as much as fits; other readers get the frames one after the other. */
const frame = (head: string, lines: ReadonlyArray<string>): string => {
  const { isTTY, rows } = process.stdout
  const shown = isTTY && lines.length > rows - 3 ? [...lines.slice(0, rows - 4), "…"] : lines
  return [`${isTTY ? "\u001b[H\u001b[2J" : ""}${head}`, "", ...shown, ...(isTTY ? [] : [""])].join("\n")
}
