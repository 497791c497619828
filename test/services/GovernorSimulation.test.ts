import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Governor from "../../src/services/Governor.ts"
import * as RateHeaders from "../../src/services/RateHeaders.ts"
import * as VirtualClock from "../../src/testing/VirtualClock.ts"

interface Answer {
  readonly ok: boolean
  readonly headers: Readonly<Record<string, string>>
}

/** A deployment of so many tokens a minute that refill steadily, as OpenAI and Azure count; it refuses what exceeds them. */
const deployment = (limit: number, now: () => number) => {
  let left = limit
  let at = now()
  return (tokens: number): Answer => {
    left = Math.min(limit, left + ((now() - at) / 60_000) * limit)
    at = now()
    const ok = left >= tokens
    if (ok) left -= tokens
    const missing = Math.ceil(((tokens - left) / limit) * 60)
    return {
      ok,
      headers: {
        "x-ratelimit-limit-tokens": String(limit),
        "x-ratelimit-remaining-tokens": String(Math.floor(left)),
        ...(ok ? {} : { "retry-after": String(Math.max(1, missing)) })
      }
    }
  }
}

/** One of so many tokens in each minute of the clock, as others count: it is full again all at once, and a refusal names the time until then. */
const windowed = (limit: number, now: () => number) => {
  let left = limit
  let minute = Math.floor(now() / 60_000)
  return (tokens: number): Answer => {
    const current = Math.floor(now() / 60_000)
    if (current !== minute) left = limit
    minute = current
    const ok = left >= tokens
    if (ok) left -= tokens
    return {
      ok,
      headers: {
        "x-ratelimit-limit-tokens": String(limit),
        "x-ratelimit-remaining-tokens": String(left),
        ...(ok ? {} : { "retry-after": String(Math.ceil((minute + 1) * 60 - now() / 1_000)) })
      }
    }
  }
}

interface Figures {
  /** Tokens that were granted, as a part of the limit. */
  readonly use: number
  /** Refused calls, as a part of all. */
  readonly refused: number
  /** Of the worker that got least, as a part of the mean. */
  readonly least: number
  readonly calls: number
}

const tasks = Array.from({ length: 16 }, (_, index) => `task ${index}`)
const warmUp = 2 * 60_000
const end = 22 * 60_000

/** So many processes, which know nothing of each other, each with sixteen tasks that always have a next call, share a deployment for 20 minutes. */
const simulate = (workers: number, limit: number, counted = deployment): Effect.Effect<Figures> =>
  Effect.scoped(
    Effect.gen(function* () {
      const clock = VirtualClock.make(0)
      const serve = counted(limit, clock.now)
      const granted = Array.from({ length: workers }, () => 0)
      let calls = 0
      let refused = 0
      const worker = (index: number) =>
        Effect.gen(function* () {
          const governors = Context.get(yield* Layer.build(Governor.layer), Governor.Governors)
          const governor = governors.of("deployment", { tokensPerMinute: null, requestsPerMinute: null })
          const call = (task: string) =>
            Effect.gen(function* () {
              const tokens = Math.round(500 + 1_000 * (yield* Random.next))
              yield* governor.run(
                { tokens, task, deadline: null },
                () =>
                  Effect.gen(function* () {
                    yield* Effect.sleep("20 millis")
                    const answer = serve(tokens)
                    if (clock.now() > warmUp) {
                      calls += 1
                      if (!answer.ok) refused += 1
                      if (answer.ok) granted[index] = (granted[index] ?? 0) + tokens
                    }
                    yield* Effect.sleep(answer.ok ? Math.round(1_000 + 2_000 * (yield* Random.next)) : 30)
                    return answer
                  }),
                (answer, millis) => ({
                  how: answer.ok ? "answered" : "throttled",
                  rates: RateHeaders.read(answer.headers, clock.now()),
                  millis
                })
              )
            })
          yield* Effect.forEach(tasks, (task) => Effect.forever(call(task)), {
            concurrency: "unbounded"
          })
        }).pipe(Effect.withClock(clock.process()), Effect.withRandom(Random.make(`worker ${index} of ${workers}`)))
      const fibers = yield* Effect.forEach(granted, (_, index) => Effect.fork(worker(index)))
      yield* VirtualClock.settled
      while (yield* clock.step(end));
      const failed = (yield* Effect.forEach(fibers, Fiber.poll)).filter(({ _tag }) => _tag === "Some")
      assert.lengthOf(failed, 0)
      yield* Effect.forEach(fibers, Fiber.interruptFork)
      const all = granted.reduce((sum, tokens) => sum + tokens, 0)
      return {
        use: all / ((limit * (end - warmUp)) / 60_000),
        refused: refused / calls,
        least: Math.min(...granted) / (all / workers),
        calls
      }
    })
  ).pipe(Effect.withScheduler(VirtualClock.scheduler))

