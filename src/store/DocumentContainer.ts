import { createHash } from "node:crypto"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as CutText from "../text/CutText.ts"
import * as JsonReader from "../domain/JsonReader.ts"
import * as ServiceError from "../domain/ServiceError.ts"

/** A JSON document with every property that any program wrote, and the service's own `_etag` and `_ts` (epoch seconds of the last write). */
export type Document = Readonly<Record<string, unknown>>

/** What a point read found. */
export type Reading = Data.TaggedEnum<{
  /** `servedAt` is when the service answered, in its clock: epoch milliseconds. That is the clock of `_ts`, too. */
  Found: { readonly document: Document; readonly etag: string; readonly servedAt: number }
  /** It still has the ETag that the reader knows. */
  Unchanged: {}
  /** `servedAt` as above. */
  Missing: { readonly servedAt: number }
}>
export const Reading = Data.taggedEnum<Reading>()

/** What became of a write that has a condition. */
export type Write = Data.TaggedEnum<{
  /** Written; `etag` is the document's version now. */
  Written: { readonly etag: string }
  /** The condition does not hold: it exists already, or it has another ETag or another state than it must have. */
  Refused: {}
  Missing: {}
}>
export const Write = Data.taggedEnum<Write>()

/** When a patch may be applied; all parts must hold. Without any part it always may. */
export interface PatchCondition {
  readonly etag?: string
  /** The property must hold one of these texts. Names and texts of our own: they become part of a query. */
  readonly oneOf?: { readonly property: string; readonly values: ReadonlyArray<string> }
  /** Each of these properties must hold its text; `a.b` is the property `b` of `a`. */
  readonly equal?: Readonly<Record<string, string>>
  /** Like `equal`, but a property that is not there at all will do; null will not. */
  readonly equalIfThere?: Readonly<Record<string, string>>
  /** The property must be there and null. */
  readonly isNull?: string
  /** Each of these properties must be null or not there. */
  readonly absent?: ReadonlyArray<string>
}

/** Which documents are looked for; all parts must hold. Names of our own: they become part of a query. */
export interface Search {
  /** Each of these properties must hold its text. */
  readonly equal: Readonly<Record<string, string>>
  /** The property must hold one of these texts. */
  readonly oneOf: { readonly property: string; readonly values: ReadonlyArray<string> }
  /** At least one of these properties must hold a text. */
  readonly someText: ReadonlyArray<string>
  /** The last write must be older than this: epoch milliseconds, in the service's clock, to the second. */
  readonly writtenBefore: number
}

/** A place in the order of {@link Newest}: the documents after it are older, or as old with a greater id. */
export interface Position {
  readonly at: string
  readonly id: string
}

/**
 * Which documents are wanted, the newest first; all parts must hold. Names and paths of our own: they become part of a query. In a path `a.b` is the
 * property `b` of `a`, `a[0]` the first element of the list `a`; where a text is looked for, `a[]` is each of its elements.
 */
export interface Newest {
  /** The property that holds the time, as a text that sorts. Documents without it are not found. */
  readonly by: string
  readonly equal?: Readonly<Record<string, string>>
  readonly oneOf?: { readonly property: string; readonly values: ReadonlyArray<string> }
  /** Each of these properties must not hold its text; one that is not there will do. */
  readonly notEqual?: Readonly<Record<string, string>>
  /** The time is this or later. */
  readonly from?: string
  /** The time is before this. */
  readonly to?: string
  /** Goes on after this one. */
  readonly after?: Position
  /** Each text must occur at one of its paths, in whatever case. */
  readonly containing?: ReadonlyArray<{ readonly paths: ReadonlyArray<string>; readonly text: string }>
  /** What is given of each document, by name, beside `id` and the time. */
  readonly select: Readonly<Record<string, string>>
}

/** Some of the documents in that order, and where to go on; null after the last. */
export interface Page {
  readonly documents: ReadonlyArray<Document>
  readonly next: Position | null
}

/** The property of the document in which the path of a condition begins. */
export const rootOf = (path: string): string => path.split(".", 1)[0] ?? path

