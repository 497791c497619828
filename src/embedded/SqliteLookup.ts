import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import * as EventLoopTurns from "../concurrency/EventLoopTurns.ts"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import * as Query from "../cosmossql/Query.ts"
import type { QueryProblem } from "../cosmossql/QueryProblem.ts"
import { folderDatabase as service, Invalid, NotFound, type ServiceError } from "../domain/ServiceError.ts"
import { isStorableId } from "../store/DocumentContainer.ts"
import { type LookupContainer, type LookupPlace, type LookupQuery, LookupStore } from "../store/LookupStore.ts"
import { type Access, Database } from "./Database.ts"
import type { Row } from "./Driver.ts"
import * as FileAge from "./FileAge.ts"
import * as FileErrors from "./FileErrors.ts"
import * as FileNames from "./FileNames.ts"
import * as LookupFiles from "./LookupFiles.ts"

export interface Options {
  /** Has a folder of JSON files for each container: `account/database/container`. */
  readonly folder: string
  /** Paths of partition keys, by `account/database/container`; `/id` where there is none. */
  readonly partitionKeys?: ReadonlyMap<string, string>
  /** Files are read again when they have not changed for this long: milliseconds. */
  readonly settled?: number
}

/** A container as this process last saw it. */
interface Seen {
  readonly checkedAt: number
  readonly generation: string
}

/** The documents of one generation of a container. */
interface Loaded {
  readonly generation: string
  readonly documents: ReadonlyArray<Fields>
  readonly partitions: ReadonlyArray<string>
  readonly characters: number
}

type Fields = Readonly<Record<string, unknown>>

/** How long what is known of the files counts. */
const freshMillis = 1_000

/** Characters of documents that a process keeps decoded, of all containers. */
const mostKept = 2 * LookupFiles.mostBytes

/**
 * Lookups in the folder: an account's name and the names of database and container lead to a folder of JSON files, whose documents are kept
 * in a table and follow the files. Files that can't be read leave the documents as they were.
 */
export const layer = (options: Options): Layer.Layer<LookupStore, never, Database> =>
  Layer.effect(LookupStore, make(options))

const make = ({ folder, partitionKeys = new Map(), settled = 0 }: Options) =>
  Effect.gen(function* () {
    const database = yield* Database
    const seen = new Map<string, Seen>()
    const loaded = new Map<string, Loaded>()
    const told = new Map<string, string>()
    const turns = yield* Effect.makeSemaphore(1)

    const container = (place: LookupPlace): LookupContainer => {
      const names = [accountOf(place.endpoint), place.database, place.container] as const
      const key = names.join("/")
      const root = join(folder, ...names.map((name) => FileNames.encode(name, { foldsNames: false })))
      const partitionKey = partitionKeys.get(key) ?? "/id"

      const stored = (operation: string) =>
        database.read(service, operation, ({ prepare }) => prepare(sql.container).get(...names))

      /** The documents of the files when they are not those of the table. */
      const changedFiles = Effect.fnUntraced(function* (operation: string, row: Row | undefined) {
        const files = yield* ofFiles(operation, root, () => LookupFiles.find(root))
        if (files === undefined) return undefined
        const signature = `${files.signature} ${partitionKey}`
        const mayGrow = row !== undefined && FileAge.isRecent(files.changedAt, settled)
        if (row?.["source"] === signature || mayGrow) return undefined
        return { signature, documents: yield* ofFiles(operation, root, () => LookupFiles.read(files)) }
      })

      /** With the documents from before, where there are any. */
      const goOn = (row: Row | undefined, problem: ServiceError) =>
        Effect.gen(function* () {
          if (row === undefined) return yield* problem
          if (told.get(key) === problem.message) return
          told.set(key, problem.message)
          yield* Effect.logWarning(`Lookups in ${key} go on with the documents from before: ${problem.message}`)
        })

      /** Makes the table what the files are. Gives the generation of the documents, which is new after every change. */
      const refresh = Effect.fnUntraced(function* (operation: string) {
        const now = yield* MonotonicTime.now
        const known = seen.get(key)
        if (known !== undefined && now - known.checkedAt < freshMillis) return known.generation
        const row = yield* stored(operation)
        const changed = yield* Effect.catchAll(changedFiles(operation, row), (problem) => goOn(row, problem))
        if (changed !== undefined) {
          yield* database.exclusively(service, operation, (access) =>
            write(access, names, partitionKey, changed.signature, changed.documents)
          )
          told.delete(key)
        }
        const generation = (yield* stored(operation))?.["generation"]
        if (typeof generation !== "string") {
          return yield* new NotFound({
            service,
            operation,
            message: `In this folder its documents are JSON files in ${root}, which does not exist.`
          })
        }
        seen.set(key, { checkedAt: now, generation })
        return generation
      })
      const current = (operation: string) => turns.withPermits(1)(refresh(operation))

      const load = Effect.fnUntraced(function* (operation: string) {
        const generation = yield* refresh(operation)
        const known = loaded.get(key)
        if (known?.generation === generation) return known
        const rows = yield* database.read(service, operation, ({ prepare }) => prepare(sql.all).all(...names))
        const fresh: Loaded = {
          generation,
          documents: yield* EventLoopTurns.map(rows, documentOf),
          partitions: rows.map((row) => String(row["partition"])),
          characters: rows.reduce((sum, row) => sum + String(row["document"]).length, 0)
        }
        loaded.delete(key)
        loaded.set(key, fresh)
        let all = [...loaded.values()].reduce((sum, { characters }) => sum + characters, 0)
        for (const [oldest, { characters }] of loaded) {
          if (all <= mostKept || oldest === key) break
          loaded.delete(oldest)
          all -= characters
        }
        return fresh
      })

      const read: LookupContainer["read"] = Effect.fnUntraced(function* (id, key) {
        const operation = `read ${place.database}/${place.container}/${id}`
        yield* current(operation)
        if (!isStorableId(id)) return Option.none()
        const row = yield* database.read(service, operation, ({ prepare }) =>
          prepare(sql.one).get(...names, JSON.stringify(key), id)
        )
        return Option.map(Option.fromNullable(row), documentOf)
      })

      const query = Effect.fnUntraced(function* ({ limit, parameters, partitionKey, query }: LookupQuery) {
        const operation = `query ${place.database}/${place.container}`
        const documents = yield* turns.withPermits(1)(load(operation))
        const partition = partitionKey === null ? undefined : JSON.stringify(partitionKey)
        const invalid = ({ message }: QueryProblem) =>
          new Invalid({ service, operation, message: `${message} (${operation})`, reason: "BadRequest" })
        const now = yield* database.read(service, operation, (access) => access.now)
        const execution = yield* Effect.mapError(
          Either.flatMap(Query.parse(query), (parsed) =>
            Query.execute(parsed, {
              limit,
              now,
              parameters: new Map(parameters.map(({ name, value }) => [name, value]))
            })
          ),
          invalid
        )
        let failure: QueryProblem | undefined
        yield* EventLoopTurns.each(documents.documents, (document, index) => {
          if (partition !== undefined && documents.partitions[index] !== partition) return true
          const added = execution.add(document)
          if (Either.isLeft(added)) failure = added.left
          return Either.isRight(added) && added.right
        })
        if (failure !== undefined) return yield* invalid(failure)
        // What is kept for the next query belongs to no item.
        return structuredClone(yield* Effect.mapError(execution.results(), invalid))
      })
      return { read, query }
    }
    return LookupStore.of({ open: (place) => Effect.sync(() => container(place)) })
  })

