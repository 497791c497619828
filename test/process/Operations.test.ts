import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as FaultProxy from "../../src/testing/FaultProxy.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const token = "the operator of the test"

const call = (url: string, path: string, method = "GET", body?: unknown) =>
  Effect.promise(async () => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> }
  })

describe("Operations of one process on the work of another", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped("an execution that runs elsewhere is called off within ten seconds; what rests goes on when it may", () =>
      Effect.gen(function* () {
        const name = "operations-elsewhere"
        const installation = yield* Emulators.installation(name)
        yield* Emulators.register(installation, name, Tasks.chunking(name))
        yield* Emulators.upload(installation, name, {})
        const connection = installation.env.AZURE_STORAGE_CONNECTION_STRING
        const endpoint = /BlobEndpoint=(http:\/\/[^/;]+)/.exec(connection)?.[1] ?? ""
        const proxy = yield* FaultProxy.make({
          target: () => endpoint,
          fault: ({ method, path }) =>
            method === "PUT" && path.includes("slow") ? { kind: "delay", millis: 600_000 } : undefined
        })
        const env = { ...installation.env, OPERATOR_TOKEN: token, NUM_SOURCE_WORKERS: "0" }
        yield* WorkerProcess.start({
          ...env,
          AZURE_STORAGE_CONNECTION_STRING: connection.replace(endpoint, proxy),
          NUM_PROCESSING_WORKERS: "1"
        })
        // It crawls nothing and processes nothing: there is nothing that it finds.
        const other = yield* WorkerProcess.start({
          ...env,
          NUM_SOURCE_WORKERS: "1",
          NUM_PROCESSING_WORKERS: "0"
        })
        const url = yield* other.url
        const statusOf = (id: string) =>
          Effect.map(Effect.orDie(installation.documents.executions.read(`exec_${id}`)), (found) =>
            found._tag === "Found" ? found.document["status"] : undefined
          )
        yield* Tasks.enqueue(installation, name, ["slow"])
        yield* eventually("it runs", statusOf("slow"), (status) => status === "running")
        const cancelled = yield* call(url, "/executions/exec_slow/cancel", "POST")
        assert.strictEqual(cancelled.status, 200)
        yield* eventually("it is called off", statusOf("slow"), (status) => status === "failed", "20 seconds")
        yield* eventually("its message is gone", Emulators.depth(installation.tasks), (depth) => depth === 0)
        assert.strictEqual((yield* call(url, "/pauses", "POST", { scope: { of: "all" } })).status, 200)
        yield* Effect.sleep("8 seconds")
        yield* Tasks.enqueue(installation, name, ["quick"])
        yield* Effect.sleep("3 seconds")
        assert.isUndefined(yield* statusOf("quick"))
        assert.strictEqual((yield* call(url, "/pauses/resume", "POST", { scope: { of: "all" } })).status, 200)
        yield* eventually("it goes on", statusOf("quick"), (status) => status === "completed")
        const workers = yield* eventually(
          "both are seen",
          call(url, "/workers"),
          ({ body }) => (body["items"] as ReadonlyArray<unknown>).length === 2
        )
        assert.strictEqual(workers.status, 200)
        const failed = yield* call(url, "/executions?status=failed")
        // Beside it there may be the record of a crawl: the vault's container is not there.
        const items = failed.body["items"] as ReadonlyArray<Readonly<Record<string, unknown>>>
        assert.isTrue(items.find(({ id }) => id === "exec_slow")?.["cancelled"])
      })
    )
  })
})
