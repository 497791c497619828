import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import * as WaitingTime from "../concurrency/WaitingTime.ts"
import { Concurrency } from "./governor/Concurrency.ts"
import { Pace } from "./governor/Pace.ts"
import type { Rates } from "./RateHeaders.ts"

/** What a call asks of its governor. */
export interface Ask {
  /** Tokens that it will be charged for, as well as that is known before; 0 for services without tokens. */
  readonly tokens: number
  /** Calls of several tasks take turns. */
  readonly task: string
  /** When the task is over (`MonotonicTime`), or null. */
  readonly deadline: number | null
}

/** How a call ended, for those that wait. */
export interface Ended {
  readonly how: "answered" | "throttled" | "failed" | "interrupted"
  readonly rates: Rates | undefined
  readonly millis: number
}

/** The wait would be longer than the task may take. */
export class Overdue extends Data.TaggedError("Overdue")<{
  /** After which the call could start. */
  readonly afterMillis: number
}> {}

/** Limits a minute that a definition names for one process; the last that was named counts. */
export interface FixedLimits {
  readonly tokensPerMinute: number | null
  readonly requestsPerMinute: number | null
}

/** What makes calls of one endpoint and deployment wait, so that its limits are used and not hit. */
export interface Governor {
  /** Runs the call when it is its turn, which is not the waiting work's own time; `waited` are the milliseconds until then. `ended` reads what the call's result says of the limits. */
  readonly run: <A, E>(
    ask: Ask,
    call: (waited: number) => Effect.Effect<A, E>,
    ended: (result: A, millis: number) => Ended
  ) => Effect.Effect<A, E | Overdue>
}

/** One governor for each endpoint and deployment of this process. Several processes share a deployment by what its answers tell them. */
export class Governors extends Context.Tag("contentflow-worker/services/Governors")<
  Governors,
  {
    /** Forgotten when unused for some time. */
    readonly of: (key: string, limits: FixedLimits) => Governor
  }
>() {}

/** Keys are made of definitions' settings: a process that sees very many forgets the one used longest ago. */
const most = 1_000

const make = Effect.gen(function* () {
  const scope = yield* Effect.scope
  const known = new Map<string, State>()
  return Governors.of({
    of: (key, limits) => {
      const state = known.get(key) ?? new State(scope)
      state.fix(limits)
      known.delete(key)
      known.set(key, state)
      for (const [oldest, { idle }] of known) {
        if (known.size <= most) break
        if (idle()) known.delete(oldest)
      }
      return state
    }
  })
})

export const layer: Layer.Layer<Governors> = Layer.scoped(Governors, make)

interface Waiter {
  readonly ask: Ask
  readonly turn: Deferred.Deferred<void>
  granted: boolean
}

/** A call that has no deadline waits this long at most. */
const longestWait = 3_600_000

class State implements Governor {
  private readonly scope: Scope.Scope
  private readonly tokens = new Pace()
  private readonly requests = new Pace()
  private readonly concurrency = new Concurrency()
  /** In the order of their turns. */
  private readonly waiting = new Map<string, Array<Waiter>>()
  private timerAt = Number.POSITIVE_INFINITY
  private refusals = 0

  constructor(scope: Scope.Scope) {
    this.scope = scope
  }

  fix({ requestsPerMinute, tokensPerMinute }: FixedLimits): void {
    if (tokensPerMinute !== null) this.tokens.fix(tokensPerMinute)
    if (requestsPerMinute !== null) this.requests.fix(requestsPerMinute)
  }

  readonly idle = (): boolean => this.waiting.size === 0 && this.concurrency.inUse === 0

