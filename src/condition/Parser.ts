import * as CutText from "../text/CutText.ts"
import type * as Expression from "./Expression.ts"
import type * as FieldPath from "./FieldPath.ts"
import * as Limits from "./Limits.ts"
import type * as Literal from "./Literal.ts"
import * as Pattern from "./Pattern.ts"
import * as Printer from "./Printer.ts"
import * as ForbiddenSpellings from "./ForbiddenSpellings.ts"
import { SyntaxProblem, excerpt } from "./SyntaxProblem.ts"
import * as Tokenizer from "./Tokenizer.ts"

export interface Parsed {
  readonly expression: Expression.Expression
  readonly warnings: ReadonlyArray<Tokenizer.Warning>
}

/**
 * condition = chain ; chain = operand { ("and" | "or") operand } ;
 * operand = "not" operand | "(" chain ")" | path operator literal | path emptiness | emptiness path.
 *
 * In a chain that mixes both words, `or` binds tighter, as in the original, unless the condition has a parenthesis
 * around more than one comparison: the original refuses these, so `and` can bind tighter as it does everywhere else.
 *
 * @throws SyntaxProblem
 */
export const parse = (source: string): Parsed => {
  if (source.length > Limits.maxLength) {
    throw new SyntaxProblem(
      Limits.maxLength,
      `A condition has at most ${Limits.maxLength} characters, this one has ${source.length}`
    )
  }
  ForbiddenSpellings.check(source)
  const { tokens, warnings } = Tokenizer.tokenize(source)
  const parser = new Parser(source, tokens)
  const expression = parser.condition()
  return { expression, warnings: [...warnings, ...parser.warnings] }
}

type Word = "and" | "or"

class Parser {
  readonly warnings: Array<Tokenizer.Warning> = []
  private readonly source: string
  private readonly tokens: ReadonlyArray<Tokenizer.Token>
  private readonly tight: Word
  private position = 0
  private comparisons = 0
  private readonly patterns = new Map<string, Pattern.Pattern>()
  private patternWeight = 0

  constructor(source: string, tokens: ReadonlyArray<Tokenizer.Token>) {
    this.source = source
    this.tokens = tokens
    this.tight = hasGroup(tokens) ? "and" : "or"
  }

  condition(): Expression.Expression {
    if (this.tokens.length === 0) {
      throw new SyntaxProblem(
        0,
        "A condition cannot be empty: write a comparison such as data.type == 'invoice', or leave the setting out"
      )
    }
    const expression = this.chain(0)
    const rest = this.tokens[this.position]
    if (rest !== undefined) throw new SyntaxProblem(rest.start, "Expected `and`, `or` or the end")
    return expression
  }

  private chain(depth: number): Expression.Expression {
    const start = this.tokens[this.position]?.start ?? this.source.length
    const words = new Set<Word>()
    const loose: Array<Expression.Expression> = []
    let group = [this.operand(depth)]
    for (;;) {
      const token = this.tokens[this.position]
      if (token?._tag !== "Joiner") break
      this.position += 1
      words.add(token.word)
      if (token.word !== this.tight) {
        loose.push(join(this.tight, group))
        group = []
      }
      group.push(this.operand(depth))
    }
    loose.push(join(this.tight, group))
    const expression = join(this.tight === "or" ? "and" : "or", loose)
    if (words.size > 1) this.warnAboutMixedChain(start, expression)
    return expression
  }

  private operand(depth: number): Expression.Expression {
    const token = this.tokens[this.position]
    if (token === undefined) throw this.ended("Expected a comparison at the end, such as data.type == 'invoice'")
    if (depth >= Limits.maxNesting) {
      throw new SyntaxProblem(
        token.start,
        `Parentheses and \`not\`s stand inside each other at most ${Limits.maxNesting} times`
      )
    }
    this.position += 1
    switch (token._tag) {
      case "Not":
        return { _tag: "Not", operand: this.operand(depth + 1) }
      case "Open": {
        const expression = this.chain(depth + 1)
        if (this.tokens[this.position]?._tag !== "Close")
          throw new SyntaxProblem(token.start, "This `(` is never closed: write the `)`")
        this.position += 1
        return expression
      }
      case "Path":
        return this.comparison(token)
      case "Emptiness": {
        const field = this.tokens[this.position]
        if (field?._tag !== "Path") throw this.ended(`Expected a field behind \`${token.operator}\``)
        this.position += 1
        this.count(field)
        return { _tag: "Emptiness", path: field.path, operator: token.operator }
      }
      default:
        throw new SyntaxProblem(token.start, "Expected a comparison, such as data.type == 'invoice'")
    }
  }