describe("processes that share a deployment without knowing each other", () => {
  for (const workers of [1, 2, 4, 8, 16, 32]) {
    it.live(
      `${workers}: use more than 90 % of its limit, are refused in less than 2 % of their calls, and none starves`,
      () =>
        Effect.gen(function* () {
          const figures = yield* simulate(workers, 240_000)
          assert.isAbove(figures.use, 0.9)
          assert.isBelow(figures.refused, 0.02)
          assert.isAbove(figures.least, 0.5)
        }),
      120_000
    )
  }

  for (const workers of [1, 2, 4, 8, 16, 32]) {
    it.live(
      `${workers}: the same of a limit that is counted in minutes of the clock`,
      () =>
        Effect.gen(function* () {
          const figures = yield* simulate(workers, 240_000, windowed)
          assert.isAbove(figures.use, 0.9)
          assert.isBelow(figures.refused, 0.02)
          assert.isAbove(figures.least, 0.2)
        }),
      120_000
    )
  }

  it.live("a fixed limit is kept to from the first call", () =>
    Effect.gen(function* () {
      const clock = VirtualClock.make(0)
      let calls = 0
      const work = Effect.gen(function* () {
        const governors = yield* Governor.Governors
        const governor = governors.of("local", { tokensPerMinute: null, requestsPerMinute: 30 })
        yield* Effect.forever(
          governor.run(
            { tokens: 0, task: "t", deadline: null },
            () => Effect.as(Effect.sleep("10 millis"), void calls++),
            (_, millis) => ({ how: "answered", rates: undefined, millis })
          )
        )
      }).pipe(Effect.provide(Governor.layer), Effect.withClock(clock.process()))
      const fiber = yield* Effect.fork(work)
      yield* VirtualClock.settled
      while (yield* clock.step(10 * 60_000));
      yield* Fiber.interruptFork(fiber)
      assert.isAtLeast(calls, 295)
      assert.isAtMost(calls, 302)
    }).pipe(Effect.withScheduler(VirtualClock.scheduler))
  )

  it.live("calls of several tasks take turns, however many one of them has", () =>
    Effect.gen(function* () {
      const clock = VirtualClock.make(0)
      const done: Array<string> = []
      const work = Effect.gen(function* () {
        const governors = yield* Governor.Governors
        const governor = governors.of("busy", { tokensPerMinute: null, requestsPerMinute: 60 })
        const call = (task: string) =>
          governor.run(
            { tokens: 0, task, deadline: null },
            () => Effect.sync(() => void done.push(task)),
            (_, millis) => ({ how: "answered", rates: undefined, millis })
          )
        const big = Array.from({ length: 100 }, () => call("big"))
        yield* Effect.all([...big, call("small"), call("other")], { concurrency: "unbounded" })
      }).pipe(Effect.provide(Governor.layer), Effect.withClock(clock.process()))
      yield* Effect.fork(work)
      yield* VirtualClock.settled
      while (yield* clock.step(3 * 60_000));
      assert.lengthOf(done, 102)
      assert.isBelow(done.indexOf("small"), 4)
      assert.isBelow(done.indexOf("other"), 5)
    }).pipe(Effect.withScheduler(VirtualClock.scheduler))
  )
})
