import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted, Scope, Stream, TestClock } from "effect"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Credentials from "../../src/azure/Credentials.ts"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as Emulators from "../../src/cli/demo/Emulators.ts"
import * as LazyBlobs from "../../src/cli/run/LazyBlobs.ts"
import * as LocalSettings from "../../src/cli/run/LocalSettings.ts"
import * as NodeProgress from "../../src/cli/run/NodeProgress.ts"
import * as ProgressBar from "../../src/cli/run/ProgressBar.ts"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import type { Content } from "../../src/domain/Content.ts"
import { cli, folder } from "./Captured.ts"

/** The definition as JSON, which is YAML. */
const line = (...executors: ReadonlyArray<object>) =>
  JSON.stringify({
    name: "Line",
    executors: executors.map((executor, index) => ({ id: `n${index}`, ...executor })),
    execution_sequence: executors.map((executor, index) => ("id" in executor ? executor.id : `n${index}`))
  })

const item = (id: string, data: object = {}) => ({ id: { canonical_id: id, unique_id: `u-${id}` }, data })

const itemsIn = (stdout: string): ReadonlyArray<Content> => JSON.parse(stdout)

const discovery = {
  id: "discover",
  type: "azure_blob_input_discovery",
  settings: { blob_storage_account: "account1", blob_container_name: "docs" }
}

