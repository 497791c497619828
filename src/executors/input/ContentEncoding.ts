import type * as stream from "node:stream"
import * as zlib from "node:zlib"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { describeBinary } from "../../documents/UnreadableFiles.ts"
import { oleKind } from "../../documents/zip/OleContainer.ts"
import { looksLikeZip } from "../../documents/zip/ZipArchive.ts"
import * as ContentCoding from "../../web/ContentCoding.ts"
import * as LocalFile from "../LocalFile.ts"

export interface Reading<E> {
  /** The document, for messages. */
  readonly name: string
  /** Bounds the document and whatever is unpacked on the way to it. */
  readonly maxBytes: number
  readonly fail: (message: string) => E
}

/**
 * The document in a blob's bytes: undoes the encodings that the blob claims, the last one first. A claim that the bytes do not bear out
 * is passed over with a warning, since uploaders set the property by hand. `encodingOf` is asked once the first bytes are there.
 */
export const undo = <E>(
  stored: Stream.Stream<Uint8Array, E>,
  encodingOf: () => string | null,
  reading: Reading<E>
): Stream.Stream<Uint8Array, E> =>
  from(stored, 1, (start, body) => {
    const layers = ContentCoding.layersOf(encodingOf() ?? "").filter((layer) => !encodesNothing.has(layer))
    if (layers.length === 0 || start.bytes.length === 0) return Effect.succeed(body)
    if (layers.length > mostLayers) {
      return Effect.fail(
        reading.fail(
          `${reading.name} claims ${layers.length} content encodings, and at most ${mostLayers} are undone; store it with fewer.`
        )
      )
    }
    return Effect.succeed(layers.toReversed().reduce((packed, layer) => undoLayer(packed, layer, reading), body))
  })

/** Each may blow up the one below; no uploader needs more. */
const mostLayers = 3

/** As much of a body as shows what it is. */
const sampleBytes = 65_536

/** gzip can't exceed 1032; more is written to fill disks. */
const mostRatio = 2_000

/** A small document may be as repetitive as it likes. */
const freeBytes = 64 * 1024 * 1024

/** Values that are set by mistake, or by other services, for bytes that are not encoded. */
const encodesNothing: ReadonlySet<string> = new Set([
  "aws-chunked",
  "none",
  "null",
  "binary",
  "7bit",
  "8bit",
  "us-ascii",
  "ascii",
  "iso-8859-1",
  "latin1",
  "utf8",
  "utf-8",
  "utf-8-sig",
  "utf-16",
  "utf-16le",
  "utf-16be"
])

const undoLayer = <E>(
  packed: Stream.Stream<Uint8Array, E>,
  layer: string,
  reading: Reading<E>
): Stream.Stream<Uint8Array, E> =>
  from(packed, sampleBytes, (start, body) => {
    const judged = judge(layer, start)
    if (judged === "plain") {
      return Effect.as(
        Effect.logWarning(
          `${reading.name} claims the content encoding ${shown(layer)}, but is not encoded so; it is taken as it is`
        ),
        body
      )
    }
    if (typeof judged === "string") return Effect.fail(reading.fail(messages[judged](reading.name, shown(layer))))
    return Effect.succeed(unpacked(body, judged, layer, reading))
  })

type Unpacker = () => stream.Duplex

/** How to undo the layer, or what keeps it from being undone. */
const judge = (layer: string, start: Start): Unpacker | "plain" | keyof typeof messages => {
  const { bytes } = start
  if (bytes.length === 0) return "plain"
  if (layer === "gzip" || layer === "x-gzip") {
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? () => zlib.createGunzip(options) : "plain"
  }
  if (!(layer === "br" && isEmptyBrotli(bytes)) && (isText(bytes) || isDocument(bytes))) return "plain"
  switch (layer) {
    case "deflate": {
      // Some writers leave out the zlib header.
      const header = ((bytes[0] ?? 0) & 0x0f) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0
      if (header && begins(start, zlib.inflateSync, zlib.constants.Z_SYNC_FLUSH))
        return () => zlib.createInflate(options)
      return begins(start, zlib.inflateRawSync, zlib.constants.Z_SYNC_FLUSH)
        ? () => zlib.createInflateRaw(options)
        : "damaged"
    }
    case "br":
      return begins(start, zlib.brotliDecompressSync, zlib.constants.BROTLI_OPERATION_FLUSH)
        ? () => zlib.createBrotliDecompress(options)
        : "damaged"
    default:
      return "unknown"
  }
}

