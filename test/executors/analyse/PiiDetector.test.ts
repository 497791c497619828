import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { executor } from "../../../src/executors/analyse/PiiDetector.ts"
import * as Detectors from "../../../src/executors/analyse/pii/Detectors.ts"
import { CallError } from "../../../src/services/CallError.ts"
import * as WorkTime from "../../support/WorkTime.ts"
import * as Analysed from "./Analysed.ts"

const text = "Ann Lee (ann@example.org) paid with 4111 1111 1111 1111. Annual fee for Ann Lee."
const answer = { found: [{ type: "name", value: "Ann Lee", confidence: 0.9 }] }

const run = (settings: Record<string, unknown>, found: object = answer) =>
  Analysed.analyse(executor, settings, text, () => found)

describe("pii_detector", () => {
  it.effect("asks for the types, not for their letters, whether a list or a text names them", () =>
    Effect.gen(function* () {
      for (const pii_types of ["name,email", ["name", "email"]]) {
        const { questions } = yield* run({ pii_types, custom_patterns: ["customer numbers K-123"] })
        assert.include(questions[0]?.system, "- name: names of persons")
        assert.include(questions[0]?.system, "- email: e-mail addresses")
        assert.include(questions[0]?.system, "- custom: customer numbers K-123")
        assert.include(JSON.stringify(questions[0]?.schema), '"enum":["name","email","custom"]')
      }
    })
  )

  it.effect("lists what the model and the detectors find, at all its places, with positions of our own", () =>
    Effect.gen(function* () {
      const { data, summary } = yield* run({})
      const value = data["pii_detected"] as {
        pii_found: ReadonlyArray<{ value: string; position: { start: number; end: number } }>
        count: number
      }
      assert.deepStrictEqual(
        value.pii_found.map((each) => each.value),
        ["Ann Lee", "ann@example.org", "4111 1111 1111 1111", "Ann Lee"]
      )
      for (const each of value.pii_found)
        assert.strictEqual(text.slice(each.position.start, each.position.end), each.value)
      assert.strictEqual(value.count, 4)
      assert.strictEqual(summary["pii_count"], 4)
      assert.notProperty(data, "text_redacted")
    })
  )

  const cleaned = {
    redact: [
      "redacted_text",
      "[REDACTED-NAME] ([REDACTED-EMAIL]) paid with [REDACTED-CREDIT_CARD]. Annual fee for [REDACTED-NAME]."
    ],
    mask: ["masked_text", "*** (***) paid with ***. Annual fee for ***."],
    label: [
      "labeled_text",
      "<PII-NAME>Ann Lee</PII-NAME> (<PII-EMAIL>ann@example.org</PII-EMAIL>) paid with <PII-CREDIT_CARD>4111 1111 1111 1111</PII-CREDIT_CARD>. Annual fee for <PII-NAME>Ann Lee</PII-NAME>."
    ]
  } as const
  for (const [action, [key, expected]] of Object.entries(cleaned)) {
    it.effect(`replaces for the action ${action}`, () =>
      Effect.gen(function* () {
        const { data } = yield* run({ action, redacted_field: "safe" })
        assert.strictEqual(data["safe"], expected)
        assert.strictEqual((data["pii_detected"] as Record<string, unknown>)[key], expected)
      })
    )
  }

  it.effect("leaves out what is not sure enough, what does not occur, and positions", () =>
    Effect.gen(function* () {
      const found = {
        found: [
          { type: "name", value: "Bob", confidence: 1 },
          { type: "address", value: "paid with", confidence: 0.5 }
        ]
      }
      const { data } = yield* run({ pii_types: "name,address", include_positions: false }, found)
      assert.deepStrictEqual(data["pii_detected"], { pii_found: [], count: 0 })
      const lower = yield* run(
        { pii_types: "name,address", include_positions: false, confidence_threshold: 0.4 },
        found
      )
      assert.deepStrictEqual(lower.data["pii_detected"], {
        pii_found: [{ type: "address", value: "paid with", confidence: 0.5 }],
        count: 1
      })
    })
  )

  it.effect("finds what invisible characters hide, and covers them, too", () =>
    Effect.gen(function* () {
      const hidden = "Call A\u200bnn L\u2060ee now"
      const { data } = yield* Analysed.analyse(executor, { action: "mask", pii_types: "name" }, hidden, () => answer)
      assert.strictEqual(data["text_redacted"], "Call *** now")
    })
  )

  it.effect("puts the clean text in place of the original, and keeps no values, where that is asked for", () =>
    Effect.gen(function* () {
      const { data } = yield* Analysed.analyse(
        executor,
        { action: "redact", replace_input: true, pii_types: "name", input_field: "chunks[].text" },
        { chunks: [{ text: "Ann Lee" }, { text: "nobody" }] },
        (question) => (Analysed.documentOf(question) === "Ann Lee" ? answer : { found: [] })
      )
      assert.notInclude(JSON.stringify(data), "Ann Lee")
      assert.propertyVal((data["chunks"] as ReadonlyArray<object>)[0], "text", "[REDACTED-NAME]")
    })
  )

  for (const failure of [
    "no JSON at all",
    new CallError({ reason: "Filtered", message: "filtered" }),
    new CallError({ reason: "Unavailable", message: "503" })
  ]) {
    it.effect(
      `lets nothing that looks clean pass after ${typeof failure === "string" ? failure : failure.reason}`,
      () =>
        Effect.gen(function* () {
          const { layer } = Analysed.model(() => failure)
          const stale = Analysed.item({ text, text_redacted: "of an earlier step", pii_detected: {} })
          const settings = { action: "redact", replace_input: true }
          const [result] = yield* Analysed.runWith(executor, settings, [stale], false).pipe(Effect.provide(layer))
          assert.deepStrictEqual(result?.data, {})
          assert.strictEqual(result?.executor_logs.at(-1)?.status, "failed")
        })
    )
  }

  it.effect("goes through long texts part by part", () =>
    Effect.gen(function* () {
      const long = `${"nothing here. ".repeat(200)}Ann Lee${" nothing here.".repeat(200)}`
      const { data, questions } = yield* Analysed.analyse(
        executor,
        { action: "mask", pii_types: "name", max_input_tokens: 200 },
        long,
        (question) => (Analysed.documentOf(question).includes("Ann Lee") ? answer : { found: [] })
      )
      assert.isAtLeast(questions.length, 5)
      assert.strictEqual(data["text_redacted"], long.replace("Ann Lee", "***"))
    })
  )
})

