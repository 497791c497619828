import * as Functions from "./Functions.ts"
import * as Limits from "./Limits.ts"
import { QueryProblem } from "./QueryProblem.ts"
import type { Aggregate, BinaryOperator, Expression, Projection, Select, Source } from "./Syntax.ts"
import { type Token, tokenize } from "./Tokenizer.ts"

/**
 * Reads a query in the language of Azure Cosmos DB for NoSQL.
 *
 * @throws QueryProblem
 */
export const parse = (query: string): Select => {
  const reader = new Reader(tokenize(query))
  const select = reader.select()
  reader.end()
  return select
}

/** What stands for the document of the container in FROM; no name in a query is empty. */
export const containerName = ""

/** Words that are no names of sources. */
const reserved = new Set(
  "select top distinct value as from join in where and or not between like escape exists array order group by asc desc offset limit null true false undefined".split(
    " "
  )
)

const aggregateNames = new Set(["COUNT", "SUM", "MIN", "MAX", "AVG"])

const isAggregateName = (name: string): name is Aggregate["name"] => aggregateNames.has(name)

/** Binary operators from the loosest to the tightest, beside those that are words. */
const levels: ReadonlyArray<ReadonlyArray<BinaryOperator>> = [
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>", ">>>"],
  ["+", "-", "||"],
  ["*", "/", "%"]
]

const comparisons: ReadonlyMap<string, BinaryOperator> = new Map([
  ["=", "="],
  ["!=", "!="],
  ["<>", "!="],
  ["<", "<"],
  ["<=", "<="],
  [">", ">"],
  [">=", ">="]
])

class Reader {
  private index = 0
  private depth = 0
  /** Whether the outermost query has begun. */
  private isWithin = false
  private aggregates: Array<Aggregate> = []
  private readonly tokens: ReadonlyArray<Token>

  constructor(tokens: ReadonlyArray<Token>) {
    this.tokens = tokens
  }

  select(): Select {
    return this.nested(() => {
      const outer = this.aggregates
      this.aggregates = []
      const isOutermost = !this.isWithin
      this.isWithin = true
      this.expectWord("select")
      const isDistinct = this.word("distinct")
      const top = this.word("top") ? this.primary() : undefined
      const projection = this.projection()
      const sources = this.word("from") ? this.sources(isOutermost) : []
      if (projection._tag === "All" && sources.length === 0) throw this.unexpected("FROM")
      const where = this.word("where") ? this.expression() : undefined
      const groupBy = this.words("group", "by") ? this.list(() => this.expression()) : []
      const orderBy = this.words("order", "by")
        ? this.list(() => {
            const of = this.expression()
            const isDescending = this.word("desc")
            if (!isDescending) this.word("asc")
            return { of, isDescending }
          })
        : []
      const offset = this.word("offset") ? this.primary() : undefined
      if (offset !== undefined) this.expectWord("limit")
      const limit = offset === undefined ? undefined : this.primary()
      const { aggregates } = this
      this.aggregates = outer
      if (projection._tag === "All" && sources.length > 1) {
        throw new QueryProblem("SELECT * needs FROM with one source: name what is selected.")
      }
      if (orderBy.length > 0 && (groupBy.length > 0 || aggregates.length > 0)) {
        throw new QueryProblem("ORDER BY can't stand beside GROUP BY or aggregates.")
      }
      return { isDistinct, top, projection, sources, where, groupBy, orderBy, offset, limit, aggregates }
    })
  }

  end(): void {
    if (this.token._tag !== "End") throw this.unexpected("the end of the query")
  }

  private projection(): Projection {
    if (this.sign("*")) return { _tag: "All" }
    if (this.word("value")) return { _tag: "Value", of: this.expression() }
    let unnamed = 0
    return {
      _tag: "List",
      entries: this.list(() => {
        const of = this.expression()
        if (this.word("as") || this.startsName()) return [this.name(), of] as const
        return [nameOf(of) ?? `$${++unnamed}`, of] as const
      })
    }
  }

  private sources(isOutermost: boolean): ReadonlyArray<Source> {
    const sources = [this.source(isOutermost)]
    while (this.word("join")) sources.push(this.source(false))
    return sources
  }

