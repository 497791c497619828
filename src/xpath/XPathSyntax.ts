import * as Either from "effect/Either"
import * as CutText from "../text/CutText.ts"

/** An expression of XPath 1.0, without variables and namespaces. */
export type Expression =
  | { readonly _tag: "Text"; readonly value: string }
  | { readonly _tag: "Number"; readonly value: number }
  | { readonly _tag: "Call"; readonly name: FunctionName; readonly arguments: ReadonlyArray<Expression> }
  | { readonly _tag: "Binary"; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly _tag: "Negative"; readonly value: Expression }
  /** Steps from the result of `from`, from the document, or from where the expression stands. */
  | { readonly _tag: "Path"; readonly from: "root" | "context" | Expression; readonly steps: ReadonlyArray<Step> }
  | { readonly _tag: "Filter"; readonly of: Expression; readonly predicates: ReadonlyArray<Expression> }

export interface Step {
  readonly axis: Axis
  /** A name in lower case, `*`, or a kind of node. */
  readonly test: { readonly _tag: "Name"; readonly name: string } | { readonly _tag: "Kind"; readonly kind: Kind }
  readonly predicates: ReadonlyArray<Expression>
}

const axes = [
  "ancestor",
  "ancestor-or-self",
  "attribute",
  "child",
  "descendant",
  "descendant-or-self",
  "following-sibling",
  "parent",
  "preceding-sibling",
  "self"
] as const
export type Axis = (typeof axes)[number]

const kinds = ["text", "node", "comment"] as const
export type Kind = (typeof kinds)[number]

const operators = ["or", "and", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "|"] as const
export type Operator = (typeof operators)[number]

/** Least and most arguments of each function. */
const functions = {
  boolean: [1, 1],
  concat: [2, 20],
  contains: [2, 2],
  count: [1, 1],
  false: [0, 0],
  last: [0, 0],
  "local-name": [0, 1],
  name: [0, 1],
  "normalize-space": [0, 1],
  not: [1, 1],
  number: [0, 1],
  position: [0, 0],
  "starts-with": [2, 2],
  string: [0, 1],
  "string-length": [0, 1],
  substring: [2, 3],
  "substring-after": [2, 2],
  "substring-before": [2, 2],
  translate: [3, 3],
  true: [0, 0]
} as const
export type FunctionName = keyof typeof functions

/** Expressions in expressions. */
const deepest = 50

/** A chain of operators (`1+1+1…`) nests its left side, whatever the brackets. */
const longest = 2_000

/**
 * Reads an XPath at the start of `text`: most of XPath 1.0. Not supported are variables, namespaces, the axes `following`, `preceding` and
 * `namespace`, `id()`, `lang()` and the functions that round and sum. `rest` is what follows the expression. Left says what is wrong.
 */
export const parse = (
  text: string
): Either.Either<{ readonly expression: Expression; readonly rest: string }, string> => {
  if (text.length > longest)
    return Either.left(`An XPath has at most ${longest} characters, this one has ${text.length}`)
  try {
    const reader = makeReader(text)
    const expression = readBinary(reader, 0, 0)
    return Either.right({ expression, rest: reader.rest() })
  } catch (error) {
    if (error instanceof SyntaxProblem) return Either.left(error.message)
    throw error
  }
}

class SyntaxProblem extends Error {
  override readonly name = "SyntaxProblem"
}

const problem = (reader: Reader, expected: string): SyntaxProblem =>
  new SyntaxProblem(
    `${expected} was expected ${reader.peek() === "" ? "at the end" : `at ${JSON.stringify(CutText.cut(reader.rest(), 20))}`} of the XPath`
  )

interface Reader {
  /** The next token, `""` at the end. */
  readonly peek: () => string
  /** The one after it. */
  readonly peekSecond: () => string
  readonly take: () => string
  readonly eat: (token: string) => boolean
  readonly rest: () => string
}

const token =
  /\s*(?:(\d+(?:\.\d*)?|\.\d+)|("[^"]*"|'[^']*')|(\/\/|::|\.\.|!=|<=|>=|[/@.()[\],|=<>+*-])|([A-Za-z_][\w-]*))/y

const makeReader = (text: string): Reader => {
  const next = (at: number): { readonly text: string; readonly end: number } => {
    token.lastIndex = at
    const found = token.exec(text)
    return found === null ? { text: "", end: at } : { text: found[0].trim(), end: token.lastIndex }
  }
  let at = 0
  const take = () => {
    const found = next(at)
    at = found.end
    return found.text
  }
  return {
    peek: () => next(at).text,
    peekSecond: () => next(next(at).end).text,
    take,
    eat: (expected) => {
      if (next(at).text !== expected) return false
      take()
      return true
    },
    rest: () => text.slice(at).trim()
  }
}

/** From loosest to tightest. */
const levels: ReadonlyArray<ReadonlyArray<Operator>> = [
  ["or"],
  ["and"],
  ["=", "!="],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "div", "mod"],
  ["|"]
]

