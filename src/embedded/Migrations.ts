import type { Connection } from "./Driver.ts"

/** The tables of documents, each with the properties that queries ask for: they are kept as columns beside the document. */
export const tables = {
  pipelines: ["name"],
  vaults: ["pipeline_id"],
  vault_executions: [
    "vault_id",
    "pipeline_id",
    "status",
    "attempt_process",
    "suspected_with",
    "created_at",
    "enqueued_at"
  ],
  vault_exec_locks: ["pipeline_id", "kind", "created_at"],
  vault_crawl_checkpoints: ["vault_id"]
} as const

export type Table = keyof typeof tables

/** The tables of the first version. */
const firstTables: Readonly<Record<Table, ReadonlyArray<string>>> = {
  pipelines: ["name"],
  vaults: ["pipeline_id"],
  vault_executions: ["vault_id", "pipeline_id", "status", "attempt_process", "suspected_with"],
  vault_exec_locks: ["pipeline_id"],
  vault_crawl_checkpoints: ["vault_id"]
}

const table = (name: Table): string =>
  `CREATE TABLE ${name} (
    id TEXT PRIMARY KEY,
    ${firstTables[name].map((column) => `${column} TEXT,`).join(" ")}
    etag TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
`

/**
 * The schema, version by version. A released step never changes: what comes later is a step of its own. Times are epoch milliseconds of the
 * database's clock, which no step of the wall clock moves.
 */
const steps: ReadonlyArray<string> = [
  `${(Object.keys(firstTables) as Array<Table>).map(table).join("\n")}
  CREATE INDEX pipelines_by_name ON pipelines (name);
  CREATE INDEX vault_executions_by_status ON vault_executions (status, vault_id, pipeline_id);
  CREATE INDEX vault_executions_by_time ON vault_executions (written_at);
  CREATE INDEX vault_executions_by_process ON vault_executions (attempt_process) WHERE attempt_process IS NOT NULL;
  CREATE INDEX vault_executions_by_suspicion ON vault_executions (suspected_with) WHERE suspected_with IS NOT NULL;
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    inserted_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    dequeue_count INTEGER NOT NULL DEFAULT 0,
    receipt TEXT,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_visible_at ON messages (visible_at, id);
  CREATE TABLE processes (
    id TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    machine TEXT NOT NULL
  ) STRICT;
  CREATE TABLE poison_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    inserted_at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE files (
    place TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified TEXT NOT NULL,
    changed TEXT NOT NULL,
    digest TEXT NOT NULL,
    generation INTEGER NOT NULL,
    etag TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (place, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot TEXT NOT NULL,
    since_boot INTEGER NOT NULL,
    time INTEGER NOT NULL
  ) STRICT;`,
  `ALTER TABLE vault_executions ADD COLUMN created_at TEXT;
  UPDATE vault_executions SET created_at = json_extract(document, '$.created_at') WHERE json_valid(document);
  CREATE INDEX vault_executions_by_creation ON vault_executions (created_at DESC, id);
  ALTER TABLE poison_messages ADD COLUMN visible_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE poison_messages ADD COLUMN dequeue_count INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE poison_messages ADD COLUMN receipt TEXT;
  ALTER TABLE vault_exec_locks ADD COLUMN kind TEXT;
  ALTER TABLE vault_exec_locks ADD COLUMN created_at TEXT;
  CREATE INDEX vault_exec_locks_by_kind ON vault_exec_locks (kind, created_at DESC, id) WHERE kind IS NOT NULL;`,
  `CREATE TABLE lookup_containers (
    account TEXT NOT NULL,
    database TEXT NOT NULL,
    container TEXT NOT NULL,
    partition_key TEXT NOT NULL,
    source TEXT NOT NULL,
    generation TEXT NOT NULL,
    PRIMARY KEY (account, database, container)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE lookup_documents (
    account TEXT NOT NULL,
    database TEXT NOT NULL,
    container TEXT NOT NULL,
    partition TEXT NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account, database, container, partition, id)
  ) STRICT, WITHOUT ROWID;`,
  // What a crawl created and never queued is found among all that waits. Nothing is asked for by time alone.
  `ALTER TABLE vault_executions ADD COLUMN enqueued_at TEXT;
  UPDATE vault_executions SET enqueued_at = json_extract(document, '$.enqueued_at') WHERE json_valid(document);
  DROP INDEX vault_executions_by_time;
  DROP INDEX vault_executions_by_status;
  CREATE INDEX vault_executions_by_status ON vault_executions (status, vault_id, pipeline_id, enqueued_at);`
]

/** The version that this program writes. */
export const version = steps.length

/** What the database says of itself: its version when that is newer than this program's. */
export type Migrated = "done" | { readonly newer: number }

/** Brings the database to this program's version, in one transaction; two processes that start at once do it one after the other. */
export const run = (connection: Connection): Migrated => {
  const current = () => Number(connection.prepare("PRAGMA user_version").get()?.["user_version"])
  if (current() === version) return "done"
  connection.exec("BEGIN IMMEDIATE")
  try {
    const found = current()
    if (found <= version) {
      for (const step of steps.slice(found)) connection.exec(step)
      connection.exec(`PRAGMA user_version = ${version}`)
    }
    connection.exec("COMMIT")
    return found > version ? { newer: found } : "done"
  } catch (thrown) {
    connection.exec("ROLLBACK")
    throw thrown
  }
}
