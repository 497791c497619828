import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { retryTransient } from "../../concurrency/RetryTransient.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import type { Checkpoint, DeletionsHeld } from "../../domain/Checkpoint.ts"
import { type CrawlRange, crawlRangeId, SharedCrawl } from "../../domain/CrawlRange.ts"
import * as Ids from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { crawlRangesOf } from "../../domain/Vault.ts"
import type { ListedDocument } from "../../executor/Executor.ts"
import type { ExecutorError } from "../../executor/ExecutorError.ts"
import { CheckpointStore } from "../../store/CheckpointStore.ts"
import { CrawlLock, type LockLost, type LockOwner } from "../../store/CrawlLock.ts"
import type * as Deletions from "../outputs/Deletions.ts"
import * as OwnBlobs from "../outputs/OwnBlobs.ts"
import type { CrawlTarget } from "./CrawlTarget.ts"
import type { Discovery, Kept, Totals } from "./Discovery.ts"
import * as CrawlStart from "./CrawlStart.ts"
import * as ListedNames from "./ListedNames.ts"
import * as ListingPlaces from "./ListingPlaces.ts"
import * as NameRange from "./NameRange.ts"
import * as RecentlyQueued from "./RecentlyQueued.ts"
import * as WaitingDocuments from "./WaitingDocuments.ts"
import { withCrawlLock } from "./WithCrawlLock.ts"

/** One vault's crawl for which ranges are listed. */
export interface Sharing {
  readonly target: CrawlTarget
  readonly workerId: string
  /** The vault's, as it was before the crawl. */
  readonly checkpoint: Checkpoint
  readonly onProgress: Effect.Effect<void>
}

/** Documents that can't be read and were not known to wait: how many, and the first of them. */
export interface NewlyWaiting {
  readonly count: number
  readonly names: ReadonlyArray<string>
}

/** The worker that crawls the vault looks so often whether the ranges of the others are complete, */
const watchPeriod = Duration.seconds(1)

/** and so often whether one of them was given up; so do those who help. */
const takeOverMillis = Duration.toMillis("10 seconds")

/** One that failed with a range helps no further with the vault for so long. */
const failureRestMillis = Duration.toMillis("2 minutes")

/** Of more documents to be processed again, one worker takes care: the list is stored with the crawl. */
const mostAgain = 500

/** With more names that two ranges may have, one worker lists all. */
const mostDoubtful = 1_000

const Names = Schema.parseJson(Schema.Array(Schema.String))
const encodeNames = Schema.encodeSync(Names)
const decodeNames = (text: string | undefined): ReadonlyArray<string> =>
  Option.getOrElse(Schema.decodeUnknownOption(Names)(text), () => [])

/** Names of waiting documents that a range tells. */
const mostNames = 5

const forTenSeconds = retryTransient("200 millis", "10 seconds")

const Stored = Schema.parseJson(SharedCrawl)
export const stored = Schema.encodeSync(Stored)
const decode = Schema.decodeUnknownOption(Stored)
export const read = (stored: Checkpoint["shared"]): Option.Option<SharedCrawl> => decode(stored)

/** The shared crawl that is under way. */
const underWay = ({ shared }: Checkpoint, target: CrawlTarget): Option.Option<SharedCrawl> =>
  Option.filter(
    decode(shared),
    ({ pipeline_version }) => pipeline_version === target.version && target.input.itemsPerTask === 1
  )

/**
 * Crawls whose listing several workers share. The worker that holds the pipeline's crawl lock writes the ranges into the checkpoint, lists ranges itself, waits for the
 * others, and ends the crawl as it ends one of its own. Each range has a lock, and a document that says how far it came.
 */
