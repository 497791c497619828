import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import { BlobStore } from "../../blob/BlobStore.ts"
import { PipelineId, VaultId } from "../../domain/Ids.ts"
import type { VersionedPipeline } from "../../domain/Pipeline.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { Database } from "../../embedded/Database.ts"
import * as SqliteContainer from "../../embedded/SqliteContainer.ts"
import * as FolderWorker from "../../FolderWorker.ts"
import { PipelineRunner } from "../../pipeline/PipelineRunner.ts"
import type { Problem } from "../../pipeline/Problem.ts"
import * as InputNode from "../run/InputNode.ts"
import * as PipelineFile from "../run/PipelineFile.ts"
import * as ProblemLine from "../run/ProblemLine.ts"
import * as Connect from "./Connect.ts"
import { type Project, ProjectInvalid, type Vault } from "./Project.ts"

/** A vault of the project with the places that its pipeline uses. */
export interface Planned {
  readonly vault: Vault
  readonly vaultId: VaultId
  readonly pipelineId: PipelineId
  readonly pipelineName: string
  readonly yaml: string
  /** The pipeline as its file has it. */
  readonly source: VersionedPipeline
  /** The folder that is watched. */
  readonly watched: string
  /** Its place among the blobs: `account/container`. */
  readonly place: string
  readonly documents: Connect.Place
  readonly outputs: ReadonlyArray<Connect.Place & { readonly folder: string }>
}

/** Reads the pipelines of the vaults, each with its documents and outputs in the folder. */
export const read = (project: Project) => Effect.forEach(project.vaults, (vault) => planOf(project, vault))

/** The same, where none of them may take its own results for documents. */
export const plan = Effect.fnUntraced(function* (project: Project) {
  const path = yield* Path.Path
  const planned = yield* read(project)
  for (const { outputs, vault, watched } of planned) {
    const inside = outputs.find(({ folder }) => isWithin(path, watched, folder))
    if (inside !== undefined) {
      return yield* new ProjectInvalid({
        message: `The vault ${vault.name} watches ${watched}, and its pipeline writes into ${inside.folder}: its results would be taken for documents. Let one of them lie elsewhere.`
      })
    }
  }
  return planned
})

const planOf = Effect.fnUntraced(function* (project: Project, vault: Vault) {
  const path = yield* Path.Path
  const file = yield* PipelineFile.read(vault.pipelineFile)
  const invalid = (message: string) =>
    new ProjectInvalid({
      message: `The pipeline ${vault.pipeline} of the vault ${vault.name} can't be used: ${message}`
    })
  if (!file.isRead) return yield* invalid(file.problems.map(({ message }) => message).join(" "))
  const source = file.pipeline()
  const { pipeline } = source
  const connected = Connect.connect(pipeline.yaml, vault.folder === null ? null : containerOf(project, vault.folder))
  const { documents } = connected
  if (documents === undefined) {
    const errors = file.problems.filter(({ severity }) => severity === "error")
    if (errors.length > 0)
      return yield* invalid(`\n${errors.map((problem) => ProblemLine.print(vault.pipeline, problem)).join("\n")}`)
    return yield* invalid(`it lists no container, and the vault names no folder: add "folder: inbox" to it.`)
  }
  const folderOf = ({ account, container }: Connect.Place) => {
    const own = account === FolderWorker.localAccount ? project.folder : project.accounts.get(account)
    return path.join(own ?? path.join(project.folder, FolderWorker.storageFolder, account), container)
  }
  const place = `${documents.account}/${documents.container}`
  const planned: Planned = {
    vault,
    vaultId: VaultId.make(`folder-${vault.name}`),
    pipelineId: PipelineId.make(`folder_${vault.name}`),
    pipelineName: pipeline.name,
    yaml: connected.yaml,
    source,
    watched: vault.folder ?? folderOf(documents),
    place,
    documents,
    outputs: distinct(connected.outputs).map((output) => ({ ...output, folder: folderOf(output) }))
  }
  return planned
})

/** A folder in the project's own may be a container of that name; any other gets one that stands for it. */
const containerOf = ({ folder }: Project, watched: string): string => {
  const [name = "", ...more] = watched.startsWith(folder) ? watched.slice(folder.length + 1).split(/[/\\]/) : []
  return more.length === 0 && /^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)
    ? name
    : `folder-${createHash("sha256").update(watched).digest("hex").slice(0, 16)}`
}

