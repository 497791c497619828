import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as JsonSize from "../domain/JsonSize.ts"
import * as ServiceError from "../domain/ServiceError.ts"
import * as DocumentContainer from "./DocumentContainer.ts"
import type { Document, Identified, Reading, Write } from "./DocumentContainer.ts"

export type Operation = "read" | "create" | "replace" | "upsert" | "patch" | "remove" | "where" | "idsOf" | "newest"

/** A container in memory, for tests, demos and embedders: the service's rules without its network. Point operations cost O(1). */
export interface MemoryContainer extends DocumentContainer.DocumentContainer {
  /** A picture of what is stored, by id, `_etag` and `_ts` included; made anew, in O(n), at every access. */
  readonly documents: ReadonlyMap<string, Document>
  /** Lets the next operations (of this kind, or of any) fail instead of doing their work. */
  readonly failNext: (
    error: ServiceError.ServiceError,
    options?: { readonly times?: number; readonly operation?: Operation }
  ) => void
}

/** What the service adds to a document is added when it is read: writes are many, reads are few. */
interface Stored {
  document: Document
  etag: string
  /** Epoch milliseconds. */
  writtenAt: number
  /** The bytes of its JSON are no more than this. */
  atMostBytes: number
  /** Our own copy, never handed out: patches change it in place. Undefined before the first. */
  copy: Record<string, unknown> | undefined
}

/** `serviceClock`: the clock of the service, whatever those show who call it; theirs when it is left out. */
export const make = (name: string, serviceClock?: Clock.Clock): MemoryContainer => {
  const stored = new Map<string, Stored>()
  const failures: Array<{ readonly error: ServiceError.ServiceError; readonly operation?: Operation }> = []
  let version = 0

  const perform = <A>(
    operation: Operation,
    run: (clock: Clock.Clock) => Effect.Effect<A, ServiceError.ServiceError>
  ): Effect.Effect<A, ServiceError.ServiceError> =>
    Effect.clockWith((clock) => {
      const index = failures.length === 0 ? -1 : failures.findIndex((one) => (one.operation ?? operation) === operation)
      const [failure] = index < 0 ? [] : failures.splice(index, 1)
      return failure === undefined ? run(serviceClock ?? clock) : Effect.fail(failure.error)
    })

  const nextEtag = () => `"${++version}"`

  const write = (
    operation: Operation,
    document: Identified,
    clock: Clock.Clock
  ): Effect.Effect<string, ServiceError.ServiceError> => {
    const what = `${operation} ${name}/${document.id}`
    if (!DocumentContainer.isStorableId(document.id)) return Effect.fail(DocumentContainer.unstorable(what))
    const atMostBytes = sized(what, boundOf(document), () => document)
    if (typeof atMostBytes !== "number") return Effect.fail(atMostBytes)
    const etag = nextEtag()
    const writtenAt = clock.unsafeCurrentTimeMillis()
    stored.set(document.id, { document, etag, writtenAt, atMostBytes, copy: undefined })
    return Effect.succeed(etag)
  }

  return {
    name,
    get documents() {
      return new Map([...stored].map(([id, one]) => [id, seen(one)]))
    },
    failNext: (error, { times = 1, operation } = {}) => {
      for (let i = 0; i < times; i++) failures.push(operation === undefined ? { error } : { error, operation })
    },
    read: (id, knownEtag) =>
      perform("read", (clock) => {
        const current = stored.get(id)
        if (current === undefined)
          return Effect.succeed(DocumentContainer.Reading.Missing({ servedAt: clock.unsafeCurrentTimeMillis() }))
        return current.etag === knownEtag
          ? unchanged
          : Effect.succeed(found(seen(current), current.etag, clock.unsafeCurrentTimeMillis()))
      }),
    create: (document) =>
      perform("create", (clock) =>
        stored.has(document.id) ? refused : Effect.map(write("create", document, clock), written)
      ),
    replace: (document, etag) =>
      perform("replace", (clock) => {
        const current = stored.get(document.id)
        if (current === undefined) return missing
        return current.etag === etag ? Effect.map(write("replace", document, clock), written) : refused
      }),
    upsert: (document) => perform("upsert", (clock) => write("upsert", document, clock)),
    patch: (id, set, condition) =>
      perform("patch", (clock) => {
        const properties = Object.keys(set).length
        if (properties === 0 || properties > DocumentContainer.maxPatchOperations) {
          return Effect.fail(DocumentContainer.wrongPatch(`patch ${name}/${id}`, properties))
        }
        const current = stored.get(id)
        if (current === undefined) return missing
        if (condition.etag !== undefined && condition.etag !== current.etag) return refused
        if (!DocumentContainer.holds(current.document, condition)) return refused
        const bound = current.atMostBytes + boundOf(set)
        const atMostBytes = sized(`patch ${name}/${id}`, bound, () => ({ ...current.document, ...set }))
        if (typeof atMostBytes !== "number") return Effect.fail(atMostBytes)
        current.copy ??= { ...current.document }
        current.document = Object.assign(current.copy, set)
        current.atMostBytes = atMostBytes
        current.writtenAt = clock.unsafeCurrentTimeMillis()
        current.etag = nextEtag()
        return Effect.succeed(written(current.etag))
      }),
    remove: (id, etag) =>
      perform("remove", () => {
        const current = stored.get(id)
        if (current === undefined) return missing
        if (current.etag !== etag) return refused
        stored.delete(id)
        return Effect.succeed(written(etag))
      }),
    where: (values) =>
      perform("where", () => {
        const wanted = Object.entries(values)
        return Effect.succeed(
          [...stored.values()]
            .filter(({ document }) => wanted.every(([property, value]) => document[property] === value))
            .map(seen)
        )
      }),
    idsOf: (search, most) =>
      perform("idsOf", () => {
        const found = [...stored.values()].map(seen).filter((document) => DocumentContainer.matches(document, search))
        return Effect.succeed(found.slice(0, most).map(({ id }) => String(id)))
      }),
    newest: (search, most) =>
      perform("newest", () => {
        const { after, by } = search
        const positionOf = (document: Document) => ({ at: String(document[by]), id: String(document["id"]) })
        const found = [...stored.values()]
          .map(({ document }) => document)
          .filter((document) => DocumentContainer.isWanted(document, search))
          .map((document) => ({ document, position: positionOf(document) }))
          .filter(({ position: { at, id } }) => after === undefined || DocumentContainer.isAfter(at, id, after))
          .toSorted((a, b) => (DocumentContainer.isAfter(a.position.at, a.position.id, b.position) ? 1 : -1))
        const last = found.length > most ? found[most - 1] : undefined
        return Effect.succeed({
          documents: found.slice(0, most).map(({ document }) => DocumentContainer.selected(document, search)),
          next: last === undefined ? null : last.position
        })
      })
  }
}