const messages = {
  damaged: (name: string, layer: string) =>
    `${name} has the content encoding ${layer}, but its bytes can't be decoded so: it is damaged, or the property is wrong. Upload it again, or clear the blob's content encoding.`,
  unknown: (name: string, layer: string) =>
    `${name} has the content encoding ${layer}, which can't be undone (known: gzip, deflate, br). Upload it without, or clear the blob's content encoding.`
}

const options = { chunkSize: sampleBytes }

/** Whether the sample can be unpacked: to its end where it is the whole body. */
const begins = (
  { bytes, isWhole }: Start,
  unpack: (bytes: Uint8Array, options: { finishFlush?: number; maxOutputLength: number }) => Uint8Array,
  partial: number
): boolean => {
  try {
    unpack(bytes, { maxOutputLength: 1024 * 1024, ...(isWhole ? {} : { finishFlush: partial }) })
    return true
  } catch (error) {
    // It unpacks to more than a sample.
    return error instanceof RangeError
  }
}

const unpacked = <E>(
  packed: Stream.Stream<Uint8Array, E>,
  unpacker: Unpacker,
  layer: string,
  { fail, maxBytes, name }: Reading<E>
): Stream.Stream<Uint8Array, E> =>
  Stream.suspend(() => {
    let taken = 0
    let given = 0
    return packed.pipe(
      Stream.tap((bytes) => Effect.sync(() => void (taken += bytes.length))),
      NodeStream.pipeThroughDuplex(unpacker, () => fail(messages.damaged(name, shown(layer)))),
      Stream.mapEffect((bytes) => {
        given += bytes.length
        if (given > maxBytes) return Effect.fail(fail(LocalFile.tooLarge(`${name}, unpacked,`, null, maxBytes)))
        return given > freeBytes && given > taken * mostRatio
          ? Effect.fail(fail(`${name} unpacks to more than ${mostRatio} times its size, which no document does.`))
          : Effect.succeed(bytes)
      })
    )
  })

// --- What a body begins with ---

interface Start {
  readonly bytes: Uint8Array
  readonly isWhole: boolean
}

/** Reads at least `size` bytes, or all, and goes on with a body that still has them. */
const from = <E>(
  stream: Stream.Stream<Uint8Array, E>,
  size: number,
  goOn: (start: Start, body: Stream.Stream<Uint8Array, E>) => Effect.Effect<Stream.Stream<Uint8Array, E>, E>
): Stream.Stream<Uint8Array, E> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const pull = yield* Stream.toPull(stream)
      const { chunks, isWhole } = yield* startOf(pull, size)
      const start = Stream.fromIterable(chunks)
      return yield* goOn(
        { bytes: Buffer.concat(chunks).subarray(0, sampleBytes), isWhole },
        isWhole ? start : Stream.concat(start, Stream.repeatEffectChunkOption(pull))
      )
    })
  )

const startOf = <E>(
  pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>>,
  size: number
): Effect.Effect<{ readonly chunks: ReadonlyArray<Uint8Array>; readonly isWhole: boolean }, E> =>
  Effect.gen(function* () {
    const chunks: Array<Uint8Array> = []
    let found = 0
    while (found < size) {
      const next = yield* Effect.asSome(pull).pipe(
        Effect.catchAll((end) => (end._tag === "Some" ? Effect.fail(end.value) : Effect.succeedNone))
      )
      if (next._tag === "None") return { chunks, isWhole: true }
      for (const bytes of next.value) {
        chunks.push(bytes)
        found += bytes.length
      }
    }
    return { chunks, isWhole: false }
  })

/** An empty document takes one byte, which happens to be a semicolon. */
const isEmptyBrotli = (bytes: Uint8Array): boolean => bytes.length === 1 && (bytes[0] === 0x3b || bytes[0] === 0x06)

/** Valid UTF-8 without control characters, which nothing compressed is for long. */
const isText = (bytes: Uint8Array): boolean => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true })
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    return !/[\0-\x08\x0B\x0E-\x1A\x1C-\x1F\x7F]/.test(text)
  } catch {
    return false
  }
}

/** A file of a kind that shows itself; those of packers are none. */
const isDocument = (bytes: Uint8Array): boolean => {
  if (looksLikeZip(bytes) || oleKind(bytes) !== undefined) return true
  if (Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "%PDF-") return true
  const kind = describeBinary(bytes)
  return kind !== undefined && !/gzip|bzip|xz|zstandard|zstd|compress/i.test(kind)
}

const shown = (layer: string): string => layer.slice(0, 40)
