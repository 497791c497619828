import { assert, describe, layer } from "@effect/vitest"
import { Deferred, Duration, Effect } from "effect"
import { nameOf } from "../../src/domain/Content.ts"
import { define, type Executor } from "../../src/executor/Executor.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Tasks from "../support/Tasks.ts"

/** An executor type that does something for every item and gives it on. */
const probe = (type: string, work: (name: string) => Effect.Effect<void>): Executor<never> =>
  define({
    type,
    category: "Utility",
    name: type,
    description: type,
    settings: {},
    make: () =>
      Effect.succeed({
        process: (items) =>
          Effect.as(
            Effect.forEach(items, (item) => work(nameOf(item)), { discard: true }),
            items
          )
      })
  })

const definition = (container: string, type: string) => `
pipeline:
  name: probing
  executors:
    - {id: discover, type: azure_blob_input_discovery,
       settings: {blob_storage_account: devstoreaccount1, blob_container_name: ${container}, polling_interval_seconds: 3600}}
    - {id: fetch, type: azure_blob_content_retriever,
       settings: {include_content_bytes_as_field: true, use_temp_file_for_content: false}}
    - {id: probe, type: ${type}}
  edges:
    - {from: discover, to: fetch}
    - {from: fetch, to: probe}
`

describe("Engines in one process on the real Azure layers", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "two side by side process 250 discovered documents once each, and leave nothing behind",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("side-by-side")
          const names = Tasks.names(250)
          yield* Emulators.upload(
            installation,
            "side-by-side",
            Object.fromEntries(names.map((name) => [`${name.slice(-1)}/${name}.txt`, `The text of ${name}`]))
          )
          yield* Emulators.register(installation, "probing", definition("side-by-side", "count"))
          const counts = [new Map<string, number>(), new Map<string, number>()]
          const begun = yield* Effect.all([Deferred.make<void>(), Deferred.make<void>()])
          // Neither gets far before the other has begun: on a slow machine, too, both have a part in the work.
          const bothBegan = Effect.all(begun.map(Deferred.await), { discard: true })
          const engines = yield* Effect.forEach(counts, (seen, index) => {
            const counter = probe("count", (name) =>
              Effect.sync(() => seen.set(name, (seen.get(name) ?? 0) + 1)).pipe(
                Effect.zipRight(Deferred.succeed(begun[index]!, undefined)),
                Effect.zipRight(bothBegan)
              )
            )
            return Emulators.engine(installation, {}, [counter])
          })

          yield* eventually(
            "every document was processed",
            Effect.sync(() => counts.reduce((sum, seen) => sum + seen.size, 0)),
            (processed) => processed >= names.length,
            "6 minutes"
          )
          const executions = yield* eventually(
            "every execution is completed",
            Emulators.executionsOf(installation, "probing-vault"),
            (all) => Emulators.withStatus(all, "completed") >= names.length
          )
          assert.strictEqual(executions.length, names.length)
          assert.strictEqual(new Set(executions.map(({ task_id }) => task_id)).size, names.length)
          yield* eventually(
            "no message, no lease and no lock is left",
            Effect.all({
              messages: Emulators.depth(installation.tasks),
              leases: Effect.map(
                Effect.forEach(engines, ({ status }) => status),
                (all) => all.reduce((sum, { leases }) => sum + leases, 0)
              )
            }),
            ({ leases, messages }) => leases === 0 && messages === 0
          )
          yield* Effect.forEach(engines, ({ stop }) => stop, { concurrency: "unbounded" })
          assert.deepStrictEqual(yield* installation.documents.locks.where({ pipeline_id: "probing" }), [])
          // Nothing was ever put aside.
          assert.isFalse(yield* Effect.promise(() => installation.poison.exists()))

          const [first = new Map<string, number>(), second = new Map<string, number>()] = counts
          assert.isAbove(first.size, 0)
          assert.isAbove(second.size, 0)
          assert.strictEqual(first.size + second.size, names.length)
          assert.deepStrictEqual([...new Set([...first.values(), ...second.values()])], [1])
        }),
      480_000
    )

    it.scoped(
      "a task four times as long as the visibility timeout runs once, though another engine waits for messages",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("long-task")
          const visibilityTimeout = Duration.seconds(3)
          yield* Emulators.register(
            installation,
            "probing",
            `
pipeline:
  name: probing
  executors:
    - {id: sleep, type: sleep}
  edges: []
`
          )
          let runs = 0
          const sleeper = probe("sleep", () =>
            Effect.zipRight(
              Effect.sync(() => {
                runs++
              }),
              Effect.sleep(Duration.times(visibilityTimeout, 4))
            )
          )
          const settings = { sourceWorkers: 0, visibilityTimeout }
          const first = yield* Emulators.engine(installation, settings, [sleeper])
          const second = yield* Emulators.engine(installation, settings, [sleeper])
          yield* Tasks.enqueue(installation, "probing", ["long"])
          yield* eventually(
            "the task is done",
            Emulators.executionsOf(installation, "probing-vault"),
            (all) => Emulators.withStatus(all, "completed") === 1
          )
          yield* eventually("no message is left", Emulators.depth(installation.tasks), (left) => left === 0)
          assert.strictEqual(runs, 1)
          assert.strictEqual((yield* first.status).leases + (yield* second.status).leases, 0)
        }),
      300_000
    )
  })
})
