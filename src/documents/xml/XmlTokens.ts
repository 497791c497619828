import { type DocumentError, limitExceeded } from "../DocumentError.ts"
import { ampersand, inName, isWhitespace, kindOf, otherThanText, XmlCharacters } from "./XmlCharacters.ts"
import { type Tag, XmlTag } from "./XmlTag.ts"

/** What is known of the elements of one name. */
export interface ElementName {
  /** As it is written. */
  readonly written: string
  /** Whether elements of this name often have the same in them, so that what was made of one is kept for the next. */
  readonly repeats: boolean
}

/** The names of elements in one scope of namespaces. */
export interface Names<E extends ElementName> {
  /** Throws `DocumentError` for what is no name. */
  readonly of: (written: string) => E
  /** Names that were met, each where its characters say; made by the scope, filled here. */
  readonly slots: Array<Slot<E> | undefined>
}

interface Slot<E> {
  readonly element: E
  readonly hash: number
  readonly bytes: Uint8Array
  readonly length: number
  /** Elements that were read, by their bytes; empty unless the name repeats. */
  readonly repeated: Map<number, Repeated>
}

/** An element that was read. */
interface Repeated {
  readonly start: number
  readonly end: number
  /** What the handler made of it. */
  readonly kept: unknown
  /** The depth of the elements in it. */
  readonly height: number
}

interface Span {
  readonly start: number
  readonly end: number
  readonly key: number
}

/** An element under way that may be met again. */
interface Repeating<E> extends Span {
  readonly slot: Slot<E>
  readonly depth: number
  /** The depth that the elements around it had reached. */
  readonly deepest: number
}

export const makeSlots = <E extends ElementName>(): Array<Slot<E> | undefined> => {
  const slots: Array<Slot<E> | undefined> = []
  slots.length = slotCount
  return slots
}

const slotCount = 256

/** Receives the tokens of a part in order. `depth` counts the elements around. */
export interface TokenHandler<E extends ElementName> {
  /** Of the present scope: changed by `declare` and `close`. */
  readonly names: () => Names<E>
  /** Hears of declarations of namespaces before the element that makes them opens, whose name it returns. */
  readonly declare: (tag: Tag, written: string, depth: number) => E
  /** True ends the reading. */
  readonly open: (element: E, tag: Tag, depth: number) => boolean
  readonly text: (text: string) => void
  readonly close: (element: E, depth: number) => void
  /** What is to be kept of an element that repeats and has just closed; undefined for nothing. */
  readonly kept: (element: E) => unknown
  /** An element stands here again of which this was kept; nothing else is reported of it. `deepest` is the depth it reaches. */
  readonly again: (kept: unknown, deepest: number) => void
}

/**
 * Reads the tags and texts of an XML part in UTF-8. Comments, instructions and a DTD are skipped; nothing that a DTD
 * defines is expanded: `&name;` stays as it is, and characters that XML forbids are dropped, as other programs do. Throws
 * `DocumentError` for what is not well-formed: a tag that is cut, in the wrong place or not closed, attributes without
 * quotes or twice, text outside of the root.
 *
 * Goes over the bytes, since most of them are markup, and makes strings only of what is asked for.
 */
export const readTokens = <E extends ElementName>(bytes: Uint8Array, part: string, handler: TokenHandler<E>): void =>
  new Reading(bytes, part, handler).run()

/** A class, and methods that are not long, since the engine compiles those once and in little time. */
class Reading<E extends ElementName> {
  private readonly bytes: Uint8Array
  private readonly size: number
  private readonly part: string
  private readonly handler: TokenHandler<E>
  private readonly characters: XmlCharacters
  private readonly tag: XmlTag
  /** The elements that are open, and their names as they are written. */
  private readonly elements: Array<E> = []
  private readonly names: Array<Uint8Array> = []
  private scope: Names<E>
  /** The depths of the elements that are open and declare namespaces. */
  private readonly scopeDepths: Array<number> = []
  private readonly repeating: Array<Repeating<E>> = []
  private deepest = 0
  private hasRoot = false
  private isStopped = false
  private at: number
  private readonly plainFrom: number
  private nextAmpersand = -1

