import * as zlib from "node:zlib"
import * as Effect from "effect/Effect"
import { unusable, type WebError } from "./WebError.ts"

/** What {@link decode} understands, for the header `Accept-Encoding`. */
export const accepted = "gzip, deflate, br"

/** Codings on top of each other: none in use need more, and each may expand the one below. */
const mostLayers = 3

/** The body behind its `Content-Encoding`, unpacked at most to `maxBytes`. A body that ends early gives what there is of it, as in browsers. */
export const decode = (
  body: Uint8Array,
  contentEncoding: string,
  maxBytes: number
): Effect.Effect<Uint8Array, WebError> => {
  const layers = layersOf(contentEncoding)
  if (body.length === 0) return Effect.succeed(body)
  if (layers.length > mostLayers) return Effect.fail(unusable(`It is packed ${layers.length} times`))
  return Effect.reduce(layers.toReversed(), body, (packed, layer) => unpack(packed, layer, maxBytes))
}

/** The codings in the order in which they were applied. */
export const layersOf = (contentEncoding: string): ReadonlyArray<string> =>
  contentEncoding
    .toLowerCase()
    .split(",")
    .map((layer) => layer.trim())
    .filter((layer) => layer !== "" && layer !== "identity")

const unpack = (packed: Uint8Array, layer: string, maxBytes: number): Effect.Effect<Uint8Array, WebError> => {
  const options: zlib.ZlibOptions = { maxOutputLength: maxBytes, finishFlush: zlib.constants.Z_SYNC_FLUSH }
  switch (layer) {
    case "gzip":
    case "x-gzip":
      return run(layer, maxBytes, (done) => zlib.gunzip(packed, options, done))
    case "deflate":
      // Some servers leave out the zlib header, whose first half byte is an 8.
      return run(layer, maxBytes, (done) =>
        ((packed[0] ?? 0) & 0x0f) === 8 ? zlib.inflate(packed, options, done) : zlib.inflateRaw(packed, options, done)
      )
    case "br":
      return run(layer, maxBytes, (done) =>
        zlib.brotliDecompress(
          packed,
          { maxOutputLength: maxBytes, finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH },
          done
        )
      )
    default:
      return Effect.fail(unusable(`It is packed as ${layer.slice(0, 40)}, which nobody asked for`))
  }
}

const run = (
  layer: string,
  maxBytes: number,
  start: (done: (error: Error | null, result: Buffer) => void) => void
): Effect.Effect<Uint8Array, WebError> =>
  Effect.async((resume) => {
    start((error, result) => {
      if (error === null) resume(Effect.succeed(new Uint8Array(result)))
      else if (error instanceof RangeError) resume(Effect.fail(tooLarge(maxBytes)))
      else resume(Effect.fail(unusable(`Its ${layer} packing is damaged`)))
    })
  })

/** A body past the bound, packed or unpacked. */
export const tooLarge = (maxBytes: number): WebError =>
  unusable(`It is larger than ${maxBytes} bytes (setting max_page_bytes)`)
