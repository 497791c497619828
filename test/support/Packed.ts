import { Effect, type Scope } from "effect"
import { execFile, spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as Folders from "./Folders.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const execute = promisify(execFile)

/** A folder into which the packed tarball is installed, and nothing else but what a user gets with it. */
export interface Packed {
  readonly folder: string
  /** The files of the tarball, relative to the package. */
  readonly files: ReadonlyArray<string>
}

/**
 * Packs what `npm run build` made and installs it into an empty folder, without the network: the packages that it depends on are links to those of this checkout, and
 * those for development are left out.
 */
export const install: Effect.Effect<Packed, never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* Folders.temporary
  return yield* Effect.promise(async () => {
    const { stdout } = await execute("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
      maxBuffer: 2 ** 26
    })
    const [packed] = JSON.parse(stdout) as ReadonlyArray<{
      filename: string
      files: ReadonlyArray<{ readonly path: string }>
    }>
    const place = join(folder, "node_modules", "contentflow-worker")
    mkdirSync(place, { recursive: true })
    await execute("tar", ["xzf", join(folder, packed?.filename ?? ""), "-C", place, "--strip-components", "1"])
    for (const name of dependencies()) link(join(root, "node_modules", name), join(folder, "node_modules", name))
    const program = join(place, "dist", "main.js")
    link(program, join(folder, "node_modules", ".bin", "contentflow-worker"))
    // As npm does with what `bin` names.
    chmodSync(program, 0o755)
    writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies: { "contentflow-worker": "*" } }))
    writeFileSync(join(folder, "deno.json"), JSON.stringify({ nodeModulesDir: "manual" }))
    return { folder, files: packed?.files.map(({ path }) => path) ?? [] }
  })
})

const link = (target: string, path: string) => {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}

/** The packages that npm installs with ours: no development dependencies, no optional peers. */
const dependencies = (): ReadonlyArray<string> => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>
  }
  return Object.entries(packages).flatMap(([path, { dev = false, devOptional = false }]) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? []
    return name === undefined || dev || devOptional || !existsSync(join(root, path)) ? [] : [name]
  })
}

/** A runtime of this machine, and how it runs the installed command line. */
export interface Runtime {
  readonly name: string
  readonly command: ReadonlyArray<string>
}

/** This Node, those of `.ci/node`, and the Deno of the machine or of `.ci/deno`, as far as they are there. */
export const runtimes: ReadonlyArray<Runtime> = [
  { name: `Node ${process.versions.node}`, command: ["npx", "--no-install", "contentflow-worker"] },
  ...["node22", "node24"].flatMap((version) => {
    const node = join(root, ".ci/node/node_modules", version, "bin/node")
    return existsSync(node) ? [{ name: version, command: [node, "node_modules/.bin/contentflow-worker"] }] : []
  }),
  ...[...(process.env["PATH"] ?? "").split(delimiter), join(root, ".ci/deno/node_modules/deno")]
    .map((place) => join(place, "deno"))
    .filter((deno) => existsSync(deno))
    .slice(0, 1)
    .map((deno) => ({ name: "Deno", command: [deno, "run", "-A", "npm:contentflow-worker"] }))
]

/** The end of a run in the folder; what Node's options of the tests are stays outside. */
export const run = (
  { folder }: Packed,
  { command }: Pick<Runtime, "command">,
  args: ReadonlyArray<string>
): Effect.Effect<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> =>
  Effect.promise(
    () =>
      new Promise((resolve) => {
        const [program = "", ...first] = command
        const { NODE_OPTIONS: _, ...env } = process.env
        const child = spawn(program, [...first, ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] })
        const text = { stdout: "", stderr: "" }
        child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk))
        child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk))
        child.on("close", (code) => resolve({ code, ...text }))
      })
  )
