import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { executor } from "../../../src/executors/output/AiSearchIndexOutput.ts"
import * as SearchIndexes from "../../../src/services/search/SearchIndexes.ts"
import * as ServiceHttp from "../../../src/services/ServiceHttp.ts"
import * as Services from "../../support/Services.ts"
import { item as itemOf } from "../NodeRun.ts"
import { run } from "../extract/Items.ts"

type Data = Readonly<Record<string, unknown>>

const base = {
  ai_search_account: "contoso",
  ai_search_index: "docs",
  ai_search_credential_type: "azure_key_credential",
  ai_search_api_key: "key-of-the-test",
  content_to_index_mappings: '{"chunk.id": "id", "chunk.text": "content", "title": "title"}',
  add_timestamp: false
}
const fields = ["id", "content", "title", "indexed_at"].map((name) => ({ name, key: name === "id" }))

/** A search service that keeps what is written, and refuses a key as often as is said. */
const service = (
  refusals: Readonly<Record<string, ReadonlyArray<number>>> = {},
  schema = ServiceHttp.json(200, { fields }),
  mostDocuments = 1000
) => {
  const batches: Array<ReadonlyArray<Data>> = []
  const left = new Map(Object.entries(refusals).map(([key, statuses]) => [key, [...statuses]]))
  const http = ServiceHttp.layerScripted((request) =>
    Effect.sync(() => {
      if (request.method === "GET") return schema
      const { value } = JSON.parse(String(request.body)) as { value: ReadonlyArray<Data> }
      batches.push(value)
      if (value.length > mostDocuments) return ServiceHttp.json(413, {})
      return ServiceHttp.json(207, {
        value: value.map((document) => {
          const key = String(document["id"])
          const statusCode = left.get(key)?.shift() ?? 200
          return { key, status: statusCode === 200, statusCode, errorMessage: statusCode === 200 ? null : "busy" }
        })
      })
    })
  )
  return { batches, layer: SearchIndexes.layer.pipe(Layer.provide(Services.layer(http))) }
}

const index = (settings: Data, data: Data, { batches, layer } = service(), failOnError = true) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(
      run(executor, { ...base, ...settings }, [itemOf(data)], failOnError).pipe(
        Effect.mapBoth({ onFailure: String, onSuccess: ([first]) => first?.summary_data ?? {} }),
        Effect.catchAllDefect((defect) => Effect.fail(String(defect))),
        Effect.either,
        Effect.provide(layer)
      )
    )
    yield* TestClock.adjust("10 minutes")
    const either = yield* Fiber.join(fiber)
    return {
      summary: either._tag === "Right" ? either.right : {},
      message: either._tag === "Left" ? either.left : "",
      batches
    }
  })

const chunks = [
  { id: "a", text: "one" },
  { id: "b", text: "two" },
  { id: "c", text: null }
]

