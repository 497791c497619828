import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { VaultId } from "../../domain/Ids.ts"
import type { ListedDocument } from "../../executor/Executor.ts"
import { keyOfVault } from "../outputs/ManifestStore.ts"
import type { OwnBlobs } from "../outputs/OwnBlobs.ts"

const Part = Schema.parseJson(Schema.Struct({ names: Schema.Array(Schema.String), given: Schema.Array(Schema.Number) }))
const encode = Schema.encodeSync(Part)
const decode = Schema.decodeUnknownOption(Part)

/** Names of one part. */
export const partSize = 20_000

/**
 * The names that the ranges of a shared crawl listed, in parts, until the crawl compares them with the inventory. They lie in its folder: what is left there of a crawl that never
 * ended goes with the next change of the inventory.
 */
export const of = (own: OwnBlobs, vault: VaultId) => {
  const pathOf = (id: string) => `inventories/${keyOfVault(vault)}/listed-${id}.json`
  return {
    /** Gives the id of the part. */
    write: (listed: ReadonlyArray<ListedDocument>) =>
      Effect.suspend(() => {
        const id = randomBytes(8).toString("hex")
        const part = {
          names: listed.map(({ name }) => name),
          given: listed.flatMap(({ isGiven }, index) => (isGiven ? [index] : []))
        }
        return Effect.as(own.put(pathOf(id), Buffer.from(encode(part), "utf8")), id)
      }),
    /** None when it is gone or unreadable. */
    read: (id: string) =>
      Effect.map(own.read(pathOf(id)), (found) =>
        Option.map(
          Option.flatMap(found, ({ text }) => decode(text)),
          ({ given, names }): ReadonlyArray<ListedDocument> => {
            const isGiven = new Set(given)
            return names.map((name, index) => ({ name, isGiven: isGiven.has(index) }))
          }
        )
      ),
    remove: (id: string) => own.remove(pathOf(id))
  }
}
