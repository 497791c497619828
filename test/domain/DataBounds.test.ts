import { assert, describe, it } from "@effect/vitest"
import * as DataBounds from "../../src/domain/DataBounds.ts"

describe("DataBounds.problemOf", () => {
  it("finds nothing wrong with what JSON and threads give", () => {
    for (const value of [1, "a", null, undefined, { a: [1, { b: new Date() }] }, new Map([["a", new Set([1])]]), 1n]) {
      assert.isUndefined(DataBounds.problemOf(value))
    }
    let deep: unknown = 1
    for (let level = 0; level < 1_000; level++) deep = [deep]
    assert.isUndefined(DataBounds.problemOf({ data: { text: deep } }))
  })

  it("refuses what is deep, holds itself, cannot be read, or grows with each level", () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = level % 2 === 0 ? { a: deep } : [deep]
    assert.match(DataBounds.problemOf(deep) ?? "", /1100 levels/)
    const self: Record<string, unknown> = {}
    self["a"] = [self, self]
    assert.match(DataBounds.problemOf(self) ?? "", /holds itself/)
    let shared: unknown = Array.from({ length: 100 }, () => 1)
    for (let level = 0; level < 60; level++) shared = [shared, shared]
    assert.match(DataBounds.problemOf(shared) ?? "", /too large for one text/)
    assert.match(DataBounds.problemOf(Array(4_000_000_000)) ?? "", /too large for one text/)
    const throws = {
      get a(): never {
        throw new Error("no")
      }
    }
    assert.match(DataBounds.problemOf([throws]) ?? "", /cannot be read: no/)
  })

  it("finds a large value too deep that it measured in a shallower place", () => {
    let inner: unknown = Array.from({ length: 100 }, () => 1)
    for (let level = 0; level < 600; level++) inner = [inner]
    assert.isUndefined(DataBounds.problemOf(inner))
    let outer: unknown = inner
    for (let level = 0; level < 600; level++) outer = [outer]
    assert.match(DataBounds.problemOf(outer) ?? "", /1100 levels/)
  })
})
