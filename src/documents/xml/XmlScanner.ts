import { SaxesParser } from "saxes"
import { damaged, limitExceeded } from "../DocumentError.ts"
import type { Limits } from "../Limits.ts"
import { isPrefix, prefixOf } from "./Namespaces.ts"
import { xmlText } from "./XmlText.ts"

/** Attribute values by name, prefixes as in `Namespaces`; made without a prototype. */
export type Attributes = Readonly<Record<string, string | undefined>>

/** Receives a part's elements in order. Names carry the prefixes of `Namespaces`, whatever prefixes the part uses. */
export interface XmlHandler {
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
  const parser = new SaxesParser({ xmlns: false, position: false })
  const names: Array<string> = []
  const outermost: Scope = { prefixes: new Map(), canonical: true, names: new Map() }
  const scopes: Array<Scope> = [outermost]
  let scope = outermost
  let declares = false
  let skippedFrom = 0
  let repaired = false
  let mistakes = 0
  let stopped = false
  const choiceTaken: Array<boolean> = []

  parser.on("error", (error) => {
    if (stopped) return
    if (!tolerated.test(error.message)) throw damaged(`The part ${part} is broken: ${error.message}`)
    repaired = true
    mistakes++
    if (mistakes > maxMistakes) {
      throw limitExceeded(
        "mistakes",
        `The part ${part} has more than ${maxMistakes} undefined entities or forbidden characters, as in an attack`
      )
    }
  })
  parser.on("attribute", (attribute) => {
    if (attribute.name.startsWith("xmlns")) declares = true
  })
  parser.on("opentag", (tag) => {
    if (stopped) return
    if (names.length >= limits.xmlDepth) {
      throw limitExceeded("xmlDepth", `The part ${part} has elements nested more than ${limits.xmlDepth} deep`)
    }
    if (declares) {
      scope = nestedScope(scope, tag.attributes, part)
      declares = false
    }
    scopes.push(scope)
    const name = resolve(scope, tag.name)
    names.push(name)
    if (skippedFrom > 0) return
    if (name.startsWith("mc:")) {
      if (name === "mc:AlternateContent") choiceTaken.push(false)
      if (choiceTaken.length > 0 && (name === "mc:Choice" || name === "mc:Fallback")) {
        const fits = name === "mc:Fallback" || understands(scope, tag.attributes.Requires)
        if (choiceTaken.at(-1) === true || !fits) skippedFrom = names.length
        else choiceTaken[choiceTaken.length - 1] = true
      }
      return
    }
    const attributes = scope.canonical ? tag.attributes : renamed(scope, tag.attributes)
    if (handler.open(name, attributes) === "stop") stopped = true
  })
  parser.on("closetag", () => {
    if (stopped) return
    const name = names.pop() ?? ""
    scopes.pop()
    scope = scopes.at(-1) ?? outermost
    if (skippedFrom > 0) {
      if (names.length < skippedFrom) skippedFrom = 0
      return
    }
    if (!name.startsWith("mc:")) handler.close(name)
    else if (name === "mc:AlternateContent") choiceTaken.pop()
  })
  const onText = (text: string) => {
    if (stopped || skippedFrom > 0 || names.length === 0) return
    handler.text(repaired ? withoutForbidden(text) : text)
    repaired = false
  }
  parser.on("text", onText)
  parser.on("cdata", onText)

  let first = true
  for (const chunk of xmlText(bytes, part)) {
    parser.write(first ? chunk.trimStart() : chunk)
    if (stopped) return
    first = false
  }
  parser.close()
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

// --- Mistakes that other programs make and read over ---

const tolerated = /undefined entity|disallowed character\.|malformed character entity/
const maxMistakes = 10_000

// oxlint-disable-next-line no-control-regex -- these are what XML forbids
const forbidden = /&#(?:x[0-9a-f]+|[0-9]+);|[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gi

const withoutForbidden = (text: string): string => text.replace(forbidden, "")

// --- Namespaces ---

interface Scope {
  /** The canonical prefix of each prefix of the part; null for a namespace nobody looks at. */
  readonly prefixes: ReadonlyMap<string, string | null>
  /** Whether every prefixed name means what it says, so that attributes need no renaming. */
  readonly canonical: boolean
  readonly names: Map<string, string>
}

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
  const prefixes = new Map([...outer.prefixes, ...changes])
  const canonical = [...prefixes].every(
    ([prefix, known]) => prefix === "" || known === prefix || (known === null && !isPrefix(prefix))
  )
  return { prefixes, canonical, names: new Map() }
}

/** Whether the readers know all the namespaces of a list of prefixes. */
const understands = (scope: Scope, prefixes: string | undefined): boolean =>
  (prefixes ?? "").split(/\s+/).every((prefix) => {
    if (prefix === "") return true
    const known = scope.prefixes.get(prefix)
    return known === undefined ? isPrefix(prefix) : known !== null
  })

/** A prefix that was never declared is taken at its word; a foreign namespace gets the prefix `?`. */
const resolve = (scope: Scope, name: string): string => {
  const cached = scope.names.get(name)
  if (cached !== undefined) return cached
  const colon = name.indexOf(":")
  const known = scope.prefixes.get(colon === -1 ? "" : name.slice(0, colon))
  const resolved = known === undefined ? name : `${known ?? "?"}:${name.slice(colon + 1)}`
  scope.names.set(name, resolved)
  return resolved
}

const renamed = (scope: Scope, attributes: Attributes): Attributes => {
  const result: Record<string, string | undefined> = Object.create(null)
  for (const name of Object.keys(attributes)) {
    result[name.includes(":") && !name.startsWith("xmlns") ? resolve(scope, name) : name] = attributes[name]
  }
  return result
}
