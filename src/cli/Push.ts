import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Load from "../config/Load.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Document, Identified, Write } from "../store/DocumentContainer.ts"
import * as Move from "./move/Move.ts"
import * as Remote from "./move/Remote.ts"
import * as Wanted from "./move/Wanted.ts"
import * as Project from "./serve/Project.ts"

export interface PushOptions extends Move.MoveOptions {
  readonly folder: string
  /** The storage account that takes the folder's place; the installation's own when absent. */
  readonly account: Option.Option<string>
}

/** A change with what makes it. */
interface Step extends Move.Change {
  readonly write: Effect.Effect<Write | null, ServiceError>
}

/** Takes the pipelines and vaults of a folder to the installation that the settings name. Documents stay where they are. */
export const push = (options: PushOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = (yield* Path.Path).resolve(options.folder)
    if (!(yield* Effect.orElseSucceed(fs.exists(folder), () => false)))
      return yield* new Move.MoveFailed({ message: `There is no folder ${folder}.` })
    const project = yield* Project.read(folder)
    const { azure } = yield* Load.load
    const account = Option.getOrElse(options.account, () => azure.blobAccountName)
    const { pipelines, vaults } = yield* Wanted.of(project, account)
    const remote = yield* Remote.open(azure)
    const explained = Remote.explained(azure)
    const pipelineSteps = yield* Effect.mapError(
      Effect.forEach(pipelines, (pipeline) => pipelineStep(remote, pipeline)),
      explained
    )
    const idOf = new Map(pipelineSteps.map(({ id, step }) => [step.name, id]))
    const vaultSteps = yield* Effect.mapError(
      Effect.forEach(vaults, (vault) => vaultStep(remote, vault, idOf.get(vault.pipeline.name) ?? vault.pipeline.id)),
      explained
    )
    const steps = [...pipelineSteps.map(({ step }) => step), ...vaultSteps]
    yield* Console.log(`${folder} → ${remote.name}\n${Move.print(steps)}`)
    const refusal = Move.refusal(steps, options)
    if (refusal !== undefined && (options.yes || steps.some(({ kind }) => kind === "conflict"))) return yield* refusal
    const places = [...new Set(vaults.map(({ documents }) => documents))].join(", ")
    if (Move.isDone(steps)) return yield* Console.log("Everything is there already.")
    if (!options.yes) {
      const more = refusal === undefined ? "--yes" : "--yes --replace"
      return yield* Console.log(
        `Nothing was written yet: ${more} does it. Documents are not moved; the vaults list ${places}.`
      )
    }
    const written: Array<string> = []
    for (const { kind, name, of, write } of steps) {
      if (kind === "same") continue
      const result = yield* Effect.mapError(
        write,
        Remote.explained(azure, () => written)
      )
      if (result !== null && result._tag !== "Written") {
        return yield* new Move.MoveFailed({
          message: `The ${of} ${name} was changed by somebody else meanwhile.${written.length === 0 ? " Nothing was written." : ` Written before it: ${written.join(", ")}.`} Run it again to see what differs now.`
        })
      }
      written.push(`${of} ${name}`)
    }
    yield* Console.log(`Done: ${written.length} written. Documents are not moved; the vaults list ${places}.`)
  }).pipe(Effect.scoped, Effect.provide(Load.layerDotEnv))

const pipelineStep = Effect.fnUntraced(function* ({ pipelines }: Remote.Remote, wanted: Wanted.WantedPipeline) {
  const { file, id, name, yaml } = wanted
  const found = yield* pipelines.where({ name })
  const [existing, ...more] = found
  const step = (kind: Move.Kind, note: string, write: Step["write"] = Effect.succeed(null)): Step => ({
    kind,
    of: "pipeline",
    name,
    note,
    write
  })
  if (existing === undefined) {
    const created = Effect.flatMap(Timestamp.now, (now) => pipelines.create(pipelineDocument(wanted, now)))
    return { id, step: step("create", file, created) }
  }
  const existingId = String(existing["id"])
  if (more.length > 0)
    return { id: existingId, step: step("conflict", `${found.length} pipelines have this name there`) }
  if (existing["yaml"] === yaml) return { id: existingId, step: step("same", file) }
  const replaced = Effect.flatMap(Timestamp.now, (now) =>
    // The web UI writes a pipeline's text from its drawing: one of the text before would undo this.
    pipelines.replace(changed(existing, { yaml, nodes: null, edges: null, updated_at: now }), String(existing["_etag"]))
  )
  return { id: existingId, step: step("replace", `${file}, last changed there ${changedAt(existing)}`, replaced) }
})

const vaultStep = Effect.fnUntraced(function* (
  { vaults }: Remote.Remote,
  wanted: Wanted.WantedVault,
  pipelineId: string
) {
  const { documents, keepsItems, name, pipeline } = wanted
  const found = yield* vaults.where({ name })
  const [existing, ...more] = found
  const step = (kind: Move.Kind, note: string, write: Step["write"] = Effect.succeed(null)): Step => ({
    kind,
    of: "vault",
    name,
    note,
    write
  })
  if (existing === undefined) {
    return step(
      "create",
      documents,
      Effect.flatMap(Timestamp.now, (now) => vaults.create(vaultDocument(wanted, pipelineId, now)))
    )
  }
  if (more.length > 0) return step("conflict", `${found.length} vaults have this name there`)
  if (existing["pipeline_id"] !== pipelineId) {
    const other = String(existing["pipeline_name"] ?? existing["pipeline_id"])
    return step("conflict", `it is bound to the pipeline ${other} there, for good: call the one here otherwise`)
  }
  if ((existing["save_execution_output"] ?? false) === keepsItems) return step("same", documents)
  return step(
    "replace",
    `${documents}, save_execution_output: ${keepsItems}`,
    Effect.flatMap(Timestamp.now, (now) =>
      vaults.replace(
        changed(existing, { pipeline_name: pipeline.name, save_execution_output: keepsItems, updated_at: now }),
        String(existing["_etag"])
      )
    )
  )
})

const createdBy = "contentflow-worker push"

/** As the API writes it when a pipeline is made. */
const pipelineDocument = ({ id, name, yaml }: Wanted.WantedPipeline, now: string): Identified => ({
  id,
  name,
  description: "",
  yaml,
  nodes: null,
  edges: null,
  tags: [],
  version: "1.0",
  enabled: true,
  retries: 3,
  retry_delay: 5,
  timeout: 600,
  created_by: createdBy,
  created_at: now,
  updated_at: now
})

/** As the API writes it when a vault is made. */
const vaultDocument = (
  { id, keepsItems, name, pipeline }: Wanted.WantedVault,
  pipelineId: string,
  now: string
): Identified => ({
  id,
  name,
  description: "",
  pipeline_id: pipelineId,
  pipeline_name: pipeline.name,
  tags: [],
  save_execution_output: keepsItems,
  enabled: true,
  created_by: createdBy,
  created_at: now,
  updated_at: now
})

const changed = (existing: Document, set: Document): Identified => ({
  ...Remote.own(existing),
  ...set,
  id: String(existing["id"])
})

const changedAt = ({ created_at, updated_at }: Document): string =>
  [updated_at, created_at].find((time) => typeof time === "string") ?? "at an unknown time"
