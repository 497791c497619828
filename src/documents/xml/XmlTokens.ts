import { damaged, type DocumentError, limitExceeded } from "../DocumentError.ts"

/** Attribute values by name; made without a prototype that has anything in it. */
export type Attributes = Readonly<Record<string, string | undefined>>

/** What is known of the elements of one name. */
export interface ElementName {
  /** As it is written. */
  readonly written: string
  /** Whether anybody looks at the attributes; they are not read otherwise, unless they declare a namespace. */
  readonly reads: boolean
}

/** The names of elements in one scope of namespaces. */
export interface Names<E extends ElementName> {
  /** Throws `DocumentError` for what is no name. */
  readonly of: (written: string) => E
  /** Names that were met, each where its first characters say; made by the scope, filled here. */
  readonly slots: Array<E | undefined>
}

export const makeSlots = <E extends ElementName>(): Array<E | undefined> =>
  Array.from({ length: slotCount }, () => undefined)

const slotCount = 256

/** Receives the tokens of a part in order. */
export interface TokenHandler<E extends ElementName> {
  /** Of the present scope: changed by `declare` and `close`. */
  readonly names: () => Names<E>
  /** Hears of declarations of namespaces before the element that makes them opens, whose name it returns. */
  readonly declare: (attributes: Attributes, written: string) => E
  /** True ends the reading. */
  readonly open: (element: E, attributes: Attributes) => boolean
  readonly text: (text: string) => void
  readonly close: () => void
}

/**
 * Reads the tags and texts of an XML part, given in pieces. Comments, instructions and a DTD are skipped; nothing that a DTD
 * defines is expanded: `&name;` stays as it is, and characters that XML forbids are dropped, as other programs do. Throws
 * `DocumentError` for what is not well-formed: a tag that is cut, in the wrong place or not closed, attributes without
 * quotes or twice, text outside of the root.
 *
 * Written for the speed of the common case: what stands between tags is found by searching, and nothing is copied that
 * needs no change.
 */
