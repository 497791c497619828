import { Effect, Layer, Scope } from "effect"
import { existsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Database from "../../src/embedded/Database.ts"
import * as Driver from "../../src/embedded/Driver.ts"
import type { Table } from "../../src/embedded/Migrations.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import * as SqliteQueue from "../../src/embedded/SqliteQueue.ts"
import * as SqliteStores from "../../src/embedded/SqliteStores.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import type * as MemoryContainer from "../../src/store/MemoryContainer.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import * as FileBlobs from "./FileBlobs.ts"
import * as Folders from "./Folders.ts"

/** A process that dies asks nothing of the disk: memory will do, and is quicker by far. */
const newFolder = Folders.temporaryIn(existsSync("/dev/shm") ? "/dev/shm" : tmpdir())

const fileIn = (folder: string): string => join(folder, "worker.db")

const databaseIn = (folder: string) => Layer.orDie(Database.layer({ file: fileIn(folder), time: "effect" }))

const documentsIn = (folder: string) =>
  Layer.orDie(Layer.mergeAll(SqliteQueue.layer, SqliteStores.layer, control(fileIn(folder)), stores(fileIn(folder))))

/** Queue and documents in a file of SQLite, on Effect's clock, with what a test sees of those in memory. They fail by no plan. */
export const layer = Layer.unwrapScoped(
  Effect.map(newFolder, (folder) => Layer.provide(documentsIn(folder), databaseIn(folder)))
)

/** The same, with the blobs as files beside it. */
export const layerFolder = Layer.unwrapScoped(
  Effect.map(newFolder, (folder) =>
    Layer.merge(documentsIn(folder), FileBlobs.layer(join(folder, "blobs"))).pipe(Layer.provide(databaseIn(folder)))
  )
)

/** The file as another program sees it. */
const outside = (file: string): Effect.Effect<Driver.Connection, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => Driver.open(file, 0)),
    (connection) => Effect.sync(connection.close)
  )

const planned = () => Effect.dieMessage("SQLite fails by no plan.")

const control = (file: string) =>
  Layer.scoped(
    MemoryQueue.MemoryQueue,
    Effect.gen(function* () {
      yield* Database.Database
      const { prepare } = yield* outside(file)
      const bodiesIn = (table: string) =>
        Effect.sync(() =>
          prepare(`SELECT body FROM ${table} ORDER BY id`)
            .all()
            .map((row) => String(row["body"]))
        )
      return {
        failNext: planned,
        loseNext: planned,
        bodies: bodiesIn("messages"),
        poison: bodiesIn("poison_messages"),
        clear: Effect.sync(() => void prepare("DELETE FROM messages").run())
      }
    })
  )

const stores = (file: string) =>
  Layer.scoped(
    MemoryStores.MemoryStores,
    Effect.gen(function* () {
      const database = yield* Database.Database
      const { prepare } = yield* outside(file)
      const seen = (table: Table): MemoryContainer.MemoryContainer => ({
        ...SqliteContainer.make(database, table),
        get documents() {
          const rows = prepare(`SELECT id, etag, document FROM ${table} ORDER BY rowid`).all()
          return new Map(
            rows.map((row) => [String(row["id"]), { ...JSON.parse(String(row["document"])), _etag: row["etag"] }])
          )
        },
        failNext: () => {
          throw new Error("SQLite fails by no plan.")
        }
      })
      return {
        pipelines: seen("pipelines"),
        vaults: seen("vaults"),
        executions: seen("vault_executions"),
        locks: seen("vault_exec_locks"),
        checkpoints: seen("vault_crawl_checkpoints")
      }
    })
  )
