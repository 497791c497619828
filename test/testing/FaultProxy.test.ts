import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, Option } from "effect"
import { eventually } from "../../src/testing/Eventually.ts"
import * as FaultServer from "../support/FaultServer.ts"
import * as FaultProxy from "../../src/testing/FaultProxy.ts"
import { answers } from "../support/ServiceAnswers.ts"

const text = "What the server says, in full."

/** A server behind a proxy that does one thing to each call, and a call of it. */
const behind = (fault: FaultProxy.Fault | undefined) =>
  Effect.gen(function* () {
    const server = yield* FaultServer.make
    server.answer(FaultServer.ok(text, { etag: "7" }))
    const exchanges: Array<FaultProxy.Exchange> = []
    const forwarded: Array<FaultProxy.Call> = []
    const url = yield* FaultProxy.make({
      target: () => server.url,
      fault: () => fault,
      forwarded: (call) => forwarded.push(call),
      answered: (exchange) => exchanges.push(exchange)
    })
    // Deno sends a request again, by itself, when a connection is cut; a body keeps it from that.
    const call = Effect.either(
      Effect.tryPromise(async () => {
        const response = await fetch(`${url}/path?a=b%20c`, { method: "PUT", body: "what the client says" })
        return { status: response.status, etag: response.headers.get("etag"), body: await response.text() }
      })
    )
    return { server, exchanges, forwarded, call, url }
  })

describe("FaultProxy", () => {
  it.scopedLive("passes a call and its answer on as they are", () =>
    Effect.gen(function* () {
      const { call, exchanges, server } = yield* behind(undefined)
      assert.deepStrictEqual(yield* call, Either.right({ status: 200, etag: "7", body: text }))
      assert.strictEqual(server.seen[0]?.url, "/path?a=b%20c")
      assert.strictEqual(exchanges[0]?.call.body.toString(), "what the client says")
      assert.isTrue(exchanges[0]?.delivered)
    })
  )

  it.scopedLive("answers as a busy service does, which never sees the call", () =>
    Effect.gen(function* () {
      const answer = answers.cosmos.get(429)!
      const { call, forwarded, server } = yield* behind({ kind: "answer", name: "429", answer })
      const got = Either.getOrThrow(yield* call)
      assert.strictEqual(got.status, 429)
      assert.include(got.body, "TooManyRequests")
      assert.lengthOf(server.seen, 0)
      assert.lengthOf(forwarded, 0)
    })
  )

  it.scopedLive("drops a connection before the call reaches the server", () =>
    Effect.gen(function* () {
      const { call, server } = yield* behind({ kind: "cut before" })
      assert.isTrue(Either.isLeft(yield* call))
      assert.lengthOf(server.seen, 0)
    })
  )

  it.scopedLive("drops a connection after the server did what it was asked", () =>
    Effect.gen(function* () {
      const { call, exchanges, server } = yield* behind({ kind: "cut after" })
      assert.isTrue(Either.isLeft(yield* call))
      assert.isAtLeast(server.seen.length, 1)
      assert.isFalse(exchanges[0]?.delivered)
    })
  )

  it.scopedLive("cuts an answer in the middle", () =>
    Effect.gen(function* () {
      const { call, server } = yield* behind({ kind: "cut body" })
      assert.isTrue(Either.isLeft(yield* call))
      assert.isAtLeast(server.seen.length, 1)
    })
  )

  it.scopedLive("holds an answer back, and lets it go when the time has come", () =>
    Effect.gen(function* () {
      const { call, server } = yield* behind({ kind: "hold", millis: 300 })
      const answering = yield* Effect.fork(call)
      yield* server.arrival
      assert.isTrue(Option.isNone(yield* Fiber.poll(answering)))
      assert.strictEqual(Either.getOrThrow(yield* Fiber.join(answering)).body, text)
    })
  )

  it.scopedLive("an answer is delivered only where its client still waits for it", () =>
    Effect.gen(function* () {
      const { exchanges, url } = yield* behind({ kind: "delay", millis: 200 })
      const request = { method: "PUT", body: "what the client says", signal: AbortSignal.timeout(50) }
      assert.isTrue(Either.isLeft(yield* Effect.either(Effect.tryPromise(() => fetch(url, request)))))
      yield* eventually(
        "the server has answered",
        Effect.sync(() => exchanges.length),
        (count) => count === 1
      )
      assert.isFalse(exchanges[0]?.delivered)
    })
  )

  it.scopedLive("is not there while the server is not", () =>
    Effect.gen(function* () {
      const url = yield* FaultProxy.make({ target: () => "http://127.0.0.1:1", fault: () => undefined })
      assert.isTrue(Either.isLeft(yield* Effect.either(Effect.tryPromise(() => fetch(url)))))
    })
  )
})
