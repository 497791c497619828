import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as FolderWorker from "../../src/FolderWorker.ts"
import { Database } from "../../src/embedded/Database.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import { ControlStore } from "../../src/store/ControlStore.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { cli, folder } from "./Captured.ts"

const yaml = "pipeline: {name: Line, executors: [{id: a, type: text_extractor}], edges: []}"

const failed = { status: "failed", error: "Rate limit \u001b[31mof the model", started_at: "2026-01-02T10:30:01+00:00" }

/** A folder in which a worker has run, and the command line on it. */
const installed = Effect.gen(function* () {
  const files = yield* folder({})
  const context = yield* Layer.build(FolderWorker.ports({ folder: files.path }))
  const stored = (table: Parameters<typeof SqliteContainer.make>[1]) =>
    Effect.map(Effect.provide(Database, context), (database) => SqliteContainer.make(database, table))
  const executions = yield* stored("vault_executions")
  yield* (yield* stored("pipelines")).upsert({ ...Engine.pipeline, yaml })
  const vaults = yield* stored("vaults")
  yield* vaults.upsert({ ...Engine.vault, name: "Invoices" })
  return {
    ...files,
    queue: yield* Effect.provide(TaskQueue, context),
    executions,
    vaults,
    checkpoints: yield* stored("vault_crawl_checkpoints"),
    control: yield* Effect.provide(ControlStore, context),
    /** Stores the executions of these numbers. */
    add: (numbers: ReadonlyArray<number>, more: Record<string, unknown>) =>
      Effect.forEach(
        numbers,
        (number) =>
          executions.upsert({
            ...Engine.execution(number),
            content: [Engine.item(`doc-${number}.pdf`)],
            enqueued_at: "2026-01-02T10:30:00+00:00",
            created_at: `2026-01-02T10:30:${String(number % 60).padStart(2, "0")}+00:00`,
            ...more
          }),
        { discard: true }
      ),
    statusOf: (number: number) =>
      Effect.map(executions.read(`exec_${number}`), (found) =>
        found._tag === "Found" ? found.document["status"] : "gone"
      ),
    run: (...words: ReadonlyArray<string>) => cli([...words, "--folder", files.path])
  }
}).pipe(Effect.orDie)

const linesOf = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

