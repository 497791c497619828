/** One `NAME=value` of a file. */
export interface Assignment {
  readonly name: string
  readonly value: string
  /** In single quotes nothing is replaced. */
  readonly isLiteral: boolean
  /** From 1. */
  readonly line: number
}

export interface Parsed {
  readonly assignments: ReadonlyArray<Assignment>
  /** The lines that are not `NAME=value`; nothing is read from them. */
  readonly wrongLines: ReadonlyArray<number>
}

/**
 * Reads a `.env` file as python-dotenv does, with which the original reads it: a `#` begins a comment only behind a blank, a dollar stays a
 * dollar, double quotes know the escapes of Python, single quotes only `\'` and `\\`, and a quoted value may have several lines.
 */
export const parse = (text: string): Parsed => {
  const assignments: Array<Assignment> = []
  const wrongLines: Array<number> = []
  let at = 0
  let line = 1
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found !== null) at += found[0].length
    return found
  }

  while (at < text.length) {
    const start = at
    take(blanks)
    line += lineBreaksIn(text.slice(start, at))
    if (at >= text.length) break
    const begin = at
    take(exported)
    const isName = text[at] !== "#"
    const [, quoted, plain] = (isName ? take(name) : null) ?? []
    const read = quoted ?? plain
    const isAssigned = take(equals) !== null
    const value = isAssigned ? takeValue(take, text[at]) : undefined
    if ((isName && (read === undefined || value === undefined)) || take(rest) === null) {
      at = begin
      take(wholeLine)
      // `export NAME` of a shell's file sets nothing, and means to.
      if (!/^export\s/.test(text.slice(begin, at))) wrongLines.push(line)
    } else if (read !== undefined && value !== undefined) assignments.push({ name: read, ...value, line })
    line += lineBreaksIn(text.slice(begin, at))
  }
  return { assignments, wrongLines }
}

/** What stands for `${NAME}` and `${NAME:-default}`, in one pass; `lookup` gives undefined for a name without a value. */
export const expand = (value: string, lookup: (name: string) => string | undefined): string =>
  value.replace(reference, (_, name: string, otherwise: string | undefined) => lookup(name) ?? otherwise ?? "")

/** The names that a value refers to without a default of its own. */
export const references = (value: string): ReadonlyArray<{ readonly name: string; readonly hasDefault: boolean }> =>
  [...value.matchAll(reference)].map(([, name = "", otherwise]) => ({ name, hasDefault: otherwise !== undefined }))

const blanks = /\s*/y
const exported = /export[^\S\r\n]+/y
const name = /(?:'([^']+)'|([^=#\s'][^=#\s]*))[^\S\r\n]*/y
const equals = /=[^\S\r\n]*/y
const rest = /(?:[^\S\r\n]*#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r|$)/y
const wholeLine = /[^\r\n]*(?:\r\n|\n|\r|$)/y
const singleQuoted = /'((?:[^'\\]|\\[^])*)'/y
const doubleQuoted = /"((?:[^"\\]|\\[^])*)"/y
const singleQuotedPath = /'([^'\r\n]*)'/y
const doubleQuotedPath = /"([^"\r\n]*)"/y
const unquoted = /[^\r\n]*/y
// Bounded, since a text may begin many of them and end none.
const reference = /\$\{([^}:]{0,256})(?::-([^}]{0,1024}))?\}/g

type Take = (pattern: RegExp) => RegExpExecArray | null

/** Undefined where a quote is never closed. */
const takeValue = (
  take: Take,
  first: string | undefined
): { readonly value: string; readonly isLiteral: boolean } | undefined => {
  if (first === "'") {
    // A path such as 'C:\data\' ends in what would else escape the quote.
    const found = take(singleQuoted) ?? take(singleQuotedPath)
    return found === null ? undefined : { value: (found[1] ?? "").replace(/\\([\\'])/g, "$1"), isLiteral: true }
  }
  if (first === '"') {
    const found = take(doubleQuoted) ?? take(doubleQuotedPath)
    return found === null ? undefined : { value: unescaped(found[1] ?? ""), isLiteral: false }
  }
  const [whole = ""] = take(unquoted) ?? []
  const comment = whole.search(/\s#/)
  return { value: (comment === -1 ? whole : whole.slice(0, comment)).trimEnd(), isLiteral: false }
}

const escapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v"
}

const unescaped = (text: string): string =>
  text.replace(/\\([\\'"abfnrtv])/g, (_, letter: string) => escapes[letter] ?? letter)

const lineBreaksIn = (text: string): number => text.match(/\r\n|\n|\r/g)?.length ?? 0
