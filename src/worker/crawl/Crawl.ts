import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type { BlobStore } from "../../blob/BlobStore.ts"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { type Checkpoint, type DeletionsHeld, initial } from "../../domain/Checkpoint.ts"
import type { SharedCrawl } from "../../domain/CrawlRange.ts"
import * as Ids from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { crawlRangesOf, policyOf } from "../../domain/Vault.ts"
import type { ExecutorError } from "../../executor/ExecutorError.ts"
import type { TaskQueue } from "../../queue/TaskQueue.ts"
import { CheckpointStore } from "../../store/CheckpointStore.ts"
import type { CrawlLock, LockLost } from "../../store/CrawlLock.ts"
import { ExecutionStore } from "../../store/ExecutionStore.ts"
import type { ClaimAccount, ClaimCheck } from "../ClaimCheck.ts"
import * as CrawlStart from "./CrawlStart.ts"
import type { CrawlTarget } from "./CrawlTarget.ts"
import * as Discovery from "./Discovery.ts"
import * as FailedCrawls from "./FailedCrawls.ts"
import * as ListingPlaces from "./ListingPlaces.ts"
import * as LostMessages from "./LostMessages.ts"
import * as Metrics from "../Metrics.ts"
import type { Outlet } from "./Outlet.ts"
import type { FailureWebhooks } from "../notices/FailureWebhooks.ts"
import * as Deletions from "../outputs/Deletions.ts"
import * as VaultRecords from "../outputs/VaultRecords.ts"
import { retryTransient } from "../../concurrency/RetryTransient.ts"
import * as RecentlyQueued from "./RecentlyQueued.ts"
import * as SharedCrawls from "./SharedCrawls.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"
import * as WaitingDocuments from "./WaitingDocuments.ts"

/** How a look at a vault ended: it was crawled, or another worker had crawled it within its interval. */
export interface CrawlReport {
  readonly crawled: boolean
  /** How long ago its last crawl began: milliseconds. The next is due one interval after it began. */
  readonly beganAgo: number
  readonly discovered: number
  readonly enqueued: number
  /** The deletions that wait for a person behind its last crawl, whoever's it was. */
  readonly held: DeletionsHeld | null
}

/** One crawl of one vault. The caller holds the pipeline's crawl lock. */
export class Crawl extends Context.Tag("contentflow-worker/worker/Crawl")<
  Crawl,
  {
    /**
     * Crawls the vault if it is due by its checkpoint, or if the last crawl never ended: every document that is new since then is enqueued,
     * and only then the checkpoint moves, to the start of the listing in the service's clock. Failing or interrupted, it leaves the checkpoint
     * where it was; so does a listing without any batch (the service's clock is unknown) and one that a limit cut, with which the next crawl
     * goes on. A crawl that fails keeps its interval, one that is interrupted or dies is due again at once: the lock is what others wait for.
     * `onProgress` is told of every batch and task.
     */
    readonly run: (
      target: CrawlTarget,
      workerId: string,
      onProgress: Effect.Effect<void>
    ) => Effect.Effect<CrawlReport, ExecutorError | ServiceError>
    /**
     * Lists ranges of names of a crawl that another worker shares, as long as one is free. Needs no lock but theirs. Gives how many it came to the end of.
     */
    readonly help: (
      target: CrawlTarget,
      workerId: string,
      onProgress: Effect.Effect<void>
    ) => Effect.Effect<number, ExecutorError | ServiceError | LockLost>
  }
>() {}

/** A call of the checkpoint store is tried again for 10 s before the crawl fails. */
const forTenSeconds = retryTransient("200 millis", "10 seconds")

/** A stored crawl start this far in the future comes from a clock that is wrong; it must not stop the crawls until then. */
const clockTolerance = 60_000

/** Whether a vault whose last crawl began then is due, by the same clock. */
const isDue = (lastStart: number, interval: Duration.Duration, now: number): boolean =>
  lastStart + Duration.toMillis(interval) <= now || lastStart > now + clockTolerance

