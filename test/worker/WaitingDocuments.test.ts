import { assert, describe, it } from "@effect/vitest"
import * as WaitingDocuments from "../../src/worker/crawl/WaitingDocuments.ts"

describe("documents that wait until they can be read", () => {
  it("are kept with the checkpoint as one text", () => {
    const first = WaitingDocuments.read(null)
    assert.isNull(first.stored())
    first.add("a")
    first.add("b")
    first.add("a")
    const second = WaitingDocuments.read(first.stored())
    assert.deepStrictEqual([second.has("a"), second.has("b"), second.has("c")], [true, true, false])
    second.remove("a")
    second.remove("b")
    assert.isNull(second.stored())
  })

  it("are bounded, whatever was stored", () => {
    const many = WaitingDocuments.read(null)
    for (let index = 0; index < WaitingDocuments.most + 5; index++) many.add(`document ${index}`)
    assert.isBelow((many.stored() ?? "").length, 250_000)
    assert.isFalse(many.has(`document ${WaitingDocuments.most + 1}`))
    assert.isNull(WaitingDocuments.read("what somebody wrote here").stored())
  })
})
