import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Occurrences from "../../../src/executors/analyse/model/Occurrences.ts"
import * as WorkTime from "../../support/WorkTime.ts"

const texts = (text: string, ...values: ReadonlyArray<string>) =>
  Effect.map(Occurrences.ofAll(text, values), (found) =>
    values.map((value) => (found.get(value.trim()) ?? []).map(({ end, start }) => text.slice(start, end)))
  )

describe("places of values in a text", () => {
  it.effect("are all of them, as words where the value is one anywhere", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* texts("Ann met Anna and Ann.", "Ann", "Anna", "nn"), [
        ["Ann", "Ann"],
        ["Anna"],
        ["nn", "nn", "nn"]
      ])
      assert.deepStrictEqual(yield* texts("aaaa", "aa", "a", "aaa"), [["aa", "aa"], ["a", "a", "a", "a"], ["aaa"]])
      assert.deepStrictEqual(yield* texts("山田太郎と山田", "山田", "太郎"), [["山田", "山田"], ["太郎"]])
    })
  )

  it.effect("forgive blanks and letter case, and keep the text's own", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* texts("Dr. ANN \n\t LEE, Élan", "ann lee", "Ann  Lee", "ÉLAN", "x"), [
        ["ANN \n\t LEE"],
        ["ANN \n\t LEE"],
        ["Élan"],
        []
      ])
    })
  )

  it.effect("are none for blanks, for what is far too long, and in an empty text", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* texts("a b", " ", "", "a".repeat(3_000)), [[], [], []])
      assert.deepStrictEqual(yield* texts("", "a"), [[]])
    })
  )

  it.effect("agree with the first place of each alone", () =>
    Effect.gen(function* () {
      const letters = ["a", "b", "A", " ", "\n", "é", "😀", "."]
      let seed = 7
      const random = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below
      const any = (length: number) => Array.from({ length }, () => letters[random(letters.length)]).join("")
      for (let round = 0; round < 300; round += 1) {
        const text = any(60)
        const values = Array.from({ length: 5 }, () => any(1 + random(4)))
        const found = yield* Occurrences.ofAll(text, values)
        for (const value of values) {
          assert.deepStrictEqual(
            found.get(value.trim())?.[0],
            Occurrences.first(text, value),
            JSON.stringify([text, value])
          )
        }
      }
    })
  )

  it.live(
    "take time in proportion to the text, however many values there are, also where one begins like the other",
    () =>
      Effect.gen(function* () {
        const text = "aab ".repeat(500_000)
        const values = Array.from({ length: 5_000 }, (_, index) => `${"a".repeat(index % 200)}c${index}`)
        const { millis, value: found } = yield* WorkTime.around(Occurrences.ofAll(text, [...values, "aab"]))
        assert.lengthOf(found.get("aab") ?? [], 500_000)
        assert.isBelow(millis, 20_000)
      })
  )
})
