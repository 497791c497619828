import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Ownership } from "../domain/AttemptNotes.ts"
import { Execution, type ExecutionChange } from "../domain/Execution.ts"
import { ExecutionId, type PipelineId, type VaultId } from "../domain/Ids.ts"
import * as ServiceError from "../domain/ServiceError.ts"
import * as DocumentContainer from "./DocumentContainer.ts"
import * as ExecutionList from "./ExecutionList.ts"
import { Change, Creation, ExecutionStore, type Sighting } from "./ExecutionStore.ts"

/** The {@link ExecutionStore} over a container of documents. */
export const make = (container: DocumentContainer.DocumentContainer): ExecutionStore["Type"] => {
  const decode = DocumentContainer.decoderOf(container, Execution)

  const look = (id: ExecutionId): Effect.Effect<Option.Option<Sighting>, ServiceError.ServiceError> =>
    Effect.flatMap(container.read(id), (reading) => {
      if (reading._tag !== "Found") return Effect.succeedNone
      const { document, etag, servedAt } = reading
      return Either.map(decode(asArrayContent(document)), (execution) =>
        Option.some({ execution, etag, idleMillis: Math.max(0, servedAt - writtenAt(document)) })
      )
    })

  /** Between a refused create and the read, the vault may be deleted with its executions: then it is free again. */
  const create = (execution: Execution, tries: number): Effect.Effect<Creation, ServiceError.ServiceError> =>
    Effect.flatMap(container.create(execution), (write) => {
      if (write._tag === "Written") return Effect.succeed(Creation.Created({ etag: write.etag }))
      if (tries === 0) return Effect.fail(unsettled(container.name, execution.id))
      return Effect.flatMap(
        look(execution.id),
        Option.match({
          onNone: () => create(execution, tries - 1),
          onSome: ({ etag, execution }) => Effect.succeed(Creation.Exists({ execution, etag }))
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

  const patch = (id: ExecutionId, change: ExecutionChange, condition: DocumentContainer.PatchCondition) =>
    Effect.map(container.patch(id, { ...change }, condition), changeOf)

  /** Those that still run under it, and those that have been taken over since. */
  const diedWithOthers = (process: string, id: ExecutionId) => {
    const others = (values: Readonly<Record<string, string>>) =>
      Effect.map(container.where(values), (found) => found.some((each) => each["id"] !== id))
    return Effect.flatMap(others({ attempt_process: process, status: "running" }), (some) =>
      some ? Effect.succeed(true) : others({ suspected_with: process })
    )
  }

  return ExecutionStore.of({
    create: (execution) => create(execution, 2),
    begin: (id, change, etag) => patch(id, change, etag === undefined ? fresh : { ...notTerminal, etag }),
    change: (id, change, owner) =>
      patch(id, change, owner === undefined ? notTerminal : { ...notTerminal, ...ownedBy(owner) }),
    finish: (id, change, owner) => patch(id, change, { ...notCompleted, ...ownedBy(owner) }),
    markEnqueued: (id, at) => Effect.asVoid(container.patch(id, { enqueued_at: at }, untouched)),
    withdrawUnqueued,
    idleSince: (vault, pipeline, since, most) =>
      Effect.map(
        container.idsOf({ ...accepted, equal: { vault_id: vault, pipeline_id: pipeline }, writtenBefore: since }, most),
        (ids) => ids.map((id) => ExecutionId.make(id))
      ),
    renewFailed: ({ etag, execution }, change) => patch(execution.id, change, { ...isFailed, etag }),
    changeSeen: ({ etag, execution }, change) => patch(execution.id, change, { ...notTerminal, etag }),
    reopen: ({ etag, execution }, change) => patch(execution.id, change, { ...isTerminal, etag }),
    amend: ({ etag, execution }, change) => patch(execution.id, change, { etag }),
    remove: ({ etag, execution }) => Effect.map(container.remove(execution.id, etag), changeOf),
    page: (filter, most, after) =>
      Effect.map(container.newest(ExecutionList.searchOf(filter, after), most), ({ documents, next }) => ({
        executions: documents.map(ExecutionList.summaryOf),
        next
      })),
    document: (id) =>
      Effect.map(container.read(id), (reading) =>
        reading._tag === "Found" ? Option.some(reading.document) : Option.none()
      ),
    find: (id) =>
      Effect.map(
        look(id),
        Option.map((found) => found.execution)
      ),
    look,
    diedWithOthers
  })
}

const { Changed } = Change
const refused = Change.Refused()
const missing = Change.Missing()

const changeOf = (write: DocumentContainer.Write): Change =>
  write._tag === "Written" ? Changed({ etag: write.etag }) : write._tag === "Refused" ? refused : missing

/** Also with an ETag or an owner: what is terminal must not be revived by a write that comes late. */
const notTerminal: DocumentContainer.PatchCondition = {
  oneOf: { property: "status", values: ["pending", "running"] }
}

const isTerminal: DocumentContainer.PatchCondition = {
  oneOf: { property: "status", values: ["completed", "failed"] }
}

const isFailed: DocumentContainer.PatchCondition = { oneOf: { property: "status", values: ["failed"] } }

/** A recorded result stays, whichever attempt recorded it; that others gave the attempt up takes nothing from its own. */
const notCompleted: DocumentContainer.PatchCondition = {
  oneOf: { property: "status", values: ["pending", "running", "failed"] }
}

/** The first attempt may begin without knowing what was before. */
const fresh: DocumentContainer.PatchCondition = {
  oneOf: { property: "status", values: ["pending"] },
  absent: ["attempt", "attempt_history", "cancellation", "pipeline_version"]
}

/** Who writes back what it read may drop a property that it does not know; an attempt that has ended is null. */
const ownedBy = ({ attempt_id, processing_worker_id, started_at }: Ownership): DocumentContainer.PatchCondition => ({
  equal: { started_at, processing_worker_id },
  equalIfThere: { "attempt.id": attempt_id }
})

/** The service's `_ts`, in milliseconds. */
const writtenAt = (document: DocumentContainer.Document): number =>
  typeof document["_ts"] === "number" ? document["_ts"] * 1_000 : 0

/** A worker that starts it sets both. */
const untouched: DocumentContainer.PatchCondition = {
  oneOf: { property: "status", values: ["pending"] },
  isNull: "started_at"
}

/** The Python worker writes no `enqueued_at`: its executions are not meant. */
const neverQueued = { status: "pending", enqueued_at: null, started_at: null } as const

/** The Python worker writes neither: its executions are left to it. */
const accepted = {
  oneOf: { property: "status", values: ["pending", "running"] },
  someText: ["enqueued_at", "attempt_process"]
} as const

/** The Python worker stores a result of one item as the object itself. */
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
