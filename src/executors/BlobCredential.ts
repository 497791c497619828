import * as Redacted from "effect/Redacted"
import * as CutText from "../text/CutText.ts"
import type { BlobAccount } from "../domain/BlobAccount.ts"
import * as Settings from "../executor/Settings.ts"

const types = ["default_azure_credential", "azure_key_credential"] as const
export type CredentialType = (typeof types)[number]

/** The setting that says how to sign in at a storage account. */
export const type = Settings.choice(types, {
  description:
    "How to sign in at the storage account: default_azure_credential is the worker's own identity, azure_key_credential an account key.",
  default: "default_azure_credential"
})

/** The same under a name that some definitions use; null when it is not given. */
export const otherType = Settings.choice(types, {
  description: "Another name of blob_storage_account_credential_type.",
  default: null
})

/** The setting with the account's key. */
export const key = Settings.secret({
  description: "The account's key, for azure_key_credential.",
  default: null
})

/** The account with its key, if keys are how the definition signs in. */
export const accountOf = (name: string, type: CredentialType, key: Redacted.Redacted | null): BlobAccount =>
  type === "azure_key_credential" && key !== null ? { name, key } : { name }

interface Names {
  readonly account: string
  readonly type: string
  readonly key: string
}

/** What is wrong with an account's settings, under the names that the executor's type gives them. */
export const check = (
  names: Names,
  account: string | null,
  type: CredentialType,
  key: Redacted.Redacted | null
): ReadonlyArray<Settings.SettingProblem> => [
  ...(account !== null && /[/:.@?#\s]/.test(account)
    ? [
        {
          path: [names.account],
          message: `The setting ${names.account} must be the account's name alone, not ${JSON.stringify(CutText.cut(account, 100))}.`
        }
      ]
    : []),
  ...(type === "azure_key_credential" && key === null
    ? [
        {
          path: [names.key],
          message: `The setting ${names.key} is required when ${names.type} is azure_key_credential.`
        }
      ]
    : [])
]
