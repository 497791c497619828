import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Checkpoint, DeletionsHeld } from "../domain/Checkpoint.ts"
import { type Control, type Pause, type PausedWork, type PauseScope, pauseOf } from "../domain/Control.ts"
import { PipelineId, VaultId } from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import * as ControlDocument from "../store/ControlDocument.ts"
import { ControlStore } from "../store/ControlStore.ts"
import { CheckpointStore } from "../store/CheckpointStore.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import { type ListedVault, VaultStore } from "../store/VaultStore.ts"
import { NoSuchThing, NotPossible, type Operation } from "./Operation.ts"
import * as OperationLog from "./OperationLog.ts"

/** A vault as people see it. */
export interface VaultState {
  readonly id: string
  readonly name: string | null
  readonly pipeline_id: string
  readonly enabled: boolean
  /** What holds it up; null while it goes on. */
  readonly crawling_paused: Pause | null
  readonly processing_paused: Pause | null
  /** What the last crawl did not remove, since a person has to confirm so much; null where nothing is held. */
  readonly deletions_held: HeldDeletions | null
  /** One for each input executor that crawled for it. */
  readonly crawls: ReadonlyArray<CrawlState>
}

/** Documents whose outputs stay, though they are gone from the source, until a person confirms the token. */
export interface HeldDeletions extends DeletionsHeld {
  /** A person has: the next crawl removes the outputs. */
  readonly confirmed: boolean
}

export interface CrawlState {
  readonly executor_id: string
  /** A crawl is under way, or was cut off. */
  readonly crawling: boolean
  readonly last_started_at: string | null
  readonly last_completed_at: string | null
  readonly next_at: string | null
  /** How long the next is overdue; 0 while it is not. */
  readonly overdue_seconds: number
}