/** `https://<account>.documents.azure.com` is an account; any other host, an emulator's for example, is one by its whole name. */
export const accountOf = (endpoint: string): string => {
  const { hostname } = new URL(endpoint)
  return /\.(?:documents\.azure\.(?:com|us|cn)|cosmos\.azure\.(?:com|us|cn))$/i.test(hostname)
    ? hostname.slice(0, hostname.indexOf("."))
    : hostname
}

const ofFiles = <A>(operation: string, root: string, run: () => Promise<A>): Effect.Effect<A, ServiceError> =>
  Effect.tryPromise({
    try: run,
    catch: (thrown) =>
      thrown instanceof LookupFiles.FilesProblem
        ? new Invalid({ service, operation, message: thrown.message, reason: "BadRequest" })
        : FileErrors.describe(service, operation, root, thrown)
  })

const write = (
  { now, prepare }: Access,
  names: readonly [string, string, string],
  partitionKey: string,
  signature: string,
  documents: ReadonlyArray<LookupFiles.Document>
): void => {
  const generation = `${now.toString(36)}-${randomBytes(6).toString("hex")}`
  prepare(sql.clear).run(...names)
  const insert = prepare(sql.insert)
  const path = partitionKey.split("/").filter((part) => part !== "")
  for (const [index, document] of documents.entries()) {
    // The last of two documents with one id counts, as if they were written one after the other.
    insert.run(
      ...names,
      partitionOf(document, path),
      document.id,
      `"${generation}-${index}"`,
      now,
      JSON.stringify(document)
    )
  }
  prepare(sql.put).run(...names, partitionKey, signature, generation)
}

/** The value of the partition key as JSON; a document without one is in a partition that no value names. */
const partitionOf = (document: Fields, path: ReadonlyArray<string>): string => {
  let value: unknown = document
  for (const part of path) {
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, part) ? (value as Fields)[part] : undefined
  }
  return value === undefined ? "" : JSON.stringify(value)
}

const documentOf = (row: Row): Fields => ({
  ...(JSON.parse(String(row["document"])) as Fields),
  _etag: String(row["etag"]),
  _ts: Math.floor(Number(row["written_at"]) / 1_000)
})

const where = "account = ? AND database = ? AND container = ?"

const sql = {
  container: `SELECT source, generation FROM lookup_containers WHERE ${where}`,
  one: `SELECT etag, written_at, document FROM lookup_documents WHERE ${where} AND partition = ? AND id = ?`,
  all: `SELECT partition, etag, written_at, document FROM lookup_documents WHERE ${where} ORDER BY partition, id`,
  clear: `DELETE FROM lookup_documents WHERE ${where}`,
  insert:
    "INSERT OR REPLACE INTO lookup_documents (account, database, container, partition, id, etag, written_at, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  put: "INSERT OR REPLACE INTO lookup_containers (account, database, container, partition_key, source, generation) VALUES (?, ?, ?, ?, ?, ?)"
}
