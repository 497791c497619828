import * as Either from "effect/Either"
import { type DomDocument, type DomNode, isAttribute, isElement } from "./DomNode.ts"
import type { Expression, FunctionName, Kind, Operator, Step } from "./XPathSyntax.ts"

/** Nodes in the order of the document, or a plain value. */
export type XPathValue = ReadonlyArray<DomNode> | string | number | boolean

/** Nodes that one expression may look at: hostile pages and careless expressions multiply. */
const mostVisits = 1_000_000

/** The value of an expression on a page. Left when it would look at too much, or asks for nodes where there are none. */
export const evaluate = (expression: Expression, document: DomDocument): Either.Either<XPathValue, string> => {
  let visits = 0
  const run: Run = {
    document,
    visit: () => {
      if (++visits > mostVisits) throw new EvaluationProblem(`The XPath looks at more than ${mostVisits} nodes`)
    },
    orderOf: makeOrder(document)
  }
  try {
    return Either.right(valueOf(run, expression, { node: document, position: 1, size: 1 }))
  } catch (error) {
    if (error instanceof EvaluationProblem) return Either.left(error.message)
    throw error
  }
}

/** The text of a value: of nodes, that of the first. */
export const textOf = (value: XPathValue): string => {
  if (typeof value === "string") return value
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : numberNames(value)
  if (typeof value === "boolean") return String(value)
  const [first] = value
  return first === undefined ? "" : textOfNode(first)
}

class EvaluationProblem extends Error {
  override readonly name = "EvaluationProblem"
}

interface Run {
  readonly document: DomDocument
  readonly visit: () => void
  readonly orderOf: (node: DomNode) => number
}

interface Place {
  readonly node: DomNode
  /** From 1, of `size`. */
  readonly position: number
  readonly size: number
}

const valueOf = (run: Run, expression: Expression, place: Place): XPathValue => {
  run.visit()
  switch (expression._tag) {
    case "Text":
    case "Number":
      return expression.value
    case "Negative":
      return -toNumber(valueOf(run, expression.value, place))
    case "Binary":
      return binary(run, expression.operator, expression.left, expression.right, place)
    case "Call":
      return call(run, expression.name, expression.arguments, place)
    case "Filter":
      return expression.predicates.reduce(
        (nodes, predicate) => filter(run, nodes, predicate),
        toNodes(valueOf(run, expression.of, place))
      )
    case "Path": {
      const start =
        expression.from === "root"
          ? [run.document]
          : expression.from === "context"
            ? [place.node]
            : toNodes(valueOf(run, expression.from, place))
      return expression.steps.reduce((nodes, step) => take(run, nodes, step), start)
    }
  }
}

const take = (run: Run, nodes: ReadonlyArray<DomNode>, step: Step): ReadonlyArray<DomNode> => {
  const found = new Set<DomNode>()
  for (const node of nodes) {
    let candidates: Array<DomNode> = []
    for (const candidate of along(step.axis, node)) {
      run.visit()
      if (passes(candidate, step)) candidates.push(candidate)
    }
    // Positions count along the axis, the result stands in the document's order.
    for (const predicate of step.predicates) candidates = filter(run, candidates, predicate)
    for (const candidate of candidates) found.add(candidate)
  }
  return inOrder(run, [...found])
}

const inOrder = (run: Run, nodes: Array<DomNode>): ReadonlyArray<DomNode> =>
  nodes.length < 2 ? nodes : nodes.toSorted((left, right) => run.orderOf(left) - run.orderOf(right))

const filter = (run: Run, nodes: ReadonlyArray<DomNode>, predicate: Expression): Array<DomNode> =>
  nodes.filter((node, index) => {
    const value = valueOf(run, predicate, { node, position: index + 1, size: nodes.length })
    return typeof value === "number" ? value === index + 1 : toBoolean(value)
  })

