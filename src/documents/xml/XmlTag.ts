import type { XmlCharacters } from "./XmlCharacters.ts"

/** Attribute values by name; made without a prototype that has anything in it. */
export type Attributes = Readonly<Record<string, string | undefined>>

/** The attributes of the tag that is being read, to be asked before the next one is. */
export interface Tag {
  /** All of them, by their names as they are written, as a record to keep. Throws `DocumentError` if one is there twice. */
  readonly attributes: () => Attributes
  /** The value of an attribute whose name is ASCII, without having to read the others. */
  readonly value: (name: string) => string | undefined
  /** The value of an attribute if it is up to nine digits and nothing else, or else -1. */
  readonly digits: (name: string) => number
  /** Where the value of an attribute starts in `bytes`; it ends at a quotation mark. -1 if there is none. */
  readonly start: (name: string) => number
  readonly bytes: Uint8Array
}

/** A tag whose attributes are noted as they are read. */
export class XmlTag implements Tag {
  readonly bytes: Uint8Array
  count = 0
  /** Whether one of them declares a namespace. */
  declares = false
  private readonly characters: XmlCharacters
  /** Of each attribute `spanLength` numbers: where name and value start and end, and the kinds of their bytes. */
  private spans = new Int32Array(16 * spanLength)

  constructor(bytes: Uint8Array, characters: XmlCharacters) {
    this.bytes = bytes
    this.characters = characters
  }

  add(
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    nameKinds: number,
    kinds: number
  ): void {
    const at = spanLength * this.count++
    if (at === this.spans.length) {
      const more = new Int32Array(2 * at)
      more.set(this.spans)
      this.spans = more
    }
    const { spans } = this
    spans[at] = nameStart
    spans[at + 1] = nameEnd
    spans[at + 2] = valueStart
    spans[at + 3] = valueEnd
    spans[at + 4] = nameKinds
    spans[at + 5] = kinds
    if (this.bytes[nameStart] === letterX && this.characters.startsWith("xmlns", nameStart)) this.declares = true
  }

  attributes(): Attributes {
    if (this.count === 0) return noAttributes
    const { characters, spans } = this
    const attributes = new NoPrototype()
    const end = spanLength * this.count
    for (let at = 0; at < end; at += spanLength) {
      const name = characters.name(spans[at] ?? 0, spans[at + 1] ?? 0, spans[at + 4] ?? 0)
      if (name in attributes) throw characters.broken(`a tag has the attribute ${name} twice`)
      attributes[name] = this.valueAt(at)
    }
    return attributes
  }

  start(name: string): number {
    const at = this.find(name)
    return at === -1 ? -1 : (this.spans[at + 2] ?? 0)
  }

  value(name: string): string | undefined {
    const at = this.find(name)
    return at === -1 ? undefined : this.valueAt(at)
  }

  digits(name: string): number {
    const at = this.find(name)
    if (at === -1) return -1
    const start = this.spans[at + 2] ?? 0
    const end = this.spans[at + 3] ?? 0
    if (end === start || end - start > 9) return -1
    let number = 0
    for (let place = start; place < end; place++) {
      const digit = (this.bytes[place] ?? 0) - 48
      if (digit < 0 || digit > 9) return -1
      number = 10 * number + digit
    }
    return number
  }

  private valueAt(at: number): string {
    const { spans } = this
    return this.characters.value(spans[at + 2] ?? 0, spans[at + 3] ?? 0, spans[at + 5] ?? 0)
  }

  private find(name: string): number {
    const { bytes, spans } = this
    const end = spanLength * this.count
    const first = name.charCodeAt(0)
    for (let at = 0; at < end; at += spanLength) {
      const start = spans[at] ?? 0
      if ((spans[at + 1] ?? 0) - start !== name.length || bytes[start] !== first) continue
      if (name.length === 1 || this.characters.startsWith(name, start)) return at
    }
    return -1
  }
}

const spanLength = 6

const letterX = 120

interface NoPrototype {
  [name: string]: string | undefined
}

/** Makes objects with nothing inherited, faster than `Object.create(null)` does. */
const NoPrototype = function () {} as unknown as new () => NoPrototype
NoPrototype.prototype = Object.create(null)

/** Shared by the elements without attributes. */
export const noAttributes: Attributes = Object.freeze(new NoPrototype())
