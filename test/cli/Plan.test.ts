import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { cli, folder } from "./Captured.ts"

const pipeline = (template: string) => `
pipeline:
  name: Texts
  executors:
    - id: read
      type: document_extractor
    - id: write
      type: azure_blob_output
      settings:
        storage_account_name: local
        container_name: output
        path_template: ""
        filename_template: "${template}"
        content_field: document_output.text
        output_format: text
  edges:
    - { from: read, to: write }
`

const project = `
vaults:
  - name: papers
    folder: inbox
    pipeline: texts.yaml
    on_source_deleted: remove
`

const files = {
  "contentflow.yaml": project,
  "texts.yaml": pipeline("{id.filename}.md"),
  "changed.yaml": pipeline("{id.filename}.txt"),
  "inbox/a.md": "# A",
  "inbox/b.md": "# B",
  "inbox/c.md": "# C"
}

/** All files with their contents, but the database's, which a reader's connection touches. */
const contents = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("worker.db"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((file) => [file, readFileSync(file, "base64")])

describe("plan", () => {
  it.scopedLive("tells what a folder would do before anything ran there, and leaves no trace in it", () =>
    Effect.gen(function* () {
      const { path } = yield* folder(files)
      const before = contents(path)
      const told = yield* cli(["plan", "--folder", path])
      assert.strictEqual(told.code, 0, told.stderr)
      assert.match(told.stdout, /Documents +3 in the source, 3 would run\n/)
      assert.match(told.stdout, /^read +document_extractor +cheap +3 +0 +0/m)
      assert.match(told.stdout, /^write +azure_blob_output +writes +3 +0 +0/m)
      assert.match(told.stdout, /Nothing was written\./)
      assert.deepStrictEqual(contents(path), before)
      const alone = yield* folder({ "one.md": "# One", "two.md": "# Two" })
      const documents = yield* cli(["plan", join(path, "texts.yaml"), "--folder", alone.path, "--json"])
      assert.strictEqual(documents.code, 0, documents.stderr)
      assert.strictEqual(JSON.parse(documents.stdout).documents.run, 2)
      assert.deepStrictEqual(readdirSync(alone.path), ["one.md", "two.md"])
    })
  )

  it.scopedLive("knows what ran on a folder, what would go, and what another version would change", () =>
    Effect.gen(function* () {
      const { at, path } = yield* folder(files)
      const served = yield* cli(["serve", path, "--once"], { LOG_FILE: at("log") })
      assert.strictEqual(served.code, 0, served.stderr)
      writeFileSync(at("inbox/new.md"), "# New")
      const before = contents(path)
      const crawl = yield* cli(["plan", "--folder", path, "--json"])
      assert.strictEqual(crawl.code, 0, crawl.stderr)
      const { documents } = JSON.parse(crawl.stdout)
      assert.deepInclude(documents, { which: "new", listed: 4, run: 1 })
      const difference = yield* cli(["plan", at("changed.yaml"), "--against", "stored", "--folder", path])
      assert.strictEqual(difference.code, 0, difference.stderr)
      assert.match(difference.stdout, /^read +same /m)
      assert.match(difference.stdout, /^write +changed +azure_blob_output +4 /m)
      assert.deepStrictEqual(contents(path), before)
    })
  )

  it.scopedLive("says what it can't find, and what is wrong with a definition", () =>
    Effect.gen(function* () {
      const { at, path } = yield* folder({
        ...files,
        "bad.yaml": "pipeline: {name: x, executors: [{id: a, type: nothing}]}"
      })
      const vault = yield* cli(["plan", "--vault", "letters", "--folder", path])
      assert.strictEqual(vault.code, 1)
      assert.match(vault.stderr, /There is no vault letters\./)
      const bad = yield* cli(["plan", at("bad.yaml"), "--folder", path])
      assert.strictEqual(bad.code, 1)
      assert.match(bad.stderr, /nothing/)
      const none = yield* cli(["plan", "missing.yaml", "--folder", path])
      assert.match(none.stderr, /There is no pipeline missing\.yaml, and no such file\./)
      const where = yield* cli(["plan", "--folder", at("nowhere")])
      assert.strictEqual(where.code, 2)
    })
  )
})
