import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import * as FolderWorker from "../../src/FolderWorker.ts"
import { cli, folder } from "./Captured.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const built = join(root, "dist/main.js")

const isDeno = "Deno" in globalThis

/** The worker's command line on the runtime that runs the tests. Node runs what `npm run build` made. */
const program = isDeno
  ? [process.execPath, "run", "-A", "--config", join(root, "deno.json"), join(root, "src/main.ts")]
  : [process.execPath, built]

/** A line of a shell in which `"$@"` is the worker. */
const shell = (line: string, cwd: string) =>
  Effect.promise(
    () =>
      new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
        const child = spawn("bash", ["-c", line, "bash", ...program], { cwd, stdio: ["ignore", "pipe", "pipe"] })
        const text = { stdout: "", stderr: "" }
        child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk))
        child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk))
        child.on("close", (code) => resolve({ code, ...text }))
      })
  )

const pipeline = "name: Pass\nexecutors: [{id: a, type: pass_through}]\nexecution_sequence: [a]\n"

const items = JSON.stringify(
  Array.from({ length: 2_000 }, (_, index) => ({
    id: { canonical_id: `i${index}`, unique_id: `u${index}` },
    data: { text: "x".repeat(500) }
  }))
)

describe.skipIf(!isDeno && !existsSync(built))("the process", () => {
  it.scoped(
    "takes items from standard input, writes the result alone on standard output, and lets a reader leave early",
    () =>
      Effect.gen(function* () {
        const files = yield* folder({ "p.yaml": pipeline, "items.json": items })
        const whole = yield* shell('"$@" run p.yaml --items - < items.json', files.path)
        assert.strictEqual(whole.code, 0, whole.stderr)
        assert.strictEqual(JSON.parse(whole.stdout).length, 2_000)
        assert.include(whole.stderr, "Pipeline Pass: 2000 items in, 2000 out")
        const early = yield* shell(
          'set -o pipefail; "$@" run p.yaml --items items.json 2> err | head -c 1; code=$?; cat err >&2; exit $code',
          files.path
        )
        assert.deepStrictEqual([early.code, early.stdout], [0, "["], early.stderr)
        assert.include(early.stderr, "2000 out")
        assert.notMatch(early.stderr, /EPIPE|[Bb]roken pipe/)
      }),
    120_000
  )

  it.scoped(
    "ends with 130 on Ctrl+C and with 143 when it is ended, having told how far it came, and quietly without a reader",
    () =>
      Effect.gen(function* () {
        const files = yield* folder({
          "p.yaml": pipeline,
          "wait.mjs": `
            import { mkdirSync, writeFileSync } from "node:fs"
            mkdirSync("docs")
            for (let i = 0; i < 4_000; i++) writeFileSync("docs/" + i + ".txt", "x".repeat(1_000))`
        })
        yield* shell('node wait.mjs || "$1" run -A wait.mjs', files.path)
        // The signal comes when the first result is there.
        const interrupted = (signal: string) =>
          shell(
            `"$@" run p.yaml docs --json --jobs 1 2> err > >(head -1 > first; kill -${signal} "$(cat pid)"; cat > /dev/null) & echo $! > pid; wait "$(cat pid)"; code=$?; cat err; exit $code`,
            files.path
          )
        const stopped = yield* interrupted("INT")
        assert.strictEqual(stopped.code, 130, stopped.stdout)
        assert.match(stopped.stdout, /Pipeline Pass: 4000 documents, \d+ completed, 0 failed, interrupted, /)
        assert.strictEqual((yield* interrupted("TERM")).code, 143)
        const early = yield* shell(
          'set -o pipefail; "$@" run p.yaml docs --json 2> err | head -1; code=$?; tail -3 err >&2; exit $code',
          files.path
        )
        assert.strictEqual(early.code, 0, early.stderr)
        assert.strictEqual(JSON.parse(early.stdout).status, "completed")
        assert.notMatch(early.stderr, /EPIPE|[Bb]roken pipe|4000 completed/)
      }),
    120_000
  )

  it.scoped(
    "watches until its reader goes away or Ctrl+C, and ends well",
    () =>
      Effect.gen(function* () {
        const files = yield* folder({})
        yield* Effect.scoped(Layer.build(FolderWorker.ports({ folder: files.path })))
        const early = yield* shell('set -o pipefail; "$@" workers ls --watch | head -3', files.path)
        assert.strictEqual(early.code, 0, early.stderr)
        assert.match(early.stdout, /every 2s\n\nNo worker has told of itself/)
        assert.strictEqual(early.stderr, "")
        const ended = yield* shell(
          '"$@" vaults ls --watch > >(head -1 > /dev/null; kill -INT "$(cat pid)"; cat > /dev/null) & echo $! > pid; wait "$(cat pid)"',
          files.path
        )
        assert.deepStrictEqual([ended.code, ended.stderr], [0, ""])
      }),
    120_000
  )

  it.scoped(
    "ends with 1 on errors and with 2 on wrong usage",
    () =>
      Effect.gen(function* () {
        const files = yield* folder({
          "bad.yaml": "name: Bad\nexecutors: [{id: a, type: nothing}]\nexecution_sequence: [a]\n"
        })
        const bad = yield* shell('"$@" validate bad.yaml', files.path)
        assert.strictEqual(bad.code, 1)
        assert.match(bad.stdout, /^bad\.yaml:2:\d+: error: /)
        assert.match(bad.stderr, /^1 file: \d errors?, \d warnings?\n$/)
        const wrong = yield* shell('"$@" validate', files.path)
        assert.deepStrictEqual([wrong.code, wrong.stdout], [2, ""])
        assert.include(wrong.stderr, "Missing argument <FILE>")
      }),
    120_000
  )
})

describe("the command line", () => {
  it.effect("explains every command", () =>
    Effect.gen(function* () {
      for (const command of ["run", "validate", "executors"]) {
        const { code, stderr, stdout } = yield* cli([command, "--help"])
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.include(stdout, "OPTIONS")
      }
      const all = yield* cli(["--help"])
      for (const command of ["run", "validate", "executors"]) assert.include(all.stdout, `- ${command}`)
    })
  )

  it.effect("tells wrong usage on standard error alone", () =>
    Effect.gen(function* () {
      const told: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
        [["run"], "Missing argument <FILE>"],
        [["run", "p.yaml", "--items", "i.json", "--documents", "."], "not both"],
        [["run", "p.yaml", "--documents", "/no/such/folder"], "/no/such/folder: there is no such file or folder"],
        [["run", "p.yaml", "--item", "x"], "--item"],
        [["run", "p.yaml", "q.yaml"], "q.yaml"],
        [["validate", "p.yaml", "--graf"], "--graf"]
      ]
      for (const [args, message] of told) {
        const { code, stderr, stdout } = yield* cli(args)
        assert.deepStrictEqual([code, stdout], [2, ""], args.join(" "))
        assert.include(stderr, message)
      }
    })
  )
})
