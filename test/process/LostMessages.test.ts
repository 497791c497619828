import { assert, describe, layer } from "@effect/vitest"
import { Duration, Effect, Scope } from "effect"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"

const definition = (container: string) => `
pipeline:
  name: lost
  executors:
    - {id: discover, type: azure_blob_input_discovery,
       settings: {blob_storage_account: devstoreaccount1, blob_container_name: ${container}, polling_interval_seconds: 1}}
    - {id: fetch, type: azure_blob_content_retriever,
       settings: {include_content_bytes_as_field: true, use_temp_file_for_content: false}}
  edges: [{from: discover, to: fetch}]
`

describe("The messages of a vault's tasks are cleared from the queue", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "its documents are processed all the same, in the version that was found",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("lost-messages")
          yield* Emulators.upload(installation, "lost-messages", { "a.txt": "a", "b.txt": "b", "c.txt": "c" })
          yield* Emulators.register(installation, "lost", definition("lost-messages"), { save_execution_output: false })
          const config = { visibilityTimeout: Duration.seconds(2), lockTtl: Duration.seconds(10) }
          const executions = Emulators.executionsOf(installation, "lost-vault")
          const finder = yield* Scope.make()
          const crawling = Emulators.engine(installation, { ...config, processingWorkers: 0 }, [])
          yield* Scope.extend(crawling, finder)
          yield* eventually(
            "all are queued",
            executions,
            (all) => all.length === 3 && all.every(({ enqueued_at }) => typeof enqueued_at === "string")
          )
          yield* Scope.close(finder, yield* Effect.exit(Effect.void))
          yield* Effect.promise(() => installation.tasks.clearMessages())
          yield* Emulators.upload(installation, "lost-messages", { "b.txt": "another b" })

          yield* Emulators.engine(installation, config, [])
          const ended = yield* eventually(
            "all have ended",
            executions,
            (all) => all.length === 4 && Emulators.withStatus(all, "completed") === 4
          )
          const texts = ended.map(({ status_message }) => String(status_message)).toSorted()
          assert.deepStrictEqual(
            texts.slice(0, 3),
            Array.from({ length: 3 }, () => "Execution completed")
          )
          assert.match(texts[3] ?? "", /^Nothing was left to process: .*b\.txt was replaced/)
          yield* eventually("no message is left", Emulators.depth(installation.tasks), (depth) => depth === 0)
          assert.isFalse(yield* Effect.promise(() => installation.poison.exists()))
        }),
      480_000
    )
  })
})
