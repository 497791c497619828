import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { retryTransient } from "../../concurrency/RetryTransient.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import type { Checkpoint } from "../../domain/Checkpoint.ts"
import { nameOf } from "../../domain/Content.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { CrawlBatch, Discovered } from "../../executor/Executor.ts"
import { ExecutorError } from "../../executor/ExecutorError.ts"
import type { InputExecutor } from "../../pipeline/PipelineRunner.ts"
import * as Deletions from "../outputs/Deletions.ts"
import * as Metrics from "../Metrics.ts"
import * as CrawlStart from "./CrawlStart.ts"
import * as Enqueue from "./Enqueue.ts"
import type { RecentlyQueued } from "./RecentlyQueued.ts"
import * as WaitingDocuments from "./WaitingDocuments.ts"

/** A listing, or a range of one, whose documents are to be queued. */
export interface Listing {
  readonly target: {
    readonly vault: Enqueue.Source["vault"]
    readonly pipeline: Enqueue.Source["pipeline"]
    readonly input: InputExecutor
  }
  readonly workerId: string
  /** Of the crawl. */
  readonly epoch: number
  /** The vault's, as it was before the crawl. */
  readonly checkpoint: Checkpoint
  /** WaitingDocuments as an earlier worker left them. */
  readonly waiting: string | null
  /** The place to begin at; undefined for the beginning. */
  readonly from: string | undefined
  /** When an earlier worker began it, in the source's clock. */
  readonly startedAt: Option.Option<number>
  readonly listsAll: boolean
  /** Documents that are processed again though they did not change. */
  readonly again: ReadonlySet<string>
  readonly recent: RecentlyQueued
  /** Whether it ends where the source does not know the place to begin at; else it begins anew. */
  readonly endsWhereRefused: boolean
  /** What of the batches counts. */
  readonly cut: (batches: Stream.Stream<CrawlBatch, ExecutorError>) => Stream.Stream<CrawlBatch, ExecutorError>
  /** Hears of every batch in the order of the listing, before its documents are queued, */
  readonly onListed: (batch: CrawlBatch) => Effect.Effect<void>
  /** and in the same order when they are; not of groups. */
  readonly onQueued: (batch: CrawlBatch) => Effect.Effect<void, ServiceError>
  /** All before the place is queued: a crawl that is cut off from now on is gone on with there. */
  readonly keep: (place: Kept) => Effect.Effect<void>
  readonly onProgress: Effect.Effect<void>
}

/** How far a listing came. */
export interface Kept {
  readonly resume: string
  /** When it began, in the source's clock. */
  readonly startedAt: number
  /** WaitingDocuments, with those that are queued, since that may not be kept yet. */
  readonly waiting: string | null
  readonly totals: Pick<Totals, "enqueued" | "newlyWaiting">
}

export interface Totals {
  listedAt: Option.Option<number>
  /** Where a limit cut the listing. */
  cut: Option.Option<string>
  discovered: number
  enqueued: number
  readonly waiting: WaitingDocuments.WaitingDocuments
  readonly newlyWaiting: Array<string>
  /** Of the documents that are looked for again: those that the listing came across. */
  readonly seen: Set<string>
  /** The source does not know the place where the listing was to begin, and nothing was listed. */
  refused: boolean
}

/** Executions and messages that one listing has under way at once. */
const enqueueConcurrency = 16

/** So many documents are found again at most after a listing that was cut off, */
const progressDocuments = 1_000

/** and so much time is lost with it. */
const progressMillis = Duration.toMillis("30 seconds")

/** A source that gives nothing for this long is taken for hung. */
const silence = Duration.minutes(2)

/** A call is tried again for 10 s before the crawl fails. */
const forTenSeconds = retryTransient("200 millis", "10 seconds")

