import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { PipelineId, VaultId } from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { Kept } from "../task/PipelineVersions.ts"
import { keyOfVault } from "./ManifestStore.ts"
import * as OwnBlobs from "./OwnBlobs.ts"

/**
 * Present -> Missing -> Removing -> Removed; a vault that is there again is Present. `Missing`: its document is gone, which is not acted on yet.
 * `Removed`: what was written late is still removed.
 */
const State = Schema.Union(
  Schema.TaggedStruct("Present", {}),
  // The pipeline as it was then: it may be deleted after its vault.
  Schema.TaggedStruct("Missing", { pipeline: Kept }),
  Schema.TaggedStruct("Removing", {
    pipeline: Kept,
    /** Parts of the manifests whose outputs are gone. */
    parts: Schema.Number
  }),
  Schema.TaggedStruct("Removed", { pipeline: Kept })
)
export type State = typeof State.Type

/** What becomes of a vault's outputs when its document is gone. */
export const VaultRecord = Schema.Struct({
  vault_id: VaultId,
  pipeline_id: PipelineId,
  /** `on_source_deleted` of the vault. */
  policy: Schema.Literal("keep", "remove"),
  state: State
})
export interface VaultRecord extends Schema.Schema.Type<typeof VaultRecord> {}

export interface FoundRecord {
  readonly record: VaultRecord
  readonly etag: string
  /** How long ago it was written: milliseconds, by the store's clock. */
  readonly ageMillis: number
  /** The store's clock when it was found: epoch milliseconds. */
  readonly servedAt: number
}

const folder = "vaults/"
const decode = Schema.decodeUnknownOption(Schema.parseJson(VaultRecord))
const encode = Schema.encodeSync(Schema.parseJson(VaultRecord))

/** The records of all vaults whose outputs follow their documents, kept apart from the vaults. */
export const make = Effect.map(OwnBlobs.make, (own) => {
  const pathOf = (vault: VaultId) => `${folder}${keyOfVault(vault)}.json`
  return {
    all: own.list(folder).pipe(
      Stream.mapConcat(({ blobs, servedAt }) =>
        blobs.map(({ lastModified, path }) => ({ path, ageMillis: servedAt - lastModified, servedAt }))
      ),
      Stream.mapEffect(
        ({ path, ...age }) =>
          Effect.map(
            own.read(path),
            Option.flatMap(({ etag, text }) =>
              Option.map(decode(text), (record): FoundRecord => ({ record, etag, ...age }))
            )
          ),
        { concurrency: 4 }
      ),
      Stream.filterMap((found) => found)
    ),
    find: (vault: VaultId): Effect.Effect<Option.Option<VaultRecord>, ServiceError> =>
      Effect.map(
        own.read(pathOf(vault)),
        Option.flatMap(({ text }) => decode(text))
      ),
    /** Writes over the version that was found, and gives the new one; none when another was faster. */
    replace: (record: VaultRecord, etag: string): Effect.Effect<Option.Option<string>, ServiceError> =>
      own.replace(pathOf(record.vault_id), encode(record), etag),
    /** The vault is there, with this choice. */
    note: (vault_id: VaultId, pipeline_id: PipelineId, policy: VaultRecord["policy"]) =>
      own.put(
        pathOf(vault_id),
        Buffer.from(encode({ vault_id, pipeline_id, policy, state: { _tag: "Present" } }), "utf8")
      ),
    forget: (vault: VaultId) => own.remove(pathOf(vault)),
    /** Removes all that was kept of the vault's outputs, and the record last. */
    erase: Effect.fnUntraced(function* (vault: VaultId) {
      for (const kept of ["outputs/", "inventories/", "revisits/"]) {
        yield* own.list(`${kept}${keyOfVault(vault)}/`).pipe(
          Stream.mapConcat(({ blobs }) => blobs),
          Stream.mapEffect(({ path }) => own.remove(path), { concurrency: 8 }),
          Stream.runDrain
        )
      }
      yield* own.remove(pathOf(vault))
    })
  }
})

export type VaultRecords = Effect.Effect.Success<typeof make>
