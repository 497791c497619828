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

  it("are those of all parts of a vault that were crawled: without what one of them found, with what one of them missed", () => {
    const stored = (...names: ReadonlyArray<string>) => {
      const waiting = WaitingDocuments.read(null)
      for (const name of names) waiting.add(name)
      return waiting.stored()
    }
    const merged = (before: string | null, ...parts: ReadonlyArray<string | null>) =>
      WaitingDocuments.read(WaitingDocuments.merged(before, parts))
    const all = merged(stored("a", "b", "c"), stored("b", "c", "d"), stored("a", "b", "c"), stored("a", "b", "d", "e"))
    assert.deepStrictEqual(
      ["a", "b", "c", "d", "e"].map((name) => all.has(name)),
      [false, true, false, true, true]
    )
    assert.isNull(merged(stored("a"), null, stored("a")).stored())
    assert.isNull(WaitingDocuments.merged(null, [null, null]))
  })

  it("are bounded, whatever was stored", () => {
    const many = WaitingDocuments.read(null)
    for (let index = 0; index < WaitingDocuments.most + 5; index++) many.add(`document ${index}`)
    assert.isBelow((many.stored() ?? "").length, 250_000)
    assert.isFalse(many.has(`document ${WaitingDocuments.most + 1}`))
    assert.isNull(WaitingDocuments.read("what somebody wrote here").stored())
  })
})
