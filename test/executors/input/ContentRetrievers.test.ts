import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem, Path } from "@effect/platform"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Either, Exit, Layer, Option, Redacted, Scope, Stream } from "effect"
import { type BlobLocation, BlobStore } from "../../../src/blob/BlobStore.ts"
import { type Content, type ContentIdentifier, withData } from "../../../src/domain/Content.ts"
import { withRoots } from "../../support/LocalFiles.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import { Conflict, NotFound, Unavailable, type ServiceError } from "../../../src/domain/ServiceError.ts"
import * as MemoryBlob from "../../../src/blob/MemoryBlob.ts"
import type { Executor } from "../../../src/executor/Executor.ts"
import type { Departure, FoundDocument, RunFacts } from "../../../src/executor/RunFacts.ts"
import * as AzureBlobContentRetriever from "../../../src/executors/input/AzureBlobContentRetriever.ts"
import * as ContentRetriever from "../../../src/executors/input/ContentRetriever.ts"

/** Blobs by `account/container/path`, served in chunks of one byte. */
const store = (blobs: Readonly<Record<string, string | ServiceError>>) => {
  const asked: Array<BlobLocation> = []
  const facts = { service: "Blob Storage", operation: "download", message: "no such blob" }
  const service = BlobStore.of({
    list: () => Stream.empty,
    properties: () => Effect.succeedNone,
    download: (location) =>
      Stream.suspend((): Stream.Stream<Uint8Array, ServiceError> => {
        asked.push(location)
        const body = blobs[`${location.account.name}/${location.container}/${location.path}`]
        if (body === undefined) return Stream.fail(new NotFound(facts))
        if (typeof body !== "string") return Stream.concat(Stream.make(Buffer.from("half")), Stream.fail(body))
        return Stream.fromIterable([...Buffer.from(body)].map((byte) => new Uint8Array([byte])))
      }),
    upload: () => Effect.succeed({ etag: "", lastModified: 0 }),
    remove: () => Effect.void,
    ensureContainer: () => Effect.void
  })
  return { asked, layer: Layer.succeed(BlobStore, service) }
}

const blobItem = (path: string, id: Partial<ContentIdentifier> = {}): Content => ({
  id: {
    canonical_id: `https://acct.blob.core.windows.net/docs/${path}`,
    unique_id: Buffer.from(`${id.container ?? "docs"}/${path}`)
      .toString("hex")
      .slice(0, 40),
    source_name: "acct",
    source_type: "azure_blob",
    container: "docs",
    path,
    filename: path,
    metadata: null,
    ...id
  },
  summary_data: {},
  data: {},
  executor_logs: []
})

const fileItem = (path: string): Content =>
  blobItem(path, { source_type: "local_file", source_name: null, container: null })

type Needs = BlobStore | FileSystem.FileSystem | Path.Path

/** Runs a node in a scope of its own that the caller closes. */
const open = (
  executor: Executor<Needs>,
  settings: Readonly<Record<string, unknown>>,
  items: ReadonlyArray<Content>,
  failOnError = true,
  run?: RunFacts
) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const prepared = Either.getOrThrowWith(executor.prepare(settings), (problems) => new Error(problems[0]?.message))
    const instance = yield* Scope.extend(
      prepared({
        id: ExecutorId.make("fetch"),
        pipelineName: "test",
        failOnError,
        ...(run === undefined ? {} : { run })
      }),
      scope
    )
    const result = yield* Effect.either(instance.process(items))
    return { result, close: Scope.close(scope, Exit.void) }
  }).pipe(withRoots())

const succeed = (...args: Parameters<typeof open>) =>
  Effect.gen(function* () {
    const { close, result } = yield* open(...args)
    yield* Effect.addFinalizer(() => close)
    return Either.getOrThrowWith(result, (error) => error)
  })

