import { createHash, randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { VaultId } from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { Unavailable } from "../../domain/ServiceError.ts"
import type { ListedDocument } from "../../executor/Executor.ts"
import { keyOfVault } from "./ManifestStore.ts"
import * as NameOrder from "./NameOrder.ts"
import type { OwnBlobs } from "./OwnBlobs.ts"

/**
 * The documents of a vault as its last whole crawl saw them. Its names lie in parts, in the order of the listing, and its head names the parts: only
 * parts whose documents came or went are read and written, so that memory and work are those of what changed. Parts never change; a new head is the
 * one moment in which an inventory takes the place of another.
 */
const Head = Schema.Struct({
  /** How the source sorts its names; null when no order is known to hold, and nothing can be compared. */
  order: Schema.NullOr(NameOrder.Name),
  /** False: of the order alone, names are to be collected anew. */
  whole: Schema.Boolean,
  parts: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      /** The greatest name in it. */
      last: Schema.String,
      present: Schema.Number,
      missing: Schema.Number,
      /** Of the names that are present. */
      digest: Schema.String
    })
  )
})
export interface Head extends Schema.Schema.Type<typeof Head> {}
type PartEntry = Head["parts"][number]

/** A part: what is there, and what is not any more and whose outputs still are, with the crawl that missed it. */
const Part = Schema.Struct({
  present: Schema.Array(Schema.String),
  missing: Schema.Array(Schema.Tuple(Schema.String, Schema.Number))
})
export interface Part extends Schema.Schema.Type<typeof Part> {}

export interface Found {
  readonly head: Head
  readonly etag: string | null
}

/** What a listing was compared with. */
export interface Compared {
  /** Documents that the inventory had. */
  readonly before: number
  /** Documents whose outputs are to be removed. */
  readonly missing: number
  /** Documents that the inventory did not have though they did not change; at most {@link mostAppeared}, the others appear again next time. */
  readonly appeared: ReadonlyArray<string>
}

const partSize = 5_000

/** Names that one comparison tells. */
const mostAppeared = 5_000

const nothing: Head = { order: "code points", whole: false, parts: [] }

const decodeHead = Schema.decodeUnknownOption(Schema.parseJson(Head))
const encodeHead = Schema.encodeSync(Schema.parseJson(Head))
const decodePart = Schema.decodeUnknownOption(Schema.parseJson(Part))