export const readTokens = <E extends ElementName>(
  pieces: Iterable<string>,
  part: string,
  handler: TokenHandler<E>
): void => {
  /** Names of the elements that are open. */
  const open: Array<string> = []
  let hasRoot = false
  let mistakes = 0
  let buffer = ""
  let at = 0
  let hasBreaks = false
  let isStopped = false

  const broken = (reason: string): DocumentError => damaged(`The part ${part} is broken: ${reason}`)

  const countMistakes = (count: number): void => {
    mistakes += count
    if (mistakes > maxMistakes) {
      throw limitExceeded(
        "mistakes",
        `The part ${part} has more than ${maxMistakes} undefined entities or forbidden characters, as in an attack`
      )
    }
  }

  const decoded = (text: string): string =>
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

  const emitText = (text: string): void => {
    if (open.length === 0) {
      if (text.trim() !== "") throw broken("there is text outside of the root element")
      return
    }
    const allowed = forbidden.test(text) ? withoutForbidden(text) : text
    handler.text(allowed.includes("&") ? decoded(allowed) : allowed)
  }

  const withoutForbidden = (text: string): string => {
    const allowed = text.replace(allForbidden, "")
    countMistakes(text.length - allowed.length)
    return allowed
  }

  const attributeValue = (value: string): string => {
    const line = hasBreaks && /[\t\n]/.test(value) ? value.replace(/[\t\n]/g, " ") : value
    return line.includes("&") ? decoded(line) : line
  }

  /** The element that begins at `at`; undefined if its name may go on behind the buffer. */
  const readName = (): E | undefined => {
    const { of, slots } = handler.names()
    const start = at + 1
    const slot =
      (buffer.charCodeAt(start) +
        7 * buffer.charCodeAt(start + 2) +
        31 * buffer.charCodeAt(start + 3) +
        61 * buffer.charCodeAt(start + 4)) &
      (slotCount - 1)
    const met = slots[slot]
    if (met !== undefined && buffer.startsWith(met.written, start)) {
      const next = buffer.charCodeAt(start + met.written.length)
      if (next === 62 || next === 32 || next === 47) return met
    }
    const end = nameEnd(buffer, start)
    if (end >= buffer.length) return undefined
    const element = of(buffer.slice(start, end))
    slots[slot] = element
    return element
  }

  /** Where the tag ends whose attributes nobody looks at; -1 if it does not end in the buffer, 0 if they must be read. */
  const unreadEnd = (from: number): number => {
    let end = buffer.indexOf(">", from)
    if (end === -1) return -1
    let rest = buffer.slice(from, end)
    if (rest.includes("xmlns")) return 0
    // A closing bracket in quotes ends nothing.
    for (let quote = /["']/.exec(rest); quote !== null; quote = /["']/.exec(rest)) {
      const closing = rest.indexOf(quote[0], quote.index + 1)
      if (closing === -1) return 0
      rest = rest.slice(closing + 1)
    }
    return end
  }

  /** Reads the tag at `at`; false if its end is not in the buffer yet. */
  const readOpening = (): boolean => {
    let element = readName()
    if (element === undefined) return false
    const name = element.written
    const length = buffer.length
    let place = at + 1 + name.length
    let attributes: Record<string, string | undefined> = none
    let declares = false
    let code = buffer.charCodeAt(place)
    if (code !== 62 && !element.reads) {
      const end = unreadEnd(place)
      if (end === -1) return false
      if (end > 0) {
        place = buffer.charCodeAt(end - 1) === 47 ? end - 1 : end
        code = buffer.charCodeAt(place)
      }
    }
    while (code !== 62) {
      while (code === 32 || code === 10 || code === 9) code = buffer.charCodeAt(++place)
      if (place >= length) return false
      if (code === 62 || code === 47) break
      const end = nameEnd(buffer, place)
      const key = buffer.slice(place, end)
      place = end
      code = buffer.charCodeAt(place)
      while (code === 32 || code === 10 || code === 9) code = buffer.charCodeAt(++place)
      if (place >= length) return false
      if (code !== 61 || key === "") throw broken(`the tag ${name} has an attribute without a value`)
      code = buffer.charCodeAt(++place)
      while (code === 32 || code === 10 || code === 9) code = buffer.charCodeAt(++place)
      if (place >= length) return false
      if (code !== 34 && code !== 39) throw broken(`the tag ${name} has an attribute without quotes`)
      const closing = buffer.indexOf(code === 34 ? '"' : "'", place + 1)
      if (closing === -1) return false
      if (attributes === none) attributes = new NoPrototype()
      else if (key in attributes) throw broken(`the tag ${name} has the attribute ${key} twice`)
      attributes[key] = attributeValue(buffer.slice(place + 1, closing))
      if (key.startsWith("xmlns")) declares = true
      place = closing + 1
      code = buffer.charCodeAt(place)
    }
    const isEmpty = code === 47
    if (isEmpty) {
      place++
      if (place >= length) return false
      if (buffer.charCodeAt(place) !== 62) throw broken(`the tag ${name} does not end behind its slash`)
    }
    if (open.length === 0) {
      if (hasRoot) throw broken("there is more than one root element")
      hasRoot = true
    }
    at = place + 1
    if (declares) element = handler.declare(attributes, name)
    if (handler.open(element, attributes)) isStopped = true
    else if (isEmpty) handler.close()
    else open.push(name)
    return true
  }

  const readClosing = (): boolean => {
    const name = open.at(-1)
    let end = at + 2
    if (name !== undefined && buffer.startsWith(name, end) && buffer.charCodeAt(end + name.length) === 62) {
      end += name.length
    } else {
      end = buffer.indexOf(">", at)
      if (end === -1) return false
      const found = buffer.slice(at + 2, end).trimEnd()
      if (name === undefined || found !== name) throw broken(`unexpected close tag: ${found.slice(0, 40)}`)
    }
    open.pop()
    at = end + 1
    handler.close()
    return true
  }

  /** Skips to behind a mark; false if it is not in the buffer yet. */
  const skipBehind = (mark: string, from: number): boolean => {
    const end = buffer.indexOf(mark, from)
    if (end === -1) return false
    at = end + mark.length
    return true
  }

  const readDeclaration = (isLast: boolean): boolean => {
    if (buffer.startsWith("<!--", at)) return skipBehind("-->", at + 4)
    if (buffer.startsWith("<![CDATA[", at)) {
      const start = at + 9
      if (!skipBehind("]]>", start)) return false
      if (open.length === 0) throw broken("there is text outside of the root element")
      handler.text(buffer.slice(start, at - 3))
      return true
    }
    if (!isLast && buffer.length - at < 9) return false
    if (!/^<!DOCTYPE/i.test(buffer.slice(at, at + 9))) throw broken("a tag begins with <!")
    const end = doctypeEnd(buffer, at + 9)
    if (end === -1) return false
    at = end
    return true
  }

  /** Reads what is whole in the buffer; false if something has only begun. */
  const readBuffer = (isLast: boolean): boolean => {
    for (;;) {
      const tag = buffer.indexOf("<", at)
      if (tag === -1) {
        const rest = isLast ? buffer.length : safeEnd(buffer, at)
        if (rest > at) emitText(buffer.slice(at, rest))
        at = rest
        return at === buffer.length
      }
      if (tag > at) {
        emitText(buffer.slice(at, tag))
        at = tag
      }
      const code = buffer.charCodeAt(at + 1)
      const isRead =
        code === 47
          ? readClosing()
          : code === 33
            ? readDeclaration(isLast)
            : code === 63
              ? skipBehind("?>", at + 2)
              : readOpening()
      if (isStopped) return true
      if (!isRead) return false
    }
  }

  let waiting = 0
  let isFirst = true
  for (const piece of withoutReturns(pieces)) {
    buffer = at < buffer.length ? buffer.slice(at) + piece : piece
    at = 0
    if (isFirst) buffer = buffer.trimStart()
    isFirst = false
    // What does not end is looked at again only when there is twice as much of it.
    if (buffer.length < waiting) continue
    // The break behind the declaration at the beginning is in most parts the only one.
    hasBreaks = buffer.includes("\n", 100) || buffer.includes("\t")
    waiting = readBuffer(false) ? 0 : 2 * (buffer.length - at)
    if (isStopped) return
  }
  if (at < buffer.length && (!readBuffer(true) || at < buffer.length)) throw broken("it ends within a tag")
  if (isStopped) return
  if (open.length > 0) throw broken(`unclosed tag: ${open.at(-1)}`)
  if (!hasRoot) throw broken("it has no root element")
}

const maxMistakes = 10_000

interface NoPrototype {
  [name: string]: string | undefined
}

/** Makes objects with nothing inherited, faster than `Object.create(null)` does. */
const NoPrototype = function () {} as unknown as new () => NoPrototype
NoPrototype.prototype = Object.create(null)

/** Shared by the elements without attributes. */
const none: NoPrototype = Object.freeze(new NoPrototype())

/** Where a name ends: at a blank, an equals sign or the end of the tag. */
const nameEnd = (text: string, from: number): number => {
  let place = from
  for (;;) {
    const code = text.charCodeAt(place)
    // NaN at the end of the text
    if (!(code > 62 || (code > 32 && code !== 61 && code !== 47 && code !== 62))) return place
    place++
  }
}

/** Behind a DTD, its internal subset included; -1 if it does not end. */
const doctypeEnd = (text: string, from: number): number => {
  let depth = 0
  for (let place = from; place < text.length; place++) {
    switch (text.charAt(place)) {
      case '"':
      case "'": {
        place = text.indexOf(text.charAt(place), place + 1)
        if (place === -1) return -1
        break
      }
      case "<":
        if (text.startsWith("<!--", place)) {
          place = text.indexOf("-->", place + 4)
          if (place === -1) return -1
          place += 2
        } else if (text.startsWith("<?", place)) {
          place = text.indexOf("?>", place + 2)
          if (place === -1) return -1
          place++
        } else depth++
        break
      case "[":
        depth++
        break
      case "]":
        depth--
        break
      case ">":
        if (depth === 0) return place + 1
        depth--
    }
  }
  return -1
}

/** Where a text can be cut that may go on: not within an entity. */
const safeEnd = (text: string, from: number): number => {
  const entity = text.lastIndexOf("&")
  return entity >= from && entity > text.length - 40 && !text.includes(";", entity) ? entity : text.length
}

/** Lines end with a line feed, whatever they ended with. */
function* withoutReturns(pieces: Iterable<string>): Generator<string> {
  let held = ""
  for (const piece of pieces) {
    const text = held + piece
    held = text.endsWith("\r") ? "\r" : ""
    const whole = held === "" ? text : text.slice(0, -1)
    yield whole.includes("\r") ? whole.replace(/\r\n?/g, "\n") : whole
  }
  if (held !== "") yield "\n"
}

const entities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"]
])

// oxlint-disable-next-line no-control-regex -- these are what XML forbids
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/
// oxlint-disable-next-line no-control-regex -- these are what XML forbids
const allForbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

const isAllowed = (code: number): boolean =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff)
