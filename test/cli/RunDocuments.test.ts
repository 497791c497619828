import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import * as DocumentProgress from "../../src/cli/run/DocumentProgress.ts"
import * as Journal from "../../src/cli/run/Journal.ts"
import * as LocalDocument from "../../src/cli/run/LocalDocument.ts"
import * as OutputFolder from "../../src/cli/run/OutputFolder.ts"
import { cli, folder } from "./Captured.ts"

/** The definition as JSON, which is YAML. */
const line = (...executors: ReadonlyArray<object>) =>
  JSON.stringify({
    name: "Line",
    executors: executors.map((executor, index) => ({ id: `n${index}`, ...executor })),
    execution_sequence: executors.map((_, index) => `n${index}`)
  })

const extract = line({ type: "document_extractor" })

/** Takes no thread, and fails documents of more than five bytes. */
const fetch = { type: "content_retriever", settings: { max_size_bytes: 5 } }
const broken = "too long"

const linesOf = (stdout: string): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  stdout
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text))

const namesIn = (stdout: string) =>
  JSON.parse(stdout).map(({ id }: { readonly id: { readonly canonical_id: string } }) => id.canonical_id)

/** Makes a folder that not even root can list: its path is longer than the system takes. */
const unreadableIn = (parent: string) => {
  const steps = Array.from({ length: 9 }, () => `deep${"p".repeat(240)}`)
  const half = join(parent, ...steps)
  const other = join(parent, "..", "other")
  return Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(half, { recursive: true })
      mkdirSync(join(other, ...steps), { recursive: true })
      renameSync(other, join(half, "other"))
    }),
    () => Effect.sync(() => renameSync(join(half, "other"), other))
  )
}

