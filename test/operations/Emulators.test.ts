import { assert, describe, layer } from "@effect/vitest"
import { Clock, Context, Duration, Effect, Layer } from "effect"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as AzureWorker from "../../src/AzureWorker.ts"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as BulkOperations from "../../src/operations/BulkOperations.ts"
import { Executions } from "../../src/operations/Executions.ts"
import { OperationLog } from "../../src/operations/OperationLog.ts"
import * as Operations from "../../src/operations/Operations.ts"
import * as Retention from "../../src/operations/Retention.ts"
import { PoisonMessages } from "../../src/operations/PoisonMessages.ts"
import { Submissions } from "../../src/operations/Submissions.ts"
import { Vaults } from "../../src/operations/Vaults.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as Tasks from "../support/Tasks.ts"

const operated = ({ settings }: Emulators.Installation, config: Partial<WorkerConfig.EngineSettings> = {}) =>
  Layer.build(
    Operations.layer.pipe(
      Layer.provide(AzureWorker.runner),
      Layer.provideMerge(AzureWorker.ports),
      Layer.provide(Layer.succeed(AzureConfig, settings)),
      Layer.provideMerge(WorkerConfig.layerWith(config)),
      Layer.provide(NodeContext.layer)
    )
  )

describe("Operations on the emulators", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped("list, put back, call off, delete, submit, pause, and record", () =>
      Effect.gen(function* () {
        const name = "operated"
        const installation = yield* Emulators.installation(name)
        yield* Emulators.register(installation, name, Tasks.chunking(name))
        const add = (id: number, more: Readonly<Record<string, unknown>>) =>
          installation.documents.executions.upsert({
            id: `exec_${id}`,
            pipeline_id: name,
            pipeline_name: name,
            vault_id: `${name}-vault`,
            task_id: `task_${id}`,
            status_message: null,
            content: [{ id: Tasks.item(`doc-${id}`).id }],
            number_of_items: 1,
            created_at: `2026-01-02T10:30:0${id}+00:00`,
            error: null,
            executor_outputs: {},
            events: [],
            ...more
          })
        for (let i = 0; i < 6; i++) yield* add(i, i < 3 ? { status: "failed", error: "Broken" } : { status: "pending" })
        const context = yield* operated(installation)
        const executions = Context.get(context, Executions)
        const bulk = Context.get(context, BulkOperations.BulkOperations)
        const poison = Context.get(context, PoisonMessages)
        const queue = Context.get(context, TaskQueue)
        const vaults = Context.get(context, Vaults)
        const ids = Effect.map(executions.list({ status: ["failed"], error: "BROKEN" }, 2), ({ executions: found }) =>
          found.map(({ id }) => id)
        )
        assert.deepStrictEqual(yield* ids, ["exec_2", "exec_1"])
        yield* executions.retry("exec_2", "ann")
        const begun = yield* bulk.begin({ verb: "retry", filter: { document: "DOC-1" } }, { by: "ann" })
        assert.strictEqual((yield* bulk.run(begun.id)).done, 1)
        assert.deepStrictEqual(yield* ids, ["exec_0"])
        assert.strictEqual(yield* Emulators.depth(installation.tasks), 2)
        yield* executions.cancel("exec_5", "ann")
        assert.isTrue((yield* executions.show("exec_5")).cancelled)
        yield* executions.remove("exec_0", "ann")
        assert.strictEqual((yield* Effect.flip(executions.show("exec_0")))._tag, "NoSuchThing")
        assert.deepStrictEqual(yield* poison.list({}, 10), [])
        yield* queue.sendPoison(Tasks.message(name, "set-aside", Tasks.item("set-aside")))
        yield* queue.sendPoison("no task")
        const entries = yield* poison.list({}, 10)
        assert.lengthOf(entries, 2)
        const usable = entries.find(({ unusable }) => unusable === null)
        yield* poison.putBack(usable?.id ?? "", "ann")
        assert.strictEqual(yield* Emulators.depth(installation.tasks), 3)
        assert.lengthOf(yield* poison.list({}, 10), 1)
        const submission = { pipeline: name, content: [{ id: "brought" }] }
        const submissions = Context.get(context, Submissions)
        assert.isTrue((yield* submissions.submit(submission, "app", "key")).created)
        assert.isFalse((yield* submissions.submit(submission, "app", "key")).created)
        yield* vaults.pause({ of: "vault", id: `${name}-vault` }, "crawling", "ann")
        const [vault] = yield* vaults.list
        assert.strictEqual(vault?.crawling_paused?.by, "ann")
        assert.isNull(vault?.processing_paused)
        const deletions_held = { token: "0a1b2c3d", documents: 3, of: 6 }
        yield* installation.documents.checkpoints.upsert({
          id: `${name}_find_${name}-vault`,
          pipeline_id: vault?.pipeline_id,
          executor_id: "find",
          vault_id: `${name}-vault`,
          checkpoint_timestamp: "2026-01-02T09:00:00+00:00",
          worker_id: "w",
          deletions_held
        })
        const heldNow = Effect.map(vaults.show(`${name}-vault`), ({ deletions_held: held }) => held)
        assert.deepStrictEqual(yield* heldNow, { ...deletions_held, confirmed: false })
        yield* vaults.confirmDeletions(`${name}-vault`, deletions_held.token, "ann")
        assert.isTrue((yield* heldNow)?.confirmed)
        const { operations } = yield* Context.get(context, OperationLog).list(20)
        assert.sameMembers(
          operations.map(({ verb }) => verb),
          ["retry", "retry", "cancel", "delete", "put_back", "submit", "pause", "confirm_deletions"]
        )
      })
    )

    it.scoped("discard, resume, crawl, process again, stop and go on, and let go of what is old", () =>
      Effect.gen(function* () {
        const name = "operated-more"
        const installation = yield* Emulators.installation(name)
        yield* Emulators.register(installation, name, Tasks.chunking(name))
        const vault = `${name}-vault`
        for (let i = 0; i < 8; i++) {
          yield* installation.documents.executions.upsert({
            ...Engine.execution(i, { status: i < 6 ? "completed" : "failed", error: i < 6 ? null : "Broken" }),
            pipeline_id: name,
            vault_id: vault,
            content: [{ id: Tasks.item(`doc-${i}`).id }],
            created_at: `2020-01-02T10:30:0${i}+00:00`,
            completed_at: `2020-01-02T10:31:0${i}+00:00`
          })
        }
        const context = yield* operated(installation, {
          retention: { ...WorkerConfig.defaults.retention, completed: Duration.days(30) }
        })
        const bulk = Context.get(context, BulkOperations.BulkOperations)
        const poison = Context.get(context, PoisonMessages)
        const queue = Context.get(context, TaskQueue)
        const vaults = Context.get(context, Vaults)
        for (const each of ["one", "two", "three"]) yield* queue.sendPoison(Tasks.message(name, each, Tasks.item(each)))
        const [first] = yield* poison.list({}, 10)
        yield* poison.discard(first?.id ?? "", "ann")
        const rest = { verb: "discard", filter: { pipeline_id: name } } as const
        assert.deepStrictEqual(yield* bulk.dryRun(rest), { count: 2, more: false })
        yield* bulk.run((yield* bulk.begin(rest, { by: "ann" })).id)
        assert.isEmpty(yield* poison.list({}, 10))
        yield* vaults.pause({ of: "pipeline", id: name }, "everything", "ann")
        yield* vaults.resume({ of: "pipeline", id: name }, "everything", "ann")
        assert.isEmpty(yield* vaults.pauses)
        const misspelt = yield* Effect.flip(vaults.pause({ of: "pipeline", id: `${name}s` }, "everything", "ann"))
        assert.strictEqual(misspelt._tag, "NoSuchThing")
        assert.strictEqual((yield* vaults.crawl(vault, "ann")).verb, "crawl")

        const again = { verb: "backfill", filter: { vault_id: vault, which: "failed" } } as const
        assert.deepStrictEqual(yield* bulk.dryRun(again), { count: 2, more: false })
        const backfill = yield* bulk.begin(again, { by: "ann" })
        yield* bulk.stop(backfill.id, "ann")
        assert.isEmpty(yield* bulk.waiting)
        yield* bulk.goOn(backfill.id, "ann")
        assert.deepStrictEqual(yield* bulk.waiting, [backfill.id])
        assert.strictEqual((yield* bulk.run(backfill.id)).done, 2)
        assert.strictEqual(yield* Emulators.depth(installation.tasks), 2)
        const statuses = Effect.map(Emulators.executionsOf(installation, vault), (all) =>
          all.map(({ status }) => String(status)).toSorted()
        )
        const failed = ["failed", "failed"]
        const pending = ["pending", "pending"]
        // What failed stays beside what runs now.
        assert.deepStrictEqual(yield* statuses, [
          ...Array.from({ length: 6 }, () => "completed"),
          ...failed,
          ...pending
        ])

        const clock = Clock.make()
        // The minute between two rounds.
        const hasty: Clock.Clock = Object.create(clock, {
          sleep: { value: () => clock.sleep(Duration.millis(20)) }
        })
        yield* Layer.build(Retention.layer).pipe(Effect.provide(context), Effect.withClock(hasty))
        yield* eventually("what was old is gone", statuses, ({ length }) => length === 4)
        assert.deepStrictEqual(yield* statuses, [...failed, ...pending])
      })
    )
  })
})
