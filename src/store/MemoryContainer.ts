import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ServiceError from "../domain/ServiceError.ts"
import * as DocumentContainer from "./DocumentContainer.ts"
import type { Document, Identified, Reading, Write } from "./DocumentContainer.ts"

export type Operation = "read" | "create" | "replace" | "upsert" | "patch" | "remove" | "where"

/** A container in memory, for tests, demos and embedders: the service's rules without its network. Point operations cost O(1). */
export interface MemoryContainer extends DocumentContainer.DocumentContainer {
  /** What is stored, by id, `_etag` and `_ts` included. */
  readonly documents: ReadonlyMap<string, Document>
  /** Lets the next operations (of this kind, or of any) fail instead of doing their work. */
  readonly failNext: (
    error: ServiceError.ServiceError,
    options?: { readonly times?: number; readonly operation?: Operation }
  ) => void
}

interface Stored {
  readonly etag: string
  readonly bytes: number
}

export const make = (name: string): MemoryContainer => {
  const documents = new Map<string, Document>()
  // Apart from the documents, so that a patch need not measure what it leaves alone.
  const stored = new Map<string, Stored>()
  const failures: Array<{ readonly error: ServiceError.ServiceError; readonly operation?: Operation }> = []
  let version = 0

  const perform = <A>(
    operation: Operation,
    run: (now: () => number) => Effect.Effect<A, ServiceError.ServiceError>
  ): Effect.Effect<A, ServiceError.ServiceError> =>
    Effect.suspend(() => {
      const index = failures.length === 0 ? -1 : failures.findIndex((one) => (one.operation ?? operation) === operation)
      const [failure] = index < 0 ? [] : failures.splice(index, 1)
      return failure === undefined
        ? Clock.clockWith((clock) => run(() => clock.unsafeCurrentTimeMillis()))
        : Effect.fail(failure.error)
    })

  const put = (id: string, document: Document, bytes: number, now: () => number): string => {
    const etag = `"${(++version).toString(16).padStart(8, "0")}"`
    documents.set(id, { ...document, _etag: etag, _ts: Math.floor(now() / 1000) })
    stored.set(id, { etag, bytes })
    return etag
  }

  const write = (
    operation: Operation,
    document: Identified,
    now: () => number
  ): Effect.Effect<string, ServiceError.ServiceError> => {
    const what = `${operation} ${name}/${document.id}`
    if (!DocumentContainer.isStorableId(document.id)) return Effect.fail(DocumentContainer.unstorable(what))
    const bytes = bytesOf(document)
    if (bytes === undefined) return notJson(what)
    if (bytes > DocumentContainer.maxDocumentBytes) return tooLarge(what)
    return Effect.succeed(put(document.id, document, bytes, now))
  }

  return {
    name,
    documents,
    failNext: (error, { times = 1, operation } = {}) => {
      for (let i = 0; i < times; i++) failures.push(operation === undefined ? { error } : { error, operation })
    },
    read: (id, knownEtag) =>
      perform("read", () => {
        const document = documents.get(id)
        const current = stored.get(id)
        if (document === undefined || current === undefined) return missingReading
        return current.etag === knownEtag ? unchanged : Effect.succeed(found(document, current.etag))
      }),
    create: (document) =>
      perform("create", (now) =>
        documents.has(document.id) ? refused : Effect.map(write("create", document, now), written)
      ),
    replace: (document, etag) =>
      perform("replace", (now) => {
        const current = stored.get(document.id)
        if (current === undefined) return missing
        return current.etag === etag ? Effect.map(write("replace", document, now), written) : refused
      }),
    upsert: (document) => perform("upsert", (now) => write("upsert", document, now)),
    patch: (id, set, condition) =>
      perform("patch", (now) => {
        const what = `patch ${name}/${id}`
        const document = documents.get(id)
        const current = stored.get(id)
        const keys = Object.keys(set)
        if (keys.length === 0 || keys.length > DocumentContainer.maxPatchOperations) {
          return Effect.fail(DocumentContainer.wrongPatch(what, keys.length))
        }
        if (document === undefined || current === undefined) return missing
        if (condition.etag !== undefined && condition.etag !== current.etag) return refused
        if (!holds(document, condition)) return refused
        const before = bytesOf(Object.fromEntries(keys.map((key) => [key, document[key]])))
        const after = bytesOf(set)
        if (before === undefined || after === undefined) return notJson(what)
        const bytes = current.bytes - before + after
        if (bytes > DocumentContainer.maxDocumentBytes) return tooLarge(what)
        return Effect.succeed(written(put(id, { ...document, ...set }, bytes, now)))
      }),
    remove: (id, etag) =>
      perform("remove", () => {
        const current = stored.get(id)
        if (current === undefined) return missing
        if (current.etag !== etag) return refused
        documents.delete(id)
        stored.delete(id)
        return Effect.succeed(written(etag))
      }),
    where: (property, value) =>
      perform("where", () => Effect.succeed([...documents.values()].filter((document) => document[property] === value)))
  }
}

const written = (etag: string): Write => DocumentContainer.Write.Written({ etag })
const refused = Effect.succeed<Write>(DocumentContainer.Write.Refused())
const missing = Effect.succeed<Write>(DocumentContainer.Write.Missing())
const found = (document: Document, etag: string): Reading => DocumentContainer.Reading.Found({ document, etag })
const missingReading = Effect.succeed<Reading>(DocumentContainer.Reading.Missing())
const unchanged = Effect.succeed<Reading>(DocumentContainer.Reading.Unchanged())

const holds = (document: Document, { oneOf, isNull }: DocumentContainer.PatchCondition): boolean =>
  (oneOf === undefined || oneOf.values.some((value) => value === document[oneOf.property])) &&
  (isNull === undefined || document[isNull] === null)

const notJson = (what: string) =>
  Effect.fail(DocumentContainer.invalid(what, `The document can't be written as JSON (${what}).`))

const tooLarge = (operation: string) =>
  Effect.fail(
    new ServiceError.Invalid({
      service: DocumentContainer.service,
      operation,
      message: `The document is larger than 2 MB, which is the most that Cosmos DB stores (${operation}).`,
      reason: "TooLarge"
    })
  )

/** Bytes of the value's JSON; undefined when it has none (a cycle, a bigint). */
const bytesOf = (value: Document): number | undefined => {
  try {
    return Buffer.byteLength(JSON.stringify(value))
  } catch {
    return undefined
  }
}
