import type * as Cosmos from "@azure/cosmos"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as ServiceError from "../domain/ServiceError.ts"
import * as DocumentContainer from "./DocumentContainer.ts"
import type { Document, Identified, PatchCondition } from "./DocumentContainer.ts"
import * as ClientSpan from "../azure/ClientSpan.ts"
import * as CosmosErrors from "../azure/CosmosErrors.ts"
import * as SdkCall from "../azure/SdkCall.ts"

const { Reading, Write } = DocumentContainer

/** A container of the database whose partition key is `/id`. */
export const make = (database: Cosmos.Database, name: string): DocumentContainer.DocumentContainer => {
  const container = database.container(name)
  const item = (id: string) => container.item(id, id)
  const operation = (verb: string, id: string) => `${verb} ${name}/${id}`

  /** A call whose refusal by the service is an answer: `answers` says what a status means. */
  const call = <A>(
    verb: string,
    id: string,
    run: (abortSignal: AbortSignal) => Promise<A>,
    answers: (cause: unknown) => Option.Option<A> = Option.none
  ): Effect.Effect<A, ServiceError.ServiceError> =>
    ClientSpan.around(
      `CosmosDB.${verb}`,
      { "db.system": "cosmosdb", "db.collection.name": name, "contentflow.document": id },
      Effect.retry(attempt(operation(verb, id), run, answers), whenThrottled)
    )

  const conditional = (verb: string, id: string, run: (abortSignal: AbortSignal) => Promise<DocumentContainer.Write>) =>
    call(verb, id, run, (cause) =>
      CosmosErrors.isMissingDocument(cause)
        ? Option.some(Write.Missing())
        : CosmosErrors.statusOf(cause) === 412
          ? Option.some(Write.Refused())
          : Option.none()
    )

  const writable = (verb: string, id: string): Effect.Effect<void, ServiceError.Invalid> =>
    DocumentContainer.isStorableId(id) ? Effect.void : Effect.fail(DocumentContainer.unstorable(operation(verb, id)))

  /** The documents that a query gives, page by page, until there are so many. `by` names in messages what is looked at. */
  const query = (
    by: string,
    text: string,
    values: ReadonlyArray<string | boolean | null>,
    most: number
  ): Effect.Effect<ReadonlyArray<Document>, ServiceError.ServiceError> =>
    Effect.gen(function* () {
      const stop = yield* Effect.acquireRelease(
        Effect.sync(() => new AbortController()),
        (controller) => Effect.sync(() => controller.abort())
      )
      const pages = container.items.query<Document>(
        { query: text, parameters: values.map((value, index) => ({ name: `@value${index}`, value })) },
        { maxItemCount: pageSize, abortSignal: stop.signal }
      )
      // By id, since a partition that splits during the query may hand out a document twice.
      const documents = new Map<unknown, Document>()
      while (pages.hasMoreResults() && documents.size < most) {
        const page = yield* attempt(`query ${name} by ${by}`, () => pages.fetchNext(), Option.none)
        for (const document of page.resources ?? []) documents.set(document["id"], document)
      }
      return [...documents.values()]
    }).pipe(
      Effect.scoped,
      Effect.retry(whenThrottled),
      Effect.withSpan("CosmosDB.query", {
        kind: "client",
        captureStackTrace: false,
        attributes: { "db.system": "cosmosdb", "db.collection.name": name }
      })
    )

  const newest = Effect.fnUntraced(function* (search: DocumentContainer.Newest, most: number) {
    const { by } = search
    const { conditions, values } = wantedBy(search)
    const time = at(by)
    /** Parameters of one query beyond those of the search. */
    const parameter = (index: number) => `@value${values.length + index}`
    const find = (more: string, given: ReadonlyArray<string>, order: string, count: number) =>
      count <= 0
        ? Effect.succeed<ReadonlyArray<Document>>([])
        : Effect.map(
            query(
              by,
              `SELECT ${selectionOf(search)} FROM c WHERE ${[...conditions, more].join(" AND ")} ORDER BY ${order}`,
              [...values, ...given],
              count
            ),
            (found) => found.slice(0, count)
          )
    // Documents of the same moment are ordered by their ids in a query of their own: an order by two properties needs an index made for it.
    const ofMoment = (at: string, id: string, count: number) =>
      find(`${time} = ${parameter(0)} AND c.id > ${parameter(1)}`, [at, id], "c.id ASC", count)
    const wanted = most + 1
    const { after } = search
    const first = after === undefined ? [] : yield* ofMoment(after.at, after.id, wanted)
    const older = yield* after === undefined
      ? find(`${time} > ${parameter(0)}`, [""], `${time} DESC`, wanted)
      : find(`${time} < ${parameter(0)}`, [after.at], `${time} DESC`, wanted - first.length)
    const oldest = older.length > 0 && first.length + older.length === wanted ? older.at(-1)?.[by] : undefined
    const whole = older.filter((document) => document[by] !== oldest)
    const last = typeof oldest === "string" ? yield* ofMoment(oldest, "", older.length - whole.length) : []
    const found = [...first, ...whole.toSorted(newestFirst(by)), ...last]
    const end = found.length > most ? found[most - 1] : undefined
    return {
      documents: found.slice(0, most),
      next: end === undefined ? null : { at: String(end[by]), id: String(end["id"]) }
    }
  })

  return {
    name,
    newest,
    read: (id, knownEtag) =>
      DocumentContainer.isStorableId(id)
        ? Effect.clockWith((clock) =>
            call("read", id, (abortSignal) =>
              item(id)
                .read<Document>({ abortSignal, ...(knownEtag === undefined ? {} : unless(knownEtag)) })
                .then((response) => {
                  if (response.statusCode === 304) return Reading.Unchanged()
                  const document = response.resource
                  if (document !== undefined && document !== null) {
                    const servedAt = dateOf(response.headers) ?? clock.unsafeCurrentTimeMillis()
                    return Reading.Found({ document, etag: response.etag, servedAt })
                  }
                  // The SDK answers a 404 of a read instead of throwing it.
                  const answer = { code: response.statusCode, substatus: response.substatus }
                  return CosmosErrors.isMissingDocument(answer)
                    ? Reading.Missing({ servedAt: dateOf(response.headers) ?? clock.unsafeCurrentTimeMillis() })
                    : Promise.reject(answer)
                })
            )
          )
        : Effect.map(Clock.currentTimeMillis, (servedAt) => Reading.Missing({ servedAt })),
    create: (document) =>
      Effect.zipRight(
        writable("create", document.id),
        call(
          "create",
          document.id,
          (abortSignal) => container.items.create<Document>(document, { abortSignal }).then(written),
          (cause) => (CosmosErrors.statusOf(cause) === 409 ? Option.some(Write.Refused()) : Option.none())
        )
      ),
    replace: (document, etag) =>
      Effect.zipRight(
        writable("replace", document.id),
        conditional("replace", document.id, (abortSignal) =>
          item(document.id)
            .replace<Identified>(document, { abortSignal, ...onlyIf(etag) })
            .then(written)
        )
      ),
    upsert: (document) =>
      Effect.zipRight(
        writable("upsert", document.id),
        call("upsert", document.id, (abortSignal) =>
          container.items.upsert<Document>(document, { abortSignal }).then((response) => response.etag)
        )
      ),
    patch: (id, set, condition) => {
      const operations = Object.entries(set).map(([key, value]) => ({
        op: "set" as const,
        path: pointerTo(key),
        value
      }))
      if (operations.length === 0 || operations.length > DocumentContainer.maxPatchOperations) {
        return Effect.fail(DocumentContainer.wrongPatch(operation("patch", id), operations.length))
      }
      if (!DocumentContainer.isStorableId(id)) return Effect.succeed(Write.Missing())
      const query = queryOf(condition)
      return conditional("patch", id, (abortSignal) =>
        item(id)
          .patch<Document>(query === undefined ? { operations } : { operations, condition: query }, {
            abortSignal,
            ...(condition.etag === undefined ? {} : onlyIf(condition.etag))
          })
          .then(written)
      )
    },
    remove: (id, etag) =>
      DocumentContainer.isStorableId(id)
        ? conditional("delete", id, (abortSignal) =>
            item(id)
              .delete({ abortSignal, ...onlyIf(etag) })
              .then(() => Write.Written({ etag }))
          )
        : Effect.succeed(Write.Missing()),
    where: (values) => {
      const wanted = Object.entries(values)
      const conditions = wanted.map(([property], index) => `c[${JSON.stringify(property)}] = @value${index}`)
      return query(
        Object.keys(values).join(", "),
        `SELECT * FROM c${conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`}`,
        wanted.map(([, value]) => value),
        Number.POSITIVE_INFINITY
      )
    },
    idsOf: ({ equal, oneOf, someText, writtenBefore }, most) => {
      const wanted = Object.entries(equal)
      const conditions = [
        ...wanted.map(([property], index) => `c.${property} = @value${index}`),
        `c.${oneOf.property} IN (${oneOf.values.map(literal).join(", ")})`,
        `(${someText.map((property) => `IS_STRING(c.${property})`).join(" OR ")})`,
        `c._ts < ${Math.floor(writtenBefore / 1_000)}`
      ]
      return Effect.map(
        query(
          [...Object.keys(equal), oneOf.property].join(", "),
          `SELECT c.id FROM c WHERE ${conditions.join(" AND ")}`,
          wanted.map(([, value]) => value),
          most
        ),
        (found) => found.slice(0, most).flatMap(({ id }) => (typeof id === "string" ? [id] : []))
      )
    }
  }
}

/** Documents of one page of a query. */
const pageSize = 200

/** One call never takes longer, whatever the SDK tries behind our back. */
const callTimeout = Duration.seconds(30)

/**
 * Up to four more tries of a call that Cosmos did not perform because too many came at once; each waits as long as the service
 * asks, a second at most, or 100 ms. Whatever else can heal is the caller's to repeat: it may have been performed.
 */
const whenThrottled = Schedule.recurWhile<ServiceError.ServiceError>((error) => error._tag === "Throttled").pipe(
  Schedule.addDelay((error) =>
    Duration.min(
      Option.getOrElse(ServiceError.retryAfter(error), () => Duration.millis(100)),
      Duration.seconds(1)
    )
  ),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(4))
)

const attempt = <A>(
  operation: string,
  run: (abortSignal: AbortSignal) => Promise<A>,
  answers: (cause: unknown) => Option.Option<A>
): Effect.Effect<A, ServiceError.ServiceError> =>
  SdkCall.run<A, ServiceError.ServiceError>({
    start: run,
    onReject: (cause) =>
      Option.match(answers(cause), {
        onNone: () => Effect.fail(CosmosErrors.fromCosmos(operation, cause)),
        onSome: (answer) => Effect.succeed(answer)
      }),
    timeout: callTimeout,
    onTimeout: () =>
      new ServiceError.Unavailable({
        service: ServiceError.cosmosDb,
        operation,
        message: `Cosmos DB did not answer within ${Duration.toSeconds(callTimeout)} seconds (${operation}).`
      })
  })

const written = (response: { readonly etag: string }): DocumentContainer.Write => Write.Written({ etag: response.etag })

const onlyIf = (etag: string): Cosmos.RequestOptions => ({ accessCondition: { type: "IfMatch", condition: etag } })
const unless = (etag: string): Cosmos.RequestOptions => ({ accessCondition: { type: "IfNoneMatch", condition: etag } })

/** The date of an answer: every one should have it, but a proxy may drop it. */
const dateOf = (headers: Cosmos.Response<unknown>["headers"] | undefined): number | null => {
  const date = Date.parse(String(headers?.["date"]))
  return Number.isNaN(date) ? null : date
}

/** A JSON pointer to a property of the document. */
const pointerTo = (key: string): string => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`

const queryOf = ({ absent = [], equal = {}, equalIfThere = {}, isNull, oneOf }: PatchCondition): string | undefined => {
  const parts = [
    ...(oneOf === undefined ? [] : [`c.${oneOf.property} IN (${oneOf.values.map(literal).join(", ")})`]),
    ...Object.entries(equal).map(([path, text]) => `c.${path} = ${literal(text)}`),
    ...Object.entries(equalIfThere).map(
      ([path, text]) => `(NOT IS_DEFINED(c.${DocumentContainer.rootOf(path)}) OR c.${path} = ${literal(text)})`
    ),
    ...(isNull === undefined ? [] : [`IS_NULL(c.${isNull})`]),
    ...absent.map((property) => `(NOT IS_DEFINED(c.${property}) OR IS_NULL(c.${property}))`)
  ]
  // Emulators fold a text that begins with exactly `FROM c WHERE` to lower case, its literals too: hence the line break.
  return parts.length === 0 ? undefined : `FROM c\nWHERE ${parts.join(" AND ")}`
}

const newestFirst = (by: string) => (a: Document, b: Document) =>
  DocumentContainer.isAfter(String(a[by]), String(a["id"]), { at: String(b[by]), id: String(b["id"]) }) ? 1 : -1

/** The conditions of a search, and what their parameters stand for. */
const wantedBy = ({ by, containing = [], equal = {}, from, notEqual = {}, oneOf, to }: DocumentContainer.Newest) => {
  const values: Array<string> = []
  const value = (text: string) => `@value${values.push(text) - 1}`
  const conditions = [
    ...Object.entries(equal).map(([path, text]) => `${at(path)} = ${value(text)}`),
    ...(oneOf === undefined ? [] : [`${at(oneOf.property)} IN (${oneOf.values.map(literal).join(", ")})`]),
    ...Object.entries(notEqual).map(([path, text]) => `(NOT IS_DEFINED(${at(path)}) OR ${at(path)} != ${value(text)})`),
    ...(from === undefined ? [] : [`${at(by)} >= ${value(from)}`]),
    ...(to === undefined ? [] : [`${at(by)} < ${value(to)}`]),
    ...containing.map(({ paths, text }) => {
      const wanted = value(text.toLowerCase())
      return `(${paths.map((path) => containsAt(path, wanted)).join(" OR ")})`
    })
  ]
  return { conditions, values }
}

const containsAt = (path: string, wanted: string): string => {
  const [list = "", element] = path.split("[].")
  return element === undefined
    ? `CONTAINS(LOWER(${at(path)}), ${wanted})`
    : `EXISTS(SELECT VALUE each FROM each IN ${at(list)} WHERE CONTAINS(LOWER(${at(element, "each")}), ${wanted}))`
}

const selectionOf = ({ by, select }: DocumentContainer.Newest): string =>
  `VALUE {${Object.entries({ ...select, id: "id", [by]: by })
    .map(([name, path]) => `${JSON.stringify(name)}: ${at(path)}`)
    .join(", ")}}`

/** A path of ours in the language of queries, where a property may have the name of a keyword. */
const at = (path: string, root = "c"): string =>
  `${root}${DocumentContainer.stepsOf(path)
    .map((step) => `[${JSON.stringify(step)}]`)
    .join("")}`

const literal = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
