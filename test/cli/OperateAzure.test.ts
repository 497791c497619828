import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Emulators from "../../src/testing/Emulators.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { cli } from "./Captured.ts"

it.layer(Emulators.emulators)("commands on an installation on Azure", (it) => {
  it.scoped("find it by the worker's settings, and act on it", () =>
    Effect.gen(function* () {
      const { documents, env } = yield* Emulators.installation("operate")
      yield* Effect.orDie(documents.pipelines.upsert(Engine.pipeline))
      yield* Effect.orDie(documents.vaults.upsert({ ...Engine.vault, name: "Invoices" }))
      yield* Effect.orDie(
        documents.executions.upsert(
          Engine.execution(1, { status: "failed", error: "Rate limit", content: [Engine.item("doc-1.pdf")] })
        )
      )
      const run = (...words: ReadonlyArray<string>) => cli([...words, "--azure"], env)
      const listed = yield* run("executions", "ls", "--status", "failed")
      assert.strictEqual(listed.code, 0, listed.stderr)
      assert.match(listed.stdout, /exec_1 +failed .*doc-1\.pdf +Rate limit/)
      assert.match((yield* run("executions", "retry", "exec_1")).stdout, /retry exec_1: done/)
      assert.match((yield* run("executions", "ls")).stdout, /exec_1 +pending/)
      assert.strictEqual((yield* run("poison", "ls")).stdout.trim(), "There are no such messages in the poison queue.")
      assert.strictEqual((yield* run("vaults", "pause", "Invoices")).code, 0)
      assert.match((yield* run("vaults", "ls")).stdout, /crawling and processing paused/)
    })
  )

  it.scoped("foresee what a vault of it would do, and write nothing", () =>
    Effect.gen(function* () {
      const { blobs, documents, env, settings, tasks } = yield* Emulators.installation("plan")
      const account = settings.blobAccountName
      const yaml = JSON.stringify({
        pipeline: {
          name: "papers",
          executors: [
            {
              id: "find",
              type: "azure_blob_input_discovery",
              settings: { blob_storage_account: account, blob_container_name: "plan-in" }
            },
            { id: "fetch", type: "content_retriever" },
            { id: "read", type: "document_extractor" },
            {
              id: "name",
              type: "text_summarizer",
              settings: { endpoint: "http://127.0.0.1:9/v1", deployment_name: "m", input_field: "document_output.text" }
            }
          ],
          execution_sequence: ["find", "fetch", "read", "name"]
        }
      })
      yield* Effect.orDie(documents.pipelines.upsert({ ...Engine.pipeline, yaml }))
      yield* Effect.orDie(documents.vaults.upsert({ ...Engine.vault, name: "Papers" }))
      const container = blobs.getContainerClient("plan-in")
      yield* Effect.promise(() => container.create())
      for (const name of ["a.md", "b.md"]) {
        yield* Effect.promise(() => container.getBlockBlobClient(name).upload(`# ${name}`, 6))
      }
      const told = yield* cli(["plan", "--vault", "Papers", "--azure", "--json"], env)
      assert.strictEqual(told.code, 0, told.stderr)
      const plan = JSON.parse(told.stdout)
      assert.deepInclude(plan.documents, { which: "new", listed: 2, run: 2 })
      assert.deepStrictEqual(
        plan.steps.map((step: Record<string, unknown>) => [step["executor_id"], step["computed"]]),
        [
          ["fetch", 2],
          ["read", 2],
          ["name", 2]
        ]
      )
      assert.deepStrictEqual(plan.cost.unknown, ["name"])
      for (const empty of [documents.executions, documents.checkpoints]) {
        assert.isEmpty(yield* Effect.orDie(empty.where({ vault_id: Engine.vault.id })))
      }
      assert.strictEqual((yield* Effect.promise(() => tasks.getProperties())).approximateMessagesCount, 0)
      const own = blobs.getContainerClient("contentflow-tasks")
      assert.isFalse(yield* Effect.promise(() => own.exists()))
    })
  )
})