function* along(axis: Step["axis"], node: DomNode): Iterable<DomNode> {
  switch (axis) {
    case "self":
      yield node
      return
    case "child":
      yield* childrenOf(node)
      return
    case "attribute":
      if (isElement(node)) yield* node.attributes
      return
    case "parent": {
      const parent = parentOf(node)
      if (parent !== null) yield parent
      return
    }
    case "ancestor":
    case "ancestor-or-self": {
      for (let up = axis === "ancestor" ? parentOf(node) : node; up !== null; up = parentOf(up)) yield up
      return
    }
    case "descendant":
    case "descendant-or-self":
      if (axis === "descendant-or-self") yield node
      yield* descendants(node)
      return
    case "following-sibling":
    case "preceding-sibling": {
      const siblings = node.parentNode === null || isAttribute(node) ? [] : [...childrenOf(node.parentNode)]
      const at = siblings.indexOf(node)
      yield* axis === "following-sibling" ? siblings.slice(at + 1) : siblings.slice(0, Math.max(0, at)).toReversed()
    }
  }
}

const childrenOf = (node: DomNode): Iterable<DomNode> => (isAttribute(node) ? [] : node.childNodes)

/** Without recursion: pages may be deep. */
function* descendants(node: DomNode): Iterable<DomNode> {
  const stack = [childrenOf(node)[Symbol.iterator]()]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.next()
    if (next.done === true) stack.pop()
    else {
      yield next.value
      stack.push(childrenOf(next.value)[Symbol.iterator]())
    }
  }
}

const parentOf = (node: DomNode): DomNode | null =>
  isAttribute(node) && "ownerElement" in node ? (node.ownerElement as DomNode | null) : node.parentNode

const passes = (node: DomNode, { axis, test }: Step): boolean => {
  if (test._tag === "Kind") return kindOf(node, test.kind)
  if (axis === "attribute") return isAttribute(node) && (test.name === "*" || node.name === test.name)
  return isElement(node) && (test.name === "*" || node.localName.toLowerCase() === test.name)
}

const kindOf = (node: DomNode, kind: Kind): boolean =>
  kind === "node" || (kind === "text" ? node.nodeType === 3 || node.nodeType === 4 : node.nodeType === 8)

/** The place of each node in the document; counted once, when it is first asked for. */
const makeOrder = (document: DomDocument): ((node: DomNode) => number) => {
  let places: Map<DomNode, number> | undefined
  return (node) => {
    if (places === undefined) {
      places = new Map([[document, 0]])
      for (const each of descendants(document)) {
        places.set(each, places.size)
        if (isElement(each)) for (const attribute of each.attributes) places.set(attribute, places.size)
      }
    }
    return places.get(node) ?? 0
  }
}

const binary = (run: Run, operator: Operator, left: Expression, right: Expression, place: Place): XPathValue => {
  if (operator === "or" || operator === "and") {
    const first = toBoolean(valueOf(run, left, place))
    return first === (operator === "or") ? first : toBoolean(valueOf(run, right, place))
  }
  const a = valueOf(run, left, place)
  const b = valueOf(run, right, place)
  switch (operator) {
    case "|":
      return inOrder(run, [...new Set([...toNodes(a), ...toNodes(b)])])
    case "+":
      return toNumber(a) + toNumber(b)
    case "-":
      return toNumber(a) - toNumber(b)
    case "*":
      return toNumber(a) * toNumber(b)
    case "div":
      return toNumber(a) / toNumber(b)
    case "mod":
      return toNumber(a) % toNumber(b)
    default:
      return compare(run, operator, a, b)
  }
}

type Comparison = Exclude<Operator, "or" | "and" | "|" | "+" | "-" | "*" | "div" | "mod">

/** Of nodes, one that meets it is enough (XPath 1.0, 3.4). */
const compare = (run: Run, operator: Comparison, left: XPathValue, right: XPathValue): boolean => {
  if (typeof left === "boolean" || typeof right === "boolean") {
    return comparePlain(operator, toBoolean(left), toBoolean(right))
  }
  const rights = plainOf(right)
  return plainOf(left).some((a) =>
    rights.some((b) => {
      run.visit()
      return comparePlain(operator, a, b)
    })
  )
}

