import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as WorkerProcess from "../support/WorkerProcess.ts"
import * as Fleet from "./Fleet.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-preload-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const pipeline = `
pipeline:
  name: obedient
  executors: [{id: obey, type: pass_through}]
  execution_sequence: [obey]
`

/** Runs one document with this text in a process that loads what a worker of a chaos run loads, its clock this much off. */
const process = Effect.fnUntraced(function* (text: string, clockMillis: number) {
  const folder = yield* temporary
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const item = {
    id: { canonical_id: "document", unique_id: "document" },
    summary_data: {},
    data: { document_output: { text } },
    executor_logs: []
  }
  const items = file("items.json", JSON.stringify([item]))
  const command = ["run", file("pipeline.yaml", pipeline), "--items", items]
  const env = { CHAOS_CLOCK: file("clock", String(clockMillis)) }
  const worker = yield* WorkerProcess.run(command, env, { ...WorkerProcess.own, preload: Fleet.preload })
  return { ending: yield* worker.exit, stderr: worker.stderr(), stdout: worker.stdout() }
})

describe("What a worker of a chaos run loads before itself", () => {
  it.scopedLive("a document that says so takes its time, and the process has the clock that it is given", () =>
    Effect.gen(function* () {
      const before = performance.now()
      const { ending, stdout } = yield* process("It lingers 1200 ms.", 40 * 24 * 3_600_000)
      assert.deepStrictEqual(ending, { code: 0, signal: null })
      assert.isAbove(performance.now() - before, 1_200)
      const [result]: ReadonlyArray<{ readonly executor_logs: ReadonlyArray<{ readonly end_time: string }> }> =
        JSON.parse(stdout)
      const ahead = Date.parse(result?.executor_logs[0]?.end_time ?? "") - Date.now()
      assert.isAbove(ahead, 39 * 24 * 3_600_000)
    })
  )

  it.scopedLive("a document that says so kills the process, which tells its name", () =>
    Effect.gen(function* () {
      const { ending, stderr } = yield* process("It kills its worker.", 0)
      assert.deepStrictEqual(ending, { code: null, signal: "SIGKILL" })
      assert.include(stderr, "A document kills its worker: document")
    })
  )
})
