import { gunzipSync, inflateRawSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer, Option, Stream, TestClock } from "effect"
import { type BlobLocation, BlobStore, type UploadOptions } from "../../../src/blob/BlobStore.ts"
import { type Content, withLog } from "../../../src/domain/Content.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import { Conflict, NotFound, type ServiceError, Unavailable } from "../../../src/domain/ServiceError.ts"
import { executor } from "../../../src/executors/output/AzureBlobOutput.ts"
import * as Golden from "../input/Golden.ts"
import type { RunFacts } from "../../../src/executor/RunFacts.ts"

interface Upload {
  readonly location: BlobLocation
  readonly body: Uint8Array
  readonly options: UploadOptions
}

/** A store that keeps what is uploaded; the service's clock runs a second behind ours, as in the vectors. */
const recording = (existing: Readonly<Record<string, string>> = {}) => {
  const uploads: Array<Upload> = []
  const blobs = new Map<string, Uint8Array>(Object.entries(existing).map(([path, text]) => [path, Buffer.from(text)]))
  const faults: Array<ServiceError> = []
  let lastModified = 0
  const properties = (path: string) =>
    Option.map(Option.fromNullable(blobs.get(path)), (body) => ({
      size: body.length,
      lastModified,
      etag: "0x1",
      contentType: null,
      contentEncoding: null,
      metadata: {}
    }))
  const store = BlobStore.of({
    list: () => Stream.empty,
    properties: ({ path }) => Effect.sync(() => properties(path)),
    download: ({ path }) => Stream.make(blobs.get(path) ?? new Uint8Array()),
    upload: (location, body, options = {}) =>
      Effect.clockWith((clock) =>
        Effect.suspend(() => {
          const fault = faults.shift()
          if (fault !== undefined) return Effect.fail(fault)
          if (options.overwrite === false && blobs.has(location.path)) {
            return Effect.fail(
              new Conflict({
                service: "Blob Storage",
                operation: "upload",
                message: "The specified blob already exists."
              })
            )
          }
          uploads.push({ location, body, options })
          blobs.set(location.path, body)
          lastModified = Math.floor(clock.unsafeCurrentTimeMillis() / 1000) * 1000 + 1000
          return Effect.succeed({ etag: "0x1", lastModified })
        })
      ),
    remove: () => Effect.void,
    ensureContainer: () => Effect.void
  })
  return { uploads, faults, blobs, layer: Layer.succeed(BlobStore, store) }
}

const base = { storage_account_name: "acct", container_name: "out", path_template: "p/", filename_template: "f.json" }

const run = (
  store: ReturnType<typeof recording>,
  settings: Readonly<Record<string, unknown>>,
  items: ReadonlyArray<Content>,
  failOnError = true,
  facts?: RunFacts
) =>
  Effect.gen(function* () {
    const prepared = Either.getOrThrowWith(executor.prepare(settings), (problems) => new Error(problems[0]?.message))
    const instance = yield* prepared({
      id: ExecutorId.make("writer-1"),
      pipelineName: "invoices",
      failOnError,
      ...(facts === undefined ? {} : { run: facts })
    })
    return yield* instance.process(items)
  }).pipe(Effect.scoped, Effect.provide(store.layer))

const item = (data: Readonly<Record<string, unknown>>, uniqueId = "u1"): Content => ({
  id: {
    canonical_id: "doc",
    unique_id: uniqueId,
    source_name: null,
    source_type: null,
    container: null,
    path: null,
    filename: "doc.pdf",
    metadata: null
  },
  summary_data: {},
  data,
  executor_logs: []
})

const unzip = (bytes: Uint8Array): Uint8Array => {
  const view = Buffer.from(bytes)
  const name = view.readUInt16LE(26)
  return inflateRawSync(view.subarray(30 + name, 30 + name + view.readUInt32LE(18)))
}

const textOf = (body: Uint8Array, compression: unknown): string =>
  Buffer.from(compression === "gzip" ? gunzipSync(body) : compression === "zip" ? unzip(body) : body).toString("utf8")

const golden = Golden.load("blob_output_paths.jsonl")

