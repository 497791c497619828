import { assert, describe, layer } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as FaultServer from "../support/FaultServer.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

interface Poison {
  readonly reason: string
  readonly dequeue_count: number
  readonly body: string
  readonly died_attempts: ReadonlyArray<{
    readonly started_at: string
    readonly worker: string
    readonly at_work: ReadonlyArray<{ readonly executor_id: string; readonly items: ReadonlyArray<string> }>
  }>
}

describe("A document that kills its worker", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "is set aside after CRASH_LIMIT deaths, with the executor that was at work, the document and the times; others are not harmed",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("deadly")
          yield* Emulators.register(installation, "deadly", Tasks.chunking("deadly"))
          yield* Tasks.enqueue(installation, "deadly", ["deadly.pdf"])
          // Whoever writes the result is killed at that moment: the write arrives here and is never answered.
          const die = Effect.scoped(
            Effect.gen(function* () {
              const blobs = yield* FaultServer.make
              const written = yield* Deferred.make<void>()
              blobs.answer((response, request) => {
                if (request.url?.startsWith("/devstoreaccount1/deadly") !== true)
                  return FaultServer.status(403, {}, "AuthorizationFailure")(response, request)
                Deferred.unsafeDone(written, Effect.void)
                FaultServer.silence(response, request)
              })
              const worker = yield* WorkerProcess.start({
                ...installation.env,
                AZURE_STORAGE_CONNECTION_STRING: installation.env.AZURE_STORAGE_CONNECTION_STRING.replace(
                  /BlobEndpoint=[^;]+/,
                  `BlobEndpoint=${blobs.url}/devstoreaccount1`
                ),
                NUM_SOURCE_WORKERS: "0",
                QUEUE_VISIBILITY_TIMEOUT_SECONDS: "10"
              })
              yield* Deferred.await(written)
              const [execution] = yield* Emulators.executionsOf(installation, "deadly-vault")
              yield* worker.kill("SIGKILL")
              yield* worker.exit
              return String(execution?.["started_at"])
            })
          )
          const began = [yield* die, yield* die, yield* die] as const
          assert.strictEqual(new Set(began).size, 3)

          const worker = yield* WorkerProcess.start({ ...installation.env, NUM_SOURCE_WORKERS: "0" })
          yield* Emulators.upload(installation, "deadly", {})
          const [failed] = yield* eventually(
            "the message is set aside",
            Emulators.executionsOf(installation, "deadly-vault"),
            (all) => Emulators.withStatus(all, "failed") === 1
          )
          const document = Tasks.item("deadly.pdf").id.canonical_id
          const error = String(failed?.["error"])
          assert.include(error, "3 workers died")
          assert.include(error, "CRASH_LIMIT")
          assert.include(error, "handed out 4 times")
          for (const time of began) assert.include(error, time)
          assert.include(error, `Last seen at work: write (azure_blob_output) on ${document}`)
          assert.include(error, `in the attempt of ${began[2]}`)
          const events = failed?.["events"] as ReadonlyArray<Readonly<Record<string, unknown>>>
          assert.deepStrictEqual(
            events.map(({ event_type, executor_id, timestamp }) => [timestamp, event_type, executor_id]),
            // The first attempt left nothing but the time at which it began.
            [
              [began[0], "attempt_died", null],
              [began[1], "attempt_died", "write"],
              [began[2], "attempt_died", "write"]
            ]
          )

          const [message] = yield* eventually(
            "it lies in the poison queue",
            Emulators.visible(installation.poison),
            (messages) => messages.length === 1
          )
          const poison: Poison = JSON.parse(message?.messageText ?? "")
          assert.strictEqual(poison.reason, error)
          assert.strictEqual(poison.dequeue_count, 4)
          assert.deepStrictEqual(
            poison.died_attempts.map(({ at_work, started_at }) => [started_at, at_work.map((each) => each.items)]),
            [
              [began[0], []],
              [began[1], [[document]]],
              [began[2], [[document]]]
            ]
          )
          assert.strictEqual(JSON.parse(poison.body).payload.content[0].id.canonical_id, document)
          yield* eventually("no message is left", Emulators.depth(installation.tasks), (left) => left === 0)

          yield* Tasks.enqueue(installation, "deadly", ["harmless"])
          yield* eventually(
            "the next document is processed",
            Emulators.executionsOf(installation, "deadly-vault"),
            (all) => Emulators.withStatus(all, "completed") === 1
          )
          assert.deepStrictEqual(yield* Emulators.blobNames(installation, "deadly"), ["out/harmless.json"])
          assert.isUndefined(worker.log().find(({ level }) => level === "FATAL"))
        }),
      300_000
    )
  })
})
