import { assert, describe, layer } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Context, Duration, Effect, Layer, Logger, Metric } from "effect"
import * as AzureWorker from "../../src/AzureWorker.ts"
import * as AzureConfig from "../../src/azure/AzureConfig.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Builtins from "../../src/executors/Builtins.ts"
import { Catalog, make as catalogOf } from "../../src/executor/Catalog.ts"
import { define } from "../../src/executor/Executor.ts"
import * as Prometheus from "../../src/http/Prometheus.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as ThreadPool from "../../src/threads/ThreadPool.ts"
import * as EventLoopMonitor from "../../src/worker/loops/EventLoopMonitor.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as Exposition from "../http/Exposition.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as FaultProxy from "../../src/testing/FaultProxy.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

/** Splits the text that a task brings, and writes nothing anywhere. */
const inMemory = `
pipeline:
  name: in memory
  executors:
    - {id: chunk, type: recursive_text_chunker}
  edges: []
`

const statusOf = (executions: ReadonlyArray<Readonly<Record<string, unknown>>>, name: string): unknown =>
  executions.find(({ id }) => id === `exec_${name}`)?.["status"]

const executionsOf = (installation: Emulators.Installation, pipeline: string) =>
  Emulators.executionsOf(installation, `${pipeline}-vault`)

/** Of a process: what `/metrics` says. */
const scraped = (worker: WorkerProcess.WorkerProcess) =>
  Effect.flatMap(worker.url, (url) =>
    Effect.promise(async () => Exposition.parse(await (await fetch(`${url}/metrics`)).text()))
  )

const live = (worker: WorkerProcess.WorkerProcess) =>
  Effect.flatMap(worker.url, (url) =>
    Effect.promise(async () => {
      const response = await fetch(`${url}/health/live`)
      const body = (await response.json()) as { readonly stalled: ReadonlyArray<{ readonly loop: string }> }
      return { status: response.status, stalled: body.stalled.map(({ loop }) => loop) }
    })
  )

/** Longer than any test. */
const forEver = { kind: "delay", millis: 3_600_000 } as const

/** A door before a service of the installation that holds the calls which `holds` picks, as long as `held` says so. */
const doorTo = (
  installation: Emulators.Installation,
  service: "Queue" | "Blob",
  holds: (call: FaultProxy.Call) => boolean
) =>
  Effect.gen(function* () {
    const connection = installation.env["AZURE_STORAGE_CONNECTION_STRING"] ?? ""
    const endpoint = new RegExp(`${service}Endpoint=(http://[^/;]+)`).exec(connection)?.[1] ?? ""
    const state = { held: true, seen: 0 }
    const url = yield* FaultProxy.make({
      target: () => endpoint,
      fault: (call) => {
        if (!state.held || !holds(call)) return undefined
        state.seen++
        return forEver
      }
    })
    return { state, replace: (text: string) => text.replace(endpoint, url) }
  })

const connectionOf = (installation: Emulators.Installation): string =>
  installation.env["AZURE_STORAGE_CONNECTION_STRING"] ?? ""

