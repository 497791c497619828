import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import * as EventLoopTurns from "../concurrency/EventLoopTurns.ts"
import * as ServiceError from "../domain/ServiceError.ts"
import * as DocumentContainer from "../store/DocumentContainer.ts"
import type { Document, Identified } from "../store/DocumentContainer.ts"
import type { Access, Database } from "./Database.ts"
import type { Row, Value } from "./Driver.ts"
import { type Table, tables } from "./Migrations.ts"

const { Reading, Write } = DocumentContainer

/** A container of documents in a table of the folder's database; conditions hold for every process that shares it. */
export const make = (database: Database["Type"], name: Table): DocumentContainer.DocumentContainer => {
  const columns: ReadonlyArray<string> = tables[name]
  const sql = statements(name, columns)
  const operation = (verb: string, id: string) => `${verb} ${name}/${id}`
  const read = <A>(what: string, run: (access: Access) => A) => database.read(ServiceError.folderDatabase, what, run)
  const write = <A>(what: string, run: (access: Access) => A) => database.write(ServiceError.folderDatabase, what, run)
  const etagOf = etags()

  /** Everything of a row but its id. */
  const values = (document: Document, etag: string, now: number, text: string): ReadonlyArray<Value> => [
    ...columns.map((column) => (typeof document[column] === "string" ? document[column] : null)),
    etag,
    now,
    text
  ]

  const written = <A>(
    verb: string,
    document: Identified,
    run: (access: Access, row: (etag: string) => ReadonlyArray<Value>) => A
  ): Effect.Effect<A, ServiceError.ServiceError> =>
    Effect.suspend(() => {
      const what = operation(verb, document.id)
      if (!DocumentContainer.isStorableId(document.id)) return Effect.fail(DocumentContainer.unstorable(what))
      const text = textOf(what, document)
      if (typeof text !== "string") return Effect.fail(text)
      return write(what, (access) => run(access, (etag) => values(document, etag, access.now, text)))
    })

  /** What another process writes between the read and the write makes the write void: then both happen again. */
  const patch = (
    access: Access,
    id: string,
    set: Document,
    condition: DocumentContainer.PatchCondition
  ): DocumentContainer.Write | ServiceError.Invalid => {
    for (;;) {
      const row = access.prepare(sql.read).get(id)
      if (row === undefined) return Write.Missing()
      const seen = String(row["etag"])
      if (condition.etag !== undefined && condition.etag !== seen) return Write.Refused()
      const current = parsed(row)
      if (!DocumentContainer.holds(current, condition)) return Write.Refused()
      const next = { ...current, ...set }
      const text = textOf(operation("patch", id), next)
      if (typeof text !== "string") return text
      const etag = etagOf()
      if (access.prepare(sql.replace).run(...values(next, etag, access.now, text), id, seen) > 0)
        return Write.Written({ etag })
    }
  }

  /** Why a write that asked for an ETag changed nothing. */
  const unchanged = (access: Access, id: string): DocumentContainer.Write =>
    access.prepare(sql.etag).get(id) === undefined ? Write.Missing() : Write.Refused()

  return {
    name,
    read: (id, knownEtag) =>
      read(operation("read", id), (access) => {
        if (knownEtag !== undefined && access.prepare(sql.etag).get(id)?.["etag"] === knownEtag)
          return Reading.Unchanged()
        const row = access.prepare(sql.read).get(id)
        return row === undefined
          ? Reading.Missing({ servedAt: access.now })
          : Reading.Found({ document: documentOf(row), etag: String(row["etag"]), servedAt: access.now })
      }),
    create: (document) =>
      written("create", document, (access, row) => {
        const etag = etagOf()
        return access.prepare(sql.create).run(document.id, ...row(etag)) > 0 ? Write.Written({ etag }) : Write.Refused()
      }),
    replace: (document, expected) =>
      written("replace", document, (access, row) => {
        const etag = etagOf()
        return access.prepare(sql.replace).run(...row(etag), document.id, expected) > 0
          ? Write.Written({ etag })
          : unchanged(access, document.id)
      }),
    upsert: (document) =>
      written("upsert", document, (access, row) => {
        const etag = etagOf()
        access.prepare(sql.upsert).run(document.id, ...row(etag))
        return etag
      }),
    patch: (id, set, condition) => {
      const properties = Object.keys(set).length
      if (properties === 0 || properties > DocumentContainer.maxPatchOperations) {
        return Effect.fail(DocumentContainer.wrongPatch(operation("patch", id), properties))
      }
      return Effect.flatMap(
        write(operation("patch", id), (access) => patch(access, id, set, condition)),
        (result) => (result instanceof ServiceError.Invalid ? Effect.fail(result) : Effect.succeed(result))
      )
    },
    remove: (id, etag) =>
      write(operation("delete", id), (access) =>
        access.prepare(sql.remove).run(id, etag) > 0 ? Write.Written({ etag }) : unchanged(access, id)
      ),
    where: (wanted) =>
      read(`query ${name} by ${Object.keys(wanted).join(", ")}`, ({ prepare }) => {
        const conditions = Object.entries(wanted)
        const indexed = conditions.filter(
          (condition): condition is [string, string | null] =>
            typeof condition[1] !== "boolean" && columns.includes(condition[0])
        )
        const terms = indexed.map(([column, value]) => (value === null ? `${column} IS NULL` : `${column} = ?`))
        const rows = prepare(
          `SELECT etag, written_at, document FROM ${name}${terms.length === 0 ? "" : ` WHERE ${terms.join(" AND ")}`}`
        ).each(...indexed.flatMap(([, value]) => value ?? []))
        return documentsIn(rows, Number.POSITIVE_INFINITY, (document) =>
          conditions.every(([property, value]) => document[property] === value)
        )
      }),
    idsOf: (search, most) =>
      read(`query ${name} by ${Object.keys(search.equal).join(", ")}`, ({ prepare }) => {
        const { property, values } = search.oneOf
        const indexed = [
          ...Object.entries(search.equal).map(([name, value]) => [name, [value]] as const),
          [property, values] as const
        ].filter(([name]) => columns.includes(name))
        const conditions = indexed.map(([column, texts]) => `${column} IN (${texts.map(() => "?").join(", ")})`)
        const rows = prepare(
          `SELECT etag, written_at, document FROM ${name} WHERE ${[...conditions, "written_at < ?"].join(" AND ")}`
        ).each(...indexed.flatMap(([, texts]) => texts), search.writtenBefore)
        const found = documentsIn(rows, most, (document) => DocumentContainer.matches(document, search))
        return found.map(({ id }) => String(id))
      }),
    newest: (search, most) =>
      Effect.suspend(() => {
        const documents: Array<Document> = []
        const look = (
          after: DocumentContainer.Position | undefined,
          left: number
        ): Effect.Effect<Page, ServiceError.ServiceError> =>
          Effect.flatMap(
            read(`query ${name} by ${search.by}`, ({ prepare }) => {
              const { text, values } = newestOf(name, columns, search, after)
              return prepare(text).all(...values)
            }),
            (rows) => {
              let last = after
              for (const row of rows) {
                const document = parsed(row)
                const wanted = DocumentContainer.isWanted(document, search)
                if (wanted && documents.length === most) return Effect.succeed({ documents, next: last ?? null })
                last = { at: String(document[search.by]), id: String(row["id"]) }
                if (wanted) documents.push(DocumentContainer.selected(document, search))
              }
              if (rows.length < rowsAtOnce) return Effect.succeed({ documents, next: null })
              if (left <= 1) return Effect.succeed({ documents, next: last ?? null })
              return Effect.zipRight(EventLoopTurns.turn, look(last, left - 1))
            }
          )
        return look(search.after, mostLooks)
      })
  }
}

