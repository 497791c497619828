import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as StorageBlob from "../../src/blob/StorageBlob.ts"
import { ExecutorId } from "../../src/domain/Ids.ts"
import type { CrawlBatch, CrawlOptions } from "../../src/executor/Executor.ts"
import { executor as discovery } from "../../src/executors/input/AzureBlobInputDiscovery.ts"
import { storageLayer } from "../../src/testing/AzureSettings.ts"
import { accountName, Azurite } from "../../src/testing/Azurite.ts"
import * as ListingPlaces from "../../src/worker/crawl/ListingPlaces.ts"
import * as NameRange from "../../src/worker/crawl/NameRange.ts"
import * as NameOrder from "../../src/worker/outputs/NameOrder.ts"

/** A service that lists names in this order, two a page; its places are names, those before (as Azurite's) or behind them (as Azure's). */
const service =
  (names: ReadonlyArray<string>, order: NameOrder.Name, placed: "before" | "behind") =>
  (from: string | undefined): Stream.Stream<CrawlBatch> => {
    const compare = NameOrder.compareBy(order)
    const sorted = names.toSorted(compare)
    const place = from ?? ""
    const first = sorted.findIndex((name) =>
      placed === "before" ? compare(name, place) > 0 : compare(name, place) >= 0
    )
    const left = from === undefined ? sorted : first < 0 ? [] : sorted.slice(first)
    const pages = left.flatMap((_, index) => (index % 2 === 0 ? [left.slice(index, index + 2)] : []))
    return Stream.fromIterable(
      pages.map((page, index): CrawlBatch => {
        const next = placed === "before" ? page.at(-1) : pages[index + 1]?.[0]
        return {
          documents: [],
          servedAt: 0,
          listed: page.map((name) => ({ name, isGiven: false })),
          span: { first: page[0] ?? "", last: page.at(-1) ?? "" },
          ...(index === pages.length - 1 || next === undefined ? {} : { resume: next })
        }
      })
    )
  }

type Listing<E> = (from: string | undefined) => Stream.Stream<CrawlBatch, E>

const namesOf = <E>(batches: Stream.Stream<CrawlBatch, E>) =>
  Stream.runFold(batches, new Array<string>(), (all, { listed = [] }) => [...all, ...listed.map(({ name }) => name)])

const placesOf = <E>(listing: Listing<E>) =>
  Effect.gen(function* () {
    const recorder = ListingPlaces.recorder(Option.none(), undefined)
    yield* Stream.runForEach(listing(undefined), (batch) => Effect.sync(() => recorder.page(batch)))
    return recorder.found()
  })

/** What the ranges list, by the places of an earlier listing, put together; how many names each has, and how often names are listed. */
const inRanges = <E>(places: ListingPlaces.Places, ranges: number, listing: Listing<E>) =>
  Effect.gen(function* () {
    const shared = { borders: ListingPlaces.borders(places, ranges), orders: places.orders }
    const each = yield* Effect.forEach(Array.from({ length: shared.borders.length + 1 }), (_, number) => {
      const range = NameRange.of(shared, number)
      return Effect.map(namesOf(range.cut(listing(range.from))), (listed) => ({
        listed,
        doubtful: listed.filter(range.isDoubtful)
      }))
    })
    const all = each.flatMap(({ listed }, number) => {
      const others = new Set(each.slice(number + 1).flatMap(({ doubtful }) => doubtful))
      return listed.filter((name) => !others.has(name))
    })
    return { all, sizes: each.map(({ listed }) => listed.length) }
  })

const names = ["a-1", "a/1", "a/2", "a0", "b", "b-", "b/x", "Z", "é", "\u{ff5e}", "\u{10348}", "c1", "c2", "c3", "d"]

/** Other names at, before and behind each name, and every third one gone. */
const changed = names.flatMap((name, index) => [
  ...(index % 3 === 0 ? [] : [name]),
  `${name}!`,
  `${name}/`,
  `${name}/0`,
  `${name}\u{10ffff}`
])

describe("ranges of names", () => {
  for (const order of NameOrder.Name.literals) {
    for (const placed of ["before", "behind"] as const) {
      it.effect(`have each name of a source that lists by ${order} and goes on at the name ${placed} the place`, () =>
        Effect.gen(function* () {
          // Such names look sorted in one order alone, and those in all of them.
          for (const known of [names, ["c1", "c2", "c3", "d", "e1", "e2", "f", "g", "h"]]) {
            const places = yield* placesOf(service(known, order, placed))
            assert.include(places.orders, order)
            for (const now of [known, changed, [], ["zz"]]) {
              for (const ranges of [2, 3, 4, 7]) {
                const listing = service(now, order, placed)
                const { all } = yield* inRanges(places, ranges, listing)
                assert.deepStrictEqual(all, yield* namesOf(listing(undefined)))
              }
            }
          }
        })
      )
    }
  }
  it.effect("have about as many pages each, two at least", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 2_000 }, (_, index) => String(index).padStart(6, "0"))
      const listing = service(many, "code points", "behind")
      const places = yield* placesOf(listing)
      assert.isAtMost(places.places.length, 64)
      for (const ranges of [2, 3, 16]) {
        const { all, sizes } = yield* inRanges(places, ranges, listing)
        assert.lengthOf(sizes, ranges)
        assert.deepStrictEqual(all, many)
        assert.strictEqual(
          sizes.reduce((sum, size) => sum + size, 0),
          many.length,
          "no name is in two of them"
        )
        for (const size of sizes) assert.approximately(size, 2_000 / ranges, 64)
      }
      assert.lengthOf(ListingPlaces.borders(yield* placesOf(service(many.slice(0, 7), "code points", "before")), 16), 1)
    })
  )
})

/** The finder over a container of Azurite. */
const crawled = Effect.gen(function* () {
  const settings = { blob_storage_account: accountName, blob_container_name: "ranges", batch_size: 2 }
  const prepared = discovery.prepare(settings)
  if (prepared._tag === "Left") return yield* Effect.die("settings")
  const context = { id: ExecutorId.make("find"), pipelineName: "line", failOnError: true }
  const { crawl } = yield* prepared.right(context)
  return (from: string | undefined) => {
    const options: CrawlOptions = { listsAll: true, ...(from === undefined ? {} : { from }) }
    return crawl?.(Option.none(), Option.none(), () => false, options) ?? Stream.empty
  }
})

const azurite = Layer.unwrapEffect(
  Effect.map(Azurite, ({ connectionString }) => Layer.provide(StorageBlob.layer, storageLayer(connectionString)))
).pipe(Layer.provide(Azurite.layer))

layer(azurite, { timeout: "60 seconds" })("ranges of names in Azurite", (it) => {
  it.scoped("have each document that the container has, also when names came and went", () =>
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      const account = { name: accountName }
      const listing = yield* crawled
      yield* blobs.ensureContainer(account, "ranges")
      const at = (path: string) => ({ account, container: "ranges", path })
      const put = (path: string) => blobs.upload(at(path), Buffer.from(path))
      yield* Effect.forEach(names, put, { concurrency: 8, discard: true })
      const places = yield* placesOf(listing)
      const isExact = Effect.gen(function* () {
        const { all, sizes } = yield* inRanges(places, 4, listing)
        assert.lengthOf(sizes, 4)
        assert.deepStrictEqual(all, yield* namesOf(listing(undefined)))
      })
      yield* isExact
      yield* Effect.forEach(
        names.filter((_, index) => index % 3 === 0),
        (name) => blobs.remove(at(name))
      )
      yield* Effect.forEach(["Y", "b0", "c", "c22", "~"], put)
      yield* isExact
    })
  )
})
