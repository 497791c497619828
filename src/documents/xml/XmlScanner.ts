import { damaged, limitExceeded } from "../DocumentError.ts"
import type { Limits } from "../Limits.ts"
import { isPrefix, prefixOf } from "./Namespaces.ts"
import { xmlText } from "./XmlText.ts"
import { type Attributes, type ElementName, makeSlots, type Names, readTokens } from "./XmlTokens.ts"

/** Receives a part's elements in order. Names carry the prefixes of `Namespaces`, whatever prefixes the part uses. */
export interface XmlHandler {
  /** Whether the attributes of elements of this name are looked at: of all, if absent. Others need not be read. */
  readonly reads?: (name: string) => boolean
  /** Returning `stop` ends the scan: nothing more is reported, and the rest is not checked. */
  readonly open: (name: string, attributes: Attributes) => "stop" | void
  readonly text: (text: string) => void
  readonly close: (name: string) => void
}

/**
 * Scans an XML part in one pass. Of `mc:AlternateContent` only the first `mc:Choice` whose required namespaces are all
 * understood is reported (`mc:Fallback` if there is none), as if it stood there alone. A DTD is skipped and nothing it defines is expanded: `&name;` stays as it is.
 * Throws `DocumentError` if the part is not well-formed or too deep.
 */
export const scanXml = (bytes: Uint8Array, part: string, limits: Limits, handler: XmlHandler): void => {
  const reads = handler.reads ?? (() => true)
  const elements: Array<Element> = []
  let scope = makeScope(new Map(), reads, part)
  /** Where the scopes around the present one end. */
  const outer: Array<{ readonly depth: number; readonly scope: Scope }> = []
  let skippedFrom = 0
  const choiceTaken: Array<boolean> = []

  const openAlternative = (name: string, attributes: Attributes): void => {
    if (name === "mc:AlternateContent") choiceTaken.push(false)
    if (choiceTaken.length === 0 || (name !== "mc:Choice" && name !== "mc:Fallback")) return
    const fits = name === "mc:Fallback" || understands(scope, attributes.Requires)
    if (choiceTaken.at(-1) === true || !fits) skippedFrom = elements.length
    else choiceTaken[choiceTaken.length - 1] = true
  }

  readTokens<Element>(xmlText(bytes, part), part, {
    names: () => scope,
    declare: (attributes, written) => {
      const inner = nestedScope(scope, attributes, reads, part)
      if (inner !== scope) {
        outer.push({ depth: elements.length, scope })
        scope = inner
      }
      return scope.of(written)
    },
    open: (element, attributes) => {
      if (elements.length >= limits.xmlDepth) {
        throw limitExceeded("xmlDepth", `The part ${part} has elements nested more than ${limits.xmlDepth} deep`)
      }
      elements.push(element)
      if (skippedFrom > 0) return false
      if (element.isAlternative) {
        openAlternative(element.name, attributes)
        return false
      }
      return handler.open(element.name, scope.canonical ? attributes : renamed(scope, attributes)) === "stop"
    },
    text: (text) => {
      if (skippedFrom === 0) handler.text(text)
    },
    close: () => {
      const element = elements.pop()
      const last = outer.at(-1)
      if (last !== undefined && last.depth === elements.length) {
        scope = last.scope
        outer.pop()
      }
      if (skippedFrom > 0) {
        if (elements.length < skippedFrom) skippedFrom = 0
        return
      }
      if (element === undefined) return
      if (!element.isAlternative) handler.close(element.name)
      else if (element.name === "mc:AlternateContent") choiceTaken.pop()
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
  /** With the prefix of `Namespaces`. */
  readonly name: string
  /** Of markup compatibility, which is not reported. */
  readonly isAlternative: boolean
}

interface Scope extends Names<Element> {
  /** Names of attributes that were met, as they are reported. */
  readonly attributes: Map<string, string>
  /** The canonical prefix of each prefix of the part; null for a namespace nobody looks at. */
  readonly prefixes: ReadonlyMap<string, string | null>
  /** Whether every prefixed name means what it says, so that attributes need no renaming. */
  readonly canonical: boolean
}

const makeScope = (
  prefixes: ReadonlyMap<string, string | null>,
  reads: (name: string) => boolean,
  part: string
): Scope => {
  const names = new Map<string, Element>()
  return {
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
      const name = resolve(prefixes, written)
      const isAlternative = name.startsWith("mc:")
      const element = { written, name, isAlternative, reads: isAlternative || reads(name) }
      if (names.size < mostNames) names.set(written, element)
      return element
    }
  }
}

const mostNames = 10_000

/** No document needs so many; each declaration copies them all. */
const maxPrefixes = 256

const nestedScope = (outer: Scope, attributes: Attributes, reads: (name: string) => boolean, part: string): Scope => {
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
  return makeScope(new Map([...outer.prefixes, ...changes]), reads, part)
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
