import { Console, Deferred, Effect, Exit, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { eventually } from "../../src/testing/Eventually.ts"

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A command of the worker as a process of its own. */
export interface WorkerProcess {
  readonly pid: number
  /** Everything that it wrote so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** The lines of its log so far. */
  readonly log: () => ReadonlyArray<LogLine>
  /** Completes when a line of its log has this in its message. */
  readonly logged: (part: string) => Effect.Effect<LogLine>
  /** Where its HTTP server listens, once it does. */
  readonly address: Effect.Effect<string>
  /** The same, once the engine runs, too. */
  readonly url: Effect.Effect<string>
  /** Stops reading its standard output, as a log shipper that goes away. */
  readonly closeOutput: Effect.Effect<void>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly exit: Effect.Effect<Ending>
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly [annotation: string]: unknown
}

/** Of the repository: this file may run as a part of a bundle. */
export const root = (() => {
  let folder = fileURLToPath(new URL(".", import.meta.url))
  while (!existsSync(join(folder, "deno.json"))) folder = dirname(folder)
  return folder
})()

/** What runs a worker. */
export interface Runtime {
  readonly name: "Node" | "Deno"
  readonly command: string
  /** A module that it loads before the worker. */
  readonly preload?: string
}

/** The runtime that runs the tests. */
export const own: Runtime = { name: "Deno" in globalThis ? "Deno" : "Node", command: process.execPath }

/** Node runs what `npm run build` made. */
const program = ({ name, preload }: Runtime): ReadonlyArray<string> => {
  const before = preload === undefined ? [] : [name === "Deno" ? "--preload" : "--import", preload]
  if (name === "Deno") return ["run", "-A", "--config", join(root, "deno.json"), ...before, join(root, "src/main.ts")]
  const main = join(root, "dist/main.js")
  if (!existsSync(main)) throw new Error(`${main} is missing. Build it with: npm run build`)
  return [...before, main]
}

/** What starts this command, for a shell or another program in between. */
export const commandLine = (args: ReadonlyArray<string>, runtime: Runtime = own): ReadonlyArray<string> => [
  runtime.command,
  ...program(runtime),
  ...args
]

/** What a process needs of this one's environment; settings of whoever runs the tests must not reach the worker. */
const inherited = ["PATH", "HOME", "TMPDIR", "DENO_DIR"]

/** Settings for tests: quick to notice things, 4 workers, HTTP on a free port. */
export const usual = {
  NUM_PROCESSING_WORKERS: "4",
  NUM_SOURCE_WORKERS: "1",
  SCHEDULER_SLEEP_INTERVAL_SECONDS: "1",
  QUEUE_POLL_INTERVAL_SECONDS: "1",
  API_HOST: "127.0.0.1",
  API_PORT: "0"
}

/** Starts a command in an empty folder, with these settings and no others. What still runs when the scope closes is killed. */
export const run = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  runtime: Runtime = own
): Effect.Effect<WorkerProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-test-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const exited = yield* Deferred.make<Ending>()
    const kept = inherited.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value] as const]
    })
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = spawn(runtime.command, [...program(runtime), ...args], {
          cwd: folder,
          env: { ...Object.fromEntries(kept), ...env },
          stdio: ["ignore", "pipe", "pipe"]
        })
        started.on("close", (code, signal) => Deferred.unsafeDone(exited, Effect.succeed({ code, signal })))
        return started
      }),
      (started) => Effect.zipRight(signal(started, "SIGKILL"), Deferred.await(exited))
    )
    const text = { stdout: "", stderr: "" }
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text.stdout += chunk
    })
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text.stderr += chunk
    })
    yield* Effect.addFinalizer((exit) =>
      Exit.isSuccess(exit)
        ? Effect.void
        : Console.error(
            `The worker ${child.pid} wrote last:\n${text.stdout.slice(-2_000)}\n${text.stderr.slice(-2_000)}`
          )
    )
    const log = () => text.stdout.split("\n").flatMap(logLine)
    const logged = (part: string) =>
      eventually(
        `a worker logs "${part}"`,
        Effect.sync(() => ({ line: log().find(({ message }) => message.includes(part)), ...text })),
        ({ line }) => line !== undefined
      ).pipe(Effect.map(({ line }) => line ?? { level: "", message: "" }))
    const address = Effect.map(logged("Listening on http"), ({ message }) => message.replace(/^Listening on /, ""))
    return {
      pid: child.pid ?? 0,
      stdout: () => text.stdout,
      stderr: () => text.stderr,
      log,
      logged,
      address,
      url: Effect.zipRight(logged("The engine runs"), address),
      closeOutput: Effect.sync(() => void child.stdout.destroy()),
      kill: (name) => signal(child, name),
      exit: Deferred.await(exited)
    }
  })

/** Not by `child.kill`: Deno takes a process that was signalled so for one that died of the signal. */
const signal = (child: ChildProcess, name: NodeJS.Signals) =>
  Effect.sync(() => {
    const lives = child.exitCode === null && child.signalCode === null
    if (child.pid !== undefined && lives) process.kill(child.pid, name)
  })

/** `start` with the usual settings and these. */
export const start = (env: Readonly<Record<string, string>>, runtime: Runtime = own) =>
  run(["start"], { ...usual, ...env }, runtime)

const logLine = (line: string): ReadonlyArray<LogLine> => {
  if (!line.startsWith("{") || !line.endsWith("}")) return []
  return [JSON.parse(line)]
}
