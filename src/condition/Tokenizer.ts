import * as Expression from "./Expression.ts"
import * as FieldPath from "./FieldPath.ts"
import * as Limits from "./Limits.ts"
import type * as Literal from "./Literal.ts"
import * as LiteralScanner from "./LiteralScanner.ts"
import * as PythonText from "../python/PythonText.ts"
import { SyntaxProblem, excerpt } from "./SyntaxProblem.ts"

/** A word or sign of a condition; `start` and `end` delimit it in the text. */
export type Token = { readonly start: number; readonly end: number } & (
  | { readonly _tag: "Open" | "Close" | "Not" }
  | { readonly _tag: "Joiner"; readonly word: "and" | "or" }
  | { readonly _tag: "Path"; readonly path: FieldPath.FieldPath }
  | { readonly _tag: "Emptiness"; readonly operator: Expression.EmptinessOperator }
  | { readonly _tag: "Operator"; readonly operator: Expression.Operator }
  | { readonly _tag: "Literal"; readonly literal: Literal.Literal }
)

/** Something that is allowed, but probably not what the author meant. */
export interface Warning {
  readonly offset: number
  readonly message: string
}

/**
 * Cuts a condition into tokens. What a character means depends on what is expected: a name is a field path where a
 * comparison begins and an operator behind a path, and everything behind an operator is one literal.
 *
 * @throws SyntaxProblem
 */
export const tokenize = (
  source: string
): { readonly tokens: ReadonlyArray<Token>; readonly warnings: ReadonlyArray<Warning> } => {
  const text = PythonText.trimEnd(source)
  const tokens: Array<Token> = []
  const warnings: Array<Warning> = []
  let expected = "operand" as Expected
  let openGroups = 0
  let at = PythonText.skipSpace(text, 0)

  while (at < text.length) {
    const start = at
    const advance = (token: Token, next: Expected) => {
      tokens.push(token)
      expected = next
      at = PythonText.skipSpace(text, token.end)
    }
    switch (expected) {
      case "operand": {
        const prefix = match(prefixPattern, text, at)
        if (text[at] === "(") {
          openGroups += 1
          if (openGroups > Limits.maxNesting) {
            throw new SyntaxProblem(at, `Parentheses stand inside each other at most ${Limits.maxNesting} times`)
          }
          advance({ _tag: "Open", start, end: start + 1 }, "operand")
        } else if (prefix !== undefined && prefix.toLowerCase() === "not") {
          advance({ _tag: "Not", start, end: start + prefix.length }, "operand")
        } else if (prefix === "is_empty" || prefix === "is_not_empty") {
          advance({ _tag: "Emptiness", operator: prefix, start, end: start + prefix.length }, "field")
        } else {
          advance(readPath(text, at, warnings), "operator")
        }
        break
      }
      case "field":
        advance(readPath(text, at, warnings), "joiner")
        break
      case "operator": {
        const { symbol, operator } = readOperator(text, at, warnings)
        const end = start + symbol.length
        if (operator === "is_empty" || operator === "is_not_empty") {
          advance({ _tag: "Emptiness", operator, start, end }, "joiner")
          break
        }
        advance({ _tag: "Operator", operator, start, end }, "joiner")
        const scanned = LiteralScanner.scan(text, end, openGroups)
        refuseLoneAmpersands(text, scanned)
        warnAboutLiteral(text, operator, scanned, warnings)
        advance({ _tag: "Literal", literal: scanned.literal, start: scanned.start, end: scanned.end }, "joiner")
        break
      }
      default: {
        if (text[at] === ")") {
          if (openGroups === 0)
            throw new SyntaxProblem(at, "This `)` closes nothing: take it out, or write the `(` that it closes")
          openGroups -= 1
          advance({ _tag: "Close", start, end: start + 1 }, "joiner")
          break
        }
        const joiner = LiteralScanner.joinerAt(text, at)
        if (joiner === undefined) throw notJoined(text, at)
        if (joiner.symbol === "&&" || joiner.symbol === "||") {
          warnings.push({
            offset: start,
            message: `\`${joiner.symbol}\` is read as \`${joiner.word}\`: write \`${joiner.word}\``
          })
        }
        advance({ _tag: "Joiner", word: joiner.word, start, end: joiner.end }, "operand")
        break
      }
    }
  }
  return { tokens, warnings }
}

type Expected = "operand" | "field" | "operator" | "joiner"

