import { assert, describe } from "@effect/vitest"
import { Context, Effect, Layer, Stream } from "effect"
import { readFileSync } from "node:fs"
import * as Exposition from "../http/Exposition.ts"
import { CosmosServer } from "../../src/testing/CosmosServer.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"
import { pointer } from "./Pointer.ts"
import * as Stack from "./Stack.ts"

const asked = (url: string, path: string) =>
  Effect.promise(async () => {
    const answer = await fetch(`${url}${path}`)
    return { status: answer.status, text: await answer.text() }
  })

const scraped = (url: string) =>
  Effect.map(asked(url, "/metrics"), ({ status, text }) => {
    assert.strictEqual(status, 200)
    return Exposition.parse(text)
  })

/** A worker process that takes no tasks, though five are queued. */
class Process extends Context.Tag("test/defects/Process")<
  Process,
  { readonly installation: Emulators.Installation; readonly worker: WorkerProcess.WorkerProcess }
>() {
  static readonly database = "defect-process"
  static readonly layer = Layer.scoped(
    Process,
    Effect.gen(function* () {
      const installation = yield* Emulators.installation(Process.database)
      yield* Tasks.enqueue(installation, "backlog", Tasks.names(5))
      const worker = yield* WorkerProcess.start({ ...installation.env, NUM_PROCESSING_WORKERS: "0" })
      yield* worker.url
      return { installation, worker }
    })
  )
}

/** A bug of an executor, which no error of its own describes. */
const defect = Effect.die(new TypeError("undefined is not a function"))

