import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as CutText from "../../text/CutText.ts"
import * as LongestText from "../../text/LongestText.ts"
import { type BlobLocation, BlobStore, type UploadOptions } from "../../blob/BlobStore.ts"
import { type Content, nameOf, withSummary } from "../../domain/Content.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import * as BlobCredential from "../BlobCredential.ts"
import * as Executor from "../../executor/Executor.ts"
import { valueAt } from "../../executor/DottedPath.ts"
import * as Outputs from "../../executor/Outputs.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as BlobBody from "./BlobBody.ts"
import * as BlobMetadata from "./BlobMetadata.ts"
import * as UniqueNames from "./UniqueNames.ts"
import * as OrderedRemoval from "./OrderedRemoval.ts"
import * as OrderedUpload from "./OrderedUpload.ts"
import * as PathTemplate from "./PathTemplate.ts"
import { sameContent } from "./ExistingBlob.ts"
import * as WriteOrder from "../../executor/WriteOrder.ts"

const placeholders =
  "{name} is filled in: id.unique_id, id.canonical_id, id.filename, id.folder (the document's own folder, with its slashes), document_id, any field of data or summary_data, timestamp, year, month, day, date, executor_id, pipeline_name, created_year, created_month, created_day."

const settings = {
  ...PerItem.settings({ timeoutSecs: 60 }),
  max_concurrent: Settings.integer({
    description: "Items in work at the same time; 1 is one after another.",
    default: 3,
    min: 1,
    max: 10
  }),
  timeout_secs: Settings.integer({ description: "Seconds that one item may take.", default: 60, min: 1, max: 300 }),
  storage_account_name: Settings.string({ description: "Name of the storage account (not its URL).", required: true }),
  credential_type: BlobCredential.type,
  credential_key: BlobCredential.key,
  container_name: Settings.string({ description: "The container to write to; it must exist.", required: true }),
  path_template: Settings.string({
    description: `The folder of an item's blob. ${placeholders}`,
    default: "{executor_id}/{year}/{month}/{day}/"
  }),
  filename_template: Settings.string({
    description: `The name of an item's blob in its folder. ${placeholders}`,
    default: "{id.unique_id}_{timestamp}.json"
  }),
  content_field: Settings.string({
    description: "Path in data of what to write; the whole item when absent. {} is written where it leads nowhere.",
    default: null
  }),
  output_format: Settings.choice(["json", "text"], {
    description:
      "json, or text: the text in content_field as it is, for Markdown and other files that people read. What is no text is written as JSON.",
    default: "json"
  }),
  metadata_fields: Settings.list({
    description: "Fields that become metadata of the blob: a list or a comma list of paths.",
    default: null
  }),
  compression: Settings.string({
    description: "gzip or zip; anything else is none. The extension .gz or .zip is added.",
    options: ["gzip", "zip"],
    default: null
  }),
  set_content_encoding: Settings.boolean({
    description:
      "With gzip: mark the blob as JSON with the content encoding gzip, which browsers and some clients unpack by themselves, instead of as a gzip file.",
    default: false
  }),
  overwrite_existing: Settings.boolean({
    description: "False: an item fails when its blob exists with another content.",
    default: true
  }),
  add_timestamp: Settings.boolean({ description: "Add written_at to the fields of metadata_fields.", default: true }),
  pretty_print: Settings.boolean({ description: "Indent the JSON by two blanks.", default: true }),
  ...Outputs.settings
}

type Decoded = Settings.TypeOf<typeof settings>

