import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Either, FastCheck, Schema } from "effect"
import * as Content from "../../src/domain/Content.ts"
import * as Task from "../../src/domain/Task.ts"

const decodeTask = Schema.decodeUnknownEither(Task.Task, { onExcessProperty: "ignore" })
const decodeContent = Schema.decodeUnknownEither(Content.Content, { onExcessProperty: "ignore" })

/** As it looks after JSON.parse, which the reader is for. Of a key `__proto__` the Schema makes a prototype, and we a key. */
const asJson = (value: unknown): unknown => {
  const text = JSON.stringify(value)
  FastCheck.pre(!text.includes("__proto__"))
  return JSON.parse(text)
}

const wrong = FastCheck.oneof(
  FastCheck.constantFrom<unknown>(null, undefined, true, "", "text", "high", 0, 3, -1, 0.5, 1_000_001, [], {}, [null]),
  FastCheck.constantFrom<unknown>("x".repeat(1023), "x".repeat(1024), [{}], ["text"], [1], { executor_id: "a" }),
  FastCheck.jsonValue()
)

/** A value with one of its parts, at any depth, replaced or removed. */
const damaged = (value: unknown, path: ReadonlyArray<number>, part: unknown): unknown => {
  const [step, ...rest] = path
  if (step === undefined || typeof value !== "object" || value === null) return part
  const entries = Object.entries(value)
  if (entries.length === 0) return part
  const index = step % entries.length
  const changed = entries.map(([key, each], at) => [key, at === index ? damaged(each, rest, part) : each] as const)
  return Array.isArray(value) ? changed.map(([, each]) => each) : Object.fromEntries(changed)
}

const paths = FastCheck.array(FastCheck.nat(12), { minLength: 1, maxLength: 6 })

const identifier = {
  canonical_id: "https://acct.blob.core.windows.net/c/a.pdf",
  unique_id: "f00",
  source_name: "acct",
  metadata: { size: 1, nested: { deep: [1, 2] } }
}
const whole = {
  task_id: "task_1",
  task_type: "content_processing",
  priority: "normal",
  pipeline_id: "p",
  pipeline_name: "P",
  execution_id: "exec_1",
  vault_id: "v",
  content: [
    { id: identifier, summary_data: { a: 1 }, data: { text: "x" }, executor_logs: [] },
    {
      id: null,
      executor_logs: [
        { executor_id: "a", start_time: "s", end_time: null, status: "failed", details: {}, errors: ["e"] },
        { executor_id: "b" }
      ]
    }
  ],
  executed_input_executor: "in",
  created_at: "2026-01-02T10:30:00+00:00",
  retry_count: 1,
  max_retries: 3,
  content_reference: { account: "a", container: "c", path: "p" },
  more: ["unknown"]
}

describe("Task.read", () => {
  it("makes of valid tasks what the Schema makes of them", () => {
    const tasks = Arbitrary.make(Schema.encodedSchema(Task.Task))
    FastCheck.assert(
      FastCheck.property(tasks, (encoded) => {
        const json = asJson(encoded) as Record<string, unknown>
        const expected = decodeTask(json)
        FastCheck.pre(Either.isRight(expected))
        assert.deepStrictEqual(Task.read(json), Either.getOrThrow(expected))
      }),
      { numRuns: 100 }
    )
  })

  it("accepts and refuses what the Schema does, whatever is wrong", () => {
    let refused = 0
    let accepted = 0
    FastCheck.assert(
      FastCheck.property(paths, wrong, (path, part) => {
        const json = asJson(damaged(whole, path, part))
        FastCheck.pre(typeof json === "object" && json !== null && !Array.isArray(json))
        const expected = decodeTask(json)
        const found = Task.read(json as Record<string, unknown>)
        if (Either.isRight(expected)) accepted++
        else refused++
        assert.deepStrictEqual(found, Either.getOrUndefined(expected))
      }),
      { numRuns: 2_000 }
    )
    assert.isAbove(refused, 100)
    assert.isAbove(accepted, 100)
  })

  it("reads an item as the Schema does", () => {
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(Schema.encodedSchema(Content.Content)), paths, wrong, (item, path, part) => {
        for (const value of [item, damaged(item, path, part)]) {
          const json = asJson(value ?? null)
          assert.deepStrictEqual(Content.read(json), Either.getOrUndefined(decodeContent(json)))
        }
      }),
      { numRuns: 300 }
    )
  })
})