const match = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** Only before a field or a group: a field of the item may have one of these names. */
const prefixPattern = /(?:not(?=\s*[A-Za-z_[(])(?![A-Za-z0-9_-])|is_(?:not_)?empty(?=\s+[A-Za-z_[]))/iy

const readPath = (text: string, at: number, warnings: Array<Warning>): Token => {
  if (!FieldPath.startsAt(text, at)) throw notAField(text, at)
  const { path, end } = FieldPath.scan(text, at)
  const root = path.parts[0]?.[0]?.key ?? ""
  if (!roots.includes(root)) {
    warnings.push({
      offset: at,
      message: `An item has no ${excerpt(root)}, so this field is always empty: a path starts with ${roots.join(", ")}`
    })
  }
  return { _tag: "Path", path, start: at, end }
}

const roots: ReadonlyArray<string> = ["id", "summary_data", "data", "executor_logs"]

const pathLike = new RegExp(`^(?:${roots.join("|")})[.[]`)

const notAField = (text: string, at: number): SyntaxProblem => {
  const found = text[at] ?? ""
  if (found === ")")
    return new SyntaxProblem(at, "Expected a comparison before this `)`, such as data.type == 'invoice'")
  if (/['"\d+-]/.test(found)) {
    return new SyntaxProblem(
      at,
      "A comparison starts with a field and ends with a value: write data.n == 5 instead of 5 == data.n, and data.tags contains 'a' instead of 'a' in data.tags"
    )
  }
  return new SyntaxProblem(
    at,
    `Expected a field, \`(\` or \`not\` instead of ${excerpt(found)}: a field is written like data.type, data.chunks[0].text or id.metadata['file type']`
  )
}

const operatorPattern = /[=!<>~&|]+|[A-Za-z_][A-Za-z0-9_-]*/y

const readOperator = (
  text: string,
  at: number,
  warnings: Array<Warning>
): { readonly symbol: string; readonly operator: Expression.Operator | Expression.EmptinessOperator } => {
  const symbol = match(/===(?!=)|[=!<>]=(?!=)|[<>](?![=<>])/y, text, at) ?? match(operatorPattern, text, at) ?? ""
  if (symbol === "===") {
    warnings.push({ offset: at, message: "`===` is read as `==`: write `==`" })
    return { symbol, operator: "==" }
  }
  const operator = operators.find((known) => known === symbol)
  if (operator !== undefined) return { symbol, operator }
  const hint = hints[symbol.toLowerCase()] ?? operators.find((known) => known === symbol.toLowerCase())
  throw new SyntaxProblem(
    at,
    hint !== undefined
      ? `${excerpt(symbol)} is not an operator: write ${hint}`
      : `Expected an operator behind the field instead of ${excerpt(symbol || text.slice(at, at + 10))}: one of ${operators.join(" ")}`
  )
}

const operators = [...Expression.comparisonOperators, "regex_match", ...Expression.emptinessOperators] as const

const hints: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  "=": "==",
  "!==": "!=",
  "<>": "!=",
  "=>": ">=",
  "=<": "<=",
  "=~": "regex_match",
  "~": "regex_match",
  eq: "==",
  ne: "!=",
  is: "== or, for no value, is_empty",
  not: "not_in or not_contains, or not in front of the comparison",
  like: "contains or regex_match",
  matches: "regex_match",
  startswith: "starts_with",
  endswith: "ends_with",
  notin: "not_in",
  equals: "==",
  and: "an operator and a value before it, such as == true",
  or: "an operator and a value before it, such as == true"
})

const notJoined = (text: string, at: number): SyntaxProblem => {
  const word = match(/and|or/iy, text, at)
  return word !== undefined && at + word.length === text.length
    ? new SyntaxProblem(at, `Expected a comparison behind \`${word}\`: write one, or take \`${word}\` out`)
    : new SyntaxProblem(at, `Expected \`and\`, \`or\`, \`)\` or the end instead of ${excerpt(text.slice(at))}`)
}

/**
 * A single `&` that stands alone, or behind which another comparison begins, is neither an operator nor part of a text without quotes.
 * One within a word (AT&T) belongs to it.
 */
const refuseLoneAmpersands = (text: string, { bare, end, literal, start }: LiteralScanner.Scanned): void => {
  const isQuoted = !bare && literal._tag === "Text"
  const source = isQuoted || bare ? text.slice(start, end) : blanked(text.slice(start, end))
  // In quotes only behind what may have been meant as the end of the text.
  for (const { 0: found, index } of source.matchAll(isQuoted ? /['"]\s*&(?!&)/g : /(?<!&)&(?!&)/g)) {
    const at = index + found.length - 1
    const isAlone = !isQuoted && !/\S/.test(source[at - 1] ?? "") && !/\S/.test(source[at + 1] ?? "")
    if (isAlone || LiteralScanner.beginsComparison(text, start + at + 1)) {
      throw new SyntaxProblem(
        start + at,
        "`&` is not an operator: write `and` between comparisons, and put a text with `&` in quotes"
      )
    }
  }
}

/** The same with blanks in place of what stands in quotes. */
const blanked = (source: string): string => source.replace(/'[^']*'|"[^"]*"/g, (quoted) => "'".repeat(quoted.length))

const warnAboutLiteral = (
  text: string,
  operator: Expression.Operator,
  scanned: LiteralScanner.Scanned,
  warnings: Array<Warning>
): void => {
  const { literal, start, end } = scanned
  const offset = start
  if (start === end) {
    warnings.push({
      offset,
      message: `Nothing follows \`${operator}\`, so the field is compared with the empty text: write ''`
    })
    return
  }
  const source = text.slice(start, end)
  if (!scanned.bare || literal._tag !== "Text" || operator === "regex_match") return
  if (pathLike.test(source)) {
    warnings.push({
      offset,
      message: `${excerpt(source)} is read as a text, not as a field: fields cannot be compared with each other; put a text in quotes`
    })
  } else if (/['"=<>!&|(){}[\]]|\s(?:and|or)$/i.test(source)) {
    warnings.push({ offset, message: `${excerpt(source)} is read as one text: put it in quotes` })
  }
}
