import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"
import * as Packed from "../support/Packed.ts"

class Installed extends Context.Tag("test/Installed")<Installed, Packed.Packed>() {}

const built = fileURLToPath(new URL("../../dist/main.js", import.meta.url))

// npm packs and this Node is one of the runtimes: on Deno there is nothing else to see.
describe.skipIf("Deno" in globalThis || !existsSync(built))("the packed program in an empty folder", () => {
  layer(Layer.scoped(Installed, Packed.install), { excludeTestServices: true, timeout: "2 minutes" })((it) => {
    it.effect(`shows itself on ${Packed.runtimes.map(({ name }) => name).join(", ")}`, () =>
      Effect.gen(function* () {
        const installed = yield* Installed
        yield* Effect.forEach(
          Packed.runtimes,
          (runtime) =>
            Effect.map(Packed.run(installed, runtime, ["demo"]), ({ code, stderr, stdout }) => {
              assert.strictEqual(code, 0, `${runtime.name}: ${stderr}`)
              assert.match(stdout, /^demo: 9 discovered, 8 completed, 1 failed$/m, runtime.name)
            }),
          { concurrency: 2, discard: true }
        )
      })
    )

    it.effect("serves a folder and runs a pipeline", () =>
      Effect.gen(function* () {
        const installed = yield* Installed
        const [node = { command: [] }] = Packed.runtimes
        const at = (...parts: ReadonlyArray<string>) => join(installed.folder, ...parts)
        mkdirSync(at("papers", "inbox"), { recursive: true })
        writeFileSync(at("papers", "inbox", "a.txt"), "The text of a.")
        const pipeline = "name: Pass\nexecutors: [{id: a, type: pass_through}]\nexecution_sequence: [a]\n"
        writeFileSync(at("p.yaml"), pipeline)
        const [served, run, azure] = yield* Effect.all(
          [
            Packed.run(installed, node, ["serve", "papers", "--once"]),
            Packed.run(installed, node, ["run", "p.yaml", "--documents", join("papers", "inbox")]),
            Packed.run(installed, node, ["demo", "--azure"])
          ],
          { concurrency: 3 }
        )
        assert.strictEqual(served.code, 0, served.stderr)
        assert.include(installed.files, "dist/ui/index.html", "the page that it names")
        assert.strictEqual(readFileSync(at("papers", "output", "a.txt.md"), "utf8"), "The text of a.")
        assert.strictEqual(run.code, 0, run.stderr)
        assert.include(run.stdout, "a.txt")
        // The emulators are asked for by the one command that uses them, and by name.
        assert.strictEqual(azure.code, 1)
        assert.include(azure.stderr, "npm install azurite @vercel/cosmosdb-server")
      })
    )

    it.effect("takes executors of one's own from a file beside it, of TypeScript where the runtime reads that", () =>
      Effect.gen(function* () {
        const installed = yield* Installed
        const at = (name: string) => join(installed.folder, name)
        const source = (annotation: string) => `
import * as Effect from "effect/Effect"
import { Content, Executor } from "contentflow-worker/executor"
const mark${annotation} = "!"
export const shout = Executor.define({
  type: "shout", category: "transform", name: "Shout", description: "Capitals.", settings: {},
  make: () => Effect.succeed({
    process: (items) => Effect.succeed(items.map((item) => Content.withData(item, { text: String(item.data["text"]).toUpperCase() + mark })))
  })
})
`
        writeFileSync(at("own.ts"), source(": string"))
        writeFileSync(at("own.mjs"), source(""))
        writeFileSync(at("own.yaml"), "name: Own\nexecutors: [{id: a, type: shout}]\nexecution_sequence: [a]\n")
        writeFileSync(at("items.json"), '[{"id": {"canonical_id": "a", "unique_id": "a"}, "data": {"text": "hello"}}]')
        yield* Effect.forEach(
          Packed.runtimes,
          (runtime, index) =>
            Effect.gen(function* () {
              const run = (file: string) =>
                Packed.run(installed, runtime, ["run", "own.yaml", "--items", "items.json", "--executors", file])
              const typed = yield* run("./own.ts")
              // The Node of the tests may be older than the first that reads TypeScript.
              const ended = index === 0 && /reads no TypeScript/.test(typed.stderr) ? yield* run("./own.mjs") : typed
              assert.strictEqual(ended.code, 0, `${runtime.name}: ${ended.stderr}`)
              assert.include(ended.stdout, '"HELLO!"', runtime.name)
              assert.notInclude(ended.stderr, "two copies", runtime.name)
            }),
          { concurrency: 2, discard: true }
        )
      })
    )

    it.effect("has the sources that its maps name, and the files that its entry points name", () =>
      Effect.gen(function* () {
        const { files, folder } = yield* Installed
        const place = join(folder, "node_modules", "contentflow-worker")
        const packed = new Set(files)
        const maps = files.filter((file) => file.endsWith(".map"))
        assert.isNotEmpty(maps)
        for (const map of maps) {
          const { sources } = JSON.parse(readFileSync(join(place, map), "utf8")) as { sources: ReadonlyArray<string> }
          for (const source of sources)
            assert.isTrue(packed.has(normalize(join(dirname(map), source))), `${map}: ${source}`)
        }
        const { exports, private: isPrivate } = JSON.parse(readFileSync(join(place, "package.json"), "utf8"))
        assert.isUndefined(isPrivate)
        for (const target of Object.values<string | Readonly<Record<string, string>>>(exports)) {
          for (const file of typeof target === "string" ? [target] : Object.values(target)) {
            assert.isTrue(packed.has(normalize(file)), file)
          }
        }
      })
    )
  })
})