  constructor(bytes: Uint8Array, part: string, handler: TokenHandler<E>) {
    this.bytes = bytes
    this.size = bytes.length
    this.part = part
    this.handler = handler
    this.characters = new XmlCharacters(bytes, part)
    this.tag = new XmlTag(bytes, this.characters)
    this.scope = handler.names()
    this.at = contentStart(bytes)
    this.plainFrom = this.characters.plainFrom()
  }

  run(): void {
    const { bytes, size } = this
    while (this.at < size) {
      if (bytes[this.at] !== lessThan) this.readText()
      if (this.at >= size) break
      const next = bytes[this.at + 1] ?? 0
      if (next === slash) this.readClosing()
      else if (next === exclamation) this.readDeclaration()
      else if (next === question) this.skipBehind("?>", this.at + 2)
      else this.readOpening()
      if (this.isStopped) return
    }
    if (this.elements.length > 0) throw this.broken(`unclosed tag: ${this.elements.at(-1)?.written}`)
    if (!this.hasRoot) throw this.broken("it has no root element")
  }

  private broken(reason: string): DocumentError {
    return this.characters.broken(reason)
  }

  private cut(): DocumentError {
    return this.broken("it ends within a tag")
  }

  private skipBehind(mark: string, from: number): void {
    const end = this.characters.behind(mark, from)
    if (end === -1) throw this.cut()
    this.at = end
  }

  // --- Texts ---

  private readText(): void {
    const { bytes, size } = this
    const start = this.at
    let place = start
    let kinds = 0
    if (start >= this.plainFrom) {
      const near = Math.min(size, start + nearBytes)
      while (place < near && bytes[place] !== lessThan) place++
      if (place === near && place < size) {
        place = bytes.indexOf(lessThan, place)
        if (place === -1) place = size
      }
      kinds = this.plainKinds(start, place)
    } else {
      for (; place < size; place++) {
        const byte = bytes[place] ?? 0
        if (byte === lessThan) break
        kinds |= kindOf[byte] ?? 0
      }
    }
    this.at = place
    const text = this.characters.text(start, place, kinds)
    if (this.names.length > 0) this.handler.text(text)
    else if (text.trim() !== "") throw this.broken("there is text outside of the root element")
  }

  /** Ranges come in their order. */
  private plainKinds(start: number, end: number): number {
    if (this.nextAmpersand < start) {
      const found = this.bytes.indexOf(38, start)
      this.nextAmpersand = found === -1 ? Infinity : found
    }
    return this.nextAmpersand < end ? ampersand : 0
  }

  private readDeclaration(): void {
    const { at, characters } = this
    if (characters.startsWith("<!--", at)) this.skipBehind("-->", at + 4)
    else if (characters.startsWith("<![CDATA[", at)) {
      this.skipBehind("]]>", at + 9)
      if (this.names.length === 0) throw this.broken("there is text outside of the root element")
      this.handler.text(characters.verbatim(at + 9, this.at - 3))
    } else if (/^<!doctype$/i.test(characters.text(at, Math.min(at + 9, this.size), 0))) {
      this.at = doctypeEnd(this.bytes, characters, at + 9)
      if (this.at === -1) throw this.cut()
    } else throw this.broken("a tag begins with <!")
  }

  // --- Closing tags ---

  private readClosing(): void {
    const { at, bytes, names } = this
    const name = names.at(-1)
    let place = at + 2
    if (name !== undefined && startsWith(bytes, name, place) && bytes[place + name.length] === greaterThan) {
      place += name.length
    } else {
      place = bytes.indexOf(greaterThan, place)
      if (place === -1) throw this.cut()
      let end = place
      while (isWhitespace(bytes[end - 1] ?? 0)) end--
      if (name === undefined || end - at - 2 !== name.length || !startsWith(bytes, name, at + 2)) {
        const found = this.characters.text(at + 2, Math.min(end, at + 42), otherThanText)
        throw this.broken(`unexpected close tag: ${found}`)
      }
    }
    this.at = place + 1
    names.pop()
    const element = this.elements.pop()
    if (element !== undefined) this.close(element)
  }

  private close(element: E): void {
    const depth = this.names.length
    this.handler.close(element, depth)
    if (this.scopeDepths.length > 0 && this.scopeDepths.at(-1) === depth) {
      this.scopeDepths.pop()
      this.scope = this.handler.names()
    }
    if (element.repeats) this.keep(element)
  }