/** Lists a source and queues what is new or changed. */
export const make = Effect.gen(function* () {
  const { again: enqueueAgain, enqueue } = yield* Enqueue.make
  const deletions = yield* Deletions.Deletions
  const { crawlOverlap } = yield* WorkerConfig
  const overlap = Duration.toMillis(crawlOverlap)

  return Effect.fnUntraced(function* (listing: Listing) {
    const { again, checkpoint, onProgress, recent, target, workerId } = listing
    const { input, pipeline, vault } = target
    const source: Enqueue.Source = { vault, pipeline, inputExecutor: input.id, workerId, foundAt: listing.epoch }
    const crawl = yield* CrawlStart.crawlOf(input, pipeline.name)
    const totals: Totals = {
      listedAt: listing.startedAt,
      cut: Option.none(),
      discovered: 0,
      enqueued: 0,
      waiting: WaitingDocuments.read(listing.waiting),
      newlyWaiting: [],
      seen: new Set(),
      refused: false
    }
    /** Of all that is found: what is queued may not be kept yet. */
    const everWaiting = WaitingDocuments.read(listing.waiting)
    const continuation = Option.map(Option.fromNullable(checkpoint.listing), (listing) => listing.continuation)
    const waited = WaitingDocuments.read(listing.waiting)
    const isWaiting = (name: string): boolean => again.has(name) || waited.has(name)
    const batches = crawl(CrawlStart.since(checkpoint, overlap), continuation, isWaiting, {
      listsAll: listing.listsAll,
      ...(listing.from === undefined ? {} : { from: listing.from })
    }).pipe(
      Stream.timeoutFail(
        () =>
          new ExecutorError({
            reason: "Timeout",
            executorId: input.id,
            itemId: null,
            message: `The source of ${input.id} gave nothing for ${Duration.format(silence)}.`
          }),
        silence
      ),
      Stream.takeWhile(({ anew = false }) => {
        if (anew && listing.endsWhereRefused) totals.refused = true
        return !totals.refused
      }),
      listing.cut,
      Stream.tap((batch) =>
        Effect.suspend(() => {
          if (Option.isNone(totals.listedAt)) totals.listedAt = Option.some(batch.servedAt)
          totals.cut = Option.fromNullable(batch.continuation)
          totals.discovered += batch.documents.length
          for (const { item } of batch.documents) {
            const name = nameOf(item)
            totals.waiting.remove(name)
            if (again.has(name)) totals.seen.add(name)
          }
          for (const name of batch.waiting ?? []) {
            if (again.has(name)) totals.seen.add(name)
            if (!waited.has(name)) totals.newlyWaiting.push(name)
            totals.waiting.add(name)
            everWaiting.add(name)
          }
          return Effect.zipRight(onProgress, Metric.incrementBy(Metrics.crawlItems, batch.documents.length))
        })
      ),
      Stream.tap(listing.onListed)
    )
    // A group's documents may come from two batches, so that no place between batches is behind all that is queued.
    const steps: Stream.Stream<Step, ExecutorError> =
      input.itemsPerTask > 1
        ? batches.pipe(
            Stream.flatMap((batch) => Stream.fromIterable(batch.documents.filter((one) => !recent.has(one)))),
            Stream.grouped(input.itemsPerTask),
            Stream.map((group): Step => ({ documents: Chunk.toReadonlyArray(group) }))
          )
        : Stream.flatMap(batches, (batch) =>
            Stream.fromIterable<Step>([
              ...batch.documents.filter((one) => !recent.has(one)).map((one): Step => ({ documents: [one] })),
              { documents: [], batch }
            ])
          )
    let kept = { at: yield* MonotonicTime.now, found: 0 }
    const passed = Effect.fnUntraced(function* (batch: CrawlBatch) {
      yield* listing.onQueued(batch)
      if (batch.resume === undefined) return
      const now = yield* MonotonicTime.now
      kept = { ...kept, found: kept.found + batch.documents.length }
      if (Option.isNone(totals.listedAt)) return
      if (kept.found < progressDocuments && now - kept.at < progressMillis) return
      kept = { at: now, found: 0 }
      const startedAt = totals.listedAt.value
      yield* listing.keep({ resume: batch.resume, startedAt, waiting: everWaiting.stored(), totals })
    })
    const queued = Effect.fnUntraced(function* (documents: ReadonlyArray<Discovered>) {
      const [first] = documents
      const sent =
        documents.length === 1 && first !== undefined && isWaiting(nameOf(first.item))
          ? yield* enqueueAgain(source, first, forTenSeconds(deletions.tokenOf(vault.id, nameOf(first.item))))
          : yield* enqueue(source, documents)
      if (input.itemsPerTask > 1) recent.add(documents)
      return sent
    })
    yield* Stream.runForEach(
      // In order: behind a step all earlier ones are done.
      Stream.mapEffect(
        steps,
        (step) =>
          Effect.map(step.documents.length === 0 ? Effect.succeed(0) : queued(step.documents), (sent) => ({
            ...step,
            sent
          })),
        { concurrency: enqueueConcurrency }
      ),
      ({ batch, sent }) =>
        Effect.suspend(() => {
          totals.enqueued += sent
          return Effect.zipRight(batch === undefined ? Effect.void : passed(batch), onProgress)
        })
    )
    return totals
  }, Effect.scoped)
})

export type Discovery = Effect.Effect.Success<typeof make>

/** Documents of one task, or a batch whose tasks are all among the steps before. */
interface Step {
  readonly documents: ReadonlyArray<Discovered>
  readonly batch?: CrawlBatch
}
