import { assert, describe, it } from "@effect/vitest"
import type { Discovered } from "../../src/executor/Executor.ts"
import * as RecentlyQueued from "../../src/worker/crawl/RecentlyQueued.ts"
import * as Engine from "../support/MemoryEngine.ts"

const document = (name: string, modifiedAt: number, version = "v1"): Discovered => ({
  item: Engine.item(name),
  version,
  modifiedAt
})

/** What is kept of these, after a way through the checkpoint. */
const stored = (documents: ReadonlyArray<Discovered>, after: number) => {
  const recent = RecentlyQueued.read(null)
  recent.add(documents)
  return RecentlyQueued.read(recent.changedSince(after))
}

describe("RecentlyQueued", () => {
  it("keeps what changed at the moment or later, by name and version", () => {
    const recent = stored([document("a", 999), document("b", 2_000), document("c", 1_000)], 1_000)
    assert.isFalse(recent.has(document("a", 999)))
    assert.isTrue(recent.has(document("c", 1_000)))
    assert.isTrue(recent.has(document("b", 2_000)))
    assert.isFalse(recent.has(document("b", 2_000, "v2")))
  })

  it("keeps nothing of a document that tells no time", () => {
    assert.isNull(stored([{ item: Engine.item("a"), version: "v1" }], -Infinity).changedSince(-Infinity))
  })

  it("forgets the ones queued first above its limit, and stays far below a document's", () => {
    const many = Array.from({ length: 10_001 }, (_, index) => document(`d${index}`, 1_800_000_000_000 + index))
    const recent = stored(many, 0)
    assert.isFalse(recent.has(document("d0", 0)))
    assert.isTrue(recent.has(document("d1", 0)))
    assert.isTrue(recent.has(document("d10000", 0)))
    assert.isBelow(String(recent.changedSince(0)).length, 400_000)
  })

  it("takes nothing from a text that is no list of its own", () => {
    for (const text of ["", " ", ":", "x:1", "a".repeat(22), `${"a".repeat(22)}:?`, ":".repeat(100_000)]) {
      assert.isNull(RecentlyQueued.read(text).changedSince(-Infinity))
    }
  })
})
