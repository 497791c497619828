import type { DocumentError } from "../DocumentError.ts"
import type { Characters } from "./XmlCharacters.ts"

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
}

/** A tag whose attributes are added as they are read. */
export interface GrowingTag extends Tag {
  count: number
  readonly add: (
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    nameKinds: number,
    valueKinds: number
  ) => void
}

export const makeTag = (
  bytes: Uint8Array,
  characters: Characters,
  twice: (name: string) => DocumentError
): GrowingTag => {
  /** Of each attribute six numbers: where name and value start and end, and the kinds of their bytes. */
  let spans = new Int32Array(6 * 16)

  const find = (name: string): number => {
    const end = 6 * tag.count
    for (let at = 0; at < end; at += 6) {
      const start = spans[at] ?? 0
      if ((spans[at + 1] ?? 0) - start === name.length && characters.startsWith(name, start)) return at
    }
    return -1
  }

  const valueAt = (at: number): string => characters.value(spans[at + 2] ?? 0, spans[at + 3] ?? 0, spans[at + 5] ?? 0)

  const tag: GrowingTag = {
    count: 0,
    add: (nameStart, nameEnd, valueStart, valueEnd, nameKinds, valueKinds) => {
      const at = 6 * tag.count++
      if (at >= spans.length) {
        const more = new Int32Array(2 * spans.length)
        more.set(spans)
        spans = more
      }
      spans[at] = nameStart
      spans[at + 1] = nameEnd
      spans[at + 2] = valueStart
      spans[at + 3] = valueEnd
      spans[at + 4] = nameKinds
      spans[at + 5] = valueKinds
    },
    attributes: () => {
      if (tag.count === 0) return noAttributes
      const attributes = new NoPrototype()
      const end = 6 * tag.count
      for (let at = 0; at < end; at += 6) {
        const name = characters.name(spans[at] ?? 0, spans[at + 1] ?? 0, spans[at + 4] ?? 0)
        if (name in attributes) throw twice(name)
        attributes[name] = valueAt(at)
      }
      return attributes
    },
    value: (name) => {
      const at = find(name)
      return at === -1 ? undefined : valueAt(at)
    },
    digits: (name) => {
      const at = find(name)
      if (at === -1) return -1
      const start = spans[at + 2] ?? 0
      const end = spans[at + 3] ?? 0
      if (end === start || end - start > 9) return -1
      let number = 0
      for (let place = start; place < end; place++) {
        const digit = (bytes[place] ?? 0) - 48
        if (digit < 0 || digit > 9) return -1
        number = 10 * number + digit
      }
      return number
    }
  }
  return tag
}

interface NoPrototype {
  [name: string]: string | undefined
}

/** Makes objects with nothing inherited, faster than `Object.create(null)` does. */
const NoPrototype = function () {} as unknown as new () => NoPrototype
NoPrototype.prototype = Object.create(null)

/** Shared by the elements without attributes. */
export const noAttributes: Attributes = Object.freeze(new NoPrototype())