/** One vault's inventory. Who changes it holds the crawl lock; a holder that lost it is refused by the head's version. */
export const of = (own: OwnBlobs, vault: VaultId) => {
  const folder = `inventories/${keyOfVault(vault)}/`
  const headPath = `${folder}head.json`
  const pathOf = (id: string) => `${folder}${id}.json`

  const find: Effect.Effect<Found, ServiceError> = Effect.map(
    own.read(headPath),
    Option.match({
      onNone: () => ({ head: nothing, etag: null }),
      onSome: ({ etag, text }) => ({ head: Option.getOrElse(decodeHead(text), () => nothing), etag })
    })
  )

  const read = (id: string): Effect.Effect<Part, ServiceError> =>
    Effect.flatMap(own.read(pathOf(id)), (found) =>
      Option.match(
        Option.flatMap(found, ({ text }) => decodePart(text)),
        {
          onSome: (part): Effect.Effect<Part> => Effect.succeed(part),
          onNone: () =>
            Effect.as(
              Effect.logWarning(
                `A part of the inventory of the vault ${vault} is gone or unreadable (${pathOf(id)}): documents of it that were deleted meanwhile keep their outputs`
              ),
              { present: [], missing: [] }
            )
        }
      )
    )

  const write = (last: string, part: Part): Effect.Effect<PartEntry, ServiceError> => {
    const id = randomBytes(8).toString("hex")
    return Effect.as(own.put(pathOf(id), Buffer.from(JSON.stringify(part), "utf8")), entryOf(id, last, part))
  }

  /** The new head, in place of the one that was read; the parts that it does not name go. */
  const commit = Effect.fnUntraced(function* (found: Found, head: Head) {
    const kept = new Set([headPath, ...head.parts.map(({ id }) => pathOf(id))])
    // Looked for before the head is there: who goes on from it, while this one is still tidying up, writes new parts.
    const others = yield* own.list(folder).pipe(
      Stream.mapConcat(({ blobs }) => blobs.flatMap(({ path }) => (kept.has(path) ? [] : [path]))),
      Stream.runCollect
    )
    const written = yield* own.replace(headPath, encodeHead(head), found.etag)
    if (Option.isNone(written)) {
      return yield* new Unavailable({
        service: "Blob Storage",
        operation: `write ${headPath}`,
        message: `Another worker wrote the inventory of the vault ${vault} meanwhile.`
      })
    }
    yield* Effect.forEach(others, own.remove, { concurrency: 8, discard: true })
    return { head, etag: written.value }
  })

  /** The head with these names among what is missing, and how many of them were not yet. */
  const withMissing = Effect.fnUntraced(function* (head: Head, names: ReadonlyArray<string>, epoch: number) {
    const isBefore = NameOrder.compareBy(head.order ?? "code points")
    const left = names.toSorted(isBefore)
    const parts: Array<PartEntry> = []
    let from = 0
    let added = 0
    for (const entry of head.parts) {
      let to = from
      while (to < left.length && isBefore(left[to] ?? "", entry.last) <= 0) to++
      const own = left.slice(from, to)
      from = to
      const part = own.length === 0 ? undefined : yield* read(entry.id)
      const known = new Set(part === undefined ? [] : [...part.present, ...part.missing.map(([name]) => name)])
      const news = own.filter((name) => !known.has(name))
      added += news.length
      if (part === undefined || news.length === 0) parts.push(entry)
      else {
        const missing = [...part.missing, ...news.map((name) => [name, epoch] as const)]
        const sorted = missing.toSorted(([one], [other]) => isBefore(one, other))
        parts.push(yield* write(entry.last, { present: part.present, missing: sorted }))
      }
    }
    const beyond = left.slice(from)
    const last = beyond.at(-1)
    if (last !== undefined) {
      parts.push(yield* write(last, { present: [], missing: beyond.map((name) => [name, epoch] as const) }))
    }
    return { head: { ...head, parts }, added: added + beyond.length }
  })

  return {
    find,
    read,
    write,
    commit,
    withMissing,
    compare: (found: Found, epoch: number) => compare({ read, write }, found.head, epoch),
    /** The same comparison without writing anything: `onPart` is given what would be written. */
    foresee: (found: Found, epoch: number, onPart: (part: Part) => void) => {
      const imagined = (last: string, part: Part) =>
        Effect.sync(() => {
          onPart(part)
          return entryOf("", last, part)
        })
      return compare({ read, write: imagined }, found.head, epoch)
    }
  }
}

export type Inventory = ReturnType<typeof of>

const digestOf = (names: ReadonlyArray<string>): string =>
  createHash("sha256").update(names.join("\n")).digest("base64url").slice(0, 22)

const entryOf = (id: string, last: string, { missing, present }: Part): PartEntry => ({
  id,
  last,
  present: present.length,
  missing: missing.length,
  digest: digestOf(present)
})

/** A comparison under way. */
export interface Comparison {
  /** Takes documents as the listing gives them, in its order. */
  readonly add: (listed: ReadonlyArray<ListedDocument>) => Effect.Effect<void, ServiceError>
  /** The listing came to its end. None: its order is not that of the inventory, so nothing can be said; the head is to be kept all the same. */
  readonly finish: Effect.Effect<{ readonly head: Head; readonly compared: Option.Option<Compared> }, ServiceError>
}

interface Parts {
  readonly read: (id: string) => Effect.Effect<Part, ServiceError>
  readonly write: (last: string, part: Part) => Effect.Effect<PartEntry, ServiceError>
}

