import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Checkpoint, checkpointId, originalCheckpointId } from "../domain/Checkpoint.ts"
import { CheckpointStore } from "./CheckpointStore.ts"
import * as DocumentContainer from "./DocumentContainer.ts"

/** The {@link CheckpointStore} over a container of documents. Executor ids are free text, so ids go through `storableId`. */
export const make = (container: DocumentContainer.DocumentContainer): CheckpointStore["Type"] => {
  const decode = DocumentContainer.decoderOf(container, Checkpoint)
  const read = (id: string) => container.read(DocumentContainer.storableId(id))

  return CheckpointStore.of({
    find: Effect.fnUntraced(function* (pipelineId, executorId, vaultId) {
      const id = checkpointId(pipelineId, executorId, vaultId)
      const ours = yield* read(id)
      const found = ours._tag === "Found" ? ours : yield* read(originalCheckpointId(pipelineId, executorId))
      if (found._tag !== "Found" || (found !== ours && found.document["vault_id"] !== vaultId)) return Option.none()
      const checkpoint = yield* decode(found.document)
      return Option.some({ ...checkpoint, id, taken_over: checkpoint.taken_over || found !== ours })
    }),
    save: (checkpoint) =>
      Effect.asVoid(container.upsert({ ...checkpoint, id: DocumentContainer.storableId(checkpoint.id) }))
  })
}
