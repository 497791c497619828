import * as Effect from "effect/Effect"
import { nameOf } from "../../domain/Content.ts"
import * as BlobCredential from "../BlobCredential.ts"
import * as Executor from "../../executor/Executor.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as DocumentFetch from "./DocumentFetch.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentFetch.settings,
  blob_storage_account: Settings.string({
    description: "The account that blob_storage_account_key opens; every account when absent.",
    default: null
  }),
  blob_storage_account_credential_type: BlobCredential.type,
  blob_storage_credential_type: BlobCredential.otherType,
  blob_storage_account_key: BlobCredential.key
}

/** `azure_blob_content_retriever`: fetches each discovered blob, with an account key where discovery used one. */
export const executor = Executor.define({
  type: "azure_blob_content_retriever",
  category: "input",
  name: "Azure Blob Content Retriever",
  description: "Fetches the bytes of the blobs that Azure Blob Input Discovery found.",
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
    Effect.map(DocumentFetch.make(context, settings), (fetching) => {
      const type = settings.blob_storage_credential_type ?? settings.blob_storage_account_credential_type
      return PerItem.perItem(context, settings, (item) => {
        const id = item.id
        if (id?.source_type !== "azure_blob") {
          return Effect.fail(
            Executor.documentError(
              context,
              item,
              `${context.id} fetches blobs only (id.source_type azure_blob), and ${nameOf(item)} is of type ${id?.source_type ?? "(none)"}. Use content_retriever for local files.`
            )
          )
        }
        const { container, path, source_name } = id
        if (!source_name || !container || !path) {
          const missing = Object.entries({ source_name, container, path })
            .filter(([, value]) => !value)
            .map(([name]) => `id.${name}`)
          return Effect.fail(
            Executor.documentError(
              context,
              item,
              `${nameOf(item)} does not say where its blob is: ${missing.join(", ")} missing.`
            )
          )
        }
        const keyFits = settings.blob_storage_account === null || settings.blob_storage_account === source_name
        const account = BlobCredential.accountOf(source_name, type, keyFits ? settings.blob_storage_account_key : null)
        return Effect.map(fetching.blob(item, { account, container, path }), (fetched) => fetched.item)
      })
    })
})