/** `azure_blob_output`: writes each item, or one field of it, as a JSON blob. */
export const executor = Executor.define({
  type: "azure_blob_output",
  aliases: ["azure_blob_writer", "blob_output"],
  category: "output",
  name: "Azure Blob Output",
  description: "Writes items as JSON files to Azure Blob Storage.",
  settings,
  check: (settings) =>
    BlobCredential.check(
      { account: "storage_account_name", type: "credential_type", key: "credential_key" },
      settings.storage_account_name,
      settings.credential_type,
      settings.credential_key
    ),
  advise: ({ path_template }) => pathAdvice(path_template),
  make: (settings, context) =>
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      const names = yield* UniqueNames.make
      const account = BlobCredential.accountOf(
        settings.storage_account_name,
        settings.credential_type,
        settings.credential_key
      )
      const place = placeOf(account.name, settings.container_name)
      return {
        retriesItems: true,
        outputs: {
          ordered: true,
          covers: (given) => containerIn(account.name, given) !== undefined,
          remove: (outputs, mayRemove) =>
            Effect.forEach(
              outputs,
              ({ key: path, place }) =>
                OrderedRemoval.remove(
                  blobs,
                  { account, container: containerIn(account.name, place) ?? settings.container_name, path },
                  mayRemove
                ),
              { concurrency: 8, discard: true }
            ).pipe(
              // Without its container no blob is there any more.
              Effect.catchTag("NotFound", () => Effect.void),
              Effect.mapError(Executor.fromServiceError(context))
            )
        },
        process: (items) =>
          Effect.gen(function* () {
            const at = context.run?.createdAt ?? (yield* Clock.currentTimeMillis)
            const sourceOf = (item: Content) =>
              PathTemplate.sourceOf(item, {
                executorId: context.id,
                pipelineName: context.pipelineName,
                epochMillis: at
              })
            const paths = yield* names.assign(items, (item) =>
              Either.isLeft(metadataOf(settings, item, at)) ? null : pathOf(settings, sourceOf(item))
            )
            const late = yield* Outputs.intend(
              context.run?.outputs,
              { id: context.id, policy: settings.on_source_deleted },
              () => Effect.succeed(new Map([...paths].map(([item, path]) => [item, [{ place, key: path }]])))
            )
            const failures = new Map<Content, string>()
            const results = yield* PerItem.perItem(context, settings, (item) =>
              late.has(item)
                ? Effect.succeed(withSummary(item, { blob_output: { write_status: "superseded" } }))
                : write(blobs, settings, context, item, paths.get(item) ?? "", at).pipe(
                    Effect.tapError((error) => Effect.sync(() => failures.set(item, error.message)))
                  )
            ).process(items)
            return results.map((result, index) => {
              const failure = failed(items[index], result, failures)
              return failure === undefined
                ? result
                : withSummary(result, { write_status: "error", write_error: failure })
            })
          })
      }
    })
})

/** An account's name has no slash. */
const placeOf = (account: string, container: string): string => `blob:${account}/${container}`

/** The container of a place in this account; undefined for any other place. */
const containerIn = (account: string, place: string): string | undefined =>
  place.startsWith(placeOf(account, "")) ? place.slice(placeOf(account, "").length) : undefined

/** The message of a write that failed for good: one that was tried again with success leaves `blob_output` in the result. */
const failed = (
  item: Content | undefined,
  result: Content,
  failures: ReadonlyMap<Content, string>
): string | undefined =>
  item === undefined || result.executor_logs.at(-1)?.status !== "failed" ? undefined : failures.get(item)

const pathOf = (settings: Decoded, source: PathTemplate.Source): string => {
  const folder = PathTemplate.fill(settings.path_template, source)
  const file = PathTemplate.fill(settings.filename_template, source)
  const compression = compressionOf(settings)
  const extension = compression === "gzip" ? ".gz" : compression === "zip" ? ".zip" : ""
  const path = folder + file
  return path.endsWith(extension) ? path : path + extension
}

const pathAdvice = (template: string): ReadonlyArray<Settings.SettingProblem> => {
  const shown = JSON.stringify(CutText.cut(template, 100))
  const advice = template.startsWith("/")
    ? `The path_template ${shown} starts with a slash, so every blob lies in a folder without a name.`
    : template !== "" && !template.endsWith("/") && !template.endsWith("{id.folder}")
      ? `The path_template ${shown} does not end with a slash, so it runs into the name of the file.`
      : undefined
  return advice === undefined ? [] : [{ path: ["path_template"], message: advice }]
}

const compressionOf = (settings: Decoded): BlobBody.Compression | null => {
  const lower = settings.compression?.toLowerCase()
  return lower === "gzip" || lower === "zip" ? lower : null
}

const write = (
  blobs: BlobStore["Type"],
  settings: Decoded,
  context: Executor.ExecutorContext,
  item: Content,
  path: string,
  at: number
): Effect.Effect<Content, Executor.ExecutorError> =>
  Effect.gen(function* () {
    const fail = (message: string) => Executor.documentError(context, item, message)
    const metadata = yield* Either.mapLeft(metadataOf(settings, item, at), fail)
    const body = yield* bodyOf(settings, item).pipe(
      Effect.mapError((reason) => fail(`${nameOf(item)} could not be turned into a file: ${reason}`))
    )
    const location = {
      account: BlobCredential.accountOf(
        settings.storage_account_name,
        settings.credential_type,
        settings.credential_key
      ),
      container: settings.container_name,
      path
    }
    const written = yield* put(
      blobs,
      settings,
      location,
      body,
      { ...headers(settings, path), metadata },
      WriteOrder.of(context.run, item)
    ).pipe(Effect.mapError(writeError(settings, context, item, path)))
    if (!written.isOurs) {
      yield* Effect.logInfo(`${path} keeps what a later version of ${nameOf(item)}, or a later attempt, wrote there`)
    }
    return withSummary(item, {
      blob_output: {
        blob_path: path,
        blob_size: written.size,
        blob_etag: written.etag,
        blob_last_modified: Timestamp.format(written.lastModified),
        write_status: written.isOurs ? "success" : "superseded"
      }
    })
  })

