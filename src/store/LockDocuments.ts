import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { PipelineId } from "../domain/Ids.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { CrawlLock, type HeldLock, lockId, LockLost, type LockOwner, rangeLockId } from "./CrawlLock.ts"
import * as DocumentContainer from "./DocumentContainer.ts"

/** The {@link CrawlLock} over a container of documents. */
export const make = (container: DocumentContainer.DocumentContainer): CrawlLock["Type"] => {
  /** The locks that fibers of this process hold, or ask for at this moment. */
  const claimed = new Set<string>()

  const write: CrawlLock["Type"]["acquire"] = Effect.fnUntraced(function* (pipelineId, vaultId, owner, ttl, range) {
    const now = yield* Clock.currentTimeMillis
    const id = idOf(pipelineId, range)
    const document = {
      id,
      pipeline_id: pipelineId,
      vault_id: vaultId,
      worker_id: owner.workerId,
      instance: owner.instance,
      ttl: secondsOf(ttl),
      ...validity(now, ttl)
    }
    const held = (etag: string) => Option.some<HeldLock>({ id, pipelineId, vaultId, owner, ttl, etag })

    // A lock that vanishes between our create and our read was released: then the next create may win. More often than
    // this it does not vanish, it is contended, and the next round of the schedule comes soon.
    for (let tries = 0; tries < 3; tries++) {
      const created = yield* container.create(document)
      if (created._tag === "Written") return held(created.etag)
      const current = yield* container.read(id)
      if (current._tag !== "Found") continue
      // Our own, which no fiber here claims: we wrote it and never got the answer, or could not give it back.
      const isOurs = current.document["instance"] === owner.instance
      if (!isOurs && expiryOf(current.document, ttl) > current.servedAt) return Option.none()
      const replaced = yield* container.replace(document, current.etag)
      if (replaced._tag === "Written") return held(replaced.etag)
      if (replaced._tag === "Refused") return Option.none()
    }
    return Option.none()
  })

  const acquire: CrawlLock["Type"]["acquire"] = (pipelineId, vaultId, owner, ttl, range) =>
    Effect.suspend(() => {
      const claim = claimOf(idOf(pipelineId, range), owner)
      if (claimed.has(claim)) return Effect.succeedNone
      claimed.add(claim)
      return Effect.onExit(write(pipelineId, vaultId, owner, ttl, range), (exit) =>
        Effect.sync(() => {
          if (!Exit.isSuccess(exit) || Option.isNone(exit.value)) claimed.delete(claim)
        })
      )
    })

  /** The ETag under which the lock is ours now: a write of ours whose answer was lost has changed it. */
  const currentEtag = (lock: HeldLock) =>
    Effect.map(container.read(lock.id), (reading) =>
      reading._tag === "Found" && reading.document["instance"] === lock.owner.instance
        ? Option.some(reading.etag)
        : Option.none()
    )

  const renew: CrawlLock["Type"]["renew"] = Effect.fnUntraced(function* (lock) {
    const now = yield* Clock.currentTimeMillis
    const renewed = (etag: string) => container.patch(lock.id, validity(now, lock.ttl), { etag })
    let result = yield* renewed(lock.etag)
    if (result._tag === "Refused") {
      const etag = yield* currentEtag(lock)
      if (Option.isSome(etag)) result = yield* renewed(etag.value)
    }
    if (result._tag === "Written") return { ...lock, etag: result.etag }
    return yield* new LockLost({
      lockId: lock.id,
      message:
        result._tag === "Missing"
          ? `The lock ${lock.id} is gone: somebody deleted it, or it expired and was removed.`
          : `The lock ${lock.id} was taken by another worker.`
    })
  })

  const release: CrawlLock["Type"]["release"] = Effect.fnUntraced(
    function* (lock) {
      const result = yield* container.remove(lock.id, lock.etag)
      if (result._tag !== "Refused") return
      const etag = yield* currentEtag(lock)
      if (Option.isSome(etag)) yield* container.remove(lock.id, etag.value)
    },
    (released, lock) =>
      Effect.ensuring(
        released,
        Effect.sync(() => claimed.delete(claimOf(lock.id, lock.owner)))
      )
  )

  const forget: CrawlLock["Type"]["forget"] = Effect.fnUntraced(function* (pipelineId, range) {
    const id = idOf(pipelineId, range)
    const found = yield* container.read(id)
    if (found._tag === "Found") yield* container.remove(id, found.etag)
  })

  return CrawlLock.of({ acquire, renew, release, forget })
}

const idOf = (pipelineId: PipelineId, range: Parameters<CrawlLock["Type"]["acquire"]>[4]): string =>
  DocumentContainer.storableId(
    range === undefined ? lockId(pipelineId) : rangeLockId(pipelineId, range.vaultId, range.number)
  )

const claimOf = (id: string, owner: LockOwner): string => JSON.stringify([id, owner.instance])

const secondsOf = (ttl: Duration.Duration): number => Math.max(1, Math.ceil(Duration.toSeconds(ttl)))

/** `locked_at` moves with every renewal because the Python worker only looks at it. */
const validity = (now: number, ttl: Duration.Duration) => ({
  locked_at: Timestamp.format(now),
  expires_at: Timestamp.format(now + Duration.toMillis(ttl))
})

/**
 * Until when the lock holds: epoch milliseconds in the service's clock, counted from its last write as the service saw it. The writer's own
 * times are another machine's clock; only the Python worker's, which writes a lock once and looks at `locked_at` alone, count where they agree
 * with the service to a minute.
 */
const expiryOf = (document: DocumentContainer.Document, ttl: Duration.Duration): number => {
  const { expires_at, locked_at, ttl: written, _ts: lastWrite } = document
  const life = typeof written === "number" && written > 0 ? written * 1000 : Duration.toMillis(ttl)
  if (typeof lastWrite !== "number") return 0
  const writtenAt = lastWrite * 1000
  const lockedAt = Option.getOrElse(Timestamp.parse(locked_at), () => writtenAt)
  const isOriginal = expires_at === undefined && Math.abs(lockedAt - writtenAt) <= clockTolerance
  return (isOriginal ? lockedAt : writtenAt) + life
}

/** Clocks of machines that are kept in time differ by less. */
const clockTolerance = 60_000