const compare = ({ read, write }: Parts, head: Head, epoch: number): Comparison => {
  const order = head.order ?? "code points"
  const isBefore = NameOrder.compareBy(order)
  const watch = NameOrder.watch()
  const parts: Array<PartEntry> = []
  const appeared: Array<string> = []
  let place = 0
  /** What is left of the old part in whose range the names are, once it had to be read. */
  let rest: Part | undefined
  let current: Array<string> = []
  /** Those of the current names that the crawl gives out: whether they appeared or changed does not matter. */
  let given = new Set<string>()

  /** Writes what is in the range up to `last`: at most so much a part. */
  const put = Effect.fnUntraced(function* (last: string, { missing, present }: Part) {
    let left = missing
    for (let from = 0; from === 0 || from < present.length; from += partSize) {
      const names = present.slice(from, from + partSize)
      const isLast = from + partSize >= present.length
      const bound = isLast ? last : (names.at(-1) ?? last)
      const own = isLast ? left : left.filter(([name]) => isBefore(name, bound) <= 0)
      left = left.slice(own.length)
      if (names.length + own.length > 0) parts.push(yield* write(bound, { present: names, missing: own }))
    }
  })

  /** Compares names with the part of the inventory for the same range. */
  const settle = (names: ReadonlyArray<string>, old: Part): Part => {
    const there = new Set(names)
    const known = new Set(old.present)
    const waiting = new Map(old.missing)
    const isNews = (name: string) => !known.has(name) && !waiting.has(name) && !given.has(name) && head.whole
    const left = new Set<string>()
    for (const name of names) {
      if (!isNews(name)) continue
      if (appeared.length < mostAppeared) appeared.push(name)
      else left.add(name)
    }
    given = new Set()
    const gone = old.present.flatMap((name) => (there.has(name) ? [] : [[name, epoch] as const]))
    const missing = [...old.missing.filter(([name]) => !there.has(name)), ...gone]
    return {
      present: left.size === 0 ? names : names.filter((name) => !left.has(name)),
      missing: missing.toSorted(([one], [other]) => isBefore(one, other))
    }
  }

  /** All names of the old part's range came. */
  const close = Effect.fnUntraced(function* (entry: PartEntry) {
    const names = current
    current = []
    place++
    if (rest === undefined && entry.missing === 0 && digestOf(names) === entry.digest) {
      given = new Set()
      parts.push(entry)
      return
    }
    const old = rest ?? (yield* read(entry.id))
    rest = undefined
    yield* put(entry.last, settle(names, old))
  })

  /** More names than are kept in memory: those so far are compared with their half of the part. */
  const cut = Effect.fnUntraced(function* (entry: PartEntry | undefined) {
    const names = current
    current = []
    const bound = names.at(-1) ?? ""
    if (entry === undefined) return yield* put(bound, settle(names, { present: [], missing: [] }))
    const old = rest ?? (yield* read(entry.id))
    const isIn = (name: string) => isBefore(name, bound) <= 0
    rest = {
      present: old.present.filter((name) => !isIn(name)),
      missing: old.missing.filter(([name]) => !isIn(name))
    }
    yield* put(
      bound,
      settle(names, { present: old.present.filter(isIn), missing: old.missing.filter(([name]) => isIn(name)) })
    )
  })

  const takes = (entry: PartEntry | undefined, name: string): boolean =>
    entry === undefined || isBefore(name, entry.last) <= 0

  return {
    add: Effect.fnUntraced(function* (listed) {
      for (const { isGiven, name } of listed) {
        watch.next(name)
        if (!watch.holds(order)) continue
        for (let entry = head.parts[place]; entry !== undefined && !takes(entry, name); entry = head.parts[place]) {
          yield* close(entry)
        }
        current.push(name)
        if (isGiven) given.add(name)
        const most = head.parts[place] === undefined ? partSize : 4 * partSize
        if (current.length >= most) yield* cut(head.parts[place])
      }
    }),
    finish: Effect.gen(function* () {
      if (!watch.holds(order)) {
        // The next listing begins an inventory in the order of this one.
        return { head: { order: watch.found(), whole: false, parts: [] }, compared: Option.none<Compared>() }
      }
      for (let entry = head.parts[place]; entry !== undefined; entry = head.parts[place]) yield* close(entry)
      if (current.length > 0) yield* cut(undefined)
      const next: Head = { order, whole: true, parts }
      const before = head.parts.reduce((sum, { missing, present }) => sum + missing + present, 0)
      const missing = parts.reduce((sum, part) => sum + part.missing, 0)
      return { head: next, compared: Option.some({ before, missing, appeared }) }
    })
  }
}
