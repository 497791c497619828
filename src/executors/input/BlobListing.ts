import { createHash } from "node:crypto"
import * as Chunk from "effect/Chunk"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { BlobEntry, BlobPage } from "../../blob/BlobStore.ts"
import { compareByCodePoint } from "../../domain/PythonText.ts"

/** What one look at a listing gave; `servedAt` is the service's clock, epoch milliseconds. */
export interface Found<A> {
  readonly found: ReadonlyArray<A>
  readonly servedAt: number
}

export interface BlobOrder {
  readonly by: "name" | "last_modified" | "size"
  readonly ascending: boolean
}

/** Blobs that are in memory at once for sorting; a longer listing is sorted in runs of this many. */
export const sortWindow = 100_000

/** A folder of a flat container: what lies between the prefix and the next slash. */
export interface BlobFolder {
  /** With the slash at its end. */
  readonly path: string
  readonly name: string
  readonly files: number
  /** A hash over the names and versions of all its files. */
  readonly version: string
}

/** What changes when a blob changes: its ETag, or size and time where there is none. */
export const versionOf = (blob: BlobEntry): string =>
  blob.etag === "" ? `${blob.size}-${blob.lastModified}` : blob.etag

/**
 * The wanted blobs, page by page. The first `limit` in name order are taken, as the original does, and then sorted. Memory is
 * that of a page in ascending name order, else that of {@link sortWindow} blobs.
 */
export const files = <E>(
  pages: Stream.Stream<BlobPage, E>,
  options: {
    readonly wanted: (blob: BlobEntry) => boolean
    readonly limit: number
    readonly order: BlobOrder
    readonly batchSize: number
  }
): Stream.Stream<Found<BlobEntry>, E> => {
  const taken = pages.pipe(
    Stream.mapAccum(options.limit, (left, page) => {
      const found = page.blobs.filter(options.wanted).slice(0, left)
      return [left - found.length, { found, servedAt: page.servedAt, last: found.length === left }]
    }),
    Stream.takeUntil(({ last }) => last)
  )
  return options.order.by === "name" && options.order.ascending
    ? Stream.map(taken, ({ found, servedAt }) => ({ found, servedAt }))
    : sorted(taken, comparator(options.order), options.batchSize)
}

/** Collects whole windows; while it does, every page gives an empty batch, so that a crawl shows progress and when it began. */
const sorted = <E>(
  taken: Stream.Stream<Found<BlobEntry>, E>,
  compare: (left: BlobEntry, right: BlobEntry) => number,
  batchSize: number
): Stream.Stream<Found<BlobEntry>, E> => {
  const release = ({ held, servedAt }: Held): ReadonlyArray<Found<BlobEntry>> =>
    Chunk.toReadonlyArray(
      Chunk.map(Chunk.chunksOf(Chunk.unsafeFromArray(Chunk.toArray(held).toSorted(compare)), batchSize), (batch) => ({
        found: Chunk.toReadonlyArray(batch),
        servedAt
      }))
    )
  return withEnd(taken).pipe(
    Stream.mapAccum(nothingHeld, (state, next): readonly [Held, ReadonlyArray<Found<BlobEntry>>] => {
      if (Option.isNone(next)) return [nothingHeld, release(state)]
      const { found, servedAt } = next.value
      const held = { held: Chunk.appendAll(state.held, Chunk.unsafeFromArray(found)), servedAt }
      const begun = { found: [], servedAt }
      return Chunk.size(held.held) < sortWindow ? [held, [begun]] : [nothingHeld, [begun, ...release(held)]]
    }),
    Stream.flattenIterables
  )
}

interface Held {
  readonly held: Chunk.Chunk<BlobEntry>
  readonly servedAt: number
}

const nothingHeld: Held = { held: Chunk.empty(), servedAt: 0 }

const comparator = ({ ascending, by }: BlobOrder): ((left: BlobEntry, right: BlobEntry) => number) => {
  const compare = (left: BlobEntry, right: BlobEntry): number =>
    by === "name"
      ? compareByCodePoint(left.path, right.path)
      : by === "size"
        ? left.size - right.size
        : dateOf(left) - dateOf(right)
  return ascending ? compare : (left, right) => compare(right, left)
}

const dateOf = (blob: BlobEntry): number => (Number.isFinite(blob.lastModified) ? blob.lastModified : 0)

/**
 * The folders right below the prefix that hold a wanted blob with a change, in name order, with constant memory. A prefix that ends
 * inside a name (`in`) finds the folders whose names begin so.
 */
export const folders = <E>(
  pages: Stream.Stream<BlobPage, E>,
  options: {
    readonly prefix: string
    readonly wanted: (blob: BlobEntry) => boolean
    readonly changed: (blob: BlobEntry) => boolean
    readonly limit: number
  }
): Stream.Stream<Found<BlobFolder>, E> => {
  const base = options.prefix.slice(0, options.prefix.lastIndexOf("/") + 1)
  const start: Walk = { open: null, left: options.limit, servedAt: 0 }
  return withEnd(pages).pipe(
    Stream.mapAccum(start, (walk, next): readonly [Walk, Found<BlobFolder> & { readonly last: boolean }] => {
      const found: Array<BlobFolder> = []
      let { left, open } = walk
      const close = () => {
        if (open !== null && open.changed && left > 0) {
          found.push({ path: open.path, name: open.name, files: open.files, version: open.version })
          left -= 1
        }
        open = null
      }
      for (const blob of Option.isSome(next) ? next.value.blobs.filter(options.wanted) : []) {
        const slash = blob.path.indexOf("/", base.length)
        if (slash === -1) continue
        const path = blob.path.slice(0, slash + 1)
        if (open?.path !== path) {
          close()
          open = { path, name: blob.path.slice(base.length, slash), files: 0, version: "", changed: false }
        }
        open = {
          ...open,
          files: open.files + 1,
          version: chain(open.version, blob),
          changed: open.changed || options.changed(blob)
        }
      }
      if (Option.isNone(next)) close()
      const servedAt = Option.isSome(next) ? next.value.servedAt : walk.servedAt
      return [
        { open, left, servedAt },
        { found, servedAt, last: left === 0 }
      ]
    }),
    Stream.takeUntil(({ last }) => last),
    Stream.map(({ found, servedAt }) => ({ found, servedAt }))
  )
}

interface Walk {
  readonly open: (BlobFolder & { readonly changed: boolean }) | null
  readonly left: number
  readonly servedAt: number
}

const chain = (before: string, blob: BlobEntry): string =>
  createHash("sha256")
    .update(JSON.stringify([before, blob.path, versionOf(blob)]))
    .digest("hex")

const withEnd = <A, E>(stream: Stream.Stream<A, E>): Stream.Stream<Option.Option<A>, E> =>
  Stream.concat(Stream.map(stream, Option.some), Stream.succeed(Option.none()))