describe("Task.decode", () => {
  const message = (payload: unknown) => JSON.stringify({ task_type: "content_processing", payload })
  const reasonOf = (text: string) =>
    Either.match(Task.decode(text), { onLeft: ({ message }) => message, onRight: () => "" })

  it("keeps the payload as it came, unknown properties included", () => {
    const decoded = Either.getOrThrow(Task.decode(message(whole)))
    assert.deepStrictEqual(decoded.payload, whole)
    assert.strictEqual(decoded.task.content[0]?.id?.canonical_id, identifier.canonical_id)
  })

  it("names the place of what is wrong", () => {
    assert.include(reasonOf(message({ ...whole, retry_count: "1" })), '["retry_count"]')
    assert.include(reasonOf(message({ ...whole, content: [{ id: { unique_id: "x" } }] })), '["canonical_id"]')
    assert.include(reasonOf(message({ ...whole, pipeline_id: "" })), '["pipeline_id"]')
  })

  it("takes a key that is called __proto__ for a key", () => {
    const data = JSON.parse('{"__proto__": {"polluted": true}, "text": "x"}') as Record<string, unknown>
    const text = JSON.stringify({ ...whole, content: [{ id: identifier, data }] })
    const [item] = Either.getOrThrow(Task.decode(text)).task.content
    assert.strictEqual(item?.data["polluted"], undefined)
    assert.strictEqual(item?.data["text"], "x")
  })

  it("refuses what is nested too deeply", () => {
    const nested = (levels: number) => `${'{"a":['.repeat(levels)}${"]}".repeat(levels)}`
    const withData = (data: string) => message(whole).replace('{"text":"x"}', data)
    assert.isTrue(Either.isRight(Task.decode(withData(nested(90)))))
    assert.include(reasonOf(withData(nested(100))), "nested deeper than 200 levels")
  })
})

describe("A message that is rewritten", () => {
  const message = (text: string, more: object = {}) =>
    JSON.stringify({
      task_type: "content_processing",
      payload: {
        task_id: "t",
        pipeline_id: "p",
        pipeline_name: "p",
        execution_id: "e",
        content: [{ id: identifier, data: { text } }],
        retry_count: 1,
        theirs: { kept: [1] },
        ...more
      }
    })
  /** One of exactly so many bytes. */
  const ofBytes = (bytes: number, character = "x") => {
    const room = bytes - Buffer.byteLength(message(""))
    const width = Buffer.byteLength(character)
    return message(character.repeat(Math.floor(room / width)) + "x".repeat(room % width))
  }
  const decode = (text: string) => Either.getOrThrow(Task.decode(text))
  const bytesOf = (text: string | undefined) => Buffer.byteLength(text ?? "x".repeat(70_000))

  it("counts the retry, says why, and keeps the rest", () => {
    const { payload, task } = decode(Task.encodeRetry(decode(message("x")), "busy", null) ?? "")
    assert.strictEqual(task.retry_count, 2)
    assert.deepInclude(payload, { last_error: "busy", theirs: { kept: [1] } })
  })

  it("says which attempt has ended, and nothing of what older versions wrote", () => {
    const old = { accounted_dequeues: 9, attempt_notes: {}, ended_attempt: "attempt-1" }
    const { payload } = decode(Task.encodeRelease(decode(message("x", old)), "attempt-2") ?? "")
    assert.hasAllKeys(payload, [...Object.keys(decode(message("x")).payload), "ended_attempt"])
    assert.isTrue(Task.saysEnded({ ...decode(message("x")), payload }, "attempt-2"))
    assert.isFalse(Task.saysEnded({ ...decode(message("x")), payload }, "attempt-1"))
  })

  for (const [name, character] of [
    ["Chinese", "文"],
    ["Greek", "λ"],
    ["emoji", "🙂"],
    ["Latin with accents", "é"]
  ] as const) {
    it(`grows by no more than what is added, in ${name}`, () => {
      const text = ofBytes(60_000, character)
      assert.isBelow(bytesOf(Task.encodeRetry(decode(text), "busy", "attempt-1")), 60_200)
      assert.isBelow(bytesOf(Task.encodeRelease(decode(text), "attempt-1")), 60_200)
    })
  }

  it("leaves out the reason, and then all, rather than exceed what the queue takes", () => {
    for (const bytes of [64_900, 65_300, 65_480, 65_500, 65_530, 65_536]) {
      const decoded = decode(ofBytes(bytes))
      const retry = Task.encodeRetry(decoded, "x".repeat(1_000), null)
      if (retry !== undefined) {
        assert.isAtMost(bytesOf(retry), 65_536)
        assert.strictEqual(decode(retry).task.retry_count, 2)
      }
      const released = Task.encodeRelease(decoded, "attempt-1")
      if (released !== undefined) assert.isAtMost(bytesOf(released), 65_536)
      if (bytes === 65_536) assert.isUndefined(released)
    }
    // A digit more or less is no reason to lose the count.
    assert.isDefined(Task.encodeRetry(decode(ofBytes(65_536)), "busy", null))
  })

  it("counts at least the retries that its execution knows", () => {
    const decoded = decode(message("x"))
    assert.strictEqual(Task.withRetries(decoded, 0), decoded)
    assert.strictEqual(Task.withRetries(decoded, 3).task.retry_count, 3)
    assert.strictEqual(Task.withRetries(decoded, 1e9).task.retry_count, 1_000_000)
  })
})