describe("azure_blob_output, golden vectors", () => {
  for (const vector of golden.filter((each) => each.original_defect !== true)) {
    it.effect(`${vector.id} ${vector.note ?? ""}`, () =>
      Effect.gen(function* () {
        if (vector.error?.kind === "settings") {
          assert.isTrue(Either.isLeft(executor.prepare(vector.settings)), vector.error.message)
          return
        }
        yield* TestClock.setTime(Date.parse(String(vector["now"])))
        const existing = (vector["existing_blobs"] ?? []) as ReadonlyArray<string>
        const store = recording(Object.fromEntries(existing.map((path) => [path, "other"])))
        const failOnError = vector.settings["fail_pipeline_on_error"] !== false
        const result = yield* Effect.either(run(store, vector.settings, Golden.items(vector["input"]), failOnError))
        const uploads = (vector["uploads"] ?? []) as ReadonlyArray<Readonly<Record<string, unknown>>>
        assert.strictEqual(store.uploads.length, uploads.length)
        for (const [index, expected] of uploads.entries()) {
          const upload = store.uploads[index]
          const text = upload === undefined ? "" : textOf(upload.body, expected["compression"])
          assert.strictEqual(upload?.location.path, expected["path"])
          assert.strictEqual(upload?.location.container, expected["container"])
          assert.strictEqual(upload?.options.overwrite, expected["overwrite"])
          assert.deepStrictEqual(upload?.options.metadata, expected["metadata"] as never)
          assert.isUndefined(Golden.difference(expected["body"], JSON.parse(text)))
          if (expected["body_text"] !== undefined) assert.strictEqual(text, expected["body_text"])
        }
        if (vector.error !== undefined) {
          assert.isTrue(Either.isLeft(result), vector.error.message)
          return
        }
        const output = Either.getOrThrow(result)
        assert.isUndefined(Golden.difference(relaxed(vector["output"]), output))
      })
    )
  }
})

/** The wording of a failure is Python's. */
const relaxed = (output: unknown): unknown =>
  JSON.parse(JSON.stringify(output), (key, value: unknown) => (key === "write_error" ? "<volatile>" : value))

const problems = (settings: Readonly<Record<string, unknown>>) =>
  Either.match(executor.prepare(settings), {
    onLeft: (found) => found.map((problem) => problem.path.join(".")),
    onRight: () => []
  })

