import { assert, describe, it } from "@effect/vitest"
import { Cause, Chunk, Effect, Exit, Fiber, Logger, Metric, MetricState, Option, Stream, TestClock } from "effect"
import * as EndpointValves from "../../src/concurrency/EndpointValves.ts"
import * as ServiceOutage from "../../src/concurrency/ServiceOutage.ts"
import { NotFound, type ServiceError, Throttled, Unauthorized, Unavailable } from "../../src/domain/ServiceError.ts"

const facts = { service: "Blob Storage", operation: "download", message: "no" }
const away = new Unavailable(facts)
const forbidden = new Unauthorized(facts)
const judge = ServiceOutage.judge("Blob Storage")

/** A service that does what `answer` says, and counts its calls. */
const make = Effect.map(EndpointValves.EndpointValves, (valves) => {
  const service = { answer: Effect.void as Effect.Effect<void, ServiceError>, calls: 0 }
  const call = (caller: string, endpoint = "account a") =>
    valves.through({ endpoint, caller, judge })(
      Effect.suspend(() => {
        service.calls++
        return service.answer
      })
    )
  return { service, call, valves }
})

const outageOf = (exit: Exit.Exit<unknown, ServiceError>) =>
  Exit.isFailure(exit)
    ? Option.getOrThrow(
        Option.map(Cause.failureOption(exit.cause), (error) => ("outage" in error ? error.outage : null))
      )
    : null

const test = (name: string, body: () => Effect.Effect<void, unknown, EndpointValves.EndpointValves>) =>
  it.effect(name, () => Effect.provide(body(), EndpointValves.layer))

