import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawn } from "node:child_process"
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import { usual } from "../support/WorkerProcess.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const onDeno = "Deno" in globalThis

/** The stages of the Dockerfile by name, each a list of instructions. */
const stages = (): ReadonlyMap<string, ReadonlyArray<string>> => {
  const text = readFileSync(join(root, "Dockerfile"), "utf8").replaceAll(/\\\n/g, " ")
  const all = new Map<string, Array<string>>()
  let current: Array<string> = []
  for (const line of text.split("\n").map((each) => each.trim())) {
    const from = /^FROM \S+ AS (\S+)$/.exec(line)
    if (from?.[1] !== undefined) {
      current = []
      all.set(from[1], current)
    } else if (line !== "" && !line.startsWith("#")) current.push(line)
  }
  return all
}

describe("The image", () => {
  for (const name of ["node", "deno"]) {
    it(`${name} runs as an unprivileged user that owns nothing but its temporary folder`, () => {
      const stage = stages().get(name) ?? []
      const user = stage.findIndex((line) => line.startsWith("USER "))
      assert.strictEqual(stage[user], "USER 10001:10001")
      // After it nothing is copied or made, and nobody becomes root again.
      for (const line of stage.slice(user + 1)) assert.match(line, /^(EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD) /)
      for (const line of stage.filter((each) => each.startsWith("COPY"))) assert.include(line, "--chown=root:root")
      const owned = stage.flatMap((line) =>
        [...line.matchAll(/chown (\S+) (\S+)/g)].map(([, who, what]) => [who, what])
      )
      assert.deepStrictEqual(owned, [["10001:10001", "/app/tmp"]])
      // No shell between the signals and the process, and no secret in the image.
      assert.match(stage.find((line) => line.startsWith("ENTRYPOINT")) ?? "", /^ENTRYPOINT \["(node|deno)"/)
      assert.notMatch(stage.join("\n"), /KEY=|SECRET=|PASSWORD=|CONNECTION_STRING=/)
    })
  }

  it("deno gives the process no more than it needs", () => {
    const entry = (stages().get("deno") ?? []).find((line) => line.startsWith("ENTRYPOINT")) ?? ""
    assert.include(entry, "--no-prompt")
    // /data is where the folder of `serve` is mounted, whose database is the one binary that may be loaded.
    assert.include(entry, '"--allow-write=/app/tmp,/tmp,/data"')
    assert.include(entry, '"--allow-ffi=/app/node_modules/@photostructure/sqlite"')
    for (const flag of ['"-A"', "--allow-all", "--allow-run", '"--allow-ffi"', '"--allow-write"'])
      assert.notInclude(entry, flag)
  })
})

/** Who runs nothing else on any machine. */
const nobody = 65_534

/** As in the image: what `npm run bundle` makes, and the one package that it leaves outside. */
const application = (folder: string): string => {
  const app = join(folder, "app")
  mkdirSync(app)
  const { devDependencies, scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const esbuild = onDeno
    ? `"${process.execPath}" run -A npm:esbuild@${devDependencies.esbuild}`
    : "node_modules/.bin/esbuild"
  const bundle = String(scripts.bundle)
    .replace(/^esbuild /, `${esbuild} `)
    .replace("--outdir=bundle", `--outdir=${app}`)
    .replaceAll(/ bundle\//g, ` ${app}/`)
    .replace(
      / node (src\S+\.mjs) /,
      (_, script: string) => ` "${process.execPath}" ${onDeno ? "run -A " : ""}${script} `
    )
  assert.strictEqual(bundle.split(app).length, 4, bundle)
  execFileSync("sh", ["-c", bundle], { cwd: root })
  cpSync(join(root, "node_modules/piscina"), join(app, "node_modules/piscina"), { recursive: true, dereference: true })
  writeFileSync(join(app, "package.json"), JSON.stringify({ type: "module", dependencies: { piscina: "*" } }))
  return app
}

const readOnly = (path: string): void => {
  const directory = statSync(path).isDirectory()
  if (directory) for (const name of readdirSync(path)) readOnly(join(path, name))
  chmodSync(path, directory ? 0o555 : 0o444)
}

const writable = (path: string): void => {
  if (!statSync(path).isDirectory()) return
  chmodSync(path, 0o755)
  for (const name of readdirSync(path)) writable(join(path, name))
}

/** Every file below that is newer than `since`. */
const changed = (path: string, since: number): ReadonlyArray<string> => {
  const stat = statSync(path)
  const own = stat.mtimeMs > since ? [path] : []
  return stat.isDirectory() ? [...own, ...readdirSync(path).flatMap((name) => changed(join(path, name), since))] : own
}

const canRun = process.platform === "linux" && typeof process.getuid === "function"

describe.skipIf(!canRun)("The bundle on a read-only file system", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "starts as nobody, parses in threads, fetches through its temporary folder, writes nowhere else, and stops",
      () =>
        Effect.gen(function* () {
          const folder = yield* Effect.acquireRelease(
            Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-image-"))),
            (path) =>
              Effect.sync(() => {
                writable(path)
                rmSync(path, { recursive: true, force: true })
              })
          )
          const app = yield* Effect.sync(() => application(folder))
          const temporary = join(folder, "tmp")
          const isRoot = process.getuid?.() === 0
          yield* Effect.sync(() => {
            mkdirSync(temporary)
            chmodSync(folder, 0o755)
            readOnly(app)
            if (isRoot) chownSync(temporary, nobody, nobody)
          })
          const installation = yield* Emulators.installation("read-only")
          yield* Emulators.upload(installation, "documents", { "a.txt": "A text that a thread reads." })
          yield* Emulators.upload(installation, "results", {})
          yield* Emulators.register(
            installation,
            "whole",
            `
pipeline:
  name: whole
  executors:
    - {id: discover, type: azure_blob_input_discovery,
       settings: {blob_storage_account: devstoreaccount1, blob_container_name: documents}}
    - {id: fetch, type: azure_blob_content_retriever, settings: {use_temp_file_for_content: true, temp_folder: ${temporary}}}
    - {id: extract, type: text_extractor, settings: {timeout_secs: 120}}
    - {id: write, type: azure_blob_output,
       settings: {storage_account_name: devstoreaccount1, container_name: results,
                  path_template: out/, filename_template: "{id.filename}.json"}}
  edges:
    - {from: discover, to: fetch}
    - {from: fetch, to: extract}
    - {from: extract, to: write}
`
          )
          const begun = Date.now()
          const runtime = onDeno
            ? // As the image does, with the folders of this test.
              [
                "run",
                "--no-prompt",
                "--cached-only",
                "--allow-env",
                "--allow-net",
                "--allow-sys",
                "--allow-read"
              ].concat(`--allow-write=${temporary}`)
            : []
          const output = { text: "", exit: undefined as number | null | undefined }
          const child = yield* Effect.acquireRelease(
            Effect.sync(() => {
              const started = spawn(process.execPath, [...runtime, join(app, "main.js"), "start"], {
                cwd: app,
                ...(isRoot ? { uid: nobody, gid: nobody } : {}),
                env: {
                  ...usual,
                  ...installation.env,
                  PATH: process.env["PATH"] ?? "",
                  HOME: "/nonexistent",
                  TMPDIR: temporary,
                  LOG_FORMAT: "json",
                  DENO_NO_UPDATE_CHECK: "1",
                  // Its cache can't be written, as in the image.
                  ...(onDeno ? { DENO_DIR: join(app, "cache") } : {})
                },
                stdio: ["ignore", "pipe", "pipe"]
              })
              for (const stream of [started.stdout, started.stderr]) {
                stream.setEncoding("utf8").on("data", (text: string) => {
                  output.text += text
                })
              }
              started.on("close", (code) => {
                output.exit = code
              })
              return started
            }),
            (started) =>
              Effect.sync(() => {
                if (started.pid !== undefined && started.exitCode === null && started.signalCode === null) {
                  process.kill(started.pid, "SIGKILL")
                }
              })
          )
          const exit = Effect.sync(() => output.exit)
          const [execution] = yield* eventually(
            "the document is processed",
            Effect.tap(Emulators.executionsOf(installation, "whole-vault"), () =>
              output.exit === undefined
                ? Effect.void
                : Effect.dieMessage(`The worker ended: ${output.text.slice(-2_000)}`)
            ),
            (all) => all.some(({ status }) => status === "completed" || status === "failed")
          )
          assert.strictEqual(
            execution?.["status"],
            "completed",
            `${String(execution?.["error"])}\n${output.text.slice(-2_000)}`
          )
          assert.deepStrictEqual(yield* Emulators.blobNames(installation, "results"), ["out/a.txt.json"])
          const [, address = ""] = /Listening on (http:[^"\s]+)/.exec(output.text) ?? []
          const page = yield* Effect.promise(async () => (await fetch(`${address}/ui`)).text())
          const [script = "none"] = /\/ui\/assets\/[^"]+\.js/.exec(page) ?? []
          assert.strictEqual((yield* Effect.promise(() => fetch(`${address}${script}`))).status, 200, page)
          if (isRoot) {
            const status = readFileSync(`/proc/${child.pid}/status`, "utf8")
            assert.match(status, new RegExp(`^Uid:\\s+${nobody}\\s+${nobody}`, "m"))
          }
          yield* Effect.sync(() => child.pid !== undefined && process.kill(child.pid, "SIGTERM"))
          yield* eventually("it stops", exit, (code) => code !== undefined)
          assert.strictEqual(output.exit, 0, output.text.slice(-2_000))
          assert.isEmpty(changed(app, begun))
          // What a run keeps there goes with the run.
          assert.isEmpty(readdirSync(temporary))
        }),
      300_000
    )
  })
})

describe("Dependencies", () => {
  it("npm audit knows nothing against them", (context) => {
    if (!existsSync(join(root, "package-lock.json"))) return context.skip("there is no lock file")
    const audit = (): string => {
      try {
        return execFileSync("npm", ["audit", "--omit=dev", "--json"], { cwd: root, encoding: "utf8", timeout: 60_000 })
      } catch (error) {
        return error instanceof Error && "stdout" in error ? String(error.stdout) : ""
      }
    }
    const text = audit()
    const report: { readonly vulnerabilities?: Readonly<Record<string, unknown>>; readonly message?: string } = text
      .trim()
      .startsWith("{")
      ? JSON.parse(text)
      : {}
    if (report.vulnerabilities === undefined) {
      return context.skip(`this registry has no advisory service: ${report.message ?? "npm audit gave no report"}`)
    }
    assert.deepStrictEqual(Object.keys(report.vulnerabilities), [])
  }, 90_000)
})