describe("azure_blob_output", () => {
  it.effect("puts nothing between a folder and a file name, as the original, and advises a slash", () =>
    Effect.gen(function* () {
      for (const [path_template, path, advised] of [
        ["no-slash", "no-slashf.json", true],
        ["in/{a}", "in/1f.json", true],
        ["in/", "in/f.json", false],
        ["/in/", "/in/f.json", true]
      ] as const) {
        const store = recording()
        yield* run(store, { ...base, path_template }, [item({ a: 1 })])
        assert.strictEqual(store.uploads[0]?.location.path, path)
        assert.lengthOf(executor.advise({ ...base, path_template }), advised ? 1 : 0)
      }
    })
  )

  it.effect("writes whole numbers beyond 2^53 with all their digits, once per document", () =>
    Effect.gen(function* () {
      for (const pretty_print of [true, false]) {
        const store = recording()
        const settings = { ...base, pretty_print, overwrite_existing: false }
        const items = [
          item({ account: 12345678901234567890n, list: [-(2n ** 70n)], "12345678901234567890": "9007199254740993" })
        ]
        yield* run(store, settings, items)
        const text = Buffer.from(store.blobs.get("p/f.json") ?? "").toString()
        assert.match(text, /"account": 12345678901234567890\b/)
        assert.match(text, /-1180591620717411303424\b/)
        assert.include(text, '"12345678901234567890": "9007199254740993"')
      }
    })
  )

  it.effect("writes texts as they are with output_format text, and all else as JSON", () =>
    Effect.gen(function* () {
      const store = recording()
      const settings = { ...base, output_format: "text", content_field: "text" }
      for (const [filename_template, text] of [
        ["a.md", "# Größe\n"],
        ["b.txt", "plain"],
        ["c.md", { a: 1 }],
        ["d.HTML", ""]
      ] as const) {
        yield* run(store, { ...settings, filename_template }, [item({ text })])
      }
      assert.deepStrictEqual(
        store.uploads.map(({ body, options }) => [Buffer.from(body).toString(), options.contentType]),
        [
          ["# Größe\n", "text/markdown; charset=utf-8"],
          ["plain", "text/plain; charset=utf-8"],
          ['{\n  "a": 1\n}', "text/markdown; charset=utf-8"],
          ["", "text/html; charset=utf-8"]
        ]
      )
    })
  )

  it.effect("keeps the folders of documents with {id.folder}, of blobs and of files", () =>
    Effect.gen(function* () {
      const store = recording()
      const settings = { ...base, path_template: "out/{id.folder}", filename_template: "{id.filename}.json" }
      const one = item({ a: 1 })
      const placed = (container: string | null, path: string, canonical_id: string) => ({
        ...one,
        id: { ...one.id!, canonical_id, container, path, filename: path.slice(path.lastIndexOf("/") + 1) }
      })
      yield* run(store, settings, [
        placed("docs", "2026/ü/a.txt", "https://acct.blob.core.windows.net/docs/2026/ü/a.txt"),
        placed("docs", "b.txt", "https://acct.blob.core.windows.net/docs/b.txt"),
        placed(null, "/home/ada/papers/deep/c.txt", "deep/c.txt"),
        placed(null, "/home/ada/d.txt", "/home/ada/d.txt"),
        { ...one, id: null }
      ])
      assert.sameMembers(
        store.uploads.map(({ location }) => location.path),
        ["out/2026/ü/a.txt.json", "out/b.txt.json", "out/deep/c.txt.json", "out/d.txt.json", "out/unknownunknown.json"]
      )
    })
  )

  it.effect("knows the pipeline's name", () =>
    Effect.gen(function* () {
      const store = recording()
      yield* run(store, { ...base, path_template: "{pipeline_name}/" }, [item({ a: 1 })])
      assert.strictEqual(store.uploads[0]?.location.path, "invoices/f.json")
    })
  )

  it.effect("takes {id.unique_id} from the identifier even if data has a key id", () =>
    Effect.gen(function* () {
      const store = recording()
      yield* run(store, { ...base, filename_template: "{id.unique_id}-{id}.json" }, [item({ id: "hidden" })])
      assert.strictEqual(store.uploads[0]?.location.path, "p/u1-hidden.json")
    })
  )

  it.effect("gives items with the same name different blobs, the same ones in every attempt", () =>
    Effect.gen(function* () {
      const items = [item({ a: 1 }), item({ a: 2 }), item({ a: 3 })]
      const first = recording()
      const result = yield* run(first, base, items)
      assert.deepStrictEqual(
        result
          .map((each) => each.summary_data["blob_output"] as { readonly blob_path: string })
          .map((each) => each.blob_path),
        ["p/f.json", "p/f_2.json", "p/f_3.json"]
      )
      assert.deepStrictEqual(JSON.parse(Buffer.from(first.blobs.get("p/f_2.json") ?? "").toString()).data, { a: 2 })
      yield* run(first, base, items)
      assert.strictEqual(first.blobs.size, 3)
    })
  )

  it.effect("keeps no name for items that are not written", () =>
    Effect.gen(function* () {
      const store = recording()
      const large = { note: "x".repeat(9000) }
      const items = [item({}, "a"), item(large, "b"), item({ note: "n" }, "c"), item({}, "d"), item({ note: "n" }, "e")]
      yield* run(store, { ...base, metadata_fields: "note" }, items, false)
      assert.deepStrictEqual(
        store.uploads.map(({ location }) => location.path),
        ["p/f.json", "p/f_2.json"]
      )
    })
  )

  it.effect("writes metadata fields given as a comma list or a list, and when", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-03-04T05:06:07Z"))
      for (const metadata_fields of ["category, meta.author", ["category", "meta.author"]]) {
        const store = recording()
        yield* run(store, { ...base, metadata_fields }, [
          item({ category: "inv", meta: { author: "Zoë\r\nX-Evil: 1" } })
        ])
        assert.deepStrictEqual(store.uploads[0]?.options.metadata, {
          category: "inv",
          meta_author: "Zo%C3%AB%0D%0AX-Evil: 1",
          written_at: "2026-03-04T05:06:07+00:00"
        })
      }
      const store = recording()
      yield* run(store, { ...base, metadata_fields: "category", add_timestamp: false }, [item({ category: "inv" })])
      assert.deepStrictEqual(store.uploads[0]?.options.metadata, { category: "inv" })
    })
  )

  it.effect("refuses more metadata than a blob takes", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        run(recording(), { ...base, metadata_fields: "a" }, [item({ a: "x".repeat(9000) })])
      )
      assert.include(error.message, "metadata_fields")
    })
  )

  it.effect("says what a blob is", () =>
    Effect.gen(function* () {
      const types = [
        [{}, "application/json", undefined],
        [{ compression: "zip" }, "application/zip", undefined],
        [{ compression: "GZIP" }, "application/gzip", undefined],
        [{ compression: "gzip", set_content_encoding: true }, "application/json", "gzip"]
      ] as const
      for (const [settings, type, encoding] of types) {
        const store = recording()
        yield* run(store, { ...base, ...settings }, [item({ a: 1 })])
        assert.strictEqual(store.uploads[0]?.options.contentType, type)
        assert.strictEqual(store.uploads[0]?.options.contentEncoding, encoding)
      }
    })
  )

  it.effect("writes bytes as base64", () =>
    Effect.gen(function* () {
      const store = recording()
      yield* run(store, base, [item({ content: new Uint8Array([0, 255, 128]) })])
      const body = JSON.parse(Buffer.from(store.uploads[0]?.body ?? []).toString("utf8"))
      assert.strictEqual(body.data.content, "AP+A")
    })
  )

  it.effect("overwrites the blob of the attempt before: names carry the task's creation time", () =>
    Effect.gen(function* () {
      const store = recording()
      const settings = { storage_account_name: "acct", container_name: "out" }
      const attempt = (number: number) =>
        run(store, settings, [item({ a: 1 })], true, {
          pipelineId: "p1",
          vaultId: null,
          executionId: "exec_1",
          taskId: "task_1",
          attempt: number,
          createdAt: Date.parse("2026-03-04T05:06:07Z")
        })
      yield* attempt(1)
      yield* TestClock.adjust("1 day")
      yield* attempt(2)
      assert.deepStrictEqual([...store.blobs.keys()], ["writer-1/2026/03/04/u1_20260304_050607.json"])
    })
  )

  for (const compression of [null, "gzip", "zip"]) {
    it.effect(`without overwriting, takes what an attempt before wrote for written (${compression})`, () =>
      Effect.gen(function* () {
        const store = recording()
        const settings = { ...base, overwrite_existing: false, compression }
        yield* run(store, settings, [item({ a: 1 })])
        const again = withLog(item({ a: 1 }), {
          executor_id: "before",
          start_time: "later",
          end_time: "later",
          status: "completed",
          details: {},
          errors: []
        })
        const [result] = yield* run(store, settings, [again])
        assert.strictEqual(store.uploads.length, 1)
        assert.propertyVal(result?.summary_data["blob_output"] as object, "write_status", "success")
        const error = yield* Effect.flip(run(store, settings, [item({ a: 2 })]))
        assert.strictEqual(error.reason, "Document")
        assert.include(error.message, "overwrite_existing")
      })
    )
  }

  it.effect("leaves write_status and write_error on an item that could not be written", () =>
    Effect.gen(function* () {
      const store = recording()
      store.faults.push(new NotFound({ service: "Blob Storage", operation: "upload", message: "no container" }))
      const [bad, good] = yield* run(store, { ...base, max_concurrent: 1 }, [item({ a: 1 }), item({ a: 2 })], false)
      assert.strictEqual(bad?.summary_data["write_status"], "error")
      assert.include(String(bad?.summary_data["write_error"]), "container_name")
      assert.strictEqual(bad?.executor_logs[0]?.status, "failed")
      assert.deepStrictEqual(Object.keys(good?.summary_data ?? {}), ["blob_output"])
    })
  )

  it.effect("lets what may heal be tried again", () =>
    Effect.gen(function* () {
      const store = recording()
      store.faults.push(new Unavailable({ service: "Blob Storage", operation: "upload", message: "503" }))
      const error = yield* Effect.flip(run(store, base, [item({ a: 1 })]))
      assert.strictEqual(error.reason, "Transient")
    })
  )

  it("refuses settings that can't work, by name", () => {
    assert.deepStrictEqual(problems({}), ["storage_account_name", "container_name"])
    assert.deepStrictEqual(problems({ ...base, storage_account_name: "https://acct.blob.core.windows.net" }), [
      "storage_account_name"
    ])
    assert.deepStrictEqual(problems({ ...base, credential_type: "azure_key_credential" }), ["credential_key"])
    assert.deepStrictEqual(problems({ ...base, credential_type: "azure_key_credential", credential_key: "k" }), [])
  })

  it.effect("shows its key to nobody but the store", () =>
    Effect.gen(function* () {
      const store = recording()
      yield* run(store, { ...base, credential_type: "azure_key_credential", credential_key: "secret-key" }, [
        item({ a: 1 })
      ])
      assert.isDefined(store.uploads[0]?.location.account.key)
      assert.notInclude(JSON.stringify(store.uploads[0]?.location), "secret-key")
    })
  )
})
