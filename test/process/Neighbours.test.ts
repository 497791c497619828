import { assert, describe, layer } from "@effect/vitest"
import { Effect, Queue } from "effect"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as FaultProxy from "../../src/testing/FaultProxy.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

/** An installation with these documents in the queue; the one called `killer` ends the worker that writes its result. */
const withKiller = (name: string, documents: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const installation = yield* Emulators.installation(name)
    yield* Emulators.register(installation, name, Tasks.chunking(name))
    yield* Emulators.upload(installation, name, {})
    yield* Tasks.enqueue(installation, name, documents)
    const endpoint = /BlobEndpoint=(http:\/\/[^/;]+)/.exec(installation.env.AZURE_STORAGE_CONNECTION_STRING)?.[1] ?? ""
    const deaths: Array<string> = []
    /** Starts a worker that runs until the killer's result arrives here; then another one, and so on. */
    const fleetMember = Effect.gen(function* () {
      const killed = yield* Queue.unbounded<void>()
      const proxy = yield* FaultProxy.make({
        target: () => endpoint,
        fault: ({ method, path }) => {
          if (method !== "PUT" || !path.includes("/out/")) return undefined
          // Long enough that its neighbours are at work when the killer strikes.
          if (!path.includes("killer")) return { kind: "delay", millis: 1_500 }
          Queue.unsafeOffer(killed, undefined)
          return { kind: "delay", millis: 600_000 }
        }
      })
      while (true) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const worker = yield* WorkerProcess.start({
              ...installation.env,
              AZURE_STORAGE_CONNECTION_STRING: installation.env.AZURE_STORAGE_CONNECTION_STRING.replace(
                endpoint,
                proxy
              ),
              NUM_SOURCE_WORKERS: "0",
              QUEUE_VISIBILITY_TIMEOUT_SECONDS: "10",
              ...env
            })
            yield* Queue.take(killed)
            yield* worker.kill("SIGKILL")
            deaths.push(String((yield* worker.exit).signal))
          })
        )
      }
    })
    return {
      deaths,
      fleetMember,
      installation,
      executions: Emulators.executionsOf(installation, `${name}-vault`)
    }
  })

describe("Documents beside one that kills its worker", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    for (const [name, processes, limit, env] of [
      ["one process with four workers, two deaths allowed", 1, 2, { NUM_PROCESSING_WORKERS: "4", CRASH_LIMIT: "2" }],
      ["one process with one worker", 1, 3, { NUM_PROCESSING_WORKERS: "1" }],
      [
        "two processes with three workers each, one death allowed",
        2,
        1,
        { NUM_PROCESSING_WORKERS: "3", CRASH_LIMIT: "1" }
      ]
    ] as const) {
      it.scoped(
        `are completed, and it alone is set aside, by ${name}`,
        () =>
          Effect.gen(function* () {
            const good = Tasks.names(6)
            const id = name.replaceAll(/[^a-z]+/g, "-").slice(0, 40)
            const { deaths, executions, fleetMember, installation } = yield* withKiller(
              id,
              [...good.slice(0, 2), "killer", ...good.slice(2)],
              env
            )
            yield* Effect.forEach(Array.from({ length: processes }), () => Effect.forkScoped(fleetMember))
            const all = yield* eventually(
              "all have ended",
              executions,
              (all) => all.length === 7 && all.every(({ status }) => status === "completed" || status === "failed")
            )
            const failed = all.filter(({ status }) => status === "failed")
            assert.deepStrictEqual(
              failed.map(({ id }) => id),
              ["exec_killer"]
            )
            const error = String(failed[0]?.["error"])
            assert.include(error, limit === 1 ? "a worker died" : `${limit} workers died`)
            assert.include(error, "write (azure_blob_output)")
            // Of its own, and at most one beside others in each process.
            assert.isAtLeast(deaths.length, limit)
            assert.isAtMost(deaths.length, limit + processes)
            assert.deepStrictEqual(
              yield* Emulators.blobNames(installation, id),
              good.map((each) => `out/${each}.json`)
            )
            const [poison] = yield* eventually(
              "the killer is in the poison queue",
              Emulators.visible(installation.poison),
              (messages) => messages.length === 1
            )
            assert.strictEqual(JSON.parse(poison?.messageText ?? "{}").reason, error)
          }),
        300_000
      )
    }
  })
})
