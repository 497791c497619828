import * as CutText from "../text/CutText.ts"
import * as CharacterClass from "./CharacterClass.ts"

/** What is wrong with a pattern, and how to write it. */
export class PatternProblem extends Error {}

export interface Translated {
  /** In RE2's syntax, for a search that only asks whether there is a match. */
  readonly pattern: string
  /** Whether it asks for word boundaries, which RE2 knows for ASCII only. */
  readonly hasBoundary: boolean
}

/**
 * Writes a pattern of Python's `re` module in RE2's syntax. Python's rules stay: classes such as `\w` cover all of
 * Unicode, `$` also matches before a last line feed, and what `re.compile` refuses is refused.
 *
 * RE2's `\b` sees ASCII letters only. The `marked` form is for texts with other letters: it searches `mark(text)`, which
 * says between all characters whether there is a boundary.
 *
 * @throws PatternProblem
 */
export const translate = (source: string, form: "plain" | "marked"): Translated => {
  const translator = new Translator(source, form === "marked")
  return { pattern: translator.pattern(), hasBoundary: translator.hasBoundary }
}

/** `text` with a mark before, between and behind its characters. */
export const mark = (text: string): string => {
  let marked = ""
  let before = false
  for (const character of text) {
    const word = wordPattern.test(character)
    // A text may not bring marks of its own.
    marked += (word === before ? noBoundary : boundary) + (marks.test(character) ? "\ufffd" : character)
    before = word
  }
  return marked === "" ? "" : marked + (before ? boundary : noBoundary)
}

// Noncharacters: no text can mean anything by them.
const boundary = "\u{10fffe}"
const noBoundary = "\u{10ffff}"
const marks = /[\u{10fffe}\u{10ffff}]/u
const wordPattern = /[\p{L}\p{N}_]/u

const markPieces = "\\x{10fffe}\\x{10ffff}"
const maxDepth = 50

/** RE2's own limit. */
const maxRepeats = 1_000

interface Flags {
  readonly ignoreCase: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
  readonly verbose: boolean
  readonly ascii: boolean
}

/** One element of a sequence: a quantifier may follow an `atom` only. */
interface Item {
  readonly text: string
  readonly kind: "atom" | "assertion" | "repeat"
}

class Translator {
  hasBoundary = false
  private readonly source: string
  private readonly marked: boolean
  private readonly names = new Set<string>()
  private at = 0

  constructor(source: string, marked: boolean) {
    this.source = source
    this.marked = marked
  }

  pattern(): string {
    const flags = this.leadingFlags()
    const body = this.alternation(flags, 0)
    if (this.at < this.source.length) throw this.problem("a `)` closes nothing: write `\\)` for the character")
    return flags.ignoreCase ? `(?i:${body})` : body
  }

  private alternation(flags: Flags, depth: number): string {
    if (depth > maxDepth) throw this.problem(`groups stand inside each other at most ${maxDepth} times`)
    const branches = [this.sequence(flags, depth)]
    while (this.take("|")) branches.push(this.sequence(flags, depth))
    return branches.join("|")
  }

