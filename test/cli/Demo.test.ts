import { BlobServiceClient } from "@azure/storage-blob"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { samples } from "../../src/cli/demo/Documents.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-demo-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const lines = (text: string) => text.trimEnd().split("\n")

const textIn = (output: string): string => JSON.parse(output).data.document_output.text

describe("demo", () => {
  it.scopedLive.each([
    { where: "in a folder", options: [] },
    { where: "on emulators of Azure", options: ["--azure"] }
  ])(
    "processes the documents that come with it, tells where each result is, and ends by itself: $where",
    ({ options }) =>
      Effect.gen(function* () {
        const outputs = yield* folder
        const demo = yield* WorkerProcess.run(["demo", ...options, "--output", outputs], {})
        assert.deepStrictEqual(yield* demo.exit, { code: 0, signal: null }, demo.stderr())
        const said = lines(demo.stdout())
        assert.strictEqual(said.at(-1), `demo: ${samples.length} discovered, ${samples.length - 1} completed, 1 failed`)
        const table = said.slice(said.findIndex((line) => line.startsWith("Document ")) + 1, -2)
        assert.strictEqual(table.length, samples.length)
        for (const { name } of samples) {
          const row = table.find((line) => line.startsWith(`${name} `)) ?? ""
          const file = name.split("/").at(-1)
          if (name === "torn-download.pdf") assert.match(row, /failed +1 .*damaged/)
          else assert.match(row, new RegExp(`completed +1 +\\d+\\.\\d s +output/extracted/${file}\\.json$`))
        }
        assert.deepStrictEqual(
          readdirSync(outputs).toSorted(),
          samples
            .filter(({ name }) => name !== "torn-download.pdf")
            .map(({ name }) => `${name.split("/").at(-1)}.json`)
            .toSorted()
        )
        const read = (name: string) => textIn(readFileSync(join(outputs, `${name}.json`), "utf8"))
        assert.include(read("minutes.pdf"), "Present: Amara, Björn, Chiara.")
        assert.include(read("offer.docx"), "4,860 euros")
        assert.include(read("plans.pptx"), "A lift in autumn")
        assert.include(read("loans.xlsx"), "8245")
        assert.include(read("members.csv"), "Lindqvist, Björn")
        assert.include(read("news.html"), "forty places")
        assert.include(read("rules.txt"), "two euros")
      }),
    300_000
  )

  it.scopedLive(
    "processes a folder of the user's, with documents of one name in several folders",
    () =>
      Effect.gen(function* () {
        const own = yield* folder
        const outputs = yield* folder
        mkdirSync(join(own, "old"))
        writeFileSync(join(own, "note.txt"), "The new note")
        writeFileSync(join(own, "old", "note.txt"), "The old note")
        writeFileSync(join(own, "broken.pdf"), "%PDF-1.4 and nothing more")
        writeFileSync(join(own, ".hidden"), "Not a document")
        const demo = yield* WorkerProcess.run(["demo", "--documents", own, "--output", outputs], {})
        assert.deepStrictEqual(yield* demo.exit, { code: 0, signal: null }, demo.stderr())
        assert.strictEqual(lines(demo.stdout()).at(-1), "demo: 3 discovered, 2 completed, 1 failed")
        const texts = readdirSync(outputs).map((name) => textIn(readFileSync(join(outputs, name), "utf8")))
        assert.deepStrictEqual(texts.toSorted(), ["The new note", "The old note"])
      }),
    300_000
  )

  it.scopedLive(
    "says what is wrong with a folder",
    () =>
      Effect.gen(function* () {
        const own = yield* folder
        const demo = yield* WorkerProcess.run(["demo", "--documents", own], {})
        assert.deepStrictEqual(yield* demo.exit, { code: 1, signal: null })
        assert.include(demo.stderr(), "there are no files in it")
        assert.notMatch(demo.stderr(), /^\s+at /m)
        const wrong = yield* WorkerProcess.run(["demo", "--documents", join(own, "missing")], {})
        assert.deepStrictEqual(yield* wrong.exit, { code: 2, signal: null })
        for (const [option, place] of [
          ["--log", join(own, "none", "x.log")],
          ["--output", "/dev/null/x"]
        ] as const) {
          const unusable = yield* WorkerProcess.run(["demo", option, place], {})
          assert.deepStrictEqual(yield* unusable.exit, { code: 1, signal: null })
          assert.match(unusable.stderr(), new RegExp(`^${option} ${place}: .* Choose another`))
        }
      }),
    300_000
  )

  it.scopedLive(
    "with --watch in a folder goes on: new documents are processed, and nothing is left behind",
    () =>
      Effect.gen(function* () {
        const own = yield* folder
        const outputs = yield* folder
        for (const { bytes, name } of samples) {
          mkdirSync(join(own, name, ".."), { recursive: true })
          writeFileSync(join(own, name), yield* bytes)
        }
        symlinkSync("..", join(own, "loop"))
        const demo = yield* WorkerProcess.run(["demo", "--watch", "--documents", own, "--output", outputs], {})
        const said = (pattern: RegExp) =>
          Effect.map(
            eventually(
              `the demo says ${pattern}`,
              Effect.sync(() => pattern.exec(demo.stdout() + demo.stderr())),
              (found) => found !== null
            ),
            (found) => found?.[1] ?? ""
          )
        const place = yield* said(/^Folder: +(\S+),/m)
        yield* said(/^(demo: 9 discovered, 8 completed, 1 failed)$/m)
        writeFileSync(join(own, "later.txt"), "It goes on")
        yield* said(/^(later\.txt: completed) in .* written to output\/extracted\/later\.txt\.json$/m)
        assert.strictEqual(
          textIn(readFileSync(join(place, "output", "extracted", "later.txt.json"), "utf8")),
          "It goes on"
        )
        assert.include(readdirSync(outputs), "later.txt.json")
        assert.include(demo.stdout(), `Results are copied into ${outputs}.`)
        assert.notMatch(demo.stdout(), /failed.*https:/)
        yield* demo.kill("SIGINT")
        assert.deepStrictEqual(yield* demo.exit, { code: 0, signal: null })
        assert.isFalse(existsSync(place))
      }),
    300_000
  )

  it.scopedLive(
    "with --watch on emulators goes on: its URL answers, the results can be read with the storage SDK, and new documents are processed",
    () =>
      Effect.gen(function* () {
        const demo = yield* WorkerProcess.run(["demo", "--azure", "--watch"], {})
        const said = (pattern: RegExp) =>
          Effect.map(
            eventually(
              `the demo says ${pattern}`,
              Effect.sync(() => pattern.exec(demo.stdout() + demo.stderr())),
              (found) => found !== null
            ),
            (found) => found?.[1] ?? ""
          )
        const url = yield* said(/The worker answers at (\S+)/)
        const connectionString = yield* said(/^Storage: +(\S+)$/m)
        yield* said(/^(demo: 9 discovered, 8 completed, 1 failed)$/m)
        const ready = yield* Effect.promise(() => fetch(`${url}/health/ready`))
        assert.strictEqual(ready.status, 200)

        const storage = BlobServiceClient.fromConnectionString(connectionString)
        const result = storage.getContainerClient("output").getBlobClient("extracted/rules.txt.json")
        const bytes = yield* Effect.promise(() => result.downloadToBuffer())
        assert.include(textIn(bytes.toString("utf8")), "two euros")

        const later = storage.getContainerClient("documents").getBlockBlobClient("later.txt")
        yield* Effect.promise(() => later.upload("It goes on", 10))
        yield* said(/^(later\.txt: completed) in .* written to output\/extracted\/later\.txt\.json$/m)
        yield* demo.kill("SIGINT")
        assert.deepStrictEqual(yield* demo.exit, { code: 0, signal: null })
      }),
    300_000
  )
})