describe("executions", () => {
  it.scopedLive("are listed as a table without what a terminal would obey, as lines of JSON, and by filter", () =>
    Effect.gen(function* () {
      const { add, run } = yield* installed
      yield* add([1, 2], failed)
      yield* add([3], { status: "completed" })
      const table = yield* run("executions", "ls")
      assert.strictEqual(table.code, 0, table.stderr)
      const [head, first, ...rest] = table.stdout.trim().split("\n")
      assert.match(head ?? "", /^EXECUTION +STATUS +CREATED +PIPELINE +DOCUMENT +ERROR$/)
      assert.match(first ?? "", /^exec_3 +completed +2026-01-02 10:30:03 +Line +doc-3\.pdf +-$/)
      assert.match(rest[0] ?? "", /^exec_2 +failed .*Rate limit +\[31mof the model$/)
      assert.lengthOf(rest, 2)
      const json = yield* run("executions", "ls", "--json", "--status", "failed", "--error", "rate LIMIT")
      assert.deepStrictEqual(
        linesOf(json.stdout).map(({ id }) => id),
        ["exec_2", "exec_1"]
      )
      const cut = yield* run("executions", "ls", "--json", "--limit", "1")
      assert.lengthOf(linesOf(cut.stdout), 1)
      assert.match(cut.stderr, /There are more than these 1/)
      const none = yield* run("executions", "ls", "--to", "2025-01-01")
      assert.strictEqual(none.stdout.trim(), "There are no such executions.")
      const shown = yield* run("executions", "show", "exec_1")
      assert.match(shown.stdout, /Status +failed/)
      assert.match(shown.stdout, /Document +doc-1\.pdf/)
      const whole = yield* run("executions", "show", "exec_1", "--json")
      assert.strictEqual(JSON.parse(whole.stdout).execution.error, failed.error)
    })
  )

  it.scopedLive("that a filter names are counted first, and put back when that is confirmed", () =>
    Effect.gen(function* () {
      const { add, queue, run, statusOf } = yield* installed
      const numbers = Array.from({ length: 120 }, (_, index) => index + 1)
      yield* add(numbers, failed)
      yield* add([500], { status: "failed", error: "No such page" })
      const counted = yield* run("executions", "retry", "--error", "rate limit")
      assert.strictEqual(counted.code, 0, counted.stderr)
      assert.match(counted.stdout, /retry: 120 executions\. Nothing was done yet: --yes does it\./)
      assert.strictEqual((yield* queue.stats).depth, 0)
      const done = yield* run("executions", "retry", "--error", "rate limit", "--yes", "--json")
      assert.strictEqual(done.code, 0, done.stderr)
      const operation = JSON.parse(done.stdout)
      assert.strictEqual(operation.done, 120)
      assert.match(operation.by, /@/)
      assert.strictEqual((yield* queue.stats).depth, 120)
      assert.strictEqual(yield* statusOf(7), "pending")
      assert.strictEqual(yield* statusOf(500), "failed")
      const again = yield* run("executions", "retry", "--error", "rate limit", "--yes")
      assert.match(again.stdout, /retry: 0 executions done/)
      assert.strictEqual((yield* queue.stats).depth, 120)
    })
  )

  it.scopedLive("that are named are acted on at once, and the exit code says how many could be", () =>
    Effect.gen(function* () {
      const { add, run, statusOf } = yield* installed
      yield* add([1], failed)
      yield* add([2], { status: "pending" })
      const some = yield* run("executions", "cancel", "exec_1", "exec_2")
      assert.strictEqual(some.code, 3)
      assert.match(some.stdout, /exec_2: It is taken back\./)
      assert.match(some.stderr, /exec_1 has ended/)
      assert.strictEqual(yield* statusOf(2), "failed")
      const none = yield* run("executions", "delete", "exec_99", "--json")
      assert.strictEqual(none.code, 1)
      assert.deepStrictEqual(linesOf(none.stdout), [
        {
          id: "exec_99",
          done: false,
          error: "There is no execution exec_99. contentflow-worker executions ls lists what there is."
        }
      ])
      assert.strictEqual((yield* run("executions", "delete", "exec_1")).code, 0)
      assert.strictEqual(yield* statusOf(1), "gone")
    })
  )

  it.scopedLive("need to be named when something is done to them", () =>
    Effect.gen(function* () {
      const { add, path, run, statusOf } = yield* installed
      yield* add([1], failed)
      for (const [words, message] of [
        [["retry"], /by their ids, by a filter/],
        [["delete", "--yes"], /by their ids, by a filter/],
        [["retry", "exec_1", "--vault", "v"], /not by both/],
        [["ls", "--from", "yesterday"], /--from takes a time/],
        [["ls", "--limit", "0"], /--limit/],
        [["ls", "--azure"], /one of --folder, --azure and --url/],
        [["retry", "--rate", "0"], /--rate/]
      ] as const) {
        const refused = yield* run("executions", ...words)
        assert.strictEqual(refused.code, 2, words.join(" "))
        assert.match(refused.stderr, message)
      }
      assert.strictEqual(yield* statusOf(1), "failed")
      const nowhere = yield* cli(["executions", "ls", "--folder", join(path, "other")])
      assert.strictEqual(nowhere.code, 1)
      assert.match(nowhere.stderr, /Nothing has run in .*other yet\. Start it with: contentflow-worker serve/)
      const help = yield* cli(["executions"])
      assert.strictEqual(help.code, 2)
      assert.match(help.stdout, /- retry/)
    })
  )
})

describe("the poison queue", () => {
  it.scopedLive("is listed and shown, and its messages are put back or discarded", () =>
    Effect.gen(function* () {
      const { add, queue, run, statusOf } = yield* installed
      yield* add([1, 2, 3], failed)
      for (const number of [1, 2, 3]) yield* queue.sendPoison(Engine.message(number))
      yield* queue.sendPoison("<html>no task</html>")
      const listed = yield* run("poison", "ls", "--json")
      assert.strictEqual(listed.code, 0, listed.stderr)
      const entries = linesOf(listed.stdout)
      assert.lengthOf(entries, 4)
      const idOf = (execution: string | null) => {
        const found = entries.find(({ execution_id }) => execution_id === execution)
        return String(found?.["id"])
      }
      const shown = yield* run("poison", "show", idOf("exec_1"))
      assert.match(shown.stdout, /Execution +exec_1/)
      assert.match(shown.stdout, /Can be put back +yes/)
      assert.match((yield* run("poison", "ls")).stdout, /^MESSAGE +SINCE +EXECUTION +DOCUMENT +REASON\n/)
      const one = yield* run("poison", "put-back", idOf("exec_1"))
      assert.match(one.stdout, /Its task is in the queue again\./)
      assert.strictEqual(yield* statusOf(1), "pending")
      const counted = yield* run("poison", "put-back", "--all")
      assert.match(counted.stdout, /put_back: 3 messages\. Nothing was done yet/)
      const rest = yield* run("poison", "put-back", "--all", "--yes")
      assert.strictEqual(rest.code, 3, rest.stderr)
      assert.match(rest.stdout, /put_back: 2 messages done, 1 left out/)
      assert.match(rest.stderr, /can only be discarded/)
      assert.strictEqual((yield* queue.stats).depth, 3)
      assert.strictEqual((yield* run("poison", "discard", idOf(null))).code, 0)
      assert.match((yield* run("poison", "ls")).stdout, /There are no such messages/)
    })
  )
})

describe("vaults", () => {
  it.scopedLive("are paused, resumed and crawled by id or name", () =>
    Effect.gen(function* () {
      const { run } = yield* installed
      const listed = yield* run("vaults", "ls")
      assert.strictEqual(listed.code, 0, listed.stderr)
      assert.match(listed.stdout, /vault-1 +Invoices +line_0123abcd +waiting/)
      assert.match((yield* run("vaults", "pause", "Invoices", "--work", "processing")).stdout, /Invoices: processing/)
      assert.match(
        (yield* run("vaults", "pause", "--pipeline", Engine.pipeline.id, "--work", "crawling")).stdout,
        /crawl/
      )
      const paused = yield* run("vaults", "ls")
      assert.match(paused.stdout, /vault-1 +Invoices +line_0123abcd +crawling and processing paused/)
      assert.match(paused.stdout, /Processing of the vault vault-1 was paused by .*@/)
      const shown = yield* run("vaults", "show", "vault-1", "--json")
      assert.strictEqual(JSON.parse(shown.stdout).processing_paused.work, "processing")
      const rest = yield* run("vaults", "resume", "--all")
      assert.strictEqual(rest.code, 0)
      assert.match(rest.stderr, /Still paused: Processing of the vault vault-1/)
      assert.strictEqual((yield* run("vaults", "resume", "vault-1", "--pipeline", Engine.pipeline.id)).code, 0)
      assert.match((yield* run("vaults", "ls")).stdout, /waiting/)
      assert.strictEqual((yield* run("vaults", "crawl", "Invoices")).code, 0)
      assert.strictEqual((yield* run("vaults", "crawl", "--all", "--json")).code, 0)
      assert.strictEqual((yield* run("vaults", "pause")).code, 2)
      assert.strictEqual((yield* run("vaults", "pause", "Invoices", "--all")).code, 2)
      const some = yield* run("vaults", "pause", "Invoices", "--pipeline", "other")
      assert.strictEqual(some.code, 3)
      assert.match(some.stderr, /There is no pipeline other/)
    })
  )
})

describe("deletions that a vault holds", () => {
  it.scopedLive("are told, counted, and confirmed by the vault's name", () =>
    Effect.gen(function* () {
      const { checkpoints, run, vaults } = yield* installed
      const confirm = (...words: ReadonlyArray<string>) => run("vaults", "confirm-deletions", ...words)
      const nothing = yield* confirm("Invoices", "--yes")
      assert.deepStrictEqual([nothing.code, nothing.stderr], [0, ""])
      assert.match(nothing.stdout, /of the vault Invoices, no deletions are held/)
      yield* checkpoints.upsert({
        id: `${Engine.pipeline.id}_find_${Engine.vault.id}`,
        pipeline_id: Engine.pipeline.id,
        executor_id: "find",
        vault_id: Engine.vault.id,
        checkpoint_timestamp: "2026-01-02T09:00:00+00:00",
        worker_id: "w",
        deletions_held: { token: "0a1b2c3d", documents: 1_234, of: 5_000 }
      })
      assert.match((yield* run("vaults", "ls")).stdout, /vault-1 +Invoices +line_0123abcd +1,234 deletions held/)
      assert.match(
        (yield* run("vaults", "show", "Invoices")).stdout,
        /Deletions held +1,234 of 5,000 documents .*stay until/
      )
      const counted = yield* confirm("Invoices")
      assert.strictEqual(counted.code, 0, counted.stderr)
      assert.match(counted.stdout, /of the vault Invoices, 1,234 of 5,000 documents .* Nothing was done yet: --yes/)
      const dry = linesOf((yield* confirm("vault-1", "--json")).stdout)[0]
      assert.deepInclude(dry, { verb: "confirm_deletions", vault: "vault-1", dry_run: true })
      const confirmed = Effect.map(vaults.read(Engine.vault.id), (found) =>
        found._tag === "Found" ? found.document["confirmed_deletions"] : "gone"
      )
      assert.isUndefined(yield* confirmed)
      for (let i = 0; i < 2; i++) {
        const done = yield* confirm("Invoices", "--yes", "--json")
        assert.strictEqual(done.code, 0, done.stderr)
        assert.deepInclude(linesOf(done.stdout)[0]?.["operation"], { verb: "confirm_deletions", done: 1_234 })
        assert.strictEqual(yield* confirmed, "0a1b2c3d")
      }
      assert.match((yield* run("vaults", "show", "Invoices")).stdout, /Deletions held .*that is confirmed/)
      assert.strictEqual((yield* confirm("elsewhere", "--yes")).code, 1)
    })
  )
})

describe("workers", () => {
  it.scopedLive("are listed with what they do, and drained", () =>
    Effect.gen(function* () {
      const { control, run } = yield* installed
      assert.match((yield* run("workers", "ls")).stdout, /No worker has told/)
      const since = "2026-01-02T10:30:00+00:00"
      yield* control.upsert({
        id: "worker_one",
        kind: "worker",
        process: "one",
        worker_name: "worker-1",
        version: "1.2.3",
        runtime: "node",
        host: "here",
        pid: 7,
        started_at: since,
        updated_at: since,
        memory_bytes: 200 * 1024 ** 2,
        leases: 1,
        draining: false,
        stalled: [],
        processing: [
          { id: 1, doing: "processing task_1", since },
          { id: 2, doing: "idle", since: null }
        ],
        source: []
      })
      assert.match((yield* run("workers", "ls")).stdout, /one +worker-1 +1\.2\.3 +here .*200 MB +1 of 2 +at work/)
      assert.match((yield* run("workers", "show", "one")).stdout, /processing 1 +processing task_1/)
      assert.strictEqual((yield* run("workers", "drain", "one")).code, 0)
      assert.strictEqual((yield* run("workers", "drain", "two")).code, 1)
      assert.strictEqual((yield* run("workers", "show", "two")).code, 1)
    })
  )
})

describe("a backfill", () => {
  it.scopedLive("is counted, carried out, listed and shown; what has ended is neither stopped nor resumed", () =>
    Effect.gen(function* () {
      const { add, queue, run, statusOf } = yield* installed
      yield* add([1, 2], failed)
      yield* add([3, 4, 5], { status: "completed" })
      assert.match((yield* run("backfill", "ls")).stdout, /There are no backfills/)
      assert.match((yield* run("backfill", "start", "Invoices")).stdout, /backfill: 5 documents\. Nothing was done yet/)
      const done = yield* run("backfill", "start", "Invoices", "--failed", "--yes", "--json")
      assert.strictEqual(done.code, 0, done.stderr)
      const { done: count, id } = JSON.parse(done.stdout)
      assert.strictEqual(count, 2)
      assert.strictEqual((yield* queue.stats).depth, 2)
      assert.strictEqual(yield* statusOf(1), "failed")
      assert.match((yield* run("backfill", "ls")).stdout, /completed .* vault-1 +failed +2 +0 +2/)
      assert.match((yield* run("backfill", "show", id)).stdout, /Done +2/)
      assert.match((yield* run("backfill", "stop", id)).stderr, /is completed/)
      assert.strictEqual((yield* run("backfill", "resume", id)).code, 1)
      assert.strictEqual((yield* run("backfill", "start", "Invoices", "--failed", "--since", "2026-01-01")).code, 2)
      assert.strictEqual((yield* run("backfill", "start", "elsewhere")).code, 1)
    })
  )
})

for (const [state, status] of [
  ["was stopped", "stopped"],
  ["no process carries out any more", "running"]
] as const) {
  it.scopedLive(`a backfill that ${state} is resumed to its end`, () =>
    Effect.gen(function* () {
      const { add, control, queue, run } = yield* installed
      yield* add([1, 2, 3], failed)
      yield* control.upsert({
        id: "operation_1",
        kind: "operation",
        verb: "backfill",
        target: null,
        filter: { vault_id: Engine.vault.id, which: "all" },
        by: "ann",
        created_at: "2026-01-03T00:00:00+00:00",
        updated_at: "2026-01-03T00:00:00+00:00",
        status,
        total: 3,
        rate_per_second: null,
        position: null,
        runner: null,
        error: null
      })
      const resumed = yield* run("backfill", "resume", "operation_1")
      assert.strictEqual(resumed.code, 0, resumed.stderr)
      assert.match(resumed.stdout, /backfill: 3 documents done/)
      assert.strictEqual((yield* queue.stats).depth, 3)
    })
  )
}

describe("submit", () => {
  it.scopedLive("makes one task of items for each key, and waits as long as it is asked to", () =>
    Effect.gen(function* () {
      const { at, executions, path, queue, run } = yield* installed
      writeFileSync(at("items.json"), JSON.stringify([Engine.item("a.txt", { text: "Some text" })]))
      const words = ["submit", "Line", "--items", join(path, "items.json"), "--key", "mine"]
      const first = yield* run(...words, "--json")
      assert.strictEqual(first.code, 0, first.stderr)
      const { created, execution_id } = JSON.parse(first.stdout)
      assert.isTrue(created)
      const stored = yield* executions.read(execution_id)
      assert.strictEqual(stored._tag === "Found" ? stored.document["status"] : "", "pending")
      const second = yield* run(...words)
      assert.strictEqual(second.stdout.trim(), `${execution_id}: submitted before with this key`)
      assert.strictEqual((yield* queue.stats).depth, 1)
      const late = yield* run(...words, "--wait", "1")
      assert.strictEqual(late.code, 1)
      assert.match(late.stderr, /has not ended after 1 seconds/)
      yield* executions.upsert({ ...Engine.execution(1), ...failed, id: execution_id })
      const waited = yield* run(...words, "--wait", "5")
      assert.strictEqual(waited.code, 3)
      assert.match(waited.stdout, /Status +failed/)
      const unknown = yield* run("submit", "Other", "--items", join(path, "items.json"))
      assert.match(unknown.stderr, /There is no pipeline with the id or name Other/)
    })
  )
})
