import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as MonotonicTime from "./MonotonicTime.ts"

interface Entry<A> {
  value: A
  readAt: number
  refreshing: boolean
}

/**
 * Values that are read again once they are older than `maxAge`. The first caller that finds an old one reads it, handing on the known value (for
 * a conditional read); until then other callers get the old one, so none waits for another's read. An error is
 * the caller's and is not kept. The least recently read entries beyond `capacity` are forgotten.
 */
export const make = <K, A, E>(options: {
  readonly maxAge: Duration.Duration
  readonly capacity: number
  readonly read: (key: K, known: A | undefined) => Effect.Effect<A, E>
}): ((key: K) => Effect.Effect<A, E>) => {
  const entries = new Map<K, Entry<A>>()
  const maxAge = Duration.toMillis(options.maxAge)
  const refresh = (key: K, entry: Entry<A> | undefined) =>
    Effect.map(Effect.zip(MonotonicTime.now, options.read(key, entry?.value)), ([readAt, value]) => {
      entries.delete(key)
      entries.set(key, { value, readAt, refreshing: false })
      const oldest = entries.size > options.capacity ? entries.keys().next() : undefined
      if (oldest !== undefined && oldest.done !== true) entries.delete(oldest.value)
      return value
    })
  return (key) =>
    Effect.clockWith((clock) => {
      const now = MonotonicTime.unsafeNow(clock)
      const entry = entries.get(key)
      if (entry === undefined) return refresh(key, undefined)
      if (entry.refreshing || now - entry.readAt < maxAge) return Effect.succeed(entry.value)
      entry.refreshing = true
      return Effect.ensuring(
        refresh(key, entry),
        Effect.sync(() => {
          entry.refreshing = false
        })
      )
    })
}
