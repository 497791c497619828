import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import { isStorableId, maxDocumentBytes, storableId } from "../../src/store/DocumentContainer.ts"
import * as MemoryContainer from "../../src/store/MemoryContainer.ts"
import { backends } from "./Backends.ts"
import { suite } from "../../src/testing/suites/DocumentContainerSuite.ts"

for (const [name, layer] of backends) suite(name, layer)

describe("storableId", () => {
  it("leaves ordinary ids alone", () => {
    for (const id of [
      "my_pipeline_ab12cd34_input_1",
      "exec_0123456789ab",
      "größe é",
      "a b",
      "a%2Fb",
      "x".repeat(1023)
    ]) {
      assert.strictEqual(storableId(id), id)
    }
  })

  it("gives every other id a storable and different one", () => {
    const ids = [
      "a/b",
      "a-b/",
      "a\\b",
      "a?b",
      "a#b",
      "a\u0000b",
      "a ",
      "",
      "x".repeat(1024),
      "x".repeat(1025),
      "é".repeat(512)
    ]
    const stored = ids.map(storableId)
    assert.isTrue(stored.every(isStorableId))
    assert.strictEqual(new Set(stored).size, ids.length)
    assert.isTrue(storableId("docs/input").startsWith("docs-input_"))
  })
})

describe("MemoryContainer", () => {
  const failure = new Unavailable({ service: "Cosmos DB", operation: "test", message: "away" })

  it.effect("fails the next operations as it is told, then works again", () =>
    Effect.gen(function* () {
      const container = MemoryContainer.make("vaults")
      container.failNext(failure, { times: 2 })
      container.failNext(failure, { operation: "create" })
      assert.strictEqual(yield* Effect.flip(container.read("a")), failure)
      assert.strictEqual(yield* Effect.flip(container.where({ a: "b" })), failure)
      assert.strictEqual((yield* container.read("a"))._tag, "Missing")
      assert.strictEqual(yield* Effect.flip(container.create({ id: "a" })), failure)
      assert.strictEqual((yield* container.create({ id: "a" }))._tag, "Written")
      assert.deepStrictEqual([...container.documents.keys()], ["a"])
    })
  )

  it.effect("counts the bytes of the whole document when it patches a part", () =>
    Effect.gen(function* () {
      const container = MemoryContainer.make("vaults")
      const empty = JSON.stringify({ id: "a", x: "", y: "" }).length
      yield* container.create({ id: "a", x: "ü".repeat(1000), y: "" })
      const room = maxDocumentBytes - empty - 2000
      assert.strictEqual((yield* Effect.flip(container.patch("a", { y: "y".repeat(room + 1) }, {})))._tag, "Invalid")
      assert.strictEqual((yield* container.patch("a", { y: "y".repeat(room) }, {}))._tag, "Written")
      assert.strictEqual((yield* Effect.flip(container.patch("a", { x: "ü".repeat(1001) }, {})))._tag, "Invalid")
      assert.strictEqual((yield* container.patch("a", { x: "" }, {}))._tag, "Written")
    })
  )

  it.effect("refuses what is no JSON", () =>
    Effect.gen(function* () {
      const container = MemoryContainer.make("vaults")
      const error = yield* Effect.flip(container.create({ id: "a", big: 1n }))
      assert.strictEqual(error._tag === "Invalid" ? error.reason : error._tag, "BadRequest")
    })
  )
})
