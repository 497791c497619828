import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Vault } from "../domain/Vault.ts"
import * as DocumentContainer from "./DocumentContainer.ts"
import { VaultStore } from "./VaultStore.ts"

/** The {@link VaultStore} over a container of documents. */
export const make = (container: DocumentContainer.DocumentContainer): VaultStore["Type"] => {
  const decode = DocumentContainer.decoderOf(container, Vault)

  return VaultStore.of({
    enabled: Effect.gen(function* () {
      const vaults: Array<Vault> = []
      for (const document of yield* container.where({ enabled: true })) {
        const vault = decode(document)
        if (Either.isRight(vault)) vaults.push(vault.right)
        else yield* Effect.logWarning(`A vault is left out. ${vault.left.message}`)
      }
      return vaults
    }),
    all: Effect.map(container.where({}), (documents) =>
      documents.flatMap((document) => {
        const { confirmed_deletions, name } = document
        const vault = decode(document)
        return Either.isLeft(vault)
          ? []
          : [
              {
                id: vault.right.id,
                name: typeof name === "string" ? name : null,
                pipeline_id: vault.right.pipeline_id,
                enabled: vault.right.enabled === true,
                confirmed_deletions: typeof confirmed_deletions === "string" ? confirmed_deletions : null
              }
            ]
      })
    ),
    find: (id) =>
      Effect.flatMap(container.read(id), (reading) =>
        reading._tag === "Found" ? Either.map(decode(reading.document), Option.some) : Either.right(Option.none())
      ),
    confirmDeletions: (id, token) =>
      Effect.map(container.patch(id, { confirmed_deletions: token }, {}), ({ _tag }) => _tag === "Written")
  })
}
