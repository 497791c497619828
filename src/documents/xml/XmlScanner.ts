import { damaged, limitExceeded } from "../DocumentError.ts"
import type { Limits } from "../Limits.ts"
import { isPrefix, prefixOf } from "./Namespaces.ts"
import { internalized } from "./XmlCharacters.ts"
import { type Attributes, noAttributes, type Tag } from "./XmlTag.ts"
import { utf8Bytes } from "./XmlText.ts"
import { type ElementName, makeSlots, type Names, readTokens } from "./XmlTokens.ts"

/** Receives a part's elements in order. Names carry the prefixes of `Namespaces`, whatever prefixes the part uses. */
export interface XmlHandler<Kept = never> {
  /** Whether elements of this name come with their attributes: all, if absent. */
  readonly reads?: (name: string) => boolean
  /**
   * Returning `stop` ends the scan: nothing more is reported, and the rest is not checked. The tag gives attributes
   * without prefixes one by one, for elements that are so many that a record for each would cost too much.
   */
  readonly open: (name: string, attributes: Attributes, tag: Tag) => "stop" | void
  readonly text: (text: string) => void
  readonly close: (name: string) => void
  readonly repeated?: RepeatedElements<Kept>
}

/**
 * Elements that stand in a part again and again with the same in them, down to the byte, such as the properties of runs: what was made of
 * one is kept, and given out in place of all that would be reported of the next.
 */
export interface RepeatedElements<Kept> {
  readonly names: ReadonlySet<string>
  /** What is to be kept of the element that has just closed; undefined if that depends on more than what is in it. */
  readonly kept: (name: string) => Kept | undefined
  readonly again: (kept: Kept) => void
}

/**
 * Scans an XML part in one pass. Of `mc:AlternateContent` only the first `mc:Choice` whose required namespaces are all
 * understood is reported (`mc:Fallback` if there is none), as if it stood there alone. A DTD is skipped and nothing it defines is expanded: `&name;` stays as it is.
 * Throws `DocumentError` if the part is not well-formed or too deep.
 */
export const scanXml = <Kept = never>(
  bytes: Uint8Array,
  part: string,
  limits: Limits,
  handler: XmlHandler<Kept>
): void => {
  const reads = handler.reads ?? (() => true)
  const repeats = (name: string): boolean => handler.repeated?.names.has(name) === true
  let scope = makeScope(new Map(), { reads, repeats }, part)
  /** Where the scopes around the present one end. */
  const outer: Array<{ readonly depth: number; readonly scope: Scope }> = []
  let scopeDepth = -1
  /** The depth of the alternative that is passed over. */
  let skippedDepth = Infinity
  const choiceTaken: Array<boolean> = []

  const openAlternative = (name: string, tag: Tag, depth: number): void => {
    if (name === "mc:AlternateContent") choiceTaken.push(false)
    if (choiceTaken.length === 0 || (name !== "mc:Choice" && name !== "mc:Fallback")) return
    const fits = name === "mc:Fallback" || understands(scope, tag.value("Requires"))
    if (choiceTaken.at(-1) === true || !fits) skippedDepth = depth
    else choiceTaken[choiceTaken.length - 1] = true
  }

  const checkDepth = (depth: number): void => {
    if (depth >= limits.xmlDepth) {
      throw limitExceeded("xmlDepth", `The part ${part} has elements nested more than ${limits.xmlDepth} deep`)
    }
  }

  readTokens<Element>(utf8Bytes(bytes, part), part, {
    names: () => scope,
    declare: (tag, written, depth) => {
      const inner = nestedScope(scope, tag.attributes(), part)
      if (inner !== scope) {
        outer.push({ depth: scopeDepth, scope })
        scope = inner
        scopeDepth = depth
      }
      return scope.of(written)
    },
    open: (element, tag, depth) => {
      checkDepth(depth)
      if (depth > skippedDepth) return false
      if (element.isAlternative) {
        openAlternative(element.name, tag, depth)
        return false
      }
      const attributes = element.reads ? tag.attributes() : noAttributes
      const named = scope.canonical || attributes === noAttributes ? attributes : renamed(scope, attributes)
      return handler.open(element.name, named, tag) === "stop"
    },
    text: (text) => {
      if (skippedDepth === Infinity) handler.text(text)
    },
    close: (element, depth) => {
      if (depth === scopeDepth) {
        const last = outer.pop()
        if (last !== undefined) ({ depth: scopeDepth, scope } = last)
      }
      if (depth >= skippedDepth) {
        if (depth === skippedDepth) skippedDepth = Infinity
        return
      }
      if (!element.isAlternative) handler.close(element.name)
      else if (element.name === "mc:AlternateContent") choiceTaken.pop()
    },
    kept: ({ name }) => (skippedDepth === Infinity ? handler.repeated?.kept(name) : undefined),
    again: (kept, deepest) => {
      checkDepth(deepest)
      if (skippedDepth === Infinity) handler.repeated?.again(kept as Kept)
    }
  })
}

