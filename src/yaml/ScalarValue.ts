import { Buffer } from "node:buffer"
import { readTimestamp } from "./Timestamp.ts"
import type { YamlKey } from "./YamlNode.ts"

type Bare<A> = A extends unknown ? Omit<A, "line" | "column"> : never

/** A scalar's value without its place, or why its text has none under its tag. */
export type ScalarValue = Bare<YamlKey> | { readonly kind: "invalid"; readonly reason: string }

const invalid = (reason: string): ScalarValue => ({ kind: "invalid", reason })

/** Python refuses decimal numbers with more digits (sys.int_info); here it bounds every number's cost. */
const mostDigits = 4300

/** How each tag reads its text: PyYAML's SafeConstructor (lib/yaml/constructor.py). */
const readers: ReadonlyMap<string, (text: string) => ScalarValue> = new Map<string, (text: string) => ScalarValue>([
  ["null", () => ({ kind: "null" })],
  ["bool", (text) => readBool(text)],
  ["int", (text) => readInt(text)],
  ["float", (text) => readFloat(text)],
  ["str", (value) => ({ kind: "str", value })],
  ["binary", (text) => readBinary(text)],
  ["timestamp", (text) => readTimestamp(text)]
])

/** Reads a scalar's text under one of YAML's own tags (without `tag:yaml.org,2002:`); undefined for other tags. */
export const readScalar = (tag: string, text: string): ScalarValue | undefined => readers.get(tag)?.(text)

const readBool = (text: string): ScalarValue => {
  const word = text.toLowerCase()
  if (["yes", "true", "on"].includes(word)) return { kind: "bool", value: true }
  if (["no", "false", "off"].includes(word)) return { kind: "bool", value: false }
  return invalid("it is none of yes, no, true, false, on, off")
}

// --- Numbers ---

const signed = (text: string): { readonly negative: boolean; readonly digits: string } => ({
  negative: text.startsWith("-"),
  digits: /^[-+]/.test(text) ? text.slice(1) : text
})

const readInt = (text: string): ScalarValue => {
  const { digits, negative } = signed(text.replaceAll("_", ""))
  if (digits.length > mostDigits) return invalid(`a number has at most ${mostDigits} digits`)
  const value = intOf(digits)
  return value === undefined ? invalid("it is not a whole number") : { kind: "int", value: negative ? -value : value }
}

const intOf = (digits: string): bigint | undefined => {
  if (digits === "0") return 0n
  if (digits.startsWith("0b")) return pythonInt(digits.slice(2), "0b", "[01]")
  if (digits.startsWith("0x")) return pythonInt(digits.slice(2), "0x", "[0-9a-f]")
  if (digits.startsWith("0")) return pythonInt(digits, "0o", "[0-7]")
  if (!digits.includes(":")) return pythonInt(digits, "", "[0-9]")
  let value = 0n
  for (const part of digits.split(":")) {
    const digit = pythonInt(part, "", "[0-9]")
    if (digit === undefined) return undefined
    value = value * 60n + digit
  }
  return value
}

/** What Python trims around a number; JavaScript's `trim` takes a byte order mark as well, but no separators. */
const blank = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*"

/** Python's `int(text, base)`: white space around it, a sign and the base's own prefix are allowed. */
const pythonInt = (text: string, prefix: string, digit: string): bigint | undefined => {
  const match = new RegExp(`^${blank}([-+]?)(?:${prefix})?(${digit}+)${blank}$`, "i").exec(text)
  const found = match?.[2]
  if (found === undefined) return undefined
  const value = BigInt(prefix + found)
  return match?.[1] === "-" ? -value : value
}

const readFloat = (text: string): ScalarValue => {
  const { digits, negative } = signed(text.replaceAll("_", "").toLowerCase())
  const value = floatOf(digits)
  return value === undefined ? invalid("it is not a number") : { kind: "float", value: negative ? -value : value }
}

const floatOf = (digits: string): number | undefined => {
  if (digits === ".inf") return Number.POSITIVE_INFINITY
  if (digits === ".nan") return Number.NaN
  if (!digits.includes(":")) return pythonFloat(digits)
  // From the last part on, so that rounding is the original's.
  let base = 1
  let value = 0
  for (const part of digits.split(":").toReversed()) {
    const digit = pythonFloat(part)
    if (digit === undefined) return undefined
    value += digit * base
    base *= 60
  }
  return value
}

const pythonFloat = (text: string): number | undefined => {
  const match = floatPattern.exec(text)
  if (match === null) return undefined
  if (match[2] === undefined) return Number(match[1])
  const magnitude = match[2].endsWith("nan") ? Number.NaN : Number.POSITIVE_INFINITY
  return match[2].startsWith("-") ? -magnitude : magnitude
}

const floatPattern = new RegExp(
  `^${blank}(?:([-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[-+]?\\d+)?)|([-+]?(?:inf|infinity|nan)))${blank}$`
)

// --- Binary ---

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** Python's `base64.decodebytes`: other characters are passed over, and what follows complete padding is dropped. */
const readBinary = (text: string): ScalarValue => {
  if (/[^\0-\x7f]/.test(text)) return invalid("base64 is written in ASCII")
  let data = ""
  let pads = 0
  for (const ch of text) {
    if (ch === "=") {
      pads++
      if (data.length % 4 >= 2 && (data.length % 4) + pads >= 4) return { kind: "binary", value: bytesOf(data) }
    } else if (alphabet.includes(ch)) {
      data += ch
      pads = 0
    }
  }
  return data.length % 4 === 0
    ? { kind: "binary", value: bytesOf(data) }
    : invalid("its base64 is incomplete; fill it up with = to a multiple of 4 characters")
}

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"))