  // --- Opening tags ---

  private readOpening(): void {
    const { bytes, size } = this
    const start = this.at + 1
    let place = start
    let hash = 0
    let kinds = 0
    for (; place < size; place++) {
      const byte = bytes[place] ?? 0
      const kind = kindOf[byte] ?? 0
      if ((kind & inName) === 0) break
      kinds |= kind
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    if (place >= size) throw this.cut()
    const { slots } = this.scope
    let slot = slots[hash & (slotCount - 1)]
    if (
      slot === undefined ||
      slot.hash !== hash ||
      slot.length !== place - start ||
      !startsWith(bytes, slot.bytes, start)
    ) {
      const element = this.scope.of(this.characters.text(start, place, kinds))
      slot = { element, hash, length: place - start, bytes: bytes.slice(start, place), repeated: new Map() }
      slots[hash & (slotCount - 1)] = slot
    }
    const again = slot.element.repeats && this.names.length > 0 ? this.repeatedFrom(slot, place) : undefined
    if (again === "read") return

    const end = this.readAttributes(place, slot.element.written)
    const isEmpty = bytes[end] === slash
    if (isEmpty && bytes[end + 1] !== greaterThan) {
      throw end + 1 < size ? this.broken(`the tag ${slot.element.written} does not end behind its slash`) : this.cut()
    }
    const depth = this.names.length
    if (depth === 0) {
      if (this.hasRoot) throw this.broken("there is more than one root element")
      this.hasRoot = true
    }
    let { element } = slot
    if (this.tag.declares) {
      element = this.handler.declare(this.tag, element.written, depth)
      this.scope = this.handler.names()
      this.scopeDepths.push(depth)
    } else if (again !== undefined) {
      this.repeating.push({ slot, ...again, depth, deepest: this.deepest })
      this.deepest = depth
    }
    if (depth > this.deepest) this.deepest = depth
    this.isStopped = this.handler.open(element, this.tag, depth)
    this.at = isEmpty ? end + 2 : end + 1
    if (isEmpty) this.close(element)
    else {
      this.elements.push(element)
      this.names.push(slot.bytes)
    }
  }

  /** Reads the attributes from behind the name of a tag; where it ends, at a slash or a bracket. */
  private readAttributes(from: number, element: string): number {
    const { bytes, size, tag } = this
    let place = from
    let byte = bytes[place] ?? 0
    tag.count = 0
    tag.declares = false
    while (byte !== greaterThan) {
      while (byte <= 32 && isWhitespace(byte)) byte = bytes[++place] ?? 0
      if (place >= size) throw this.cut()
      if (byte === greaterThan || byte === slash) break
      const nameStart = place
      let nameKinds = 0
      for (; place < size; place++) {
        byte = bytes[place] ?? 0
        const kind = kindOf[byte] ?? 0
        if ((kind & inName) === 0) break
        nameKinds |= kind
      }
      const nameEnd = place
      while (byte <= 32 && isWhitespace(byte)) byte = bytes[++place] ?? 0
      if (place >= size) throw this.cut()
      if (byte !== equals || nameEnd === nameStart) {
        throw this.broken(`the tag ${element} has an attribute without a value`)
      }
      byte = bytes[++place] ?? 0
      while (byte <= 32 && isWhitespace(byte)) byte = bytes[++place] ?? 0
      if (place >= size) throw this.cut()
      if (byte !== doubleQuote && byte !== singleQuote) {
        throw this.broken(`the tag ${element} has an attribute without quotes`)
      }
      const quote = byte
      const valueStart = ++place
      let kinds = 0
      if (from >= this.plainFrom) {
        while (place < size && bytes[place] !== quote) place++
        kinds = this.plainKinds(valueStart, place)
      } else {
        for (; place < size; place++) {
          byte = bytes[place] ?? 0
          if (byte === quote) break
          kinds |= kindOf[byte] ?? 0
        }
      }
      if (place >= size) throw this.cut()
      if (tag.count >= mostAttributes) {
        throw limitExceeded("attributes", `The part ${this.part} has a tag with more than ${mostAttributes} attributes`)
      }
      tag.add(nameStart, nameEnd, valueStart, place, nameKinds, kinds)
      byte = bytes[++place] ?? 0
    }
    return place
  }

  // --- Elements that repeat ---

  /**
   * Reports an element at once of which there was one before; else where it ends if none of its name is in it (undefined if that is far
   * away), and a number that tells elements apart.
   */
  private repeatedFrom(slot: Slot<E>, nameEnd: number): "read" | Span | undefined {
    const { bytes } = this
    const start = this.at
    const most = Math.min(this.size, start + mostRepeatedBytes)
    let key = 0
    let end = 0
    for (let place = start; place < most; place++) {
      const byte = bytes[place] ?? 0
      key = (Math.imul(key, 31) + byte) | 0
      if (byte !== greaterThan) continue
      const name = place - slot.length
      const isEmpty = bytes[place - 1] === slash && place === nameEnd + 1
      const isClosing = bytes[name - 1] === slash && bytes[name - 2] === lessThan
      if (!isEmpty && !(isClosing && startsWith(bytes, slot.bytes, name))) continue
      end = place + 1
      break
    }
    if (end === 0) return undefined
    const met = slot.repeated.get(key)
    if (met === undefined || met.end - met.start !== end - start || !isSame(bytes, met.start, start, end)) {
      return { start, end, key }
    }
    const reached = this.names.length + met.height
    this.deepest = Math.max(this.deepest, reached)
    this.at = end
    this.handler.again(met.kept, reached)
    return "read"
  }

  private keep(element: E): void {
    const last = this.repeating.at(-1)
    if (last === undefined || last.depth !== this.names.length) return
    this.repeating.pop()
    if (this.at === last.end) {
      const kept = this.handler.kept(element)
      const { repeated } = last.slot
      if (kept !== undefined && (repeated.size < mostRepeated || repeated.has(last.key))) {
        repeated.set(last.key, { start: last.start, end: last.end, kept, height: this.deepest - last.depth })
      }
    }
    this.deepest = Math.max(this.deepest, last.deepest)
  }
}

/** No document needs so many. */
const mostAttributes = 10_000

/** Where the end of a text is farther away, the engine finds it faster than a loop. */
const nearBytes = 32

/** Of one name. */
const mostRepeated = 4096

/** Longer elements are seldom the same. */
const mostRepeatedBytes = 4096

const lessThan = 60
const greaterThan = 62
const slash = 47
const exclamation = 33
const question = 63
const equals = 61
const doubleQuote = 34
const singleQuote = 39

/** Behind byte order marks and white space. */
const contentStart = (bytes: Uint8Array): number => {
  let at = 0
  for (;;) {
    if (isWhitespace(bytes[at] ?? 0)) at++
    else if (bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3
    else return at
  }
}

/** Whether the bytes from `start` to `end` are those from `first` on. */
const isSame = (bytes: Uint8Array, first: number, start: number, end: number): boolean => {
  for (let place = start; place < end; place++) {
    if (bytes[place] !== bytes[first + place - start]) return false
  }
  return true
}

const startsWith = (bytes: Uint8Array, mark: Uint8Array, start: number): boolean => {
  for (let index = 0; index < mark.length; index++) {
    if (bytes[start + index] !== mark[index]) return false
  }
  return true
}

/** Behind a DTD, its internal subset included; -1 if it does not end. */
const doctypeEnd = (bytes: Uint8Array, characters: XmlCharacters, from: number): number => {
  let depth = 0
  for (let place = from; place < bytes.length; place++) {
    const byte = bytes[place] ?? 0
    if (byte === doubleQuote || byte === singleQuote) {
      place = bytes.indexOf(byte, place + 1)
      if (place === -1) return -1
    } else if (byte === lessThan) {
      const end = characters.startsWith("<!--", place)
        ? characters.behind("-->", place + 4)
        : characters.startsWith("<?", place)
          ? characters.behind("?>", place + 2)
          : 0
      if (end === -1) return -1
      if (end > 0) place = end - 1
      else depth++
    } else if (byte === openingBracket) depth++
    else if (byte === closingBracket) depth--
    else if (byte === greaterThan) {
      if (depth === 0) return place + 1
      depth--
    }
  }
  return -1
}

const openingBracket = 91
const closingBracket = 93
