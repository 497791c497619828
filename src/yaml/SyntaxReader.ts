import { excerpt, type Position, SyntaxFailure } from "./Cursor.ts"
import { implicitTag } from "./ImplicitTag.ts"
import type { Limits } from "./Limits.ts"
import type { Scanner } from "./Scanner.ts"
import { type MappingNode, type ScalarNode, type SequenceNode, type SyntaxNode, tagOf } from "./SyntaxTree.ts"
import { describe, type TagName, type Token } from "./Token.ts"

type Report = (message: string, position: Position) => void
/** Called as soon as a node exists, so that what was read before a failure can still be checked. */
type Attach = (node: SyntaxNode) => unknown
/** Where a node may start: inside `[]` and `{}` no block collection can; a block value may be a list without indentation. */
type Place = "flow" | "block" | "block value"

const defaultHandles: ReadonlyArray<readonly [string, string]> = [
  ["!", "!"],
  ["!!", tagOf("")]
]

const directives = ["version directive", "tag directive", "other directive"] as const
const documentEnds = ["document start", "document end", ...directives] as const

/** For a key: it is attached together with its value. */
const later: Attach = () => undefined

const attached = (node: SyntaxNode, attach: Attach): SyntaxNode => {
  attach(node)
  return node
}

const after = (token: Token): Position => ({ line: token.position.line, column: token.position.column + 1 })

/**
 * Builds the tree of the one document in a text; the grammar is that of PyYAML's lib/yaml/parser.py.
 * What does not hinder the reading (an unknown alias) is reported; the rest fails.
 */
export class SyntaxReader {
  readonly #scanner: Scanner
  readonly #limits: Limits
  readonly #report: Report
  readonly #anchors = new Map<string, SyntaxNode>()
  /** Collections that are still being read, which an alias within them cannot stand for. */
  readonly #open = new Set<SyntaxNode>()
  #handles = new Map(defaultHandles)
  #root: SyntaxNode | undefined
  #nodes = 0
  #aliases = 0

  constructor(scanner: Scanner, limits: Limits, report: Report) {
    this.#scanner = scanner
    this.#limits = limits
    this.#report = report
  }

  /** The document, or what was read of it before a failure; undefined when the text holds none. */
  get root(): SyntaxNode | undefined {
    return this.#root
  }

  read(): void {
    if (this.#at("stream end")) return
    const attach: Attach = (node) => (this.#root = node)
    if (this.#at("document start", ...directives)) {
      this.#readDirectives()
      this.#readOptional("block", this.#take(), attach, [...documentEnds, "stream end"])
    } else this.#readNode("block", attach)
    while (this.#at("document end")) this.#take()
    if (this.#at("stream end")) return
    const { position } = this.#peek()
    this.#readDirectives()
    throw new SyntaxFailure("a second document starts here; keep one document in the text", position)
  }

  // --- Tokens ---

  #peek(): Token {
    return this.#scanner.peek()
  }

  #take(): Token {
    return this.#scanner.take()
  }

  #at(...types: ReadonlyArray<Token["type"]>): boolean {
    return types.includes(this.#peek().type)
  }

  #fail(message: string): never {
    throw new SyntaxFailure(message, this.#peek().position)
  }

  // --- Directives, tags, anchors ---

  /** Reads the "%" lines up to the "---" that must follow them. */
  #readDirectives(): void {
    const handles = new Map<string, string>()
    let versions = 0
    while (true) {
      const token = this.#peek()
      if (token.type === "version directive") {
        versions++
        if (versions > 1) this.#report("%YAML is written twice", token.position)
        if (token.major !== 1) this.#report("only YAML 1.x can be read; write %YAML 1.1", token.position)
      } else if (token.type === "tag directive") {
        if (handles.has(token.handle)) this.#report(`%TAG ${excerpt(token.handle)} is written twice`, token.position)
        handles.set(token.handle, token.prefix)
      } else if (token.type !== "other directive") break
      this.#take()
    }
    if (!this.#at("document start")) {
      const found = describe(this.#peek())
      this.#fail(
        this.#root === undefined
          ? `"---" must stand between the "%" directives and the document, found ${found}`
          : `the document is over, but ${found} follows; check quotes and indentation`
      )
    }
    this.#handles = new Map([...defaultHandles, ...handles])
  }

  #expandTag({ handle, suffix }: TagName, position: Position): string | undefined {
    if (handle === null) return suffix
    const prefix = this.#handles.get(handle)
    if (prefix !== undefined) return prefix + suffix
    this.#report(`the tag handle ${excerpt(handle)} is not declared by a %TAG line`, position)
    return undefined
  }

