import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, Layer, Option, Stream } from "effect"
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as Database from "../../src/embedded/Database.ts"
import * as FolderPage from "../../src/embedded/FolderPage.ts"
import * as FolderBlob from "../../src/embedded/FolderBlob.ts"
import { blobStoreSuite } from "../../src/testing/suites/BlobStoreSuite.ts"
import * as Folders from "../support/Folders.ts"

const blobsIn = (folder: string, options: Partial<FolderBlob.Options> = {}) =>
  Layer.fresh(
    FolderBlob.layer({ folder: join(folder, "blobs"), ...options }).pipe(
      Layer.provide(Database.layer({ file: join(folder, "worker.db") }))
    )
  )

blobStoreSuite("folder", {
  account: "anyaccount",
  layer: Layer.unwrapScoped(Effect.map(Folders.temporary, (folder) => blobsIn(folder)))
})

const account = { name: "acme" }
const at = (path: string) => ({ account, container: "docs", path })
const bytes = (text: string) => new TextEncoder().encode(text)

const textOf = (blobs: BlobStore["Type"], path: string) =>
  Effect.map(Stream.runCollect(blobs.download(at(path))), (all) => Buffer.concat([...all]).toString())

const listed = (blobs: BlobStore["Type"], prefix = "") =>
  Effect.map(Stream.runCollect(blobs.list({ account, container: "docs", prefix, includeMetadata: true })), (pages) =>
    Chunk.toReadonlyArray(pages).flatMap((page) => page.blobs)
  )

const opened = (folder: string, options: Partial<FolderBlob.Options> = {}) =>
  Effect.flatMap(Layer.build(blobsIn(folder, options)), (context) => Effect.provide(BlobStore, context))

/** A container, its folder, and another process's view of it. */
const world = Effect.gen(function* () {
  const folder = yield* Folders.temporary
  const [blobs, other] = [yield* opened(folder), yield* opened(folder)]
  yield* blobs.ensureContainer(account, "docs")
  return { folder, blobs, other, docs: join(folder, "blobs", "acme", "docs") }
})