export const make = (discover: Discovery) =>
  Effect.gen(function* () {
    const checkpoints = yield* CheckpointStore
    const locks = yield* CrawlLock
    const own = yield* OwnBlobs.make
    const { lockTtl, workerName } = yield* WorkerConfig
    const instance = `${workerName}/${Ids.random(8)}`
    /** When this process looks again for a range to list, by the vault (monotonic milliseconds). */
    const restsUntil = new Map<Ids.VaultId, number>()
    const rest = (vault: Ids.VaultId, millis: number) =>
      Effect.map(MonotonicTime.now, (now) => void restsUntil.set(vault, now + millis))

    /** Goes on with the one that is under way, or begins one where earlier crawls have seen where to cut. */
    const of = (
      target: CrawlTarget,
      before: Checkpoint,
      epoch: number,
      again: ReadonlySet<string>,
      withNames: boolean
    ): SharedCrawl | undefined => {
      const open = underWay(before, target)
      if (Option.isSome(open)) return open.value
      const ranges = crawlRangesOf(target.vault)
      if (ranges === 1 || target.input.itemsPerTask > 1 || again.size > mostAgain) return undefined
      if (before.listing !== null || CrawlStart.progressOf(before, target) !== null) return undefined
      const places = ListingPlaces.read(before.listing_places)
      if (Option.isNone(places) || places.value.pipeline_version !== target.version) return undefined
      const borders = ListingPlaces.borders(places.value, ranges)
      if (borders.length === 0) return undefined
      return {
        id: epoch,
        pipeline_version: target.version,
        borders,
        orders: places.value.orders,
        again: [...again],
        with_names: withNames
      }
    }

    const look = (id: string, shared: SharedCrawl, number: number) =>
      Effect.map(
        forTenSeconds(checkpoints.range(id, number)),
        Option.filter(({ crawl }) => crawl === shared.id)
      )

    /** Lists a range, from where an earlier worker left it. The caller holds its lock. */
    const listRange = Effect.fnUntraced(function* (
      { checkpoint, onProgress, target, workerId }: Sharing,
      shared: SharedCrawl,
      number: number
    ) {
      const seen = yield* look(checkpoint.id, shared, number)
      if (Option.exists(seen, ({ state }) => state !== "under way")) return Option.getOrThrow(seen)
      const range = NameRange.of(shared, number)
      const names = ListedNames.of(own, target.vault.id)
      const before = Option.getOrUndefined(seen)
      const from = before?.resume ?? range.from
      const places = ListingPlaces.recorder(ListingPlaces.read(before?.places), from)
      let listed: Array<ListedDocument> = []
      const parts = before === undefined || before.listed === "" ? [] : before.listed.split(" ")
      const flush = Effect.suspend(() => {
        if (listed.length === 0) return Effect.void
        return Effect.map(forTenSeconds(names.write(listed)), (id) => {
          parts.push(id)
          listed = []
        })
      })
      let discovered = before?.discovered ?? 0
      const doubtful = new Set(decodeNames(before?.doubtful))
      const noted = (
        state: CrawlRange["state"],
        { enqueued, newlyWaiting }: Kept["totals"],
        more: Pick<CrawlRange, "started_at" | "resume" | "waiting_documents">
      ): CrawlRange => ({
        id: crawlRangeId(checkpoint.id, number),
        checkpoint_id: checkpoint.id,
        crawl: shared.id,
        number,
        worker_id: workerId,
        state,
        discovered,
        enqueued: (before?.enqueued ?? 0) + enqueued,
        newly_waiting: {
          count: (before?.newly_waiting.count ?? 0) + newlyWaiting.length,
          names: [...(before?.newly_waiting.names ?? []), ...newlyWaiting].slice(0, mostNames)
        },
        listed: parts.join(" "),
        doubtful: encodeNames([...doubtful]),
        places: ListingPlaces.storedOfRange(places.found()),
        ...more
      })
      const totals = yield* discover({
        target,
        workerId,
        epoch: shared.id,
        checkpoint,
        waiting: before === undefined ? checkpoint.waiting_documents : before.waiting_documents,
        from,
        startedAt: Timestamp.parse(before?.started_at),
        listsAll: true,
        again: new Set(shared.again),
        recent: RecentlyQueued.read(null),
        endsWhereRefused: true,
        cut: range.cut,
        onListed: () => Effect.void,
        onQueued: (batch) =>
          Effect.suspend(() => {
            discovered += batch.documents.length
            places.page(batch)
            for (const one of batch.listed ?? []) {
              if (range.isDoubtful(one.name) && doubtful.size <= mostDoubtful) doubtful.add(one.name)
              if (shared.with_names) listed.push(one)
            }
            return listed.length < ListedNames.partSize ? Effect.void : flush
          }),
        keep: ({ resume, startedAt, totals, waiting }) =>
          Effect.ignoreLogged(
            Effect.zipRight(
              flush,
              Effect.suspend(() => {
                const place = { started_at: Timestamp.format(startedAt), resume, waiting_documents: waiting }
                return checkpoints.saveRange(noted("under way", totals, place))
              })
            )
          ),
        onProgress
      })
      yield* flush
      const done = noted(totals.refused || doubtful.size > mostDoubtful ? "refused" : "complete", totals, {
        started_at: Option.getOrNull(Option.map(totals.listedAt, Timestamp.format)),
        resume: null,
        waiting_documents: totals.waiting.stored()
      })
      yield* forTenSeconds(checkpoints.saveRange(done))
      return done
    })

    /** None while another worker lists it. */
    const lockedRange = (sharing: Sharing, shared: SharedCrawl, number: number) => {
      const { pipeline, vault } = sharing.target
      const owner: LockOwner = { workerId: `${sharing.workerId}@${instance}`, instance }
      return withCrawlLock(
        {
          pipelineId: pipeline.id,
          vaultId: vault.id,
          owner,
          ttl: lockTtl,
          range: { vaultId: vault.id, number }
        },
        listRange(sharing, shared, number)
      ).pipe(Effect.provideService(CrawlLock, locks))
    }

    const numbers = ({ borders }: SharedCrawl) => Array.from({ length: borders.length + 1 }, (_, number) => number)

    /** All ranges, when they are complete; none when a place to begin at is not known any more. */
    const complete = Effect.fnUntraced(function* (sharing: Sharing, shared: SharedCrawl) {
      const done = new Map<number, CrawlRange>()
      let triedAt = -Infinity
      while (true) {
        const now = yield* MonotonicTime.now
        const tries = now - triedAt >= takeOverMillis
        if (tries) triedAt = now
        let worked = false
        // From the last on, where a place that is not known any more is noticed at once; those who help come from the first.
        for (const number of numbers(shared).toReversed()) {
          if (done.has(number)) continue
          let range = yield* look(sharing.checkpoint.id, shared, number)
          if (tries && !Option.exists(range, ({ state }) => state !== "under way")) {
            range = yield* Effect.catchTag(lockedRange(sharing, shared, number), "LockLost", (error) =>
              Effect.as(Effect.logWarning(error.message), Option.none<CrawlRange>())
            )
            worked ||= Option.isSome(range)
          }
          if (Option.isNone(range) || range.value.state === "under way") continue
          if (range.value.state === "refused") return Option.none<ReadonlyArray<CrawlRange>>()
          done.set(number, range.value)
        }
        const all = numbers(shared).flatMap((number) => done.get(number) ?? [])
        if (all.length === shared.borders.length + 1) return Option.some(all)
        yield* sharing.onProgress
        if (worked) triedAt = -Infinity
        else yield* Effect.sleep(watchPeriod)
      }
    })

    /** Gives what the ranges listed to the comparison with the inventory. False where a part of it is gone. */
    const compare = Effect.fnUntraced(function* (
      { onProgress, target }: Sharing,
      shared: SharedCrawl,
      ranges: ReadonlyArray<CrawlRange>,
      following: Deletions.Following
    ) {
      const names = ListedNames.of(own, target.vault.id)
      for (const [number, { listed }] of ranges.entries()) {
        const others = new Set(ranges.slice(number + 1).flatMap(({ doubtful }) => decodeNames(doubtful)))
        const isWhole = yield* Stream.fromIterable(listed === "" ? [] : listed.split(" ")).pipe(
          Stream.mapEffect((id) => forTenSeconds(names.read(id)), { concurrency: 8 }),
          Stream.mapEffect((part) => {
            if (Option.isNone(part)) return Effect.succeed(false)
            const own = others.size === 0 ? part.value : part.value.filter(({ name }) => !others.has(name))
            return Effect.as(Effect.zipRight(onProgress, following.add(own)), true)
          }),
          Stream.runFold(true, (all, isThere) => all && isThere)
        )
        if (!isWhole) return false
      }
      return true
    })

    /** Lists together with whoever helps; none when it has to be listed whole. */
    const list = Effect.fnUntraced(function* (
      sharing: Sharing & { readonly following: Deletions.Following | undefined },
      shared: SharedCrawl
    ) {
      const { checkpoint, following, target } = sharing
      const found = yield* complete(sharing, shared)
      if (Option.isNone(found)) return Option.none()
      const ranges = found.value
      const starts = ranges.flatMap(({ started_at }) => Option.toArray(Timestamp.parse(started_at)))
      const places = ranges.flatMap((range) => Option.toArray(ListingPlaces.read(range.places)))
      const asked = new Set(shared.again)
      const totals: Pick<Totals, "listedAt" | "cut" | "discovered" | "enqueued" | "waiting" | "seen"> = {
        // What changed since the first of them began is found by the next crawl.
        listedAt: starts.length === ranges.length ? Option.some(Math.min(...starts)) : Option.none(),
        cut: Option.none(),
        discovered: ranges.reduce((sum, { discovered }) => sum + discovered, 0),
        enqueued: ranges.reduce((sum, { enqueued }) => sum + enqueued, 0),
        waiting: WaitingDocuments.read(
          WaitingDocuments.merged(
            checkpoint.waiting_documents,
            ranges.map(({ waiting_documents }) => waiting_documents)
          )
        ),
        seen: new Set()
      }
      return Option.some({
        ...totals,
        resumed: false,
        newlyWaiting: {
          count: ranges.reduce((sum, { newly_waiting }) => sum + newly_waiting.count, 0),
          names: ranges.flatMap(({ newly_waiting }) => newly_waiting.names)
        } satisfies NewlyWaiting,
        places:
          places.length === ranges.length
            ? ListingPlaces.stored(ListingPlaces.joined(places, shared.borders), target.version)
            : null,
        /** Documents that came to be looked for again since the crawl began were not. */
        wasAsked: (name: string) => asked.has(name),
        compared: Effect.fnUntraced(function* (held: DeletionsHeld | null) {
          if (following === undefined || !shared.with_names) return Option.none<Deletions.Outcome>()
          if (yield* compare(sharing, shared, ranges, following)) return yield* following.compared(held)
          yield* Effect.logWarning(
            "A part of what was listed is gone or unreadable; documents that are gone are noticed by a later crawl"
          )
          return Option.none<Deletions.Outcome>()
        })
      })
    })

    /** Removes what was kept for the crawl alone; what fails is left to the next shared crawl. */
    const forget = Effect.fnUntraced(function* (
      { pipeline, vault: { id: vault } }: CrawlTarget,
      id: string,
      shared: SharedCrawl
    ) {
      const names = ListedNames.of(own, vault)
      yield* Effect.forEach(
        numbers(shared),
        (number) =>
          Effect.gen(function* () {
            const range = yield* look(id, shared, number)
            const parts = Option.match(range, { onNone: () => "", onSome: ({ listed }) => listed })
            yield* checkpoints.forgetRange(id, number)
            yield* locks.forget(pipeline.id, { vaultId: vault, number })
            yield* Effect.forEach(parts === "" ? [] : parts.split(" "), names.remove, { concurrency: 8, discard: true })
          }).pipe(Effect.ignoreLogged),
        { concurrency: 4, discard: true }
      )
    })

    const help = (
      target: CrawlTarget,
      workerId: string,
      onProgress: Effect.Effect<void>
    ): Effect.Effect<number, ExecutorError | ServiceError | LockLost> =>
      Effect.gen(function* () {
        let listed = 0
        for (let number = 0; ; number++) {
          const found = yield* checkpoints.find(target.pipeline.id, target.input.id, target.vault.id)
          const checkpoint = Option.getOrUndefined(Option.filter(found, ({ crawling }) => crawling))
          const shared = checkpoint === undefined ? Option.none() : underWay(checkpoint, target)
          if (checkpoint === undefined || Option.isNone(shared)) {
            restsUntil.delete(target.vault.id)
            return listed
          }
          const until = restsUntil.get(target.vault.id) ?? -Infinity
          if (listed === 0 && (yield* MonotonicTime.now) < until) return listed
          const sharing = { target, workerId, checkpoint, onProgress }
          for (; number <= shared.value.borders.length; number++) {
            const range = yield* look(checkpoint.id, shared.value, number)
            if (Option.exists(range, ({ state }) => state !== "under way")) continue
            if (Option.isSome(yield* lockedRange(sharing, shared.value, number))) break
          }
          if (number > shared.value.borders.length) {
            yield* rest(target.vault.id, takeOverMillis)
            return listed
          }
          listed++
        }
      }).pipe(
        // The worker that crawls the vault shall find the range free, and fail by it.
        Effect.tapErrorCause((cause) =>
          Cause.isInterruptedOnly(cause) ? Effect.void : rest(target.vault.id, failureRestMillis)
        )
      )

    return { of, list, forget, help }
  })
