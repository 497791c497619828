import { createHash } from "node:crypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { BlobStore } from "../../blob/BlobStore.ts"
import type { WorkerConfig } from "../../config/WorkerConfig.ts"
import type { VaultId } from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as WriteOrder from "../../executor/WriteOrder.ts"
import type { ClaimAccount } from "../ClaimCheck.ts"
import { isEmpty, Manifest } from "./Manifest.ts"
import * as OwnBlobs from "./OwnBlobs.ts"

export interface VersionedManifest {
  /** Undefined when nothing was written for the document, or when what is there can't be read. */
  readonly manifest: Manifest | undefined
  /** Null when nothing is there. */
  readonly etag: string | null
}

/** `outputs`: a late write may be there. `archived`: its task found it in the archive tier, and nothing will say when it is back. */
export type Why = "outputs" | "archived"

/** A document whose outputs have to be looked at again. */
export interface Revisit {
  readonly document: string
  readonly why: Why
  /** How long ago it was asked for: milliseconds, by the store's clock. */
  readonly ageMillis: number
  /** What `forget` takes. */
  readonly key: string
}

/** Output manifests, one for each document of a vault, and the list of those that a crawl must look at again. */
export class ManifestStore extends Context.Tag("contentflow-worker/worker/ManifestStore")<
  ManifestStore,
  {
    readonly find: (vault: VaultId, document: string) => Effect.Effect<VersionedManifest, ServiceError>
    /** Writes over this version, null for none, and gives the new one; none when another writer was faster. */
    readonly replace: (
      vault: VaultId,
      manifest: Manifest,
      etag: string | null
    ) => Effect.Effect<Option.Option<string>, ServiceError>
    /** The keys of the manifests that were written since, in epoch milliseconds; of a sixteenth of all documents. */
    readonly writtenSince: (vault: VaultId, part: number, since: number) => Stream.Stream<string, ServiceError>
    /** The document of a manifest of something that may be there. */
    readonly documentOf: (vault: VaultId, key: string) => Effect.Effect<Option.Option<string>, ServiceError>
    /** Asks for a later look at the document. Asking again begins its waiting anew. */
    readonly revisit: (vault: VaultId, document: string, why: Why) => Effect.Effect<void, ServiceError>
    readonly revisits: (vault: VaultId) => Stream.Stream<Revisit, ServiceError>
    readonly forget: (key: string) => Effect.Effect<void, ServiceError>
  }
>() {}

const decode = Schema.decodeUnknownOption(Schema.parseJson(Manifest))
const encode = Schema.encodeSync(Schema.parseJson(Manifest))
const Noted = Schema.parseJson(Schema.Struct({ document: Schema.String, why: Schema.Literal("outputs", "archived") }))
const decodeNoted = Schema.decodeUnknownOption(Noted)

/** What names a document's manifest. */
export const keyOf = WriteOrder.sourceOf

/** A readable id as it is, any other by its digest. */
export const keyOfVault = (vault: VaultId): string =>
  /^[A-Za-z0-9-]{1,64}$/.test(vault) ? vault : `_${createHash("sha256").update(vault).digest("hex").slice(0, 32)}`

const make = Effect.gen(function* () {
  const own = yield* OwnBlobs.make
  const folderOf = (vault: VaultId) => `outputs/${keyOfVault(vault)}/`
  const pathOf = (vault: VaultId, document: string) => `${folderOf(vault)}${keyOf(document)}.json`

  return ManifestStore.of({
    find: (vault, document) =>
      Effect.map(
        own.read(pathOf(vault, document)),
        Option.match({
          onNone: () => ({ manifest: undefined, etag: null }),
          onSome: ({ etag, text }) => ({ manifest: Option.getOrUndefined(decode(text)), etag })
        })
      ),
    replace: (vault, manifest, etag) => own.replace(pathOf(vault, manifest.document), encode(manifest), etag),
    writtenSince: (vault, part, since) =>
      own
        .list(`${folderOf(vault)}${part.toString(16)}`)
        .pipe(
          Stream.mapConcat(({ blobs }) =>
            blobs.flatMap(({ lastModified, path }) =>
              lastModified >= since ? [path.slice(folderOf(vault).length).replace(/\.json$/, "")] : []
            )
          )
        ),
    documentOf: (vault, key) =>
      Effect.map(own.read(`${folderOf(vault)}${key}.json`), (found) =>
        Option.flatMap(found, ({ text }) =>
          Option.map(
            Option.filter(decode(text), (manifest) => manifest.state !== "settled" || !isEmpty(manifest)),
            ({ document }) => document
          )
        )
      ),
    revisit: (vault, document, why) =>
      own.put(
        `revisits/${keyOfVault(vault)}/${WriteOrder.sourceOf(document)}-${why}.json`,
        Buffer.from(JSON.stringify({ document, why }), "utf8")
      ),
    revisits: (vault) =>
      own.list(`revisits/${keyOfVault(vault)}/`).pipe(
        Stream.mapConcat(({ blobs, servedAt }) =>
          blobs.map(({ lastModified, path }) => ({ key: path, ageMillis: servedAt - lastModified }))
        ),
        Stream.mapEffect(
          (found) =>
            Effect.map(
              own.read(found.key),
              Option.flatMap(({ text }) => Option.map(decodeNoted(text), (noted) => ({ ...found, ...noted })))
            ),
          { concurrency: 4 }
        ),
        Stream.filterMap((found) => found)
      ),
    forget: own.remove
  })
})

export const layer: Layer.Layer<ManifestStore, never, BlobStore | ClaimAccount | WorkerConfig> = Layer.effect(
  ManifestStore,
  make
)