  #anchor(name: string | undefined, node: SyntaxNode): void {
    if (name === undefined) return
    const earlier = this.#anchors.get(name)
    if (earlier !== undefined) {
      this.#report(`the anchor &${excerpt(name)} is already used at line ${earlier.position.line}`, node.position)
    }
    this.#anchors.set(name, node)
  }

  #readAlias(name: string, position: Position): SyntaxNode {
    this.#aliases++
    if (this.#aliases > this.#limits.aliases) {
      throw new SyntaxFailure(`the text holds more than ${this.#limits.aliases} aliases, which is the limit`, position)
    }
    const node = this.#anchors.get(name)
    if (node !== undefined && !this.#open.has(node)) return node
    const short = excerpt(name)
    this.#report(
      node === undefined
        ? `the alias *${short} has no anchor &${short} before it; a text that starts with "*" needs quotes`
        : `the alias *${short} stands inside the value that &${short} names; a value cannot hold itself`,
      position
    )
    return this.#empty(position)
  }

  // --- Nodes ---

  #counted<A extends SyntaxNode>(node: A): A {
    this.#nodes++
    if (this.#nodes > this.#limits.nodes) {
      throw new SyntaxFailure(
        `the text holds more than ${this.#limits.nodes} values, which is the limit`,
        node.position
      )
    }
    return node
  }

  #empty(position: Position): ScalarNode {
    return this.#counted({ kind: "scalar", tag: implicitTag(""), text: "", position })
  }

  #readNode(place: Place, attach: Attach): SyntaxNode {
    const first = this.#peek()
    if (first.type === "alias") {
      this.#take()
      return attached(this.#readAlias(first.name, first.position), attach)
    }
    let anchor: string | undefined
    let tag: string | undefined
    let properties = 0
    for (let token = first; properties < 2; token = this.#peek()) {
      if (token.type === "anchor" && anchor === undefined) anchor = token.name
      else if (token.type === "tag" && tag === undefined) tag = this.#expandTag(token.tag, token.position)
      else break
      properties++
      this.#take()
    }
    const ownTag = tag === "!" ? undefined : tag
    const token = this.#peek()
    const position = first.position
    if (token.type === "scalar") {
      this.#take()
      const implicit = tag === "!" || (tag === undefined && token.plain)
      const scalarTag = implicit ? implicitTag(token.text) : (tag ?? tagOf("str"))
      const node = this.#counted({ kind: "scalar", tag: scalarTag, text: token.text, position } as const)
      this.#anchor(anchor, node)
      return attached(node, attach)
    }
    const startsList = token.type === "[" || (place !== "flow" && token.type === "block sequence start")
    if (startsList || (place === "block value" && token.type === "-")) {
      const node: SequenceNode = this.#counted({ kind: "sequence", tag: ownTag ?? tagOf("seq"), items: [], position })
      return this.#fill(node, anchor, attach, () => {
        if (token.type === "[") this.#readFlowSequence(node)
        else if (token.type === "-") this.#readIndentlessSequence(node)
        else this.#readBlockSequence(node)
      })
    }
    if (token.type === "{" || (place !== "flow" && token.type === "block mapping start")) {
      const node: MappingNode = this.#counted({ kind: "mapping", tag: ownTag ?? tagOf("map"), entries: [], position })
      return this.#fill(node, anchor, attach, () => {
        if (token.type === "{") this.#readFlowMapping(node)
        else this.#readBlockMapping(node)
      })
    }
    if (properties === 0) this.#fail(`a value is missing here, found ${describe(token)}`)
    const node: ScalarNode = this.#counted({ kind: "scalar", tag: ownTag ?? implicitTag(""), text: "", position })
    this.#anchor(anchor, node)
    return attached(node, attach)
  }

  #fill(node: SequenceNode | MappingNode, anchor: string | undefined, attach: Attach, read: () => void): SyntaxNode {
    if (this.#open.size >= this.#limits.depth) {
      const { depth } = this.#limits
      throw new SyntaxFailure(
        `lists and mappings lie more than ${depth} levels deep, which is the limit`,
        node.position
      )
    }
    attach(node)
    this.#anchor(anchor, node)
    this.#open.add(node)
    read()
    this.#open.delete(node)
    return node
  }

  /** The node behind `mark`, or an empty one when one of `ends` follows at once. */
  #readOptional(place: Place, mark: Token, attach: Attach, ends: ReadonlyArray<Token["type"]>): SyntaxNode {
    return this.#at(...ends) ? attached(this.#empty(after(mark)), attach) : this.#readNode(place, attach)
  }

  /** Reads a key, whose "?" is the next token, and its value into `node`. */
  #readEntry(
    node: MappingNode,
    place: Place,
    keyEnds: ReadonlyArray<Token["type"]>,
    ends: ReadonlyArray<Token["type"]>
  ): void {
    const key = this.#readOptional(place, this.#take(), later, keyEnds)
    const attach: Attach = (value) => node.entries.push([key, value])
    if (this.#at(":")) this.#readOptional(place, this.#take(), attach, ends)
    else attach(this.#empty(this.#peek().position))
  }

  // --- Block collections ---

  #readBlockSequence(node: SequenceNode): void {
    this.#take()
    while (this.#at("-")) {
      this.#readOptional("block", this.#take(), (item) => node.items.push(item), ["-", "block end"])
    }
    this.#endBlock(node, "list")
  }

  #readIndentlessSequence(node: SequenceNode): void {
    while (this.#at("-")) {
      this.#readOptional("block", this.#take(), (item) => node.items.push(item), ["-", "?", ":", "block end"])
    }
  }

  #readBlockMapping(node: MappingNode): void {
    const ends = ["?", ":", "block end"] as const
    this.#take()
    while (this.#at("?")) this.#readEntry(node, "block value", ends, ends)
    this.#endBlock(node, "mapping")
  }

  #endBlock(node: SyntaxNode, what: string): void {
    if (!this.#at("block end")) {
      const found = describe(this.#peek())
      this.#fail(
        `the ${what} that starts at line ${node.position.line} cannot go on with ${found}; check quotes and indentation`
      )
    }
    this.#take()
  }

  // --- Flow collections ---

  #readFlowSequence(node: SequenceNode): void {
    const ends = [",", "]"] as const
    this.#take()
    while (!this.#at("]")) {
      if (this.#at("?")) {
        const { position } = this.#peek()
        const pair: MappingNode = this.#counted({ kind: "mapping", tag: tagOf("map"), entries: [], position })
        this.#fill(
          pair,
          undefined,
          (item) => node.items.push(item),
          () => {
            this.#readEntry(pair, "flow", [":", ...ends], ends)
          }
        )
      } else this.#readNode("flow", (item) => node.items.push(item))
      this.#endFlowItem(node, "]")
    }
    this.#take()
  }

  #readFlowMapping(node: MappingNode): void {
    const ends = [",", "}"] as const
    this.#take()
    while (!this.#at("}")) {
      if (this.#at("?")) this.#readEntry(node, "flow", [":", ...ends], ends)
      else {
        const key = this.#readNode("flow", later)
        node.entries.push([key, this.#empty(this.#peek().position)])
      }
      this.#endFlowItem(node, "}")
    }
    this.#take()
  }

  #endFlowItem(node: SyntaxNode, close: "]" | "}"): void {
    if (this.#at(",")) this.#take()
    else if (!this.#at(close)) {
      const { line, column } = node.position
      const open = close === "]" ? "[" : "{"
      this.#fail(
        `"${open}" at line ${line}, column ${column} needs "," or "${close}" here, found ${describe(this.#peek())}`
      )
    }
  }
}
