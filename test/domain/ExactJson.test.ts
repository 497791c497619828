import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Either from "effect/Either"
import * as AsciiJson from "../../src/domain/AsciiJson.ts"
import * as ExactJson from "../../src/domain/ExactJson.ts"
import * as Task from "../../src/domain/Task.ts"

const wide = FastCheck.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).filter(
  (value) => !Number.isSafeInteger(Number(value))
)

describe("ExactJson", () => {
  it("keeps the digits of whole numbers, and leaves all other numbers to the runtime", () => {
    const text =
      '[9007199254740991,9007199254740993,-9007199254740993, 123456789012345678901234567890 ,1234567890123456789.5,12345678901234567890e2,0.12345678901234567891,1e-12345678901234567891,"12345678901234567890","\\"-12345678901234567890\\\\",{"12345678901234567890":18446744073709551616}]'
    assert.deepStrictEqual(ExactJson.parse(text), [
      9007199254740991,
      9007199254740993n,
      -9007199254740993n,
      123456789012345678901234567890n,
      1234567890123456800,
      1.2345678901234568e21,
      0.12345678901234568,
      0,
      "12345678901234567890",
      '"-12345678901234567890\\',
      { "12345678901234567890": 18446744073709551616n }
    ])
    assert.strictEqual(ExactJson.parse(" 9007199254740993\n"), 9007199254740993n)
  })

  it("refuses what JSON refuses, in the same words", () => {
    for (const text of [
      "[12345678901234567890",
      "{12345678901234567890:1}",
      "012345678901234567890",
      "[12345678901234567890a]",
      "+12345678901234567890",
      "[12345678901234567890 1]",
      '"12345678901234567890'
    ]) {
      let expected = ""
      try {
        JSON.parse(text)
      } catch (error) {
        expected = String(error)
      }
      assert.throws(() => ExactJson.parse(text), SyntaxError)
      assert.strictEqual(
        Either.getOrElse(Either.flip(Either.try({ try: () => ExactJson.parse(text), catch: String })), String),
        expected
      )
    }
    assert.throws(() => ExactJson.parse("9".repeat(5_000)), /4300 digits/)
  })

  it("writes what it reads", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.jsonValue({ stringUnit: "binary" }).filter((json) => !/\d{16}/.test(JSON.stringify(json))),
        wide,
        FastCheck.string({ unit: "binary" }),
        (json, number, key) => {
          const value = { [key]: [json, number, String(number)], __: `"${number}"` }
          for (const space of [undefined, 2]) {
            assert.deepStrictEqual(
              ExactJson.parse(ExactJson.stringify(value, space)),
              JSON.parse(
                JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `B${each}` : each)),
                (_, each) => (typeof each === "string" && each === `B${number}` ? number : each)
              )
            )
          }
        }
      ),
      { numRuns: 300 }
    )
    assert.strictEqual(
      ExactJson.stringify({ a: [2n ** 64n, "x"] }, 1),
      '{\n "a": [\n  18446744073709551616,\n  "x"\n ]\n}'
    )
    assert.throws(() => {
      const self: Array<unknown> = [1n]
      self.push(self)
      ExactJson.stringify(self)
    }, TypeError)
  })

  it("takes time linear in quotes, backslashes and digits", () => {
    const parts = (count: number): ReadonlyArray<string> => [
      `["${"\\\\".repeat(count)}", 12345678901234567890]`,
      `[${'"a",'.repeat(count)}12345678901234567890]`,
      `[${"12345678901234567890,".repeat(count)}1]`,
      `["${"12345678901234567890 ".repeat(count)}"]`,
      `[12345678901234567890${"0".repeat(count)}.5]`,
      `[${'"\\"",'.repeat(count)}12345678901234567890]`
    ]
    const cpuOf = (text: string): number => {
      const before = process.cpuUsage()
      ExactJson.parse(text)
      const { system, user } = process.cpuUsage(before)
      return user + system
    }
    for (const [index, text] of parts(300_000).entries()) {
      const short = Math.max(20_000, cpuOf(parts(30_000)[index] ?? ""))
      assert.isBelow(cpuOf(text), 60 * short)
    }
  })

  it("carries them through a message and its retries", () => {
    const message = `{"task_id":"t","pipeline_id":"p","pipeline_name":"p","execution_id":"e","content":[{"data":{"account":12345678901234567890,"😀":1}}],"foreign":98765432109876543210}`
    const decoded = Either.getOrThrow(Task.decode(message))
    assert.strictEqual(decoded.task.content[0]?.data["account"], 12345678901234567890n)
    const retried = Task.encodeRetry(decoded, "x", null)
    for (const text of [Task.encode(decoded.task), retried, Task.encodeRelease(decoded, "attempt-1")]) {
      assert.include(text, '"account":12345678901234567890')
    }
    assert.match(Task.encode(decoded.task), /^[\0-\x7e]*$/)
    assert.include(retried, '"foreign":98765432109876543210')
    assert.strictEqual(AsciiJson.stringify([2n ** 64n, "é"]), '[18446744073709551616,"\\u00e9"]')
  })
})
