import { assert, describe, it } from "@effect/vitest"
import * as Dice from "./Dice.ts"
import * as Trials from "./Trials.ts"
import * as Uploads from "./Uploads.ts"
import * as World from "./World.ts"

const plan = (seed: number, without = "") =>
  Uploads.make({
    dice: Dice.make(seed, "uploads"),
    tasks: 400,
    millis: 300_000,
    killers: 2,
    trials: Trials.without(without) ?? new Set()
  }).map(({ at, does, draft, life, waitsFor }) => ({ at, does, life, waitsFor, ...draft }))

describe("The documents of a chaos run", () => {
  it("are the same for the same seed", () => {
    assert.deepStrictEqual(plan(3), plan(3))
    assert.notDeepEqual(plan(3), plan(4))
  })

  it("a newer version has a higher number, and nothing comes after its deletion", () => {
    const last = new Map<string, number>()
    const removed = new Set<string>()
    for (const { does, marker, name, stream } of plan(1)) {
      if (stream === World.streams.followed) continue
      const number = Number(marker.split("-")[1])
      assert.isAbove(number, last.get(name) ?? -1)
      assert.isFalse(removed.has(name))
      last.set(name, number)
      if (does === "remove") removed.add(name)
    }
    assert.isAbove(removed.size, 3)
  })

  it("a document whose outputs follow it is renamed with its text, deleted, and there again", () => {
    const followed = plan(1).filter(({ stream }) => stream === World.streams.followed)
    const there = new Map<string, string>()
    const names = new Map<string, Set<string>>()
    const happened = { replaced: 0, removed: 0, back: 0 }
    const gone = new Set<string>()
    for (const { does, marker, name } of followed) {
      if (does === "remove") {
        assert.isTrue(there.delete(name), `${name} is removed and was not there`)
        gone.add(name)
        happened.removed++
        continue
      }
      if (there.has(name)) happened.replaced++
      if (gone.has(name)) happened.back++
      there.set(name, marker)
      names.set(marker, (names.get(marker) ?? new Set()).add(name))
    }
    for (const { at, life, waitsFor } of followed) {
      if (waitsFor === undefined) continue
      const before = followed.find(({ marker, name }) => marker === waitsFor.marker && name === waitsFor.name)
      assert.isBelow(before?.at ?? 2, at)
      assert.strictEqual(before?.life, life)
    }
    assert.isAbove(followed.filter(({ waitsFor }) => waitsFor !== undefined).length, 10)
    assert.isAbove(happened.replaced, 5)
    assert.isAbove(happened.removed, 10)
    assert.isAbove(happened.back, 1)
    assert.isAbove([...names.values()].filter(({ size }) => size > 1).length, 5)
    const without = plan(1, "followed")
    assert.isFalse(without.some(({ stream }) => stream === World.streams.followed))
    const unnamed = plan(1, "renames,deletions").filter(({ stream }) => stream === World.streams.followed)
    assert.isFalse(unnamed.some(({ does }) => does === "remove"))
  })

  it("killers and slow documents come when they are asked for", () => {
    const kinds = (without: string) => {
      const all = plan(1, without)
      return {
        killers: all.filter(({ contents }) => contents._tag === "Killer").length,
        slow: all.filter(({ contents }) => contents._tag === "Sound" && contents.lingersMillis > 5_000).length,
        removed: all.filter(({ does }) => does !== "bring").length
      }
    }
    const all = kinds("")
    assert.strictEqual(all.killers, 2)
    assert.isAbove(all.slow, 5)
    assert.isAbove(all.removed, 5)
    assert.deepStrictEqual(kinds("killers, slow,deletions,followed"), { killers: 0, slow: 0, removed: 0 })
  })

  it("a trial that there is not is refused", () => assert.isUndefined(Trials.without("slow,sleepy")))
})
