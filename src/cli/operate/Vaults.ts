import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { describePause, type Pause, type PausedWork, type PauseScope } from "../../domain/Control.ts"
import { Installation } from "../../operations/Installation.ts"
import { NoSuchThing } from "../../operations/Operation.ts"
import { describeHeld, type HeldDeletions, type VaultState } from "../../operations/Vaults.ts"
import { plain } from "../run/ProblemLine.ts"
import * as NearestName from "../../text/NearestName.ts"
import { wrongUsage } from "../WrongUsage.ts"
import * as EachOf from "./EachOf.ts"
import type { WatchedOptions } from "./Executions.ts"
import * as Listing from "./Listing.ts"
import * as Operator from "./Operator.ts"
import * as Place from "./Place.ts"
import * as Watch from "./Watch.ts"

/** What a person should know of a vault: that it is switched off, that deletions wait for a word, or which work rests. */
const stateOf = ({ crawling_paused, crawls, deletions_held, enabled, processing_paused }: VaultState): string => {
  if (!enabled) return "disabled"
  const paused = [
    ...(crawling_paused === null ? [] : ["crawling"]),
    ...(processing_paused === null ? [] : ["processing"])
  ]
  if (deletions_held !== null && !deletions_held.confirmed) {
    return [
      `${deletions_held.documents.toLocaleString("en")} deletions held`,
      ...paused.map((work) => `${work} paused`)
    ].join(", ")
  }
  if (paused.length > 0) return `${paused.join(" and ")} paused`
  return crawls.some(({ crawling }) => crawling) ? "crawling" : "waiting"
}

/** The last, or with `-1` the first, of the times that there are. */
const extreme = (times: ReadonlyArray<string | null>, sign: 1 | -1): string | null =>
  times.flatMap((time) => time ?? []).toSorted((a, b) => (a < b ? sign : -sign))[0] ?? null

const columns: ReadonlyArray<Listing.Column<VaultState>> = [
  ["VAULT", ({ id }) => id],
  ["NAME", ({ name }) => name],
  ["PIPELINE", ({ pipeline_id }) => pipeline_id],
  ["STATE", stateOf],
  [
    "LAST CRAWL",
    ({ crawls }) =>
      Listing.time(
        extreme(
          crawls.map((crawl) => crawl.last_completed_at),
          1
        )
      )
  ],
  [
    "NEXT",
    ({ crawls }) =>
      Listing.time(
        extreme(
          crawls.map((crawl) => crawl.next_at),
          -1
        )
      )
  ]
]

export interface ListOptions extends Place.Place, Watch.WatchOptions {
  readonly json: boolean
}