/** Folders that stand for containers, by `account/container`. */
export const placesOf = (planned: ReadonlyArray<Planned>): ReadonlyMap<string, string> =>
  new Map(planned.flatMap(({ place, vault, watched }) => (vault.folder === null ? [] : [[place, watched] as const])))

/** Makes folders, pipelines and vaults what the project says. What has not changed is not written; vaults that are gone are disabled. */
export const install = Effect.fnUntraced(function* (planned: ReadonlyArray<Planned>) {
  const blobs = yield* BlobStore
  const fs = yield* FileSystem.FileSystem
  for (const { documents, outputs, watched } of planned) {
    yield* Effect.mapError(
      fs.makeDirectory(watched, { recursive: true }),
      (error) => new ProjectInvalid({ message: `The folder ${watched} can't be made: ${error.message}` })
    )
    for (const { account, container } of [documents, ...outputs])
      yield* blobs.ensureContainer({ name: account }, container)
  }
  yield* store(planned)
})

/** Makes the stored pipelines and vaults what the project says, and no folders. */
export const store = Effect.fnUntraced(function* (planned: ReadonlyArray<Planned>) {
  const database = yield* Database
  const pipelines = SqliteContainer.make(database, "pipelines")
  const vaults = SqliteContainer.make(database, "vaults")
  const now = yield* Timestamp.now
  const put = Effect.fnUntraced(function* (
    container: typeof pipelines,
    document: Readonly<Record<string, unknown>> & { readonly id: string }
  ) {
    const reading = yield* container.read(document.id)
    const before = reading._tag === "Found" ? reading.document : {}
    const isSame = Object.entries(document).every(([key, value]) => before[key] === value)
    if (!isSame) yield* container.upsert({ created_at: now, ...before, ...document, updated_at: now })
  })
  for (const { pipelineId, pipelineName, vault, vaultId, yaml } of planned) {
    yield* put(pipelines, { id: pipelineId, name: pipelineName, yaml, enabled: true })
    yield* put(vaults, {
      id: vaultId,
      name: vault.name,
      pipeline_id: pipelineId,
      pipeline_name: pipelineName,
      enabled: true,
      save_execution_output: vault.keepsItems,
      on_source_deleted: vault.onSourceDeleted,
      max_deletions_percent: vault.maxDeletionsPercent,
      crawl_ranges: vault.crawlRanges,
      on_failure_webhook: vault.onFailureWebhook
    })
  }
  const kept = new Set<unknown>(planned.map(({ vaultId }) => vaultId))
  for (const { id } of yield* vaults.where({ enabled: true })) {
    if (typeof id === "string" && !kept.has(id)) yield* vaults.patch(id, { enabled: false, updated_at: now }, {})
  }
})

/** Refuses pipelines that the engine can't run, each with its problems and their lines; what is stored stays as it is. */
export const check = Effect.fnUntraced(function* (planned: ReadonlyArray<Planned>) {
  const runner = yield* PipelineRunner
  const problems: Array<string> = []
  for (const { pipelineId, source, vault, yaml } of planned) {
    const inFile = yield* runner.check(source)
    const errors = errorsOf(vault, inFile)
    problems.push(...errors)
    if (errors.length > 0) continue
    // With the nodes that find and fetch its documents, it has other lines.
    const { plan, problems: found } = yield* runner.check({
      pipeline: { ...source.pipeline, id: pipelineId, yaml },
      etag: source.etag
    })
    problems.push(...errorsOf(vault, { problems: found }))
    if (plan !== undefined && InputNode.of(plan) === undefined) {
      problems.push(`${vault.pipeline}: it has no executor that looks for documents.`)
    }
  }
  if (problems.length > 0) return yield* new ProjectInvalid({ message: [...new Set(problems)].join("\n") })
}) satisfies (planned: ReadonlyArray<Planned>) => Effect.Effect<void, ProjectInvalid | ServiceError, PipelineRunner>

const errorsOf = (vault: Vault, { problems }: { readonly problems: ReadonlyArray<Problem> }): ReadonlyArray<string> =>
  problems.filter(({ severity }) => severity === "error").map((problem) => ProblemLine.print(vault.pipeline, problem))

const distinct = (places: ReadonlyArray<Connect.Place>): ReadonlyArray<Connect.Place> => [
  ...new Map(places.map((place) => [`${place.account}/${place.container}`, place])).values()
]

const isWithin = (path: Path.Path, outer: string, inner: string): boolean => {
  const relative = path.relative(outer, inner)
  return relative === "" || (!relative.startsWith("..") && !path.isAbsolute(relative))
}
