import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { variables } from "../../config/Variables.ts"
import { mostCrawlRanges } from "../../domain/Vault.ts"
import * as NearestName from "../../text/NearestName.ts"
import * as Yaml from "../../yaml/Yaml.ts"
import * as TextInput from "../run/TextInput.ts"

/** The folder can't be served; `message` names the file, the place in it and the way out. */
export class ProjectInvalid extends Schema.TaggedError<ProjectInvalid>()("ProjectInvalid", {
  message: Schema.String
}) {}

export interface Vault {
  readonly name: string
  /** The folder that is watched, absolute; null where the pipeline itself says which container it lists. */
  readonly folder: string | null
  /** As `contentflow.yaml` names it, for messages. */
  readonly pipeline: string
  readonly pipelineFile: string
  readonly keepsItems: boolean
  /** What becomes of the outputs of deleted documents. */
  readonly onSourceDeleted: "keep" | "remove"
  /** Null for the worker's own bound. */
  readonly maxDeletionsPercent: number | null
  /** Among how many ranges of names its listing is cut; null for one. */
  readonly crawlRanges: number | null
  /** Where its failures are sent; null for nowhere. */
  readonly onFailureWebhook: string | null
}

/** What `contentflow.yaml` says, or what counts without it. */
export interface Project {
  readonly folder: string
  readonly vaults: ReadonlyArray<Vault>
  /** Settings by the names of their variables, and the file they come from. */
  readonly settings: ReadonlyMap<string, string>
  readonly source: string
  /** Folders of storage accounts, absolute. */
  readonly accounts: ReadonlyMap<string, string>
  /** Paths of the partition keys of containers that are looked into, by `account/database/container`. */
  readonly partitionKeys: ReadonlyMap<string, string>
}

export const fileName = "contentflow.yaml"

/** The folder with the files that `init` writes. */
export const template = ["../init/project/", "./init/project/"]
  .map((place) => fileURLToPath(new URL(place, import.meta.url)))
  // In a bundle this file is not where its source is.
  .reduce((found, place) => (existsSync(found) ? found : place))

const maxBytes = 1024 * 1024

/** A vault's name is part of its id, and may be one that the API took. */
export const isVaultName = (name: string): boolean =>
  /^(?![. ])[^/\\?#\p{Cc}\p{Surrogate}]{1,100}$/u.test(name) && !name.endsWith(" ")

const Name = Schema.String.pipe(
  Schema.filter(isVaultName, {
    message: () => "must have 1 to 100 characters without / \\ ? #, and begin with no dot or blank",
    jsonSchema: { minLength: 1, maxLength: 100 }
  })
)

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** A key without a value is no key. */
const withoutNulls = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withoutNulls)
    : Predicate.isRecord(value)
      ? Object.fromEntries(
          Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, withoutNulls(each)] as const]))
        )
      : value

/** The form of `contentflow.yaml`. */
export const File = Schema.Struct({
  settings: optional(
    Schema.Record({
      key: Schema.String,
      value: Schema.Union(Schema.String, Schema.Number, Schema.Boolean).annotations({
        message: () => ({ message: "must be a text, a number, true or false", override: true })
      })
    })
  ),
  vaults: optional(
    Schema.Array(
      Schema.Struct({
        name: optional(Name),
        folder: optional(Schema.NonEmptyString),
        pipeline: Schema.NonEmptyString,
        enabled: optional(Schema.Boolean),
        save_execution_output: optional(Schema.Boolean),
        on_source_deleted: optional(Schema.Literal("keep", "remove")),
        max_deletions_percent: optional(Schema.Number.pipe(Schema.between(0, 100))),
        crawl_ranges: optional(Schema.Int.pipe(Schema.between(1, mostCrawlRanges))),
        on_failure_webhook: optional(
          Schema.String.pipe(
            Schema.maxLength(2_048),
            Schema.pattern(/^(?:https:\/\/|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$))/, {
              message: () => "must begin with https://, or lead to this machine"
            })
          )
        )
      })
    ).pipe(Schema.maxItems(1_000))
  ),
  accounts: optional(Schema.Record({ key: Schema.String, value: Schema.NonEmptyString })),
  lookups: optional(
    Schema.Record({
      key: Schema.String,
      value: Schema.Struct({
        partition_key: Schema.String.pipe(
          Schema.pattern(/^(?:\/[^/]+)+$/, { message: () => "must be a path such as /tenant" })
        )
      })
    })
  )
})

const decode = Schema.decodeUnknownEither(File, { errors: "all", onExcessProperty: "error" })

