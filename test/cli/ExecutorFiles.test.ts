import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { cli } from "./Captured.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** A folder in which the worker and effect are found as in a project that has them installed. */
const project = (files: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(join(root, "tmp"), { recursive: true })
      const folder = mkdtempSync(join(root, "tmp/executors-"))
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
      return (name: string) => join(folder, name)
    }),
    (at) => Effect.sync(() => rmSync(at("."), { recursive: true, force: true }))
  )

const shouting = (type: string, mark: string) => `
import * as Effect from "effect/Effect"
import { Content, Executor, Settings } from "contentflow-worker/executor"

export const executor = Executor.define({
  type: "${type}",
  category: "transform",
  name: "Shout",
  description: "Writes data.text in capitals.",
  settings: { mark: Settings.string({ description: "What follows the text.", default: "${mark}" }) },
  make: ({ mark }) =>
    Effect.succeed({
      process: (items) => Effect.succeed(items.map((item) => Content.withData(item, { text: String(item.data["text"]).toUpperCase() + mark })))
    })
})
export default [executor]
`

const pipeline = (...types: ReadonlyArray<string>) => `
name: Own
executors: [${types.map((type, index) => `{id: n${index}, type: ${type}}`).join(", ")}]
execution_sequence: [${types.map((_, index) => `n${index}`).join(", ")}]
`

const items = JSON.stringify([{ id: { canonical_id: "a", unique_id: "a" }, data: { text: "hello" } }])

// The files import the built package; on Deno the packed program shows the same (test/package).
describe.skipIf("Deno" in globalThis || !existsSync(join(root, "dist/exports/executor.js")))("--executors", () => {
  it.scoped("runs, checks and lists types of one's own, from several files", () =>
    Effect.gen(function* () {
      const at = yield* project({
        "shout.mjs": shouting("shout", "!"),
        "ask.mjs": shouting("ask", "?"),
        "p.yaml": pipeline("shout", "ask"),
        "items.json": items
      })
      const own = ["--executors", at("shout.mjs"), "--executors", at("ask.mjs")]
      const run = yield* cli(["run", at("p.yaml"), "--items", at("items.json"), ...own])
      assert.strictEqual(run.code, 0, run.stderr)
      assert.strictEqual(JSON.parse(run.stdout)[0].data.text, "HELLO!?")
      assert.strictEqual((yield* cli(["validate", at("p.yaml"), ...own])).code, 0)
      // The variable means the same, and the option comes first.
      const variable = { CONTENTFLOW_EXECUTORS: `${at("shout.mjs")}, ${at("ask.mjs")}` }
      assert.strictEqual((yield* cli(["validate", at("p.yaml")], variable)).code, 0)
      const without = yield* cli(["validate", at("p.yaml"), "--executors", at("ask.mjs")], variable)
      assert.strictEqual(without.code, 1)
      assert.match(without.stdout, /shout\S* is unknown/)
      const listed = yield* cli(["executors", "shout", ...own])
      assert.include(listed.stdout, "Writes data.text in capitals.")
    })
  )

  it.scoped("takes the place of a built-in type of the same name", () =>
    Effect.gen(function* () {
      const at = yield* project({
        "mine.mjs": shouting("pass_through", "!"),
        "p.yaml": pipeline("pass_through"),
        "items.json": items
      })
      const run = yield* cli(["run", at("p.yaml"), "--items", at("items.json"), "--executors", at("mine.mjs")])
      assert.strictEqual(JSON.parse(run.stdout)[0].data.text, "HELLO!", run.stderr)
      assert.include(run.stderr, "takes the place of the built-in pass_through")
    })
  )

  it.scoped("names the file, the reason and the way out when one can't be used", () =>
    Effect.gen(function* () {
      const at = yield* project({
        "p.yaml": pipeline("pass_through"),
        "empty.mjs": "export const nothing = 1\n",
        "broken.mjs": "export const = 1\n",
        "needs.mjs": 'import "left-pad-of-nobody/sub"\nexport const x = 1\n',
        "twice.mjs": shouting("shout", "!"),
        "again.mjs": shouting("shout", "?")
      })
      const told = (...files: ReadonlyArray<string>) =>
        Effect.map(
          cli(["validate", at("p.yaml"), ...files.flatMap((file) => ["--executors", at(file)])]),
          ({ code, stderr }) => {
            assert.strictEqual(code, 1)
            assert.notInclude(stderr, "    at ")
            return stderr
          }
        )
      assert.match(yield* told("none.mjs"), /executors \S+none\.mjs is not there/)
      assert.match(yield* told("empty.mjs"), /empty\.mjs exports no executor: export what Executor\.define gives/)
      assert.match(yield* told("broken.mjs"), /broken\.mjs can't be loaded: \S.*\.$/m)
      assert.match(yield* told("needs.mjs"), /it imports left-pad-of-nobody, .*npm install left-pad-of-nobody in /)
      assert.match(
        yield* told("twice.mjs", "again.mjs"),
        /again\.mjs defines the type shout, which \S+twice\.mjs defines, too/
      )
    })
  )

  it.scoped("tells of a second copy of effect in words", () =>
    Effect.gen(function* () {
      const other = (version: string) => ({
        "package.json": JSON.stringify({
          name: "effect",
          version,
          type: "module",
          exports: { "./Effect": "./Effect.js", "./package.json": "./package.json" }
        }),
        // Another major version's effects have another shape.
        "Effect.js": "export const succeed = (value) => ({ '~effect/Effect': {}, value })\n"
      })
      const at = yield* project({
        "mine.mjs": shouting("shout", "!"),
        "p.yaml": pipeline("shout"),
        "items.json": items
      })
      mkdirSync(at("node_modules/effect"), { recursive: true })
      for (const [name, text] of Object.entries(other("4.1.0")))
        writeFileSync(at(join("node_modules/effect", name)), text)
      const run = yield* cli(["run", at("p.yaml"), "--items", at("items.json"), "--executors", at("mine.mjs")])
      assert.notStrictEqual(run.code, 0)
      assert.match(
        run.stderr,
        /There are two copies of effect: the worker has 3\.22\.\d+ \(.*\), and .*mine\.mjs has 4\.1\.0/
      )
      assert.match(run.stderr, /install effect@\^3\.22\.\d+ beside that file/)
      assert.match(run.stderr, /The executor type shout gave something else than an Effect/)
    })
  )
})
