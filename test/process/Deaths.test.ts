import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as FaultServer from "../support/FaultServer.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const outputsOf = (names: ReadonlyArray<string>) => names.map((name) => `out/${name}.json`)

/** An installation with a pipeline, its output container, and a task for each name in the queue. */
const withTasks = (name: string, names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const installation = yield* Emulators.installation(name)
    yield* Emulators.register(installation, name, Tasks.chunking(name))
    yield* Emulators.upload(installation, name, {})
    yield* Tasks.enqueue(installation, name, names)
    return { ...installation, executions: Emulators.executionsOf(installation, `${name}-vault`) }
  })

const completed = (executions: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  Emulators.withStatus(executions, "completed")

const retriesOf = (text: string): unknown => JSON.parse(text).payload.retry_count

describe("A worker process that ends in the middle of its work", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "kill -9: the next one completes everything after the visibility timeout, and no output is missing",
      () =>
        Effect.gen(function* () {
          const names = Tasks.names(200)
          const installation = yield* withTasks("killed", names)
          const env = { ...installation.env, NUM_SOURCE_WORKERS: "0", QUEUE_VISIBILITY_TIMEOUT_SECONDS: "10" }
          const first = yield* WorkerProcess.start(env)
          yield* eventually(
            "50 tasks are done while others run",
            installation.executions,
            (all) => completed(all) >= 50 && Emulators.withStatus(all, "running") > 0
          )
          yield* first.kill("SIGKILL")
          assert.deepStrictEqual(yield* first.exit, { code: null, signal: "SIGKILL" })
          assert.isBelow(completed(yield* installation.executions), names.length)

          yield* WorkerProcess.start(env)
          const all = yield* eventually(
            "all tasks are done",
            installation.executions,
            (executions) => completed(executions) === names.length
          )
          assert.strictEqual(all.length, names.length)
          assert.isTrue(all.every(({ error }) => error === null))
          yield* eventually("no message is left", Emulators.depth(installation.tasks), (left) => left === 0)
          assert.deepStrictEqual(yield* Emulators.blobNames(installation, "killed"), outputsOf(names))
          assert.strictEqual(yield* Emulators.depth(installation.poison), 0)
        }),
      300_000
    )

    it.scoped(
      "SIGTERM: what runs is finished, the exit code is 0, everything else is visible at once and costs no attempt",
      () =>
        Effect.gen(function* () {
          const names = Tasks.names(40)
          const installation = yield* withTasks("stopped", names)
          const env = { ...installation.env, NUM_SOURCE_WORKERS: "0", NUM_PROCESSING_WORKERS: "2" }
          const first = yield* WorkerProcess.start(env)
          yield* eventually(
            "8 tasks are done while others run",
            installation.executions,
            (all) => completed(all) >= 8 && Emulators.withStatus(all, "running") > 0
          )
          yield* first.kill("SIGTERM")
          assert.deepStrictEqual(yield* first.exit, { code: 0, signal: null })
          // The default visibility timeout is five minutes: what is visible now was let go.
          const waiting = yield* Emulators.visible(installation.tasks)
          const executions = yield* installation.executions
          assert.isAbove(waiting.length, 0)
          assert.strictEqual(waiting.length, yield* Emulators.depth(installation.tasks))
          assert.strictEqual(waiting.length + completed(executions), names.length)
          assert.strictEqual(Emulators.withStatus(executions, "running"), 0)
          assert.deepStrictEqual(
            waiting.map(({ messageText }) => retriesOf(messageText)),
            waiting.map(() => 0)
          )

          yield* WorkerProcess.start(env)
          yield* eventually("all tasks are done", installation.executions, (all) => completed(all) === names.length)
          assert.deepStrictEqual(yield* Emulators.blobNames(installation, "stopped"), outputsOf(names))
        }),
      300_000
    )

    it.scoped(
      "SIGTERM with tasks that hang: after the grace they are given back, and no attempt is counted",
      () =>
        Effect.gen(function* () {
          const names = Tasks.names(4)
          const installation = yield* withTasks("hanging", names)
          const blobs = yield* FaultServer.make
          blobs.answer(FaultServer.silence)
          const connection = installation.env.AZURE_STORAGE_CONNECTION_STRING.replace(
            /BlobEndpoint=[^;]+/,
            `BlobEndpoint=${blobs.url}/devstoreaccount1`
          )
          const worker = yield* WorkerProcess.start({
            ...installation.env,
            AZURE_STORAGE_CONNECTION_STRING: connection,
            NUM_SOURCE_WORKERS: "0",
            NUM_PROCESSING_WORKERS: "2",
            SHUTDOWN_GRACE_SECONDS: "1"
          })
          yield* eventually(
            "two tasks write",
            Effect.sync(() => blobs.seen.length),
            (seen) => seen >= 2
          )
          yield* worker.kill("SIGTERM")
          assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
          const waiting = yield* Emulators.visible(installation.tasks)
          assert.deepStrictEqual(
            waiting.map(({ messageText }) => retriesOf(messageText)),
            [0, 0, 0, 0]
          )
          const executions = yield* installation.executions
          assert.strictEqual(executions.length, 2)
          for (const execution of executions) {
            assert.strictEqual(execution["status"], "pending")
            assert.match(String(execution["status_message"]), /no attempt counted/)
            assert.strictEqual(execution["error"], null)
          }

          yield* WorkerProcess.start({ ...installation.env, NUM_SOURCE_WORKERS: "0" })
          yield* eventually("all tasks are done", installation.executions, (all) => completed(all) === names.length)
          assert.deepStrictEqual(yield* Emulators.blobNames(installation, "hanging"), outputsOf(names))
        }),
      300_000
    )
  })
})