/**
 * One container of documents whose partition key is their id: what the stores need of Cosmos DB, and no more. A condition that
 * does not hold is data; a failure is the service's. An id that the service can't hold is missing when read, Invalid when written.
 */
export interface DocumentContainer {
  /** The container's name, for messages. */
  readonly name: string
  readonly read: (id: string, knownEtag?: string) => Effect.Effect<Reading, ServiceError.ServiceError>
  /** Refused when a document with this id exists. */
  readonly create: (document: Identified) => Effect.Effect<Write, ServiceError.ServiceError>
  /** Replaces the whole document if it still has this ETag. */
  readonly replace: (document: Identified, etag: string) => Effect.Effect<Write, ServiceError.ServiceError>
  /** Creates or replaces the document unconditionally; gives its ETag. */
  readonly upsert: (document: Identified) => Effect.Effect<string, ServiceError.ServiceError>
  /** Sets at most {@link maxPatchOperations} top-level properties in one atomic step and leaves the others alone. */
  readonly patch: (
    id: string,
    set: Document,
    condition: PatchCondition
  ) => Effect.Effect<Write, ServiceError.ServiceError>
  /** Deletes the document if it still has this ETag; Written carries the ETag of the version that is gone. */
  readonly remove: (id: string, etag: string) => Effect.Effect<Write, ServiceError.ServiceError>
  /** Every document with all these values, each once, over all partitions. Null is a property that is there and null. */
  readonly where: (
    values: Readonly<Record<string, string | boolean | null>>
  ) => Effect.Effect<ReadonlyArray<Document>, ServiceError.ServiceError>
  /** The ids of such documents, each once, over all partitions; at most so many. */
  readonly idsOf: (search: Search, most: number) => Effect.Effect<ReadonlyArray<string>, ServiceError.ServiceError>
  /** At most so many documents, the newest first, over all partitions; fewer than there are where looking through them takes long. */
  readonly newest: (search: Newest, most: number) => Effect.Effect<Page, ServiceError.ServiceError>
}

export type Identified = Document & { readonly id: string }

/** The service's limit of one patch. */
export const maxPatchOperations = 10

/** The service's limit of one document, in bytes of its JSON. */
export const maxDocumentBytes = 2 * 1024 * 1024

/**
 * Whether the service accepts the id, and addresses can carry it: 1 to 1,023 bytes of well-formed text, no slash, backslash, question mark
 * or number sign, no blank at the end, neither `.` nor `..`.
 */