type Page = DocumentContainer.Page

/** Rows between two turns of the event loop, and how often it turns before a search gives what it has. */
const rowsAtOnce = 100
const mostLooks = 200

/** The next rows in the order of the search, of those that its columns don't exclude. */
const newestOf = (
  name: Table,
  columns: ReadonlyArray<string>,
  { by, equal = {}, from, oneOf, to }: DocumentContainer.Newest,
  after: DocumentContainer.Position | undefined
): { readonly text: string; readonly values: ReadonlyArray<Value> } => {
  const conditions: Array<string> = [`${by} > ''`]
  const values: Array<Value> = []
  const add = (condition: string, ...given: ReadonlyArray<Value>) => {
    conditions.push(condition)
    values.push(...given)
  }
  for (const [column, text] of Object.entries(equal)) if (columns.includes(column)) add(`${column} = ?`, text)
  if (oneOf !== undefined && columns.includes(oneOf.property)) {
    add(`${oneOf.property} IN (${oneOf.values.map(() => "?").join(", ")})`, ...oneOf.values)
  }
  if (from !== undefined) add(`${by} >= ?`, from)
  if (to !== undefined) add(`${by} < ?`, to)
  if (after !== undefined) add(`(${by} < ? OR (${by} = ? AND id > ?))`, after.at, after.at, after.id)
  return {
    text: `SELECT id, document FROM ${name} WHERE ${conditions.join(" AND ")} ORDER BY ${by} DESC, id LIMIT ${rowsAtOnce}`,
    values
  }
}

