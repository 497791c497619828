/** What stands in the objects of a PDF file. Strings are bytes as Latin-1 text. */
export type PdfValue = string | number | boolean | null | Name | Reference | Dictionary | ReadonlyArray<PdfValue>

export type Dictionary = ReadonlyMap<string, PdfValue>

export class Name {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

export class Reference {
  readonly number: number
  constructor(number: number) {
    this.number = number
  }
}

/** Reads values out of the bytes of a file, without regard to anything that is no value. Throws `SyntaxError`. */
export class SyntaxReader {
  at: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /** The value at the place, `undefined` for a word such as `endobj`, which is passed over. */
  value(depth = 0): PdfValue | undefined {
    if (depth > maxDepth) throw new SyntaxError("too deep")
    this.#skipSpace()
    const byte = this.#bytes[this.at]
    if (byte === undefined) throw new SyntaxError("the end of the file")
    switch (byte) {
      case slash:
        this.at++
        return new Name(
          this.#word().replace(/#([0-9A-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
        )
      case openParenthesis:
        return this.#string()
      case openBracket:
        this.at++
        return this.#array(depth)
      case less:
        if (this.#bytes[this.at + 1] !== less) return this.#hexadecimal()
        this.at += 2
        return this.#dictionary(depth)
      default:
        return this.#other()
    }
  }

  /** The word at the place, which is passed over. */
  keyword(): string {
    this.#skipSpace()
    return this.#word()
  }

  #other(): PdfValue | undefined {
    const word = this.#word()
    if (word === "") {
      this.at++
      return undefined
    }
    if (word === "true") return true
    if (word === "false") return false
    if (word === "null") return null
    const number = Number(word)
    if (Number.isNaN(number)) return undefined
    if (!/^\d+$/.test(word)) return number
    // `12 0 R` begins like two numbers
    const back = this.at
    if (/^\d+$/.test(this.keyword()) && this.keyword() === "R") return new Reference(number)
    this.at = back
    return number
  }

  #array(depth: number): ReadonlyArray<PdfValue> {
    const values: Array<PdfValue> = []
    for (;;) {
      this.#skipSpace()
      if (this.#bytes[this.at] === closeBracket) {
        this.at++
        return values
      }
      const value = this.value(depth + 1)
      if (value !== undefined) values.push(value)
    }
  }

  #dictionary(depth: number): Dictionary {
    const entries = new Map<string, PdfValue>()
    for (;;) {
      this.#skipSpace()
      if (this.#bytes[this.at] === greater) {
        this.at += 2
        return entries
      }
      const key = this.value(depth + 1)
      if (!(key instanceof Name)) continue
      const value = this.value(depth + 1)
      if (value !== undefined) entries.set(key.name, value)
    }
  }

  #string(): string {
    const start = ++this.at
    for (let open = 1; open > 0; this.at++) {
      const byte = this.#bytes[this.at]
      if (byte === undefined) throw new SyntaxError("the end of the file")
      if (byte === backslash) this.at++
      else if (byte === openParenthesis) open++
      else if (byte === closeParenthesis) open--
    }
    return latin1
      .decode(this.#bytes.subarray(start, this.at - 1))
      .replace(/\\(?:([0-7]{1,3})|\r\n?|([^]))/g, (_, octal?: string, other?: string) =>
        octal !== undefined ? String.fromCharCode(parseInt(octal, 8) & 255) : (escapes[other ?? ""] ?? other ?? "")
      )
  }

  #hexadecimal(): string {
    const start = ++this.at
    while (this.at < this.#bytes.length && this.#bytes[this.at] !== greater) this.at++
    const digits = latin1.decode(this.#bytes.subarray(start, this.at++)).replace(/[^0-9A-Fa-f]/g, "")
    return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, "hex").toString("latin1")
  }

  #word(): string {
    const start = this.at
    while (this.at < this.#bytes.length && !isDelimiter(this.#bytes[this.at] ?? 0)) this.at++
    return latin1.decode(this.#bytes.subarray(start, this.at))
  }

  #skipSpace(): void {
    for (; this.at < this.#bytes.length; this.at++) {
      const byte = this.#bytes[this.at] ?? 0
      if (byte === percent) {
        while (this.at < this.#bytes.length && this.#bytes[this.at] !== 0x0a && this.#bytes[this.at] !== 0x0d) this.at++
      } else if (!isSpace(byte)) return
    }
  }
}

const isSpace = (byte: number): boolean => byte <= 0x20
const isDelimiter = (byte: number): boolean => isSpace(byte) || delimiters.has(byte)

const [slash, openParenthesis, closeParenthesis, openBracket, closeBracket, less, greater, percent, backslash] = [
  0x2f, 0x28, 0x29, 0x5b, 0x5d, 0x3c, 0x3e, 0x25, 0x5c
]
const delimiters: ReadonlySet<number | undefined> = new Set([
  slash,
  openParenthesis,
  closeParenthesis,
  openBracket,
  closeBracket,
  less,
  greater,
  percent,
  0x7b,
  0x7d
])
const escapes: Readonly<Record<string, string | undefined>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  f: "\f",
  "\n": ""
}
const latin1 = new TextDecoder("latin1")
const maxDepth = 64