const make = Effect.gen(function* () {
  const checkpoints = yield* CheckpointStore
  const executions = yield* ExecutionStore
  const discover = yield* Discovery.make
  const shared = yield* SharedCrawls.make(discover)
  const deletions = yield* Deletions.Deletions
  const records = yield* VaultRecords.make
  const recordHeld = yield* FailedCrawls.make
  const findLost = yield* LostMessages.make
  const config = yield* WorkerConfig
  const overlap = Duration.toMillis(config.crawlOverlap)
  const lookPeriod = Duration.toMillis(config.lockTtl)
  const lostPeriod = Math.min(lookPeriod, Duration.toMillis(config.visibilityTimeout))

  /** The checkpoint behind a crawl that enqueued all it found. */
  const moved = (
    checkpoint: Checkpoint,
    {
      cut,
      listedAt,
      waiting
    }: {
      readonly cut: Option.Option<string>
      readonly listedAt: Option.Option<number>
      readonly waiting: WaitingDocuments.WaitingDocuments
    },
    recent: RecentlyQueued.RecentlyQueued
  ): Checkpoint => {
    const waiting_documents = waiting.stored()
    const start = Option.orElse(Timestamp.parse(checkpoint.listing?.started_at), () => listedAt)
    if (Option.isNone(start)) return { ...checkpoint, recently_queued: recent.changedSince(-Infinity) }
    const started_at = Timestamp.format(start.value)
    const recently_queued = recent.changedSince(CrawlStart.wholeSecond(start.value - overlap))
    return Option.isSome(cut)
      ? { ...checkpoint, recently_queued, waiting_documents, listing: { started_at, continuation: cut.value } }
      : {
          ...checkpoint,
          recently_queued,
          waiting_documents,
          listing: null,
          checkpoint_timestamp: started_at,
          taken_over: false
        }
  }

  /**
   * After a whole listing, what was never queued is of a version that is no longer there: a crawl that was cut off created it. Should a queue
   * have its message nevertheless, the worker that gets it creates it anew.
   */
  const withdrawUnqueued = ({ pipeline, vault }: CrawlTarget) =>
    Effect.flatMap(executions.withdrawUnqueued(vault.id, pipeline.id), (ids) =>
      ids.length === 0
        ? Effect.void
        : Effect.logInfo(
            `Executions withdrawn (${ids.length}), since their documents changed or went before their tasks were queued: ${ids.slice(0, 5).join(", ")}${ids.length > 5 ? ", …" : ""}`
          )
    ).pipe(
      Effect.catchAll((error) =>
        Effect.logWarning(
          `Executions that were never queued could not be looked for; a later crawl will: ${error.message}`
        )
      )
    )

  const recoverLost = ({ input, pipeline, vault }: CrawlTarget, now: number, onProgress: Effect.Effect<void>) =>
    Effect.catchAll(
      findLost({ vault: vault.id, pipeline: pipeline.id, inputExecutor: input.id }, now, onProgress),
      (error) => Effect.logWarning(`Lost messages could not be looked for; a later crawl will: ${error.message}`)
    )

  /** What the crawl missed goes, or waits for a person, who is told where people look. */
  const applied = (
    { pipeline, vault }: CrawlTarget,
    worker: string,
    { apply, held }: Deletions.Outcome,
    listedAt: number,
    onKept: Effect.Effect<void, ServiceError>,
    onProgress: Effect.Effect<void>
  ) =>
    Effect.gen(function* () {
      if (held !== null && vault.confirmed_deletions !== held.token) {
        const error = `${held.documents} of ${held.of} documents are gone from the source of the vault, more than max_deletions_percent allows, so their outputs stay. If that is right, confirm it (contentflow-worker vaults confirm-deletions ${vault.id}, or the vault in the page; by hand: set the vault's confirmed_deletions to ${JSON.stringify(held.token)}); else put the documents back, or correct the pipeline's filter.`
        yield* Effect.logWarning(error)
        yield* recordHeld({ vault, pipeline, version: held.token, worker, error, lastSuccess: null }, 1)
      }
      return yield* apply(listedAt, onKept, onProgress)
    }).pipe(
      Effect.catchAll((error) =>
        Effect.as(
          Effect.logWarning(`Outputs of documents that are gone are removed by a later crawl: ${error.message}`),
          false
        )
      )
    )

  /** A record for people: nothing failed, but these documents are not processed until somebody acts. */
  const tellWaiting = Effect.fnUntraced(function* (
    { pipeline, vault }: CrawlTarget,
    workerId: string,
    { count: many, names }: SharedCrawls.NewlyWaiting,
    more: boolean
  ) {
    if (many === 0) return
    const shown = names.slice(0, 5).join(", ")
    const count = `${many}${more ? " more" : ""} ${many === 1 ? "document is" : "documents are"}`
    const text = `${count} in the archive tier and can't be read yet: ${shown}${many > 5 ? ", …" : ""}. What is rehydrated is taken by the next crawl.`
    yield* Effect.logWarning(text)
    const id = Ids.executionIdOf({ vaultId: vault.id, pipelineId: pipeline.id, items: ["archived"], versions: names })
    const place = { id, pipeline_id: pipeline.id, pipeline_name: pipeline.name, vault_id: vault.id }
    yield* forTenSeconds(
      executions.create(ExecutionChanges.crawlFailed(place, workerId, text, yield* Clock.currentTimeMillis))
    )
  })

  /** After a crawl that was cut off, and in the first crawl of each period, by the checkpoint: one worker of the fleet looks. */
  const isTimeToLook = (
    period: number,
    before: Checkpoint,
    lastStart: Option.Option<number>,
    startedAt: number
  ): boolean =>
    before.crawling ||
    Option.isNone(lastStart) ||
    Math.floor(lastStart.value / period) !== Math.floor(startedAt / period)

  /** Notes the vault's choice where it outlives the vault, before anything is written by it. */
  const noted = Effect.fnUntraced(function* (target: CrawlTarget, before: Checkpoint["noted_policy"]) {
    const { pipeline, vault } = target
    const policy = Deletions.isFollowed(target) ? policyOf(vault) : null
    if (policy === before) return policy
    yield* forTenSeconds(policy === null ? records.forget(vault.id) : records.note(vault.id, pipeline.id, policy))
    return policy
  })

  /** The listing by this worker alone. */
  const listedAlone = Effect.fnUntraced(function* (
    { again, checkpoint, following, onProgress, target, workerId }: Crawling,
    epoch: number,
    latest: Latest,
    recent: RecentlyQueued.RecentlyQueued
  ) {
    const before = CrawlStart.progressOf(checkpoint, target)
    const places =
      before === null && crawlRangesOf(target.vault) > 1 ? ListingPlaces.recorder(Option.none(), undefined) : undefined
    const totals = yield* discover({
      target,
      workerId,
      epoch,
      checkpoint,
      waiting: checkpoint.waiting_documents,
      from: before?.resume,
      startedAt: Option.flatMap(Option.fromNullable(before), ({ started_at }) => Timestamp.parse(started_at)),
      // Of a part of the listing nothing can be said about what it lacks.
      listsAll: before === null && (following !== undefined || places !== undefined),
      again,
      recent,
      endsWhereRefused: false,
      cut: identity,
      onListed: (batch) =>
        Effect.suspend(() => {
          places?.page(batch)
          return batch.listed === undefined ? Effect.void : (following?.add(batch.listed) ?? Effect.void)
        }),
      onQueued: () => Effect.void,
      keep: ({ resume, startedAt, waiting }) => {
        latest.checkpoint = {
          ...latest.checkpoint,
          waiting_documents: waiting,
          progress: { started_at: Timestamp.format(startedAt), resume, pipeline_version: target.version }
        }
        return Effect.ignoreLogged(checkpoints.save(latest.checkpoint))
      },
      onProgress
    })
    return {
      ...totals,
      /** Whether an earlier crawl had begun the listing: this one did not see all of it. */
      resumed: before !== null,
      newlyWaiting: { count: totals.newlyWaiting.length, names: totals.newlyWaiting },
      places:
        places === undefined
          ? (checkpoint.listing_places ?? null)
          : ListingPlaces.stored(places.found(), target.version),
      wasAsked: () => true,
      compared: (held: DeletionsHeld | null) =>
        following?.compared(held) ?? Effect.succeed(Option.none<Deletions.Outcome>())
    }
  })

  /** The listing together with other workers, where it is shared. */
  const listed = Effect.fnUntraced(function* (
    crawling: Crawling,
    epoch: number,
    latest: Latest,
    round: SharedCrawl | undefined,
    recent: RecentlyQueued.RecentlyQueued
  ) {
    if (round !== undefined) {
      const together = yield* shared.list(crawling, round)
      if (Option.isSome(together)) return together.value
      yield* Effect.logWarning(
        "The borders between the ranges of the listing can't be used: the source does not know their places any more, or sorts its names in another way. This worker lists it whole, and the next crawl is shared again"
      )
      latest.checkpoint = { ...latest.checkpoint, shared: null }
      yield* forTenSeconds(checkpoints.save(latest.checkpoint))
    }
    return yield* listedAlone(crawling, epoch, latest, recent)
  })

  const run = Effect.fnUntraced(function* (target: CrawlTarget, workerId: string, onProgress: Effect.Effect<void>) {
    const { input, interval, pipeline, vault } = target
    const found = yield* forTenSeconds(checkpoints.look(pipeline.id, input.id, vault.id))
    const began = yield* MonotonicTime.now
    const before = Option.getOrElse(found.checkpoint, () => initial(pipeline.id, input.id, vault.id))
    // In the store's time: the last crawl may have been another machine's.
    const startedAt = found.servedAt
    const lastStart = Timestamp.parse(before.last_crawl_started_at)
    const isEarly =
      before.crawling ||
      target.early === "now" ||
      (target.early !== undefined && Option.getOrElse(lastStart, () => 0) <= target.early)
    if (Option.isSome(lastStart) && !isEarly && !isDue(lastStart.value, interval, startedAt)) {
      return {
        crawled: false,
        beganAgo: Math.max(0, startedAt - lastStart.value),
        discovered: 0,
        enqueued: 0,
        held: before.deletions_held ?? null
      }
    }
    const epoch = Math.max(startedAt, (before.crawl_epoch ?? 0) + 1)
    const following = yield* forTenSeconds(deletions.follow(target, epoch, before.unaccounted ?? null))
    const noted_policy = yield* noted(target, before.noted_policy ?? null)
    const isTime = (period: number) => isTimeToLook(period, before, lastStart, startedAt)
    const again =
      following !== undefined || isTime(lostPeriod)
        ? yield* forTenSeconds(deletions.again(target, epoch))
        : { names: new Set<string>(), done: () => Effect.void }
    const round = shared.of(target, before, epoch, again.names, following !== undefined)
    const begun: Checkpoint = {
      ...before,
      crawl_epoch: epoch,
      worker_id: workerId,
      last_crawl_started_at: Timestamp.format(startedAt),
      crawl_interval_seconds: Duration.toSeconds(interval),
      crawling: true,
      ...(noted_policy === null && before.noted_policy === undefined ? {} : { noted_policy }),
      ...(round === undefined && (before.shared ?? null) === null
        ? {}
        : { shared: round === undefined ? null : SharedCrawls.stored(round) }),
      // Until it is known that this crawl saw the whole listing.
      ...(following === undefined
        ? {}
        : { unaccounted: { since: before.unaccounted?.since ?? startedAt, compared: 0 } }),
      // Where outputs are kept by now, nothing waits to be confirmed.
      ...(following === undefined && (before.deletions_held ?? null) !== null ? { deletions_held: null } : {})
    }
    // Before the crawl: a replica that gets the lock after this one died, or was stopped, finds a crawl that never ended.
    yield* forTenSeconds(checkpoints.save(begun))
    const abandoned = SharedCrawls.read(before.shared)
    if (Option.isSome(abandoned) && abandoned.value.id !== round?.id) {
      yield* shared.forget(target, begun.id, abandoned.value)
    }
    const recent = RecentlyQueued.read(before.recently_queued)
    const latest: Latest = { checkpoint: begun }
    const totals = yield* listed(
      { target, workerId, checkpoint: before, again: again.names, following, onProgress },
      epoch,
      latest,
      round,
      recent
    ).pipe(
      Effect.tapErrorCause((cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.void
          : Effect.ignoreLogged(
              checkpoints.save({
                ...latest.checkpoint,
                crawling: false,
                recently_queued: recent.changedSince(-Infinity)
              })
            )
      )
    )
    yield* tellWaiting(target, workerId, totals.newlyWaiting, before.waiting_documents !== null)
    const places = crawlRangesOf(vault) === 1 ? null : totals.places
    const completed = {
      ...begun,
      ...(round === undefined ? {} : { shared: null }),
      ...((begun.listing_places ?? null) === places ? {} : { listing_places: places }),
      crawling: false,
      progress: null,
      last_crawl_completed_at: yield* Timestamp.now
    }
    const whole = Option.isSome(totals.listedAt) && Option.isNone(totals.cut) && !totals.resumed
    const held = before.deletions_held ?? null
    const compared = whole ? yield* totals.compared(held) : Option.none()
    for (const name of Option.match(compared, { onNone: () => [], onSome: ({ appeared }) => appeared })) {
      totals.waiting.add(name)
    }
    const next: Checkpoint = {
      ...moved(completed, totals, recent),
      ...Option.match(compared, {
        onNone: () => ({}),
        onSome: ({ held, isKept, unaccounted }) => ({
          deletions_held: held,
          // Documents that are in no inventory yet stay unaccounted for.
          ...(isKept ? { unaccounted } : {})
        })
      })
    }
    // First, for nobody looks for ranges when the crawl has ended; until then what is gone of them is listed again.
    if (round !== undefined) yield* shared.forget(target, begun.id, round)
    yield* forTenSeconds(checkpoints.save(next))
    // A listing that a limit had cut before passes over what lies before its marks.
    const isSure = whole && before.listing === null
    yield* again.done((name) => (isSure && totals.wasAsked(name)) || totals.seen.has(name))
    // Only for the way back: the next crawl of ours does not need it.
    if (next.checkpoint_timestamp !== before.checkpoint_timestamp) {
      yield* Effect.ignoreLogged(checkpoints.saveForOriginal(next))
    }
    let heldNow = next.deletions_held ?? null
    if (Option.isSome(compared)) {
      const listedAt = Option.getOrElse(totals.listedAt, () => startedAt)
      const { held, unaccounted } = compared.value
      const kept: Checkpoint = { ...next, unaccounted }
      const onKept = forTenSeconds(checkpoints.save(kept))
      const isDone = yield* applied(target, workerId, compared.value, listedAt, onKept, onProgress)
      if (isDone) {
        heldNow = null
        if (held !== null) yield* forTenSeconds(checkpoints.save({ ...kept, deletions_held: null }))
      }
    }
    if (whole && isTime(lookPeriod)) yield* withdrawUnqueued(target)
    const elapsed = Effect.map(MonotonicTime.now, (now) => now - began)
    if (isTime(lostPeriod)) yield* recoverLost(target, startedAt + (yield* elapsed), onProgress)
    const { discovered, enqueued } = totals
    return { crawled: true, beganAgo: yield* elapsed, discovered, enqueued, held: heldNow }
  })

  return Crawl.of({
    help: shared.help,
    run: (target, workerId, onProgress) =>
      Effect.flatMap(MonotonicTime.now, (from) =>
        run(target, workerId, onProgress).pipe(
          Effect.tap(({ crawled, discovered, enqueued }) =>
            crawled && enqueued > 0
              ? Effect.logInfo(`The crawl found ${discovered} documents and queued ${enqueued} tasks`)
              : Effect.logDebug(
                  crawled
                    ? `The crawl found nothing new among ${discovered} documents`
                    : "The vault was crawled by another worker"
                )
          ),
          Effect.onExit((exit) => measured(exit, from))
        )
      )
  })
})

/** What a crawl lists. */
interface Crawling extends SharedCrawls.Sharing {
  readonly again: ReadonlySet<string>
  readonly following: Deletions.Following | undefined
}

/** The checkpoint of the crawl under way, as it was last written. */
interface Latest {
  checkpoint: Checkpoint
}

/** A look at a vault that was not due is no crawl. */
const measured = (exit: Exit.Exit<CrawlReport, unknown>, from: number): Effect.Effect<void> => {
  if (Exit.isSuccess(exit) && !exit.value.crawled) return Effect.void
  const result = Exit.isSuccess(exit) ? "completed" : Exit.isInterrupted(exit) ? "interrupted" : "failed"
  return Effect.flatMap(MonotonicTime.now, (to) =>
    Effect.zipRight(
      Metric.increment(Metrics.crawlResults[result]),
      Metric.update(Metrics.crawlDuration, (to - from) / 1_000)
    )
  )
}

export const layer: Layer.Layer<
  Crawl,
  never,
  | CheckpointStore
  | CrawlLock
  | ExecutionStore
  | TaskQueue
  | ClaimCheck
  | Outlet
  | Deletions.Deletions
  | BlobStore
  | ClaimAccount
  | FailureWebhooks
  | WorkerConfig
> = Layer.effect(Crawl, make)