describe("run over documents", () => {
  it.scoped("goes on when documents fail, tells each, and ends with 3", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line(fetch),
        "docs/a.txt": "First",
        "docs/b.docx": broken,
        "docs/c/d.md": "Third",
        "docs/e.xlsx": broken
      })
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), files.at("docs")])
      assert.strictEqual(code, 3, stderr)
      assert.deepStrictEqual(namesIn(stdout), ["a.txt", "c/d.md"])
      assert.match(stderr, /^✓ a\.txt$/m)
      assert.match(stderr, /^✗ b\.docx: n0: \S/m)
      assert.match(stderr, /^✓ c\/d\.md$/m)
      assert.match(stderr, /^✗ e\.xlsx: n0: \S/m)
      assert.match(stderr, /Pipeline Line: 4 documents, 2 completed, 2 failed, /)
      assert.match(stderr, /^ {2}n0 +content_retriever +failed +4 +2 +2 /m)
    })
  )

  it.scoped("counts a document whose item failed as failed, whatever the node does about it", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ ...fetch, settings: { ...fetch.settings, fail_pipeline_on_error: false } }),
        "docs/a.docx": broken,
        "docs/b.txt": "words"
      })
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), files.at("docs"), "--json"])
      assert.strictEqual(code, 3, stderr)
      assert.deepStrictEqual(
        linesOf(stdout).map(({ document, error, status }) => [document, status, error !== null]),
        [
          ["a.docx", "failed", true],
          ["b.txt", "completed", false]
        ]
      )
    })
  )

  it.scoped("tells documents without text, and counts them apart", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": extract,
        "docs/blank.txt": " \n",
        "docs/empty.html": "<p></p>",
        "docs/x.md": "x"
      })
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), files.at("docs"), "--json"])
      assert.strictEqual(code, 0, stderr)
      assert.deepStrictEqual(
        linesOf(stdout).map(({ status }) => status),
        ["without_text", "without_text", "completed"]
      )
      assert.match(stderr, /^! blank\.txt: The document has no text$/m)
      assert.include(stderr, "3 documents, 1 completed, 2 without text, 0 failed")
    })
  )

  it.scoped("takes files, folders and patterns, each document once", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ type: "pass_through" }),
        "docs/a.md": "a",
        "docs/b.txt": "b",
        "docs/deep/c.md": "c",
        "docs/[odd].md": "d",
        "more/e.md": "e"
      })
      const run = (...words: ReadonlyArray<string>) =>
        Effect.map(cli(["run", files.at("p.yaml"), ...words.map(files.at)]), ({ code, stderr, stdout }) => {
          assert.strictEqual(code, 0, stderr)
          return namesIn(stdout)
        })
      assert.deepStrictEqual(yield* run("docs/a.md"), ["a.md"])
      assert.deepStrictEqual(yield* run("docs/[odd].md"), ["[odd].md"])
      assert.deepStrictEqual(yield* run("docs/**/*.md"), ["[odd].md", "a.md", "deep/c.md"])
      assert.deepStrictEqual(yield* run("docs/*.{txt,md}"), ["[odd].md", "a.md", "b.txt"])
      assert.deepStrictEqual(yield* run("docs/deep", "docs/a.md", "docs"), ["[odd].md", "a.md", "b.txt", "deep/c.md"])
      assert.deepStrictEqual(yield* run("docs/deep", "more/e.md"), ["docs/deep/c.md", "more/e.md"])
      const told: ReadonlyArray<readonly [string, number, string]> = [
        ["none.pdf", 2, "there is no such file or folder"],
        ["docs/*.pdf", 1, "nothing below"],
        ["nowhere/*.pdf", 1, "nothing matches"]
      ]
      for (const [word, expected, message] of told) {
        const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), files.at(word)])
        assert.deepStrictEqual([code, stdout], [expected, ""])
        assert.include(stderr, `${files.at(word)}: ${message}`)
      }
    })
  )

  it.scoped("notices links that lead in a circle or to what it has, and follows others", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ type: "content_retriever" }),
        "docs/a.txt": "a",
        "docs/sub/b.txt": "b",
        "other/c.txt": "c"
      })
      symlinkSync("../docs", files.at("docs/loop"))
      symlinkSync("../sub", files.at("docs/sub/self"))
      symlinkSync("/", files.at("docs/sub/all"))
      symlinkSync("sub", files.at("docs/again"))
      symlinkSync("../other", files.at("docs/out"))
      symlinkSync("../docs", files.at("other/back"))
      symlinkSync("nowhere", files.at("docs/dangling"))
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), files.at("docs")])
      assert.strictEqual(code, 0, stderr)
      assert.deepStrictEqual(namesIn(stdout), ["a.txt", "out/c.txt", "sub/b.txt"])
      assert.include(stderr, "loop is a link back to a folder that it lies in")
      assert.include(stderr, "sub/self is a link back")
      assert.include(stderr, "sub/all is a link back")
      assert.include(stderr, "again is a link to sub, which is read once")
      assert.include(stderr, "out/back is a link")
      assert.include(stderr, "dangling is a link that leads nowhere")
    })
  )

  it.scoped("mirrors the folders in --output, as JSON, Markdown or text", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": extract,
        "docs/report.txt": "one",
        "docs/sub/report.txt": "two",
        "docs/Brief an Müller (100 %).md": "# Brief"
      })
      const run = (...more: ReadonlyArray<string>) =>
        cli(["run", files.at("p.yaml"), files.at("docs"), "--output", files.at("out"), ...more])
      const json = yield* run()
      assert.deepStrictEqual([json.code, json.stdout], [0, ""], json.stderr)
      assert.strictEqual(
        JSON.parse(readFileSync(files.at("out/sub/report.txt.json"), "utf8")).id.canonical_id,
        "sub/report.txt"
      )
      assert.isTrue(existsSync(files.at("out/Brief an Müller (100 %).md.json")))
      yield* run("--format", "markdown")
      assert.include(readFileSync(files.at("out/Brief an Müller (100 %).md.md"), "utf8"), "Brief")
      const text = yield* run("--format", "text", "--json")
      assert.strictEqual(readFileSync(files.at("out/report.txt.txt"), "utf8"), "one\n")
      assert.deepStrictEqual(
        linesOf(text.stdout).map(({ items, outputs }) => [items, outputs]),
        ["Brief an Müller (100 %).md.txt", "report.txt.txt", "sub/report.txt.txt"].map((name) => [
          undefined,
          [files.at(`out/${name}`)]
        ])
      )
    })
  )

  it.scoped("writes texts alone on standard output, with names where there are several", () =>
    Effect.gen(function* () {
      const files = yield* folder({ "p.yaml": extract, "docs/a.txt": "one", "docs/b.txt": "two" })
      const one = yield* cli(["run", files.at("p.yaml"), files.at("docs/a.txt"), "--format", "text"])
      assert.strictEqual(one.stdout, "one\n")
      const both = yield* cli(["run", files.at("p.yaml"), files.at("docs"), "--format", "text"])
      assert.strictEqual(both.stdout, "==> a.txt <==\n\none\n\n==> b.txt <==\n\ntwo\n\n")
    })
  )

  it.scoped("with --resume leaves what is done already, and does again what has changed or failed", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line(fetch),
        "docs/a.txt": "one",
        "docs/b.txt": "two",
        "docs/c.docx": broken
      })
      const run = (...more: ReadonlyArray<string>) =>
        Effect.map(
          cli([
            "run",
            files.at("p.yaml"),
            files.at("docs"),
            "--output",
            files.at("out"),
            "--json",
            "--resume",
            ...more
          ]),
          ({ stdout }) => linesOf(stdout).map(({ document, status }) => `${String(document)} ${String(status)}`)
        )
      const fresh = ["a.txt completed", "b.txt completed", "c.docx failed"]
      assert.deepStrictEqual(yield* run(), fresh)
      // A touch is no change.
      utimesSync(files.at("docs/a.txt"), new Date(), new Date())
      // The last line of a run that was killed.
      appendFileSync(Journal.fileIn(files.at("out")), '{"document":"a.txt","si')
      const skipped = ["a.txt skipped", "b.txt skipped", "c.docx failed"]
      assert.deepStrictEqual(yield* run(), skipped)
      // It spoils no line behind it.
      appendFileSync(Journal.fileIn(files.at("out")), '{"document":"b.txt","si')
      writeFileSync(files.at("docs/a.txt"), "1")
      assert.deepStrictEqual(yield* run(), ["a.txt completed", "b.txt skipped", "c.docx failed"])
      assert.deepStrictEqual(yield* run(), skipped)
      writeFileSync(files.at("docs/a.txt"), "ONE")
      rmSync(files.at("out/b.txt.json"))
      assert.deepStrictEqual(yield* run(), fresh)
      assert.deepStrictEqual(yield* run("--format", "text"), [
        "a.txt without_text",
        "b.txt without_text",
        "c.docx failed"
      ])
      writeFileSync(files.at("p.yaml"), `${line(fetch)} `)
      assert.deepStrictEqual(yield* run(), fresh)
      const without = yield* cli(["run", files.at("p.yaml"), files.at("docs"), "--resume"])
      assert.strictEqual(without.code, 2)
      assert.include(without.stderr, "--output")
    })
  )

  it.scoped("does not take results for documents", () =>
    Effect.gen(function* () {
      const files = yield* folder({ "p.yaml": line(fetch), "docs/a.txt": "one" })
      const args = ["run", files.at("p.yaml"), files.at("docs"), "--json", "--output"]
      for (let turn = 0; turn < 2; turn++) {
        const { stdout } = yield* cli([...args, files.at("docs/out")])
        assert.strictEqual(linesOf(stdout).length, 1)
      }
      const same = yield* cli([...args, files.at("docs")])
      assert.strictEqual(same.code, 1)
      assert.include(same.stderr, "would be taken for documents")
    })
  )

  it.scoped("says why it can't write, before it works", () =>
    Effect.gen(function* () {
      const files = yield* folder({ "p.yaml": line(fetch), "docs/a.txt": "one", file: "" })
      for (const place of [files.at("file"), files.at("file/below"), "/dev/null/x", "/proc/x"]) {
        const { code, stderr } = yield* cli(["run", files.at("p.yaml"), files.at("docs"), "--output", place])
        assert.strictEqual(code, 1)
        assert.match(stderr, new RegExp(`^--output ${place}: it can`, "m"))
        assert.notInclude(stderr, "✓")
      }
    })
  )

  it.scoped("runs pipelines over local files that list and fetch blobs", () =>
    Effect.gen(function* () {
      for (const type of ["content_retriever", "azure_blob_content_retriever"]) {
        const files = yield* folder({
          "p.yaml": JSON.stringify({
            name: "Blobs",
            executors: [
              {
                id: "find",
                type: "azure_blob_input_discovery",
                settings: { blob_storage_account: "account1", blob_container_name: "docs" }
              },
              { id: "fetch", type, settings: { include_content_bytes_as_field: true } }
            ],
            edges: [{ from: "find", to: "fetch" }]
          }),
          "docs/sub/a.txt": "words"
        })
        const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), files.at("docs")])
        assert.strictEqual(code, 0, stderr)
        assert.strictEqual(JSON.parse(stdout)[0].data.content, Buffer.from("words").toString("base64"))
      }
    })
  )

  it.scoped("writes blobs into the project that the pipeline belongs to", () =>
    Effect.gen(function* () {
      const output = (storage_account_name: string) => ({
        type: "azure_blob_output",
        settings: {
          storage_account_name,
          container_name: "output",
          path_template: "{id.folder}",
          filename_template: "{id.filename}.json"
        }
      })
      const files = yield* folder({
        "contentflow.yaml": "accounts: {elsewhere: archive}\n",
        "pipelines/p.yaml": line(output("local"), output("account1"), output("elsewhere")),
        "inbox/sub/a.txt": "words"
      })
      const { code, stderr } = yield* cli(["run", files.at("pipelines/p.yaml"), files.at("inbox")])
      assert.strictEqual(code, 0, stderr)
      for (const place of ["output", "storage/account1/output", "archive/output"]) {
        assert.isTrue(existsSync(files.at(`${place}/sub/a.txt.json`)), place)
      }
    })
  )

  it.scoped("gives pipelines that work on sets all documents together, and any with --together", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "set.yaml": line({ type: "document_set_initializer", settings: { set_name: "all" } }),
        "p.yaml": line(fetch),
        "docs/a.txt": "one",
        "docs/b.txt": "two"
      })
      const set = yield* cli(["run", files.at("set.yaml"), files.at("docs")])
      assert.include(set.stderr, "together, since n0 (document_set_initializer)")
      assert.include(set.stderr, "2 items in")
      const asked = yield* cli(["run", files.at("p.yaml"), files.at("docs"), "--together"])
      assert.strictEqual(asked.code, 0, asked.stderr)
      assert.include(asked.stderr, "2 items in, 2 out")
    })
  )

  it.scoped("tells folders that can't be read: one fails by itself, or ends the run of all together", () =>
    Effect.gen(function* () {
      const files = yield* folder({ "p.yaml": line(fetch), "docs/a.txt": "one" })
      yield* unreadableIn(files.at("docs"))
      const each = yield* cli(["run", files.at("p.yaml"), files.at("docs")])
      assert.strictEqual(each.code, 3, each.stderr)
      assert.match(each.stderr, /^✗ deep[^ ]+\/: the folder can't be read/m)
      assert.match(each.stderr, /1 documents?, 1 completed, 1 failed/)
      const together = yield* cli(["run", files.at("p.yaml"), files.at("docs"), "--together"])
      assert.deepStrictEqual([together.code, together.stdout], [1, ""])
      assert.match(together.stderr, /deep[^ ]+\/: the folder can't be read/)
    })
  )

  it.scoped("fails documents alone that vanish or can't be read", () =>
    Effect.gen(function* () {
      const files = yield* folder({ "p.yaml": line(fetch), "docs/a.txt": "one" })
      const gone: LocalDocument.LocalDocument = { name: "x", path: files.at("docs/x"), root: files.at("docs") }
      assert.strictEqual(yield* Effect.flip(LocalDocument.stateOf(gone)), "The file is gone.")
      assert.strictEqual(yield* Effect.flip(LocalDocument.versionOf(gone)), "The file is gone.")
      mkdirSync(join(files.at("docs"), "folder.txt"))
      const { code, stderr } = yield* cli(["run", files.at("p.yaml"), files.at("docs/a.txt"), files.at("docs")])
      assert.strictEqual(code, 0, stderr)
    })
  )
})

