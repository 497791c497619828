import { HttpServer } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import { writeFileSync } from "node:fs"
import { createServer } from "node:http"
import * as AccessConfig from "../../src/config/AccessConfig.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as WorkerHttp from "../../src/http/HttpServer.ts"
import { BulkOperations } from "../../src/operations/BulkOperations.ts"
import * as Operations from "../../src/operations/Operations.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { stores } from "../operations/Installations.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { cli, folder } from "./Captured.ts"

const token = "an operator's token"
const readerToken = "a reader's token of ours"

const failed = { status: "failed", error: "Rate limit of the model" }

/** A worker that serves its operations, and the command line on its address. */
const serving = Effect.gen(function* () {
  yield* Engine.install
  const { executions, vaults } = yield* MemoryStores
  const queue = yield* TaskQueue
  yield* vaults.upsert({ ...Engine.vault, name: "Invoices" })
  const access: AccessConfig.AccessSettings = {
    ...AccessConfig.nobody,
    operatorToken: Redacted.make(token),
    readerToken: Redacted.make(readerToken)
  }
  const server = yield* Layer.build(WorkerHttp.layerAt("127.0.0.1", 0, access).pipe(Layer.provide(Engine.engine())))
  const operations = yield* Layer.build(Layer.provide(Operations.layer, WorkerConfig.layerWith({})))
  // Sooner than a worker looks for operations that were asked for.
  yield* Effect.flatMap(BulkOperations, ({ run, waiting }) =>
    Effect.flatMap(waiting, (ids) => Effect.forEach(ids, run, { discard: true }))
  ).pipe(Effect.delay("50 millis"), Effect.forever, Effect.provide(operations), Effect.forkScoped)
  const { address } = Context.get(server, HttpServer.HttpServer)
  const url = `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
  return {
    queue,
    url,
    add: (numbers: ReadonlyArray<number>, more: Record<string, unknown>) =>
      Effect.forEach(
        numbers,
        (number) =>
          executions.upsert({
            ...Engine.execution(number),
            content: [Engine.item(`doc-${number}.pdf`)],
            created_at: `2026-01-02T10:30:${String(number % 60).padStart(2, "0")}+00:00`,
            ...more
          }),
        { discard: true }
      ),
    statusOf: (number: number) =>
      Effect.map(executions.read(`exec_${number}`), (found) =>
        found._tag === "Found" ? found.document["status"] : "gone"
      ),
    run: (...words: ReadonlyArray<string>) => cli([...words, "--url", url], { CONTENTFLOW_TOKEN: token })
  }
}).pipe(Effect.orDie)

const test = (name: string, body: Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) => {
  for (const [store, ports] of stores) {
    it.scopedLive(`${name} (${store})`, () => Effect.provide(body, ports))
  }
}

const linesOf = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

describe("commands through a worker that runs", () => {
  test(
    "list, show and act on executions as on the stores themselves",
    Effect.gen(function* () {
      const { add, run, statusOf } = yield* serving
      const numbers = Array.from({ length: 130 }, (_, index) => index + 1)
      yield* add(numbers, failed)
      yield* add([500], { status: "failed", error: "No such page" })
      const table = yield* run("executions", "ls", "--error", "no such")
      assert.strictEqual(table.code, 0, table.stderr)
      assert.match(table.stdout, /^EXECUTION +STATUS .*\nexec_500 +failed .*doc-500\.pdf +No such page\n$/)
      const all = yield* run("executions", "ls", "--json", "--limit", "200", "--status", "failed")
      assert.lengthOf(linesOf(all.stdout), 131)
      const cut = yield* run("executions", "ls", "--limit", "2")
      assert.match(cut.stderr, /There are more than these 2/)
      const shown = yield* run("executions", "show", "exec_1")
      assert.match(shown.stdout, /Status +failed[^]*Document +doc-1\.pdf/)
      const missing = yield* run("executions", "show", "exec_777")
      assert.strictEqual(missing.code, 1)
      assert.match(missing.stderr, /There is no execution exec_777\. contentflow-worker executions ls lists/)
      const counted = yield* run("executions", "retry", "--error", "rate limit")
      assert.match(counted.stdout, /retry: 130 executions\. Nothing was done yet/)
      const done = yield* run("executions", "retry", "--error", "rate limit", "--yes", "--json")
      assert.strictEqual(done.code, 0, done.stderr)
      assert.deepInclude(JSON.parse(done.stdout), { done: 130, status: "completed", by: "operator" })
      assert.notStrictEqual(yield* statusOf(7), "failed")
      yield* add([1], { status: "pending" })
      const cancelled = yield* run("executions", "cancel", "exec_1", "exec_500")
      assert.strictEqual(cancelled.code, 3)
      assert.match(cancelled.stdout, /exec_1: It is taken back/)
      assert.match(cancelled.stderr, /exec_500 has ended/)
      assert.strictEqual((yield* run("executions", "delete", "exec_500")).code, 0)
      assert.strictEqual(yield* statusOf(500), "gone")
    })
  )

  test(
    "list, show, put back and discard messages of the poison queue",
    Effect.gen(function* () {
      const { add, queue, run, statusOf } = yield* serving
      yield* add([1, 2], failed)
      for (const number of [1, 2]) yield* queue.sendPoison(Engine.message(number))
      yield* queue.sendPoison("<html>no task</html>")
      const entries = linesOf((yield* run("poison", "ls", "--json")).stdout)
      assert.lengthOf(entries, 3)
      const idOf = (execution: string | null) =>
        String(entries.find(({ execution_id }) => execution_id === execution)?.["id"])
      assert.match((yield* run("poison", "show", idOf("exec_1"))).stdout, /Can be put back +yes/)
      assert.match((yield* run("poison", "put-back", idOf("exec_1"))).stdout, /Its task is in the queue again\./)
      assert.strictEqual((yield* run("poison", "discard", idOf(null))).code, 0)
      const rest = yield* run("poison", "put-back", "--all", "--yes")
      assert.match(rest.stdout, /put_back: 1 messages done/)
      assert.notStrictEqual(yield* statusOf(2), "failed")
      assert.match((yield* run("poison", "ls")).stdout, /There are no such messages/)
    })
  )

  test(
    "see vaults and workers, pause, resume and crawl, and submit once for each key",
    Effect.gen(function* () {
      const { run } = yield* serving
      assert.match(
        (yield* run("vaults", "pause", "Invoices", "--work", "processing")).stdout,
        /pause Invoices: processing/
      )
      assert.match((yield* run("vaults", "ls")).stdout, /vault-1 +Invoices +\S+ +processing paused/)
      assert.match((yield* run("vaults", "resume", "vault-1")).stdout, /resume vault-1/)
      assert.match((yield* run("vaults", "crawl", "--all")).stdout, /crawl vault-1/)
      assert.match(
        (yield* run("vaults", "crawl", "nobody's")).stderr,
        /There is no vault nobody's\. There is Invoices\./
      )
      assert.match((yield* run("backfill", "start", "Invoice")).stderr, /Did you mean Invoices\?/)
      assert.match(
        (yield* run("backfill", "stop", "x")).stderr,
        /no operation x\. contentflow-worker backfill ls lists/
      )
      assert.match(
        (yield* run("workers", "show", "x")).stderr,
        /no live worker x\. contentflow-worker workers ls lists/
      )
      assert.match((yield* run("workers", "ls")).stdout, /No worker has told of itself/)
      assert.match((yield* run("workers", "drain", "a/b?c")).stderr, /There is no live worker a\/b\?c/)
      assert.match((yield* run("backfill", "start", "Invoices")).stdout, /backfill: 0 documents/)
      assert.strictEqual((yield* run("backfill", "ls")).stdout.trim(), "There are no backfills.")
      const files = yield* folder({ "items.json": JSON.stringify([Engine.item("letter.txt")]) })
      const submit = ["submit", "Line", "--items", files.at("items.json"), "--key", "one", "--json"]
      const first = JSON.parse((yield* run(...submit)).stdout)
      const second = JSON.parse((yield* run(...submit)).stdout)
      assert.deepInclude(first, { created: true })
      assert.deepInclude(second, { created: false, execution_id: first.execution_id })
      const waited = yield* run(...submit, "--wait", "20")
      assert.strictEqual(waited.code, 0, waited.stderr)
      assert.deepInclude(JSON.parse(waited.stdout).execution, { id: first.execution_id, status: "completed" })
    })
  )

  it.scopedLive("are refused without a token, with a wrong one, and where a reader may not act", () =>
    Effect.gen(function* () {
      const { add, statusOf, url } = yield* serving
      yield* add([1], failed)
      const without = yield* cli(["executions", "ls"], { CONTENTFLOW_URL: url })
      assert.strictEqual(without.code, 1)
      assert.match(without.stderr, /Set CONTENTFLOW_TOKEN/)
      const wrong = yield* cli(["executions", "ls", "--url", url], { CONTENTFLOW_TOKEN: "a secret of somebody else" })
      assert.strictEqual(wrong.code, 1)
      assert.notInclude(wrong.stderr + wrong.stdout, "somebody else")
      assert.match(wrong.stderr, /The token is not valid\. Is CONTENTFLOW_TOKEN one of this worker\?/)
      const reader = { CONTENTFLOW_URL: url, CONTENTFLOW_TOKEN: readerToken }
      assert.match((yield* cli(["executions", "ls"], reader)).stdout, /exec_1/)
      const acting = yield* cli(["executions", "retry", "exec_1"], reader)
      assert.strictEqual(acting.code, 1)
      assert.strictEqual(yield* statusOf(1), "failed")
    }).pipe(Effect.provide(Engine.ports))
  )

  it.scopedLive("say what is wrong with an address, and where no worker answers", () =>
    Effect.gen(function* () {
      for (const url of ["worker:8099", "ftp://worker", "http://me:secret-word@worker", "worker.example.com"]) {
        const refused = yield* cli(["executions", "ls", "--url", url])
        assert.strictEqual(refused.code, 2, url)
        assert.match(refused.stderr, /take the address of a worker/)
        assert.notInclude(refused.stderr, "secret-word")
      }
      const both = yield* cli(["executions", "ls", "--url", "http://localhost:1", "--azure"])
      assert.strictEqual(both.code, 2)
      const away = yield* cli(["executions", "ls", "--url", "http://127.0.0.1:1"])
      assert.strictEqual(away.code, 1)
      assert.match(away.stderr, /There is no answer from http:\/\/127\.0\.0\.1:1.*Does a worker run there\?/)
      const file = yield* folder({ "a-file": "" })
      const noFolder = yield* cli(["executions", "ls", "--folder", file.at("a-file")])
      assert.strictEqual(noFolder.code, 1)
      assert.match(noFolder.stderr, /a-file is no folder\./)
      const other = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const server = createServer((request, response) => {
            if (request.url?.startsWith("/vaults") === true) response.writeHead(302, { location: "http://localhost:1" })
            else response.writeHead(request.url?.startsWith("/workers") === true ? 200 : 404)
            response.end("<html>")
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close().closeAllConnections())
      )
      const address = other.address()
      const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`
      for (const [words, message] of [
        [["executions", "ls"], /answered list executions with 404.*Is it the address of a worker/],
        [["workers", "ls"], /something else than this version understands/],
        [["vaults", "ls"], /There is no answer from/]
      ] as const) {
        const refused = yield* cli([...words, "--url", url])
        assert.strictEqual(refused.code, 1, words.join(" "))
        assert.match(refused.stderr, message)
      }
    })
  )

  it.scopedLive("find the worker and its token in the nearest .env", () =>
    Effect.gen(function* () {
      const { add, url } = yield* serving
      yield* add([1], failed)
      const files = yield* folder({})
      writeFileSync(files.at(".env"), `CONTENTFLOW_URL=${url}/\nCONTENTFLOW_TOKEN="${token}"\n`)
      const before = process.cwd()
      yield* Effect.acquireRelease(
        Effect.sync(() => process.chdir(files.path)),
        () => Effect.sync(() => process.chdir(before))
      )
      const listed = yield* cli(["executions", "ls"])
      assert.match(listed.stdout, /exec_1/, listed.stderr)
      assert.strictEqual(listed.stderr, "")
    }).pipe(Effect.provide(Engine.ports))
  )
})