const seen = ({ document, etag, writtenAt }: Stored): Document => ({
  ...document,
  _etag: etag,
  _ts: Math.floor(writtenAt / 1_000)
})

/** A bound of the document's bytes that is within the limit. Only what may be too large is measured, since that costs most. */
const sized = (what: string, bound: number, document: () => Document): number | ServiceError.Invalid => {
  const bytes = bound > DocumentContainer.maxDocumentBytes ? bytesOf(document()) : bound
  if (bytes === undefined) return DocumentContainer.notJson(what)
  return bytes > DocumentContainer.maxDocumentBytes ? DocumentContainer.tooLarge(what) : bytes
}

const boundOf = (document: Document): number => JsonSize.bound(document, DocumentContainer.maxDocumentBytes)

const { Written } = DocumentContainer.Write
const written = (etag: string): Write => Written({ etag })
const refused = Effect.succeed<Write>(DocumentContainer.Write.Refused())
const missing = Effect.succeed<Write>(DocumentContainer.Write.Missing())
const found = (document: Document, etag: string, servedAt: number): Reading =>
  DocumentContainer.Reading.Found({ document, etag, servedAt })
const unchanged = Effect.succeed<Reading>(DocumentContainer.Reading.Unchanged())

/** Bytes of the value's JSON; undefined when it has none (a cycle, a bigint). */
const bytesOf = (value: unknown): number | undefined => {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? "")
  } catch {
    return undefined
  }
}