/** Vaults and pipelines: what they do now, what holds them up, and crawls before their time. */
export class Vaults extends Context.Tag("contentflow-worker/operations/Vaults")<
  Vaults,
  {
    readonly list: Effect.Effect<ReadonlyArray<VaultState>, ServiceError>
    readonly show: (id: string) => Effect.Effect<VaultState, NoSuchThing | ServiceError>
    readonly pauses: Effect.Effect<ReadonlyArray<Pause>, ServiceError>
    /** Lets work rest in the whole fleet within some seconds: what runs goes on, a crawl is interrupted. */
    readonly pause: (
      scope: PauseScope,
      work: PausedWork,
      by: string
    ) => Effect.Effect<Operation, NoSuchThing | ServiceError>
    /** Takes back pauses of this scope; `everything` takes back all of them. */
    readonly resume: (scope: PauseScope, work: PausedWork, by: string) => Effect.Effect<Operation, ServiceError>
    /** Lets one worker of the fleet crawl the vault as soon as one is free. */
    readonly crawl: (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | ServiceError>
    /**
     * Confirms the deletions that are held under this token, and crawls the vault as {@link crawl} does. What is held under another one by now was not seen
     * by the person, and is refused.
     */
    readonly confirmDeletions: (
      id: string,
      token: string,
      by: string
    ) => Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError>
  }
>() {}

const make = Effect.gen(function* () {
  const vaults = yield* VaultStore
  const pipelines = yield* PipelineStore
  const checkpoints = yield* CheckpointStore
  const control = ControlDocument.make(yield* ControlStore)
  const log = yield* OperationLog.OperationLog

  const asked = Effect.map(control.look(), (seen) => seen?.control.pauses ?? [])

  const stateOf = ({ confirmed_deletions, ...vault }: ListedVault, pauses: Control["pauses"]) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const found = yield* checkpoints.ofVault(VaultId.make(vault.id))
      const place = { vault: vault.id, pipeline: vault.pipeline_id }
      return {
        ...vault,
        crawling_paused: pauseOf({ pauses }, "crawling", place) ?? null,
        processing_paused: pauseOf({ pauses }, "processing", place) ?? null,
        deletions_held: heldOf(vault.pipeline_id, confirmed_deletions, found),
        crawls: found.map((checkpoint): CrawlState => {
          const next = Option.zipWith(
            Timestamp.parse(checkpoint.last_crawl_started_at),
            Option.fromNullable(checkpoint.crawl_interval_seconds),
            (at, seconds) => at + seconds * 1_000
          )
          return {
            executor_id: checkpoint.executor_id,
            crawling: checkpoint.crawling,
            last_started_at: checkpoint.last_crawl_started_at,
            last_completed_at: checkpoint.last_crawl_completed_at,
            next_at: Option.getOrNull(Option.map(next, Timestamp.format)),
            overdue_seconds: Option.match(next, { onNone: () => 0, onSome: (at) => Math.max(0, (now - at) / 1_000) })
          }
        })
      } satisfies VaultState
    })

  const list = Effect.gen(function* () {
    const pauses = yield* asked
    return yield* Effect.forEach(yield* vaults.all, (vault) => stateOf(vault, pauses), { concurrency: 8 })
  })

  const found = Effect.fnUntraced(function* (id: string) {
    const vault = (yield* vaults.all).find((each) => each.id === id)
    return vault ?? (yield* new NoSuchThing({ message: `There is no vault ${id}.` }))
  })

  /** What a misspelt id pauses would go on, and its people would rely on its rest. */
  const isThere = Effect.fnUntraced(function* (scope: PauseScope) {
    if (scope.of === "all") return
    if (scope.of === "vault") return yield* found(scope.id)
    const used = (yield* vaults.all).some(({ pipeline_id }) => pipeline_id === scope.id)
    if (used || Option.isSome(yield* pipelines.find(PipelineId.make(scope.id)))) return
    return yield* new NoSuchThing({ message: `There is no pipeline ${scope.id}.` })
  })

  const crawlNow = (id: string) =>
    control.update((current, now) => ({ ...current, crawls: { ...current.crawls, [id]: now } }))

  const targetOf = (scope: PauseScope): string => (scope.of === "all" ? "everything" : `${scope.of} ${scope.id}`)

  return Vaults.of({
    list,
    show: (id) => Effect.flatMap(Effect.all([found(id), asked]), ([vault, pauses]) => stateOf(vault, pauses)),
    pauses: asked,
    pause: Effect.fnUntraced(function* (scope, work, by) {
      yield* isThere(scope)
      const at = Timestamp.format(yield* Clock.currentTimeMillis)
      yield* control.update((current) =>
        current.pauses.some((pause) => isOf(pause, scope) && pause.work === work)
          ? undefined
          : { ...current, pauses: [...current.pauses, { scope, work, by, at }] }
      )
      return yield* log.record({ verb: "pause", target: targetOf(scope), by, note: work })
    }),
    resume: Effect.fnUntraced(function* (scope, work, by) {
      yield* control.update((current) => ({
        ...current,
        pauses: current.pauses.flatMap((pause) => (isOf(pause, scope) ? left(pause, work) : [pause]))
      }))
      return yield* log.record({ verb: "resume", target: targetOf(scope), by, note: work })
    }),
    crawl: Effect.fnUntraced(function* (id, by) {
      yield* found(id)
      yield* crawlNow(id)
      return yield* log.record({ verb: "crawl", target: id, by })
    }),
    confirmDeletions: Effect.fnUntraced(function* (id, token, by) {
      const vault = yield* found(id)
      const named = vault.name ?? id
      const crawled = yield* checkpoints.ofVault(VaultId.make(id))
      const held = heldOf(vault.pipeline_id, vault.confirmed_deletions, crawled)
      if (held === null) {
        if (vault.confirmed_deletions !== token) {
          return yield* new NotPossible({ message: `No deletions of the vault ${named} wait to be confirmed.` })
        }
        const note = "They were confirmed before, and nothing is held any more."
        return yield* log.record({ verb: "confirm_deletions", target: id, by, count: 0, note })
      }
      if (held.token !== token) {
        return yield* new NotPossible({
          message: `Other deletions of the vault ${named} are held than those that were to be confirmed: now ${describeHeld(held)}. Look at them, and confirm these.`
        })
      }
      const isWritten = yield* vaults.confirmDeletions(VaultId.make(id), token)
      if (!isWritten) return yield* new NoSuchThing({ message: `There is no vault ${id}.` })
      // Afterwards: a crawl reads the vault when it begins.
      yield* crawlNow(id)
      return yield* log.record({
        verb: "confirm_deletions",
        target: id,
        by,
        count: held.documents,
        note: `Of the vault ${named}, ${describeHeld(held)}: a worker removes their outputs as soon as one is free.`
      })
    })
  })
})

/** Held deletions in words. */
export const describeHeld = ({ documents, of }: DeletionsHeld): string =>
  `${documents.toLocaleString("en")} of ${of.toLocaleString("en")} documents are gone from the source`

/** What the input executor that crawled last holds: an earlier one of the vault, or of another pipeline, crawls no more. */
const heldOf = (
  pipeline: string,
  confirmed: string | null,
  checkpoints: ReadonlyArray<Checkpoint>
): HeldDeletions | null => {
  const [last] = checkpoints
    .filter(({ pipeline_id }) => pipeline_id === pipeline)
    .toSorted((a, b) => (b.crawl_epoch ?? 0) - (a.crawl_epoch ?? 0))
  const held = last?.deletions_held ?? null
  return held === null ? null : { ...held, confirmed: held.token === confirmed }
}

const isOf = (pause: Pause, scope: PauseScope): boolean =>
  pause.scope.of === scope.of && (scope.of === "all" || (pause.scope.of !== "all" && pause.scope.id === scope.id))

/** What stays paused when this work may go on. */
const left = (pause: Pause, resumed: PausedWork): ReadonlyArray<Pause> =>
  resumed === "everything" || pause.work === resumed
    ? []
    : pause.work === "everything"
      ? [{ ...pause, work: resumed === "crawling" ? "processing" : "crawling" }]
      : [pause]

export const layer: Layer.Layer<
  Vaults,
  never,
  VaultStore | PipelineStore | CheckpointStore | ControlStore | OperationLog.OperationLog
> = Layer.effect(Vaults, make)