  run<A, E>(
    ask: Ask,
    call: (waited: number) => Effect.Effect<A, E>,
    ended: (result: A, millis: number) => Ended
  ): Effect.Effect<A, E | Overdue> {
    return Effect.clockWith((clock) => {
      const now = () => MonotonicTime.unsafeNow(clock)
      const asked = now()
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(WaitingTime.counted(this.acquire(ask, now, restore)), () => {
          const began = now()
          return Effect.matchCauseEffect(restore(call(began - asked)), {
            onSuccess: (result) =>
              Effect.zipRight(this.release(ended(result, now() - began), now), Effect.succeed(result)),
            onFailure: (cause) =>
              Effect.zipRight(
                this.release({ how: "interrupted", rates: undefined, millis: now() - began }, now),
                Effect.failCause(cause)
              )
          })
        })
      )
    })
  }

  private acquire(
    ask: Ask,
    now: () => number,
    restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  ): Effect.Effect<void, Overdue> {
    return Effect.suspend(() => {
      const latest = (ask.deadline ?? now() + longestWait) - this.concurrency.usualMillis
      const overdue = Effect.suspend(() =>
        Effect.fail(new Overdue({ afterMillis: Math.max(1_000, this.readyAt(now()) - now()) }))
      )
      if (this.readyAt(now()) > latest) return overdue
      const waiter: Waiter = { ask, turn: Deferred.unsafeMake(FiberId.none), granted: false }
      const line = this.waiting.get(ask.task)
      if (line === undefined) this.waiting.set(ask.task, [waiter])
      else line.push(waiter)
      return Effect.flatMap(this.pump(now), () => {
        if (waiter.granted) return Effect.void
        const turn = Effect.raceFirst(
          Deferred.await(waiter.turn),
          Effect.zipRight(Effect.sleep(Math.max(0, Math.ceil(latest - now()))), overdue)
        )
        return Effect.onExit(restore(turn), (exit) => {
          if (exit._tag === "Success") return Effect.void
          if (!waiter.granted) return Effect.sync(() => this.leave(waiter))
          return this.release({ how: "interrupted", rates: undefined, millis: 0 }, now)
        })
      })
    })
  }

  private readyAt(now: number): number {
    return Math.max(this.tokens.readyAt(now), this.requests.readyAt(now))
  }

  private leave(waiter: Waiter): void {
    const line = this.waiting.get(waiter.ask.task)?.filter((each) => each !== waiter)
    if (line === undefined) return
    if (line.length === 0) this.waiting.delete(waiter.ask.task)
    else this.waiting.set(waiter.ask.task, line)
  }

  /** Starts what may start, and comes back when the next may. */
  private pump(now: () => number): Effect.Effect<void> {
    return Effect.suspend(() => {
      while (this.waiting.size > 0 && this.concurrency.hasRoom()) {
        const at = this.readyAt(now())
        if (at > now()) return this.comeBack(at, now)
        this.grant(now())
      }
      return Effect.void
    })
  }

  private grant(now: number): void {
    const [first] = this.waiting
    if (first === undefined) return
    const [task, line] = first
    const [waiter, ...others] = line
    this.waiting.delete(task)
    if (others.length > 0) this.waiting.set(task, others)
    if (waiter === undefined) return
    waiter.granted = true
    this.concurrency.start()
    this.requests.take(now, 1)
    if (waiter.ask.tokens > 0) this.tokens.take(now, waiter.ask.tokens)
    Deferred.unsafeDone(waiter.turn, Effect.void)
  }

  private comeBack(at: number, now: () => number): Effect.Effect<void> {
    if (at >= this.timerAt) return Effect.void
    this.timerAt = at
    const timer = Effect.zipRight(
      Effect.sleep(Math.max(1, Math.ceil(at - now()))),
      Effect.suspend(() => {
        if (this.timerAt === at) this.timerAt = Number.POSITIVE_INFINITY
        return this.pump(now)
      })
    )
    return Effect.asVoid(Effect.forkIn(Effect.interruptible(timer), this.scope))
  }

  private release({ how, millis, rates }: Ended, now: () => number): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.concurrency.end(how, millis)
      const at = now()
      if (how === "answered") {
        this.refusals = 0
        this.requests.succeeded(at, rates?.requests)
        this.tokens.succeeded(at, rates?.tokens)
      } else if (how === "throttled") {
        this.refusals += 1
        return Effect.flatMap(Random.next, (fraction) => {
          const asked = rates?.retryAfterMillis ?? Math.min(60_000, 500 * 2 ** this.refusals)
          // Not all at the same moment: other processes were told the same.
          const until = at + Math.max(100, asked) * (1 + 0.2 * fraction)
          this.requests.block(until)
          this.tokens.block(until)
          // The limit whose level is known was exceeded, or which one it was is unknown.
          if (this.requests.isKnown || !this.tokens.isKnown) this.requests.refused(at, rates?.retryAfterMillis)
          if (this.tokens.isKnown || !this.requests.isKnown) this.tokens.refused(at, rates?.retryAfterMillis)
          return this.pump(now)
        })
      }
      return this.pump(now)
    })
  }
}
