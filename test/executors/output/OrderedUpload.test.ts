import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Stream } from "effect"
import { BlobStore } from "../../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../../src/blob/MemoryBlob.ts"
import { Unavailable } from "../../../src/domain/ServiceError.ts"
import * as OrderedUpload from "../../../src/executors/output/OrderedUpload.ts"
import * as WriteOrder from "../../../src/executor/WriteOrder.ts"

const place = { account: { name: "acct" }, container: "out", path: "doc.json" }
const bytes = (text: string) => new TextEncoder().encode(text)

const order = (more: Partial<WriteOrder.WriteOrder> = {}): WriteOrder.WriteOrder => ({
  source: "0".repeat(32),
  changedAt: 1_000,
  createdAt: 2_000,
  delivery: 1,
  ...more
})

const body = Effect.gen(function* () {
  const chunks = yield* Stream.runCollect((yield* BlobStore).download(place))
  return Buffer.concat([...chunks]).toString()
})

const put = (text: string, turn: WriteOrder.WriteOrder) =>
  Effect.flatMap(BlobStore, (blobs) => OrderedUpload.upload(blobs, place, bytes(text), {}, turn))

const test = (name: string, effect: Effect.Effect<void, unknown, BlobStore | MemoryBlob.MemoryBlob>) =>
  it.effect(name, () =>
    Effect.gen(function* () {
      yield* (yield* BlobStore).ensureContainer(place.account, place.container)
      yield* effect
    }).pipe(Effect.provide(MemoryBlob.layer))
  )

describe("OrderedUpload", () => {
  for (const [name, earlier, later] of [
    ["a newer version of the document", order({ createdAt: 9_000, delivery: 7 }), order({ changedAt: 2_000 })],
    ["a later task of the same version", order({ delivery: 7 }), order({ createdAt: 3_000 })],
    ["a later delivery of the same task", order(), order({ delivery: 2 })]
  ] as const) {
    test(
      `${name} stays, whichever comes last`,
      Effect.gen(function* () {
        yield* put("later", later)
        const late = yield* put("earlier", earlier)
        assert.isFalse(late.isOurs)
        assert.strictEqual(late.size, 5)
        assert.strictEqual(yield* body, "later")
      })
    )
    test(
      `${name} replaces what was there`,
      Effect.gen(function* () {
        yield* put("earlier", earlier)
        assert.isTrue((yield* put("later", later)).isOurs)
        assert.strictEqual(yield* body, "later")
      })
    )
  }

  test(
    "the same attempt writes again",
    Effect.gen(function* () {
      yield* put("one", order())
      assert.isTrue((yield* put("two", order())).isOurs)
      assert.strictEqual(yield* body, "two")
    })
  )

  test(
    "another document's output, and a blob that no task wrote, are overwritten",
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      yield* blobs.upload(place, bytes("by hand"), { metadata: { owner: "somebody", contentflow_write_order: "x" } })
      assert.isTrue((yield* put("ours", order({ changedAt: 5_000 }))).isOurs)
      assert.isTrue((yield* put("other", order({ source: "1".repeat(32) }))).isOurs)
      assert.strictEqual(yield* body, "other")
    })
  )

  for (const there of [false, true]) {
    test(
      `a body that is under way while the later one is written changes nothing (${there ? "over a blob" : "as the first"})`,
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        if (there) yield* put("before", order({ changedAt: 1 }))
        const reached = yield* Deferred.make<void>()
        const gate = yield* Deferred.make<void>()
        const slow = BlobStore.of({
          ...blobs,
          upload: (...call) =>
            Effect.suspend(() =>
              (there && call[2]?.overwrite === false
                ? Effect.void
                : Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(gate))
              ).pipe(Effect.zipRight(blobs.upload(...call)))
            )
        })
        const early = yield* Effect.fork(OrderedUpload.upload(slow, place, bytes("early"), {}, order()))
        yield* Deferred.await(reached)
        yield* put("late", order({ delivery: 2 }))
        yield* Deferred.succeed(gate, undefined)
        assert.isFalse((yield* Fiber.join(early)).isOurs)
        assert.strictEqual(yield* body, "late")
      })
    )
  }

  test(
    "is one call where nothing is there, and none of its headers is lost",
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      const calls: Array<string> = []
      const counting = BlobStore.of({
        ...blobs,
        upload: (...call) => {
          calls.push("upload")
          return blobs.upload(...call)
        },
        properties: (location) => {
          calls.push("properties")
          return blobs.properties(location)
        }
      })
      yield* OrderedUpload.upload(counting, place, bytes("x"), { contentType: "a/b", metadata: { k: "v" } }, order())
      assert.deepStrictEqual(calls, ["upload"])
      const { contentType, metadata } = Option.getOrThrow(yield* blobs.properties(place))
      assert.strictEqual(contentType, "a/b")
      assert.deepStrictEqual(WriteOrder.fromMetadata(metadata), order())
      assert.strictEqual(metadata["k"], "v")
    })
  )

  test(
    "a write whose answer was lost is written again",
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      let lost = 1
      const losing = BlobStore.of({
        ...blobs,
        upload: (...call) =>
          Effect.tap(blobs.upload(...call), () =>
            lost-- > 0
              ? new Unavailable({ service: "Blob Storage", operation: "upload", message: "lost" })
              : Effect.void
          )
      })
      assert.isTrue((yield* OrderedUpload.upload(losing, place, bytes("x"), {}, order())).isOurs)
      assert.strictEqual(yield* body, "x")
    })
  )
})
