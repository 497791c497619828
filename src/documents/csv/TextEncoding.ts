import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import iconv from "iconv-lite"

/** Whether {@link decode} knows an encoding of this name, in Python's or the web's spelling. `auto` is one of them. */
export const isKnown = (name: string): boolean => {
  const canonical = canonicalOf(name)
  return canonical === "auto" || strict.has(canonical) || iconv.encodingExists(canonical)
}

/**
 * The text of `bytes`. A byte order mark decides before the name does, and is not part of the text; `auto` then tries UTF-16
 * (by its null bytes), strict UTF-8 and at last the likeliest by statistics. Fails with a message for people where bytes are none of this encoding's.
 */
export const decode = (bytes: Uint8Array, name: string): Effect.Effect<string, string> => {
  const canonical = canonicalOf(name)
  const marked = byteOrderMark(bytes)
  if (marked !== undefined && (canonical === "auto" || unicode.has(canonical))) return strictly(bytes, marked, name)
  if (canonical !== "auto") return strictly(bytes, canonical, name)
  const wide = byNullBytes(bytes)
  if (wide !== undefined) return strictly(bytes, wide, wide)
  return Effect.orElse(strictly(bytes, "utf8", name), () =>
    Effect.flatMap(guess(bytes), (found) => strictly(bytes, found, found))
  )
}

/** As much as the statistics look at, in bytes. */
const sampleLength = 262_144

/** The table of statistics is 7 MB, so it is loaded when it is needed. */
const guess = (bytes: Uint8Array): Effect.Effect<string, string> =>
  Effect.tryPromise({
    try: () => import("jschardet"),
    catch: () => "The encoding could not be detected: the package jschardet is missing."
  }).pipe(
    Effect.map(({ default: jschardet }) => jschardet.detect(Buffer.from(bytes.subarray(0, sampleLength))).encoding),
    Effect.filterOrFail(
      (found): found is string => typeof found === "string" && iconv.encodingExists(found),
      () => "The encoding could not be detected; name it in the setting encoding, for example cp1252."
    )
  )

const strictly = (bytes: Uint8Array, canonical: string, name: string): Effect.Effect<string, string> =>
  Effect.suspend(() =>
    Either.match(
      Either.try({ try: () => decoded(bytes, canonical), catch: (cause) => cause }),
      {
        onLeft: () => Effect.fail(notThis(name)),
        onRight: (text) => (text === undefined ? Effect.fail(notThis(name)) : Effect.succeed(text))
      }
    )
  )

const notThis = (name: string): string =>
  `The bytes are no ${name} text. Name the right encoding in the setting encoding, or auto to have it detected.`

/** Undefined, or a throw, where the bytes are none of this encoding's. */
const decoded = (bytes: Uint8Array, canonical: string): string | undefined => {
  const own = strict.get(canonical)
  if (own !== undefined) return own(bytes)
  const text = iconv.decode(asBuffer(bytes), canonical)
  return text.includes("\ufffd") ? undefined : text
}

const fatal = (label: string) => (bytes: Uint8Array): string => new TextDecoder(label, { fatal: true }).decode(bytes)

const utf16 = fatal("utf-16le")

/** What iconv-lite would read without complaint whatever the bytes are. */
const strict: ReadonlyMap<string, (bytes: Uint8Array) => string | undefined> = new Map([
  ["utf8", fatal("utf-8")],
  ["utf16le", utf16],
  ["utf16be", (bytes) => utf16(new Uint8Array(Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16()))],
  ["ascii", (bytes) => (bytes.some((byte) => byte > 127) ? undefined : asBuffer(bytes).toString("latin1"))]
])

const unicode = new Set(["utf8", "utf16le", "utf16be", "utf32le", "utf32be"])

/** Python's other names for them; without an order in the name, little endian as on the machines it runs on. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["utf8sig", "utf8"],
  ["u8", "utf8"],
  ["utf", "utf8"],
  ["utf16", "utf16le"],
  ["u16", "utf16le"],
  ["utf32", "utf32le"],
  ["u32", "utf32le"],
  ["usascii", "ascii"],
  ["646", "ascii"]
])

const canonicalOf = (name: string): string => {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")
  return aliases.get(plain) ?? plain
}

const byteOrderMark = (bytes: Uint8Array): string | undefined => {
  const starts = (...mark: ReadonlyArray<number>): boolean => mark.every((byte, index) => bytes[index] === byte)
  if (starts(0xef, 0xbb, 0xbf)) return "utf8"
  if (starts(0xff, 0xfe, 0, 0)) return "utf32le"
  if (starts(0, 0, 0xfe, 0xff)) return "utf32be"
  if (starts(0xff, 0xfe)) return "utf16le"
  return starts(0xfe, 0xff) ? "utf16be" : undefined
}

/** Latin text in UTF-16 is a null byte every other byte, and valid UTF-8 at that. */
const byNullBytes = (bytes: Uint8Array): string | undefined => {
  const sample = bytes.subarray(0, 4096)
  const nulls = [0, 0]
  for (let index = 0; index < sample.length; index++) {
    if (sample[index] === 0) nulls[index % 2] = (nulls[index % 2] ?? 0) + 1
  }
  const [even = 0, odd = 0] = nulls
  if (Math.max(even, odd) < sample.length / 4 || Math.min(even, odd) > sample.length / 100) return undefined
  return odd > even ? "utf16le" : "utf16be"
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
