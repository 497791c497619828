import { assert, describe } from "@effect/vitest"
import { Deferred, Duration, Effect } from "effect"
import { CosmosServer } from "../../src/testing/CosmosServer.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Tasks from "../support/Tasks.ts"
import { pointer } from "./Pointer.ts"
import * as Probes from "./Probes.ts"
import * as Stack from "./Stack.ts"

const { line, node, probing } = Stack

export const queueAndTasks = (it: Stack.It) => {
  describe("Queue and task processing", () => {
    it.scoped("D1 each attempt is counted in the message; the last one ends in failed and in the poison queue", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        probes.work.set("d1", () => Effect.fail(Probes.failure("Transient", "The service is busy.")))
        const given = { payload: { max_retries: 1 }, pipeline: { retry_delay: 1 } }
        const execution = yield* Stack.ran(installation, "d1", probing("d1"), given)
        assert.strictEqual(execution["status"], "failed")
        assert.match(String(execution["error"]), /\(2 attempts\).*The service is busy\./)
        const letter = yield* Stack.letterWith(installation, "task_d1")
        assert.strictEqual(letter.reason, execution["error"])
        assert.strictEqual(JSON.parse(letter.body).payload.retry_count, 1)
        assert.lengthOf(probes.runs("d1"), 2)
        yield* Stack.drained(installation)
      })
    )

    it.scoped("D2 what is no task, or one of another type, is put into the poison queue with the reason at once", () =>
      Effect.gen(function* () {
        const { installation } = yield* Stack.Stack
        const other = JSON.stringify({ task_type: "input_source_loading", payload: { task_id: "task_d2" } })
        yield* Effect.promise(() => installation.tasks.sendMessage("no task, d2"))
        yield* Effect.promise(() => installation.tasks.sendMessage(other))
        const [first, second] = yield* Effect.all([
          Stack.letterWith(installation, "no task, d2"),
          Stack.letterWith(installation, "task_d2")
        ])
        assert.match(first.reason, /neither JSON nor base64/)
        assert.match(second.reason, /input_source_loading/)
        assert.deepStrictEqual([first.body, second.body], ["no task, d2", other])
        assert.deepStrictEqual([first.dequeue_count, second.dequeue_count], [1, 1])
        yield* Stack.drained(installation)
      })
    )

    it.scoped("D3 no more messages are taken than can start: the others stay visible to other workers", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.alone("defect-3")
        const open = yield* Deferred.make<void>()
        probes.work.set("d3", (items) => Effect.as(Deferred.await(open), items))
        const names = Tasks.names(3)
        yield* installation.documents.pipelines.upsert({ id: "d3", name: "d3", yaml: probing("d3"), enabled: true })
        yield* installation.documents.vaults.upsert({ id: "d3-vault", pipeline_id: "d3", enabled: false })
        yield* Tasks.enqueue(installation, "d3", names)
        yield* Stack.engine(installation, probes, { processingWorkers: 1, sourceWorkers: 0 })
        yield* eventually(
          "one task runs",
          Effect.sync(() => probes.runs("d3").length),
          (runs) => runs === 1
        )
        const waiting = yield* Emulators.visible(installation.tasks)
        assert.deepStrictEqual(
          waiting.map(({ dequeueCount }) => dequeueCount),
          [0, 0]
        )
        yield* Deferred.succeed(open, undefined)
        yield* Stack.endedOf(installation, "d3-vault", 3)
        yield* Stack.drained(installation)
        assert.lengthOf(probes.runs("d3"), 3)
      })
    )
    pointer(
      "D3 a lease is renewed while its task runs, so a long task runs once",
      "test/process/Engines.test.ts",
      "a task four times as long as the visibility timeout runs once, though another engine waits for messages"
    )

    it.scoped("D4 TASK_TIMEOUT_SECONDS ends a hanging executor, and its worker goes on", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.alone("defect-4")
        probes.work.set("d4", () => Effect.never)
        yield* Stack.engine(installation, probes, {
          processingWorkers: 1,
          sourceWorkers: 0,
          taskTimeout: Duration.seconds(2)
        })
        const execution = yield* Stack.ran(installation, "d4", probing("d4"), { payload: { max_retries: 0 } })
        assert.strictEqual(execution["status"], "failed")
        assert.match(String(execution["error"]), /longer than 2s \(TASK_TIMEOUT_SECONDS/)
        // With a bound of its own: this machine may be slow.
        const next = yield* Stack.ran(installation, "d4-next", probing("d4-next"), { pipeline: { timeout: 100 } })
        assert.strictEqual(next["status"], "completed")
      })
    )
    pointer(
      "D4 a parser that computes without end is ended with its thread",
      "test/threads/ThreadPool.test.ts",
      "a job that exceeds its time is stopped, and the pool goes on"
    )

    it.scoped("D5 what may heal is tried again; what the definition causes fails once, in words", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        probes.work.set("d5", (items) =>
          probes.runs("d5").length === 1
            ? Effect.fail(Probes.failure("Transient", "The service is busy."))
            : Effect.succeed(items)
        )
        const healed = yield* Stack.ran(installation, "d5", probing("d5"), { pipeline: { retry_delay: 1 } })
        assert.deepStrictEqual([healed["status"], healed["error"]], ["completed", null])
        assert.lengthOf(probes.runs("d5"), 2)

        const wrong = {
          "d5-yaml": ['pipeline:\n  name: "not closed\n', /line \d+/],
          "d5-type": [line(node("a", "pass_trough")), /pass_through/],
          "d5-edge": [
            Stack.graph([node("a", "pass_through"), node("b", "pass_through")], {
              edges: [
                { from: "a", to: "b" },
                { from: "b", to: "a" }
              ]
            }),
            /cycle/i
          ],
          "d5-setting": [line(node("a", "azure_blob_output")), /storage_account_name/]
        } as const
        for (const [name, [yaml, words]] of Object.entries(wrong)) {
          const execution = yield* Stack.ran(installation, name, yaml)
          assert.strictEqual(execution["status"], "failed", name)
          assert.match(String(execution["error"]), words)
          const letter = yield* Stack.letterWith(installation, `task_${name}`)
          assert.strictEqual(letter.dequeue_count, 1, name)
        }
        yield* Stack.drained(installation)
      })
    )

    for (const status of [503, 429]) {
      it.scoped(
        `D6 a pipeline that can't be read now (${status}) is no missing one: the task waits and is completed`,
        () =>
          Effect.gen(function* () {
            const { installation, probes } = yield* Stack.Stack
            const cosmos = yield* CosmosServer
            const name = `d6-${status}`
            cosmos.answerNext({
              status,
              times: 2,
              when: ({ method, path }) => method === "GET" && path.endsWith(`/pipelines/docs/${name}`)
            })
            const execution = yield* Stack.ran(installation, name, probing(name), { payload: { max_retries: 0 } })
            assert.deepStrictEqual([execution["status"], execution["error"]], ["completed", null])
            assert.lengthOf(probes.runs(name), 1)
            assert.lengthOf(answersTo(cosmos.log, `/pipelines/docs/${name} ${status}`), 2)
          })
      )
    }

    it.scoped("D7 output and completed are one write, which is repeated without running the pipeline again", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const cosmos = yield* CosmosServer
        const path = `/vault_executions/docs/${Stack.executionIdOf("d7")}`
        probes.work.set("d7", (items) =>
          Effect.sync(() => {
            cosmos.answerNext({
              status: 503,
              times: 2,
              when: (request) => request.method === "PATCH" && request.path.endsWith(path)
            })
            return items.map((item) => ({ ...item, data: { text: "The output" } }))
          })
        )
        const execution = yield* Stack.ran(installation, "d7", probing("d7"))
        assert.strictEqual(execution["status"], "completed")
        assert.deepStrictEqual(Stack.contentOf(execution)[0]?.data, { text: "The output" })
        yield* Stack.drained(installation)
        assert.lengthOf(probes.runs("d7"), 1)
        const writes = answersTo(cosmos.log, path).filter((line) => line.startsWith("PATCH"))
        assert.deepStrictEqual(writes.slice(-3).map(statusOf), [503, 503, 200])
      })
    )

    it.scoped("D8 a task of a deleted vault ends without running, and without a poison message", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        yield* Stack.give(installation, "d8", probing("d8"), { vault: null })
        yield* Stack.drained(installation)
        assert.lengthOf(probes.runs("d8"), 0)
        assert.isUndefined(yield* Stack.executionOf(installation, "d8"))
      })
    )

    it.scoped("D9 the result of a single item is a list as well, also that of a document set", () =>
      Effect.gen(function* () {
        const { installation } = yield* Stack.Stack
        const one = yield* Stack.ran(installation, "d9", line(node("a", "pass_through")))
        assert.lengthOf(Stack.contentOf(one), 1)
        const collected = line(node("a", "document_set_initializer"), node("b", "document_set_collector"))
        const set = yield* Stack.ran(installation, "d9-set", collected, {
          items: ["x", "y"].map((name) => Tasks.item(name))
        })
        assert.strictEqual(set["status"], "completed", String(set["error"]))
        assert.isArray(set["content"])
        assert.lengthOf(Stack.contentOf(set), 1)
      })
    )

    it.scoped("D10 error and completed_at of an earlier attempt are cleared when a later one succeeds", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const before = "2026-01-02T11:00:00+00:00"
        const during = yield* Deferred.make<unknown>()
        probes.work.set("d10", (items) =>
          Effect.as(Effect.intoDeferred(Stack.executionOf(installation, "d10"), during), items)
        )
        const execution = yield* Stack.ran(installation, "d10", probing("d10"), {
          execution: { status: "running", error: "It went wrong.", completed_at: before }
        })
        assert.deepInclude(yield* Deferred.await(during), { status: "running", error: null, completed_at: null })
        assert.deepInclude(execution, { status: "completed", error: null })
        assert.isAbove(Date.parse(String(execution["completed_at"])), Date.parse(before))
      })
    )

    for (const status of ["completed", "running"]) {
      it.scoped(`D11 an attempt does not overwrite what another one wrote meanwhile (${status})`, () =>
        Effect.gen(function* () {
          const { installation, probes } = yield* Stack.alone(`defect-11-${status}`)
          const { executions } = installation.documents
          const other = { status, processing_worker_id: "ContentProcessingWorker-77" }
          probes.work.set("d11", (items) =>
            Effect.gen(function* () {
              const ours = yield* Stack.executionOf(installation, "d11")
              yield* executions.upsert({ ...ours, id: Stack.executionIdOf("d11"), ...other })
              return items
            }).pipe(Effect.orDie)
          )
          const engine = yield* Stack.engine(installation, probes, { processingWorkers: 1, sourceWorkers: 0 })
          yield* Stack.give(installation, "d11", probing("d11"))
          yield* eventually(
            "the attempt has ended",
            Effect.map(engine.status, ({ processing }) => processing.workers.map(({ doing }) => doing)),
            ([doing]) => doing === "idle" && probes.runs("d11").length === 1
          )
          assert.deepInclude(yield* Stack.executionOf(installation, "d11"), other)
          // What is recorded is done; what somebody else still works on is his.
          assert.strictEqual(yield* Emulators.depth(installation.tasks), status === "completed" ? 0 : 1)
          assert.lengthOf(probes.runs("d11"), 1)
        })
      )
    }

    it.scoped("D12 a result above 2 MB is recorded smaller, whatever part of it is large, and runs once", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const large = "x".repeat(3_000_000)
        const log = { executor_id: "probe", start_time: "", end_time: "", status: "completed", errors: [] }
        probes.work.set("d12", (items) =>
          Effect.succeed(
            items.map((item) => ({ ...item, summary_data: { large }, executor_logs: [{ ...log, details: { large } }] }))
          )
        )
        const execution = yield* Stack.ran(installation, "d12", probing("d12"))
        assert.deepInclude(execution, { status: "completed", error: null, number_of_items: 1 })
        assert.strictEqual(Stack.contentOf(execution)[0]?.id.unique_id, "d12")
        yield* Stack.drained(installation)
        assert.lengthOf(probes.runs("d12"), 1)
      })
    )
    it.scoped(
      "D12 the record of a discovered document above 2 MB is written smaller, and the document is processed",
      () =>
        Effect.gen(function* () {
          const { installation, probes } = yield* Stack.Stack
          const text = "x".repeat(3_000_000)
          probes.sources.set("d12-found", () => Probes.found(Tasks.item("large", { text })))
          yield* Stack.watch(installation, "d12-found", Stack.crawling("d12-found", 3600))
          const [execution] = yield* Stack.endedOf(installation, "d12-found-vault", 1)
          assert.deepInclude(execution, { status: "completed", number_of_items: 1 })
          assert.strictEqual(probes.runs("d12-found")[0]?.[0]?.data["text"], text)
        })
    )

    it.scoped("D13 a vault that keeps no output never has more than identifiers in its executions", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const during = yield* Deferred.make<ReadonlyArray<unknown>>()
        probes.sources.set("d13", () => Probes.found(Tasks.item("d13", { text: "The document's text" })))
        probes.work.set("d13", (items) =>
          Effect.as(Effect.intoDeferred(Emulators.executionsOf(installation, "d13-vault"), during), items)
        )
        yield* Stack.watch(installation, "d13", Stack.crawling("d13", 3600), {
          vault: { save_execution_output: false }
        })
        const after = yield* Stack.endedOf(installation, "d13-vault", 1)
        for (const [execution] of [yield* Deferred.await(during), after]) {
          assert.deepInclude(execution, { content: [{ id: Tasks.item("d13").id }] })
        }
        assert.strictEqual(probes.runs("d13")[0]?.[0]?.data["text"], "The document's text")
      })
    )

    it.scoped("D14 failed items are counted in status_message; nodes have status, duration, counts and events", () =>
      Effect.gen(function* () {
        const { installation } = yield* Stack.Stack
        const yaml = line(node("read", "break_item", { fail_pipeline_on_error: false }), node("after", "pass_through"))
        const items = [Tasks.item("good"), Tasks.item("bad", { bad: true })]
        const execution = yield* Stack.ran(installation, "d14", yaml, { items })
        assert.deepInclude(execution, {
          status: "completed",
          status_message: "Execution completed with errors in 1 of 2 items"
        })
        const outputs = execution["executor_outputs"] as Readonly<Record<string, Readonly<Record<string, unknown>>>>
        assert.deepInclude(outputs["read"], { type: "break_item", items_in: 2, items_out: 2, items_failed: 1 })
        assert.deepStrictEqual(Stack.trails(execution), ["good: read/after", "bad: read!/after"])
        assert.deepInclude(outputs["after"], { status: "completed", items_in: 2, error: null })
        assert.isNumber(outputs["after"]?.["duration_seconds"])
        const events = execution["events"] as ReadonlyArray<Readonly<Record<string, unknown>>>
        assert.deepStrictEqual(
          events.map(({ executor_id }) => executor_id),
          ["read", "after"]
        )
      })
    )

    it.scoped("D15 a run never crawls again, though the input node was renamed after its task was queued", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const yaml = line(node("renamed", "probe_source", { of: "d15-source" }), node("probe", "probe", { of: "d15" }))
        const execution = yield* Stack.ran(installation, "d15", yaml, {
          payload: { executed_input_executor: "discover" }
        })
        assert.strictEqual(execution["status"], "completed")
        assert.lengthOf(probes.runs("d15-source"), 0)
        assert.deepStrictEqual(
          probes.runs("d15").map((items) => items.map(({ id }) => id?.unique_id)),
          [["d15"]]
        )
      })
    )

    it.scoped("D16 a definition is compiled once for each of its versions, steps of for_each_content included", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const steps = [{ id: "step", type: "probe", settings: { of: "d16-step" } }]
        const yaml = line(node("probe", "probe", { of: "d16" }), node("each", "for_each_content", { steps }))
        yield* Stack.ran(installation, "d16", yaml)
        const compiled = [probes.prepared("d16"), probes.prepared("d16-step")]
        assert.isAbove(Math.min(...compiled), 0)
        yield* Tasks.enqueue(installation, "d16", Tasks.names(10))
        const all = yield* Stack.endedOf(installation, "d16-vault", 11)
        assert.strictEqual(Emulators.withStatus(all, "completed"), 11)
        assert.lengthOf(probes.runs("d16-step"), 11)
        assert.deepStrictEqual([probes.prepared("d16"), probes.prepared("d16-step")], compiled)
      })
    )
  })
}

/** The answers of the Cosmos emulator whose line has this text. */
const answersTo = (log: ReadonlyArray<string>, text: string): ReadonlyArray<string> =>
  log.filter((line) => line.includes(text))

const statusOf = (line: string): number => Number(line.split(" ").at(-1))
