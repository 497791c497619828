import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Checkpoint, checkpointId, nothingCrawled, originalCheckpointId } from "../domain/Checkpoint.ts"
import { CrawlRange, crawlRangeId } from "../domain/CrawlRange.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { CheckpointStore } from "./CheckpointStore.ts"
import * as DocumentContainer from "./DocumentContainer.ts"

/** The {@link CheckpointStore} over a container of documents. Executor ids are free text, so ids go through `storableId`. */
export const make = (container: DocumentContainer.DocumentContainer): CheckpointStore["Type"] => {
  const decode = DocumentContainer.decoderOf(container, Checkpoint)
  const decodeRange = DocumentContainer.decoderOf(container, CrawlRange)
  const read = (id: string) => container.read(DocumentContainer.storableId(id))

  const look: CheckpointStore["Type"]["look"] = Effect.fnUntraced(function* (pipelineId, executorId, vaultId) {
    const id = checkpointId(pipelineId, executorId, vaultId)
    const ours = yield* read(id)
    const found = ours._tag === "Found" ? ours : yield* read(originalCheckpointId(pipelineId, executorId))
    const servedAt = found._tag === "Unchanged" ? yield* Clock.currentTimeMillis : found.servedAt
    if (found._tag !== "Found" || (found !== ours && found.document["vault_id"] !== vaultId)) {
      return { checkpoint: Option.none(), servedAt }
    }
    const checkpoint = yield* decode(restored(found.document))
    const taken_over = checkpoint.taken_over || found !== ours
    return { checkpoint: Option.some({ ...checkpoint, id, taken_over }), servedAt }
  })

  return CheckpointStore.of({
    look,
    find: (...place) => Effect.map(look(...place), ({ checkpoint }) => checkpoint),
    ofVault: (vaultId) =>
      Effect.map(
        Effect.zipWith(
          container.where({ vault_id: vaultId }),
          container.where({ uncrawled_vault_id: vaultId }),
          (crawled, uncrawled) => [...crawled, ...uncrawled]
        ),
        (documents) => {
          const found = documents.flatMap((document) => Option.toArray(Either.getRight(decode(restored(document)))))
          // One under the original's id says the same as ours, and less.
          return found.filter(
            ({ executor_id, id, pipeline_id }) =>
              id !== originalCheckpointId(pipeline_id, executor_id) ||
              !found.some((other) => other.id !== id && other.executor_id === executor_id)
          )
        }
      ),
    save: (checkpoint) =>
      Effect.asVoid(container.upsert({ ...stored(checkpoint), id: DocumentContainer.storableId(checkpoint.id) })),
    saveForOriginal: Effect.fnUntraced(function* ({
      checkpoint_timestamp,
      executor_id,
      pipeline_id,
      vault_id,
      worker_id
    }) {
      const id = originalCheckpointId(pipeline_id, executor_id)
      const document = {
        id: DocumentContainer.storableId(id),
        pipeline_id,
        executor_id,
        vault_id,
        checkpoint_timestamp,
        worker_id
      }
      const theirs = yield* read(id)
      if (theirs._tag === "Missing") return yield* Effect.asVoid(container.create(document))
      if (theirs._tag !== "Found" || theirs.document["vault_id"] !== vault_id) return
      const [before, now] = [theirs.document["checkpoint_timestamp"], checkpoint_timestamp].map(millisOf)
      if (before !== undefined && now !== undefined && now <= before) return
      yield* container.replace({ ...theirs.document, ...document }, theirs.etag)
    }),
    range: (id, number) =>
      Effect.flatMap(read(crawlRangeId(id, number)), (found) =>
        found._tag === "Found" ? Effect.asSome(decodeRange(found.document)) : Effect.succeedNone
      ),
    saveRange: (range) => Effect.asVoid(container.upsert({ ...range, id: DocumentContainer.storableId(range.id) })),
    forgetRange: Effect.fnUntraced(function* (id, number) {
      const found = yield* read(crawlRangeId(id, number))
      if (found._tag === "Found") yield* container.remove(String(found.document["id"]), found.etag)
    })
  })
}

/**
 * The API shows every document with the vault's `vault_id` as a checkpoint, and its time. As long as no crawl was ever complete there is none to
 * show: the document then keeps the id of its vault under another name.
 */
const stored = ({ vault_id, ...checkpoint }: Checkpoint): DocumentContainer.Document =>
  checkpoint.checkpoint_timestamp === nothingCrawled
    ? { ...checkpoint, checkpoint_timestamp: null, uncrawled_vault_id: vault_id }
    : { ...checkpoint, vault_id }

const restored = (document: DocumentContainer.Document): DocumentContainer.Document =>
  typeof document["uncrawled_vault_id"] === "string" && document["checkpoint_timestamp"] === null
    ? { ...document, vault_id: document["uncrawled_vault_id"], checkpoint_timestamp: nothingCrawled }
    : document

const millisOf = (timestamp: unknown): number | undefined => Option.getOrUndefined(Timestamp.parse(timestamp))
