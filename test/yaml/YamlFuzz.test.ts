import { assert, describe, it } from "@effect/vitest"
import { fuzz } from "../fuzz/yaml.ts"

describe("YAML that nobody wrote on purpose", () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`is read or refused with places in the text (seed ${seed})`, () => {
      const { read, refused } = fuzz({ seed, iterations: 1_500 })
      assert.isAbove(read, 150)
      assert.isAbove(refused, 150)
    })
  }
})