export const operations = (it: Stack.It) => {
  describe("Operations", () => {
    it.layer(Process.layer)((it) => {
      it.scoped("D40 /metrics is Prometheus text and tells all that the worker does", () =>
        Effect.gen(function* () {
          const { worker } = yield* Process
          const scrape = yield* scraped(yield* worker.url)
          for (const outcome of ["completed", "retry", "rejected", "lost"]) {
            assert.strictEqual(Exposition.valueOf(scrape, "contentflow_tasks_total", { outcome }), 0)
          }
          assert.strictEqual(Exposition.valueOf(scrape, "contentflow_workers_alive", { kind: "source" }), 1)
          assert.strictEqual(Exposition.valueOf(scrape, "contentflow_leases_held"), 0)
        })
      )

      it.scoped("D43 without any LOG_LEVEL it logs at INFO and answers over HTTP", () =>
        Effect.gen(function* () {
          const { worker } = yield* Process
          const { text } = yield* asked(yield* worker.url, "/")
          assert.include(text, "ContentFlow Worker API")
          const levels = worker.log().map(({ level }) => level)
          assert.include(levels, "INFO")
          assert.notInclude(levels, "DEBUG")
        })
      )

      it.scoped("D46 the queue's depth is in /metrics, so that replicas can be scaled by the backlog", () =>
        Effect.gen(function* () {
          const { worker } = yield* Process
          // The service counts in whole seconds, and its numbers are kept for five.
          const scrape = yield* eventually(
            "the oldest message has an age",
            scraped(yield* worker.url),
            (scrape) => Exposition.valueOf(scrape, "contentflow_queue_oldest_message_age_seconds") > 0
          )
          assert.strictEqual(Exposition.valueOf(scrape, "contentflow_queue_depth"), 5)
          const readme = readFileSync(new URL("../../src/http/README.md", import.meta.url), "utf8")
          assert.match(readme, /`contentflow_queue_(oldest_message_age_seconds|depth)`/)
        })
      )

      it.scoped("D41 /health/ready is 503 and names Cosmos DB while that is away", () =>
        Effect.gen(function* () {
          const { worker } = yield* Process
          const cosmos = yield* CosmosServer
          const url = yield* worker.url
          assert.strictEqual((yield* asked(url, "/health/live")).status, 200)
          // For as long as the process lives: nothing else reads this database's pipelines.
          const path = `/dbs/${Process.database}/colls/pipelines/docs/`
          cosmos.answerNext({ status: 503, times: 1_000, when: (request) => request.path.startsWith(path) })
          const { text } = yield* eventually(
            "it is not ready",
            asked(url, "/health/ready"),
            ({ status }) => status === 503
          )
          assert.match(text, /cosmos_db.*503/)
          assert.strictEqual((yield* asked(url, "/health/live")).status, 200)
        })
      )
    })
    pointer(
      "D41 a loop that hangs makes /health unhealthy and /health/live 503; what workers do is in /status",
      "test/http/Http.test.ts",
      "/health/live is 503 within 30 s when the queue never answers a receive, and 200 when it heals",
      "GET /status has the original's shape, and says what each worker does"
    )

    pointer(
      "D42 a stop lets running tasks finish within its grace, and gives everything else back at once",
      "test/process/Deaths.test.ts",
      "SIGTERM: what runs is finished, the exit code is 0, everything else is visible at once and costs no attempt",
      "SIGTERM with tasks that hang: after the grace they are given back, and no attempt is counted"
    )

    pointer(
      "D44 a worker that died is started again after a growing delay",
      "test/worker/Supervisor.test.ts",
      "starts a worker that died again, after a growing delay up to 30 s"
    )
    pointer(
      "D44 a loop that hangs is told within 30 s",
      "test/worker/Progress.test.ts",
      "the poller, when a receive never answers",
      "the schedule, when a read of ${name} never answers",
      "a crawl, when a store never answers"
    )

    pointer(
      "D45 one wrong value hides no other: all are told by their keys or variables, and the worker does not start",
      "test/config/AppConfiguration.test.ts",
      "names the key of a value that is wrong"
    )
    pointer(
      "D45 wrong values of variables are told with them",
      "test/config/Load.test.ts",
      "are told all together, each with its place"
    )
    pointer(
      "D45 App Configuration also sets container names and WORKER_NAME",
      "test/config/AppConfiguration.test.ts",
      "sets the containers' and the worker's names, too (D45)"
    )
    pointer(
      "D45 BLOB_STORAGE_ACCOUNT_NAME is used: it has the content that does not fit in a message",
      "test/worker/CrawlTasks.test.ts",
      "a message above the limit refers to its content in a blob"
    )

    it.scoped("D47 a bug of an executor leaves no stack trace in any execution, and kills no worker (D44)", () =>
      Effect.gen(function* () {
        const { engine, installation, probes } = yield* Stack.Stack
        probes.work.set("d47", () => defect)
        probes.sources.set("d47-crawl", () => Stream.fromEffect(defect))
        yield* Stack.watch(installation, "d47-crawl", Stack.crawling("d47-crawl"))
        const task = yield* Stack.ran(installation, "d47", Stack.probing("d47"), { payload: { max_retries: 0 } })
        const [crawl = {}] = yield* Stack.endedOf(installation, "d47-crawl-vault", 1)
        for (const execution of [task, crawl]) {
          assert.strictEqual(execution["status"], "failed")
          assert.include(String(execution["error"]), "undefined is not a function")
          assert.notMatch(JSON.stringify(execution), /\\n\s+at |node_modules|\.ts:\d/)
        }
        const { processing, source } = yield* engine.status
        for (const { alive, restarts } of [...processing.workers, ...source.workers]) {
          assert.deepStrictEqual([alive, restarts], [true, 0])
        }
      })
    )

    it.scoped("D48 the README's content_id and content_data are a task like any other", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const payload = { content: undefined, content_id: "d48", content_data: { text: "The text" } }
        const execution = yield* Stack.ran(installation, "d48", Stack.probing("d48"), { payload })
        assert.deepStrictEqual([execution["status"], execution["error"]], ["completed", null])
        assert.strictEqual(probes.runs("d48")[0]?.[0]?.data["text"], "The text")
      })
    )
    pointer(
      "D48 COSMOS_DB_CONTAINER_LOCKS is read; SOURCE_WORKER_POLL_INTERVAL_SECONDS is named as having no effect",
      "test/config/Load.test.ts",
      "accepts the locks' container under the name that the README of the original uses",
      "names the settings that have no effect"
    )
  })
}
