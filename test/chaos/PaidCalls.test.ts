import { assert, describe, it } from "@effect/vitest"
import { gzipSync } from "node:zlib"
import type { Call } from "../../src/testing/FaultProxy.ts"
import * as Model from "./Model.ts"
import * as PaidCalls from "./PaidCalls.ts"

const question = (number: number, mark: string) =>
  JSON.stringify({ messages: [{ content: `<<<DOCUMENT ${mark}>>>\nmarker-${number}-\n<<<END ${mark}>>>` }] })

const answer = { status: 200, headers: {}, body: Buffer.from("{}") }

/** What the proxies saw until now; each deed takes place at its second. */
const scene = () => {
  let now = 0
  const paid = PaidCalls.make("/kept/", () => now)
  const call = (method: string, path: string, body: string | Buffer): Call => ({
    method,
    path,
    headers: {},
    body: Buffer.from(body),
    at: now
  })
  const access = (method: string, worker: string, body: string | Buffer, status: number | null) => {
    const made = call(method, "/account/kept/aa/one", body)
    paid.arrived(worker, made)
    if (status !== null) paid.done({ call: made, answer: { ...answer, status }, delivered: true })
  }
  const text = `{"value": "answer-${Model.questionOf(question(1, "x"))} about it"}`
  return {
    at: (seconds: number) => {
      now = seconds * 1_000
    },
    /** The worker finds nothing; null: the blobs are away. */
    looks: (worker: string, status: number | null = 404) => access("GET", worker, "", status),
    asks: (worker: string) => {
      const made = call("POST", "/v1/chat/completions", question(1, `${worker}${now}`))
      paid.asked(worker, made)
      return (delivered = true) => paid.answered({ call: made, answer, delivered })
    },
    keeps: (worker: string, status: number | null = 201, packed = false) =>
      access("PUT", worker, packed ? gzipSync(text) : text, status),
    ends: (worker: string) => paid.ended(worker),
    stops: (worker: string, seconds: number) => paid.stopped(worker, seconds * 1_000),
    account: paid.account
  }
}

const nothing = { questions: 1, unheard: 0, afterDeath: 0, atOnce: 0, away: 0 }

describe("The account of what was paid for in a chaos run", () => {
  it("a question that is asked once is paid once, and differs from others by its document, not by its marks", () => {
    const { account, asks, keeps, looks } = scene()
    looks("one")
    asks("one")()
    keeps("one")
    assert.deepStrictEqual(account(), { ...nothing, calls: 1, misses: [] })
    assert.strictEqual(Model.questionOf(question(1, "a")), Model.questionOf(question(1, "b")))
    assert.notStrictEqual(Model.questionOf(question(1, "a")), Model.questionOf(question(2, "a")))
  })

  for (const packed of [false, true]) {
    it(`an answer that was kept ${packed ? "packed " : ""}must not be paid for again`, () => {
      const { account, asks, at, keeps, looks } = scene()
      looks("one")
      asks("one")()
      keeps("one", 201, packed)
      at(10)
      looks("two", 200)
      asks("two")()
      assert.lengthOf(account().misses, 1)
      assert.match(account().misses[0] ?? "", /kept 10000 ms before/)
    })
  }

  it("nor by a worker that does not look", () => {
    const { account, asks, at, keeps } = scene()
    asks("one")()
    keeps("one")
    at(10)
    asks("two")()
    assert.lengthOf(account().misses, 1)
  })

  it("an answer that never came whole may be asked for again", () => {
    const { account, asks, at, looks } = scene()
    looks("one")
    asks("one")(false)
    at(1)
    asks("one")
    at(2)
    asks("one")()
    assert.deepStrictEqual(account(), { ...nothing, calls: 3, unheard: 2, misses: [] })
  })

  it("so may one whose worker died before it was kept, and not one whose worker lived", () => {
    for (const dies of [true, false]) {
      const { account, asks, at, ends, keeps, looks } = scene()
      looks("one")
      asks("one")()
      at(1)
      if (dies) ends("one")
      at(20)
      looks("two")
      asks("two")()
      keeps("two")
      const { afterDeath, misses } = account()
      assert.deepStrictEqual([afterDeath, misses.length], dies ? [1, 0] : [0, 1])
    }
  })

  it("so may one whose worker was stopped with it in its hands", () => {
    const { account, asks, at, keeps, looks, stops } = scene()
    looks("one")
    const answered = asks("one")
    at(1)
    stops("one", 20)
    at(2)
    answered()
    at(18)
    looks("two")
    asks("two")()
    keeps("two")
    assert.deepStrictEqual(account(), { ...nothing, calls: 2, afterDeath: 1, misses: [] })
  })

  it("two attempts that both found nothing may both ask", () => {
    const { account, asks, at, keeps, looks } = scene()
    looks("one")
    const answered = asks("one")
    at(1)
    looks("two")
    at(2)
    answered()
    keeps("one")
    at(3)
    asks("two")()
    keeps("two")
    assert.deepStrictEqual(account(), { ...nothing, calls: 2, atOnce: 1, misses: [] })
  })

  it("where the blobs are away, an answer can be neither kept nor found", () => {
    const first = scene()
    first.looks("one")
    first.asks("one")()
    first.keeps("one", null)
    first.at(30)
    first.looks("two")
    first.asks("two")()
    assert.deepStrictEqual(first.account(), { ...nothing, calls: 2, away: 1, misses: [] })
    const second = scene()
    second.looks("one")
    second.asks("one")()
    second.keeps("one")
    second.at(30)
    second.looks("two", null)
    second.asks("two")()
    assert.deepStrictEqual(second.account(), { ...nothing, calls: 2, away: 1, misses: [] })
  })
})