describe("FolderBlob", () => {
  it.scoped("blobs are the files that a person expects", () =>
    Effect.gen(function* () {
      const { blobs, docs } = yield* world
      yield* blobs.upload(at("2026/Invoice größe.pdf"), bytes("pdf"), { contentType: "application/pdf" })
      assert.strictEqual(readFileSync(join(docs, "2026", "Invoice größe.pdf"), "utf8"), "pdf")
      writeFileSync(join(docs, "2026", "note.txt"), "by hand")
      assert.strictEqual(yield* textOf(blobs, "2026/note.txt"), "by hand")
      const found = yield* listed(blobs)
      assert.deepStrictEqual(
        found.map(({ contentType, path }) => [path, contentType]),
        [
          ["2026/Invoice größe.pdf", "application/pdf"],
          ["2026/note.txt", "text/plain"]
        ]
      )
    })
  )

  it.scoped("names that no file can have, or that collide, come back", () =>
    Effect.gen(function* () {
      const { blobs, docs } = yield* world
      const paths = [
        "dir",
        "dir/file",
        "dir/",
        "dir//double",
        "a/b/c",
        "a/b",
        "a",
        "x".repeat(1024),
        `${"y".repeat(500)}/${"z".repeat(500)}`,
        `${"y".repeat(500)}/${"z".repeat(499)}!`,
        "日".repeat(1000),
        "CON/aux.txt",
        "con",
        "A",
        "100%",
        "100%25",
        "end./x.",
        ".properties/x.json",
        ".incoming/x"
      ]
      for (const path of paths) yield* blobs.upload(at(path), bytes(path), { metadata: { n: "1" } })
      for (const path of paths) assert.strictEqual(yield* textOf(blobs, path), path)
      const found = yield* listed(blobs)
      assert.deepStrictEqual(
        found.map(({ path }) => path),
        [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      )
      assert.isTrue(found.every(({ metadata }) => metadata["n"] === "1"))
      for (const path of paths) yield* blobs.remove(at(path))
      assert.deepStrictEqual(yield* listed(blobs), [])
      assert.deepStrictEqual(
        readdirSync(docs).filter((name) => !name.startsWith(".")),
        []
      )
    })
  )

  it.scoped("a listing below a prefix gives what a listing of all gives there", () =>
    Effect.gen(function* () {
      const { blobs } = yield* world
      const paths = ["a!b", "a/1", "a/2/3", "a-b", "ab/c", "b"]
      for (const path of paths) yield* blobs.upload(at(path), bytes(path))
      const all = (yield* listed(blobs)).map(({ path }) => path)
      assert.deepStrictEqual(all, ["a!b", "a-b", "a/1", "a/2/3", "ab/c", "b"])
      for (const prefix of ["a", "a/", "a/2", "ab/c", "a/2/3", "c", "a/2/3/4"]) {
        assert.deepStrictEqual(
          (yield* listed(blobs, prefix)).map(({ path }) => path),
          all.filter((path) => path.startsWith(prefix)),
          prefix
        )
      }
    })
  )

  it.scoped(
    "the version of a person's file is its content's: a touch or a copy is none, another content is, and so is the first one again",
    () =>
      Effect.gen(function* () {
        const { blobs, docs, other } = yield* world
        const file = join(docs, "a.txt")
        const etag = Effect.map(blobs.properties(at("a.txt")), (found) => Option.getOrThrow(found).etag)
        writeFileSync(file, "one")
        const first = yield* etag
        utimesSync(file, new Date(), new Date(Date.now() + 5_000))
        assert.strictEqual(yield* etag, first)
        writeFileSync(file, "one")
        assert.strictEqual(yield* etag, first)
        writeFileSync(file, "two")
        const second = yield* etag
        assert.notStrictEqual(second, first)
        assert.strictEqual(Option.getOrThrow(yield* other.properties(at("a.txt"))).etag, second)
        writeFileSync(file, "one")
        assert.notInclude([first, second], yield* etag)
      })
  )

  it.scoped("who edits an uploaded blob by hand gets a new version without the old properties", () =>
    Effect.gen(function* () {
      const { blobs, docs } = yield* world
      const { etag } = yield* blobs.upload(at("a.json"), bytes("{}"), { metadata: { by: "upload" } })
      writeFileSync(join(docs, "a.json"), "{ }")
      const found = Option.getOrThrow(yield* blobs.properties(at("a.json")))
      assert.notStrictEqual(found.etag, etag)
      assert.deepStrictEqual(found.metadata, {})
      const error = yield* Effect.flip(blobs.upload(at("a.json"), bytes("late"), { ifMatch: etag }))
      assert.strictEqual(error._tag, "PreconditionFailed")
      yield* blobs.upload(at("a.json"), bytes("[]"), { ifMatch: found.etag })
      assert.strictEqual(readFileSync(join(docs, "a.json"), "utf8"), "[]")
    })
  )

  it.scoped("of two processes that write one blob on a condition, one wins", () =>
    Effect.gen(function* () {
      const { blobs, other } = yield* world
      const results = yield* Effect.forEach(
        Array.from({ length: 16 }, (_, index) => index),
        (index) =>
          Effect.either((index % 2 === 0 ? blobs : other).upload(at("race"), bytes(`${index}`), { overwrite: false })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        results.filter(({ _tag }) => _tag === "Right"),
        1
      )
      const { etag } = Option.getOrThrow(yield* blobs.properties(at("race")))
      const replaced = yield* Effect.forEach(
        Array.from({ length: 16 }, (_, index) => index),
        (index) =>
          Effect.either((index % 2 === 0 ? blobs : other).upload(at("race"), bytes(`r${index}`), { ifMatch: etag })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        replaced.filter(({ _tag }) => _tag === "Right"),
        1
      )
    })
  )

  it.scoped("a file that is still written to is not listed until it rests", () =>
    Effect.gen(function* () {
      const folder = yield* Folders.temporary
      const blobs = yield* opened(folder, { settled: 60_000 })
      yield* blobs.ensureContainer(account, "docs")
      const file = join(folder, "blobs", "acme", "docs", "growing.txt")
      writeFileSync(file, "half")
      assert.deepStrictEqual(yield* listed(blobs), [])
      appendFileSync(file, " whole")
      assert.deepStrictEqual(yield* listed(blobs), [])
      // What an upload made is complete.
      yield* blobs.upload(at("whole.txt"), bytes("x"))
      assert.deepStrictEqual(
        (yield* listed(blobs)).map(({ path }) => path),
        ["whole.txt"]
      )
    })
  )

  it.scoped("a file that goes while a page is made is left out of it", () =>
    Effect.gen(function* () {
      const folder = yield* Folders.temporary
      const database = Context.get(
        yield* Layer.build(Database.layer({ file: join(folder, "worker.db") })),
        Database.Database
      )
      const walked = ["a.txt", "b.txt", "c.txt"].map((blob) => ({ blob, path: join(folder, blob) }))
      for (const { blob, path } of walked) writeFileSync(path, blob)
      const page = yield* FolderPage.of(
        // What is not known yet is read after this.
        {
          ...database,
          read: (service, operation, run) =>
            Effect.tap(database.read(service, operation, run), () => rmSync(join(folder, "b.txt"), { force: true }))
        },
        {
          operation: "list docs",
          place: "acme/docs",
          root: folder,
          list: { account, container: "docs" },
          settled: 0,
          onUnsettled: () => undefined
        },
        walked
      )
      assert.deepStrictEqual(
        page.blobs.map(({ path }) => path),
        ["a.txt", "c.txt"]
      )
    })
  )

  it.scoped("a folder elsewhere can be a container, and links lead nowhere", () =>
    Effect.gen(function* () {
      const folder = yield* Folders.temporary
      const inbox = join(folder, "inbox")
      mkdirSync(join(inbox, "sub"), { recursive: true })
      writeFileSync(join(inbox, "sub", "a.txt"), "a")
      writeFileSync(join(folder, "secret.txt"), "secret")
      symlinkSync(join(folder, "secret.txt"), join(inbox, "link.txt"))
      symlinkSync(folder, join(inbox, "loop"))
      const blobs = yield* opened(folder, { places: new Map([["acme/docs", inbox]]) })
      assert.deepStrictEqual(
        (yield* listed(blobs)).map(({ path }) => path),
        ["sub/a.txt"]
      )
    })
  )

  it.scoped("says in words why it can't write", () =>
    Effect.gen(function* () {
      const { blobs, docs, folder } = yield* world
      rmSync(docs, { recursive: true })
      writeFileSync(docs, "a file is in the way")
      const error = yield* Effect.flip(blobs.upload(at("a"), bytes("x")))
      assert.match(error.message, /does not exist|in the way/)
      rmSync(docs)
      mkdirSync(docs)
      writeFileSync(join(docs, ".incoming"), "a file is in the way")
      const blocked = yield* Effect.flip(blobs.upload(at("a"), bytes("x")))
      assert.include(blocked.message, "a file is in the way of the folder")
      assert.isTrue(existsSync(join(folder, "worker.db")))
    })
  )
})
