import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { CosmosServer } from "../../src/testing/CosmosServer.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { type AddressInfo, connect, createServer } from "node:net"
import * as WorkerProcess from "../support/WorkerProcess.ts"

/** Nobody is helped by a stack trace. */
const assertPlain = (text: string) => {
  assert.notMatch(text, /^\s+at /m)
  assert.notInclude(text, "node_modules")
  assert.notInclude(text, "file://")
}

/** A process that must refuse to start; what it says. */
const refused = (env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const worker = yield* WorkerProcess.run(["start"], env)
    assert.deepStrictEqual(yield* worker.exit, { code: 1, signal: null }, worker.stderr())
    assertPlain(worker.stderr())
    assertPlain(worker.stdout())
    return worker.stderr()
  })

/** An address of this machine that refuses connections until it is opened as a way to `target`. */
const lateAddress = (target: string) =>
  Effect.gen(function* () {
    const to = new URL(target)
    const server = createServer((socket) => {
      const onward = connect(Number(to.port), to.hostname)
      socket.on("error", () => onward.destroy())
      onward.on("error", () => socket.destroy())
      socket.pipe(onward)
      onward.pipe(socket)
    })
    const listen = (port: number) =>
      Effect.async<number>((resume) => {
        server.listen(port, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
      })
    const close = Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
    const port = yield* listen(0)
    yield* close
    yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
    return { url: `${to.protocol}//127.0.0.1:${port}/`, open: listen(port) }
  })

interface Status {
  readonly running: boolean
  readonly processing_workers: { readonly active: number; readonly workers: ReadonlyArray<{ readonly pid: number }> }
}

const statusAt = async (url: string): Promise<Status> =>
  (await fetch(`${url}/status`).then((answer) => answer.json())) as Status

describe("The start of a worker process", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "without any setting tells the ways there are before what is missing",
      () =>
        Effect.gen(function* () {
          const said = yield* refused({})
          assert.match(said, /three ways[^\n]+`demo`[^\n]+`serve FOLDER`[^\n]+`start`[^\n]+\n\n[^]*COSMOS_DB_ENDPOINT/)
          const partly = yield* refused({ COSMOS_DB_ENDPOINT: "https://acct.documents.azure.com:443/" })
          assert.notInclude(partly, "three ways")
        }),
      300_000
    )

    it.scoped(
      "names every missing and wrong setting at once",
      () =>
        Effect.gen(function* () {
          const said = yield* refused({ NUM_PROCESSING_WORKERS: "many", QUEUE_MAX_MESSAGES: "33" })
          for (const name of [
            "COSMOS_DB_ENDPOINT",
            "STORAGE_ACCOUNT_WORKER_QUEUE_URL",
            "BLOB_STORAGE_ACCOUNT_NAME",
            "NUM_PROCESSING_WORKERS",
            "QUEUE_MAX_MESSAGES"
          ]) {
            assert.include(said, name)
          }
        }),
      300_000
    )

    it.scoped(
      "shows no secret that stands in a wrong setting, and names LOG_FILE beside the other mistakes",
      () =>
        Effect.gen(function* () {
          const key = Buffer.from("no key of anything, but as long: 0123456789 abcdefghijkl").toString("base64")
          const said = yield* refused({
            COSMOS_DB_ENDPOINT: `AccountEndpoint=https://acct.documents.azure.com:443/;AccountKey=${key};`,
            COSMOS_DB_NAME: key,
            WORKER_NAME: key,
            API_HOST: `https://admin:${key}@host`,
            STORAGE_ACCOUNT_WORKER_QUEUE_URL: `https://acct.queue.core.windows.net/?sv=1&sig=${encodeURIComponent(key)}`,
            STORAGE_WORKER_QUEUE_NAME: key,
            BLOB_STORAGE_ACCOUNT_NAME: `AccountName=acct;AccountKey=${key}`,
            PIPELINE_ENV_ALLOWLIST: `API_KEY=${key}`,
            NUM_PROCESSING_WORKERS: key,
            LOG_LEVEL: key,
            LOG_FILE: `/no/such/folder/${key}`
          })
          assert.notInclude(said, key.slice(0, 8))
          for (const name of ["COSMOS_DB_NAME", "WORKER_NAME", "API_HOST", "LOG_LEVEL", "LOG_FILE"])
            assert.include(said, name)
          assert.match(said, /LOG_FILE .*its folder does not exist/)
          assert.match(yield* refused({ LOG_FILE: "/" }), /LOG_FILE "\/" is a folder/)
        }),
      300_000
    )

    it.scoped(
      "refuses a missing queue and missing containers together, and says how to get them",
      () =>
        Effect.gen(function* () {
          const { env } = yield* Emulators.bareInstallation("nothing-there")
          const said = yield* refused({ ...WorkerProcess.usual, ...env })
          assert.match(said, /queue nothing-there\b.*CREATE_MISSING_RESOURCES/s)
          assert.match(said, /database nothing-there\b/)
        }),
      300_000
    )

    it.scoped(
      "creates what is missing when it may",
      () =>
        Effect.gen(function* () {
          const { documents, env, tasks } = yield* Emulators.bareInstallation("made-by-worker")
          const worker = yield* WorkerProcess.start({ ...env, CREATE_MISSING_RESOURCES: "true" })
          yield* worker.url
          assert.isTrue(yield* Effect.promise(() => tasks.exists()))
          assert.deepStrictEqual(yield* documents.locks.where({ pipeline_id: "none" }), [])
        }),
      300_000
    )

    it.scoped(
      "an installation that exists needs no permission to create, answers over HTTP, and ends on SIGINT",
      () =>
        Effect.gen(function* () {
          const { env } = yield* Emulators.installation("existing")
          const worker = yield* WorkerProcess.start(env)
          const url = yield* worker.url
          const status = yield* Effect.promise(() => statusAt(url))
          assert.strictEqual(status.running, true)
          assert.strictEqual(status.processing_workers.active, 4)
          assert.strictEqual(status.processing_workers.workers[0]?.pid, worker.pid)
          const ready = yield* Effect.promise(() => fetch(`${url}/health/ready`))
          assert.strictEqual(ready.status, 200)
          yield* worker.kill("SIGINT")
          assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
        }),
      300_000
    )

    it.scoped(
      "is not refused by a service that is busy for a moment",
      () =>
        Effect.gen(function* () {
          const { env } = yield* Emulators.installation("busy-at-first")
          const cosmos = yield* CosmosServer
          cosmos.answerNext({ status: 503, times: 2, when: ({ path }) => path.startsWith("/dbs/busy-at-first") })
          const worker = yield* WorkerProcess.start(env)
          yield* worker.url
        }),
      300_000
    )

    it.scoped(
      "answers over HTTP while nothing listens at an endpoint, tells each try, and runs once it does",
      () =>
        Effect.gen(function* () {
          const { env } = yield* Emulators.installation("late")
          const late = yield* lateAddress(env["COSMOS_DB_ENDPOINT"] ?? "")
          const worker = yield* WorkerProcess.start({
            ...env,
            COSMOS_DB_ENDPOINT: late.url,
            STARTUP_TIMEOUT_SECONDS: "0"
          })
          const url = yield* worker.address
          const told = yield* worker.logged("can't start yet (try 2)")
          assert.match(told.message, /COSMOS_DB_ENDPOINT.* Next try in [\d.]+ s$/)
          const live = yield* Effect.promise(() => fetch(`${url}/health/live`))
          assert.strictEqual(live.status, 200)
          const ready = yield* Effect.promise(() => fetch(`${url}/health/ready`))
          const { starting } = (yield* Effect.promise(() => ready.json())) as {
            readonly starting: { readonly missing: ReadonlyArray<string> }
          }
          assert.strictEqual(ready.status, 503)
          assert.match(starting.missing.join(), /COSMOS_DB_ENDPOINT/)
          assert.isFalse((yield* Effect.promise(() => statusAt(url))).running)
          yield* late.open
          yield* worker.url
          assert.isTrue((yield* Effect.promise(() => statusAt(url))).running)
        }),
      300_000
    )

    it.scoped(
      "ends with the reasons when services stay away for too long",
      () =>
        Effect.gen(function* () {
          const { env } = yield* Emulators.installation("never")
          const said = yield* refused({
            ...WorkerProcess.usual,
            ...env,
            COSMOS_DB_ENDPOINT: (yield* lateAddress("http://127.0.0.1:1")).url,
            STARTUP_TIMEOUT_SECONDS: "3"
          })
          assert.match(said, /Check COSMOS_DB_ENDPOINT/)
          assert.match(said, /STARTUP_TIMEOUT_SECONDS/)
        }),
      300_000
    )

    it.scoped(
      "stops in order while it waits",
      () =>
        Effect.gen(function* () {
          const { env } = yield* Emulators.installation("stopped-early")
          const { url } = yield* lateAddress("http://127.0.0.1:1")
          const worker = yield* WorkerProcess.start({ ...env, COSMOS_DB_ENDPOINT: url })
          yield* worker.logged("can't start yet")
          yield* worker.kill("SIGTERM")
          assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
        }),
      300_000
    )

    it.scoped(
      "wrong usage ends with code 2",
      () =>
        Effect.gen(function* () {
          const worker = yield* WorkerProcess.run(["strat"], {})
          assert.deepStrictEqual(yield* worker.exit, { code: 2, signal: null })
          assertPlain(worker.stderr() + worker.stdout())
        }),
      300_000
    )
  })
})