/** The name of the outermost element, or undefined if there is none that can be read. */
export const rootElement = (bytes: Uint8Array, part: string, limits: Limits): string | undefined => {
  let root: string | undefined
  scanXml(bytes, part, limits, {
    open: (name) => {
      root = name
      return "stop"
    },
    text: () => {},
    close: () => {}
  })
  return root
}

// --- Namespaces ---

interface Element extends ElementName {
  readonly reads: boolean
  /** With the prefix of `Namespaces`. */
  readonly name: string
  /** Of markup compatibility, which is not reported. */
  readonly isAlternative: boolean
}

/** What a handler wants to know of the elements of a name. */
interface Wishes {
  readonly reads: (name: string) => boolean
  readonly repeats: (name: string) => boolean
}

interface Scope extends Names<Element> {
  readonly wishes: Wishes
  /** Names of attributes that were met, as they are reported. */
  readonly attributes: Map<string, string>
  /** The canonical prefix of each prefix of the part; null for a namespace that the readers do not know. */
  readonly prefixes: ReadonlyMap<string, string | null>
  /** Whether every prefixed name means what it says, so that attributes need no renaming. */
  readonly canonical: boolean
}

const makeScope = (prefixes: ReadonlyMap<string, string | null>, wishes: Wishes, part: string): Scope => {
  const names = new Map<string, Element>()
  return {
    wishes,
    prefixes,
    canonical: [...prefixes].every(
      ([prefix, known]) => prefix === "" || known === prefix || (known === null && !isPrefix(prefix))
    ),
    slots: makeSlots(),
    attributes: new Map(),
    of: (written) => {
      const met = names.get(written)
      if (met !== undefined) return met
      if (!/^[A-Za-z_:\u0080-\uffff][^<>"'&=!?/]*$/.test(written)) {
        throw damaged(`The part ${part} is broken: ${written.slice(0, 40)} is no name of an element`)
      }
      const name = internalized(resolve(prefixes, written))
      const isAlternative = name.startsWith("mc:")
      const element = {
        written,
        name,
        isAlternative,
        reads: !isAlternative && wishes.reads(name),
        repeats: !isAlternative && wishes.repeats(name)
      }
      if (names.size < mostNames) names.set(written, element)
      return element
    }
  }
}

const mostNames = 10_000

/** No document needs so many; each declaration copies them all. */
const maxPrefixes = 256

const nestedScope = (outer: Scope, attributes: Attributes, part: string): Scope => {
  const changes = new Map<string, string | null>()
  for (const [name, uri = ""] of Object.entries(attributes)) {
    const prefix = name === "xmlns" ? "" : name.startsWith("xmlns:") ? name.slice(6) : undefined
    if (prefix === undefined) continue
    const known = prefixOf(uri) ?? null
    if (outer.prefixes.get(prefix) !== known) changes.set(prefix, known)
  }
  // Repeated declarations are common and change nothing.
  if (changes.size === 0) return outer
  if (outer.prefixes.size + changes.size > maxPrefixes) {
    throw limitExceeded("prefixes", `The part ${part} declares more than ${maxPrefixes} namespace prefixes`)
  }
  return makeScope(new Map([...outer.prefixes, ...changes]), outer.wishes, part)
}

/** Whether the readers know all the namespaces of a list of prefixes. */
const understands = (scope: Scope, prefixes: string | undefined): boolean =>
  (prefixes ?? "").split(/\s+/).every((prefix) => {
    if (prefix === "") return true
    const known = scope.prefixes.get(prefix)
    return known === undefined ? isPrefix(prefix) : known !== null
  })

/** A prefix that was never declared is taken at its word; a foreign namespace gets the prefix `?`. */
const resolve = (prefixes: Scope["prefixes"], name: string): string => {
  const colon = name.indexOf(":")
  const known = prefixes.get(colon === -1 ? "" : name.slice(0, colon))
  return known === undefined ? name : `${known ?? "?"}:${name.slice(colon + 1)}`
}

const renamed = (scope: Scope, attributes: Attributes): Attributes => {
  const result: Record<string, string | undefined> = Object.create(null)
  for (const name of Object.keys(attributes)) result[attributeName(scope, name)] = attributes[name]
  return result
}

const attributeName = (scope: Scope, name: string): string => {
  const met = scope.attributes.get(name)
  if (met !== undefined) return met
  const reported = name.includes(":") && !name.startsWith("xmlns") ? resolve(scope.prefixes, name) : name
  if (scope.attributes.size < mostNames) scope.attributes.set(name, reported)
  return reported
}