export const isStorableId = (id: string): boolean =>
  // oxlint-disable-next-line no-control-regex -- control characters do not survive the way through URLs and headers
  !/^\.{0,2}$|[/\\?#\u0000-\u001f\u007f]|\p{Surrogate}/u.test(id) &&
  Buffer.byteLength(id) <= 1023 &&
  id.trimEnd() === id

/** The id itself when the service accepts it, else a readable start of it and a digest of all of it. */
export const storableId = (id: string): string =>
  isStorableId(id)
    ? id
    : `${id.replace(/[^A-Za-z0-9_.-]/g, "-").slice(0, 200)}_${createHash("sha256").update(id).digest("hex").slice(0, 32)}`

/** The error for a document that can't be stored or can't be read as what it should be. */
export const invalid = (operation: string, message: string): ServiceError.Invalid =>
  new ServiceError.Invalid({ service: ServiceError.cosmosDb, operation, message, reason: "BadRequest" })

export const unstorable = (operation: string): ServiceError.Invalid =>
  invalid(operation, `Cosmos DB can't store a document under this id (${operation}).`)

export const wrongPatch = (operation: string, properties: number): ServiceError.Invalid =>
  invalid(operation, `One patch sets 1 to ${maxPatchOperations} properties, not ${properties} (${operation}).`)

/** Whether the document, apart from its ETag, meets the condition of a patch. */
export const holds = (
  document: Document,
  { absent = [], equal = {}, equalIfThere = {}, isNull, oneOf }: PatchCondition
): boolean =>
  (oneOf === undefined || oneOf.values.some((value) => value === document[oneOf.property])) &&
  Object.entries(equal).every(([path, text]) => valueAt(document, path) === text) &&
  Object.entries(equalIfThere).every(
    ([path, text]) => document[rootOf(path)] === undefined || valueAt(document, path) === text
  ) &&
  (isNull === undefined || document[isNull] === null) &&
  absent.every((property) => document[property] === undefined || document[property] === null)

const valueAt = (document: Document, path: string): unknown =>
  path.split(".").reduce<unknown>((value, name) => (JsonReader.isFields(value) ? value[name] : undefined), document)

export const notJson = (what: string) => invalid(what, `The document can't be written as JSON (${what}).`)

export const tooLarge = (operation: string) =>
  new ServiceError.Invalid({
    service: ServiceError.cosmosDb,
    operation,
    message: `The document is larger than 2 MB, which is the most that Cosmos DB stores (${operation}).`,
    reason: "TooLarge"
  })

/** A reader of this container's documents: Invalid, naming the document and its first fault, when one has the wrong shape. */
export const decoderOf = <A, I>(
  container: DocumentContainer,
  schema: Schema.Schema<A, I>
): ((document: Document) => Either.Either<A, ServiceError.Invalid>) => {
  const decode = Schema.decodeUnknownEither(schema)
  return (document) =>
    Either.mapLeft(decode(document), (error) => {
      const place = `${container.name}/${String(document["id"])}`
      const faults = ParseResult.ArrayFormatter.formatErrorSync(error)
      const fault = faults[0]
      const where = fault === undefined || fault.path.length === 0 ? "" : ` at ${fault.path.map(String).join(".")}`
      return invalid(
        `read ${place}`,
        `The document ${place} is not valid${where}: ${CutText.cut(fault?.message ?? "wrong shape", 300)}`
      )
    })
}

/** Whether a container that filters by itself finds this document. */
export const matches = (document: Document, { equal, oneOf, someText, writtenBefore }: Search): boolean =>
  Number(document["_ts"]) < Math.floor(writtenBefore / 1_000) &&
  holds(document, { equal, oneOf }) &&
  someText.some((property) => typeof document[property] === "string")

/** Whether a container that filters by itself finds this document, wherever the last page ended. */
export const isWanted = (
  document: Document,
  { by, containing = [], equal = {}, from, notEqual = {}, oneOf, to }: Newest
): boolean => {
  const at = document[by]
  return (
    typeof at === "string" &&
    at !== "" &&
    (from === undefined || at >= from) &&
    (to === undefined || at < to) &&
    holds(document, { equal, ...(oneOf === undefined ? {} : { oneOf }) }) &&
    Object.entries(notEqual).every(([path, text]) => valueAt(document, path) !== text) &&
    containing.every(({ paths, text }) => {
      const wanted = text.toLowerCase()
      return paths.some((path) =>
        valuesAt(document, path).some((value) => typeof value === "string" && value.toLowerCase().includes(wanted))
      )
    })
  )
}

/** Whether a document with this time and id comes after the position. */
export const isAfter = (at: string, id: string, position: Position): boolean =>
  at < position.at || (at === position.at && id > position.id)

/** What a search gives of a document. */
export const selected = (document: Document, { by, select }: Newest): Document => {
  const chosen: Record<string, unknown> = { id: document["id"], [by]: document[by] }
  for (const [name, path] of Object.entries(select)) {
    const [value] = valuesAt(document, path)
    if (value !== undefined) chosen[name] = value
  }
  return chosen
}

/** The steps of a path: names of properties, numbers of elements, or `[]` for each element. */
export const stepsOf = (path: string): ReadonlyArray<string | number> =>
  path
    .replaceAll("[", ".[")
    .split(".")
    .map((step) => (/^\[\d+\]$/.test(step) ? Number(step.slice(1, -1)) : step))

const valuesAt = (document: Document, path: string): ReadonlyArray<unknown> =>
  stepsOf(path).reduce<ReadonlyArray<unknown>>(
    (values, step) =>
      values.flatMap((value): ReadonlyArray<unknown> => {
        if (step === "[]") return Array.isArray(value) ? value : []
        const inner = Array.isArray(value)
          ? typeof step === "number"
            ? value[step]
            : undefined
          : JsonReader.isFields(value)
            ? value[String(step)]
            : undefined
        return inner === undefined ? [] : [inner]
      }),
    [document]
  )