describe("names of results", () => {
  it("are the documents' own, apart from each other, with room for what is put behind them", () => {
    assert.deepStrictEqual(OutputFolder.placesOf(["a.pdf", "A.pdf", "a-2.pdf", "sub/a.pdf"]), [
      "a.pdf",
      "A-2.pdf",
      "a-2-2.pdf",
      "sub/a.pdf"
    ])
    const [long = "", other = ""] = OutputFolder.placesOf([`${"ä".repeat(127)}a`, `${"ä".repeat(127)}b`])
    assert.notStrictEqual(long, other)
    assert.isBelow(Buffer.byteLength(long), 230)
  })

  it("count from the folder that all have in common", () => {
    assert.strictEqual(LocalDocument.commonFolder(["/a/b/c", "/a/b"]), "/a/b")
    assert.strictEqual(LocalDocument.commonFolder(["/a/bc", "/a/b"]), "/a")
    assert.strictEqual(LocalDocument.commonFolder(["/x", "/y"]), "/")
    assert.strictEqual(LocalDocument.commonFolder(["/only"]), "/only")
  })
})

describe("the progress of documents", () => {
  it("has the rate and the time that is left, of those that took time", () => {
    const progress = DocumentProgress.make(10)
    assert.match(progress.text(0), /0 of 10 documents {2}$/)
    for (const name of ["a", "b"]) progress.started(name)
    progress.ended("a", true)
    assert.match(progress.text(500), /1 of 10 documents, 2\.0\/s, 5 s left {2}b$/)
    progress.ended("b", false)
    assert.match(progress.text(1_000), /2 of 10 documents, 1\.0\/s, 8 s left {2}$/)
    assert.match(progress.text(100_000), /0\.6\/min, 14 min left/)
  })
})
