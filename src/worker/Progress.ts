import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

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
  readonly lastReportAt: number
  /** Epoch milliseconds by which it must report again; infinity while nothing is asked of it. */
  readonly deadline: number
}

/** How a loop tells that it lives. */
export interface Heartbeat {
  /** "I do this now, and report again within `bound`." */
  readonly expect: (doing: string, bound: Duration.Duration) => Effect.Effect<void>
  /** "I wait for work, for as long as it takes." */
  readonly idle: (doing: string) => Effect.Effect<void>
}

/** How long a loop may be silent beyond what it announced. A call that hangs for 10 s is thus told before 30 s have passed. */
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
  const loops = new Map<string, LoopProgress>()
  const report = (loop: string, doing: string, bound: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      loops.set(loop, { loop, doing, lastReportAt: now, deadline: now + bound })
    })
  return Progress.of({
    register: (loop) =>
      Effect.as(report(loop, "starting", Duration.toMillis(tolerance)), {
        expect: (doing, bound) => report(loop, doing, Duration.toMillis(bound) + Duration.toMillis(tolerance)),
        idle: (doing) => report(loop, doing, Number.POSITIVE_INFINITY)
      }),
    unregister: (loop) => Effect.sync(() => loops.delete(loop)),
    all: Effect.sync(() => [...loops.values()]),
    stalled: Effect.map(Clock.currentTimeMillis, (now) =>
      [...loops.values()]
        .filter((each) => each.deadline <= now)
        .map((each) => ({ loop: each.loop, doing: each.doing, silentMillis: now - each.lastReportAt }))
    )
  })
})

export const layer: Layer.Layer<Progress> = Layer.effect(Progress, make)