const plainOf = (value: ReadonlyArray<DomNode> | string | number): ReadonlyArray<string | number> =>
  typeof value === "object" ? value.map(textOfNode) : [value]

const comparePlain = (
  operator: Comparison,
  left: string | number | boolean,
  right: string | number | boolean
): boolean => {
  switch (operator) {
    case "=":
    case "!=": {
      const same =
        typeof left === "number" || typeof right === "number" ? toNumber(left) === toNumber(right) : left === right
      return same === (operator === "=")
    }
    case "<":
      return toNumber(left) < toNumber(right)
    case "<=":
      return toNumber(left) <= toNumber(right)
    case ">":
      return toNumber(left) > toNumber(right)
    case ">=":
      return toNumber(left) >= toNumber(right)
  }
}

const call = (run: Run, name: FunctionName, values: ReadonlyArray<Expression>, place: Place): XPathValue => {
  const argument = (index: number): XPathValue => {
    const expression = values[index]
    return expression === undefined ? [place.node] : valueOf(run, expression, place)
  }
  const text = (index: number): string => textOf(argument(index))
  switch (name) {
    case "boolean":
      return toBoolean(argument(0))
    case "concat":
      return values.map((_, index) => text(index)).join("")
    case "contains":
      return text(0).includes(text(1))
    case "count":
      return toNodes(argument(0)).length
    case "false":
      return false
    case "last":
      return place.size
    case "local-name":
    case "name":
      return nameOf(toNodes(argument(0))[0])
    case "normalize-space":
      return text(0).replace(/\s+/g, " ").trim()
    case "not":
      return !toBoolean(argument(0))
    case "number":
      return toNumber(argument(0))
    case "position":
      return place.position
    case "starts-with":
      return text(0).startsWith(text(1))
    case "string":
      return text(0)
    case "string-length":
      return [...text(0)].length
    case "substring":
      return substring(text(0), toNumber(argument(1)), values.length > 2 ? toNumber(argument(2)) : Infinity)
    case "substring-after": {
      const [whole, mark] = [text(0), text(1)]
      const at = whole.indexOf(mark)
      return at === -1 ? "" : whole.slice(at + mark.length)
    }
    case "substring-before": {
      const whole = text(0)
      return whole.slice(0, Math.max(0, whole.indexOf(text(1))))
    }
    case "translate":
      return translate(text(0), [...text(1)], [...text(2)])
    case "true":
      return true
  }
}

/** Characters count from 1; both numbers are rounded (XPath 1.0, 4.2). */
const substring = (text: string, start: number, length: number): string => {
  const from = Math.round(start)
  const to = from + Math.round(length)
  return [...text].filter((_, index) => index + 1 >= from && index + 1 < to).join("")
}

const translate = (text: string, from: ReadonlyArray<string>, to: ReadonlyArray<string>): string =>
  [...text]
    .map((character) => {
      const at = from.indexOf(character)
      return at === -1 ? character : (to[at] ?? "")
    })
    .join("")

const nameOf = (node: DomNode | undefined): string =>
  node === undefined ? "" : isAttribute(node) ? node.name : isElement(node) ? node.localName : ""

const textOfNode = (node: DomNode): string =>
  isAttribute(node) ? node.value : node.nodeType === 9 ? documentText(node) : (node.textContent ?? "")

const documentText = (node: DomNode): string => {
  for (const child of node.childNodes) if (isElement(child)) return child.textContent ?? ""
  return ""
}

const toNodes = (value: XPathValue): ReadonlyArray<DomNode> => {
  if (typeof value !== "object") throw new EvaluationProblem(`The XPath asks for nodes of a ${typeof value}`)
  return value
}

const toBoolean = (value: XPathValue): boolean =>
  typeof value === "object" || typeof value === "string"
    ? value.length > 0
    : value === true || (typeof value === "number" && value !== 0 && !Number.isNaN(value))

const toNumber = (value: XPathValue): number => {
  if (typeof value === "number") return value
  if (typeof value === "boolean") return Number(value)
  const text = textOf(value).trim()
  return /^-?(\d+(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN
}

const numberNames = (value: number): string => (Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity")