const fail = (...args: Parameters<typeof open>) =>
  Effect.gen(function* () {
    const { close, result } = yield* open(...args)
    yield* close
    return yield* Effect.flip(result)
  })

const pathOf = (item: Content | undefined): string => String(item?.data["temp_file_path"])

/** A folder that goes away with the test, without symbolic links in its path. */
const folder = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
})

const filesBelow = (root: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return (yield* fs.exists(root)) ? yield* fs.readDirectory(root, { recursive: true }) : []
  })

const blobRetriever = AzureBlobContentRetriever.executor
const retriever = ContentRetriever.executor

const settingsFor = (root: string) => ({ temp_folder: `${root}/tmp`, allowed_root: `${root}/docs` })

layer(NodeContext.layer)("content retrievers", (it) => {
  describe("azure_blob_content_retriever", () => {
    it.scoped("streams each blob into a file of the run, which goes away with the run", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const root = yield* folder
        const { close, result } = yield* open(blobRetriever, { temp_folder: `${root}/tmp` }, [
          blobItem("in/a.PDF")
        ]).pipe(Effect.provide(store({ "acct/docs/in/a.PDF": "hello" }).layer))
        const [item] = Either.getOrThrow(result)
        const path = pathOf(item)
        assert.match(path, /\/tmp\/run-[^/]+\/[0-9a-f]+\.pdf$/)
        assert.isTrue(path.startsWith(root))
        assert.strictEqual(yield* fs.readFileString(path), "hello")
        assert.deepStrictEqual(Object.keys(item?.data ?? {}), ["temp_file_path"])
        assert.deepStrictEqual(
          item?.executor_logs.map(({ errors, executor_id, status }) => [executor_id, status, errors]),
          [["fetch", "completed", []]]
        )
        yield* close
        assert.deepStrictEqual(yield* filesBelow(root), ["tmp"])
      })
    )

    it.scoped("keeps names apart that the original's underscores bring together, whatever they are", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const root = yield* folder
        const long = `${"n".repeat(900)}.pdf`
        const items = [
          blobItem("a/b_c"),
          blobItem("a_b/c"),
          blobItem("a/b_c", { container: "other" }),
          blobItem("a/b_c"),
          blobItem(long),
          blobItem("x", { unique_id: "../../../escape" })
        ]
        const blobs = {
          "acct/docs/a/b_c": "1",
          "acct/docs/a_b/c": "2",
          "acct/other/a/b_c": "3",
          [`acct/docs/${long}`]: "5",
          "acct/docs/x": "6"
        }
        const found = yield* succeed(blobRetriever, { temp_folder: root }, items).pipe(
          Effect.provide(store(blobs).layer)
        )
        assert.deepStrictEqual(yield* Effect.forEach(found, (item) => fs.readFileString(pathOf(item))), [
          "1",
          "2",
          "3",
          "1",
          "5",
          "6"
        ])
        assert.strictEqual(new Set(found.map(pathOf)).size, 6)
        assert.isTrue(found.every((item) => pathOf(item).startsWith(`${root}/run-`)))
      })
    )

    it.scoped("fetches empty blobs", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const settings = { temp_folder: yield* folder, include_content_bytes_as_field: true }
        const [item] = yield* succeed(blobRetriever, settings, [blobItem("empty")]).pipe(
          Effect.provide(store({ "acct/docs/empty": "" }).layer)
        )
        assert.deepStrictEqual(item?.data["content"], new Uint8Array())
        assert.strictEqual(Number((yield* fs.stat(pathOf(item))).size), 0)
      })
    )

    it.scoped("undoes the content encoding of a blob, whoever fetches it and wherever it goes", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const root = yield* folder
        const memory = yield* MemoryBlob.MemoryBlob
        const text = "a document"
        yield* memory.put("acct", "docs", "g.txt", gzipSync(text), { contentEncoding: "gzip" })
        yield* memory.put("acct", "docs", "d.txt", deflateSync(text), { contentEncoding: "deflate" })
        yield* memory.put("acct", "docs", "b.txt", brotliCompressSync(text), { contentEncoding: "br" })
        yield* memory.put("acct", "docs", "z.txt", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), {
          contentEncoding: "zstd"
        })
        const settings = { temp_folder: root, include_content_bytes_as_field: true }
        for (const executor of [blobRetriever, retriever]) {
          const items = ["g.txt", "d.txt", "b.txt"].map((path) => blobItem(path))
          for (const item of yield* succeed(executor, settings, items)) {
            assert.strictEqual(yield* fs.readFileString(pathOf(item)), text)
            assert.deepStrictEqual(item.data["content"], new Uint8Array(Buffer.from(text)))
          }
          const error = yield* fail(executor, settings, [blobItem("z.txt")])
          assert.deepStrictEqual([error.reason, error.message.includes("content encoding zstd")], ["Document", true])
          const large = yield* fail(executor, { ...settings, max_size_bytes: 9 }, [blobItem("b.txt")])
          assert.include(large.message, "max_size_bytes")
        }
      }).pipe(Effect.provide(MemoryBlob.layer))
    )

    it.scoped("puts bytes into data, without any file if none is wanted", () =>
      Effect.gen(function* () {
        const root = yield* folder
        const settings = { temp_folder: root, include_content_bytes_as_field: true, use_temp_file_for_content: false }
        const [item] = yield* succeed(blobRetriever, settings, [blobItem("a")]).pipe(
          Effect.provide(store({ "acct/docs/a": "hello" }).layer)
        )
        assert.deepStrictEqual(item?.data, { content: new Uint8Array(Buffer.from("hello")) })
        assert.deepStrictEqual(yield* filesBelow(root), [])
      })
    )

    it.scoped("opens the account with a key, and no other account than the one it is for", () =>
      Effect.gen(function* () {
        const blobs = store({ "acct/docs/a": "1", "else/docs/a": "2" })
        const settings = {
          temp_folder: yield* folder,
          blob_storage_account: "acct",
          blob_storage_account_credential_type: "azure_key_credential",
          blob_storage_account_key: "k",
          max_concurrent: 1
        }
        yield* succeed(blobRetriever, settings, [blobItem("a"), blobItem("a", { source_name: "else" })]).pipe(
          Effect.provide(blobs.layer)
        )
        assert.deepStrictEqual(
          blobs.asked.map(({ account }) => [
            account.name,
            account.key === undefined ? null : Redacted.value(account.key)
          ]),
          [
            ["acct", "k"],
            ["else", null]
          ]
        )
      })
    )

    it.scoped("fails a blob above the bound, and leaves nothing of it", () =>
      Effect.gen(function* () {
        const root = yield* folder
        const { result } = yield* open(blobRetriever, { temp_folder: root, max_size_bytes: 4 }, [blobItem("a")]).pipe(
          Effect.provide(store({ "acct/docs/a": "hello" }).layer)
        )
        const error = yield* Effect.flip(result)
        assert.strictEqual(error.reason, "Document")
        assert.include(error.message, "max_size_bytes")
        const left = yield* filesBelow(root)
        assert.deepStrictEqual(
          left.filter((path) => path.includes("/")),
          []
        )
      })
    )

    it.scoped("leaves nothing of a download that broke off, which may be tried again", () =>
      Effect.gen(function* () {
        const root = yield* folder
        const broken = new Unavailable({ service: "Blob Storage", operation: "download", message: "reset" })
        const { result } = yield* open(blobRetriever, { temp_folder: root }, [blobItem("a")]).pipe(
          Effect.provide(store({ "acct/docs/a": broken }).layer)
        )
        assert.strictEqual((yield* Effect.flip(result)).reason, "Transient")
        const left = yield* filesBelow(root)
        assert.deepStrictEqual(
          left.filter((path) => path.includes("/")),
          []
        )
      })
    )

    it.scoped("fails items that are no blobs or do not say where theirs is, alone", () =>
      Effect.gen(function* () {
        const items = [blobItem("a"), fileItem("b"), blobItem("c", { container: null, source_name: "" })]
        const found = yield* succeed(blobRetriever, { temp_folder: yield* folder }, items, false).pipe(
          Effect.provide(store({ "acct/docs/a": "1" }).layer)
        )
        assert.deepStrictEqual(
          found.map(({ executor_logs }) => executor_logs[0]?.status),
          ["completed", "failed", "failed"]
        )
        assert.include(found[1]?.executor_logs[0]?.errors[0], "local_file")
        assert.include(found[2]?.executor_logs[0]?.errors[0], "id.source_name, id.container missing")
      })
    )

    it.scoped("names the setting when it can't make its folder", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const root = yield* folder
        yield* fs.writeFileString(`${root}/file`, "")
        const error = yield* Effect.flip(open(blobRetriever, { temp_folder: `${root}/file` }, [])).pipe(
          Effect.provide(store({}).layer)
        )
        assert.strictEqual(error.reason, "Setting")
        assert.include(error.message, "temp_folder")
      })
    )
  })

  describe("content_retriever", () => {
    const prepareFiles = Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const root = yield* folder
      yield* fs.makeDirectory(`${root}/docs/sub/.git`, { recursive: true })
      yield* fs.makeDirectory(`${root}/docsecret`, { recursive: true })
      yield* fs.writeFileString(`${root}/docs/a.txt`, "hello")
      yield* fs.writeFileString(`${root}/docs/.env`, "SECRET=1")
      yield* fs.writeFileString(`${root}/docs/sub/.git/config`, "secret")
      yield* fs.writeFileString(`${root}/docsecret/b.txt`, "secret")
      yield* fs.symlink(`${root}/docsecret/b.txt`, `${root}/docs/link.txt`)
      yield* fs.symlink(`${root}/docs/a.txt`, `${root}/docs/good.txt`)
      return root
    })

    it.scoped("copies local files and describes them", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const root = yield* prepareFiles
        yield* fs.utimes(`${root}/docs/a.txt`, 1000, 1_700_000_000)
        const given = withData(fileItem(`${root}/docs/a.txt`), { metadata: { title: "kept", size: 0 } })
        const [item] = yield* succeed(retriever, settingsFor(root), [given]).pipe(Effect.provide(store({}).layer))
        assert.strictEqual(yield* fs.readFileString(pathOf(item)), "hello")
        assert.isTrue(pathOf(item).startsWith(`${root}/tmp/run-`))
        assert.deepStrictEqual(item?.data["metadata"], {
          title: "kept",
          source: "local_file",
          path: `${root}/docs/a.txt`,
          size: 5,
          modified: 1_700_000_000
        })
      })
    )

    it.scoped("names the file itself where copies are not wanted", () =>
      Effect.gen(function* () {
        const root = yield* prepareFiles
        const settings = { ...settingsFor(root), use_original_path: true }
        const [item] = yield* succeed(retriever, settings, [fileItem("good.txt")]).pipe(Effect.provide(store({}).layer))
        assert.strictEqual(pathOf(item), `${root}/docs/a.txt`)
        assert.deepInclude(item?.data["metadata"], { size: 5, path: "good.txt" })
        const withBytes = { ...settings, include_content_bytes_as_field: true }
        const [bytes] = yield* succeed(retriever, withBytes, [fileItem("a.txt")]).pipe(Effect.provide(store({}).layer))
        assert.deepStrictEqual(bytes?.data["content"], new Uint8Array(Buffer.from("hello")))
        assert.strictEqual(pathOf(bytes), `${root}/docs/a.txt`)
      })
    )

    it.scoped("reads nothing outside of the allowed root, hidden, or no file", () =>
      Effect.gen(function* () {
        const root = yield* prepareFiles
        const refused = (path: string, settings: Readonly<Record<string, unknown>> = {}) =>
          fail(retriever, { ...settingsFor(root), ...settings }, [fileItem(path)]).pipe(Effect.provide(store({}).layer))
        for (const path of [
          `${root}/docsecret/b.txt`,
          "../docsecret/b.txt",
          `${root}/docs/../docsecret/b.txt`,
          `${root}/docs/link.txt`,
          `${root}/docsecret/missing.txt`,
          "/etc/passwd",
          "/proc/self/environ"
        ]) {
          const error = yield* refused(path)
          assert.strictEqual(error.reason, "Document")
          assert.include(error.message, "allowed_root", path)
        }
        assert.include((yield* refused(`${root}/docs/.env`)).message, "hidden")
        assert.include((yield* refused("sub/.git/config")).message, "hidden")
        assert.include((yield* refused("sub")).message, "no file")
        assert.include((yield* refused("missing.txt")).message, "does not exist")
        for (const allowed_root of ["/", "/etc", `${root}/docs/../../..`]) {
          const error = yield* refused("/etc/passwd", { allowed_root })
          assert.include(error.message, "LOCAL_ROOTS", allowed_root)
        }
        assert.include((yield* refused("a.txt\0.pdf")).message, "null character")
        assert.include((yield* refused("a.txt", { max_size_bytes: 4 })).message, "max_size_bytes")
        assert.include((yield* refused("a.txt", { allowed_root: `${root}/nowhere` })).message, "allowed_root")
      })
    )

    it.scoped("fetches blobs of the configured account, from the configured container if they name none", () =>
      Effect.gen(function* () {
        const blobs = store({ "mine/docs/a": "12", "mine/standard/b": "3" })
        const settings = {
          temp_folder: yield* folder,
          blob_storage_account: "mine",
          blob_container_name: "standard",
          max_concurrent: 1
        }
        const found = yield* succeed(retriever, settings, [blobItem("a"), blobItem("b", { container: null })]).pipe(
          Effect.provide(blobs.layer)
        )
        assert.deepStrictEqual(
          found.map(({ data }) => data["metadata"]),
          [
            { source: "blob", container: "docs", path: "a", size: 2 },
            { source: "blob", container: "standard", path: "b", size: 1 }
          ]
        )
        assert.deepStrictEqual(
          blobs.asked.map(({ account }) => account.name),
          ["mine", "mine"]
        )
      })
    )

    it.scoped("says what is wrong with other items", () =>
      Effect.gen(function* () {
        const settings = { temp_folder: yield* folder }
        const page = yield* fail(retriever, settings, [blobItem("a", { source_type: "webpage" })]).pipe(
          Effect.provide(store({}).layer)
        )
        assert.include(page.message, "webpage")
        const nowhere = yield* fail(retriever, settings, [blobItem("a", { container: null })]).pipe(
          Effect.provide(store({}).layer)
        )
        assert.include(nowhere.message, "blob_container_name")
      })
    )
  })

  it("keys are required where the settings ask for one, under either name", () => {
    for (const executor of [blobRetriever, retriever]) {
      for (const name of ["blob_storage_account_credential_type", "blob_storage_credential_type"]) {
        const missing = executor.prepare({ [name]: "azure_key_credential" })
        assert.deepStrictEqual(
          Option.getOrNull(Either.getLeft(missing))?.map(({ path }) => path),
          [["blob_storage_account_key"]]
        )
        assert.isTrue(
          Either.isRight(executor.prepare({ [name]: "azure_key_credential", blob_storage_account_key: "k" }))
        )
      }
    }
  })
})