  private source(isContainer: boolean): Source {
    if (this.sign("(")) {
      const of = this.subquery("array")
      if (!this.word("as") && !this.startsName()) {
        throw new QueryProblem("A subquery in FROM or JOIN needs a name: (SELECT …) AS name.")
      }
      return { alias: this.name(), of, isEach: true }
    }
    const name = this.name()
    if (this.word("in")) {
      return {
        alias: name,
        of: this.sign("(") ? this.subquery("scalar") : this.path(this.name(), isContainer),
        isEach: true
      }
    }
    const of = this.path(name, isContainer)
    const alias = this.word("as") || this.startsName() ? this.name() : (nameOf(of) ?? name)
    return { alias: alias === containerName ? name : alias, of, isEach: false }
  }

  /** A name with properties; the container is called as one likes. */
  private path(name: string, isContainer: boolean): Expression {
    return this.members({ _tag: "Name", name: isContainer ? containerName : name })
  }

  private expression(): Expression {
    return this.nested(() => this.conditional())
  }

  private conditional(): Expression {
    let test = this.or()
    while (this.sign("??")) test = { _tag: "Binary", operator: "??", left: test, right: this.or() }
    if (!this.sign("?")) return test
    const whenTrue = this.expression()
    this.expectSign(":")
    return { _tag: "Conditional", test, whenTrue, otherwise: this.expression() }
  }

  private or(): Expression {
    let left = this.and()
    while (this.word("or")) left = { _tag: "Binary", operator: "or", left, right: this.and() }
    return left
  }

  private and(): Expression {
    let left = this.not()
    while (this.word("and")) left = { _tag: "Binary", operator: "and", left, right: this.not() }
    return left
  }

  private not(): Expression {
    return this.word("not")
      ? this.nested(() => ({ _tag: "Unary", operator: "not", operand: this.not() }) as const)
      : this.comparison()
  }

  private comparison(): Expression {
    let left = this.binary(0)
    for (let before = 0; ; before++) {
      if (before > Limits.maxNesting) throw tooNested()
      const token = this.token
      const operator = token._tag === "Sign" ? comparisons.get(token.text) : undefined
      if (operator !== undefined) {
        this.index++
        left = { _tag: "Binary", operator, left, right: this.binary(0) }
        continue
      }
      const isNot = this.isWord("not") && ["in", "between", "like"].some((word) => this.isWord(word, 1))
      if (isNot) this.index++
      const test = this.test(left)
      if (test === undefined) return left
      left = isNot ? { _tag: "Unary", operator: "not", operand: test } : test
    }
  }

  private test(value: Expression): Expression | undefined {
    if (this.word("in")) {
      this.expectSign("(")
      const list = this.list(() => this.expression())
      this.expectSign(")")
      return { _tag: "In", value, list }
    }
    if (this.word("between")) {
      const low = this.binary(0)
      this.expectWord("and")
      return { _tag: "Between", value, low, high: this.binary(0) }
    }
    if (this.word("like")) {
      const pattern = this.binary(0)
      return { _tag: "Like", value, pattern, escape: this.word("escape") ? this.primary() : undefined }
    }
    return undefined
  }

  private binary(level: number): Expression {
    const operators = levels[level]
    if (operators === undefined) return this.unary()
    let left = this.binary(level + 1)
    for (;;) {
      const operator = operators.find((sign) => this.sign(sign))
      if (operator === undefined) return left
      left = { _tag: "Binary", operator, left, right: this.binary(level + 1) }
    }
  }

  private unary(): Expression {
    for (const operator of ["-", "+", "~"] as const) {
      if (this.sign(operator)) return this.nested(() => ({ _tag: "Unary", operator, operand: this.unary() }) as const)
    }
    return this.members(this.primary())
  }

  private members(start: Expression): Expression {
    let of = start
    for (;;) {
      if (this.sign(".")) {
        const token = this.token
        if (token._tag !== "Word") throw this.unexpected("a property")
        this.index++
        of = { _tag: "Member", of, key: { _tag: "Literal", value: token.text } }
      } else if (this.sign("[")) {
        of = { _tag: "Member", of, key: this.expression() }
        this.expectSign("]")
      } else return of
    }
  }

  private primary(): Expression {
    const token = this.token
    switch (token._tag) {
      case "Number":
        this.index++
        return { _tag: "Literal", value: token.value }
      case "String":
        this.index++
        return { _tag: "Literal", value: token.text }
      case "Parameter":
        this.index++
        return { _tag: "Parameter", name: token.text }
      case "Word":
        return this.wordExpression(token.text)
      case "Sign":
        if (this.sign("(")) {
          if (this.isWord("select")) return this.subquery("scalar")
          const inner = this.expression()
          this.expectSign(")")
          return inner
        }
        if (this.sign("[")) {
          const items = this.isSign("]") ? [] : this.list(() => this.expression())
          this.expectSign("]")
          return { _tag: "Array", items }
        }
        if (this.sign("{")) {
          const entries = this.isSign("}") ? [] : this.list(() => this.entry())
          this.expectSign("}")
          return { _tag: "Object", entries }
        }
        throw this.unexpected("an expression")
      case "End":
        throw this.unexpected("an expression")
    }
  }

