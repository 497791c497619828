import * as Effect from "effect/Effect"
import { performance } from "node:perf_hooks"
import { clearImmediate, setImmediate } from "node:timers"

/** Lets timers and sockets be heard, which `yieldNow` does not, and waits no millisecond for it, which `sleep` does. */
export const turn: Effect.Effect<void> = Effect.async<void>((resume) => {
  awaited++
  const immediate = setImmediate(() => {
    awaited--
    resume(Effect.void)
  })
  return Effect.sync(() => {
    awaited--
    clearImmediate(immediate)
  })
})

/** Whether fibers wait for such a turn: a virtual clock must not go on meanwhile. */
export const areAwaited = (): boolean => awaited > 0

let awaited = 0

/** As `Array.map`; the event loop turns after each few milliseconds of it, so that leases and health never wait for many items. */
export const map = <A, B>(items: ReadonlyArray<A>, f: (item: A, index: number) => B): Effect.Effect<ReadonlyArray<B>> =>
  Effect.suspend(() => {
    const results: Array<B> = []
    return Effect.as(
      each(items, (item, index) => {
        results.push(f(item, index))
      }),
      results
    )
  })

/** The same for what is done with each item; false ends it. */
export const each = <A>(items: ReadonlyArray<A>, f: (item: A, index: number) => boolean | void): Effect.Effect<void> =>
  Effect.suspend(() => {
    let index = 0
    return whileTrue(() => {
      if (index >= items.length) return false
      const at = index++
      return f(items[at] as A, at) !== false
    })
  })

/** Does a step again and again while it says so. */
export const whileTrue = (step: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const started = performance.now()
    while (step()) {
      if (performance.now() - started > sliceMillis) return Effect.flatMap(turn, () => whileTrue(step))
    }
    return Effect.void
  })

/** As `Array.toSorted`, stable. */
export const sorted = <A>(
  items: ReadonlyArray<A>,
  compare: (a: A, b: A) => number
): Effect.Effect<ReadonlyArray<A>> => {
  const runs: Array<ReadonlyArray<A>> = []
  for (let at = 0; at < items.length; at += sortedAtOnce) runs.push(items.slice(at, at + sortedAtOnce))
  const merging = (parts: ReadonlyArray<ReadonlyArray<A>>): Effect.Effect<ReadonlyArray<A>> =>
    parts.length <= 1
      ? Effect.succeed(parts[0] ?? [])
      : Effect.flatMap(
          Effect.forEach(
            parts.filter((_, index) => index % 2 === 0),
            (part, index) => merged(part, parts[2 * index + 1] ?? [], compare)
          ),
          merging
        )
  return Effect.flatMap(
    map(runs, (run) => run.toSorted(compare)),
    merging
  )
}

const sortedAtOnce = 2048

const merged = <A>(
  left: ReadonlyArray<A>,
  right: ReadonlyArray<A>,
  compare: (a: A, b: A) => number
): Effect.Effect<ReadonlyArray<A>> =>
  Effect.suspend(() => {
    const all: Array<A> = []
    let at = 0
    const placed = each(right, (item) => {
      while (at < left.length && !(compare(left[at] as A, item) > 0)) all.push(left[at++] as A)
      all.push(item)
    })
    return Effect.map(placed, () => all.concat(left.slice(at)))
  })

/** As `Effect.forEach`, for effects that may all be done at once: their fibers alone would not let the event loop turn for seconds. */
export const forEach = <A, B, E, R>(
  items: ReadonlyArray<A>,
  f: (item: A, index: number) => Effect.Effect<B, E, R>,
  options: { readonly concurrency: number }
): Effect.Effect<Array<B>, E, R> =>
  Effect.suspend(() => {
    if (items.length <= few) return Effect.forEach(items, f, options)
    let turned = performance.now()
    const turnIfDue = Effect.suspend(() => {
      if (performance.now() - turned <= sliceMillis) return Effect.void
      return Effect.andThen(turn, () => {
        turned = performance.now()
      })
    })
    return Effect.forEach(items, (item, index) => Effect.zipRight(turnIfDue, f(item, index)), options)
  })

const sliceMillis = 10
/** So few are never worth a turn. */
const few = 8
