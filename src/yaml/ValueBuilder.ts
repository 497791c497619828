import { Buffer } from "node:buffer"
import { excerpt, type Position } from "./Cursor.ts"
import type { Limits } from "./Limits.ts"
import { readScalar } from "./ScalarValue.ts"
import { type MappingNode, type ScalarNode, type SequenceNode, shortTag, type SyntaxNode, tagOf } from "./SyntaxTree.ts"
import { momentOf } from "./Timestamp.ts"
import type { YamlKey, YamlMap, YamlNode, YamlSet, YamlTuple } from "./YamlNode.ts"

type Entry = MappingNode["entries"][number]

/** A key that stands in its mapping before. */
export interface DuplicateKey {
  readonly key: YamlKey
  readonly first: Position
}

/** Duplicate keys reported for one text at most. */
const mostDuplicates = 50

/** What a value costs once every alias is written out. */
interface Cost {
  readonly nodes: number
  readonly depth: number
}

/**
 * Gives the nodes of a tree their values, as PyYAML's SafeConstructor does (lib/yaml/constructor.py). A value that
 * cannot be read is reported and stands as null, so that one pass finds every one of them.
 */
export class ValueBuilder {
  readonly #limits: Limits
  readonly #report: (message: string, position: Position) => void
  /** By node, so that what aliases share is read, reported and kept once. */
  readonly #values = new Map<SyntaxNode, YamlNode>()
  readonly #costs = new Map<YamlNode, Cost>()
  readonly #merged = new Map<MappingNode, ReadonlyArray<Entry>>()
  /** Entries that merges copied so far: they cost work even where they are overwritten. */
  #copied = 0
  #tooMuch = false

  /** Keys that a mapping itself writes again, in the order in which they were found. */
  readonly duplicates: Array<DuplicateKey> = []

  constructor(limits: Limits, report: (message: string, position: Position) => void) {
    this.#limits = limits
    this.#report = report
  }

  read(node: SyntaxNode): YamlNode {
    const known = this.#values.get(node)
    if (known !== undefined) return known
    const value = this.#construct(node)
    this.#values.set(node, value)
    this.#costs.set(value, this.#costOf(value))
    return value
  }

