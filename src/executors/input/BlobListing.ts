import { createHash } from "node:crypto"
import * as Chunk from "effect/Chunk"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { BlobEntry, BlobPage } from "../../blob/BlobStore.ts"
import { compareByCodePoint } from "../../python/PythonText.ts"
import * as ListingLimit from "./ListingLimit.ts"

/** What one look at a listing gave; `servedAt` is the service's clock, epoch milliseconds. */
export interface Found<A> {
  readonly found: ReadonlyArray<A>
  readonly servedAt: number
  /** Where the service goes on behind it. */
  readonly next?: string
  /** The paths of the first and the last blob on the page, wanted or not. */
  readonly span?: { readonly first: string; readonly last: string }
  /** Only on the last page, where the limit cut the listing: where it goes on. */
  readonly marks?: ReadonlyArray<string>
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
  /** When the last of its files changed: epoch milliseconds, or NaN when none says. */
  readonly lastModified: number
}

/** What changes when a blob changes: its ETag, or size and time where there is none. */
export const versionOf = (blob: BlobEntry): string =>
  blob.etag === "" ? `${blob.size}-${blob.lastModified}` : blob.etag

/**
 * The wanted blobs, page by page. The first of the listing, up to the limit, are taken, as the original does, and then sorted. Memory is
 * that of a page in ascending name order, else that of {@link sortWindow} blobs.
 */
export const files = <E>(
  pages: Stream.Stream<BlobPage, E>,
  options: {
    readonly wanted: (blob: BlobEntry) => boolean
    readonly limit: ListingLimit.Limit
    readonly order: BlobOrder
    readonly batchSize: number
  }
): Stream.Stream<Found<BlobEntry>, E> => {
  const taken = ListingLimit.resumed<BlobEntry, Found<BlobEntry>, E, never>(options.limit, (taking) =>
    pages.pipe(
      Stream.map(({ blobs, next, servedAt }) => {
        for (const blob of blobs) taking.offer(blob.path, options.wanted(blob) ? blob : undefined)
        const [first, last] = [blobs[0], blobs.at(-1)]
        return {
          ...taking.look(),
          servedAt,
          ...(next === undefined ? {} : { next }),
          ...(first === undefined || last === undefined ? {} : { span: { first: first.path, last: last.path } })
        }
      }),
      Stream.takeUntil(({ marks }) => marks !== undefined)
    )
  )
  return options.order.by === "name" && options.order.ascending
    ? taken
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
      if (Option.isNone(next)) return [nothingHeld, [...release(state), ...state.end]]
      const { found, marks, servedAt } = next.value
      const begun = { found: [], servedAt }
      const end = marks === undefined ? [] : [{ ...begun, marks }]
      const held = { held: Chunk.appendAll(state.held, Chunk.unsafeFromArray(found)), servedAt, end }
      return Chunk.size(held.held) < sortWindow ? [held, [begun]] : [{ ...nothingHeld, end }, [begun, ...release(held)]]
    }),
    Stream.flattenIterables
  )
}

interface Held {
  readonly held: Chunk.Chunk<BlobEntry>
  readonly servedAt: number
  /** What comes after all of them. */
  readonly end: ReadonlyArray<Found<BlobEntry>>
}

const nothingHeld: Held = { held: Chunk.empty(), servedAt: 0, end: [] }

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
    /** Whether a folder is wanted though nothing in it changed. */
    readonly isWaiting: (path: string) => boolean
    /** Hears of every folder with a wanted blob, and whether it is given. */
    readonly onFolder: (path: string, isGiven: boolean) => void
    readonly limit: ListingLimit.Limit
  }
): Stream.Stream<Found<BlobFolder>, E> => {
  const close = (taking: ListingLimit.Taking<BlobFolder>, open: Open | null): void => {
    if (open === null) return
    const { path } = open.folder
    const isGiven = open.changed || options.isWaiting(path)
    options.onFolder(path, isGiven)
    taking.offer(path, isGiven ? open.folder : undefined)
  }

  const base = options.prefix.slice(0, options.prefix.lastIndexOf("/") + 1)
  return ListingLimit.resumed<BlobFolder, Found<BlobFolder>, E, never>(options.limit, (taking) =>
    withEnd(pages).pipe(
      Stream.mapAccum(nothingOpen, (walk, next): readonly [Walk, Found<BlobFolder>] => {
        if (Option.isNone(next)) {
          close(taking, walk.open)
          // All folders were shown: a limit that is reached now cut nothing.
          return [nothingOpen, { found: taking.look().found, servedAt: walk.servedAt }]
        }
        let { open } = walk
        for (const blob of next.value.blobs.filter(options.wanted)) {
          const slash = blob.path.indexOf("/", base.length)
          if (slash === -1) continue
          const path = blob.path.slice(0, slash + 1)
          if (open?.folder.path !== path) {
            close(taking, open)
            open = { folder: emptyFolder(path, blob.path.slice(base.length, slash)), changed: false }
          }
          open = { folder: withFile(open.folder, blob), changed: open.changed || options.changed(blob) }
        }
        const { servedAt } = next.value
        return [
          { open, servedAt },
          { ...taking.look(), servedAt }
        ]
      }),
      Stream.takeUntil(({ marks }) => marks !== undefined)
    )
  )
}

/** The folder whose files are listed now: it is whole when another begins. */
interface Open {
  readonly folder: BlobFolder
  readonly changed: boolean
}

interface Walk {
  readonly open: Open | null
  readonly servedAt: number
}

const nothingOpen: Walk = { open: null, servedAt: 0 }

const emptyFolder = (path: string, name: string): BlobFolder => ({
  path,
  name,
  files: 0,
  version: "",
  lastModified: Number.NaN
})

const withFile = (folder: BlobFolder, blob: BlobEntry): BlobFolder => ({
  ...folder,
  files: folder.files + 1,
  version: chain(folder.version, blob),
  lastModified:
    blob.lastModified < folder.lastModified || Number.isNaN(blob.lastModified) ? folder.lastModified : blob.lastModified
})

const chain = (before: string, blob: BlobEntry): string =>
  createHash("sha256")
    .update(JSON.stringify([before, blob.path, versionOf(blob)]))
    .digest("hex")

const withEnd = <A, E>(stream: Stream.Stream<A, E>): Stream.Stream<Option.Option<A>, E> =>
  Stream.concat(Stream.map(stream, Option.some), Stream.succeed(Option.none()))
