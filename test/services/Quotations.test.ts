import { assert, describe, it } from "@effect/vitest"
import * as Quotations from "../../src/services/Quotations.ts"
import * as WorkTime from "../support/WorkTime.ts"

const document = 'Ann Lee has the account number 12-345 at the "Old Bank",\nand owes 7 EUR.'
const request = {
  model: "gpt-4.1-mini",
  instructions: "Find personal data in the document.",
  input: [{ role: "user", content: [{ type: "input_text", text: document }] }]
}

describe("what a service quotes of a request", () => {
  for (const [what, message] of [
    ["as it is", `Can't process ${document}`],
    ["as JSON", `[{'type': 'value_error', 'input': ${JSON.stringify(request.input)}}]`],
    ["in part", 'Invalid value near "has the account number 12-345".'],
    ["in capitals", "BAD TEXT: ANN LEE HAS THE ACCOUNT NUMBER"],
    ["a short line of it", "Invalid: and owes 7 EUR."]
  ] as const) {
    it(`is left out: ${what}`, () => {
      const shown = Quotations.hidden(message, request)
      assert.notMatch(shown, /Ann Lee|ANN LEE|account|12-345|owes 7/)
      assert.include(shown, "…")
    })
  }

  it("is all that is left out", () => {
    const unsupported = "Unsupported parameter: 'max_tokens' is not supported with this model."
    assert.strictEqual(Quotations.hidden(unsupported, request), unsupported)
    const unknown = "The model `gpt-4.1-mini` does not exist or you do not have access to it."
    assert.strictEqual(Quotations.hidden(unknown, request), unknown)
    assert.strictEqual(Quotations.hidden("Bad.", undefined), "Bad.")
    assert.match(
      Quotations.hidden(`The request is invalid: ${document} Try again.`, request),
      /^The request is invalid: .*…\. Try again\.$/
    )
  })

  it("is left out in scripts without blanks", () => {
    const text = "山田太郎は東京都千代田区に住んでいて口座番号は一二三四五六七八九です"
    const shown = Quotations.hidden(`Invalid: ${text}`, { input: [text] })
    assert.strictEqual(shown, "Invalid: …")
  })

  it("is looked for in large requests in time", () => {
    const large = { input: Array.from({ length: 1_000 }, (_, index) => `${index} `.repeat(2_000)) }
    const message = "Nothing of this message stands in the request, which is large and hard to look through."
    assert.isBelow(
      WorkTime.of(() => void Quotations.hidden(message, large)),
      10_000
    )
  })
})
