import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as CutText from "../../text/CutText.ts"
import { BlobStore, type BlobEntry } from "../../blob/BlobStore.ts"
import type { Content } from "../../domain/Content.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import * as BlobCredential from "../BlobCredential.ts"
import * as Executor from "../../executor/Executor.ts"
import { textAt } from "../../executor/DottedPath.ts"
import * as IsoTime from "../../python/IsoTime.ts"
import * as ItemLog from "../../executor/ItemLog.ts"
import * as Settings from "../../executor/Settings.ts"
import * as BlobFilter from "./BlobFilter.ts"
import * as BlobListing from "./BlobListing.ts"
import * as ListingLimit from "./ListingLimit.ts"

/** Items that one run may discover when no vault crawls for it: they are all in memory at once. */
const mostOfOneRun = 100_000

const settings = {
  blob_storage_account: Settings.string({ description: "Name of the storage account (not its URL).", required: true }),
  blob_storage_credential_type: BlobCredential.type,
  blob_storage_account_key: BlobCredential.key,
  blob_container_name: Settings.string({ description: "The container to list.", required: true }),
  discover_mode: Settings.choice(["files", "virtual_folders"], {
    description: "files: an item for every blob. virtual_folders: an item for every folder right below the prefix.",
    default: "files"
  }),
  prefix: Settings.string({ description: "Only blobs whose names begin like this.", default: null }),
  prefix_from_input_field: Settings.string({
    description:
      "Path in data of the incoming item whose text replaces prefix, when exactly one item comes in. A crawl has no incoming item.",
    default: null
  }),
  file_extensions: Settings.list({
    description: "Only blobs with these extensions, in any case, with or without the dot: a list or a comma list.",
    default: null
  }),
  max_depth: Settings.integer({
    description: "How many folders below the prefix a blob may lie; 0 is any.",
    default: 0,
    min: 0
  }),
  max_results: Settings.integer({
    description:
      "At most this many documents (or folders) that pass the filters, the first by name; 0 is all. The next crawl goes on behind them, and the checkpoint moves when the listing came to its end.",
    default: 0,
    min: 0
  }),
  batch_size: Settings.integer({ description: "Blobs per call of the service.", default: 100, min: 1 }),
  include_metadata: Settings.boolean({
    description: "Ask for the blobs' own metadata and put it into id.metadata.blob_metadata.",
    default: true
  }),
  sort_by: Settings.choice(["name", "last_modified", "size"], {
    description: `The order of the documents found. All but ascending names needs the listing in memory; more than ${BlobListing.sortWindow} documents are sorted in runs of that many.`,
    default: "name"
  }),
  sort_ascending: Settings.boolean({ description: "False: the greatest first.", default: true }),
  min_size_bytes: Settings.integer({ description: "Smaller blobs are left out; 0 is no bound.", default: 0, min: 0 }),
  max_size_bytes: Settings.integer({ description: "Larger blobs are left out; 0 is no bound.", default: 0, min: 0 }),
  modified_after: Settings.string({
    description: "ISO date or time; blobs last changed before it are left out. UTC unless it has an offset.",
    default: null
  }),
  modified_before: Settings.string({
    description: "ISO date or time; blobs last changed after it are left out. UTC unless it has an offset.",
    default: null
  }),
  polling_interval_seconds: Settings.integer({
    description: "Seconds between two crawls of a vault.",
    default: 300,
    min: 1,
    max: 86_400
  }),
  items_per_task: Settings.integer({
    description: "How many documents a crawl puts into one task.",
    default: 1,
    min: 1
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `azure_blob_input_discovery`: the blobs or folders of a container as items without their bytes. */
export const executor = Executor.define({
  type: "azure_blob_input_discovery",
  aliases: ["azure_blob_input", "azure_blob_input_executor", "blob_input"],
  category: "input",
  name: "Azure Blob Input Discovery",
  description:
    "Finds the documents of an Azure Blob Storage container. A content retriever after it fetches their bytes.",
  settings,
  canCrawl: true,
  check: (settings) => [
    ...BlobCredential.check(
      {
        account: "blob_storage_account",
        type: "blob_storage_credential_type",
        key: "blob_storage_account_key"
      },
      settings.blob_storage_account,
      settings.blob_storage_credential_type,
      settings.blob_storage_account_key
    ),
    ...dateProblems("modified_after", settings.modified_after),
    ...dateProblems("modified_before", settings.modified_before)
  ],
  advise: ({ prefix }) => prefixAdvice(prefix),
  make: (settings, context) =>
    Effect.map(BlobStore, (blobs): Executor.ExecutorInstance => {
      const discover = (
        prefix: string,
        checkpoint: Option.Option<number> = Option.none(),
        continuation: Option.Option<string> = Option.none(),
        isWaiting: (name: string) => boolean = () => false,
        options: Executor.CrawlOptions = {}
      ) => batches(blobs, settings, context, prefix, checkpoint, continuation, isWaiting, options)
      return {
        process: (items) => collect(context, discover(prefixFor(settings, items))),
        crawl: (checkpoint, continuation, isWaiting, options) =>
          discover(settings.prefix ?? "", checkpoint, continuation, isWaiting, options)
      }
    })
})

const batches = (
  blobs: BlobStore["Type"],
  settings: Decoded,
  context: Executor.ExecutorContext,
  prefix: string,
  checkpoint: Option.Option<number>,
  continuation: Option.Option<string>,
  isWaiting: (name: string) => boolean,
  { from, listsAll = false }: Executor.CrawlOptions
): Stream.Stream<Executor.CrawlBatch, Executor.ExecutorError> => {
  const inNameOrder = settings.discover_mode === "files" && settings.sort_by === "name" && settings.sort_ascending
  const resumes = inNameOrder && settings.max_results === 0
  const list = (from: string | undefined) =>
    blobs.list({
      ...(from === undefined ? {} : { from }),
      account: BlobCredential.accountOf(
        settings.blob_storage_account,
        settings.blob_storage_credential_type,
        settings.blob_storage_account_key
      ),
      container: settings.blob_container_name,
      ...(prefix === "" ? {} : { prefix }),
      pageSize: Math.min(settings.batch_size, 5000),
      // Also where items do without it: folder placeholders are known by their metadata alone.
      includeMetadata: true
    })
  const whole = list(undefined)
  let anew = false
  const begun = Stream.suspend(() => {
    anew = true
    return whole
  })
  const pages = (resumes && from !== undefined ? Stream.catchTag(list(from), "Invalid", () => begun) : whole).pipe(
    Stream.mapError(listingError(context, settings))
  )
  const wanted = BlobFilter.matches({
    prefix,
    maxDepth: settings.max_depth,
    extensions: (settings.file_extensions ?? []).map(BlobFilter.normalizeExtension),
    minSize: settings.min_size_bytes,
    maxSize: settings.max_size_bytes,
    after: dateOf(settings.modified_after),
    before: dateOf(settings.modified_before)
  })
  const changed = BlobFilter.changedSince(checkpoint)
  const limit: ListingLimit.Limit = {
    most: settings.max_results === 0 ? Infinity : settings.max_results,
    keyOf: (path) => uniqueId(settings, path),
    behind: Option.match(continuation, { onNone: () => [], onSome: marksOf })
  }
  const archived = new Set<string>()
  let listed: Array<Executor.ListedDocument> = []
  const note = (name: string, isGiven: boolean): void => {
    if (listsAll) listed.push({ name, isGiven })
  }
  const listedSince = (): ReadonlyArray<Executor.ListedDocument> => {
    const all = listed
    listed = []
    return all
  }
  const readable = (blob: BlobEntry): boolean => {
    if (!wanted(blob)) return false
    const name = canonicalId(settings, blob.path)
    const isGiven = changed(blob) || isWaiting(name)
    note(name, isGiven)
    if (!isGiven) return false
    if (blob.isArchived !== true) return true
    archived.add(name)
    return false
  }
  const archivedSince = (): ReadonlyArray<string> => {
    const names = [...archived]
    archived.clear()
    return names
  }
  const batch = <A>(
    { found, marks, next, servedAt, span }: BlobListing.Found<A>,
    discovered: (one: A, log: ItemLog.ItemLog) => Executor.Discovered
  ) =>
    Effect.map(ItemLog.start(context), (log) => ({
      documents: found.map((one) => discovered(one, log)),
      servedAt,
      ...(resumes && next !== undefined ? { resume: next } : {}),
      ...(resumes && span !== undefined
        ? { span: { first: canonicalId(settings, span.first), last: canonicalId(settings, span.last) } }
        : {}),
      ...(anew ? { anew } : {}),
      ...(listsAll ? { listed: listedSince() } : {}),
      ...(archived.size === 0 ? {} : { waiting: archivedSince() }),
      ...(marks === undefined ? {} : { continuation: marks.join(" ") })
    }))
  return settings.discover_mode === "files"
    ? BlobListing.files(pages, {
        wanted: readable,
        limit,
        order: { by: settings.sort_by, ascending: settings.sort_ascending },
        batchSize: settings.batch_size
      }).pipe(Stream.mapEffect((found) => batch(found, (blob, log) => fileItem(settings, blob, log))))
    : BlobListing.folders(pages, {
        prefix,
        wanted,
        changed,
        isWaiting: (path) => isWaiting(folderId(settings, path)),
        onFolder: (path, isGiven) => note(folderId(settings, path), isGiven),
        limit
      }).pipe(Stream.mapEffect((found) => batch(found, (folder, log) => folderItem(settings, folder, log))))
}

/** The marks in a continuation. A stored text may be anything: what is no mark is never met. */
const marksOf = (continuation: string): ReadonlyArray<string> =>
  continuation.split(" ", ListingLimit.mostMarks).filter((mark) => mark !== "")

const collect = (
  context: Executor.ExecutorContext,
  found: Stream.Stream<Executor.CrawlBatch, Executor.ExecutorError>
): Effect.Effect<ReadonlyArray<Content>, Executor.ExecutorError> =>
  found.pipe(
    Stream.map(({ documents }) => documents.map(({ item }) => item)),
    Stream.flattenIterables,
    Stream.take(mostOfOneRun + 1),
    Stream.runCollect,
    Effect.filterOrFail(
      (items) => items.length <= mostOfOneRun,
      () =>
        new Executor.ExecutorError({
          reason: "Setting",
          executorId: context.id,
          itemId: null,
          message: `${context.id} found more than ${mostOfOneRun} documents in one run. Narrow it with prefix or max_results, or let a vault crawl the container.`
        })
    ),
    Effect.map((items) => [...items])
  )

const listingError = (context: Executor.ExecutorContext, settings: Decoded) => {
  const other = Executor.fromServiceError(context)
  return (error: Parameters<typeof other>[0]): Executor.ExecutorError =>
    error._tag === "NotFound"
      ? new Executor.ExecutorError({
          reason: "Setting",
          executorId: context.id,
          itemId: null,
          message: `The container ${settings.blob_container_name} of the storage account ${settings.blob_storage_account} does not exist (settings blob_container_name and blob_storage_account of ${context.id}).`
        })
      : other(error)
}

const prefixFor = (settings: Decoded, items: ReadonlyArray<Content>): string => {
  const [item, second] = items
  const given =
    settings.prefix_from_input_field === null || item === undefined || second !== undefined
      ? undefined
      : textAt(item.data, settings.prefix_from_input_field)
  return given || (settings.prefix ?? "")
}

const canonicalId = (settings: Decoded, path: string): string =>
  `https://${settings.blob_storage_account}.blob.core.windows.net/${settings.blob_container_name}/${path}`

const folderId = (settings: Decoded, path: string): string => `folder://${settings.blob_container_name}/${path}`

const fileItem = (settings: Decoded, blob: BlobEntry, log: ItemLog.ItemLog): Executor.Discovered => {
  const container = settings.blob_container_name
  return {
    version: BlobListing.versionOf(blob),
    ...(blob.etag === "" ? {} : { etag: blob.etag }),
    ...modifiedAt(blob),
    item: log.completed(
      {
        id: {
          canonical_id: canonicalId(settings, blob.path),
          unique_id: uniqueId(settings, blob.path),
          source_name: settings.blob_storage_account,
          source_type: "azure_blob",
          container,
          path: blob.path,
          filename: blob.path.slice(blob.path.lastIndexOf("/") + 1),
          metadata: {
            size: blob.size,
            last_modified: Number.isFinite(blob.lastModified) ? Timestamp.format(blob.lastModified) : null,
            content_type: blob.contentType,
            ...(settings.include_metadata && Object.keys(blob.metadata).length > 0
              ? { blob_metadata: { ...blob.metadata } }
              : {})
          }
        },
        summary_data: {},
        data: {},
        executor_logs: []
      },
      { blob_discovered: blob.path, container }
    )
  }
}

const folderItem = (settings: Decoded, folder: BlobListing.BlobFolder, log: ItemLog.ItemLog): Executor.Discovered => {
  const container = settings.blob_container_name
  return {
    version: folder.version,
    ...modifiedAt(folder),
    item: log.completed(
      {
        id: {
          canonical_id: folderId(settings, folder.path),
          unique_id: uniqueId(settings, folder.path),
          source_name: settings.blob_storage_account,
          source_type: "azure_blob_folder",
          container,
          path: folder.path,
          filename: folder.name,
          metadata: null
        },
        summary_data: {},
        data: {
          folder_prefix: folder.path,
          folder_name: folder.name,
          file_count: folder.files,
          container_name: container
        },
        executor_logs: []
      },
      { folder_discovered: folder.path, file_count: folder.files, container }
    )
  }
}

const modifiedAt = ({ lastModified }: { readonly lastModified: number }) =>
  Number.isFinite(lastModified) ? { modifiedAt: lastModified } : {}

const uniqueId = (settings: Decoded, path: string): string =>
  createHash("sha1").update(`${settings.blob_storage_account}/${settings.blob_container_name}/${path}`).digest("hex")

const prefixAdvice = (prefix: string | null): ReadonlyArray<Settings.SettingProblem> => {
  if (prefix === null) return []
  const shown = JSON.stringify(CutText.cut(prefix, 100))
  const advice = prefix.startsWith("/")
    ? `The prefix ${shown} starts with a slash, and names of blobs hardly ever do, so it lists nothing; write ${JSON.stringify(prefix.replace(/^\/+/, "").slice(0, 100))}.`
    : /[*?]/.test(prefix)
      ? `The prefix ${shown} has a wildcard, which is taken literally; write the beginning of the names alone.`
      : prefix.includes("\\")
        ? `The prefix ${shown} has a backslash, but folders of blobs end with a slash.`
        : undefined
  return advice === undefined ? [] : [{ path: ["prefix"], message: advice }]
}

const dateOf = (text: string | null): number | null =>
  text === null ? null : Option.getOrNull(Option.map(IsoTime.parse(text), ({ epochMillis }) => epochMillis))

const dateProblems = (name: string, text: string | null): ReadonlyArray<Settings.SettingProblem> =>
  text === null || Option.isSome(IsoTime.parse(text))
    ? []
    : [
        {
          path: [name],
          message: `The setting ${name} must be an ISO date or time like 2026-01-31 or 2026-01-31T08:00:00Z, not ${JSON.stringify(CutText.cut(text, 100))}.`
        }
      ]