  #invalid(message: string, { position }: SyntaxNode): YamlNode {
    this.#report(message, position)
    return { kind: "null", ...position }
  }

  // --- Limits ---

  #costOf(value: YamlNode): Cost {
    let nodes = 1
    let depth = 0
    for (const child of childrenOf(value)) {
      const cost = this.#costs.get(child)
      nodes += cost?.nodes ?? 1
      depth = Math.max(depth, cost?.depth ?? 0)
    }
    if ((value.kind !== "tuple" && "items" in value) || value.kind === "map") depth++
    if (nodes > this.#limits.nodes) this.#refuse(`more than ${this.#limits.nodes} values`, value)
    else if (depth > this.#limits.depth)
      this.#refuse(`lists and mappings more than ${this.#limits.depth} levels deep`, value)
    return { nodes, depth }
  }

  /** Once is enough: everything that holds such a value is too large as well. */
  #refuse(what: string, position: Position): void {
    if (this.#tooMuch) return
    this.#tooMuch = true
    this.#report(`with its aliases written out, this holds ${what}, which is the limit`, position)
  }

  // --- Tags ---

  #construct(node: SyntaxNode): YamlNode {
    switch (node.tag) {
      case tagOf("seq"):
        return node.kind === "sequence" ? this.#readList(node) : this.#wrongKind(node, "a list")
      case tagOf("map"):
        return node.kind === "mapping" ? this.#readMap(node) : this.#wrongKind(node, "a mapping")
      case tagOf("set"):
        return node.kind === "mapping" ? this.#readSet(node) : this.#wrongKind(node, "a mapping")
      case tagOf("omap"):
      case tagOf("pairs"):
        return node.kind === "sequence" ? this.#readPairs(node) : this.#wrongKind(node, "a list")
    }
    return this.#readTaggedScalar(node)
  }

  #readTaggedScalar(node: SyntaxNode): YamlNode {
    const scalar = scalarOf(node)
    const name = node.tag.startsWith(tagOf("")) ? node.tag.slice(tagOf("").length) : ""
    const value = readScalar(name, scalar?.text ?? "")
    if (value === undefined) return this.#invalid(unknownTag(node), node)
    if (scalar === undefined) return this.#wrongKind(node, "a single value")
    if (value.kind === "invalid") {
      return this.#invalid(`"${excerpt(scalar.text)}" cannot be read as ${shortTag(node.tag)}: ${value.reason}`, node)
    }
    return { ...value, ...node.position }
  }

  #wrongKind(node: SyntaxNode, needed: string): YamlNode {
    return this.#invalid(`the tag ${shortTag(node.tag)} needs ${needed}, but this is ${kindOf(node)}`, node)
  }

  // --- Collections ---

  #readList(node: SequenceNode): YamlNode {
    return { kind: "list", items: node.items.map((item) => this.read(item)), ...node.position }
  }

  #readPairs(node: SequenceNode): YamlNode {
    const items: Array<YamlTuple> = []
    for (const item of node.items) {
      const [entry, more] = item.kind === "mapping" ? item.entries : []
      if (entry === undefined || more !== undefined) {
        this.#report(`each item of ${shortTag(node.tag)} is a mapping with one key`, item.position)
      } else items.push({ kind: "tuple", items: [this.read(entry[0]), this.read(entry[1])], ...item.position })
    }
    return { kind: "list", items, ...node.position }
  }

  #readMap(node: MappingNode): YamlMap {
    return { kind: "map", entries: this.#readEntries(node), ...node.position }
  }

  #readSet(node: MappingNode): YamlSet {
    return { kind: "set", items: this.#readEntries(node).map(([key]) => key), ...node.position }
  }

  /** The last of equal keys gives the value, the first gives the key and its place in the order. */
  #readEntries(node: MappingNode): ReadonlyArray<readonly [YamlKey, YamlNode]> {
    const found = new Map<string, readonly [YamlKey, YamlNode]>()
    const written = new Map<string, YamlKey>()
    const entries = this.#withMerges(node)
    const merged = entries.length - node.entries.filter(([key]) => key.tag !== tagOf("merge")).length
    for (const [index, [keyNode, valueNode]] of entries.entries()) {
      const key = this.#readKey(keyNode)
      const value = this.read(valueNode)
      if (key === undefined) continue
      const identity = identityOf(key)
      // To write over what was merged is what merging is for.
      if (index >= merged) {
        const first = written.get(identity)
        if (first === undefined) written.set(identity, key)
        else if (this.duplicates.length < mostDuplicates) this.duplicates.push({ key, first })
      }
      found.set(identity, [found.get(identity)?.[0] ?? key, value])
    }
    return [...found.values()]
  }

  #readKey(node: SyntaxNode): YamlKey | undefined {
    // "=" means something else than itself only where it is a value.
    if (node.tag === tagOf("value") && node.kind === "scalar")
      return { kind: "str", value: node.text, ...node.position }
    const key = this.read(node)
    if (key.kind !== "list" && key.kind !== "map" && key.kind !== "set" && key.kind !== "tuple") return key
    this.#report(`${kindOf(node)} cannot be a key; use a text`, node.position)
    return undefined
  }

  // --- Merges ---

  /** A mapping's entries, those of its `<<` first; of several merged mappings the earlier ones win. */
  #withMerges(node: MappingNode): ReadonlyArray<Entry> {
    const known = this.#merged.get(node)
    if (known !== undefined) return known
    const merged: Array<Entry> = []
    const own: Array<Entry> = []
    for (const entry of node.entries) {
      if (entry[0].tag === tagOf("merge"))
        merged.push(...this.#sourcesOf(entry[1]).flatMap((source) => this.#copy(source)))
      else own.push(entry)
    }
    const all = merged.length === 0 ? own : [...merged, ...own]
    this.#merged.set(node, all)
    return all
  }

  #sourcesOf(value: SyntaxNode): ReadonlyArray<MappingNode> {
    if (value.kind === "mapping") return [value]
    if (value.kind === "scalar") {
      this.#report('"<<" takes a mapping or a list of mappings', value.position)
      return []
    }
    const sources: Array<MappingNode> = []
    for (const item of value.items) {
      if (item.kind === "mapping") sources.unshift(item)
      else this.#report('"<<" takes a mapping or a list of mappings', item.position)
    }
    return sources
  }

  #copy(source: MappingNode): ReadonlyArray<Entry> {
    const entries = this.#withMerges(source)
    this.#copied += entries.length
    if (this.#copied <= this.#limits.nodes) return entries
    this.#refuse(`more than ${this.#limits.nodes} values`, source.position)
    return []
  }
}

const childrenOf = (value: YamlNode): ReadonlyArray<YamlNode> => {
  if (value.kind === "map") return value.entries.flat()
  return "items" in value ? value.items : []
}

/** A mapping with a key "=" can stand for the scalar under that key. */
const scalarOf = (node: SyntaxNode): ScalarNode | undefined => {
  if (node.kind === "scalar") return node
  if (node.kind === "sequence") return undefined
  const entry = node.entries.find(([key]) => key.tag === tagOf("value"))
  return entry === undefined ? undefined : scalarOf(entry[1])
}

const kindOf = (node: SyntaxNode): string =>
  node.kind === "scalar" ? "a single value" : node.kind === "sequence" ? "a list" : "a mapping"

const unknownTag = (node: SyntaxNode): string => {
  if (node.tag === tagOf("value")) return 'a lone "=" cannot be a value; put it in quotes'
  if (node.tag === tagOf("merge")) return '"<<" merges only as a key; put it in quotes to mean the text'
  return `the tag ${excerpt(shortTag(node.tag))} is not known; put a text that starts with "!" in quotes`
}

/** Equal for keys that are equal in Python: 1, 1.0 and true are one key, text and bytes never meet. */
const identityOf = (key: YamlKey): string => {
  switch (key.kind) {
    case "null":
      return "null"
    case "bool":
      return `number:${key.value ? 1 : 0}`
    case "int":
      return `number:${key.value}`
    case "float":
      return `number:${Number.isInteger(key.value) ? BigInt(key.value) : key.value}`
    case "binary":
      return `binary:${Buffer.from(key.value).toString("hex")}`
    case "datetime":
      return `datetime:${key.offset}:${momentOf(key.value)}`
    default:
      return `${key.kind}:${key.value}`
  }
}