/** The blob's metadata, or why the item can't be written. */
const metadataOf = (settings: Decoded, item: Content, at: number): ReturnType<typeof BlobMetadata.make> =>
  Object.keys(item.data).length === 0
    ? Either.left(`${nameOf(item)} has no data to write.`)
    : settings.metadata_fields === null
      ? Either.right({})
      : BlobMetadata.make(PathTemplate.fieldsOf(item), settings.metadata_fields, settings.add_timestamp ? at : null)

const put = (
  blobs: BlobStore["Type"],
  settings: Decoded,
  location: BlobLocation,
  body: Uint8Array,
  options: UploadOptions,
  order: WriteOrder.WriteOrder | undefined
): Effect.Effect<OrderedUpload.Written, ServiceError> => {
  if (settings.overwrite_existing && order !== undefined)
    return OrderedUpload.upload(blobs, location, body, options, order)
  const ours = (written: { readonly etag: string; readonly lastModified: number }): OrderedUpload.Written => ({
    ...written,
    size: body.length,
    isOurs: true
  })
  const marks = order === undefined ? {} : WriteOrder.toMetadata(order)
  const marked = { ...options, metadata: { ...options.metadata, ...marks } }
  return blobs.upload(location, body, { ...marked, overwrite: settings.overwrite_existing }).pipe(
    Effect.catchTag("Conflict", (conflict) =>
      settings.overwrite_existing
        ? Effect.fail(conflict)
        : Effect.flatMap(
            sameContent(blobs, location, body, compressionOf(settings)),
            Option.match({ onNone: () => Effect.fail(conflict), onSome: Effect.succeed })
          )
    ),
    Effect.map(ours)
  )
}

/** The blob's bytes, or why there are none. */
const bodyOf = (settings: Decoded, item: Content): Effect.Effect<Uint8Array, string> => {
  const content =
    settings.content_field === null ? BlobBody.wholeItem(item) : (valueAt(item.data, settings.content_field) ?? {})
  const compression = compressionOf(settings)
  return Effect.try({
    try: () =>
      settings.output_format === "text" && typeof content === "string"
        ? Buffer.from(content, "utf8")
        : BlobBody.jsonOf(content, settings.pretty_print),
    catch: (cause) =>
      LongestText.isExceeded(cause) ? `it makes a text longer than ${LongestText.bound}` : String(cause)
  }).pipe(
    Effect.flatMap((json) => (compression === null ? Effect.succeed(json) : BlobBody.compress(json, compression)))
  )
}

const headers = (settings: Decoded, path: string): UploadOptions => {
  const compression = compressionOf(settings)
  if (compression === null)
    return { contentType: settings.output_format === "text" ? textType(path) : "application/json" }
  if (compression === "zip") return { contentType: "application/zip" }
  return settings.set_content_encoding
    ? { contentType: "application/json", contentEncoding: "gzip" }
    : { contentType: "application/gzip" }
}

const textType = (path: string): string => {
  const type = textTypes[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ?? "text/plain"
  return `${type}; charset=utf-8`
}

const textTypes: Readonly<Record<string, string>> = {
  md: "text/markdown",
  html: "text/html",
  htm: "text/html",
  csv: "text/csv",
  xml: "application/xml"
}

const writeError =
  (settings: Decoded, context: Executor.ExecutorContext, item: Content, path: string) =>
  (error: ServiceError): Executor.ExecutorError => {
    const { outage, retryAfterMillis, reason } = Executor.fromServiceError(context, item)(error)
    return new Executor.ExecutorError({
      reason: error._tag === "NotFound" ? "Setting" : reason,
      executorId: context.id,
      itemId: nameOf(item),
      message: explain(settings, context, path, error),
      retryAfterMillis,
      outage
    })
  }

const explain = (settings: Decoded, context: Executor.ExecutorContext, path: string, error: ServiceError): string => {
  const place = `${path} in the container ${settings.container_name} of ${settings.storage_account_name}`
  switch (error._tag) {
    case "Conflict":
      if (settings.overwrite_existing) return `Could not write the blob ${place}: ${error.message}`
      return `The blob ${place} exists already with another content, and overwrite_existing is false. Choose other templates, or allow to overwrite.`
    case "NotFound":
      return `The container ${settings.container_name} of the storage account ${settings.storage_account_name} does not exist: create it, or correct container_name in ${context.id}.`
    default:
      return `Could not write the blob ${place}: ${error.message}`
  }
}
