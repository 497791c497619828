import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import * as UniqueNames from "../../../src/executors/output/UniqueNames.ts"

const item = (): Content => ({ id: null, summary_data: {}, data: {}, executor_logs: [] })
const items = (count: number) => Array.from({ length: count }, item)

describe("names of blobs", () => {
  it.live(
    "count on from the last of their kind: the time for 200,000 equal ones is no square",
    () =>
      Effect.gen(function* () {
        const names = yield* UniqueNames.make
        const all = items(200_000)
        const assigned = yield* names.assign(all, () => "out/invoice.json")
        assert.strictEqual(assigned.get(all[0] ?? item()), "out/invoice.json")
        assert.strictEqual(assigned.get(all[199_999] ?? item()), "out/invoice_200000.json")
        assert.strictEqual(new Set(assigned.values()).size, 200_000)
      }),
    20_000
  )

  it.live(
    "do so one item at a time, too",
    () =>
      Effect.gen(function* () {
        const names = yield* UniqueNames.make
        let last: string | undefined
        for (const each of items(50_000)) last = (yield* names.assign([each], () => "a")).get(each)
        assert.strictEqual(last, "a_50000")
      }),
    20_000
  )

  it.effect("are not taken by items that are not written", () =>
    Effect.gen(function* () {
      const names = yield* UniqueNames.make
      const all = items(4)
      const assigned = yield* names.assign(all, (each) => (all.indexOf(each) % 2 === 0 ? null : "a.json"))
      assert.deepStrictEqual(
        all.map((each) => assigned.get(each)),
        [undefined, "a.json", undefined, "a_2.json"]
      )
    })
  )

  it.effect("step over names that others wanted as they are", () =>
    Effect.gen(function* () {
      const names = yield* UniqueNames.make
      const wanted = ["a_2", "a", "a", "a_2", "a", "b.x.y", "b.x.y"]
      const all = items(wanted.length)
      const assigned = yield* names.assign(all, (each) => wanted[all.indexOf(each)] ?? "")
      assert.deepStrictEqual([...assigned.values()], ["a_2", "a", "a_3", "a_2_2", "a_4", "b.x.y", "b_2.x.y"])
    })
  )
})
