import { Buffer } from "node:buffer"
import { limitExceeded } from "../DocumentError.ts"

/** What the bytes of an XML part in UTF-8 stand for. A range comes with the kinds of its bytes, all that `kindOf` gives. */
export interface Characters {
  /** A text, with its entities resolved and its line ends turned to line feeds. */
  readonly text: (start: number, end: number, kinds: number) => string
  /** The value of an attribute, in which a line end is a blank. */
  readonly value: (start: number, end: number, kinds: number) => string
  /** The name of an attribute; one that was met is the same string again. */
  readonly name: (start: number, end: number, kinds: number) => string
  /** What stands in a CDATA section. */
  readonly verbatim: (start: number, end: number) => string
  /** Whether these ASCII characters stand there. */
  readonly startsWith: (mark: string, start: number) => boolean
  /** Behind the next of these marks; -1 if there is none. */
  readonly behind: (mark: string, from: number) => number
}

/** Strings are cut out of windows, which costs a fraction of decoding each. */
const windowBytes = 32 * 1024

export const makeCharacters = (bytes: Uint8Array, part: string): Characters => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let window = ""
  let windowStart = 0
  let windowEnd = 0
  let mistakes = 0

  const countMistakes = (count: number): void => {
    mistakes += count
    if (mistakes > maxMistakes) {
      throw limitExceeded(
        "mistakes",
        `The part ${part} has more than ${maxMistakes} undefined entities or forbidden characters, as in an attack`
      )
    }
  }

  /** Of bytes that are all ASCII. */
  const ascii = (start: number, end: number): string => {
    if (start < windowStart || end > windowEnd) {
      if (end - start > windowBytes / 2) return buffer.toString("latin1", start, end)
      windowStart = start
      windowEnd = Math.min(start + windowBytes, buffer.length)
      window = buffer.toString("latin1", windowStart, windowEnd)
    }
    return window.slice(start - windowStart, end - windowStart)
  }

  const withoutForbidden = (text: string): string => {
    const allowed = text.replace(forbidden, "")
    countMistakes(text.length - allowed.length)
    return allowed
  }

  const resolved = (text: string): string =>
    text.replace(
      /&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([A-Za-z]+));|&/g,
      (whole, hex?: string, decimal?: string, name?: string) => {
        if (hex !== undefined || decimal !== undefined) {
          const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
          if (isAllowed(code)) return String.fromCodePoint(code)
          countMistakes(1)
          return ""
        }
        const known = name === undefined ? undefined : entities.get(name)
        if (known === undefined) countMistakes(1)
        return known ?? whole
      }
    )

  const allowedOf = (start: number, end: number, kinds: number): string => {
    const text = (kinds & beyondAscii) === 0 ? ascii(start, end) : buffer.toString("utf8", start, end)
    return (kinds & (beyondAscii | control)) === 0 ? text : withoutForbidden(text)
  }

  const text = (start: number, end: number, kinds: number): string => {
    if ((kinds & otherThanText) === 0) return ascii(start, end)
    const allowed = allowedOf(start, end, kinds)
    const lines = (kinds & carriageReturn) === 0 ? allowed : allowed.replace(/\r\n?/g, "\n")
    return (kinds & ampersand) === 0 ? lines : resolved(lines)
  }

  const value = (start: number, end: number, kinds: number): string => {
    if ((kinds & (otherThanText | lineBreak)) === 0) return ascii(start, end)
    const line = allowedOf(start, end, kinds).replace(/\r\n|[\t\n\r]/g, " ")
    return (kinds & ampersand) === 0 ? line : resolved(line)
  }

  const names: Array<string | undefined> = Array.from({ length: nameSlots }, () => undefined)
  const name = (start: number, end: number, kinds: number): string => {
    const slot = (31 * (bytes[start] ?? 0) + 7 * (bytes[end - 1] ?? 0) + end - start) & (nameSlots - 1)
    const met = names[slot]
    if (met !== undefined && met.length === end - start && startsWith(met, start)) return met
    const found = internalized((kinds & beyondAscii) === 0 ? ascii(start, end) : buffer.toString("utf8", start, end))
    if ((kinds & beyondAscii) === 0) names[slot] = found
    return found
  }

  const verbatim = (start: number, end: number): string => {
    let kinds = 0
    for (let place = start; place < end; place++) kinds |= kindOf[bytes[place] ?? 0] ?? 0
    return text(start, end, kinds & ~ampersand)
  }

  const startsWith = (mark: string, start: number): boolean => {
    for (let index = 0; index < mark.length; index++) {
      if (bytes[start + index] !== mark.charCodeAt(index)) return false
    }
    return true
  }

  const behind = (mark: string, from: number): number => {
    const found = buffer.indexOf(mark, from, "latin1")
    return found === -1 ? -1 : found + mark.length
  }

  return { text, value, name, verbatim, startsWith, behind }
}

const maxMistakes = 10_000

const nameSlots = 128

/** The same string as the engine keeps for names of properties, which it compares and looks up faster. */
export const internalized = (text: string): string => Object.keys({ [text]: null })[0] ?? text

const entities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"]
])

// oxlint-disable-next-line no-control-regex -- these are what XML forbids
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

const isAllowed = (code: number): boolean =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff)

// --- Kinds of bytes ---

export const beyondAscii = 1
export const ampersand = 2
export const carriageReturn = 4
/** Those that XML forbids. */
export const control = 8
/** Tab and line feed. */
export const lineBreak = 16
/** Whatever ends no name: no white space, no `=`, `/` or `>`. */
export const inName = 32
/** What makes a text more than a copy of its bytes. */
export const otherThanText = beyondAscii | ampersand | carriageReturn | control

/** The kinds of each byte, which are flags. */
export const kindOf: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isNamed = byte > 32 && byte !== 61 && byte !== 47 && byte !== 62 ? inName : 0
  if (byte >= 0x80) return isNamed | beyondAscii
  if (byte === 38) return isNamed | ampersand
  if (byte === 13) return carriageReturn
  if (byte === 9 || byte === 10) return lineBreak
  return byte < 32 ? control : isNamed
})

export const isWhitespace = (byte: number): boolean => byte === 32 || byte === 10 || byte === 9 || byte === 13
