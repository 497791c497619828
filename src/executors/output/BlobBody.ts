import { crc32, deflateRaw, gzip } from "node:zlib"
import * as Effect from "effect/Effect"
import type { Content } from "../../domain/Content.ts"
import * as ExactJson from "../../domain/ExactJson.ts"
import { toExactJson } from "../../domain/SafeJson.ts"

export type Compression = "gzip" | "zip"

/** What an item's blob holds before compression: equal items give equal bytes. Bytes become base64 text. */
export const jsonOf = (value: unknown, pretty: boolean): Uint8Array => {
  const safe = toExactJson(value)
  return Buffer.from(pretty ? ExactJson.stringify(safe, 2) : spaced(safe), "utf8")
}

/** The whole item, its keys in the original's order. */
export const wholeItem = ({ data, executor_logs, id, summary_data }: Content): unknown => ({
  id:
    id === null
      ? null
      : {
          canonical_id: id.canonical_id,
          unique_id: id.unique_id,
          source_name: id.source_name,
          source_type: id.source_type,
          container: id.container,
          path: id.path,
          filename: id.filename,
          metadata: id.metadata
        },
  summary_data,
  data,
  executor_logs: executor_logs.map((entry) => ({
    executor_id: entry.executor_id,
    start_time: entry.start_time,
    end_time: entry.end_time,
    status: entry.status,
    details: entry.details,
    errors: entry.errors
  }))
})

/** On one line with blanks after commas and colons, as Python writes it. Line breaks inside texts are escaped, so all are layout. */
const spaced = (value: unknown): string =>
  ExactJson.stringify(value, 1).replaceAll(/(,?)\n */g, (_, comma: string) => (comma === "" ? "" : ", "))

/** Compresses off the event loop, without a time in the result, so that a repeated attempt writes the same bytes. */
export const compress = (body: Uint8Array, compression: Compression): Effect.Effect<Uint8Array, string> =>
  compression === "gzip"
    ? packed(gzip, body)
    : Effect.map(packed(deflateRaw, body), (data) => zipOf("content.json", body, data))

const packed = (pack: typeof gzip, body: Uint8Array): Effect.Effect<Uint8Array, string> =>
  Effect.async((resume) =>
    pack(body, (error, result) => resume(error === null ? Effect.succeed(result) : Effect.fail(error.message)))
  )

/** A zip file with one deflated entry (APPNOTE 4.3), dated 1 January 1980. */
const zipOf = (name: string, body: Uint8Array, deflated: Uint8Array): Uint8Array => {
  const nameBytes = Buffer.from(name, "ascii")
  const shared = Buffer.alloc(26)
  shared.writeUInt16LE(20, 0) // version needed
  shared.writeUInt16LE(8, 4) // deflate
  shared.writeUInt16LE(0x21, 8) // date
  shared.writeUInt32LE(crc32(body), 10)
  shared.writeUInt32LE(deflated.length, 14)
  shared.writeUInt32LE(body.length, 18)
  shared.writeUInt16LE(nameBytes.length, 22)
  const local = Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), shared, nameBytes, deflated])
  const directory = Buffer.concat([
    Buffer.from("PK\u0001\u0002", "latin1"),
    Buffer.from([20, 0]), // made by
    shared,
    Buffer.alloc(14), // no comment, disk 0, no attributes, entry at 0
    nameBytes
  ])
  const end = Buffer.alloc(22)
  end.write("PK\u0005\u0006", 0, "latin1")
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, directory, end])
}
