import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { toExecutorError } from "../../src/services/CallError.ts"
import { ServiceClients } from "../../src/services/ServiceClients.ts"
import * as ServiceHttp from "../../src/services/ServiceHttp.ts"
import { type HttpAnswer, HttpFailure, type HttpRequest, json } from "../../src/services/ServiceHttp.ts"
import * as Services from "../support/Services.ts"

const ask = { operation: "ask", method: "POST", path: "/responses", json: { q: 1 } } as const

/** A service whose answer the test changes; and what it was asked. */
const service = () => {
  const state: { answer: HttpAnswer | HttpFailure | "silence" } = { answer: json(200, {}) }
  const requests: Array<HttpRequest> = []
  const layer = Services.layer(
    ServiceHttp.layerScripted((request) =>
      Effect.suspend(() => {
        requests.push(request)
        const { answer } = state
        if (answer === "silence") return Effect.never
        return answer instanceof HttpFailure ? Effect.fail(answer) : Effect.succeed(answer)
      })
    )
  )
  return { state, requests, layer }
}

/** One call for the task of this name, without tries of its own. */
const callFor = (task: string, deployment = "gpt-4o") =>
  Effect.flatMap(ServiceClients, (clients) =>
    clients.open(
      Services.options({
        deployment,
        run: Services.run(task),
        retries: { times: 0, delay: Duration.seconds(1), factor: 2 },
        timeout: Duration.seconds(30)
      })
    )
  ).pipe(Effect.flatMap((client) => client.call(ask)))

const failureFor = (task: string, deployment?: string) =>
  Effect.flatMap(Effect.fork(Effect.flip(callFor(task, deployment))), (fiber) =>
    Effect.zipRight(TestClock.adjust("31 seconds"), fiber)
  )

describe("an outage of a model, analysis or search service", () => {
  const outages: ReadonlyArray<readonly [string, HttpAnswer | HttpFailure | "silence"]> = [
    ["503", json(503, { error: { code: "ServiceUnavailable" } })],
    ["a wrong key for all", json(401, { error: { code: "401", message: "Access denied" } })],
    ["a cut connection", new HttpFailure({ reason: "Cut", message: "cut its answer short (ECONNRESET)" })],
    ["silence", "silence"]
  ]
  for (const [name, answer] of outages) {
    it.effect(`${name}: after three tasks no call but a probe goes there, and no attempt is counted`, () => {
      const { layer, requests, state } = service()
      return Effect.gen(function* () {
        yield* callFor("before")
        state.answer = answer
        const errors = []
        for (let task = 0; task < 20; task += 1) {
          const error = Effect.flip(callFor(`task ${task}`))
          errors.push(yield* answer === "silence" && task < 3 ? inTime(error) : error)
        }
        assert.lengthOf(requests, 4)
        const last = errors.at(-1)
        assert.isTrue(last?.outage?.closed, last?.message)
        assert.match(last?.outage?.endpoint ?? "", /^https:\/\/res\.openai\.azure\.com \(gpt-4o\)$/)
        assert.isTrue(last === undefined ? false : toExecutorError({ id: "summary" })(last).outage?.closed)
        state.answer = json(200, {})
        yield* TestClock.adjust("2 minutes")
        yield* callFor("after")
        yield* callFor("and after")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("of one deployment leaves the others of its host alone", () => {
    const { layer, state } = service()
    return Effect.gen(function* () {
      yield* callFor("before")
      state.answer = json(503, {})
      for (let task = 0; task < 5; task += 1) yield* failureFor(`task ${task}`)
      state.answer = json(200, {})
      yield* callFor("other", "gpt-4o-mini")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is none where one document fails alone, or the request is wrong", () => {
    const { layer, requests, state } = service()
    return Effect.gen(function* () {
      yield* callFor("before")
      state.answer = json(400, { error: { code: "bad" } })
      for (let task = 0; task < 10; task += 1) {
        const error = yield* failureFor(`task ${task}`)
        assert.isNull(error.outage)
      }
      assert.lengthOf(requests, 11)
    }).pipe(Effect.provide(layer))
  })
})

/** Lets a call that waits for a silent service end, and no time pass after it. */
const inTime = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.fork(work), (fiber) => Effect.zipRight(TestClock.adjust("30 seconds"), fiber))
