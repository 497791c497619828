import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { PipelineId } from "../../domain/Ids.ts"
import { PipelineStore } from "../../store/PipelineStore.ts"
import { Containers } from "../StoreContainers.ts"

/** As the API writes it. */
const pipeline = (id: string, more: Readonly<Record<string, unknown>> = {}) => ({
  id,
  name: `Pipeline ${id}`,
  yaml: "pipeline:\n  name: p\n",
  description: "",
  nodes: null,
  edges: [{ id: "e1" }],
  tags: ["a"],
  version: "1.0",
  enabled: true,
  retries: 3,
  retry_delay: 5,
  timeout: 600,
  created_by: "ui",
  created_at: "2026-01-02T10:30:00.123456+00:00",
  ...more
})

const id = (value: string) => PipelineId.make(value)

export const suite = (name: string, layer: Layer.Layer<PipelineStore | Containers>): void =>
  it.layer(layer)(`PipelineStore (${name})`, (it) => {
    it.effect("reads the parts that the worker uses", () =>
      Effect.gen(function* () {
        const store = yield* PipelineStore
        const { pipelines } = yield* Containers
        const etag = yield* pipelines.upsert(pipeline("p1", { enabled: false }))
        const found = yield* Effect.flatten(store.find(id("p1")))
        assert.deepStrictEqual(found, {
          etag,
          pipeline: {
            id: id("p1"),
            name: "Pipeline p1",
            yaml: "pipeline:\n  name: p\n",
            enabled: false,
            retries: 3,
            retry_delay: 5,
            timeout: 600
          }
        })
      })
    )

    it.effect("fills in what old documents lack", () =>
      Effect.gen(function* () {
        const store = yield* PipelineStore
        const { pipelines } = yield* Containers
        yield* pipelines.upsert({ id: "p2", name: "n", yaml: "", enabled: null, timeout: null })
        const { pipeline } = yield* Effect.flatten(store.find(id("p2")))
        assert.isTrue(pipeline.enabled)
        assert.isNull(pipeline.retries)
        assert.isNull(pipeline.timeout)
      })
    )

    it.effect("finds none where there is none", () =>
      Effect.gen(function* () {
        const store = yield* PipelineStore
        assert.isTrue(Option.isNone(yield* store.find(id("nobody"))))
        assert.isTrue(Option.isNone(yield* store.find(id("a/../b"))))
        assert.isTrue(Option.isNone(yield* store.findByName("nobody")))
      })
    )

    it.effect("gives back the known pipeline until it changes or is deleted", () =>
      Effect.gen(function* () {
        const store = yield* PipelineStore
        const { pipelines } = yield* Containers
        yield* pipelines.upsert(pipeline("p3"))
        const known = yield* Effect.flatten(store.find(id("p3")))
        assert.strictEqual(yield* Effect.flatten(store.find(id("p3"), known)), known)
        const etag = yield* pipelines.upsert(pipeline("p3", { yaml: "new" }))
        const fresh = yield* Effect.flatten(store.find(id("p3"), known))
        assert.strictEqual(fresh.pipeline.yaml, "new")
        assert.strictEqual(fresh.etag, etag)
        yield* pipelines.remove("p3", etag)
        assert.isTrue(Option.isNone(yield* store.find(id("p3"), fresh)))
      })
    )

    it.effect("does not take another pipeline's ETag for its own", () =>
      Effect.gen(function* () {
        const store = yield* PipelineStore
        const { pipelines } = yield* Containers
        yield* pipelines.upsert(pipeline("p4"))
        yield* pipelines.upsert(pipeline("p5"))
        const other = yield* Effect.flatten(store.find(id("p4")))
        const own = yield* Effect.flatten(store.find(id("p5")))
        const found = yield* Effect.flatten(store.find(id("p5"), { ...other, etag: own.etag }))
        assert.strictEqual(found.pipeline.id, "p5")
      })
    )

    it.effect("finds a pipeline by its name, always the same when two share it", () =>
      Effect.gen(function* () {
        const store = yield* PipelineStore
        const { pipelines } = yield* Containers
        yield* pipelines.upsert(pipeline("named-2", { name: 'It\'s "unique"' }))
        const etag = yield* pipelines.upsert(pipeline("named-1", { name: 'It\'s "unique"' }))
        const found = yield* Effect.flatten(store.findByName('It\'s "unique"'))
        assert.strictEqual(found.pipeline.id, "named-1")
        assert.strictEqual(found.etag, etag)
        assert.strictEqual(yield* Effect.flatten(store.find(id("named-1"), found)), found)
      })
    )

    it.effect("names the document and the property that is wrong", () =>
      Effect.gen(function* () {
        const store = yield* PipelineStore
        const { pipelines } = yield* Containers
        yield* pipelines.upsert({ id: "broken", name: "broken", yaml: { not: "text" } })
        for (const find of [store.find(id("broken")), store.findByName("broken")]) {
          const error = yield* Effect.flip(find)
          assert.strictEqual(error._tag, "Invalid")
          assert.include(error.message, "pipelines/broken")
          assert.include(error.message, "at yaml")
        }
      })
    )
  })
