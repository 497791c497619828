import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ListingPlace } from "../../domain/CrawlRange.ts"
import type { CrawlBatch } from "../../executor/Executor.ts"
import * as NameOrder from "../outputs/NameOrder.ts"

/**
 * Places in a listing, evenly spread: those of one crawl are where the ranges of the next may begin. A service lists from the places that it gave, not from names,
 * so that they have to be seen before a listing can be shared.
 */
const Places = Schema.Struct({
  /** The orders in which all names came. */
  orders: Schema.Array(NameOrder.Name),
  /** Each with the number of pages since the one before. */
  places: Schema.Array(Schema.Struct({ ...ListingPlace.fields, pages: Schema.Number })),
  /** Pages behind the last place. */
  tail: Schema.Number,
  /** The ETag of the pipeline whose source gave them; not in those of a range. */
  pipeline_version: Schema.optional(Schema.String)
})
export interface Places extends Schema.Schema.Type<typeof Places> {}

/** With names of 1,024 characters some 160 KB, of the 2 MB of a document. */
const most = 64

const Stored = Schema.parseJson(Places)
const encode = Schema.encodeSync(Stored)
const decode = Schema.decodeUnknownOption(Stored)

export const read = (stored: string | null | undefined): Option.Option<Places> => decode(stored)

/** As the checkpoint stores them; null where none can be used. */
export const stored = (places: Places, version: string): string | null =>
  places.orders.length === 0 || places.places.length === 0 ? null : encode({ ...places, pipeline_version: version })

/** Of a range, whose places are looked at together with those of the others. */
export const storedOfRange: (places: Places) => string = encode

/** Notes the places of a listing while it goes on, page by page; `from`: those before it was cut off. */
export const recorder = (from: Option.Option<Places>, resume: string | undefined) => {
  const watch = NameOrder.watch()
  let before: string | undefined
  let next = resume
  let noted = Option.getOrElse(from, (): Places => ({ orders: [], places: [], tail: 0 }))
  let distance = distanceOf(noted)
  const held = Option.map(from, ({ orders }) => orders)
  const see = (name: string): void => {
    if (name !== before) watch.next(name)
    before = name
  }
  return {
    page: ({ listed, resume, span }: Pick<CrawlBatch, "listed" | "resume" | "span">): void => {
      if (span !== undefined) see(span.first)
      for (const { name } of listed ?? []) see(name)
      if (span !== undefined) see(span.last)
      if (next !== undefined && span !== undefined && noted.tail >= distance) {
        const place = { from: next, name: span.first, pages: noted.tail }
        noted = thinned({ ...noted, places: [...noted.places, place], tail: 0 }, 2 * most)
        distance = distanceOf(noted)
      }
      noted = { ...noted, tail: noted.tail + 1 }
      next = resume
    },
    found: (): Places => ({
      ...thinned(noted, most),
      orders: NameOrder.Name.literals.filter(
        (order) => watch.holds(order) && Option.getOrElse(held, () => NameOrder.Name.literals).includes(order)
      )
    })
  }
}

/** Pages between two places: as many as there are between those that are left of the others. */
const distanceOf = ({ places }: Places): number => places.reduce((most, { pages }) => Math.max(most, pages), 1)

/** At most so many, without every second one until it is so. */
const thinned = ({ places, tail, ...more }: Places, limit: number): Places => {
  let [left, behind] = [places, tail]
  while (left.length > limit) {
    const kept = left.flatMap((place, index) => {
      const before = left[index - 1]
      return index % 2 === 0 || before === undefined ? [] : [{ ...place, pages: before.pages + place.pages }]
    })
    if (left.length % 2 === 1) behind += left.at(-1)?.pages ?? 0
    left = kept
  }
  return { ...more, places: left, tail: behind }
}

/** Those of the ranges of one listing, in their order; a range begins at its border. */
export const joined = (ranges: ReadonlyArray<Places>, borders: ReadonlyArray<ListingPlace>): Places => {
  const places: Array<Places["places"][number]> = []
  let tail = 0
  for (const [index, range] of ranges.entries()) {
    const border = borders[index - 1]
    if (border !== undefined) {
      places.push({ from: border.from, name: border.name, pages: tail })
      tail = 0
    }
    const [first, ...others] = range.places
    if (first !== undefined) places.push({ ...first, pages: first.pages + tail }, ...others)
    tail = first === undefined ? tail + range.tail : range.tail
  }
  const orders = NameOrder.Name.literals.filter((order) => ranges.every((range) => range.orders.includes(order)))
  return thinned({ orders, places, tail }, most)
}

/** Where the second of so many ranges begins, the third, …: each has about as many pages, and two at least. */
export const borders = ({ orders, places, tail }: Places, ranges: number): ReadonlyArray<ListingPlace> => {
  if (orders.length === 0) return []
  const pages = places.reduce((sum, place) => sum + place.pages, tail)
  const count = Math.min(ranges, Math.floor(pages / 2))
  const found: Array<ListingPlace> = []
  let before = 0
  for (const { from, name, pages: more } of places) {
    // The first place that is no further from the next border than half the way to the one after it.
    const next = ((found.length + 1) * pages) / count
    if (found.length + 1 < count && before + more >= next - more / 2) found.push({ from, name })
    before += more
  }
  return found
}
