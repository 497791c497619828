import { damaged, type DocumentError, limitExceeded } from "../DocumentError.ts"
import { type Characters, inName, isWhitespace, kindOf, makeCharacters, otherThanText } from "./XmlCharacters.ts"
import { makeTag, type Tag } from "./XmlTag.ts"

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

/** An element under way that may be met again. */
interface Repeating<E> {
  readonly slot: Slot<E>
  readonly key: number
  readonly start: number
  readonly end: number
  readonly depth: number
  /** The depth that the elements around it had reached. */
  readonly deepest: number
}

export const makeSlots = <E extends ElementName>(): Array<Slot<E> | undefined> =>
  Array.from({ length: slotCount }, () => undefined)

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
export const readTokens = <E extends ElementName>(bytes: Uint8Array, part: string, handler: TokenHandler<E>): void => {
  const size = bytes.length
  const broken = (reason: string): DocumentError => damaged(`The part ${part} is broken: ${reason}`)
  const cut = (): DocumentError => broken("it ends within a tag")
  const characters = makeCharacters(bytes, part)
  const tag = makeTag(bytes, characters, (name) => broken(`a tag has the attribute ${name} twice`))
  /** The elements that are open, and their names as they are written. */
  const elements: Array<E> = []
  const names: Array<Uint8Array> = []
  const repeating: Array<Repeating<E>> = []
  let deepest = 0
  let hasRoot = false
  let at = contentStart(bytes)

  const keep = (element: E): void => {
    const last = repeating.at(-1)
    if (last === undefined || last.depth !== names.length) return
    repeating.pop()
    if (at === last.end) {
      const kept = handler.kept(element)
      const { repeated } = last.slot
      if (kept !== undefined && (repeated.size < mostRepeated || repeated.has(last.key))) {
        repeated.set(last.key, { start: last.start, end: at, kept, height: deepest - last.depth })
      }
    }
    deepest = Math.max(deepest, last.deepest)
  }

  while (at < size) {
    let kinds = 0
    let place = at
    let byte = 0
    for (; place < size; place++) {
      byte = bytes[place] ?? 0
      if (byte === lessThan) break
      kinds |= kindOf[byte] ?? 0
    }
    if (place > at) {
      if (names.length > 0) handler.text(characters.text(at, place, kinds))
      else if (characters.text(at, place, kinds).trim() !== "")
        throw broken("there is text outside of the root element")
      at = place
      if (at >= size) break
    }

    const next = bytes[at + 1] ?? 0
    if (next === slash) {
      const name = names.at(-1)
      const element = elements.at(-1)
      place = at + 2
      if (name !== undefined && startsWith(bytes, name, place) && bytes[place + name.length] === greaterThan) {
        place += name.length
      } else {
        place = bytes.indexOf(greaterThan, place)
        if (place === -1) throw cut()
        let end = place
        while (isWhitespace(bytes[end - 1] ?? 0)) end--
        if (name === undefined || end - at - 2 !== name.length || !startsWith(bytes, name, at + 2)) {
          throw broken(`unexpected close tag: ${characters.text(at + 2, Math.min(end, at + 42), otherThanText)}`)
        }
      }
      at = place + 1
      names.pop()
      elements.pop()
      if (element !== undefined) {
        handler.close(element, names.length)
        if (element.repeats) keep(element)
      }
      continue
    }
    if (next === exclamation) {
      if (characters.startsWith("<!--", at)) at = characters.behind("-->", at + 4)
      else if (characters.startsWith("<![CDATA[", at)) {
        const start = at + 9
        at = characters.behind("]]>", start)
        if (at === -1) throw cut()
        if (names.length === 0) throw broken("there is text outside of the root element")
        handler.text(characters.verbatim(start, at - 3))
      } else if (/^<!doctype$/i.test(characters.text(at, Math.min(at + 9, size), 0)))
        at = doctypeEnd(bytes, characters, at + 9)
      else throw broken("a tag begins with <!")
      if (at === -1) throw cut()
      continue
    }
    if (next === question) {
      at = characters.behind("?>", at + 2)
      if (at === -1) throw cut()
      continue
    }

    // --- An opening tag ---
    const start = at + 1
    let hash = 0
    kinds = 0
    for (place = start; place < size; place++) {
      byte = bytes[place] ?? 0
      const kind = kindOf[byte] ?? 0
      if ((kind & inName) === 0) break
      kinds |= kind
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    const { of, slots } = handler.names()
    let slot = slots[hash & (slotCount - 1)]
    if (
      slot === undefined ||
      slot.hash !== hash ||
      slot.bytes.length !== place - start ||
      !startsWith(bytes, slot.bytes, start)
    ) {
      if (place >= size) throw cut()
      slot = {
        element: of(characters.text(start, place, kinds)),
        hash,
        bytes: bytes.slice(start, place),
        repeated: new Map()
      }
      slots[hash & (slotCount - 1)] = slot
    }
    let repeatedEnd = 0
    let key = 0
    if (slot.element.repeats && names.length > 0) {
      // Where it ends if none of its name is in it, and a number that tells elements apart.
      const most = Math.min(size, at + mostRepeatedBytes)
      const tail = slot.bytes.length
      for (let end = at; end < most; end++) {
        const last = bytes[end] ?? 0
        key = (Math.imul(key, 31) + last) | 0
        if (last !== greaterThan) continue
        const isEmptyTag = bytes[end - 1] === slash && end === place + 1
        const isClosing = bytes[end - tail - 1] === slash && bytes[end - tail - 2] === lessThan
        if (!isEmptyTag && !(isClosing && startsWith(bytes, slot.bytes, end - tail))) continue
        repeatedEnd = end + 1
        break
      }
      const met = repeatedEnd === 0 ? undefined : slot.repeated.get(key)
      if (met !== undefined && met.end - met.start === repeatedEnd - at && isSame(bytes, met.start, at, repeatedEnd)) {
        const reached = names.length + met.height
        deepest = Math.max(deepest, reached)
        handler.again(met.kept, reached)
        at = repeatedEnd
        continue
      }
    }
    tag.count = 0
    let declares = false
    while (byte !== greaterThan) {
      while (isWhitespace(byte)) byte = bytes[++place] ?? 0
      if (place >= size) throw cut()
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
      while (isWhitespace(byte)) byte = bytes[++place] ?? 0
      if (place >= size) throw cut()
      if (byte !== equals || nameEnd === nameStart) {
        throw broken(`the tag ${slot.element.written} has an attribute without a value`)
      }
      byte = bytes[++place] ?? 0
      while (isWhitespace(byte)) byte = bytes[++place] ?? 0
      if (place >= size) throw cut()
      if (byte !== doubleQuote && byte !== singleQuote) {
        throw broken(`the tag ${slot.element.written} has an attribute without quotes`)
      }
      const quote = byte
      const valueStart = ++place
      kinds = 0
      for (; place < size; place++) {
        byte = bytes[place] ?? 0
        if (byte === quote) break
        kinds |= kindOf[byte] ?? 0
      }
      if (place >= size) throw cut()
      if (tag.count >= mostAttributes) {
        throw limitExceeded("attributes", `The part ${part} has a tag with more than ${mostAttributes} attributes`)
      }
      tag.add(nameStart, nameEnd, valueStart, place, nameKinds, kinds)
      if (bytes[nameStart] === letterX && nameEnd - nameStart >= 5 && characters.startsWith("xmlns", nameStart)) {
        declares = true
      }
      byte = bytes[++place] ?? 0
    }
    const isEmpty = byte === slash
    if (isEmpty) {
      place++
      if (place >= size) throw cut()
      if (bytes[place] !== greaterThan) throw broken(`the tag ${slot.element.written} does not end behind its slash`)
    }
    const depth = names.length
    if (repeatedEnd > 0 && !declares) {
      repeating.push({ slot, key, start: at, end: repeatedEnd, depth, deepest })
      deepest = depth
    } else if (depth > deepest) deepest = depth
    if (depth === 0) {
      if (hasRoot) throw broken("there is more than one root element")
      hasRoot = true
    }
    const element = declares ? handler.declare(tag, slot.element.written, depth) : slot.element
    if (handler.open(element, tag, depth)) return
    at = place + 1
    if (isEmpty) {
      handler.close(element, depth)
      if (element.repeats) keep(element)
    } else {
      elements.push(element)
      names.push(slot.bytes)
    }
  }
  if (elements.length > 0) throw broken(`unclosed tag: ${elements.at(-1)?.written}`)
  if (!hasRoot) throw broken("it has no root element")
}

/** No document needs so many. */
const mostAttributes = 10_000

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
const letterX = 120

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
const doctypeEnd = (bytes: Uint8Array, { behind, startsWith }: Characters, from: number): number => {
  let depth = 0
  for (let place = from; place < bytes.length; place++) {
    const byte = bytes[place] ?? 0
    if (byte === doubleQuote || byte === singleQuote) {
      place = bytes.indexOf(byte, place + 1)
      if (place === -1) return -1
    } else if (byte === lessThan) {
      const end = startsWith("<!--", place)
        ? behind("-->", place + 4)
        : startsWith("<?", place)
          ? behind("?>", place + 2)
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
