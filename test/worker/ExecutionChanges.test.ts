import { assert, describe, it } from "@effect/vitest"
import type { Content } from "../../src/domain/Content.ts"
import * as ExecutionChanges from "../../src/worker/ExecutionChanges.ts"
import * as Engine from "../support/MemoryEngine.ts"

const items = (count: number, data: Readonly<Record<string, unknown>>): ReadonlyArray<Content> =>
  Array.from({ length: count }, (_, index) => Engine.item(`doc-${index}`, data))

describe("Recording", () => {
  it("puts identifiers where the UI looks for a label, whatever ended the task", () => {
    const [item] = items(1, { text: "x" })
    const anonymous: Content = { id: null, summary_data: {}, data: {}, executor_logs: [] }
    if (item === undefined) return assert.fail()
    for (const change of [
      ExecutionChanges.completed([item, anonymous], [], false, 0),
      ExecutionChanges.failed([item, anonymous], [], "error", 0),
      ExecutionChanges.departed([item, anonymous], [], "gone", 0)
    ]) {
      assert.deepStrictEqual(change.content?.[0], { id: item.id })
      assert.deepStrictEqual(Object.keys(change.content?.[1] ?? {}), ["id"])
      assert.strictEqual(change.number_of_items, 2)
    }
    assert.deepStrictEqual(ExecutionChanges.completed([item], [], true, 0).content, [item])
  })

  it("leaves out data that no text can hold, without writing it", () => {
    const huge = "x".repeat(10_000_000)
    const { content, number_of_items } = ExecutionChanges.completed(items(100, { huge }), [], true, 0)
    assert.strictEqual(number_of_items, 100)
    assert.lengthOf(content ?? [], 100)
    assert.match(JSON.stringify(content?.[99]), /left out|too large/)
    const one = ExecutionChanges.completed(items(1, { parts: Array.from({ length: 100 }, () => huge) }), [], true, 0)
    assert.match(JSON.stringify(one.content), /left out|too large/)
  })

  it("stores as many as fit, and makes no entries beyond them", () => {
    let made = 0
    const many = Array.from({ length: 100_000 }, (_, index): Content => {
      const item = Engine.item(`doc-${index}`)
      return {
        ...item,
        get id() {
          made++
          return item.id
        }
      }
    })
    const { content, number_of_items } = ExecutionChanges.failed(many, [], "error", 0)
    assert.strictEqual(number_of_items, 100_000)
    assert.isAbove(content?.length ?? 0, 1_000)
    assert.isAtMost(Buffer.byteLength(JSON.stringify(content)), 1_600_000)
    assert.isBelow(made, 60_000)
  })
})
