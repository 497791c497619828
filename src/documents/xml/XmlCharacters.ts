import { Buffer } from "node:buffer"
import { damaged, type DocumentError, limitExceeded } from "../DocumentError.ts"

/** Strings are cut out of windows, which costs a fraction of decoding each. */
const windowBytes = 32 * 1024

/** What the bytes of an XML part in UTF-8 stand for. A range comes with the kinds of its bytes, all that `kindOf` gives. */
export class XmlCharacters {
  private readonly bytes: Uint8Array
  private readonly buffer: Buffer
  private readonly part: string
  private window = ""
  private windowStart = 0
  private windowEnd = 0
  private mistakes = 0
  private readonly names: Array<string | undefined> = []

  constructor(bytes: Uint8Array, part: string) {
    this.bytes = bytes
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.part = part
  }

  broken(reason: string): DocumentError {
    return damaged(`The part ${this.part} is broken: ${reason}`)
  }

  /** A text, with its entities resolved and its line ends turned to line feeds. */
  text(start: number, end: number, kinds: number): string {
    if ((kinds & otherThanText) === 0) return this.ascii(start, end)
    const allowed = this.allowed(start, end, kinds)
    const lines = (kinds & carriageReturn) === 0 ? allowed : allowed.replace(/\r\n?/g, "\n")
    return (kinds & ampersand) === 0 ? lines : this.resolved(lines)
  }

  /** The value of an attribute, in which a line end is a blank. */
  value(start: number, end: number, kinds: number): string {
    if ((kinds & (otherThanText | lineBreak)) === 0) return this.ascii(start, end)
    const line = this.allowed(start, end, kinds).replace(/\r\n|[\t\n\r]/g, " ")
    return (kinds & ampersand) === 0 ? line : this.resolved(line)
  }

  /** The name of an attribute; one that was met is the same string again. */
  name(start: number, end: number, kinds: number): string {
    const { bytes, names } = this
    const middle = bytes[(start + end) >> 1] ?? 0
    const slot = (31 * middle + 7 * (bytes[end - 1] ?? 0) + (bytes[start] ?? 0) + 61 * (end - start)) & (nameSlots - 1)
    const met = names[slot]
    if (met !== undefined && met.length === end - start && this.startsWith(met, start)) return met
    if ((kinds & beyondAscii) !== 0) return this.buffer.toString("utf8", start, end)
    const name = internalized(this.ascii(start, end))
    names[slot] = name
    return name
  }

  /** What stands in a CDATA section. */
  verbatim(start: number, end: number): string {
    let kinds = 0
    for (let place = start; place < end; place++) kinds |= kindOf[this.bytes[place] ?? 0] ?? 0
    return this.text(start, end, kinds & ~ampersand)
  }

  /** Whether these ASCII characters stand there. */
  startsWith(mark: string, start: number): boolean {
    const { bytes } = this
    for (let index = 0; index < mark.length; index++) {
      if (bytes[start + index] !== mark.charCodeAt(index)) return false
    }
    return true
  }

  /** Behind the next of these marks; -1 if there is none. */
  behind(mark: string, from: number): number {
    const found = this.buffer.indexOf(mark, from, "latin1")
    return found === -1 ? -1 : found + mark.length
  }

  /**
   * From where on all is ASCII without control characters, tabs and breaks, as in most parts, so that only `&` makes
   * a range more than a copy of its bytes; `Infinity` if that does not hold.
   */
  plainFrom(): number {
    // A break behind the declaration stands in most parts.
    const root = /^\s*(?:<\?[^>]*>\s*)?/.exec(this.buffer.toString("latin1", 0, 200))?.[0].length ?? 0
    return isPlain(this.bytes.subarray(root)) ? root : Infinity
  }

  /** Of bytes that are all ASCII. */
  private ascii(start: number, end: number): string {
    if (start < this.windowStart || end > this.windowEnd) {
      if (end - start > windowBytes / 2) return this.buffer.toString("latin1", start, end)
      this.windowStart = start
      this.windowEnd = Math.min(start + windowBytes, this.buffer.length)
      this.window = this.buffer.toString("latin1", start, this.windowEnd)
    }
    return this.window.slice(start - this.windowStart, end - this.windowStart)
  }

  private allowed(start: number, end: number, kinds: number): string {
    const text = (kinds & beyondAscii) === 0 ? this.ascii(start, end) : this.buffer.toString("utf8", start, end)
    if ((kinds & (beyondAscii | control)) === 0) return text
    const allowed = text.replace(forbidden, "")
    this.countMistakes(text.length - allowed.length)
    return allowed
  }

  private resolved(text: string): string {
    return text.replace(
      /&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([A-Za-z]+));|&/g,
      (whole, hex?: string, decimal?: string, name?: string) => {
        if (hex !== undefined || decimal !== undefined) {
          const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
          if (isAllowed(code)) return String.fromCodePoint(code)
          this.countMistakes(1)
          return ""
        }
        const known = name === undefined ? undefined : entities.get(name)
        if (known === undefined) this.countMistakes(1)
        return known ?? whole
      }
    )
  }

  private countMistakes(count: number): void {
    this.mistakes += count
    if (this.mistakes > maxMistakes) {
      throw limitExceeded(
        "mistakes",
        `The part ${this.part} has more than ${maxMistakes} undefined entities or forbidden characters, as in an attack`
      )
    }
  }
}

/** Whether all bytes are from blank to tilde; looks at four at once. */
const isPlain = (bytes: Uint8Array): boolean => {
  // May lie where no word begins before the end of its buffer.
  if (bytes.length < 8) return !bytes.some(isUnusual)
  const skipped = -bytes.byteOffset & 3
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + skipped, (bytes.length - skipped) >> 2)
  const end = skipped + 4 * words.length
  for (const edge of [bytes.subarray(0, skipped), bytes.subarray(end)]) {
    if (edge.some(isUnusual)) return false
  }
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? 0
    // The highest bit of a byte is set here if it is beyond ASCII, or if it is less than a blank.
    if (((word | (word - 0x20202020)) & 0x80808080) !== 0) return false
  }
  return true
}

const isUnusual = (byte: number): boolean => byte < 0x20 || byte >= 0x80

const maxMistakes = 10_000

const nameSlots = 128

/** The same string as the engine keeps for names of properties, which it compares and looks up faster. */
export const internalized = (text: string): string => {
  const met = internalNames.get(text)
  if (met !== undefined) return met
  const name = Object.keys({ [text]: null })[0] ?? text
  if (internalNames.size < mostInternalNames && name.length < 64) internalNames.set(name, name)
  return name
}

/** The names of Office's own vocabulary are the same in every document. */
const internalNames = new Map<string, string>()
const mostInternalNames = 4096

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