describe("run", () => {
  it.scoped("makes an item of every visible file, which extractors read without a retriever", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ type: "text_extractor" }),
        "docs/b.txt": "Second",
        "docs/a/a.txt": "First",
        "docs/.hidden.txt": "no",
        "docs/.git/x.txt": "no"
      })
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), "--documents", files.at("docs")])
      assert.strictEqual(code, 0, stderr)
      const items = itemsIn(stdout)
      assert.deepStrictEqual(
        items.map(({ id }) => id),
        ["a/a.txt", "b.txt"].map((name, index) => ({
          canonical_id: name,
          unique_id: createHash("sha1").update(name).digest("hex"),
          source_name: files.at("docs"),
          source_type: "local_file",
          container: null,
          path: join(files.at("docs"), name),
          filename: name.split("/").at(-1) ?? "",
          metadata: items[index]?.id?.metadata ?? null
        }))
      )
      assert.strictEqual(items[0]?.id?.metadata?.["size"], 5)
      assert.strictEqual(items[0]?.data["temp_file_path"], files.at("docs/a/a.txt"))
      assert.include(JSON.stringify(items[0]?.data), "First")
      assert.match(stderr, /Pipeline Line: 2 documents, 2 completed, 0 failed, \d+\.\d\d s\n/)
      assert.include(stderr, "✓ a/a.txt\n")
      assert.match(stderr, /n0 +text_extractor +completed +2 +2 +0 +\d+\.\d\d s\n/)
    })
  )

  it.scoped("lets a content retriever read the folder whatever its root is, and leaves no files behind", () =>
    Effect.gen(function* () {
      const settings = { allowed_root: "/nowhere", include_content_bytes_as_field: true }
      const bytes = new Uint8Array([0, 255, 1, 254])
      const files = yield* folder({ "p.yaml": line({ type: "content_retriever", settings }), "docs/x.bin": bytes })
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), "--documents", files.at("docs")])
      assert.strictEqual(code, 0, stderr)
      const [only] = itemsIn(stdout)
      assert.strictEqual(only?.data["content"], Buffer.from(bytes).toString("base64"))
      // The retriever's copy is gone with its run, and is not told.
      assert.notProperty(only?.data, "temp_file_path")
    })
  )

  it.scoped("keeps to the definition's root when the items come from a file", () =>
    Effect.gen(function* () {
      const local = { ...item("x"), id: { ...item("x").id, source_type: "local_file", path: "/etc/hostname" } }
      const files = yield* folder({
        "p.yaml": line({ type: "content_retriever" }),
        "items.json": JSON.stringify([local])
      })
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), "--items", files.at("items.json")])
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, "")
      assert.include(stderr, "allowed_root")
    })
  )

  it.scoped("takes a run's output as the items of the next", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ type: "pass_through" }),
        "items.json": JSON.stringify([item("a", { text: "ä\n" }), item("b")])
      })
      const first = yield* cli(["run", files.at("p.yaml"), "--items", files.at("items.json")])
      assert.strictEqual(first.code, 0, first.stderr)
      const more = yield* folder({ "items.json": first.stdout })
      const second = yield* cli(["run", files.at("p.yaml"), "--items", more.at("items.json")])
      assert.deepStrictEqual(
        itemsIn(second.stdout).map(({ data, id }) => [id?.canonical_id, data["text"]]),
        [
          ["a", "ä\n"],
          ["b", undefined]
        ]
      )
      const none = yield* folder({ "items.json": "[]" })
      const empty = yield* cli(["run", files.at("p.yaml"), "--items", none.at("items.json")])
      assert.deepStrictEqual([empty.code, empty.stdout], [0, "[]\n"])
    })
  )

  it.scoped("puts the items in the place of an input that lists documents, as a task does", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line(discovery, { id: "next", type: "pass_through" }),
        "items.json": JSON.stringify([item("a")])
      })
      const args = ["run", files.at("p.yaml"), "--items", files.at("items.json")]
      const byItself = yield* cli(args)
      assert.strictEqual(byItself.code, 0, byItself.stderr)
      assert.include(
        byItself.stderr,
        "The documents take the place of what discover (azure_blob_input_discovery) would list"
      )
      assert.notMatch(byItself.stderr, /^ {2}discover /m)
      const asked = yield* cli([...args, "--exclude", "discover"])
      assert.deepStrictEqual(asked.stdout, byItself.stdout)
    })
  )

  it.scoped("does not run the node of --exclude, but what follows it", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ id: "split", type: "recursive_text_chunker" }, { id: "end", type: "pass_through" }),
        "items.json": JSON.stringify([item("a")])
      })
      const args = ["run", files.at("p.yaml"), "--items", files.at("items.json")]
      // The chunker fails for want of a text.
      assert.strictEqual((yield* cli(args)).code, 1)
      const { code, stderr, stdout } = yield* cli([...args, "--exclude", "split"])
      assert.strictEqual(code, 0, stderr)
      assert.deepStrictEqual(itemsIn(stdout)[0]?.id?.canonical_id, "a")
      assert.match(stderr, /^ {2}end +pass_through +completed/m)
      const unknown = yield* cli([...args, "--exclude", "splitt"])
      assert.deepStrictEqual([unknown.code, unknown.stdout], [2, ""])
      assert.include(unknown.stderr, "split, end")
    })
  )

  it.scoped("fails with the node's error and the way up to it, and no output", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ id: "ok", type: "pass_through" }, { id: "split", type: "recursive_text_chunker" }),
        "items.json": JSON.stringify([item("a")])
      })
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), "--items", files.at("items.json")])
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.match(stderr, /^ {2}ok +pass_through +completed +1 +1/m)
      assert.match(stderr, /^ {2}split +recursive_text_chunker +failed/m)
      assert.match(stderr, /\nThe run failed in split: .*a.*\n$/)
    })
  )

  it.scoped("tells the errors of items that did not end the run", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ id: "split", type: "recursive_text_chunker", settings: { fail_pipeline_on_error: false } }),
        "items.json": JSON.stringify([item("a"), item("b", { text: "words" })])
      })
      const { code, stderr, stdout } = yield* cli(["run", files.at("p.yaml"), "--items", files.at("items.json")])
      assert.strictEqual(code, 3)
      assert.strictEqual(itemsIn(stdout).length, 2)
      assert.match(stderr, /^ {2}split +recursive_text_chunker +completed +2 +2 +1 /m)
      assert.match(stderr, /^✗ a: split: /m)
    })
  )

  it.scoped("runs the pipeline of --pipeline, else the first", () =>
    Effect.gen(function* () {
      const one = (name: string, type: string) => ({
        name,
        executors: [{ id: name, type }],
        execution_sequence: [name]
      })
      const files = yield* folder({
        "p.yaml": JSON.stringify({ pipelines: [one("One", "pass_through"), one("Two", "pass_through")] }),
        "items.json": "[]"
      })
      const args = ["run", files.at("p.yaml"), "--items", files.at("items.json")]
      assert.include((yield* cli(args)).stderr, "Pipeline One:")
      assert.include((yield* cli([...args, "--pipeline", "Two"])).stderr, "Pipeline Two:")
      const unknown = yield* cli([...args, "--pipeline", "Three"])
      assert.strictEqual(unknown.code, 2)
      assert.include(unknown.stderr, "It has: One, Two")
    })
  )

  it.scoped("says what to give it when it has no items", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "crawl.yaml": line(discovery, { type: "pass_through" }),
        "plain.yaml": line({ type: "pass_through" })
      })
      const crawl = yield* cli(["run", files.at("crawl.yaml")])
      assert.deepStrictEqual([crawl.code, crawl.stdout], [2, ""])
      assert.include(crawl.stderr, "begins with discover (azure_blob_input_discovery)")
      assert.include(crawl.stderr, "--documents DIR")
      const plain = yield* cli(["run", files.at("plain.yaml")])
      assert.deepStrictEqual([plain.code, plain.stdout], [2, ""])
      assert.include(plain.stderr, "--items FILE")
    })
  )

  it.scoped("tells the problems of a definition with their places", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": "name: x\nexecutors:\n  - {id: a, type: nothing}\nexecution_sequence: [a]\n",
        "items.json": "[]"
      })
      const wrong = yield* cli(["run", files.at("p.yaml"), "--items", files.at("items.json")])
      assert.strictEqual(wrong.code, 1)
      assert.match(wrong.stderr, /p\.yaml:3:19: error: .*nothing/)
      const none = yield* cli(["run", files.at("none.yaml"), "--items", files.at("items.json")])
      assert.strictEqual(none.code, 1)
      assert.include(none.stderr, "none.yaml: error: There is no such file.")
    })
  )

  it.scoped("says where items are wrong", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p.yaml": line({ type: "pass_through" }),
        "shape.json": JSON.stringify([item("a"), { id: { canonical_id: 5 } }]),
        "text.json": "[{",
        "empty/.hidden": ""
      })
      const shape = yield* cli(["run", files.at("p.yaml"), "--items", files.at("shape.json")])
      assert.strictEqual(shape.code, 1)
      assert.include(shape.stderr, "  [1].id.canonical_id: Expected string, actual 5\n")
      assert.notMatch(shape.stderr, /^ {2}\[1\]\.id: /m)
      const object = yield* folder({ "one.json": JSON.stringify(item("a")) })
      const one = yield* cli(["run", files.at("p.yaml"), "--items", object.at("one.json")])
      assert.match(
        one.stderr,
        /one\.json: It must be a list of items of the shape .* It is one object: put it in \[ \]\.\n$/
      )
      const text = yield* cli(["run", files.at("p.yaml"), "--items", files.at("text.json")])
      assert.strictEqual(text.code, 1)
      assert.include(text.stderr, "text.json: It is not JSON: ")
      const none = yield* cli(["run", files.at("p.yaml"), "--documents", files.at("empty")])
      assert.strictEqual(none.code, 1)
      assert.include(none.stderr, "there are no files in it")
    })
  )

  it.scoped("writes a file for every item into --output, inside it whatever the documents are called", () =>
    Effect.gen(function* () {
      const ids = ["docs/report.pdf", "other/REPORT.pdf", "../../etc/passwd", "..", "a b\u0000?.txt"]
      const files = yield* folder({
        "p.yaml": line({ type: "pass_through" }),
        "items.json": JSON.stringify(ids.map((id) => item(id)))
      })
      const { code, stderr, stdout } = yield* cli([
        "run",
        files.at("p.yaml"),
        "--items",
        files.at("items.json"),
        "--output",
        files.at("out/deep")
      ])
      assert.deepStrictEqual([code, stdout], [0, ""], stderr)
      assert.deepStrictEqual(readdirSync(files.at("out/deep")).toSorted(), [
        "a b_.txt.json",
        "docs",
        "etc",
        "item.json",
        "other"
      ])
      assert.isTrue(existsSync(files.at("out/deep/etc/passwd.json")))
      const first: Content = JSON.parse(readFileSync(files.at("out/deep/docs/report.pdf.json"), "utf8"))
      assert.strictEqual(first.id?.canonical_id, "docs/report.pdf")
    })
  )

  it.scoped("minds a wrong storage connection string only when a blob is wanted", () =>
    Effect.gen(function* () {
      const output = {
        type: "azure_blob_output",
        settings: { storage_account_name: "account1", container_name: "out" }
      }
      const files = yield* folder({
        "p.yaml": line(output),
        "none.json": "[]",
        "one.json": JSON.stringify([item("a", { text: "words" })])
      })
      const environment = { AZURE_STORAGE_CONNECTION_STRING: "AccountName=account1" }
      const unused = yield* cli(["run", files.at("p.yaml"), "--items", files.at("none.json")], environment)
      assert.strictEqual(unused.code, 0, unused.stderr)
      const used = yield* cli(["run", files.at("p.yaml"), "--items", files.at("one.json")], environment)
      assert.strictEqual(used.code, 1)
      assert.include(used.stderr, "The storage connection string can't be read")
    })
  )

  it.scoped(
    "writes blobs to the account that the connection string signs in at",
    () =>
      Effect.gen(function* () {
        const { connectionString } = yield* Emulators.storage
        const account = { name: Emulators.accountName }
        const blobs = yield* Effect.provide(
          BlobStore,
          yield* Layer.build(
            Layer.provide(
              Layer.provide(LazyBlobs.layer, Credentials.layer),
              Layer.succeed(AzureConfig, {
                ...LocalSettings.defaults.azure,
                storageConnectionString: Redacted.make(connectionString)
              })
            )
          )
        )
        yield* blobs.ensureContainer(account, "out")
        const settings = {
          storage_account_name: account.name,
          container_name: "out",
          path_template: "here/",
          filename_template: "{id.canonical_id}.json"
        }
        const files = yield* folder({
          "write.yaml": line({ type: "azure_blob_output", settings }),
          "one.json": JSON.stringify([item("a", { text: "kept" })])
        })
        const ended = yield* cli(["run", files.at("write.yaml"), "--items", files.at("one.json")], {
          AZURE_STORAGE_CONNECTION_STRING: connectionString
        })
        assert.strictEqual(ended.code, 0, ended.stderr)
        const pages = yield* Stream.runCollect(blobs.list({ account, container: "out" }))
        const paths = [...pages].flatMap((page) => page.blobs.map(({ path }) => path))
        assert.strictEqual(paths.length, 1)
        assert.match(paths[0] ?? "", /here\/.*a\.json$/)
      }),
    60_000
  )

  it.scoped("draws a bar in a terminal, and takes it away", () =>
    Effect.gen(function* () {
      const written: Array<string> = []
      const progress = ProgressBar.make({ isTerminal: true, write: (text) => void written.push(text) })
      const nodes = NodeProgress.make()
      const scope = yield* Scope.make()
      yield* Scope.extend(progress.show(nodes.textOf(["a", "b"])), scope)
      yield* nodes.listener.started("a", 3)
      yield* nodes.listener.started("a.step", 1)
      yield* TestClock.adjust("1 second")
      assert.match(written.at(-1) ?? "", /\[\.{30}\] 0 of 2 nodes, 1 s {2}a \(3\)$/)
      yield* nodes.listener.ended("a")
      yield* nodes.listener.started("b", 4)
      yield* TestClock.adjust("200 millis")
      assert.match(written.at(-1) ?? "", /\[#{15}\.{15}\] 1 of 2 nodes, 1 s {2}b \(4\)$/)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(written.at(-1), "\r\u001b[2K")
      const count = written.length
      yield* TestClock.adjust("1 second")
      assert.strictEqual(written.length, count)
    })
  )

  it.scoped("draws nothing elsewhere", () =>
    Effect.gen(function* () {
      const written: Array<string> = []
      const progress = ProgressBar.make({ isTerminal: false, write: (text) => void written.push(text) })
      const fiber = yield* Effect.fork(
        Effect.scoped(
          Effect.zipRight(
            progress.show(() => "a"),
            Effect.sleep("1 second")
          )
        )
      )
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(written, [])
    })
  )
})