describe("ai_search_index_output", () => {
  it.effect("makes a document of each chunk, the chunk's values first, null left out", () =>
    Effect.gen(function* () {
      const { batches, summary } = yield* index({}, { title: "T", chunks })
      assert.deepStrictEqual(batches, [
        [
          { "@search.action": "mergeOrUpload", id: "a", content: "one", title: "T" },
          { "@search.action": "mergeOrUpload", id: "b", content: "two", title: "T" },
          { "@search.action": "mergeOrUpload", id: "c", title: "T" }
        ]
      ])
      assert.deepInclude(summary, { indexed_count: 3, index_status: "success" })
    })
  )

  it.effect("makes one document of an item, with its time, and merges and deletes where that is asked for", () =>
    Effect.gen(function* () {
      const settings = { index_mode: "document", content_to_index_mappings: { "id.unique_id": "id", title: "title" } }
      const stamped = yield* index({ ...settings, add_timestamp: true, index_action_type: "merge" }, { title: "T" })
      assert.deepInclude(stamped.batches[0]?.[0], { "@search.action": "merge", id: "u", title: "T" })
      assert.property(stamped.batches[0]?.[0], "indexed_at")
      const deleted = yield* index({ ...settings, index_action_type: "delete", add_timestamp: true }, { title: "T" })
      assert.deepStrictEqual(deleted.batches, [[{ "@search.action": "delete", id: "u" }]])
    })
  )

  it.effect("gives every chunk a key of its own that the service takes, the same each time", () =>
    Effect.gen(function* () {
      const settings = { content_to_index_mappings: { "id.canonical_id": "id", "chunk.text": "content" } }
      const shared = yield* index(settings, { chunks })
      assert.deepStrictEqual(
        shared.batches[0]?.map(({ id }) => id),
        ["doc-c00000", "doc-c00001", "doc-c00002"]
      )
      const strange = yield* index({}, { chunks: [{ id: "a/b" }, { id: "a b" }, { id: "x" }, { id: "x" }] })
      const keys = strange.batches[0]?.map(({ id }) => String(id)) ?? []
      assert.strictEqual(new Set(keys).size, 4)
      assert.isTrue(keys.every((key) => /^[A-Za-z0-9=-][A-Za-z0-9_=-]*$/.test(key)))
      const again = yield* index({}, { chunks: [{ id: "a/b" }] })
      assert.strictEqual(again.batches[0]?.[0]?.["id"], keys[0])
    })
  )

  it.effect("sends only those again that were not taken, and only for reasons that may pass", () =>
    Effect.gen(function* () {
      const passing = yield* index({}, { chunks }, service({ b: [503, 409] }))
      assert.deepStrictEqual(
        passing.batches.map((batch) => batch.map(({ id }) => id)),
        [["a", "b", "c"], ["b"], ["b"]]
      )
      const final = yield* index({}, { chunks }, service({ b: [400] }))
      assert.match(final.message, /did not take 1 of 3 documents, among them b: 400 busy/)
      assert.lengthOf(final.batches, 1)
      const lasting = yield* index({ max_retries: 0 }, { chunks }, service({ b: [503] }), false)
      assert.lengthOf(lasting.batches, 1)
      assert.strictEqual(lasting.summary["index_status"], "error")
      assert.match(String(lasting.summary["index_error"]), /did not take/)
    })
  )

  it.effect("parts requests by count, and by size when the service says so", () =>
    Effect.gen(function* () {
      const counted = yield* index({ batch_size: 2 }, { chunks })
      assert.deepStrictEqual(
        counted.batches.map(({ length }) => length),
        [2, 1]
      )
      const halved = yield* index({}, { chunks }, service({}, undefined, 1))
      assert.deepStrictEqual(
        halved.batches.map(({ length }) => length),
        [3, 2, 1, 1, 1]
      )
      const large = Array.from({ length: 4 }, (_, id) => ({ id: String(id), text: "x".repeat(6_000_000) }))
      const sized = yield* index({}, { chunks: large })
      assert.deepStrictEqual(
        sized.batches.map(({ length }) => length),
        [2, 2]
      )
    })
  )

  const wrong: ReadonlyArray<readonly [string, Data, Data, ReturnType<typeof service>, RegExp]> = [
    ["an index that is missing", {}, { chunks }, service({}, ServiceHttp.json(404, {})), /no index docs/],
    [
      "a field that is missing",
      { content_to_index_mappings: { a: "id", b: "other" } },
      { chunks },
      service(),
      /no field other/
    ],
    [
      "a key that no mapping fills",
      { content_to_index_mappings: { a: "title" } },
      { chunks },
      service(),
      /fills id, the key field/
    ],
    [
      "a key without a value",
      {},
      { chunks: [{ text: "a" }] },
      service({}, ServiceHttp.json(403, {})),
      /no value in chunk 0|id gets/
    ],
    ["chunks that are no list", {}, { chunks: "a" }, service(), /is no list/],
    ["an item without data", {}, {}, service(), /has no data/],
    ["mappings that are none", { content_to_index_mappings: "[" }, {}, service(), /mapping/],
    ["an index's name with quotes", { ai_search_index: "a')" }, {}, service(), /ai_search_index must/]
  ]
  for (const [what, settings, data, fake, message] of wrong) {
    it.effect(`tells ${what} before anything is sent`, () =>
      Effect.gen(function* () {
        const { batches, message: found } = yield* index(settings, data, fake)
        assert.match(found, message)
        assert.lengthOf(batches, 0)
      })
    )
  }
})
