import { isDeepStrictEqual } from "node:util"
import { gunzipSync, inflateRawSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { BlobLocation, BlobStore } from "../../blob/BlobStore.ts"
import * as ExactJson from "../../domain/ExactJson.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { Compression } from "./BlobBody.ts"

/**
 * What is known of a blob that already holds what we were going to write, the items' logs aside: the work of an attempt that was cut off after
 * its upload. None when it holds something else.
 */
export const sameContent = (
  blobs: BlobStore["Type"],
  location: BlobLocation,
  body: Uint8Array,
  compression: Compression | null
): Effect.Effect<Option.Option<{ readonly etag: string; readonly lastModified: number }>, ServiceError> =>
  Effect.gen(function* () {
    const properties = yield* blobs.properties(location)
    // Logs differ in their times only, which makes no great difference in size.
    if (Option.isNone(properties) || Math.abs(properties.value.size - body.length) > body.length / 2 + 4096)
      return Option.none()
    const chunks = yield* Stream.runCollect(blobs.download(location))
    const there = Buffer.concat([...chunks])
    return isDeepStrictEqual(withoutLogs(there, compression), withoutLogs(body, compression))
      ? Option.some({ etag: properties.value.etag, lastModified: properties.value.lastModified })
      : Option.none()
  })

/** The parsed content; bytes that are no such file stand for themselves. */
const withoutLogs = (body: Uint8Array, compression: Compression | null): unknown => {
  try {
    const value: unknown = ExactJson.parse(Buffer.from(unpacked(body, compression)).toString("utf8"))
    return typeof value === "object" && value !== null && !Array.isArray(value) && "executor_logs" in value
      ? { ...value, executor_logs: null }
      : value
  } catch {
    return body
  }
}

const unpacked = (body: Uint8Array, compression: Compression | null): Uint8Array => {
  const options = { maxOutputLength: 1024 * 1024 * 1024 }
  if (compression === null) return body
  if (compression === "gzip") return gunzipSync(body, options)
  // A zip file of ours: one local header, its name of 12 characters, then the data.
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return inflateRawSync(view.subarray(30 + 12, 30 + 12 + view.readUInt32LE(18)), options)
}
