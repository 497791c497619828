import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as OperationState from "../../src/services/analysis/OperationState.ts"
import { type OperationAddress, ServiceClients } from "../../src/services/ServiceClients.ts"
import * as ServiceHttp from "../../src/services/ServiceHttp.ts"
import * as Services from "../support/Services.ts"

const url = "https://res.openai.azure.com/operations/1"
const accepted = ServiceHttp.json(202, {}, { "operation-location": url })
const running = ServiceHttp.json(200, { status: "running" })
const done = ServiceHttp.json(200, { status: "succeeded" })
const failed = ServiceHttp.json(200, { status: "failed", error: { message: "no" } })

/** Tries the operation twice, for ten seconds each. */
const twice = (...answers: ReadonlyArray<ServiceHttp.HttpAnswer>) => {
  const script = Services.script(...answers)
  return Effect.gen(function* () {
    const client = yield* (yield* ServiceClients).open(Services.options())
    const address: OperationAddress = { url: undefined }
    const operate = client.operate(
      { operation: "analyze", method: "POST", path: "/analyze" },
      {
        state: OperationState.stateOf,
        interval: Duration.seconds(3),
        longest: Duration.seconds(3),
        within: Duration.seconds(10),
        address
      }
    )
    const fiber = yield* Effect.fork(Effect.zip(Effect.either(operate), Effect.either(operate)))
    yield* TestClock.adjust("1 minute")
    const [, second] = yield* Fiber.join(fiber)
    return { second, methods: script.requests.map(({ method }) => method), requests: script.requests }
  }).pipe(Effect.provide(Services.layer(script.layer)))
}

describe("an operation's address", () => {
  it.effect("lets a second try go on with the operation that the first started", () =>
    Effect.gen(function* () {
      const { methods, requests, second } = yield* twice(accepted, running, running, running, running, done)
      assert.strictEqual(second._tag, "Right")
      assert.deepStrictEqual(
        methods.filter((method) => method === "POST"),
        ["POST"]
      )
      assert.isTrue(requests.slice(1).every((request) => request.url === url))
    })
  )

  it.effect("is forgotten when the operation failed", () =>
    Effect.gen(function* () {
      const { methods } = yield* twice(accepted, failed, accepted, done)
      assert.deepStrictEqual(methods, ["POST", "GET", "POST", "GET"])
    })
  )

  it.effect("is forgotten when the service knows it no more", () =>
    Effect.gen(function* () {
      const { methods } = yield* twice(accepted, ServiceHttp.json(404, {}), accepted, done)
      assert.deepStrictEqual(methods, ["POST", "GET", "POST", "GET"])
    })
  )
})
