import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Emulators from "../support/Emulators.ts"
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
})
