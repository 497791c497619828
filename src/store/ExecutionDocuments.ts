import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Execution } from "../domain/Execution.ts"
import { ExecutionId, type PipelineId, type VaultId } from "../domain/Ids.ts"
import * as ServiceError from "../domain/ServiceError.ts"
import * as DocumentContainer from "./DocumentContainer.ts"
import { Change, Creation, ExecutionStore } from "./ExecutionStore.ts"

/** The {@link ExecutionStore} over a container of documents. */
export const make = (container: DocumentContainer.DocumentContainer): ExecutionStore["Type"] => {
  const decode = DocumentContainer.decoderOf(container, Execution)

  const read = (id: ExecutionId) =>
    Effect.flatMap(container.read(id), (reading) =>
      reading._tag === "Found"
        ? Either.map(decode(asArrayContent(reading.document)), (execution) =>
            Option.some({ execution, etag: reading.etag })
          )
        : Either.right(Option.none())
    )

  /** Between a refused create and the read, the vault may be deleted with its executions: then it is free again. */
  const create = (execution: Execution, tries: number): Effect.Effect<Creation, ServiceError.ServiceError> =>
    Effect.flatMap(container.create(execution), (write) => {
      if (write._tag === "Written") return Effect.succeed(Creation.Created({ etag: write.etag }))
      if (tries === 0) return Effect.fail(unsettled(container.name, execution.id))
      return Effect.flatMap(
        read(execution.id),
        Option.match({
          onNone: () => create(execution, tries - 1),
          onSome: (found) => Effect.succeed(Creation.Exists(found))
        })
      )
    })

  const withdrawUnqueued = Effect.fnUntraced(function* (vault: VaultId, pipeline: PipelineId) {
    const found = yield* container.where({ vault_id: vault, pipeline_id: pipeline, ...neverQueued })
    const withdrawn: Array<ExecutionId> = []
    for (const { _etag, id, source_worker_id } of found) {
      // One that no crawl created belongs to a message that came without it.
      if (typeof id !== "string" || typeof _etag !== "string" || typeof source_worker_id !== "string") continue
      const removal = yield* container.remove(id, _etag)
      if (removal._tag === "Written") withdrawn.push(ExecutionId.make(id))
    }
    return withdrawn
  })

  return ExecutionStore.of({
    create: (execution) => create(execution, 2),
    change: (id, change, etag) =>
      Effect.map(
        container.patch(id, { ...change }, etag === undefined ? notTerminal : { ...notTerminal, etag }),
        changeOf
      ),
    markEnqueued: (id, at) => Effect.asVoid(container.patch(id, { enqueued_at: at }, untouched)),
    withdrawUnqueued,
    find: (id) =>
      Effect.map(
        read(id),
        Option.map((found) => found.execution)
      )
  })
}

const { Changed } = Change
const refused = Change.Refused()
const missing = Change.Missing()

const changeOf = (write: DocumentContainer.Write): Change =>
  write._tag === "Written" ? Changed({ etag: write.etag }) : write._tag === "Refused" ? refused : missing

/** Also with an ETag: a caller that read a terminal execution must not revive it. */
const notTerminal: DocumentContainer.PatchCondition = {
  oneOf: { property: "status", values: ["pending", "running"] }
}

/** A worker that starts it sets both, and relies on the ETag that it gets. */
const untouched: DocumentContainer.PatchCondition = {
  oneOf: { property: "status", values: ["pending"] },
  isNull: "started_at"
}

/** The Python worker writes no `enqueued_at`: its executions are not meant. */
const neverQueued = { status: "pending", enqueued_at: null, started_at: null } as const

/** The Python worker stores a result of one item as the object itself (documents.md D9). */
const asArrayContent = (document: DocumentContainer.Document): DocumentContainer.Document => {
  const content = document["content"]
  return typeof content === "object" && content !== null && !Array.isArray(content)
    ? { ...document, content: [content] }
    : document
}

const unsettled = (container: string, id: ExecutionId) =>
  new ServiceError.Conflict({
    service: ServiceError.cosmosDb,
    operation: `create ${container}/${id}`,
    message: `The execution ${id} is created and deleted by others again and again.`
  })
