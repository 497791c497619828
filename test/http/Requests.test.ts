import { assert, describe, it } from "@effect/vitest"
import * as Requests from "../../src/http/Requests.ts"
import * as WorkTime from "../support/WorkTime.ts"

const unknown = (...path: ReadonlyArray<PropertyKey>) => ({
  _tag: "Unexpected" as const,
  path,
  message: 'is unexpected, expected: "status" | "before"'
})

describe("what is wrong with a request", () => {
  it("is told of the innermost places, the first of them by name", () => {
    const whole = { _tag: "Type" as const, path: ["filter"], message: "Expected { readonly a: string }, actual {}" }
    assert.strictEqual(
      Requests.mistakes([whole, unknown("filter", "stauts")]),
      'The request is not valid. `filter.stauts` is unknown here; there are "status", "before". /openapi.json says what it takes.'
    )
    const seven = Requests.mistakes(Array.from({ length: 7 }, (_, at) => unknown("items", at, "idd")))
    assert.include(seven, "`items[4].idd`")
    assert.notInclude(seven, "`items[5].idd`")
    assert.include(seven, "; and 2 more.")
  })

  it("costs no more than its length, whatever a body has room for", () => {
    const places = Array.from({ length: 60_000 }, (_, at) => unknown("filter", `a${at}`))
    const samePlace = Array.from({ length: 60_000 }, () => unknown("filter"))
    for (const issues of [places, samePlace]) {
      let text = ""
      assert.isBelow(
        WorkTime.leastOf(() => {
          text = Requests.mistakes(issues)
        }),
        1_000
      )
      assert.isBelow(text.length, 2_000)
    }
    assert.include(Requests.mistakes(places), "; and many more.")
  })
})