/** Lists vaults with what they do, and what was paused beside them. */
export const list = (options: ListOptions) =>
  Effect.gen(function* () {
    const { vaults } = yield* Installation
    yield* Listing.print(yield* vaults.list, columns, options.json, "There are no vaults.")
    const pauses = yield* vaults.pauses
    if (!options.json && pauses.length > 0) yield* Console.log(`\n${sentences(pauses)}`)
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

const sentences = (pauses: ReadonlyArray<Pause>): string =>
  pauses.map((pause) => plain(describePause(pause))).join("\n")

/** Shows one vault with its crawls. */
export const show = (options: WatchedOptions) =>
  Effect.gen(function* () {
    const vault = yield* named(yield* Effect.flatMap(Installation, ({ vaults }) => vaults.list), options.id)
    yield* Console.log(options.json ? JSON.stringify(vault, null, 2) : describe(vault))
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

const describe = (vault: VaultState): string =>
  [
    Listing.facts({
      Vault: vault.id,
      Name: vault.name,
      Pipeline: vault.pipeline_id,
      State: stateOf(vault),
      "Crawling paused": vault.crawling_paused === null ? null : describePause(vault.crawling_paused),
      "Processing paused": vault.processing_paused === null ? null : describePause(vault.processing_paused),
      "Deletions held": vault.deletions_held === null ? null : heldText(vault.deletions_held)
    }),
    ...(vault.crawls.length === 0
      ? []
      : [
          "",
          Listing.table(
            [
              ["CRAWLED BY", ({ executor_id }) => executor_id],
              ["BEGAN", ({ last_started_at }) => Listing.time(last_started_at)],
              ["ENDED", ({ last_completed_at }) => Listing.time(last_completed_at)],
              ["NEXT", ({ next_at }) => Listing.time(next_at)],
              ["SECONDS LATE", ({ overdue_seconds }) => Math.round(overdue_seconds)]
            ],
            vault.crawls
          )
        ])
  ].join("\n")

const heldText = (held: HeldDeletions): string =>
  held.confirmed
    ? `${describeHeld(held)}; that is confirmed, and the next crawl removes their outputs`
    : `${describeHeld(held)}; their outputs stay until that is confirmed`

/** The vault with this id, or the one of this name. */
export const named = (all: ReadonlyArray<VaultState>, word: string): Either.Either<VaultState, NoSuchThing> => {
  const [vault, ...others] = all.some(({ id }) => id === word)
    ? all.filter(({ id }) => id === word)
    : all.filter(({ name }) => name === word)
  if (vault === undefined) return Either.left(new NoSuchThing({ message: missing(all, word) }))
  return others.length === 0
    ? Either.right(vault)
    : Either.left(new NoSuchThing({ message: `There are several vaults called ${word}: give the id of one.` }))
}

/** Vaults that are named to somebody who named one that there is not. */
const mostNamed = 10

const missing = (all: ReadonlyArray<VaultState>, word: string): string => {
  const names = all.map(({ id, name }) => name ?? id)
  const near = NearestName.find(word, names)
  const meant = near === undefined ? "" : ` Did you mean ${near}?`
  const there = names.slice(0, mostNamed).join(", ")
  return names.length === 0
    ? `There is no vault ${word}, nor any other.`
    : `There is no vault ${word}.${meant} There ${names.length === 1 ? "is" : "are"} ${there}${names.length > mostNamed ? ", …" : ""}.`
}

export interface PauseOptions extends Place.Place {
  readonly verb: "pause" | "resume"
  readonly ids: ReadonlyArray<string>
  readonly pipelines: ReadonlyArray<string>
  /** Means the whole installation. */
  readonly all: boolean
  readonly work: PausedWork
  readonly json: boolean
}

/** Lets the work of vaults, of pipelines or of everything rest, or go on. */
export const pause = (options: PauseOptions) =>
  Effect.gen(function* () {
    const { all, ids, json, pipelines, verb, work } = options
    const isNamed = ids.length + pipelines.length > 0
    if (all === isNamed) {
      return yield* wrongUsage("Say which are meant: vaults by their ids, pipelines by --pipeline ID, or --all.")
    }
    const { vaults } = yield* Installation
    const change = (scope: PauseScope, by: string) => vaults[verb](scope, work, by)
    if (all) {
      const operation = yield* change({ of: "all" }, Operator.name())
      yield* Console.log(json ? JSON.stringify(operation) : `${verb}: ${work} of the whole installation.`)
      const left = yield* vaults.pauses
      if (verb === "resume" && left.length > 0) yield* Console.error(`Still paused: ${sentences(left)}`)
      return 0
    }
    const known = yield* vaults.list
    const pauses = yield* vaults.pauses
    // What is gone may be paused still.
    const isPaused = (of: "pipeline" | "vault", id: string) =>
      verb === "resume" && pauses.some(({ scope }) => scope.of === of && scope.id === id)
    const ofPipelines = yield* EachOf.eachOf(
      pipelines,
      (id, by) =>
        verb === "pause" || known.some(({ pipeline_id }) => pipeline_id === id) || isPaused("pipeline", id)
          ? change({ of: "pipeline", id }, by)
          : new NoSuchThing({ message: `No vault has the pipeline ${id}, and it is not paused.` }),
      json
    )
    const ofVaults = yield* EachOf.eachOf(
      ids,
      (id, by) =>
        isPaused("vault", id)
          ? change({ of: "vault", id }, by)
          : Effect.flatMap(named(known, id), (vault) => change({ of: "vault", id: vault.id }, by)),
      json
    )
    return pipelines.length === 0 ? ofVaults : ids.length === 0 ? ofPipelines : EachOf.together(ofVaults, ofPipelines)
  }).pipe(Place.at(options))

export interface CrawlOptions extends Place.Place {
  readonly ids: ReadonlyArray<string>
  readonly all: boolean
  readonly json: boolean
}

/** Lets workers crawl vaults before their time. */
export const crawl = (options: CrawlOptions) =>
  Effect.gen(function* () {
    const { all, ids, json } = options
    if (all === ids.length > 0) return yield* wrongUsage("Say which vaults are meant: by their ids, or --all.")
    const { vaults } = yield* Installation
    const known = yield* vaults.list
    return yield* EachOf.eachOf(
      all ? known.filter(({ enabled }) => enabled).map(({ id }) => id) : ids,
      (id, by) => Effect.flatMap(named(known, id), (vault) => vaults.crawl(vault.id, by)),
      json
    )
  }).pipe(Place.at(options))

export interface ConfirmOptions extends Place.Place {
  readonly id: string
  /** Confirms them; without it they are only counted. */
  readonly yes: boolean
  readonly json: boolean
}

/** Counts the deletions of a vault that wait for a person or, confirmed, lets them happen. */
export const confirmDeletions = (options: ConfirmOptions) =>
  Effect.gen(function* () {
    const { id, json, yes } = options
    const { vaults } = yield* Installation
    const vault = yield* named(yield* vaults.list, id)
    const held = vault.deletions_held
    const called = plain(vault.name ?? vault.id)
    if (held === null || !yes) {
      const way = held === null ? "" : " Nothing was done yet: --yes removes their outputs."
      const text = held === null ? "no deletions are held" : describeHeld(held)
      yield* Console.log(
        json
          ? JSON.stringify({ verb: "confirm_deletions", vault: vault.id, dry_run: true, deletions_held: held })
          : `confirm_deletions: of the vault ${called}, ${text}.${way}`
      )
      return 0
    }
    return yield* EachOf.eachOf([id], (_, by) => vaults.confirmDeletions(vault.id, held.token, by), json)
  }).pipe(Place.at(options))
