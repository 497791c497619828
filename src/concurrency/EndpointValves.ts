import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { Outage } from "../domain/Outage.ts"
import { redact } from "../domain/Redaction.ts"
import * as MonotonicTime from "./MonotonicTime.ts"
import * as Valve from "./Valve.ts"

/** How a kind of error tells an outage from an answer, and carries what is known of it. */
export interface Judge<E> {
  /**
   * `answered`: the service works, the call was wrong. `refused`: it does not let us in, or not at this. `out`: it serves no one.
   * `retryAfterMillis` as the service asks.
   */
  readonly verdict: (error: E) => {
    readonly kind: "answered" | "refused" | "out"
    readonly retryAfterMillis?: number | null
  }
  readonly withOutage: (error: E, outage: Outage) => E
  /** For a call that did not go: the valve is closed. */
  readonly notCalled: (message: string, outage: Outage) => E
}

/** Which service is called, and for whom. */
export interface Calling<E> {
  /** For people and as a metric's label: `https://api.example.com`, `storage account invoices`. */
  readonly endpoint: string
  /** The document or the query: what fails for only one or two of them is no outage. */
  readonly caller: string
  readonly judge: Judge<E>
}

export interface ClosedEndpoint {
  readonly endpoint: string
  readonly reason: string
  /** Epoch milliseconds. */
  readonly since: number
  /** Milliseconds until the next probe. */
  readonly probeInMillis: number
}

/**
 * One valve for each service that pipelines use. While many calls fail alike, none but a probe goes there, and their tasks wait without
 * an attempt being counted.
 */
