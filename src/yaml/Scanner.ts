import { type Cursor, isBlankBreakOrEnd, type Position, shown } from "./Cursor.ts"
import { scanAnchor, scanDirective, scanTag } from "./AnchorsAndTags.ts"
import { scanBlock, scanPlain, scanQuoted } from "./Scalars.ts"
import type { Token } from "./Token.ts"

/** A token that becomes a key when a ":" follows on the same line. */
interface PossibleKey {
  /** Number of the token, counted from the start of the text. */
  readonly token: number
  /** In a block mapping, where nothing but a key can stand. */
  readonly required: boolean
  readonly column: number
  readonly position: Position
}

/** A key written without "?" ends within its line and within so many characters. */
const longestKey = 1024

type Punctuation = Exclude<Token["type"], "alias" | "anchor" | "scalar" | "tag" | "version directive" | "tag directive">

/**
 * Cuts a text into tokens as PyYAML does. Follows its lib/yaml/scanner.py rule by rule, for a definition must
 * mean here what it means there (MIT licence, Copyright (c) 2017-2021 Ingy döt Net, 2006-2016 Kirill Simonov).
 */
export class Scanner {
  readonly #cursor: Cursor
  readonly #tokens: Array<Token> = []
  #taken = 0
  #done = false
  /** How many "[" and "{" are open: 0 means that indentation counts. */
  #flowLevel = 0
  #indent = -1
  readonly #indents: Array<number> = []
  #keyAllowed = true
  /** By flow level: at most one key is possible on each. */
  readonly #possibleKeys = new Map<number, PossibleKey>()

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  /** Whether a "[" or "{" is open, so that lines and indentation mean nothing. */
  get inFlow(): boolean {
    return this.#flowLevel > 0
  }

  /** The next token, which stays the next one. Fails where the text is no YAML. */
  peek(): Token {
    while (this.#needsMore()) this.#fetch()
    return this.#tokens[0] ?? { type: "stream end", position: this.#cursor.position() }
  }

  take(): Token {
    const token = this.peek()
    this.#tokens.shift()
    this.#taken++
    return token
  }

  /** The next token may turn out to be a key, which is known only further on. */
  #needsMore(): boolean {
    if (this.#done) return false
    if (this.#tokens.length === 0) return true
    this.#dropStaleKeys()
    for (const key of this.#possibleKeys.values()) if (key.token === this.#taken) return true
    return false
  }

  #fetch(): void {
    const cursor = this.#cursor
    this.#skipToToken()
    this.#dropStaleKeys()
    this.#unwindIndent(cursor.column)
    const ch = cursor.peek()
    if (cursor.index >= cursor.text.length) return this.#fetchEnd()
    if (cursor.column === 0) {
      if (ch === "%") return this.#fetchDirective()
      if (cursor.atDocumentMarker()) return this.#fetchDocumentMarker(ch)
    }
    switch (ch) {
      case "[":
      case "{":
        return this.#fetchFlowStart(ch)
      case "]":
      case "}":
        return this.#fetchFlowEnd(ch)
      case ",":
        return this.#fetchFlowEntry()
      case "*":
      case "&":
        return this.#fetchKeyPart(scanAnchor)
      case "!":
        return this.#fetchKeyPart(scanTag)
      case "'":
      case '"':
        return this.#fetchKeyPart((cursor) => {
          const position = cursor.position()
          return { type: "scalar", text: scanQuoted(cursor), plain: false, position }
        })
    }
    const standsAlone = isBlankBreakOrEnd(cursor.peek(1))
    const inFlow = this.#flowLevel > 0
    if (ch === "-" && standsAlone) return this.#fetchBlockEntry()
    if (ch === "?" && (inFlow || standsAlone)) return this.#fetchKey()
    if (ch === ":" && (inFlow || standsAlone)) return this.#fetchValue()
    if ((ch === "|" || ch === ">") && !inFlow) return this.#fetchBlockScalar()
    if ("\t|>%@`".includes(ch)) {
      cursor.fail(
        ch === "\t"
          ? "a tab cannot stand here; use spaces, or put the text in quotes"
          : `${shown(ch)} cannot start a text; put the text in quotes`
      )
    }
    this.#fetchPlain()
  }

  #skipToToken(): void {
    const cursor = this.#cursor
    if (cursor.index === 0 && cursor.peek() === "\uFEFF") cursor.forward()
    while (true) {
      cursor.takeWhile((ch) => ch === " ")
      cursor.skipComment()
      if (cursor.takeBreak() === "") return
      if (this.#flowLevel === 0) this.#keyAllowed = true
    }
  }

