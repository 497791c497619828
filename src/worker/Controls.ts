import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Control, nothingAsked, type Pause, pauseOf } from "../domain/Control.ts"
import * as ControlDocument from "../store/ControlDocument.ts"
import { ControlStore } from "../store/ControlStore.ts"

/** Where work belongs, as pauses name it. */
export type Place = { readonly vault: string | null; readonly pipeline: string } | "all"

/** What people ask of the fleet, as it was last read: at most some seconds old, and never a call for who needs to know. */
export class Controls extends Context.Tag("contentflow-worker/worker/Controls")<
  Controls,
  {
    readonly now: () => Control
    readonly paused: (work: "crawling" | "processing", place: Place) => Pause | undefined
    /** What is asked now, and whenever it changes. */
    readonly changes: Stream.Stream<Control>
    /** Waits until this work rests. */
    readonly untilPaused: (work: "crawling" | "processing", place: Place) => Effect.Effect<Pause>
    /** Waits until it was read once, or can't be read now. */
    readonly ready: Effect.Effect<void>
  }
>() {}

/** Between two reads: an attempt that is called off ends in time wherever it runs. The read costs next to nothing while nothing changes. */
export const interval = Duration.seconds(5)

/** A read that takes longer is given up; the next one comes soon. */
const patience = Duration.seconds(5)

const make = Effect.gen(function* () {
  const document = ControlDocument.make(yield* ControlStore)
  const current = yield* SubscriptionRef.make<Control>(nothingAsked)
  let control: Control = nothingAsked
  let etag: string | undefined

  const refresh = Effect.flatMap(
    Effect.suspend(() => document.look(etag)),
    (seen) => {
      if (seen === undefined || (seen.etag === null && etag === undefined)) return Effect.void
      etag = seen.etag ?? undefined
      control = seen.control
      return SubscriptionRef.set(current, control)
    }
  )

  // What was paused stays paused while the store can't be read.
  let told = false
  const ready = yield* Effect.makeLatch(false)
  yield* refresh.pipe(
    Effect.timeout(patience),
    Effect.matchEffect({
      onFailure: (error) => {
        if (told) return Effect.void
        told = true
        return Effect.logWarning(
          `What is asked of the workers could not be read, and stays as it was: ${error.message}`
        )
      },
      onSuccess: () => {
        told = false
        return Effect.void
      }
    }),
    Effect.zipRight(ready.open),
    Effect.zipRight(Effect.sleep(interval)),
    Effect.forever,
    Effect.interruptible,
    Effect.forkScoped
  )

  return Controls.of({
    now: () => control,
    paused: (work, place) => pauseOf(control, work, place),
    changes: current.changes,
    untilPaused: (work, place) =>
      current.changes.pipe(
        Stream.filterMap((now) => Option.fromNullable(pauseOf(now, work, place))),
        Stream.runHead,
        Effect.flatMap(Option.match({ onNone: () => Effect.never, onSome: Effect.succeed }))
      ),
    ready: ready.await
  })
})

export const layer: Layer.Layer<Controls, never, ControlStore> = Layer.scoped(Controls, make)