  private sequence(flags: Flags, depth: number): string {
    const items: Array<Item> = []
    while (this.at < this.source.length && this.source[this.at] !== "|" && this.source[this.at] !== ")") {
      if (flags.verbose && (this.skip(/[ \t-\r]+/y) || this.skip(/#[^\n]*\n?/y))) continue
      const quantifier = this.quantifier()
      if (quantifier !== undefined) {
        const last = items.pop()
        if (last === undefined || last.kind === "assertion")
          throw this.problem("there is nothing to repeat before a quantifier")
        if (last.kind === "repeat")
          throw this.problem("two quantifiers follow each other: put the inner part in parentheses")
        items.push({ text: `(?:${last.text})${quantifier}`, kind: "repeat" })
        continue
      }
      const item = this.item(flags, depth)
      if (item !== undefined) items.push(item)
    }
    return items.map((item) => item.text).join("")
  }

  private item(flags: Flags, depth: number): Item | undefined {
    const character = String.fromCodePoint(this.source.codePointAt(this.at) ?? 0)
    switch (character) {
      case "(":
        return this.group(flags, depth)
      case "[":
        return { text: this.characterClass(flags), kind: "atom" }
      case "\\":
        return this.escape(flags)
      default:
    }
    this.at += character.length
    switch (character) {
      case ".":
        return this.one(flags.dotAll ? this.except("") : this.except("\\n"))
      case "^":
        return { text: flags.multiline ? "(?m:^)" : "\\A", kind: "assertion" }
      case "$":
        return {
          text: flags.multiline ? this.skipMark("(?m:$)") : `${this.skipMark("")}(?:\\n${this.skipMark("")})?\\z`,
          kind: "assertion"
        }
      default:
        return this.one(CharacterClass.literal(character))
    }
  }

  private group(flags: Flags, depth: number): Item | undefined {
    const open = this.at
    if (this.skip(/\(\?#/y)) {
      if (!this.skip(/[^)]*\)/y)) throw this.problem("a comment `(?#` is not closed")
      return undefined
    }
    let before = "(?:"
    let after = ")"
    let inner = flags
    const name = this.read(/\(\?P<([^>]*)>/y)
    const scoped = name === undefined ? this.read(/\(\?([aiLmsux]*(?:-[aiLmsux]+)?):/y) : undefined
    if (name !== undefined) {
      if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw this.problem(`\`${name}\` is not a name for a group`)
      if (this.names.has(name)) throw this.problem(`two groups are named \`${name}\``)
      this.names.add(name)
    } else if (scoped !== undefined) {
      inner = this.scopedFlags(flags, scoped)
      if (inner.ignoreCase !== flags.ignoreCase) before = inner.ignoreCase ? "(?i:" : "(?-i:"
    } else if (this.skip(/\(\?<=/y) || this.skip(/\(\?<!/y)) {
      before = this.source[this.at - 1] === "=" ? "(?<=(?:" : "(?<!(?:"
      after = `)${this.skipMark("")})`
    } else if (this.source[open + 1] === "?") {
      throw this.problem(unsupported(this.source.slice(open)))
    } else {
      this.at += 1
    }
    const body = this.alternation(inner, depth + 1)
    if (!this.take(")")) {
      this.at = open
      throw this.problem("a `(` is not closed: write `\\(` for the character")
    }
    return { text: before + body + after, kind: "atom" }
  }

  private leadingFlags(): Flags {
    let flags: Flags = { ignoreCase: false, multiline: false, dotAll: false, verbose: false, ascii: false }
    for (;;) {
      const letters = this.read(/\(\?([aiLmsux]+)\)/y)
      if (letters === undefined) return flags
      if (letters.includes("L")) throw this.problem("the flag `L` is for byte patterns")
      flags = setFlags(flags, letters, true)
    }
  }

  private scopedFlags(flags: Flags, letters: string): Flags {
    const [on = "", off = ""] = letters.split("-")
    if (/[aLu]/.test(letters)) throw this.problem("the flags `a`, `L` and `u` are for the whole pattern only")
    return setFlags(setFlags(flags, on, true), off, false)
  }

  /** `{1,2}` and its like; braces that hold anything else are characters. */
  private quantifier(): string | undefined {
    const start = this.at
    const short = this.read(/([*+?])/y)
    const braces = short === undefined ? this.read(/\{(\d+|\d*,\d*)\}/y) : undefined
    if (short === undefined && braces === undefined) return undefined
    if (this.take("+")) {
      this.at = start
      throw this.problem("possessive quantifiers such as `*+` are not supported: write `*`, which costs no more here")
    }
    // Whether as few or as many as possible are taken does not change whether there is a match.
    this.take("?")
    if (braces === undefined) return short
    const [least = "", most = least] = braces.split(",")
    if (most !== "" && Number(most) < Number(least))
      throw this.problem(`\`{${braces}}\` asks for more at least than at most`)
    if (Number(least) > maxRepeats || Number(most) > maxRepeats)
      throw this.problem(`\`{${braces}}\` repeats more than ${maxRepeats} times`)
    return braces.includes(",") ? `{${Number(least)},${most === "" ? "" : Number(most)}}` : `{${Number(least)}}`
  }

  private escape(flags: Flags): Item {
    const letter = this.source[this.at + 1]
    if (letter === undefined) throw this.problem("a pattern cannot end in a backslash: write `\\\\` for the character")
    switch (letter) {
      case "A":
        this.at += 2
        return { text: "\\A", kind: "assertion" }
      case "Z":
        this.at += 2
        return { text: this.skipMark("\\z"), kind: "assertion" }
      case "b":
      case "B":
        this.at += 2
        // With the flag `a`, RE2's own boundaries are the right ones for every text.
        if (!flags.ascii) this.hasBoundary = true
        if (!this.marked) return { text: `\\${letter}`, kind: "assertion" }
        return { text: CharacterClass.literal(letter === "b" ? boundary : noBoundary), kind: "assertion" }
      default:
    }
    const shorthand = this.shorthand()
    if (shorthand !== undefined) {
      return this.one(
        shorthand.negated ? this.except(shorthands(flags)[shorthand.kind]) : `[${shorthands(flags)[shorthand.kind]}]`
      )
    }
    if (/[1-9]/.test(letter) && !/^\\[0-3][0-7]{2}/.test(this.source.slice(this.at))) {
      throw this.problem(`the backreference \`\\${letter}\` is not supported: it cannot be matched in bounded time`)
    }
    return this.one(CharacterClass.literal(this.escapedCharacter()))
  }

  /** `\d`, `\s` or `\w`, or the capital that means its opposite. */
  private shorthand(): { readonly kind: "d" | "s" | "w"; readonly negated: boolean } | undefined {
    const letter = this.read(/\\([dswDSW])/y)
    const kind = letter?.toLowerCase()
    if (kind !== "d" && kind !== "s" && kind !== "w") return undefined
    return { kind, negated: letter !== kind }
  }

  private escapedCharacter(): string {
    const octal = this.read(/\\(0[0-7]{0,2}|[1-3][0-7]{2})/y)
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
    const hexadecimal =
      this.read(/\\x([0-9a-fA-F]{2})/y) ?? this.read(/\\u([0-9a-fA-F]{4})/y) ?? this.read(/\\U([0-9a-fA-F]{8})/y)
    if (hexadecimal !== undefined) {
      const code = Number.parseInt(hexadecimal, 16)
      if (code > 0x10ffff) throw this.problem(`\`${hexadecimal}\` is not a character`)
      return String.fromCodePoint(code)
    }
    const character = String.fromCodePoint(this.source.codePointAt(this.at + 1) ?? 0)
    const control = { a: "\x07", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" }[character]
    if (control === undefined && /[A-Za-z0-9]/.test(character))
      throw this.problem(`\`\\${character}\` is not an escape of Python's patterns`)
    this.at += 1 + character.length
    return control ?? character
  }

  private characterClass(flags: Flags): string {
    const open = this.at
    this.at += 1
    const negated = this.take("^")
    let pieces = ""
    for (let first = true; first || this.source[this.at] !== "]"; first = false) {
      if (this.at >= this.source.length) {
        this.at = open
        throw this.problem("a `[` is not closed: write `\\[` for the character")
      }
      const from = this.classMember(flags)
      if (this.source[this.at] !== "-" || this.source[this.at + 1] === "]" || this.at + 1 >= this.source.length) {
        pieces += from.pieces
        continue
      }
      this.at += 1
      const to = this.classMember(flags)
      if (
        from.character === undefined ||
        to.character === undefined ||
        CharacterClass.codeOf(from.character) > CharacterClass.codeOf(to.character)
      ) {
        throw this.problem("a range in brackets must go from a lower to a higher character")
      }
      pieces += `${from.pieces}-${to.pieces}`
    }
    this.at += 1
    return this.one(negated ? this.except(pieces) : `[${pieces}]`).text
  }

  private classMember(flags: Flags): { readonly pieces: string; readonly character?: string } {
    const shorthand = this.shorthand()
    if (shorthand !== undefined) {
      const pieces = shorthands(flags)[shorthand.kind]
      return { pieces: shorthand.negated ? CharacterClass.complement(pieces) : pieces }
    }
    if (this.skip(/\\b/y)) return { pieces: CharacterClass.literal("\b"), character: "\b" }
    if (this.source[this.at] === "\\" && this.at + 1 >= this.source.length) throw this.problem("a `[` is not closed")
    const raw = String.fromCodePoint(this.source.codePointAt(this.at) ?? 0)
    const character = raw === "\\" ? this.escapedCharacter() : raw
    if (raw !== "\\") this.at += raw.length
    return { pieces: CharacterClass.literal(character), character }
  }

  // --- Pieces of the result: where marks stand between the characters, every piece allows for them ---

  private one(set: string): Item {
    return { text: this.skipMark(set), kind: "atom" }
  }

  private skipMark(piece: string): string {
    return this.marked ? `[${markPieces}]?${piece}` : piece
  }

  private except(pieces: string): string {
    if (this.marked) return `[^${pieces}${markPieces}]`
    return pieces === "" ? "(?s:.)" : `[^${pieces}]`
  }

  // --- Reading ---

  private take(character: string): boolean {
    if (this.source[this.at] !== character) return false
    this.at += 1
    return true
  }

  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    if (!pattern.test(this.source)) return false
    this.at = pattern.lastIndex
    return true
  }

  /** The first group of `pattern`, if it matches here. */
  private read(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.source)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match[1]
  }

  private problem(message: string): PatternProblem {
    return new PatternProblem(`${message} (at character ${this.at + 1} of the pattern)`)
  }
}

const setFlags = (flags: Flags, letters: string, value: boolean): Flags => ({
  ignoreCase: letters.includes("i") ? value : flags.ignoreCase,
  multiline: letters.includes("m") ? value : flags.multiline,
  dotAll: letters.includes("s") ? value : flags.dotAll,
  verbose: letters.includes("x") ? value : flags.verbose,
  ascii: letters.includes("a") ? value : flags.ascii
})

const shorthands = (flags: Flags): CharacterClass.Shorthands =>
  flags.ascii ? CharacterClass.ascii : CharacterClass.unicode

const unsupported = (group: string): string => {
  if (/^\(\?[=!]/.test(group))
    return `lookahead \`${group.slice(0, 3)}\` is not supported, as it cannot be matched in bounded time: use two comparisons joined by \`and\``
  if (group.startsWith("(?>")) return "atomic groups `(?>` are not supported: write `(?:`, which costs no more here"
  if (group.startsWith("(?P=")) return "backreferences `(?P=` are not supported: they cannot be matched in bounded time"
  if (group.startsWith("(?(")) return "conditional groups `(?(` are not supported: write the alternatives with `|`"
  if (/^\(\?[aiLmsux]+\)/.test(group)) return "flags such as `(?i)` stand at the start of a pattern only"
  if (/^\(\?<[\p{L}_]/u.test(group)) return "a named group is written `(?P<name>...)`"
  return `\`${CutText.cut(group, 4)}\` does not start a group`
}
