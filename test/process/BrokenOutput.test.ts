import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Exposition from "../http/Exposition.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const passing = `
pipeline:
  name: pass
  executors:
    - {id: pass, type: pass_through}
  edges: []
`

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-output-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A line of a shell in which `"$@"` is the worker's command. */
const shell = (line: string, args: ReadonlyArray<string>, cwd: string, env: Readonly<Record<string, string>> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn("bash", ["-c", line, "bash", ...WorkerProcess.commandLine(args)], {
        cwd,
        env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
        stdio: ["ignore", "ignore", "pipe"]
      })
      const text = { stderr: "" }
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk))
      const exit = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)))
      return { child, exit: Effect.promise(() => exit), stderr: () => text.stderr }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

describe("Output that nobody takes", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    for (const format of ["json", "pretty", "logfmt"]) {
      it.scoped(
        `does not end a worker that logs as ${format}: it goes on, counts the lines, and stops in order`,
        () =>
          Effect.gen(function* () {
            const installation = yield* Emulators.installation(`no-reader-${format}`)
            yield* Emulators.register(installation, "pass", passing)
            const file = join(yield* folder, "worker.log")
            const worker = yield* WorkerProcess.start({ ...installation.env, LOG_FORMAT: format, LOG_FILE: file })
            const log = Effect.sync(() => (existsSync(file) ? readFileSync(file, "utf8") : ""))
            const running = yield* eventually("the engine runs", log, (text) => text.includes("The engine runs"))
            const url = /Listening on (http:\/\/[\d.:]+)/.exec(running)?.[1] ?? ""
            yield* worker.closeOutput
            yield* Effect.promise(() => installation.tasks.sendMessage("no task"))
            yield* Effect.promise(() => installation.tasks.sendMessage(Tasks.message("pass", "one", Tasks.item("one"))))
            yield* eventually(
              "the document is completed",
              Emulators.executionsOf(installation, "pass-vault"),
              (all) => Emulators.withStatus(all, "completed") === 1
            )
            // The pretty logger writes by the console, which on Deno is silent about a reader that has gone.
            if (format !== "pretty" || WorkerProcess.own.name === "Node") {
              yield* eventually("the loss is told", log, (text) =>
                /can't be written.*lines of the log were lost/.test(text)
              )
              const metrics = yield* Effect.promise(async () => (await fetch(`${url}/metrics`)).text())
              assert.isAtLeast(Exposition.valueOf(Exposition.parse(metrics), "contentflow_log_lines_lost_total"), 1)
            }
            yield* worker.kill("SIGTERM")
            assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
            assert.notMatch(worker.stderr(), /EPIPE|[Bb]roken pipe/)
          }),
        300_000
      )
    }

    it.scoped(
      "does not end a worker whose log fills a disk, nor one whose standard error is gone",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("full-disk")
          const cwd = yield* folder
          const log = join(cwd, "worker.log")
          const run = yield* shell('exec "$@" > /dev/full 2>&-', ["start"], cwd, {
            ...WorkerProcess.usual,
            ...installation.env,
            LOG_FILE: log
          })
          yield* eventually(
            "the engine runs",
            Effect.sync(() => (existsSync(log) ? readFileSync(log, "utf8") : "")),
            (text) => text.includes("The engine runs")
          )
          process.kill(run.child.pid ?? 0, "SIGTERM")
          assert.strictEqual(yield* run.exit, 0)
        }),
      300_000
    )

    it.scoped(
      "is a failure of a command whose result it is, unless the reader has seen enough",
      () =>
        Effect.gen(function* () {
          const cwd = yield* folder
          writeFileSync(
            join(cwd, "p.yaml"),
            "name: Pass\nexecutors: [{id: a, type: pass_through}]\nexecution_sequence: [a]\n"
          )
          writeFileSync(join(cwd, "items.json"), JSON.stringify([{ id: { canonical_id: "1", unique_id: "1" } }]))
          for (const args of [
            ["run", "p.yaml", "--items", "items.json"],
            ["executors", "--json"]
          ]) {
            const full = yield* shell('exec "$@" > /dev/full', args, cwd)
            assert.strictEqual(yield* full.exit, 1, full.stderr())
            assert.match(full.stderr(), /ENOSPC|[Nn]o space/)
            assert.notMatch(full.stderr(), /^\s+at /m)
            const early = yield* shell('set -o pipefail; "$@" | true', args, cwd)
            assert.strictEqual(yield* early.exit, 0, early.stderr())
            assert.notMatch(early.stderr(), /EPIPE|[Bb]roken pipe/)
          }
        }),
      300_000
    )
  })
})