describe("A worker process in which something hangs", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "an executor that never returns: stopped at the task's bound, told by name in document, log and metrics; the worker goes on",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("never-returns")
          yield* Emulators.register(installation, "writing", Tasks.chunking("never-returns"))
          yield* Emulators.register(installation, "in-memory", inMemory)
          const blobs = yield* doorTo(installation, "Blob", () => true)
          const worker = yield* WorkerProcess.start({
            ...installation.env,
            AZURE_STORAGE_CONNECTION_STRING: blobs.replace(connectionOf(installation)),
            NUM_SOURCE_WORKERS: "0",
            NUM_PROCESSING_WORKERS: "1",
            TASK_TIMEOUT_SECONDS: "3"
          })
          yield* Effect.promise(() =>
            installation.tasks.sendMessage(
              Tasks.message("writing", "hung", Tasks.item("hung", { text: "A text." }), { max_retries: 0 })
            )
          )
          yield* Tasks.enqueue(installation, "in-memory", ["next"])
          const failed = yield* eventually(
            "the hung task has failed",
            executionsOf(installation, "writing"),
            (all) => statusOf(all, "hung") === "failed"
          )
          const error = String(failed[0]?.["error"])
          assert.include(error, "TASK_TIMEOUT_SECONDS")
          assert.include(error, "Still at work: write (azure_blob_output) on https://")
          const outputs = failed[0]?.["executor_outputs"] as Record<string, { readonly status: string }>
          assert.deepStrictEqual([outputs["chunk"]?.status, outputs["write"]?.status], ["completed", "interrupted"])
          const line = worker.log().find(({ message }) => message.includes("write (azure_blob_output)"))
          assert.deepInclude(line, { level: "ERROR", execution_id: "exec_hung", pipeline_id: "writing" })
          yield* eventually(
            "the next task is done",
            executionsOf(installation, "in-memory"),
            (all) => statusOf(all, "next") === "completed"
          )
          const metrics = yield* scraped(worker)
          assert.strictEqual(
            Exposition.valueOf(metrics, "contentflow_executor_overdue_total", { type: "azure_blob_output" }),
            1
          )
          assert.deepStrictEqual(yield* live(worker), { status: 200, stalled: [] })
        }),
      300_000
    )

    it.scoped(
      "a poller whose connection is held open: 503 with its name, in the log and the metrics, and healed without a restart",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("held-open")
          yield* Emulators.register(installation, "in-memory", inMemory)
          const receives = yield* doorTo(
            installation,
            "Queue",
            ({ method, path }) => method === "GET" && /\/messages\?.*visibilitytimeout/.test(path)
          )
          const worker = yield* WorkerProcess.start({
            ...installation.env,
            AZURE_STORAGE_CONNECTION_STRING: receives.replace(connectionOf(installation)),
            NUM_SOURCE_WORKERS: "0"
          })
          const hung = yield* eventually("it is told", live(worker), ({ status }) => status === 503)
          assert.deepStrictEqual(hung.stalled, ["queue poller"])
          const stalled = yield* scraped(worker)
          assert.strictEqual(Exposition.valueOf(stalled, "contentflow_loop_stalled", { loop: "queue poller" }), 1)

          receives.state.held = false
          const line = yield* worker.logged("Receiving from the queue failed")
          assert.deepInclude(line, { level: "WARN", worker: "queue-poller" })
          yield* Tasks.enqueue(installation, "in-memory", ["after"])
          yield* eventually(
            "the same process takes messages again",
            executionsOf(installation, "in-memory"),
            (all) => statusOf(all, "after") === "completed"
          )
          assert.deepStrictEqual(yield* live(worker), { status: 200, stalled: [] })
          const healed = yield* scraped(worker)
          assert.isAtLeast(Exposition.valueOf(healed, "contentflow_receive_errors_total"), 1)
        }),
      300_000
    )

    it.scoped(
      "a lease renewal that is never answered: the attempt is stopped before the message is another's, and the task runs again",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("not-renewed")
          yield* Emulators.upload(installation, "not-renewed", {})
          yield* Emulators.register(installation, "writing", Tasks.chunking("not-renewed"))
          const renewals = yield* doorTo(
            installation,
            "Queue",
            ({ method, path }) => method === "PUT" && path.includes("/messages/")
          )
          const blobs = yield* doorTo(installation, "Blob", () => true)
          const worker = yield* WorkerProcess.start({
            ...installation.env,
            AZURE_STORAGE_CONNECTION_STRING: blobs.replace(renewals.replace(connectionOf(installation))),
            NUM_SOURCE_WORKERS: "0",
            QUEUE_VISIBILITY_TIMEOUT_SECONDS: "10"
          })
          yield* Tasks.enqueue(installation, "writing", ["again"])
          const line = yield* worker.logged("The attempt stopped without a result")
          assert.deepInclude(line, { level: "WARN", execution_id: "exec_again" })
          assert.include(line.message, "could not be renewed before it ended")
          assert.isAbove(renewals.state.seen, 0)
          // The message is not visible to others before its time is over: the lease was given up while it still lived.
          assert.isEmpty(yield* Emulators.visible(installation.tasks))
          assert.strictEqual(Exposition.valueOf(yield* scraped(worker), "contentflow_leases_lost_total"), 1)

          renewals.state.held = false
          blobs.state.held = false
          yield* eventually(
            "the same process has run it again",
            executionsOf(installation, "writing"),
            (all) => statusOf(all, "again") === "completed"
          )
          assert.deepStrictEqual(yield* Emulators.blobNames(installation, "not-renewed"), ["out/again.json"])
        }),
      300_000
    )
  })
})

/** `seconds`: enough for a thread to start on a slow machine, or so few that an endless loop ends soon. */
const extracting = (container: string, seconds: number) => `
pipeline:
  name: extracting
  executors:
    - {id: fetch, type: azure_blob_content_retriever,
       settings: {include_content_bytes_as_field: true, use_temp_file_for_content: false, blob_container_name: ${container}}}
    - {id: extract, type: text_extractor, settings: {timeout_secs: ${seconds}}}
  edges:
    - {from: fetch, to: extract}
`

/** Holds up the thread of the event loop, as no executor should. */
const block = define({
  type: "block",
  category: "Utility",
  name: "Block",
  description: "Computes on the event loop.",
  settings: {},
  make: () =>
    Effect.succeed({
      process: (items) =>
        Effect.sync(() => {
          const end = performance.now() + 2_500
          while (performance.now() < end);
          return items
        })
    })
})