/** Different for every write of every process: a document that was deleted and written again has another one. */
const etags = (): (() => string) => {
  const process = randomBytes(6).toString("hex")
  let count = 0
  return () => `"${process}-${(++count).toString(36)}"`
}

const statements = (name: Table, columns: ReadonlyArray<string>) => {
  const all = [...columns, "etag", "written_at", "document"]
  const insert = `INSERT INTO ${name} (id, ${all.join(", ")}) VALUES (?${", ?".repeat(all.length)}) ON CONFLICT (id) DO`
  return {
    read: `SELECT etag, written_at, document FROM ${name} WHERE id = ?`,
    etag: `SELECT etag FROM ${name} WHERE id = ?`,
    create: `${insert} NOTHING`,
    upsert: `${insert} UPDATE SET ${all.map((column) => `${column} = excluded.${column}`).join(", ")}`,
    replace: `UPDATE ${name} SET ${all.map((column) => `${column} = ?`).join(", ")} WHERE id = ? AND etag = ?`,
    remove: `DELETE FROM ${name} WHERE id = ? AND etag = ?`
  }
}

/** What was stored is what this program or a person with the sqlite3 tool wrote: a broken text shows as a document without properties. */
const parsed = (row: Row): Document => {
  try {
    const value: unknown = JSON.parse(String(row["document"]))
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Document) : {}
  } catch {
    return {}
  }
}

const documentOf = (row: Row): Document => ({
  ...parsed(row),
  _etag: String(row["etag"]),
  _ts: Math.floor(Number(row["written_at"]) / 1_000)
})

/** The first of them that are wanted; of the others none stays in memory. */
const documentsIn = (
  rows: Iterable<Row>,
  most: number,
  isWanted: (document: Document) => boolean
): ReadonlyArray<Document> => {
  const found: Array<Document> = []
  if (most <= 0) return found
  for (const row of rows) {
    const document = documentOf(row)
    if (isWanted(document) && found.push(document) >= most) break
  }
  return found
}

/** The document as text, without what the container itself adds when it is read. */
const textOf = (what: string, { _etag: _, _ts: __, ...document }: Document): string | ServiceError.Invalid => {
  try {
    const text = JSON.stringify(document)
    return Buffer.byteLength(text) > DocumentContainer.maxDocumentBytes ? DocumentContainer.tooLarge(what) : text
  } catch {
    return DocumentContainer.notJson(what)
  }
}
