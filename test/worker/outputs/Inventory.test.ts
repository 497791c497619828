import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { BlobStore } from "../../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../../src/config/WorkerConfig.ts"
import { VaultId } from "../../../src/domain/Ids.ts"
import { ClaimAccount } from "../../../src/worker/ClaimCheck.ts"
import * as Inventory from "../../../src/worker/outputs/Inventory.ts"
import * as OwnBlobs from "../../../src/worker/outputs/OwnBlobs.ts"

const ports = Layer.mergeAll(MemoryBlob.layer, WorkerConfig.layerWith({}), Layer.succeed(ClaimAccount, "own"))

const inventory = Effect.map(OwnBlobs.make, (own) => Inventory.of(own, VaultId.make("vault-1")))

/** One crawl: pages of names in the order of the source, and what came of it. */
const crawl = (pages: ReadonlyArray<ReadonlyArray<string>>, epoch: number, given: ReadonlySet<string> = new Set()) =>
  Effect.gen(function* () {
    const own = yield* inventory
    const found = yield* own.find
    const comparison = own.compare(found, epoch)
    for (const page of pages) yield* comparison.add(page.map((name) => ({ name, isGiven: given.has(name) })))
    const { compared, head } = yield* comparison.finish
    yield* own.commit(found, head)
    return Option.getOrUndefined(compared)
  })

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `doc-${String(from + index).padStart(8, "0")}`)

const pagesOf = (names: ReadonlyArray<string>, size = 5_000) =>
  Array.from({ length: Math.ceil(names.length / size) }, (_, page) => names.slice(page * size, (page + 1) * size))

const missing = Effect.gen(function* () {
  const own = yield* inventory
  const { head } = yield* own.find
  const parts = yield* Effect.forEach(
    head.parts.filter((part) => part.missing > 0),
    ({ id }) => own.read(id)
  )
  return parts.flatMap((part) => part.missing)
})

const test = (name: string, body: Effect.Effect<void, unknown, Layer.Layer.Success<typeof ports>>) =>
  it.effect(name, () => Effect.provide(body, ports))