describe("the detectors", () => {
  const found = (value: string, type: string) =>
    Effect.map(Detectors.detect(value, [type]), (all) => all.map(({ end, start }) => value.slice(start, end)))
  it.effect("know cards by their checksum", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* found("4111-1111-1111-1111, 5500005555555559", "credit_card"), [
        "4111-1111-1111-1111",
        "5500005555555559"
      ])
      assert.deepStrictEqual(yield* found("4111 1111 1111 1112, 0000000000000000, 1234", "credit_card"), [])
    })
  )
  it.effect("know IBANs by theirs", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* found("DE89 3704 0044 0532 0130 00 and GB82WEST12345698765432", "bank_account"), [
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432"
      ])
      assert.deepStrictEqual(yield* found("DE89 3704 0044 0532 0130 01", "bank_account"), [])
    })
  )
  it.effect("know mail, addresses of machines, phones and social security numbers", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* found("a.b+c@mail.example.org, not@this", "email"), ["a.b+c@mail.example.org"])
      assert.deepStrictEqual(yield* found("10.0.0.1 and 999.1.1.1 and fe80::1", "ip_address"), ["10.0.0.1", "fe80::1"])
      assert.deepStrictEqual(yield* found("+49 30 1234567, (212) 555-0123, 1234567890", "phone"), [
        "+49 30 1234567",
        "(212) 555-0123"
      ])
      assert.deepStrictEqual(yield* found("123-45-6789 and 000-12-3456 and 123-00-6789", "ssn"), ["123-45-6789"])
    })
  )
  it.live("take time in proportion to the text", () =>
    Effect.gen(function* () {
      for (const hostile of [
        "a@".repeat(200_000),
        "1 ".repeat(300_000),
        "AA00".repeat(150_000),
        "1:".repeat(300_000),
        "1.".repeat(300_000),
        "+1(".repeat(200_000)
      ]) {
        const { millis } = yield* WorkTime.around(
          Detectors.detect(hostile, ["email", "credit_card", "ssn", "bank_account", "ip_address", "phone"])
        )
        assert.isBelow(millis, 5_000)
      }
    })
  )

  it.live("find what lies where one stretch of a long text ends and the next begins", () =>
    Effect.gen(function* () {
      for (let at = 131_060; at < 131_080; at += 4) {
        const text = `${"x ".repeat(at / 2)}a@b.test ${"y ".repeat(70_000)}`
        assert.deepStrictEqual(yield* found(text, "email"), ["a@b.test"])
      }
    })
  )
})
