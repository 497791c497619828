import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Load from "../config/Load.ts"
import { localAccount } from "../FolderWorker.ts"
import type { Document } from "../store/DocumentContainer.ts"
import * as AccountNames from "./move/AccountNames.ts"
import * as Move from "./move/Move.ts"
import * as ProjectFile from "./move/ProjectFile.ts"
import * as Remote from "./move/Remote.ts"
import * as Wanted from "./move/Wanted.ts"
import * as TextInput from "./run/TextInput.ts"
import * as Project from "./serve/Project.ts"

export interface PullOptions extends Move.MoveOptions {
  readonly folder: string
  /** The storage account whose place the folder takes where it has a pipeline already; the installation's own when absent. */
  readonly account: Option.Option<string>
}

/** A file to write. */
interface Target {
  readonly path: string
  readonly text: string
}

/** Brings the pipelines and vaults of the installation that the settings name into a folder. Documents stay where they are. */
export const pull = (options: PullOptions) =>
  Effect.gen(function* () {
    const folder = (yield* Path.Path).resolve(options.folder)
    const { azure } = yield* Load.load
    const remote = yield* Remote.open(azure)
    const { pipelines, vaults } = yield* Effect.mapError(
      Effect.all({ pipelines: Remote.all(remote.pipelines), vaults: Remote.all(remote.vaults) }, { concurrency: 2 }),
      Remote.explained(azure)
    )
    const account = Option.getOrElse(options.account, () => azure.blobAccountName)
    const { changes, targets } = yield* planned(folder, account, pipelines, vaults)
    if (changes.length === 0) return yield* Console.log(`${remote.name} has no pipelines.`)
    yield* Console.log(`${remote.name} → ${folder}\n${Move.print(changes)}`)
    const refusal = Move.refusal(changes, options)
    if (refusal !== undefined && (options.yes || changes.some(({ kind }) => kind === "conflict"))) return yield* refusal
    if (Move.isDone(changes)) return yield* Console.log("Everything is there already.")
    if (!options.yes) {
      const more = refusal === undefined ? "--yes" : "--yes --replace"
      return yield* Console.log(`Nothing was written yet: ${more} does it.`)
    }
    yield* Effect.forEach(targets, put, { discard: true })
    yield* Console.log(`Done: ${targets.length} files written.`)
  }).pipe(Effect.scoped, Effect.provide(Load.layerDotEnv))

