import { deflateSync, gzipSync } from "node:zlib"
import { assert, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { BlobStore } from "../../blob/BlobStore.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"

/** How the suite gets at an implementation; its tests keep out of each other's way by using containers of their own. */
export interface Backend {
  readonly layer: Layer.Layer<BlobStore, ServiceError>
  /** The name of an account that the layer can sign in at. */
  readonly account: string
}

/** What every BlobStore does. */
export const blobStoreSuite = (name: string, backend: Backend) => {
  const account = { name: backend.account }
  const at = (container: string, path: string) => ({ account, container, path })
  const read = Effect.fnUntraced(function* (container: string, path: string) {
    const store = yield* BlobStore
    return Buffer.concat(Array.from(yield* Stream.runCollect(store.download(at(container, path)))))
  })
  const container = (name: string) => Effect.tap(BlobStore, (store) => store.ensureContainer(account, name))

  it.layer(backend.layer)(`BlobStore (${name})`, (it) => {
    it.effect("reads what was written, whatever its name", () =>
      Effect.gen(function* () {
        const store = yield* container("names")
        const paths = [
          "plain.txt",
          "a/b c.txt",
          "é/ü#?%&+=.txt",
          "a%2Fb",
          "<x>&'\"",
          "trailing/",
          "..hidden",
          "x..y/z.",
          "日本語/😀"
        ]
        for (const path of paths) yield* store.upload(at("names", path), bytes(path))
        for (const path of paths) assert.strictEqual((yield* read("names", path)).toString(), path)
        const listed = yield* Stream.runCollect(store.list({ account, container: "names" }))
        const found = Chunk.toReadonlyArray(listed).flatMap((page) => page.blobs.map((blob) => blob.path))
        assert.sameMembers(found, paths)
      })
    )

    it.effect("refuses names that lead out of the container", () =>
      Effect.gen(function* () {
        const store = yield* container("inside")
        for (const path of [
          "",
          ".",
          "..",
          "a/../b",
          "../names/plain.txt",
          "a\\..\\b",
          "a/.",
          "half \uD83D",
          "x".repeat(1025)
        ]) {
          for (const effect of [
            store.upload(at("inside", path), bytes("x")),
            store.properties(at("inside", path)),
            store.remove(at("inside", path)),
            Stream.runDrain(store.download(at("inside", path)))
          ]) {
            const error = yield* Effect.flip(Effect.asVoid(effect))
            assert.strictEqual(error._tag, "Invalid", path)
          }
        }
        for (const bad of ["", "..", "Upper", "a", "a--b", "-ab", "a/b", "names?comp=list", "x".repeat(64)]) {
          const errors = yield* Effect.all([
            Effect.flip(store.ensureContainer(account, bad)),
            Effect.flip(Stream.runDrain(store.list({ account, container: bad }))),
            Effect.flip(store.upload(at(bad, "x"), bytes("x")))
          ])
          for (const error of errors) assert.strictEqual(error._tag, "Invalid", bad)
        }
      })
    )

    it.effect("properties are those of the last upload", () =>
      Effect.gen(function* () {
        const store = yield* container("properties")
        assert.deepStrictEqual(yield* store.properties(at("properties", "doc")), Option.none())
        const first = yield* store.upload(at("properties", "doc"), bytes("first"))
        const written = yield* store.upload(at("properties", "doc"), bytes("second!"), {
          contentType: "text/plain; charset=utf-8",
          contentEncoding: "gzip",
          metadata: { Author: "somebody", page_count: "3" }
        })
        assert.notStrictEqual(written.etag, first.etag)
        assert.notInclude(written.etag, '"')
        const found = Option.getOrThrow(yield* store.properties(at("properties", "doc")))
        assert.deepStrictEqual(found, {
          size: 7,
          lastModified: written.lastModified,
          etag: written.etag,
          contentType: "text/plain; charset=utf-8",
          contentEncoding: "gzip",
          metadata: { author: "somebody", page_count: "3" }
        })
        // Not unpacked: the encoding is the reader's business.
        assert.strictEqual((yield* read("properties", "doc")).toString(), "second!")
      })
    )

    it.effect("tells the encoding before the bytes, which stay as they are stored", () =>
      Effect.gen(function* () {
        const store = yield* container("encodings")
        const packed = gzipSync(bytes("text"))
        yield* store.upload(at("encodings", "gzip"), packed, { contentEncoding: "gzip" })
        yield* store.upload(at("encodings", "deflate"), deflateSync(bytes("text")), { contentEncoding: "deflate" })
        yield* store.upload(at("encodings", "plain"), bytes("text"))
        yield* store.upload(at("encodings", "empty"), bytes(""), { contentEncoding: "br" })
        for (const [path, encoding, body] of [
          ["gzip", "gzip", packed],
          ["deflate", "deflate", deflateSync(bytes("text"))],
          ["plain", null, bytes("text")],
          ["empty", "br", bytes("")]
        ] as const) {
          const heard: Array<string | null> = []
          const chunks = yield* store
            .download(at("encodings", path), { onEncoding: (given) => heard.push(given) })
            .pipe(
              Stream.tap(() => Effect.sync(() => assert.lengthOf(heard, 1))),
              Stream.runCollect
            )
          assert.deepStrictEqual(heard, [encoding], path)
          assert.isTrue(Buffer.concat([...chunks]).equals(body), path)
        }
      })
    )

    it.effect("lists in name order, page by page, with the same facts as the properties", () =>
      Effect.gen(function* () {
        const store = yield* container("pages")
        const paths = Array.from({ length: 7 }, (_, index) => `in/${index}.txt`)
        yield* Effect.forEach([...paths, "before", "out/x"].toReversed(), (path) =>
          store.upload(at("pages", path), bytes(path), { contentType: "text/plain", metadata: { Kind: "page" } })
        )
        const options = { account, container: "pages", prefix: "in/", pageSize: 3 }
        const pages = Chunk.toReadonlyArray(yield* Stream.runCollect(store.list(options)))
        assert.deepStrictEqual(
          pages.map((page) => page.blobs.map((blob) => blob.path)),
          [paths.slice(0, 3), paths.slice(3, 6), paths.slice(6)]
        )
        for (const page of pages) {
          for (const blob of page.blobs) {
            const { metadata, ...facts } = Option.getOrThrow(yield* store.properties(at("pages", blob.path)))
            assert.deepStrictEqual(blob, { ...facts, path: blob.path, isDirectory: false, metadata: {} })
            assert.deepStrictEqual(metadata, { kind: "page" })
            assert.isAtLeast(page.servedAt, blob.lastModified)
          }
        }
        const withMetadata = yield* Stream.runCollect(store.list({ ...options, includeMetadata: true }))
        for (const page of withMetadata)
          for (const blob of page.blobs) assert.deepStrictEqual(blob.metadata, { Kind: "page" })
      })
    )

    it.effect("an empty listing is one page without blobs", () =>
      Effect.gen(function* () {
        const store = yield* container("empty")
        const pages = Chunk.toReadonlyArray(yield* Stream.runCollect(store.list({ account, container: "empty" })))
        assert.deepStrictEqual(
          pages.map((page) => page.blobs),
          [[]]
        )
        assert.isAbove(pages[0]?.servedAt ?? -1, -1)
      })
    )

    it.effect("a listing asks for no page that nobody takes", () =>
      Effect.gen(function* () {
        const store = yield* container("lazy")
        for (const path of ["a", "b", "c"]) yield* store.upload(at("lazy", path), bytes(path))
        const pages = yield* Stream.runCollect(Stream.take(store.list({ account, container: "lazy", pageSize: 1 }), 2))
        assert.deepStrictEqual(
          Chunk.toReadonlyArray(pages).map((page) => page.blobs.map((blob) => blob.path)),
          [["a"], ["b"]]
        )
      })
    )

    it.effect("shows the directories of a hierarchical account as such", () =>
      Effect.gen(function* () {
        const store = yield* container("folders")
        yield* store.upload(at("folders", "dir"), bytes(""), { metadata: { hdi_isfolder: "true" } })
        yield* store.upload(at("folders", "dir/file"), bytes("x"), { metadata: { hdi_isfolder: "no" } })
        const pages = yield* Stream.runCollect(store.list({ account, container: "folders", includeMetadata: true }))
        assert.deepStrictEqual(
          Chunk.toReadonlyArray(pages).flatMap((page) => page.blobs.map((blob) => [blob.path, blob.isDirectory])),
          [
            ["dir", true],
            ["dir/file", false]
          ]
        )
      })
    )

    it.effect("what does not exist: NotFound to read, list or write into, nothing to do to remove", () =>
      Effect.gen(function* () {
        const store = yield* container("existing")
        const failures = yield* Effect.all([
          Effect.flip(read("existing", "nothing")),
          Effect.flip(read("nowhere", "nothing")),
          Effect.flip(store.upload(at("nowhere", "x"), bytes("x"))),
          Effect.flip(Stream.runDrain(store.list({ account, container: "nowhere" })))
        ])
        for (const error of failures) {
          assert.strictEqual(error._tag, "NotFound")
          assert.match(error.message, /the (blob|container) does not exist/)
        }
        assert.deepStrictEqual(yield* store.properties(at("nowhere", "x")), Option.none())
        yield* store.remove(at("existing", "nothing"))
        yield* store.remove(at("nowhere", "nothing"))
      })
    )

    it.effect("a removed blob is gone", () =>
      Effect.gen(function* () {
        const store = yield* container("removed")
        yield* store.upload(at("removed", "x"), bytes("x"))
        yield* store.remove(at("removed", "x"))
        assert.deepStrictEqual(yield* store.properties(at("removed", "x")), Option.none())
      })
    )

    it.effect("goes on with a listing behind a page of another", () =>
      Effect.gen(function* () {
        const store = yield* container("listed-on")
        for (const name of ["a", "b", "c", "d", "e"]) yield* store.upload(at("listed-on", name), bytes(name))
        const listing = { account: at("listed-on", "a").account, container: "listed-on", pageSize: 2 }
        const pages = [...(yield* Stream.runCollect(store.list(listing)))]
        assert.isUndefined(pages.at(-1)?.next)
        const from = pages[0]?.next
        assert.isDefined(from)
        // What is deleted meanwhile does not matter.
        yield* store.remove(at("listed-on", "b"))
        const rest = yield* Stream.runCollect(store.list({ ...listing, ...(from === undefined ? {} : { from }) }))
        assert.deepStrictEqual(
          [...rest].flatMap(({ blobs }) => blobs.map(({ path }) => path)),
          ["c", "d", "e"]
        )
      })
    )

    it.effect("removes only the version that it is told", () =>
      Effect.gen(function* () {
        const store = yield* container("removed-if")
        const first = yield* store.upload(at("removed-if", "x"), bytes("one"))
        const second = yield* store.upload(at("removed-if", "x"), bytes("another"))
        const refused = yield* Effect.flip(store.remove(at("removed-if", "x"), { ifMatch: first.etag }))
        assert.strictEqual(refused._tag, "PreconditionFailed")
        let etag = ""
        yield* Stream.runDrain(store.download(at("removed-if", "x"), { onEtag: (given) => (etag = given) }))
        assert.strictEqual(etag, second.etag)
        yield* store.remove(at("removed-if", "x"), { ifMatch: etag })
        assert.deepStrictEqual(yield* store.properties(at("removed-if", "x")), Option.none())
        yield* store.remove(at("removed-if", "x"), { ifMatch: etag })
      })
    )

    it.effect("does not overwrite when told so", () =>
      Effect.gen(function* () {
        const store = yield* container("kept")
        yield* store.upload(at("kept", "x"), bytes("first"), { overwrite: false })
        const error = yield* Effect.flip(store.upload(at("kept", "x"), bytes("second"), { overwrite: false }))
        assert.strictEqual(error._tag, "Conflict")
        assert.include(error.message, "kept/x")
        assert.strictEqual((yield* read("kept", "x")).toString(), "first")
      })
    )

    it.effect("overwrites and reads one version alone when told so", () =>
      Effect.gen(function* () {
        const store = yield* container("versions")
        const place = at("versions", "x")
        const first = yield* store.upload(place, bytes("first"))
        const second = yield* store.upload(place, bytes("second"), { ifMatch: first.etag })
        const readOnly = (ifMatch: string) =>
          Stream.runCollect(store.download(place, { ifMatch })).pipe(
            Effect.map((all) => Buffer.concat([...all]).toString())
          )
        assert.strictEqual(yield* readOnly(second.etag), "second")
        for (const failing of [
          Effect.asVoid(store.upload(place, bytes("late"), { ifMatch: first.etag })),
          Effect.asVoid(store.upload(at("versions", "nothing"), bytes("late"), { ifMatch: first.etag })),
          Effect.asVoid(readOnly(first.etag))
        ]) {
          const error = yield* Effect.flip(failing)
          assert.strictEqual(error._tag, "PreconditionFailed")
        }
        assert.strictEqual((yield* read("versions", "x")).toString(), "second")
        assert.deepStrictEqual(yield* store.properties(at("versions", "nothing")), Option.none())
      })
    )

    it.effect("tells a missing blob from a missing container by the service's code", () =>
      Effect.gen(function* () {
        const store = yield* container("codes")
        const blob = yield* Effect.flip(read("codes", "nothing"))
        const missing = yield* Effect.flip(read("nowhere-at-all", "nothing"))
        assert.strictEqual(blob._tag === "NotFound" ? blob.code : null, "BlobNotFound")
        assert.strictEqual(missing._tag === "NotFound" ? missing.code : null, "ContainerNotFound")
        yield* store.upload(at("codes", "x"), bytes("x"))
        const taken = yield* Effect.flip(store.upload(at("codes", "x"), bytes("y"), { overwrite: false }))
        assert.strictEqual(taken._tag === "Conflict" ? taken.code : null, "BlobAlreadyExists")
      })
    )

    it.effect("refuses metadata and types that no header can carry", () =>
      Effect.gen(function* () {
        const store = yield* container("headers")
        for (const options of [
          { metadata: { "a b": "x" } },
          { metadata: { "1a": "x" } },
          { metadata: { a: "line\r\nbreak: x" } },
          { metadata: { a: "é" } },
          { contentType: "text/plain\r\nx: y" },
          { contentEncoding: "gzip\n" }
        ]) {
          const error = yield* Effect.flip(store.upload(at("headers", "x"), bytes("x"), options))
          assert.strictEqual(error._tag, "Invalid")
        }
        assert.deepStrictEqual(yield* store.properties(at("headers", "x")), Option.none())
      })
    )

    it.effect("creating a container twice is creating it once", () =>
      Effect.gen(function* () {
        const store = yield* container("twice")
        yield* store.upload(at("twice", "x"), bytes("x"))
        yield* store.ensureContainer(account, "twice")
        assert.strictEqual((yield* read("twice", "x")).toString(), "x")
      })
    )

    it.effect("keeps every byte of a large body, and of an empty one", () =>
      Effect.gen(function* () {
        const store = yield* container("sizes")
        const large = new Uint8Array(3_000_001).map((_, index) => (index * 31 + (index >> 8)) & 0xff)
        // A view into a larger buffer: only the view may be written.
        yield* store.upload(at("sizes", "large"), large.subarray(1))
        yield* store.upload(at("sizes", "empty"), new Uint8Array(0))
        assert.isTrue((yield* read("sizes", "large")).equals(large.subarray(1)))
        assert.strictEqual((yield* read("sizes", "empty")).length, 0)
        const pieces = yield* Stream.runCollect(store.download(at("sizes", "large")))
        assert.isAbove(Chunk.size(pieces), 1)
      })
    )
  })
}

const bytes = (text: string) => new TextEncoder().encode(text)