describe("the inventory of a vault", () => {
  test(
    "tells what is missing, since when, and what appeared without a change",
    Effect.gen(function* () {
      const first = yield* crawl([["a", "b", "c"], ["d"]], 1)
      assert.deepInclude(first, { before: 0, missing: 0, appeared: [] })
      const second = yield* crawl([["a"], ["bb", "d", "e"]], 2, new Set(["e"]))
      assert.deepInclude(second, { before: 4, missing: 2, appeared: ["bb"] })
      assert.deepStrictEqual(yield* missing, [
        ["b", 2],
        ["c", 2]
      ])
      const third = yield* crawl([["a", "b", "bb", "d", "e"]], 3)
      assert.deepInclude(third, { missing: 1, appeared: [] })
      assert.deepStrictEqual(yield* missing, [["c", 2]])
    })
  )
  test(
    "finds an empty source empty, and what comes into it",
    Effect.gen(function* () {
      yield* crawl([["a", "b"]], 1)
      assert.deepInclude(yield* crawl([[]], 2), { missing: 2 })
      assert.deepInclude(yield* crawl([["0", "z"]], 3), { missing: 2, appeared: ["0", "z"] })
      assert.deepStrictEqual(
        (yield* missing).map(([name]) => name),
        ["a", "b"]
      )
    })
  )
  test(
    "compares nothing with a listing in another order, and goes on in that order",
    Effect.gen(function* () {
      yield* crawl([["a-b/x", "a/x", "b"]], 1)
      // As accounts with a hierarchical namespace list.
      const folders = ["a/x", "a/y", "a-b/x", "b"]
      assert.isUndefined(yield* crawl([folders], 2))
      assert.deepInclude(yield* crawl([folders], 3), { before: 0, missing: 0 })
      assert.deepInclude(yield* crawl([folders.slice(1)], 4), { before: 4, missing: 1 })
      assert.isUndefined(yield* crawl([["b", "a", "c"]], 5))
      assert.isUndefined(yield* crawl([["c", "a", "b"]], 6))
    })
  )
  test(
    "reads and writes only what changed, however large it is",
    Effect.gen(function* () {
      const names = numbered(40_000)
      yield* crawl(pagesOf(names), 1)
      const paths = Effect.map(
        Effect.flatMap(MemoryBlob.MemoryBlob, ({ all }) => all),
        (all) => new Set(all.map(({ path }) => path))
      )
      const before = yield* paths
      assert.strictEqual(before.size, 9)
      yield* crawl(pagesOf(names), 2)
      assert.deepStrictEqual(yield* paths, before)
      const changed = names.filter((_, index) => index !== 12_345)
      assert.deepInclude(yield* crawl(pagesOf(changed), 3), { before: 40_000, missing: 1 })
      const after = yield* paths
      assert.strictEqual([...after].filter((path) => !before.has(path)).length, 1)
      // Many more in the place of one part are cut into parts of their own.
      const more = [...changed, ...numbered(30_000, 12_000).map((name) => `${name}-b`)].toSorted()
      assert.deepInclude(yield* crawl(pagesOf(more), 4, new Set(more)), { missing: 1, appeared: [] })
      assert.deepStrictEqual(
        (yield* missing).map(([name]) => name),
        ["doc-00012345"]
      )
      assert.deepInclude(yield* crawl(pagesOf(more), 5), { missing: 1, appeared: [] })
    })
  )
  test(
    "is not replaced by a crawl that another overtook",
    Effect.gen(function* () {
      const own = yield* inventory
      yield* crawl([["a", "b"]], 1)
      const found = yield* own.find
      const late = own.compare(found, 2)
      yield* late.add([{ name: "a", isGiven: false }])
      yield* crawl([["a", "b", "c"]], 3)
      const { head } = yield* late.finish
      assert.strictEqual((yield* Effect.flip(own.commit(found, head)))._tag, "Unavailable")
      assert.deepInclude(yield* crawl([["a", "b", "c"]], 4), { missing: 0, appeared: [] })
    })
  )
  test(
    "keeps the parts that the next crawl wrote while the one before tidies up",
    Effect.gen(function* () {
      const own = yield* OwnBlobs.make
      const blobs = yield* Effect.context<Layer.Layer.Success<typeof ports>>()
      yield* crawl([["a", "b"]], 1)
      const slow = Inventory.of(
        {
          ...own,
          replace: (path, text, etag) =>
            Effect.tap(own.replace(path, text, etag), () =>
              Effect.orDie(Effect.provide(crawl([["a", "b", "c", "d"]], 3, new Set(["c", "d"])), blobs))
            )
        },
        VaultId.make("vault-1")
      )
      const found = yield* slow.find
      const late = slow.compare(found, 2)
      yield* late.add(["a", "b", "c"].map((name) => ({ name, isGiven: true })))
      yield* slow.commit(found, (yield* late.finish).head)
      assert.deepInclude(yield* crawl([["a", "b", "c"]], 4), { before: 4, missing: 1, appeared: [] })
      assert.deepStrictEqual(yield* missing, [["d", 4]])
      assert.lengthOf(yield* Effect.flatMap(MemoryBlob.MemoryBlob, ({ all }) => all), 4, "and nothing is left over")
    })
  )
  test(
    "goes on without a part that is gone",
    Effect.gen(function* () {
      yield* crawl([["a", "b"]], 1)
      const { all } = yield* MemoryBlob.MemoryBlob
      const part = (yield* all).find(({ path }) => !path.endsWith("head.json"))
      yield* (yield* BlobStore).remove({
        account: { name: "own" },
        container: part?.container ?? "",
        path: part?.path ?? ""
      })
      assert.deepInclude(yield* crawl([["a"]], 2), { missing: 0, appeared: ["a"] })
      assert.deepInclude(yield* crawl([[]], 3), { missing: 1 })
    })
  )
})
