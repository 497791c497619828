import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { VaultId } from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Vault } from "../domain/Vault.ts"

/** What a list shows of a vault. */
export interface ListedVault {
  readonly id: string
  readonly name: string | null
  readonly pipeline_id: string
  readonly enabled: boolean
  /** The token of the deletions that a person confirmed last. */
  readonly confirmed_deletions: string | null
}

/** The `vaults` container. Nothing is written to it but what a person confirms. */
export class VaultStore extends Context.Tag("contentflow-worker/store/VaultStore")<
  VaultStore,
  {
    /** All vaults whose `enabled` is literally true. A document that cannot be read as a vault is left out and logged. */
    readonly enabled: Effect.Effect<ReadonlyArray<Vault>, ServiceError>
    /** All vaults, for people; what can't be read as one is left out. */
    readonly all: Effect.Effect<ReadonlyArray<ListedVault>, ServiceError>
    /** The vault, enabled or not; none if it does not exist. Invalid when the document has another shape. */
    readonly find: (id: VaultId) => Effect.Effect<Option.Option<Vault>, ServiceError>
    /** Writes the token of the deletions that a person confirms into the vault, and leaves all else as it is; false where there is no such vault. */
    readonly confirmDeletions: (id: VaultId, token: string) => Effect.Effect<boolean, ServiceError>
  }
>() {}
