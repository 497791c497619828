import * as Stream from "effect/Stream"
import type { SharedCrawl } from "../../domain/CrawlRange.ts"
import type { CrawlBatch } from "../../executor/Executor.ts"
import { nameOf } from "../../domain/Content.ts"
import * as NameOrder from "../outputs/NameOrder.ts"

type Border = SharedCrawl["borders"][number] | undefined

const comparesOf = (orders: SharedCrawl["orders"]) =>
  NameOrder.Name.literals.filter((order) => orders.includes(order)).map(NameOrder.compareBy)

/**
 * One range of a shared listing. As long as names look sorted in more than one order, a name between which they differ is taken on both sides of a border, so that none
 * is on neither.
 */
export const of = ({ borders, orders }: Pick<SharedCrawl, "borders" | "orders">, number: number) => {
  const compares = comparesOf(orders)
  const first: Border = borders[number - 1]
  const end: Border = borders[number]
  const isBefore = (name: string) => first !== undefined && compares.every((compare) => compare(name, first.name) < 0)
  const isBehind = (name: string) => end !== undefined && compares.every((compare) => compare(name, end.name) >= 0)
  const holds = (name: string) => !isBefore(name) && !isBehind(name)
  return {
    /** Where it begins; undefined where the listing does. */
    from: first?.from,
    /** Whether an earlier range may have the name, too. Here it has its place in the order of the whole listing. */
    isDoubtful: (name: string) => first !== undefined && compares.some((compare) => compare(name, first.name) < 0),
    /** What of a listing that begins at `from` is in it, up to its end. */
    cut: <E, R>(batches: Stream.Stream<CrawlBatch, E, R>): Stream.Stream<CrawlBatch, E, R> =>
      batches.pipe(
        // Not where its place is reached: some services go on behind a name there, and names may have come before the next.
        Stream.takeUntil(({ span }) => span !== undefined && isBehind(span.last)),
        Stream.map((batch) => {
          const { documents, listed, waiting, ...more } = batch
          return {
            ...more,
            documents: documents.filter(({ item }) => holds(nameOf(item))),
            ...(listed === undefined ? {} : { listed: listed.filter(({ name }) => holds(name)) }),
            ...(waiting === undefined ? {} : { waiting: waiting.filter(holds) })
          }
        })
      )
  }
}
