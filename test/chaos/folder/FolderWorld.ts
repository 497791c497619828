import { Effect, type Scope } from "effect"
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { executionIdOf, PipelineId, VaultId } from "../../../src/domain/Ids.ts"
import * as Driver from "../../../src/embedded/Driver.ts"
import * as MachineTime from "../../../src/embedded/MachineTime.ts"
import { hiddenFolder, localAccount } from "../../../src/FolderWorker.ts"
import type { Execution, Lock, Remains } from "../Checker.ts"
import * as World from "../World.ts"

/** One folder that a fleet serves, as people and other programs of the machine see it. */
export interface FolderWorld {
  readonly folder: string
  /** The worker's database, from outside. */
  readonly rows: (sql: string, ...values: ReadonlyArray<Driver.Value>) => ReadonlyArray<Driver.Row>
  /** Changes it as a whole; false when it is locked, full or read-only just now. */
  readonly change: (sql: string, ...values: ReadonlyArray<Driver.Value>) => boolean
  /** The time by the database's clock. */
  readonly now: () => number
  /** Runs a statement that must not wait, such as BEGIN. */
  readonly exec: (sql: string) => boolean
}

/** There is no model to ask. */
export const streams: ReadonlyArray<World.Stream> = Object.values(World.streams).filter(
  (stream) => stream !== World.streams.followed
)

const pipelineOf = (stream: World.Stream): string => `pipelines/${stream.name}.yaml`

/** Writes the project: a folder and a pipeline for each stream, and its vaults. */
export const prepare = (folder: string): void => {
  mkdirSync(join(folder, "pipelines"), { recursive: true })
  for (const stream of streams) {
    mkdirSync(join(folder, stream.name), { recursive: true })
    storePipeline(folder, stream, 0)
  }
  const vaults = streams.flatMap((stream) =>
    stream.vaults.map((name) => `  - {name: ${name}, folder: ${stream.name}, pipeline: ${pipelineOf(stream)}}`)
  )
  writeFileSync(join(folder, "contentflow.yaml"), ["vaults:", ...vaults, ""].join("\n"))
}

export const storePipeline = (folder: string, stream: World.Stream, edition: number): void => {
  const path = join(folder, pipelineOf(stream))
  writeFileSync(`${path}.new`, World.yamlOf(stream, edition, localAccount))
  renameSync(`${path}.new`, path)
}

/** After the first worker has made the database. */
export const open = (folder: string): Effect.Effect<FolderWorld, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => Driver.open(join(folder, hiddenFolder, "worker.db"), 2_000)),
      (connection) => Effect.sync(connection.close)
    ),
    ({ exec, prepare }) => {
      const attempted = (run: () => void): boolean => {
        try {
          run()
          return true
        } catch (thrown) {
          if (Driver.codeOf(thrown) === undefined) throw thrown
          return false
        }
      }
      const machine = MachineTime.make()
      return {
        folder,
        now: () => {
          const kept = prepare("SELECT since_boot, time FROM clock").get()
          return Math.round(Number(kept?.["time"]) + machine.now() - Number(kept?.["since_boot"]))
        },
        rows: (sql, ...values) => prepare(sql).all(...values),
        change: (sql, ...values) => attempted(() => prepare(sql).run(...values)),
        exec: (sql) => attempted(() => exec(sql))
      }
    }
  )

const fileOf = (folder: string, { name, stream }: World.Draft): string => join(folder, stream.name, name)

/** Puts a version of a document there; false when the disk does not take it. */
export const put = (folder: string, draft: World.Draft): boolean => {
  const path = fileOf(folder, draft)
  const incoming = join(folder, `.${draft.stream.name}-${draft.name}`)
  try {
    writeFileSync(incoming, World.bodyOf(draft))
    renameSync(incoming, path)
    return true
  } catch {
    rmSync(incoming, { force: true })
    return false
  }
}

/** False when the disk does not let it go. */
export const remove = (folder: string, draft: World.Draft): boolean => {
  try {
    rmSync(fileOf(folder, draft), { force: true })
    return true
  } catch {
    return false
  }
}

const executionOf = (draft: World.Draft, vault: string, version: string): string =>
  executionIdOf({
    vaultId: VaultId.make(`folder-${vault}`),
    pipelineId: PipelineId.make(`folder_${vault}`),
    items: [`https://${localAccount}.blob.core.windows.net/${draft.stream.name}/${draft.name}`],
    versions: [version]
  })

/**
 * The versions with the executions that they must have, or had if somebody saw them: a version that came between two looks was never there for the
 * worker. The table of files knows how the newest one was counted.
 */
export const versionsOf = (
  { rows }: FolderWorld,
  drafts: ReadonlyArray<World.Draft>,
  executions: ReadonlyArray<Execution>
): ReadonlyArray<World.Version> => {
  const there = new Set(executions.map(({ id }) => id))
  const etags = new Map(
    rows("SELECT place, name, etag FROM files").map((row) => [
      `${String(row["place"])}/${String(row["name"])}`,
      String(row["etag"])
    ])
  )
  const newest = new Map(drafts.map((draft) => [World.keyOf(draft), draft]))
  const counts = new Map<string, number>()
  return drafts.map((draft) => {
    const key = World.keyOf(draft)
    const before = counts.get(key) ?? 0
    counts.set(key, before + 1)
    const digest = createHash("sha256").update(World.bodyOf(draft)).digest("hex").slice(0, 32)
    const possible = [digest, ...Array.from({ length: before }, (_, index) => `${digest}-${index + 1}`)]
    const known = etags.get(`${localAccount}/${key}`)
    return {
      ...draft,
      lastModified: new Date(0),
      executions: new Map(
        draft.stream.vaults.flatMap((vault) => {
          const ids = possible.map((version) => executionOf(draft, vault, version))
          const found = ids.find((id) => there.has(id))
          if (newest.get(key) !== draft) return found === undefined ? [] : [[vault, found] as const]
          const expected = possible.find((version) => version === known)
          return [
            [vault, expected === undefined ? (found ?? `${key} was never seen`) : executionOf(draft, vault, expected)]
          ]
        })
      )
    }
  })
}

/** Of the database and the outputs. */
export const gather = ({ folder, rows }: FolderWorld): Remains => {
  const documents = <A>(table: string) =>
    rows(`SELECT document FROM ${table}`).map((row): A => JSON.parse(String(row["document"])))
  const bodies = (table: string) => rows(`SELECT body FROM ${table} ORDER BY id`).map(({ body }) => String(body))
  const messages = bodies("messages")
  return {
    executions: documents<Execution>("vault_executions"),
    outputs: new Map(outputsIn(folder).map((path) => [keyOfOutput(folder, path), readFileSync(path, "utf8")])),
    messages: messages.length,
    visible: messages.slice(0, 10),
    poison: bodies("poison_messages"),
    // The table also holds what workers tell of themselves.
    locks: documents<Lock>("vault_exec_locks").filter(({ kind }) => kind === undefined)
  }
}

/** The files of outputs, hidden ones left out. */
export const outputsIn = (folder: string): ReadonlyArray<string> =>
  streams.flatMap(({ name }) => {
    const place = join(folder, World.outputs, name)
    try {
      return readdirSync(place)
        .filter((file) => !file.startsWith("."))
        .map((file) => join(place, file))
    } catch {
      return []
    }
  })

export const keyOfOutput = (folder: string, path: string): string =>
  relative(join(folder, World.outputs), path)
    .split(sep)
    .join("/")
    .replace(/\.json$/, "")
