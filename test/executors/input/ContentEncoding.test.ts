import { createHash } from "node:crypto"
import * as zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Stream } from "effect"
import * as ContentEncoding from "../../../src/executors/input/ContentEncoding.ts"

const text = "The quick brown fox: a document of plain text."
const pdf = Buffer.concat([Buffer.from("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n", "latin1"), Buffer.alloc(300, 0xf1)])
const noise = Buffer.concat(
  Array.from({ length: 7_000 }, (_, index) => createHash("sha256").update(String(index)).digest())
)

/** The document behind the encoding, or the message; stored in pieces of `size` bytes. */
const undo = (stored: Uint8Array, encoding: string | null, { maxBytes = 50_000_000, size = 1_000 } = {}) =>
  Effect.suspend(() => {
    const pieces: Array<Uint8Array> = []
    for (let at = 0; at < stored.length; at += size) pieces.push(stored.subarray(at, at + size))
    const reading = { name: "doc", maxBytes, fail: (message: string) => message }
    return ContentEncoding.undo(Stream.fromIterable(pieces), () => encoding, reading).pipe(
      Stream.runCollect,
      Effect.map((chunks) => Buffer.concat([...chunks])),
      Effect.either
    )
  })

const undone = (stored: Uint8Array, encoding: string | null, size?: number) =>
  Effect.map(
    undo(stored, encoding, size === undefined ? {} : { size }),
    Either.getOrThrowWith((message) => new Error(message))
  )

const refused = (...args: Parameters<typeof undo>) =>
  Effect.map(undo(...args), Either.match({ onLeft: (message) => message, onRight: ({ length }) => `${length} bytes` }))

describe("ContentEncoding", () => {
  for (const [encoding, pack] of [
    ["gzip", zlib.gzipSync],
    ["x-gzip", zlib.gzipSync],
    [" GZIP ", zlib.gzipSync],
    ["deflate", zlib.deflateSync],
    ["deflate", zlib.deflateRawSync],
    ["br", zlib.brotliCompressSync]
  ] as const) {
    it.effect(
      `undoes ${encoding} (${pack.name}) of small, large, binary and empty documents, in pieces of any size`,
      () =>
        Effect.gen(function* () {
          for (const document of [
            Buffer.from("x"),
            Buffer.from(text),
            Buffer.from(text.repeat(50_000)),
            pdf,
            noise,
            Buffer.alloc(0)
          ]) {
            const stored = pack(document)
            for (const size of stored.length < 2_000 ? [1, 7, 100_000] : [1_013, 100_000]) {
              assert.isTrue((yield* undone(stored, encoding, size)).equals(document), `${document.length} in ${size}`)
            }
          }
        })
    )
  }

  it.effect("undoes several on top of each other, the last first, and no more than three", () =>
    Effect.gen(function* () {
      const twice = zlib.brotliCompressSync(zlib.gzipSync(text))
      assert.strictEqual((yield* undone(twice, "gzip, br")).toString(), text)
      const thrice = zlib.gzipSync(zlib.deflateSync(twice))
      assert.strictEqual((yield* undone(zlib.deflateSync(twice), "identity,gzip,br,deflate")).toString(), text)
      assert.include(yield* refused(thrice, "gzip, br, deflate, gzip"), "4 content encodings")
    })
  )

  it.effect("takes as it is what only claims to be encoded", () =>
    Effect.gen(function* () {
      for (const encoding of [
        "gzip",
        "deflate",
        "br",
        "zstd",
        "compress",
        "something",
        "utf-8",
        "identity",
        "",
        null
      ]) {
        for (const document of [
          Buffer.from(text),
          Buffer.from("x^2 + y^2"),
          Buffer.from("K"),
          Buffer.from("Grüße, 世界"),
          pdf
        ]) {
          assert.isTrue((yield* undone(document, encoding)).equals(document), `${encoding}: ${document.toString()}`)
        }
      }
      assert.strictEqual((yield* undone(zlib.gzipSync(text), "gzip, gzip")).toString(), text)
      assert.strictEqual((yield* undone(zlib.gzipSync(text), "gzip, utf-8")).toString(), text)
      assert.strictEqual((yield* undone(zlib.gzipSync(text), "aws-chunked,gzip")).toString(), text)
    })
  )

  it.effect("says what keeps an encoding from being undone", () =>
    Effect.gen(function* () {
      const long = Buffer.from(noise)
      for (const [encoding, stored] of [
        ["gzip", zlib.gzipSync(long).subarray(0, 20_000)],
        ["gzip", zlib.gzipSync(text).subarray(0, 30)],
        ["deflate", zlib.deflateSync(long).subarray(0, 90_000)],
        ["deflate", zlib.deflateSync(text).subarray(0, 30)],
        // Deno gives what there is of it.
        ...("Deno" in globalThis ? [] : [["br", zlib.brotliCompressSync(long).subarray(0, 90_000)] as const]),
        ["br", Buffer.from([0xff, 0xfe, 0xfd, 0x00, 0x80, 0x81])]
      ] as const) {
        assert.match(
          yield* refused(stored, encoding),
          new RegExp(`^doc has the content encoding ${encoding}, but its bytes`)
        )
      }
      const zstandard = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00, 0x99, 0x80])
      assert.include(yield* refused(zstandard, "zstd"), "doc has the content encoding zstd, which can't be undone")
    })
  )

  it.effect("bounds what unpacks to too much, on the way as well as at the end", () =>
    Effect.gen(function* () {
      const large = Buffer.alloc(2_000_000)
      for (const [encoding, stored] of [
        ["gzip", zlib.gzipSync(large)],
        ["deflate", zlib.deflateSync(large)],
        ["br", zlib.brotliCompressSync(large)],
        ["gzip, gzip", zlib.gzipSync(zlib.gzipSync(large))]
      ] as const) {
        assert.include(yield* refused(stored, encoding, { maxBytes: 1_000_000 }), "larger than 1000000 bytes")
      }
      const bomb = zlib.brotliCompressSync(Buffer.alloc(200 * 1024 * 1024), {
        params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 }
      })
      assert.include(yield* refused(bomb, "br", { maxBytes: 512 * 1024 * 1024 }), "2000 times its size")
    })
  )

  it.effect("hands on a failure of the download, and takes no more than is asked for", () =>
    Effect.gen(function* () {
      const packed = zlib.gzipSync(noise)
      const reading = { name: "doc", maxBytes: 1_000_000, fail: (message: string) => message }
      for (const stored of [
        Stream.fail("cut"),
        Stream.concat(Stream.make(packed.subarray(0, 50_000)), Stream.fail("cut"))
      ]) {
        const failed = yield* Effect.flip(Stream.runDrain(ContentEncoding.undo(stored, () => "gzip", reading)))
        assert.strictEqual(failed, "cut")
      }
      let pulled = 0
      const endless = Stream.repeatEffect(
        Effect.sync(() => {
          pulled++
          return new Uint8Array(1_000)
        })
      )
      yield* Stream.runDrain(
        Stream.take(
          ContentEncoding.undo(endless, () => null, reading),
          2
        )
      )
      assert.isBelow(pulled, 10)
    })
  )
})