/** Reads the folder's project file. Finds all mistakes of its form at once, each with its line. */
export const read = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(folder, fileName)
  if (!(yield* Effect.orElseSucceed(fs.exists(file), () => false))) return withoutFile(folder, path)
  const text = yield* Effect.mapError(
    TextInput.read(file, maxBytes),
    (message) => new ProjectInvalid({ message: `${file}: ${message}` })
  )
  const document = yield* Either.mapLeft(
    Yaml.parse(text),
    ({ problems }) =>
      new ProjectInvalid({
        message: problems
          .map(({ column, line, message }) => `${file}, line ${line}, column ${column}: ${message}`)
          .join("\n")
      })
  )
  const placed = (at: ReadonlyArray<PropertyKey>, message: string) => {
    const steps = at.map((step) => (typeof step === "number" ? step : String(step)))
    const { column, line } = Yaml.locate(document, steps)
    return `${file}, line ${line}, column ${column}${steps.length === 0 ? "" : `, ${steps.join(".")}`}: ${message}`
  }
  const invalid = (problems: ReadonlyArray<string>) => new ProjectInvalid({ message: problems.join("\n") })
  const decoded = decode(withoutNulls(Yaml.toPlain(document.value) ?? {}))
  if (Either.isLeft(decoded)) {
    const issues = ParseResult.ArrayFormatter.formatErrorSync(decoded.left)
    return yield* invalid(issues.map(({ message, path: at }) => placed(at, message)))
  }
  const { accounts, lookups, settings, vaults } = decoded.right
  const problems: Array<string> = []
  for (const name of Object.keys(settings ?? {})) {
    if (settable.has(name.toUpperCase())) continue
    const near = NearestName.find(name.toUpperCase(), settable)
    problems.push(
      placed(
        ["settings", name],
        `there is no setting of this name${near === undefined ? "" : `; ${near} is meant, perhaps`}.`
      )
    )
  }
  for (const name of Object.keys(lookups ?? {})) {
    if (!/^[^/\\?#]+\/[^/\\?#]+\/[^/\\?#]+$/.test(name))
      problems.push(placed(["lookups", name], "a container's name must be account/database/container."))
  }
  const listed = (vaults ?? []).map((vault, index): Vault & { readonly enabled: boolean } => ({
    name: vault.name ?? `vault-${index + 1}`,
    folder: vault.folder === undefined ? null : path.resolve(folder, vault.folder),
    pipeline: vault.pipeline,
    pipelineFile: path.resolve(folder, vault.pipeline),
    keepsItems: vault.save_execution_output ?? false,
    onSourceDeleted: vault.on_source_deleted ?? "keep",
    maxDeletionsPercent: vault.max_deletions_percent ?? null,
    crawlRanges: vault.crawl_ranges ?? null,
    onFailureWebhook: vault.on_failure_webhook ?? null,
    enabled: vault.enabled ?? true
  }))
  for (const [index, { name }] of listed.entries()) {
    if (listed.findIndex((other) => other.name === name) < index) {
      problems.push(placed(["vaults", index], `another vault is called ${name}, too.`))
    }
  }
  if (problems.length > 0) return yield* invalid(problems)
  const project: Project = {
    folder,
    vaults: vaults === undefined ? withoutFile(folder, path).vaults : listed.filter(({ enabled }) => enabled),
    settings: new Map(
      Object.entries(settings ?? {}).map(([name, value]) => [name.toUpperCase(), String(value)] as const)
    ),
    source: file,
    accounts: new Map(Object.entries(accounts ?? {}).map(([name, place]) => [name, path.resolve(folder, place)])),
    partitionKeys: new Map(Object.entries(lookups ?? {}).map(([name, { partition_key }]) => [name, partition_key]))
  }
  return project
})

const withoutFile = (folder: string, path: Path.Path): Project => ({
  folder,
  vaults: [
    {
      name: "documents",
      folder: path.join(folder, "inbox"),
      pipeline: "the default pipeline",
      pipelineFile: path.join(template, "pipelines", "documents.yaml"),
      keepsItems: false,
      onSourceDeleted: "keep",
      maxDeletionsPercent: null,
      crawlRanges: null,
      onFailureWebhook: null
    }
  ],
  settings: new Map(),
  source: "the default",
  accounts: new Map(),
  partitionKeys: new Map()
})

/** Where services of Azure are is none of a folder's business. */
export const settable: ReadonlySet<string> = new Set(
  Object.values(variables)
    .filter(({ group }) => group !== "Azure resources" && group !== "App Configuration" && group !== "Signing in")
    .flatMap(({ aliases, name }) => [name, ...aliases])
)