  private comparison(field: Tokenizer.Token & { readonly _tag: "Path" }): Expression.Expression {
    this.count(field)
    const token = this.tokens[this.position]
    if (token?._tag === "Emptiness") {
      this.position += 1
      return { _tag: "Emptiness", path: field.path, operator: token.operator }
    }
    const value = this.tokens[this.position + 1]
    if (token?._tag !== "Operator" || value?._tag !== "Literal") {
      const written = this.source.slice(field.start, field.end)
      throw this.ended(
        `Expected an operator behind ${excerpt(written)}, as in ${excerpt(`${written} == true`)} or ${excerpt(`${written} is_not_empty`)}`
      )
    }
    this.position += 2
    return this.compare(field.path, token, value)
  }

  private compare(
    path: FieldPath.FieldPath,
    { operator, start }: Tokenizer.Token & { readonly _tag: "Operator" },
    { literal, start: offset }: Tokenizer.Token & { readonly _tag: "Literal" }
  ): Expression.Expression {
    if (literal._tag === "Null" && !nullOperators.has(operator)) {
      throw new SyntaxProblem(
        start,
        `\`${operator}\` cannot be used with null: write == null or is_empty, or put 'null' in quotes if you mean the word`
      )
    }
    if (operator === "regex_match") return { _tag: "Match", path, pattern: this.pattern(literal, offset) }
    if ((operator === "in" || operator === "not_in") && (literal._tag === "Number" || literal._tag === "Boolean")) {
      throw new SyntaxProblem(
        offset,
        `\`${operator}\` needs a list or a text: write a list such as [1, 2], or compare with == or !=`
      )
    }
    return { _tag: "Comparison", path, operator, literal }
  }

  private pattern(literal: Literal.Literal, offset: number): Pattern.Pattern {
    const source = patternText(literal, offset)
    const known = this.patterns.get(source)
    if (known !== undefined) return known
    if (this.patterns.size === Limits.maxPatterns) {
      throw new SyntaxProblem(
        offset,
        `A condition has at most ${Limits.maxPatterns} different patterns: join them with \`|\``
      )
    }
    const pattern = Pattern.compile(source, offset)
    this.patternWeight += pattern.weight
    if (this.patternWeight > Limits.maxPatternWeight) {
      throw new SyntaxProblem(
        offset,
        "The patterns of this condition are too large together: repeat less in braces, or use fewer patterns"
      )
    }
    this.patterns.set(source, pattern)
    return pattern
  }

  private count(field: Tokenizer.Token): void {
    this.comparisons += 1
    if (this.comparisons > Limits.maxComparisons) {
      throw new SyntaxProblem(
        field.start,
        `A condition has at most ${Limits.maxComparisons} comparisons: use \`in [...]\` for long lists of values`
      )
    }
  }

  private ended(message: string): SyntaxProblem {
    return new SyntaxProblem(this.tokens[this.position]?.start ?? this.source.length, message)
  }

  private warnAboutMixedChain(offset: number, expression: Expression.Expression): void {
    this.warnings.push({
      offset,
      message: `\`and\` and \`or\` are mixed without parentheses, and \`${this.tight}\` binds tighter here: this is read as ${shorten(
        Printer.print(expression)
      )}; write the parentheses`
    })
  }
}

/** Whether a parenthesis stands around anything but one comparison. */
const hasGroup = (tokens: ReadonlyArray<Tokenizer.Token>): boolean => {
  const open: Array<boolean> = []
  for (const token of tokens) {
    if (token._tag === "Joiner" || token._tag === "Not" || token._tag === "Open") {
      if (open.length > 0) return true
    }
    if (token._tag === "Open") open.push(true)
    if (token._tag === "Close") open.pop()
  }
  return false
}

const join = (word: Word, operands: ReadonlyArray<Expression.Expression>): Expression.Expression => {
  const [only] = operands
  if (operands.length === 1 && only !== undefined) return only
  return { _tag: word === "and" ? "And" : "Or", operands }
}

const nullOperators: ReadonlySet<Expression.Operator> = new Set(["==", "!=", "contains", "not_contains"])

const patternText = (literal: Literal.Literal, offset: number): string => {
  if (literal._tag === "Text") return literal.value
  if (literal._tag === "Exponent") return literal.source
  throw new SyntaxProblem(offset, "`regex_match` needs a pattern in quotes, such as '^[a-z]+$'")
}

const shorten = (text: string): string => `\`${text.length > 300 ? `${CutText.cut(text, 297)}...` : text}\``
