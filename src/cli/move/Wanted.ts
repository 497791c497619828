import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { basename, sep } from "node:path"
import { stringify } from "yaml"
import { localAccount } from "../../FolderWorker.ts"
import type { VersionedPipeline } from "../../domain/Pipeline.ts"
import { PipelineRunner } from "../../pipeline/PipelineRunner.ts"
import * as DocumentContainer from "../../store/DocumentContainer.ts"
import * as InputNode from "../run/InputNode.ts"
import * as LocalWorker from "../run/LocalWorker.ts"
import * as PipelineFile from "../run/PipelineFile.ts"
import * as ProblemLine from "../run/ProblemLine.ts"
import * as Connect from "../serve/Connect.ts"
import type { Project, Vault } from "../serve/Project.ts"
import * as AccountNames from "./AccountNames.ts"
import { MoveFailed } from "./Move.ts"

/** A pipeline as an installation should have it. */
export interface WantedPipeline {
  readonly id: string
  readonly name: string
  readonly yaml: string
  /** Its file as the project names it. */
  readonly file: string
  readonly version: VersionedPipeline
}

export interface WantedVault {
  readonly id: string
  readonly name: string
  readonly keepsItems: boolean
  readonly pipeline: WantedPipeline
  /** `account/container` of its documents. */
  readonly documents: string
}

/** The pipelines and vaults of the project as an installation has them, with this account in place of the folder. All mistakes are told together. */
export const of = Effect.fnUntraced(function* (project: Project, account: string) {
  const problems: Array<string> = []
  const read: Array<{ readonly vault: Vault; readonly version: VersionedPipeline; readonly pushed: Pushed }> = []
  for (const [index, vault] of project.vaults.entries()) {
    const file = yield* PipelineFile.read(vault.pipelineFile, index)
    if (file.names.length === 0) {
      problems.push(...file.problems.map((problem) => ProblemLine.print(vault.pipeline, problem)))
      continue
    }
    const version = file.pipeline()
    const pushed = pushedForm(project, vault, version.pipeline.yaml, account)
    if (pushed.documents === undefined) {
      problems.push(`${vault.pipeline}: it lists no container, and the vault ${vault.name} names no folder.`)
      continue
    }
    read.push({ vault, version, pushed })
  }
  const names = namesOf(read)
  const pipelines = new Map<string, WantedPipeline>()
  const vaults: Array<WantedVault> = []
  for (const { pushed, vault, version } of read) {
    const name = names(version.pipeline.name, vault)
    const pipeline = pipelines.get(name) ?? {
      id: pipelineId(name),
      name,
      yaml: pushed.yaml,
      file: vault.pipeline,
      version: { ...version, pipeline: { ...version.pipeline, name, yaml: pushed.yaml } }
    }
    pipelines.set(name, pipeline)
    const { account: of, container } = pushed.documents ?? { account, container: "" }
    vaults.push({
      id: vaultId(vault.name),
      name: vault.name,
      keepsItems: vault.keepsItems,
      pipeline,
      documents: `${of}/${container}`
    })
  }
  // The files first: what is pushed has other lines.
  const files = new Map(read.map(({ vault, version }) => [vault.pipelineFile, { file: vault.pipeline, version }]))
  problems.push(...(yield* problemsOf([...files.values()], false)))
  if (problems.length === 0) problems.push(...(yield* problemsOf([...pipelines.values()], true)))
  if (problems.length > 0) return yield* new MoveFailed({ message: problems.join("\n") })
  return { pipelines: [...pipelines.values()], vaults }
})

interface Pushed {
  readonly yaml: string
  readonly documents: Connect.Place | undefined
}

/** A pipeline's text as it is pushed for this vault. */
export const pushedForm = (project: Project, vault: Vault, text: string, account: string): Pushed => {
  const container = vault.folder === null ? null : containerOf(project, vault.folder)
  const named = AccountNames.replace(text, localAccount, account)
  const { documents, yaml } = Connect.connect(named, container, account)
  return {
    documents,
    // People read it in the web UI.
    yaml:
      yaml === named
        ? named
        : stringify(JSON.parse(yaml), { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false })
  }
}

/** The container that a vault's folder becomes. */
const containerOf = ({ folder }: Project, watched: string): string => {
  const inside = watched.startsWith(`${folder}${sep}`) ? watched.slice(folder.length + 1) : basename(watched)
  const name = inside
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "")
  return name.length < 3 ? `documents-${name}`.replace(/-$/, "") : name
}

/** The API keeps names unique: pipelines with one name and different texts are called after their vaults, too. */
const namesOf = (read: ReadonlyArray<{ readonly version: VersionedPipeline; readonly pushed: Pushed }>) => {
  const texts = new Map<string, Set<string>>()
  for (const { pushed, version } of read) {
    const { name } = version.pipeline
    texts.set(name, (texts.get(name) ?? new Set()).add(pushed.yaml))
  }
  return (name: string, vault: Vault): string => ((texts.get(name)?.size ?? 0) > 1 ? `${name} (${vault.name})` : name)
}

/** The same for the same name, so that two pushes at once make one. */
const pipelineId = (name: string): string =>
  DocumentContainer.storableId(
    `${name.toLowerCase().replaceAll(/\s+/g, "_")}_${digest(`pipeline ${name}`).slice(0, 8)}`
  )

const vaultId = (name: string): string => {
  const hex = digest(`vault ${name}`)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex")

/** What the worker would say of them; `needsInput`: they must look for documents themselves. */
const problemsOf = (pipelines: ReadonlyArray<Pick<WantedPipeline, "file" | "version">>, needsInput: boolean) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner
    const found = yield* Effect.forEach(pipelines, ({ file, version }) =>
      Effect.map(runner.check(version), ({ plan, problems }) => {
        const errors = problems.filter(({ severity }) => severity === "error")
        return errors.length > 0
          ? errors.map((problem) => ProblemLine.print(file, problem))
          : needsInput && plan !== undefined && InputNode.of(plan) === undefined
            ? [`${file}: it has no executor that looks for documents.`]
            : []
      })
    )
    return found.flat()
  }).pipe(Effect.provide(LocalWorker.layer(pipelines.map(({ version }) => version))))
