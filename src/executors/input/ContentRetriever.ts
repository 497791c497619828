import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { type Content, nameOf, withData } from "../../domain/Content.ts"
import * as BlobCredential from "../BlobCredential.ts"
import * as Executor from "../../executor/Executor.ts"
import { isObject } from "../../executor/DottedPath.ts"
import { CurrentRunFiles } from "../../executor/RunFiles.ts"
import * as LocalFile from "../LocalFile.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as DocumentFetch from "./DocumentFetch.ts"
import * as LocalRoot from "./LocalRoot.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentFetch.settings,
  allowed_root: Settings.string({
    description:
      "The folder that local files must lie in, symbolic links followed; files and folders with a dot at the start of their names are refused. It must lie in a folder of the worker's setting LOCAL_ROOTS. Default: the worker's working directory.",
    default: "."
  }),
  use_original_path: Settings.boolean({
    description: "Local files: put the file's own path into data.temp_file_path instead of copying it.",
    default: false
  }),
  blob_storage_account: Settings.string({
    description: "The storage account of blob items; the item's source_name when absent.",
    default: null
  }),
  blob_storage_account_credential_type: BlobCredential.type,
  blob_storage_credential_type: BlobCredential.otherType,
  blob_storage_account_key: BlobCredential.key,
  blob_container_name: Settings.string({
    description: "The container of blob items that name none.",
    default: null
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `content_retriever`: fetches local files, and blobs of one account. */
export const executor = Executor.define({
  type: "content_retriever",
  category: "input",
  name: "Content Retriever",
  description: "Fetches the bytes of local files and of blobs.",
  settings,
  check: (settings) =>
    BlobCredential.check(
      {
        account: "blob_storage_account",
        type: "blob_storage_account_credential_type",
        key: "blob_storage_account_key"
      },
      settings.blob_storage_account,
      settings.blob_storage_credential_type ?? settings.blob_storage_account_credential_type,
      settings.blob_storage_account_key
    ),
  make: (settings, context) =>
    Effect.gen(function* () {
      const fetching = yield* DocumentFetch.make(context, settings)
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const localFile = (item: Content) =>
        Effect.gen(function* () {
          const files = yield* CurrentRunFiles
          const given = item.id?.path
          if (!given) return yield* Effect.fail(`${nameOf(item)} names no file: id.path is missing.`)
          const allowed = yield* LocalRoot.resolve(fs, path, files, settings.allowed_root, given)
          return yield* LocalFile.inspect(fs, allowed, settings.max_size_bytes)
        }).pipe(Effect.mapError((message) => Executor.documentError(context, item, message)))

      return PerItem.perItem(context, settings, (item) => {
        switch (item.id?.source_type) {
          case "local_file":
            return Effect.gen(function* () {
              const file = yield* localFile(item)
              const fetched = yield* fetching.file(item, file, settings.use_original_path)
              return withMetadata(fetched.item, {
                source: "local_file",
                path: item.id?.path,
                size: fetched.size,
                modified: file.modified
              })
            })
          case "azure_blob":
            return Effect.gen(function* () {
              const location = yield* locationOf(context, settings, item)
              const fetched = yield* fetching.blob(item, location)
              return withMetadata(fetched.item, {
                source: "blob",
                container: location.container,
                path: location.path,
                size: fetched.size
              })
            })
          default:
            return Effect.fail(
              Executor.documentError(
                context,
                item,
                `${context.id} fetches local_file and azure_blob items, and ${nameOf(item)} is of type ${item.id?.source_type ?? "(none)"} (id.source_type).`
              )
            )
        }
      })
    })
})

const locationOf = (context: Executor.ExecutorContext, settings: Decoded, item: Content) => {
  const account = settings.blob_storage_account ?? item.id?.source_name
  const container = item.id?.container || settings.blob_container_name
  const path = item.id?.path
  if (!account || !container || !path) {
    const missing = [
      ...(account ? [] : ["the account (setting blob_storage_account or id.source_name)"]),
      ...(container ? [] : ["the container (setting blob_container_name or id.container)"]),
      ...(path ? [] : ["id.path"])
    ]
    return Effect.fail(
      Executor.documentError(
        context,
        item,
        `Nothing says where the blob of ${nameOf(item)} is: ${missing.join(", ")} missing.`
      )
    )
  }
  const type = settings.blob_storage_credential_type ?? settings.blob_storage_account_credential_type
  return Effect.succeed({
    account: BlobCredential.accountOf(account, type, settings.blob_storage_account_key),
    container,
    path
  })
}

/** Other keys of a mapping that is there already stay. */
const withMetadata = (item: Content, metadata: Readonly<Record<string, unknown>>): Content => {
  const before = item.data["metadata"]
  return withData(item, { metadata: isObject(before) ? { ...before, ...metadata } : metadata })
}
