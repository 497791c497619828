import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import process from "node:process"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

/** A page that never comes. */
const silentPage = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<{ readonly url: string; readonly asked: () => boolean; readonly close: () => void }>((resolve) => {
        let asked = false
        const server = createServer((request, response) => {
          if (request.url === "/robots.txt") response.writeHead(404).end()
          else asked = true
        }).listen(0, "127.0.0.1", () =>
          resolve({
            url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`,
            asked: () => asked,
            close: () => {
              server.closeAllConnections()
              server.close()
            }
          })
        )
      })
  ),
  (page) => Effect.sync(page.close)
)

const scraping = (url: string) => `
pipeline:
  name: scrape
  executors:
    - {id: scrape, type: web_scraper, settings: {start_urls: "${url}", render_js: false, allow_private_addresses: true, page_timeout_secs: 90, timeout_secs: 120}}
  edges: []
`

/** A worker in the middle of a task that does not end by itself. */
const busyWorker = (name: string, env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const installation = yield* Emulators.installation(name)
    const page = yield* silentPage
    yield* Emulators.register(installation, "slow", scraping(page.url))
    const worker = yield* WorkerProcess.start({ ...installation.env, NUM_SOURCE_WORKERS: "0", ...env })
    yield* worker.url
    yield* Effect.promise(() => installation.tasks.sendMessage(Tasks.message("slow", "one", Tasks.item("one"))))
    yield* eventually(
      "the page is asked for",
      Effect.sync(() => page.asked()),
      (asked) => asked
    )
    return { worker, installation }
  })

const canUnshare =
  process.platform === "linux" && spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]).status === 0

describe("A signal", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    for (const signal of ["SIGHUP", "SIGQUIT", "SIGUSR2"] as const) {
      it.scoped(
        `${signal} ends the worker in order: the message is visible at once`,
        () =>
          Effect.gen(function* () {
            const { installation, worker } = yield* busyWorker(`ends-on-${signal.toLowerCase()}`, {
              SHUTDOWN_GRACE_SECONDS: "0"
            })
            yield* worker.kill(signal)
            assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
            assert.lengthOf(yield* Emulators.visible(installation.tasks), 1)
          }),
        300_000
      )
    }

    it.scoped(
      "SIGUSR1 changes nothing, a closed terminal's second SIGHUP neither, and a second SIGTERM ends at once",
      () =>
        Effect.gen(function* () {
          const { worker } = yield* busyWorker("insisting", { SHUTDOWN_GRACE_SECONDS: "600" })
          const url = yield* worker.url
          yield* worker.kill("SIGUSR1")
          yield* Effect.promise(() => fetch(`${url}/health/live`))
          // Deno opens its debugger whatever listens to the signal.
          if (!("Deno" in globalThis)) assert.notMatch(worker.stderr(), /[Dd]ebugger/)
          yield* worker.kill("SIGHUP")
          yield* worker.kill("SIGHUP")
          const status = yield* eventually(
            "the worker stops",
            Effect.promise(async () => (await fetch(`${url}/health/ready`)).status),
            (status) => status === 503
          )
          assert.strictEqual(status, 503)
          yield* worker.kill("SIGTERM")
          assert.deepStrictEqual(yield* worker.exit, { code: 143, signal: null })
        }),
      300_000
    )

    it.scoped(
      "is obeyed before anything else is loaded",
      () =>
        Effect.gen(function* () {
          const preload = join(WorkerProcess.root, "test/process/EarlySignal.mjs")
          const worker = yield* WorkerProcess.run(["start"], {}, { ...WorkerProcess.own, preload })
          assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
          assert.strictEqual(worker.stdout(), "")
          assert.notInclude(worker.stderr(), "was loaded before")
          // Deno hands a signal on only when the modules that it is loading are there.
          if (WorkerProcess.own.name === "Node") assert.strictEqual(worker.stderr(), "")
        }),
      300_000
    )

    it.scoped.skipIf(!canUnshare)(
      "ends process 1, too, while it starts",
      () =>
        Effect.gen(function* () {
          const { env } = yield* Emulators.installation("process-1")
          const command = WorkerProcess.commandLine(["start"])
          const ended = yield* Effect.promise(
            () =>
              new Promise<number | null>((resolve) => {
                const child = spawn("unshare", ["--pid", "--fork", "--mount-proc", "--kill-child", ...command], {
                  env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...WorkerProcess.usual, ...env },
                  stdio: "ignore"
                })
                // Again and again, as somebody who wants it to end: a runtime that has not begun to read the program hears none.
                const ask = setInterval(() => {
                  const inner = spawnSync("pgrep", ["-P", String(child.pid)])
                    .stdout.toString()
                    .trim()
                  if (inner !== "") process.kill(Number(inner), "SIGTERM")
                }, 300)
                child.on("exit", (code) => {
                  clearInterval(ask)
                  resolve(code)
                })
              })
          )
          assert.strictEqual(ended, 0)
        }),
      300_000
    )
  })
})