/** An engine on the real Azure layers whose one thread obeys harmful documents; and its log. */
const engineWithThread = ({ settings }: Emulators.Installation) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const catalog = Layer.effect(
      Catalog,
      Effect.map(Catalog, ({ all }) => catalogOf([...all, block]))
    ).pipe(
      Layer.provide(Builtins.layer),
      Layer.provide(
        ThreadPool.layer({
          threads: 1,
          maxHeapMegabytes: 64,
          worker: new URL("./Misbehaving.worker.js", import.meta.url)
        })
      )
    )
    const context = yield* Layer.build(
      Layer.fresh(
        EventLoopMonitor.layer.pipe(
          Layer.provideMerge(WorkerEngine.layer),
          Layer.provide(PipelineRunner.layer),
          Layer.provide(catalog),
          Layer.provide(AzureWorker.ports),
          Layer.provide(Layer.succeed(AzureConfig.AzureConfig, settings)),
          Layer.provide(
            WorkerConfig.layerWith({
              processingWorkers: 4,
              sourceWorkers: 0,
              queuePollInterval: Duration.seconds(1)
            })
          ),
          Layer.provide(NodeContext.layer),
          Layer.provideMerge(
            Logger.add(
              Logger.make(
                ({ message }) => void lines.push(Array.isArray(message) ? message.join(" ") : String(message))
              )
            )
          )
        )
      )
    ).pipe(Effect.orDie)
    return { engine: Context.get(context, WorkerEngine.WorkerEngine), lines }
  })

const metricsNow = Effect.map(Metric.snapshot, (pairs) => Exposition.parse(Prometheus.render(pairs)))

describe("An executor that takes its thread with it", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    /** A task that is not tried again, and how its execution ended. */
    const ran = (installation: Emulators.Installation, pipeline: string, name: string) =>
      Effect.gen(function* () {
        yield* Effect.promise(() =>
          installation.tasks.sendMessage(Tasks.message(pipeline, name, Tasks.item(name), { max_retries: 0 }))
        )
        const all = yield* eventually(
          `${name} has ended`,
          executionsOf(installation, pipeline),
          (executions) => statusOf(executions, name) === "completed" || statusOf(executions, name) === "failed"
        )
        return all.find(({ id }) => id === `exec_${name}`) ?? {}
      })

    const failuresOf = (type: string) =>
      Effect.map(metricsNow, (all) =>
        all.has("contentflow_executor_failures_total")
          ? Exposition.valueOf(all, "contentflow_executor_failures_total", { type })
          : 0
      )

    it.scoped(
      "a thread in an endless loop is killed at its bound, and the next document gets a new one",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("endless")
          yield* Emulators.upload(installation, "documents", { spin: "spin for ever", good: "A good text." })
          yield* Emulators.register(installation, "hasty", extracting("documents", 5))
          yield* Emulators.register(installation, "extracting", extracting("documents", 120))
          const { engine } = yield* engineWithThread(installation)
          const spun = yield* ran(installation, "hasty", "spin")
          assert.strictEqual(spun["status"], "failed")
          assert.match(String(spun["error"]), /spin .*longer than 5 s in extract \(setting timeout_secs\)/)
          assert.strictEqual(yield* failuresOf("text_extractor"), 1)
          assert.strictEqual((yield* ran(installation, "extracting", "good"))["status"], "completed")
          assert.isEmpty((yield* engine.status).stalled)
        }),
      300_000
    )

    // Deno has no bound of a thread's heap; the README says so.
    it.scoped.skipIf("Deno" in globalThis)(
      "a thread that leaks is killed alone when it reaches its bound, and the next document gets a new one",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("leaking")
          yield* Emulators.upload(installation, "documents", { leak: "eat all memory", good: "A good text." })
          yield* Emulators.register(installation, "extracting", extracting("documents", 120))
          yield* engineWithThread(installation)
          const leaked = yield* ran(installation, "extracting", "leak")
          assert.strictEqual(leaked["status"], "failed")
          assert.match(String(leaked["error"]), /leak could not be read in extract.*64 MB of heap/)
          assert.strictEqual((yield* ran(installation, "extracting", "good"))["status"], "completed")
        }),
      300_000
    )

    it.scoped(
      "one that computes on the event loop is named in the log and counted, once the process goes on",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("blocking")
          yield* Emulators.register(
            installation,
            "blocking",
            "pipeline: {name: blocking, executors: [{id: compute, type: block}], edges: []}"
          )
          const { lines } = yield* engineWithThread(installation)
          assert.strictEqual((yield* ran(installation, "blocking", "slow"))["status"], "completed")
          const [line] = yield* eventually(
            "it is told",
            Effect.sync(() => lines.filter((each) => each.includes("stood still"))),
            (found) => found.length > 0
          )
          assert.include(line, "compute (block) of task_slow")
          assert.isAtLeast(Exposition.valueOf(yield* metricsNow, "contentflow_event_loop_stalls_total"), 1)
        }),
      300_000
    )
  })
})