describe("documents that a crawl found", () => {
  const nameOf = (path: string) => `https://acct.blob.core.windows.net/docs/${path}`
  const found = (documents: Readonly<Record<string, FoundDocument>>): RunFacts => ({
    pipelineId: "p",
    vaultId: "v",
    executionId: "e",
    taskId: "t",
    attempt: 1,
    createdAt: 0,
    documents: new Map(Object.entries(documents).map(([path, one]) => [nameOf(path), one])),
    departures: new Map<string, Departure>()
  })
  const account = { name: "acct" }
  const settings = { use_temp_file_for_content: false, include_content_bytes_as_field: true }
  const upload = (path: string, text: string) =>
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      yield* blobs.ensureContainer(account, "docs")
      return (yield* blobs.upload({ account, container: "docs", path }, Buffer.from(text))).etag
    })

  layer(Layer.merge(NodeContext.layer, Layer.fresh(MemoryBlob.layer)))((it) => {
    for (const [name, executor] of [
      ["azure_blob_content_retriever", blobRetriever],
      ["content_retriever", retriever]
    ] as const) {
      for (const failOnError of [true, false]) {
        it.scoped(`${name}: those that are gone or replaced leave, the others go on (${failOnError})`, () =>
          Effect.gen(function* () {
            const old = yield* upload("replaced.txt", "one")
            const etag = yield* upload("same.txt", "same")
            const now = yield* upload("replaced.txt", "two!")
            const run = found({
              "gone.txt": { etag: null, changedAt: 5 },
              "replaced.txt": { etag: old, changedAt: 5 },
              "same.txt": { etag, changedAt: 5 }
            })
            const items = ["gone.txt", "replaced.txt", "same.txt"].map((path) => blobItem(path))
            const results = yield* succeed(executor, { ...settings, continue_on_error: false }, items, failOnError, run)
            assert.deepStrictEqual(
              results.map(({ data, id }) => [id?.path, Buffer.from(data["content"] as Uint8Array).toString()]),
              [["same.txt", "same"]]
            )
            assert.deepStrictEqual(
              [...(run.departures ?? [])].map(([document, { _tag }]) => [document, _tag]),
              [
                [nameOf("gone.txt"), "Gone"],
                [nameOf("replaced.txt"), "Replaced"]
              ]
            )
            assert.deepInclude(run.departures?.get(nameOf("replaced.txt")), { etag: now, size: 4 })
          })
        )
      }
      for (const code of ["BlobArchived", "BlobBeingRehydrated"]) {
        it.scoped(
          `${name}: one that was archived after it was found leaves, an unknown one is an error (${code})`,
          () =>
            Effect.gen(function* () {
              const error = new Conflict({ service: "Blob Storage", operation: "download", message: "archived", code })
              const archived = BlobStore.of({
                ...(yield* BlobStore),
                download: () => Stream.fail(error)
              })
              const run = found({ "cold.txt": { etag: "0x1", changedAt: 5 } })
              const read = (given?: RunFacts) =>
                Effect.provideService(
                  succeed(executor, settings, [blobItem("cold.txt")], true, given),
                  BlobStore,
                  archived
                )
              assert.deepStrictEqual(yield* read(run), [])
              assert.strictEqual(run.departures?.get(nameOf("cold.txt"))?._tag, "Archived")
              assert.isTrue(Exit.isFailure(yield* Effect.exit(read())))
            })
        )
      }
      it.scoped(`${name}: a blob that no crawl found, or a container that is missing, is an error`, () =>
        Effect.gen(function* () {
          yield* upload("x.txt", "x")
          const run = found({ "never.txt": { etag: null, changedAt: null }, "far.txt": { etag: null, changedAt: 5 } })
          const never = yield* fail(executor, settings, [blobItem("never.txt")], true, run)
          assert.strictEqual(never.reason, "Document")
          const far = yield* fail(executor, settings, [blobItem("far.txt", { container: "nowhere" })], true, run)
          assert.match(far.message, /container does not exist/)
          assert.strictEqual(run.departures?.size, 0)
        })
      )
    }
  })
})