export class EndpointValves extends Context.Tag("contentflow-worker/concurrency/EndpointValves")<
  EndpointValves,
  {
    /** The call, unless the valve is closed: then it fails at once. An error of an outage says so. */
    readonly through: <E>(calling: Calling<E>) => <A, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** Likewise for what comes in pieces: the first of them is the answer. */
    readonly streamThrough: <E>(calling: Calling<E>) => <A, R>(stream: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R>
    readonly closed: Effect.Effect<ReadonlyArray<ClosedEndpoint>>
    /** Milliseconds until the next call of this endpoint may go; 0 while its valve is open, or a probe is due. */
    readonly waitFor: (endpoint: string) => Effect.Effect<number>
  }
>() {}

const options: Valve.ValveOptions = { closesAfter: 3, firstPause: 1_000, longestPause: 30_000 }

/** A call that is given up after this many milliseconds counts as one that failed. */
const silence = 20_000

/** Definitions name hosts without end; the one that was called longest ago is forgotten. */
const mostEndpoints = 1_000

const gauge = Metric.gauge("contentflow_endpoint_valve_closed", {
  description: "1 while nothing but probes goes to a service that pipelines use, since many calls failed alike"
})

/** Series cost memory here and in Prometheus, and are never let go: of more endpoints than these the rest is told together. */
const mostLabels = 200

interface Entry {
  readonly endpoint: string
  readonly valve: Valve.Valve
  /** Wall time of the first failure, for people. */
  since: number
}

const make = Effect.sync(() => {
  const entries = new Map<string, Entry>()
  /** The endpoints with a series of their own, and those of the others that are closed. */
  const labels = new Set<string>()
  const othersClosed = new Set<string>()

  const told = (endpoint: string, isClosed: boolean): Effect.Effect<void> => {
    if (!labels.has(endpoint) && labels.size < mostLabels) labels.add(endpoint)
    if (labels.has(endpoint)) return Metric.set(Metric.tagged(gauge, "endpoint", endpoint), Number(isClosed))
    if (isClosed) othersClosed.add(endpoint)
    else othersClosed.delete(endpoint)
    return Metric.set(Metric.tagged(gauge, "endpoint", "other"), Number(othersClosed.size > 0))
  }

  const entryOf = (endpoint: string): Entry => {
    const known = entries.get(endpoint)
    const entry = known ?? { endpoint, valve: Valve.make(options), since: 0 }
    if (known !== undefined) entries.delete(endpoint)
    entries.set(endpoint, entry)
    if (entries.size > mostEndpoints) {
      for (const [name, { valve }] of entries) {
        if (valve.closed() !== null) continue
        entries.delete(name)
        break
      }
    }
    return entry
  }

  const outageOf = ({ endpoint, valve }: Entry, now: number): Outage => {
    const closed = valve.closed()
    return {
      endpoint,
      closed: closed !== null,
      served: valve.hasServed(),
      lastsMillis: now - (valve.failingSince() ?? now),
      retryAfterMillis: valve.waitFor(now)
    }
  }

  const closes = (entry: Entry, reason: string) =>
    Effect.zipRight(
      told(entry.endpoint, true),
      Effect.logWarning(
        `The valve of ${entry.endpoint} closes: calls fail one after the other, and wait until a probe succeeds. The last one: ${reason}`
      )
    )

  const answered = (entry: Entry, now: number): Effect.Effect<void> =>
    entry.valve.succeeded(now)
      ? Effect.zipRight(
          told(entry.endpoint, false),
          Effect.logInfo(`The valve of ${entry.endpoint} opens: it answers again`)
        )
      : Effect.void

  const failed = <E>(
    entry: Entry,
    { caller, judge }: Calling<E>,
    passage: Valve.Passage,
    clock: Clock.Clock,
    error: E
  ): Effect.Effect<never, E> => {
    const { kind, retryAfterMillis } = judge.verdict(error)
    if (kind === "answered") {
      return Effect.zipRight(answered(entry, MonotonicTime.unsafeNow(clock)), Effect.fail(error))
    }
    return Effect.flatMap(Random.next, (fraction) => {
      const now = MonotonicTime.unsafeNow(clock)
      const { valve } = entry
      // Asked before this failure counts as the caller's last.
      const mayBeOut = kind === "out" && !valve.servedOthersSince(caller)
      if (valve.failingSince() === null) entry.since = clock.unsafeCurrentTimeMillis()
      const reason = redact(messageOf(error))
      // Whatever the service says to one caller may be that caller's own: several alike are an outage.
      const failure = { caller, certain: false, reason, retryAfterMillis: retryAfterMillis ?? 0 }
      const closing = valve.failed(failure, passage, now, fraction) ? closes(entry, reason) : Effect.void
      const outage = outageOf(entry, now)
      const known = outage.closed || mayBeOut ? judge.withOutage(error, outage) : error
      return Effect.zipRight(closing, Effect.fail(known))
    })
  }

  /** A caller that lost its patience saw no error, but a service that does not answer. */
  const givenUp = <E>(
    entry: Entry,
    { caller }: Calling<E>,
    passage: Valve.Passage,
    clock: Clock.Clock,
    began: number
  ): Effect.Effect<void> =>
    Effect.flatMap(Random.next, (fraction) => {
      const now = MonotonicTime.unsafeNow(clock)
      if (now - began < silence) return Effect.sync(entry.valve.abandoned)
      if (entry.valve.failingSince() === null) entry.since = clock.unsafeCurrentTimeMillis()
      const reason = `No answer within ${Math.round((now - began) / 1_000)} s.`
      const failure = { caller, certain: false, reason, retryAfterMillis: 0 }
      return entry.valve.failed(failure, passage, now, fraction) ? closes(entry, reason) : Effect.void
    })

  const refused = <E>(entry: Entry, { judge }: Calling<E>, now: number): E => {
    const reason = entry.valve.closed()?.reason ?? ""
    return judge.notCalled(`${entry.endpoint} is out. ${reason}`, outageOf(entry, now))
  }

  const through: EndpointValves["Type"]["through"] = (calling) => (call) =>
    Effect.clockWith((clock) => {
      const entry = entryOf(calling.endpoint)
      const began = MonotonicTime.unsafeNow(clock)
      const passage = entry.valve.ask(began)
      if (passage === "closed") return Effect.fail(refused(entry, calling, began))
      const judged = Effect.matchCauseEffect(call, {
        onSuccess: (value) => Effect.as(answered(entry, MonotonicTime.unsafeNow(clock)), value),
        onFailure: (cause) =>
          Option.match(Cause.failureOption(cause), {
            onNone: () => Effect.failCause(cause),
            onSome: (error) => failed(entry, calling, passage, clock, error)
          })
      })
      return Effect.onInterrupt(judged, () => givenUp(entry, calling, passage, clock, began))
    })

  const streamThrough: EndpointValves["Type"]["streamThrough"] =
    <E>(calling: Calling<E>) =>
    <A, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
      Stream.unwrap(
        Effect.clockWith((clock) => {
          const entry = entryOf(calling.endpoint)
          const passage = entry.valve.ask(MonotonicTime.unsafeNow(clock))
          if (passage === "closed") {
            return Effect.succeed<Stream.Stream<A, E, R>>(
              Stream.fail(refused(entry, calling, MonotonicTime.unsafeNow(clock)))
            )
          }
          let first = true
          const arrived = Effect.suspend(() => {
            if (!first) return Effect.void
            first = false
            return answered(entry, MonotonicTime.unsafeNow(clock))
          })
          const judged = stream.pipe(
            Stream.catchAll((error) => Stream.fromEffect(failed(entry, calling, passage, clock, error))),
            Stream.mapChunksEffect((chunk) => Effect.as(arrived, chunk)),
            // Nothing at all is an answer, too.
            Stream.concat(Stream.execute(arrived))
          )
          return Effect.succeed<Stream.Stream<A, E, R>>(
            passage === "probe" ? Stream.ensuring(judged, Effect.sync(entry.valve.abandoned)) : judged
          )
        })
      )

  return EndpointValves.of({
    through,
    streamThrough,
    closed: Effect.map(MonotonicTime.now, (now) =>
      [...entries.values()].flatMap(({ endpoint, since, valve }) => {
        const closed = valve.closed()
        return closed === null ? [] : [{ endpoint, reason: closed.reason, since, probeInMillis: valve.waitFor(now) }]
      })
    ),
    waitFor: (endpoint) => Effect.map(MonotonicTime.now, (now) => entries.get(endpoint)?.valve.waitFor(now) ?? 0)
  })
})

const messageOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)

/** A constant, so that all parts of a program share the same valves. */
export const layer: Layer.Layer<EndpointValves> = Layer.effect(EndpointValves, make)
