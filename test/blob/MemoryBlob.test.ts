import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Layer, Option, Stream, TestClock } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import { blobStoreSuite } from "../../src/testing/suites/BlobStoreSuite.ts"

blobStoreSuite("memory", { layer: Layer.fresh(MemoryBlob.layer), account: "anyaccount" })

describe("MemoryBlob", () => {
  it.effect("keeps accounts apart and shows everything to a test", () =>
    Effect.gen(function* () {
      const store = yield* BlobStore
      const control = yield* MemoryBlob.MemoryBlob
      yield* control.put("one", "docs", "b.txt", "text")
      yield* control.put("one", "docs", "a.bin", Uint8Array.of(1, 2), { contentType: "x/y" })
      yield* control.put("two", "docs", "b.txt", "other")
      const all = (yield* control.all).map(({ account, body, container, path }) => [
        account,
        container,
        path,
        [...body]
      ])
      assert.deepStrictEqual(all, [
        ["one", "docs", "a.bin", [1, 2]],
        ["one", "docs", "b.txt", [...Buffer.from("text")]],
        ["two", "docs", "b.txt", [...Buffer.from("other")]]
      ])
      const found = yield* store.properties({ account: { name: "one" }, container: "docs", path: "a.bin" })
      assert.strictEqual(Option.getOrThrow(found).contentType, "x/y")
    }).pipe(Effect.provide(MemoryBlob.layer))
  )

  it.effect("dates are the test clock's whole seconds", () =>
    Effect.gen(function* () {
      const store = yield* BlobStore
      const control = yield* MemoryBlob.MemoryBlob
      yield* TestClock.adjust("90999 millis")
      yield* control.put("one", "docs", "a", "x")
      yield* TestClock.adjust("1 minute")
      const pages = yield* Stream.runCollect(store.list({ account: { name: "one" }, container: "docs" }))
      const page = Chunk.unsafeHead(pages)
      assert.strictEqual(page.blobs[0]?.lastModified, 90_000)
      assert.strictEqual(page.servedAt, 150_000)
    }).pipe(Effect.provide(MemoryBlob.layer))
  )

  it.effect("a caller's later change of the bytes changes no blob", () =>
    Effect.gen(function* () {
      const store = yield* BlobStore
      const control = yield* MemoryBlob.MemoryBlob
      const body = Uint8Array.of(1)
      yield* control.put("one", "docs", "a", body)
      body[0] = 2
      const location = { account: { name: "one" }, container: "docs", path: "a" }
      for (const piece of yield* Stream.runCollect(store.download(location))) piece[0] = 3
      assert.deepStrictEqual(
        (yield* control.all).map((blob) => [...blob.body]),
        [[1]]
      )
    }).pipe(Effect.provide(MemoryBlob.layer))
  )

  it.effect("fails as planned, once each", () =>
    Effect.gen(function* () {
      const store = yield* BlobStore
      const control = yield* MemoryBlob.MemoryBlob
      const broken = new Unavailable({ service: "Blob Storage", operation: "test", message: "as the test wishes" })
      yield* control.put("one", "docs", "a", "x")
      yield* control.failNext("list", broken)
      yield* control.failNext("download", broken)
      const list = Stream.runCollect(store.list({ account: { name: "one" }, container: "docs" }))
      const download = Stream.runCollect(store.download({ account: { name: "one" }, container: "docs", path: "a" }))
      assert.strictEqual(yield* Effect.flip(list), broken)
      assert.strictEqual(yield* Effect.flip(download), broken)
      yield* list
      yield* download
    }).pipe(Effect.provide(MemoryBlob.layer))
  )
})
