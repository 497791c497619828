import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"

/** A loop that promised to report again and did not. */
export interface Stalled {
  readonly loop: string
  readonly doing: string
  /** Milliseconds since it last reported. */
  readonly silentMillis: number
}

export interface LoopProgress {
  readonly loop: string
  readonly doing: string
  /** Epoch milliseconds, for people. */
  readonly lastReportAt: number
  /** Milliseconds since it last reported. */
  readonly silentMillis: number
}

interface Report extends Omit<LoopProgress, "silentMillis"> {
  /** When it was made, in monotonic milliseconds. */
  readonly at: number
  /** By when the next must be made; infinity while nothing is asked of the loop. */
  readonly deadline: number
}

/** Reports that a loop is alive. */
export interface Heartbeat {
  /** "I do this now, and report again within `bound`." */
  readonly expect: (doing: string, bound: Duration.Duration) => Effect.Effect<void>
  /** "I wait for work, for as long as it takes." */
  readonly idle: (doing: string) => Effect.Effect<void>
}

/** How long a loop may be silent beyond what it announced. A call that hangs for 10 s is thus reported before 30 s have passed. */
export const tolerance = Duration.seconds(15)

/** Which loops of this process make progress. A loop that is not registered is not expected. */
export class Progress extends Context.Tag("contentflow-worker/worker/Progress")<
  Progress,
  {
    /** Starts to watch a loop; the same name again goes on watching the same loop. */
    readonly register: (loop: string) => Effect.Effect<Heartbeat>
    readonly unregister: (loop: string) => Effect.Effect<void>
    readonly all: Effect.Effect<ReadonlyArray<LoopProgress>>
    readonly stalled: Effect.Effect<ReadonlyArray<Stalled>>
  }
>() {}

const make = Effect.sync(() => {
  const loops = new Map<string, Report>()
  const report = (loop: string, doing: string, bound: number) =>
    Effect.clockWith((clock) =>
      Effect.sync(() => {
        const at = MonotonicTime.unsafeNow(clock)
        loops.set(loop, { loop, doing, lastReportAt: clock.unsafeCurrentTimeMillis(), at, deadline: at + bound })
      })
    )
  return Progress.of({
    register: (loop) =>
      Effect.as(report(loop, "starting", Duration.toMillis(tolerance)), {
        expect: (doing, bound) => report(loop, doing, Duration.toMillis(bound) + Duration.toMillis(tolerance)),
        idle: (doing) => report(loop, doing, Number.POSITIVE_INFINITY)
      }),
    unregister: (loop) => Effect.sync(() => loops.delete(loop)),
    all: Effect.map(MonotonicTime.now, (now) =>
      [...loops.values()].map(({ at, doing, lastReportAt, loop }) => ({
        loop,
        doing,
        lastReportAt,
        silentMillis: now - at
      }))
    ),
    stalled: Effect.map(MonotonicTime.now, (now) =>
      [...loops.values()]
        .filter((each) => each.deadline <= now)
        .map((each) => ({ loop: each.loop, doing: each.doing, silentMillis: now - each.at }))
    )
  })
})

export const layer: Layer.Layer<Progress> = Layer.effect(Progress, make)