const planned = Effect.fnUntraced(function* (
  folder: string,
  account: string,
  pipelines: ReadonlyArray<Document>,
  vaults: ReadonlyArray<Document>
) {
  const path = yield* Path.Path
  const yamlFile = path.join(folder, Project.fileName)
  const before = yield* textOf(yamlFile)
  // Our own reader first: it tells mistakes with their places, and bounds what a text may ask of the other one.
  const project = yield* Project.read(folder)
  const file = ProjectFile.read(before)
  const changes: Array<Move.Change> = []
  const targets = new Map<string, Target>()
  const places = placesOf(pipelines)
  const entries: Array<ProjectFile.Entry> = []
  const used = new Set<unknown>()

  const pipeline = Effect.fnUntraced(function* (document: Document, name: string, vaultName: string | undefined) {
    const entry = before === undefined ? undefined : file.entries.find((each) => each.name === vaultName)
    const place = entry?.pipeline ?? places.get(document) ?? ""
    const target = path.resolve(folder, place)
    const change = (kind: Move.Kind, note: string) => void changes.push({ kind, of: "pipeline", name, note })
    if (isOutside(path, folder, target)) return change("conflict", `${place} lies outside of the folder: move it`)
    const yaml = String(document["yaml"])
    const here = yield* textOf(target)
    if (here === undefined) {
      change("create", place)
      return void targets.set(target, { path: target, text: yaml })
    }
    const vault = project.vaults.find((each) => each.name === vaultName)
    const isSame =
      here === yaml || (vault !== undefined && Wanted.pushedForm(project, vault, here, account).yaml === yaml)
    if (isSame) return change("same", place)
    const other = targets.get(target)
    const text = entry === undefined ? yaml : AccountNames.replace(yaml, account, localAccount)
    if (other !== undefined && other.text !== text)
      return change(
        "conflict",
        `${place} is another vault's pipeline here, too, with another text: give it a file of its own`
      )
    change("replace", place)
    targets.set(target, { path: target, text })
  })

  for (const vault of vaults) {
    const name = String(vault["name"])
    const change = (kind: Move.Kind, note: string) => void changes.push({ kind, of: "vault", name, note })
    const document = pipelines.find(({ id }) => id === vault["pipeline_id"])
    if (document === undefined) {
      change(
        "conflict",
        `its pipeline ${String(vault["pipeline_id"])} is not there: delete the vault there, or make the pipeline`
      )
      continue
    }
    if (!Project.isVaultName(name)) {
      change("conflict", "its name can't stand in contentflow.yaml: call it otherwise there")
      continue
    }
    used.add(document)
    yield* pipeline(document, String(document["name"]), name)
    const known = file.entries.find((each) => each.name === name)
    const entry: ProjectFile.Entry = {
      name,
      pipeline: known?.pipeline ?? places.get(document) ?? "",
      enabled: vault["enabled"] === true,
      keepsItems: vault["save_execution_output"] === true
    }
    const isSame = known !== undefined && known.enabled === entry.enabled && known.keepsItems === entry.keepsItems
    change(known === undefined ? "create" : isSame ? "same" : "replace", Project.fileName)
    if (!isSame) entries.push(entry)
  }
  for (const document of pipelines) {
    if (!used.has(document)) yield* pipeline(document, String(document["name"]), undefined)
  }
  if (entries.length > 0) targets.set(yamlFile, { path: yamlFile, text: file.withVaults(entries) })
  // The vaults last: each finds its pipeline.
  return {
    changes,
    targets: [...targets.values()].toSorted((a, b) => Number(a.path === yamlFile) - Number(b.path === yamlFile))
  }
})

/** `pipelines/<name>.yaml` for each, no two alike where case does not count. */
const placesOf = (pipelines: ReadonlyArray<Document>): ReadonlyMap<Document, string> => {
  const taken = new Set<string>()
  return new Map(
    pipelines.map((document) => {
      const stem =
        String(document["name"])
          .replaceAll(/[^\p{L}\p{N}._-]+/gu, "-")
          .replace(/^[.-]+/, "")
          .slice(0, 60)
          .replace(/[.-]+$/, "") || "pipeline"
      for (let count = 1; ; count++) {
        const place = `pipelines/${stem}${count === 1 ? "" : `-${count}`}.yaml`
        if (taken.has(place.toLowerCase())) continue
        taken.add(place.toLowerCase())
        return [document, place] as const
      }
    })
  )
}

const isOutside = (path: Path.Path, folder: string, target: string): boolean => {
  const relative = path.relative(folder, target)
  return relative === "" || relative.startsWith("..") || path.isAbsolute(relative)
}

/** As much as a pipeline's document in Cosmos DB holds. */
const maxBytes = 2 * 1024 * 1024

const textOf = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(fs.exists(file), () => false))) return undefined
  return yield* Effect.mapError(
    TextInput.read(file, maxBytes),
    (message) => new Move.MoveFailed({ message: `${file}: ${message}` })
  )
})

/** Whole or not at all. */
const put = ({ path: file, text }: Target) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    const unfinished = path.join(path.dirname(file), `.${path.basename(file)}.part`)
    yield* fs.writeFileString(unfinished, text)
    yield* fs.rename(unfinished, file)
  }).pipe(
    Effect.mapError(
      ({ message }) =>
        new Move.MoveFailed({ message: `${file} can't be written: ${message} Run it again for the rest.` })
    )
  )