  #push(type: Punctuation, position: Position): void {
    this.#tokens.push({ type, position })
  }

  /** Pushes the one or three characters at the cursor as a token. */
  #pushMark(type: Punctuation, length: number): void {
    this.#push(type, this.#cursor.position())
    this.#cursor.forward(length)
  }

  // --- Possible keys ---

  #dropStaleKeys(): void {
    for (const [level, key] of this.#possibleKeys) {
      const { column, line } = this.#cursor
      if (key.position.line !== line + 1 || column - key.column > longestKey) this.#forgetKey(level)
    }
  }

  #saveKey(): void {
    if (!this.#keyAllowed) return
    this.#forgetKey(this.#flowLevel)
    const cursor = this.#cursor
    this.#possibleKeys.set(this.#flowLevel, {
      token: this.#taken + this.#tokens.length,
      required: this.#flowLevel === 0 && this.#indent === cursor.column,
      column: cursor.column,
      position: cursor.position()
    })
  }

  #forgetKey(level: number): void {
    const key = this.#possibleKeys.get(level)
    if (key?.required === true) {
      const { line, column } = key.position
      this.#cursor.fail(`the key at line ${line}, column ${column} has no ":" behind it`)
    }
    this.#possibleKeys.delete(level)
  }

  // --- Indentation ---

  #unwindIndent(column: number): void {
    if (this.#flowLevel > 0) return
    while (this.#indent > column) {
      this.#indent = this.#indents.pop() ?? -1
      this.#push("block end", this.#cursor.position())
    }
  }

  /** Whether a block collection starts at `column`. */
  #addIndent(column: number): boolean {
    if (this.#indent >= column) return false
    this.#indents.push(this.#indent)
    this.#indent = column
    return true
  }

  // --- Tokens ---

  #fetchEnd(): void {
    this.#leaveBlocks()
    this.#possibleKeys.clear()
    this.#push("stream end", this.#cursor.position())
    this.#done = true
  }

  #leaveBlocks(): void {
    this.#unwindIndent(-1)
    this.#forgetKey(this.#flowLevel)
    this.#keyAllowed = false
  }

  #fetchDirective(): void {
    this.#leaveBlocks()
    this.#tokens.push(scanDirective(this.#cursor))
  }

  #fetchDocumentMarker(ch: string): void {
    this.#leaveBlocks()
    this.#pushMark(ch === "-" ? "document start" : "document end", 3)
  }

  #fetchFlowStart(ch: "[" | "{"): void {
    this.#saveKey()
    this.#flowLevel++
    this.#keyAllowed = true
    this.#pushMark(ch, 1)
  }

  #fetchFlowEnd(ch: "]" | "}"): void {
    this.#forgetKey(this.#flowLevel)
    // One that closes nothing is the reader's to refuse.
    if (this.#flowLevel > 0) this.#flowLevel--
    this.#keyAllowed = false
    this.#pushMark(ch, 1)
  }

  #fetchFlowEntry(): void {
    this.#keyAllowed = true
    this.#forgetKey(this.#flowLevel)
    this.#pushMark(",", 1)
  }

  #fetchBlockEntry(): void {
    if (this.#flowLevel === 0) this.#startBlock("block sequence start", 'a list item ("- ") cannot start here')
    this.#keyAllowed = true
    this.#forgetKey(this.#flowLevel)
    this.#pushMark("-", 1)
  }

  #fetchKey(): void {
    if (this.#flowLevel === 0) this.#startBlock("block mapping start", 'a key ("? ") cannot start here')
    this.#keyAllowed = this.#flowLevel === 0
    this.#forgetKey(this.#flowLevel)
    this.#pushMark("?", 1)
  }

  #fetchValue(): void {
    const key = this.#possibleKeys.get(this.#flowLevel)
    if (key === undefined) {
      if (this.#flowLevel === 0) {
        this.#startBlock(
          "block mapping start",
          'a ":" cannot stand here; check the indentation, or put a text that holds ": " in quotes'
        )
      }
      this.#keyAllowed = this.#flowLevel === 0
    } else {
      this.#possibleKeys.delete(this.#flowLevel)
      const { position } = key
      const found: Array<Token> = [{ type: "?", position }]
      if (this.#flowLevel === 0 && this.#addIndent(key.column)) found.unshift({ type: "block mapping start", position })
      this.#tokens.splice(key.token - this.#taken, 0, ...found)
      this.#keyAllowed = false
    }
    this.#pushMark(":", 1)
  }

  #startBlock(type: Punctuation, refusal: string): void {
    const cursor = this.#cursor
    if (!this.#keyAllowed) cursor.fail(refusal)
    if (this.#addIndent(cursor.column)) this.#push(type, cursor.position())
  }

  /** What may be (part of) a key and after which, on the same line, no other key can start. */
  #fetchKeyPart(scan: (cursor: Cursor) => Token): void {
    this.#saveKey()
    this.#keyAllowed = false
    this.#tokens.push(scan(this.#cursor))
  }

  #fetchPlain(): void {
    this.#fetchKeyPart((cursor) => {
      const position = cursor.position()
      const { crossedLine, text } = scanPlain(cursor, this.#indent, this.#flowLevel > 0)
      this.#keyAllowed = crossedLine
      return { type: "scalar", text, plain: true, position }
    })
  }

  #fetchBlockScalar(): void {
    this.#keyAllowed = true
    this.#forgetKey(this.#flowLevel)
    const position = this.#cursor.position()
    this.#tokens.push({ type: "scalar", text: scanBlock(this.#cursor, this.#indent), plain: false, position })
  }
}
