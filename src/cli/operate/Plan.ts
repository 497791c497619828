import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { existsSync } from "node:fs"
import { PipelineId, VaultId } from "../../domain/Ids.ts"
import type { VersionedPipeline } from "../../domain/Pipeline.ts"
import type { Vault } from "../../domain/Vault.ts"
import * as Difference from "../../forecast/Difference.ts"
import { Forecasts } from "../../forecast/Forecasts.ts"
import { NoSuchThing } from "../../operations/Operation.ts"
import { PipelineStore } from "../../store/PipelineStore.ts"
import { VaultStore } from "../../store/VaultStore.ts"
import * as PipelineFile from "../run/PipelineFile.ts"
import * as ProblemLine from "../run/ProblemLine.ts"
import { wrongUsage } from "../WrongUsage.ts"
import type * as Place from "./Place.ts"
import * as PlanPlace from "./PlanPlace.ts"
import * as PlanText from "./PlanText.ts"

export interface PlanOptions extends Place.Place {
  /** A file, or the id or name of a stored pipeline; the vault's own when absent. */
  readonly pipeline: Option.Option<string>
  readonly vault: Option.Option<string>
  /** Another version, before this one: likewise, or `stored` for the vault's own. */
  readonly against: Option.Option<string>
  readonly documents: Option.Option<"new" | "all">
  readonly sample: number
  readonly json: boolean
}

/** Tells what processing a vault would do. */
export const plan = (options: PlanOptions) =>
  told(options).pipe(
    PlanPlace.at(
      options,
      Option.filter(options.pipeline, (name) => existsSync(name))
    )
  )

const told = Effect.fnUntraced(function* (options: PlanOptions) {
  const forecasts = yield* Forecasts
  const vault = yield* vaultOf(options.vault)
  const pipeline = yield* pipelineOf(options.pipeline, vault)
  const which = Option.getOrElse(options.documents, () =>
    // What is stored meets the documents of the next crawl; a change of it those that are there.
    Option.isNone(options.pipeline) && Option.isNone(options.against) ? ("new" as const) : ("all" as const)
  )
  const of = (version: VersionedPipeline) => forecasts.of({ vault, pipeline: version, which, sample: options.sample })
  if (Option.isNone(options.against)) {
    const forecast = yield* of(pipeline)
    yield* Console.log(options.json ? JSON.stringify(forecast, null, 2) : PlanText.ofForecast(forecast))
    return 0
  }
  const earlier = yield* pipelineOf(
    Option.filter(options.against, (name) => name !== "stored"),
    vault
  )
  const difference = Difference.of(yield* of(earlier), yield* of(pipeline))
  yield* Console.log(options.json ? JSON.stringify(difference, null, 2) : PlanText.ofDifference(difference))
  return 0
})

/** The vault that is named by its id or name; the only one that is enabled where none is. */
const vaultOf = Effect.fnUntraced(function* (named: Option.Option<string>) {
  const vaults = yield* VaultStore
  const all = yield* vaults.all
  const chosen = Option.match(named, {
    onNone: () => all.filter(({ enabled }) => enabled),
    onSome: (word) => {
      const ofId = all.filter(({ id }) => id === word)
      return ofId.length > 0 ? ofId : all.filter(({ name }) => name === word)
    }
  })
  const [first, ...others] = chosen
  if (first === undefined) {
    return yield* new NoSuchThing({
      message: Option.match(named, {
        onNone: () => "There is no vault that is enabled.",
        onSome: (word) => `There is no vault ${word}.`
      })
    })
  }
  if (others.length > 0) {
    return yield* wrongUsage(
      `Say which vault is meant by --vault ID: ${chosen
        .slice(0, 10)
        .map(({ id }) => ProblemLine.plain(id))
        .join(", ")}${chosen.length > 10 ? ", …" : ""}.`
    )
  }
  const vault = yield* vaults.find(VaultId.make(first.id, true))
  return yield* Option.match(vault, {
    onNone: () => new NoSuchThing({ message: `There is no vault ${first.id}.` }),
    onSome: (found: Vault) => Effect.succeed(found)
  })
})

/** A pipeline in the place of the vault's own. */
const pipelineOf = Effect.fnUntraced(function* (named: Option.Option<string>, vault: Vault) {
  const pipelines = yield* PipelineStore
  const connect = yield* PlanPlace.Connecting
  const missing = (word: string) => new NoSuchThing({ message: `There is no pipeline ${word}, and no such file.` })
  if (Option.isNone(named)) {
    const found = yield* pipelines.find(vault.pipeline_id)
    return yield* Option.match(found, {
      onNone: () => missing(vault.pipeline_id),
      onSome: (version) => Effect.succeed(version)
    })
  }
  const word = named.value
  if (!existsSync(word)) {
    const byId = yield* pipelines.find(PipelineId.make(word, true))
    const found = Option.isSome(byId) ? byId : yield* pipelines.findByName(word)
    if (Option.isNone(found)) return yield* missing(word)
    return inPlaceOf(vault, found.value)
  }
  const file = yield* PipelineFile.read(word)
  const errors = file.problems.filter(({ severity }) => severity === "error")
  if (!file.isRead || file.names.length === 0) {
    return yield* new NoSuchThing({
      message: errors.map((problem) => ProblemLine.print(word, problem)).join("\n")
    })
  }
  const version = file.pipeline()
  return inPlaceOf(vault, {
    ...version,
    pipeline: { ...version.pipeline, yaml: connect(vault.id, version.pipeline.yaml) }
  })
})

const inPlaceOf = (vault: Vault, { etag, pipeline }: VersionedPipeline): VersionedPipeline => ({
  etag,
  pipeline: { ...pipeline, id: vault.pipeline_id }
})