  private wordExpression(text: string): Expression {
    const lower = text.toLowerCase()
    const constant = constants.get(lower)
    if (constant !== undefined) {
      this.index++
      return { _tag: "Literal", value: constant.value }
    }
    if (!this.isSign("(", 1)) return { _tag: "Name", name: this.name() }
    this.index += 2
    if (lower === "exists" || lower === "array") return this.subquery(lower)
    const args = this.isSign(")") ? [] : this.list(() => this.expression())
    this.expectSign(")")
    const name = text.toUpperCase()
    if (isAggregateName(name)) {
      const [of, ...more] = args
      if (of === undefined || more.length > 0) throw new QueryProblem(`${name} takes one expression.`)
      const aggregate: Aggregate = { _tag: "Aggregate", name, of }
      this.aggregates.push(aggregate)
      return aggregate
    }
    const problem = Functions.problemOf(name, args.length)
    if (problem !== undefined) throw new QueryProblem(problem)
    return { _tag: "Call", name, args }
  }

  /** Behind its opening parenthesis. */
  private subquery(kind: "scalar" | "exists" | "array"): Expression {
    const query = this.select()
    this.expectSign(")")
    return { _tag: "Subquery", kind, query }
  }

  private entry(): readonly [string, Expression] {
    const token = this.token
    if (token._tag !== "String" && token._tag !== "Word") throw this.unexpected("a property")
    this.index++
    this.expectSign(":")
    return [token.text, this.expression()]
  }

  private list<A>(read: () => A): ReadonlyArray<A> {
    const items = [read()]
    while (this.sign(",")) items.push(read())
    return items
  }

  private nested<A>(read: () => A): A {
    if (++this.depth > Limits.maxNesting) throw tooNested()
    const result = read()
    this.depth--
    return result
  }

  private get token(): Token {
    return this.tokens[this.index] ?? { _tag: "End", at: 0 }
  }

  private isWord(word: string, ahead = 0): boolean {
    const token = this.tokens[this.index + ahead]
    return token?._tag === "Word" && token.text.toLowerCase() === word
  }

  private isSign(sign: string, ahead = 0): boolean {
    const token = this.tokens[this.index + ahead]
    return token?._tag === "Sign" && token.text === sign
  }

  private word(word: string): boolean {
    const is = this.isWord(word)
    if (is) this.index++
    return is
  }

  private words(first: string, second: string): boolean {
    const are = this.isWord(first) && this.isWord(second, 1)
    if (are) this.index += 2
    return are
  }

  private sign(sign: string): boolean {
    const is = this.isSign(sign)
    if (is) this.index++
    return is
  }

  private startsName(): boolean {
    const token = this.token
    return token._tag === "Word" && !reserved.has(token.text.toLowerCase())
  }

  private name(): string {
    const token = this.token
    if (token._tag !== "Word" || !this.startsName()) throw this.unexpected("a name")
    this.index++
    return token.text
  }

  private expectWord(word: string): void {
    if (!this.word(word)) throw this.unexpected(word.toUpperCase())
  }

  private expectSign(sign: string): void {
    if (!this.sign(sign)) throw this.unexpected(sign)
  }

  private unexpected(wanted: string): QueryProblem {
    const token = this.token
    const found = token._tag === "End" ? "the query ends" : `there is ${shown(token)} at character ${token.at + 1}`
    return new QueryProblem(`The query can't be read: ${found} where ${wanted} is expected.`)
  }
}

const tooNested = () => new QueryProblem(`Expressions stand inside each other at most ${Limits.maxNesting} times.`)

const constants: ReadonlyMap<string, { readonly value: unknown }> = new Map([
  ["null", { value: null }],
  ["true", { value: true }],
  ["false", { value: false }],
  ["undefined", { value: undefined }]
])

const shown = (token: Token): string =>
  token._tag === "Number" ? String(token.value) : token._tag === "End" ? "the end" : token.text.slice(0, 40)

/** What a result without AS is called by. */
const nameOf = (expression: Expression): string | undefined =>
  expression._tag === "Name"
    ? expression.name
    : expression._tag === "Member" && expression.key._tag === "Literal" && typeof expression.key.value === "string"
      ? expression.key.value
      : undefined