describe("the valve of an endpoint", () => {
  test("closes after three calls that failed in a row; then nothing goes there but a probe now and then", () =>
    Effect.gen(function* () {
      const { call, service } = yield* make
      service.answer = away
      for (const document of ["1", "2", "3"]) yield* Effect.exit(call(document))
      const before = service.calls
      for (let second = 0; second < 600; second++) {
        for (let document = 0; document < 5; document++) yield* Effect.exit(call(`document ${document}`))
        yield* TestClock.adjust("1 second")
      }
      assert.isAtMost(service.calls - before, 50, "in ten minutes, of 3,000")
      assert.isAtLeast(service.calls - before, 20, "a probe at least twice a minute")
    }))

  test("opens with the first success of a probe, and all go again", () =>
    Effect.gen(function* () {
      const { call, service, valves } = yield* make
      service.answer = away
      for (const document of ["1", "2", "3", "4"]) yield* Effect.exit(call(document))
      assert.lengthOf(yield* valves.closed, 1)
      service.answer = Effect.void
      assert.isTrue(Exit.isFailure(yield* Effect.exit(call("5"))), "not before the pause is over")
      yield* TestClock.adjust("1 second")
      yield* call("6")
      yield* call("7")
      assert.isEmpty(yield* valves.closed)
    }))

  test("is told for each endpoint, of no more than 200 by name", () =>
    Effect.gen(function* () {
      const { call, service } = yield* make
      const closed = (endpoint: string) =>
        Metric.unsafeSnapshot().flatMap(({ metricKey: { name, tags }, metricState }) =>
          name === "contentflow_endpoint_valve_closed" &&
          tags.some(({ value }) => value === endpoint) &&
          MetricState.isGaugeState(metricState)
            ? [metricState.value]
            : []
        )
      const all = (caller: string) =>
        Effect.forEach(Array.from({ length: 250 }), (_, host) => Effect.exit(call(caller, `told ${host}`)))
      service.answer = away
      for (const caller of ["1", "2", "3"]) yield* all(caller)
      assert.deepStrictEqual([closed("told 0"), closed("told 249"), closed("other")], [[1], [], [1]])
      service.answer = Effect.void
      yield* TestClock.adjust("1 second")
      yield* call("1", "told 249")
      assert.deepStrictEqual([closed("told 0"), closed("other")], [[1], [1]], "others are out still")
      yield* all("1")
      assert.deepStrictEqual([closed("told 0"), closed("other")], [[0], [0]])
    }))

  test("lets one probe at a time through", () =>
    Effect.gen(function* () {
      const { call, service } = yield* make
      service.answer = away
      for (const document of ["1", "2", "3"]) yield* Effect.exit(call(document))
      yield* TestClock.adjust("1 second")
      service.answer = Effect.delay(Effect.void, "10 seconds")
      const probe = yield* Effect.fork(call("4"))
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(outageOf(yield* Effect.exit(call("5")))?.closed)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(probe)
      assert.strictEqual(service.calls, 4)
    }))

  test("a probe that is called off lets another go", () =>
    Effect.gen(function* () {
      const { call, service } = yield* make
      service.answer = away
      for (const document of ["1", "2", "3"]) yield* Effect.exit(call(document))
      yield* TestClock.adjust("1 second")
      service.answer = Effect.never
      yield* Fiber.interrupt(yield* Effect.fork(Effect.zipRight(Effect.yieldNow(), call("4"))))
      service.answer = Effect.void
      yield* call("5")
    }))

  test("stays open for a document that is refused alone, however often, and for what is not there", () =>
    Effect.gen(function* () {
      const { call, service, valves } = yield* make
      service.answer = forbidden
      for (let attempt = 0; attempt < 20; attempt++) {
        assert.isNull(outageOf(yield* Effect.exit(call("secret.pdf"))), "its own fault")
      }
      service.answer = new NotFound(facts)
      for (let document = 0; document < 20; document++) yield* Effect.exit(call(`gone ${document}`))
      assert.isEmpty(yield* valves.closed)
    }))

  test("closes when several documents are refused", () =>
    Effect.gen(function* () {
      const { call, service } = yield* make
      service.answer = forbidden
      assert.isNull(outageOf(yield* Effect.exit(call("1"))))
      assert.isNull(outageOf(yield* Effect.exit(call("2"))))
      assert.isTrue(outageOf(yield* Effect.exit(call("3")))?.closed)
    }))

  test("says of a document that failed alone whether the service has served others since", () =>
    Effect.gen(function* () {
      const { call, service } = yield* make
      service.answer = away
      for (let attempt = 0; attempt < 5; attempt++) {
        const outage = outageOf(yield* Effect.exit(call("1")))
        assert.deepInclude(
          outage,
          { closed: false, served: false, lastsMillis: attempt * 1_000 },
          "a wrong address, perhaps"
        )
        yield* TestClock.adjust("1 second")
      }
      service.answer = Effect.void
      yield* call("2")
      service.answer = away
      yield* Effect.exit(call("3"))
      assert.isFalse(outageOf(yield* Effect.exit(call("3")))?.closed, "no other was served since: it may be an outage")
      yield* Effect.exit(call("1"))
      yield* TestClock.adjust("1 second")
      assert.isFalse(outageOf(yield* Effect.exit(call("1")))?.closed)
      service.answer = Effect.void
      yield* TestClock.adjust("1 second")
      yield* call("2")
      service.answer = away
      assert.isNull(outageOf(yield* Effect.exit(call("1"))), "the document's own")
    }))

  test("is one for each endpoint", () =>
    Effect.gen(function* () {
      const { call, service } = yield* make
      service.answer = away
      for (const document of ["1", "2", "3"]) yield* Effect.exit(call(document, "account a"))
      service.answer = Effect.void
      yield* call("1", "account b")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(call("4", "account a"))))
    }))

  test("waits as long as the service asks, within bounds", () =>
    Effect.gen(function* () {
      const { call, service } = yield* make
      service.answer = new Throttled({ ...facts, retryAfterMillis: 20_000 })
      for (const document of ["1", "2", "3"]) yield* Effect.exit(call(document))
      yield* TestClock.adjust("19 seconds")
      yield* Effect.exit(call("4"))
      assert.strictEqual(service.calls, 3)
      yield* TestClock.adjust("1 second")
      yield* Effect.exit(call("5"))
      assert.strictEqual(service.calls, 4)
    }))

  test("closes by calls that are given up without an answer", () =>
    Effect.gen(function* () {
      const { call, service, valves } = yield* make
      service.answer = Effect.never
      for (const document of ["1", "2", "3"]) {
        const calling = yield* Effect.fork(Effect.timeout(call(document), "60 seconds"))
        yield* TestClock.adjust("60 seconds")
        yield* Fiber.await(calling)
      }
      assert.lengthOf(yield* valves.closed, 1)
    }))

  test("of a stream is answered by its first piece, or its end", () =>
    Effect.gen(function* () {
      const { valves } = yield* make
      const through = (stream: Stream.Stream<number, ServiceError>, caller: string) =>
        Stream.runCollect(valves.streamThrough({ endpoint: "account a", caller, judge })(stream))
      for (const document of ["1", "2", "3"]) yield* Effect.exit(through(Stream.fail(away), document))
      assert.isTrue(outageOf(yield* Effect.exit(through(Stream.make(1), "4")))?.closed)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* through(Stream.make(1, 2), "5")), [1, 2])
      for (const document of ["1", "2", "3"]) yield* Effect.exit(through(Stream.fail(away), document))
      yield* TestClock.adjust("1 second")
      yield* through(Stream.empty, "6")
      assert.isEmpty(yield* valves.closed)
    }))

  test("tells when it closes and when it opens, each once", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => lines.push(String(message)))
      yield* Effect.gen(function* () {
        const { call, service } = yield* make
        service.answer = away
        for (let second = 0; second < 60; second++) {
          yield* Effect.exit(call(`${second}`))
          yield* TestClock.adjust("1 second")
        }
        service.answer = Effect.void
        yield* TestClock.adjust("30 seconds")
        yield* call("last")
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      assert.lengthOf(lines, 2, lines.join("\n"))
    }))
})