const readBinary = (reader: Reader, level: number, depth: number): Expression => {
  if (depth > deepest) throw new SyntaxProblem(`The XPath is nested more than ${deepest} deep`)
  const known = levels[level]
  if (known === undefined) return readUnary(reader, depth)
  let left = readBinary(reader, level + 1, depth)
  for (;;) {
    const operator = known.find((each) => each === reader.peek())
    if (operator === undefined) return left
    reader.take()
    left = { _tag: "Binary", operator, left, right: readBinary(reader, level + 1, depth) }
  }
}

const readUnary = (reader: Reader, depth: number): Expression =>
  reader.eat("-") ? { _tag: "Negative", value: readBinary(reader, levels.length, depth + 1) } : readPath(reader, depth)

const readPath = (reader: Reader, depth: number): Expression => {
  const first = reader.peek()
  if (first === "/" || first === "//") {
    const steps = readSteps(reader, depth)
    return { _tag: "Path", from: "root", steps }
  }
  const start = readPrimary(reader, depth)
  if (start === undefined) {
    const step = readStep(reader, depth)
    return { _tag: "Path", from: "context", steps: [step, ...readSteps(reader, depth)] }
  }
  const predicates = readPredicates(reader, depth)
  const filtered: Expression = predicates.length === 0 ? start : { _tag: "Filter", of: start, predicates }
  const steps = readSteps(reader, depth)
  return steps.length === 0 ? filtered : { _tag: "Path", from: filtered, steps }
}

/** Undefined where a step begins. */
const readPrimary = (reader: Reader, depth: number): Expression | undefined => {
  const next = reader.peek()
  if (next === "(") {
    reader.take()
    const inner = readBinary(reader, 0, depth + 1)
    if (!reader.eat(")")) throw problem(reader, ")")
    return inner
  }
  if (/^["']/.test(next)) return { _tag: "Text", value: reader.take().slice(1, -1) }
  if (/^\.?\d/.test(next)) return { _tag: "Number", value: Number(reader.take()) }
  if (!/^[A-Za-z_]/.test(next) || reader.peekSecond() !== "(" || isKind(next)) return undefined
  if (!isFunction(next)) throw new SyntaxProblem(`The XPath function ${next}() is not supported`)
  reader.take()
  reader.take()
  const values: Array<Expression> = []
  if (reader.peek() !== ")") {
    do values.push(readBinary(reader, 0, depth + 1))
    while (reader.eat(","))
  }
  if (!reader.eat(")")) throw problem(reader, ")")
  const [least, most] = functions[next]
  if (values.length < least || values.length > most) {
    throw new SyntaxProblem(`The XPath function ${next}() has ${values.length} arguments`)
  }
  return { _tag: "Call", name: next, arguments: values }
}

const anyNode: Step = { axis: "descendant-or-self", test: { _tag: "Kind", kind: "node" }, predicates: [] }

const readSteps = (reader: Reader, depth: number): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  for (;;) {
    if (reader.eat("//")) steps.push(anyNode, readStep(reader, depth))
    else if (reader.peek() === "/") {
      reader.take()
      // A slash alone is the document.
      if (steps.length === 0 && !startsStep(reader.peek())) return steps
      steps.push(readStep(reader, depth))
    } else return steps
  }
}

const startsStep = (next: string): boolean => /^(?:[A-Za-z_*@]|\.\.?$)/.test(next)

const readStep = (reader: Reader, depth: number): Step => {
  if (reader.eat(".")) return { axis: "self", test: { _tag: "Kind", kind: "node" }, predicates: [] }
  if (reader.eat("..")) return { axis: "parent", test: { _tag: "Kind", kind: "node" }, predicates: [] }
  let axis: Axis = "child"
  if (reader.eat("@")) axis = "attribute"
  else if (reader.peekSecond() === "::") {
    const name = reader.take()
    const found = axes.find((each) => each === name)
    if (found === undefined) throw new SyntaxProblem(`The XPath axis ${name} is not supported`)
    axis = found
    reader.take()
  }
  const name = reader.peek()
  if (name !== "*" && !/^[A-Za-z_]/.test(name)) throw problem(reader, "A name")
  reader.take()
  if (isKind(name) && reader.eat("(")) {
    if (!reader.eat(")")) throw problem(reader, ")")
    return { axis, test: { _tag: "Kind", kind: name }, predicates: readPredicates(reader, depth) }
  }
  return { axis, test: { _tag: "Name", name: name.toLowerCase() }, predicates: readPredicates(reader, depth) }
}

const readPredicates = (reader: Reader, depth: number): ReadonlyArray<Expression> => {
  const predicates: Array<Expression> = []
  while (reader.eat("[")) {
    predicates.push(readBinary(reader, 0, depth + 1))
    if (!reader.eat("]")) throw problem(reader, "]")
  }
  return predicates
}

const isKind = (name: string): name is Kind => kinds.some((kind) => kind === name)

const isFunction = (name: string): name is FunctionName => Object.hasOwn(functions, name)
