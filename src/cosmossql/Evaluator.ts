import * as Functions from "./Functions.ts"
import { containerName } from "./Parser.ts"
import { QueryProblem } from "./QueryProblem.ts"
import type { Aggregate, BinaryOperator, Expression, Select } from "./Syntax.ts"
import { compare, equal, isObject, keyOf, like, ordered, same } from "./Values.ts"

/** What one query is run with. */
export interface Run extends Functions.Work {
  readonly parameters: ReadonlyMap<string, unknown>
}

/** The names of the sources with their values, the inner ones first. */
export interface Scope {
  readonly name: string
  readonly value: unknown
  readonly outer: Scope | undefined
}

type Aggregates = ReadonlyMap<Aggregate, unknown>

/** Takes values of the outermost sources one after another, and gives the results. */
export interface Collector {
  readonly add: (document: unknown) => void
  /** True when nothing that is added changes the results. */
  readonly isFull: () => boolean
  readonly results: () => ReadonlyArray<unknown>
}

/** `most`: how many results are wanted at most. */
export const collect = (select: Select, run: Run, outer: Scope | undefined, most: number): Collector => {
  const count = (expression: Expression | undefined, what: string): number | undefined => {
    if (expression === undefined) return undefined
    const value = evaluate(expression, outer, run, none)
    if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value
    throw new QueryProblem(`${what} must be a whole number that is not negative.`)
  }
  const top = count(select.top, "TOP")
  const offset = count(select.offset, "OFFSET") ?? 0
  const limit = Math.min(top ?? most, count(select.limit, "LIMIT") ?? most, most)
  const rows = select.aggregates.length > 0 || select.groupBy.length > 0 ? grouped(select, run) : listed(select, run)
  return {
    add: (document) => {
      bind(select, 0, { name: containerName, value: document, outer }, run, (scope) => {
        if (select.where === undefined || evaluate(select.where, scope, run, none) === true) rows.add(scope)
      })
    },
    isFull: () => rows.isFull(offset + limit),
    results: () => rows.results().slice(offset, offset + limit)
  }
}

interface Rows {
  readonly add: (scope: Scope | undefined) => void
  readonly isFull: (wanted: number) => boolean
  readonly results: () => ReadonlyArray<unknown>
}

/** A result for each row, sorted at the end. */
const listed = (select: Select, run: Run): Rows => {
  const found: Array<{ readonly value: unknown; readonly order: ReadonlyArray<unknown> }> = []
  const seen = new Set<string>()
  return {
    add: (scope) => {
      const value = project(select, scope, run, none)
      if (value === undefined) return
      if (select.isDistinct) {
        const key = keyOf(value)
        run.spend(key.length / 10)
        if (seen.has(key)) return
        seen.add(key)
      }
      found.push({ value, order: select.orderBy.map(({ of }) => evaluate(of, scope, run, none)) })
    },
    isFull: (wanted) => select.orderBy.length === 0 && found.length >= wanted,
    results: () => {
      if (select.orderBy.length === 0) return found.map(({ value }) => value)
      return found
        .toSorted((a, b) => {
          for (const [index, { isDescending }] of select.orderBy.entries()) {
            const order = compare(a.order[index], b.order[index])
            if (order !== 0) return isDescending ? -order : order
          }
          return 0
        })
        .map(({ value }) => value)
    }
  }
}

/** A result for each group; without GROUP BY there is one, also of no rows. */
const grouped = (select: Select, run: Run): Rows => {
  interface Group {
    readonly scope: Scope | undefined
    readonly values: ReadonlyMap<Aggregate, Accumulator>
  }
  const groups = new Map<string, Group>()
  const groupOf = (key: string, scope: Scope | undefined): Group => {
    const known = groups.get(key)
    if (known !== undefined) return known
    const group = { scope, values: new Map(select.aggregates.map((each) => [each, accumulator(each.name)])) }
    groups.set(key, group)
    return group
  }
  return {
    add: (scope) => {
      const key = keyOf(select.groupBy.map((each) => evaluate(each, scope, run, none) ?? { undefined: 0 }))
      run.spend(key.length / 10)
      for (const [{ of }, { add }] of groupOf(key, scope).values) add(evaluate(of, scope, run, none))
    },
    isFull: () => false,
    results: () => {
      if (select.groupBy.length === 0) groupOf(keyOf([]), undefined)
      const values = [...groups.values()].flatMap((group) => {
        const aggregates = new Map([...group.values].map(([each, { result }]) => [each, result()]))
        const value = project(select, group.scope, run, aggregates)
        return value === undefined ? [] : [value]
      })
      return select.isDistinct ? [...new Map(values.map((value) => [keyOf(value), value])).values()] : values
    }
  }
}

interface Accumulator {
  readonly add: (value: unknown) => void
  readonly result: () => unknown
}

const accumulator = (name: Aggregate["name"]): Accumulator => {
  let count = 0
  let sum = 0
  let isOfNumbers = true
  let best: unknown = undefined
  const better = (value: unknown) =>
    count === 1 || (name === "MIN" ? compare(value, best) < 0 : compare(value, best) > 0)
  return {
    add: (value) => {
      if (value === undefined) return
      count++
      if (typeof value === "number") sum += value
      else isOfNumbers = false
      if ((name === "MIN" || name === "MAX") && better(value)) best = value
    },
    result: () => {
      switch (name) {
        case "COUNT":
          return count
        case "SUM":
          return isOfNumbers ? sum : undefined
        case "AVG":
          return isOfNumbers && count > 0 ? sum / count : undefined
        case "MIN":
        case "MAX":
          return typeof best === "object" && best !== null ? undefined : best
      }
    }
  }
}

/** Calls `visit` for every combination of what the sources from `index` on give. */
const bind = (
  select: Select,
  index: number,
  scope: Scope | undefined,
  run: Run,
  visit: (scope: Scope | undefined) => void
): void => {
  const source = select.sources[index]
  if (source === undefined) return visit(scope)
  const value = evaluate(source.of, scope, run, none)
  const next = (each: unknown) => bind(select, index + 1, { name: source.alias, value: each, outer: scope }, run, visit)
  if (!source.isEach) {
    if (value !== undefined) next(value)
    return
  }
  if (Array.isArray(value)) for (const each of value) next(each)
}

const project = (
  { projection, sources }: Select,
  scope: Scope | undefined,
  run: Run,
  aggregates: Aggregates
): unknown => {
  switch (projection._tag) {
    case "All":
      return valueOf(scope, sources[0]?.alias ?? containerName)
    case "Value":
      return evaluate(projection.of, scope, run, aggregates)
    case "List":
      return Object.fromEntries(
        defined(projection.entries.map(([name, of]) => [name, evaluate(of, scope, run, aggregates)]))
      )
  }
}

const defined = (entries: ReadonlyArray<readonly [string, unknown]>) =>
  entries.filter(([, value]) => value !== undefined)

const valueOf = (scope: Scope | undefined, name: string): unknown => {
  for (let each = scope; each !== undefined; each = each.outer) if (each.name === name) return each.value
  throw new QueryProblem(`The query names ${name}, which no FROM or JOIN of it declares.`)
}

const none: Aggregates = new Map()

const evaluate = (expression: Expression, scope: Scope | undefined, run: Run, aggregates: Aggregates): unknown => {
  run.spend(1)
  const of = (inner: Expression) => evaluate(inner, scope, run, aggregates)
  switch (expression._tag) {
    case "Literal":
      return expression.value
    case "Parameter":
      if (run.parameters.has(expression.name)) return run.parameters.get(expression.name)
      throw new QueryProblem(`The query names the parameter ${expression.name}, which has no value.`)
    case "Name":
      // An aggregate over no rows has none to look into.
      return scope === undefined && aggregates.size > 0 ? undefined : valueOf(scope, expression.name)
    case "Member": {
      const { start, steps } = chainOf(expression, isMember, ({ of }) => of, run)
      return steps.reduceRight<unknown>((value, { key }) => memberOf(value, of(key)), of(start))
    }
    case "Unary":
      return unary(expression.operator, of(expression.operand))
    case "Binary": {
      const { start, steps } = chainOf(expression, isBinary, ({ left }) => left, run)
      return steps.reduceRight<unknown>(
        (left, { operator, right }) => binary(operator, left, () => of(right), run),
        of(start)
      )
    }
    case "Conditional":
      return of(expression.test) === true ? of(expression.whenTrue) : of(expression.otherwise)
    case "In":
      return isIn(of(expression.value), expression.list.map(of), run)
    case "Between": {
      const value = of(expression.value)
      return and(ordered(">=", value, of(expression.low)), () => ordered("<=", value, of(expression.high)))
    }
    case "Like": {
      const [value, pattern] = [of(expression.value), of(expression.pattern)]
      const escape = expression.escape === undefined ? undefined : of(expression.escape)
      if (typeof value !== "string" || typeof pattern !== "string") return undefined
      run.spend((value.length * (pattern.length + 1)) / 4)
      return like(value, pattern, typeof escape === "string" ? escape : undefined)
    }
    case "Call":
      return Functions.call(expression.name, expression.args.map(of), run)
    case "Aggregate":
      return aggregates.get(expression)
    case "Array":
      return expression.items.map(of).filter((item) => item !== undefined)
    case "Object":
      return Object.fromEntries(defined(expression.entries.map(([key, each]) => [key, of(each)])))
    case "Subquery":
      return subquery(expression.kind, expression.query, scope, run)
  }
}

/** The expressions of one kind that each begin with the next, and what the innermost begins with: a chain may be too long for recursion. */
const chainOf = <Link extends Expression>(
  outermost: Link,
  isLink: (expression: Expression) => expression is Link,
  beginning: (link: Link) => Expression,
  run: Run
) => {
  const steps = [outermost]
  let start = beginning(outermost)
  for (; isLink(start); start = beginning(start)) steps.push(start)
  run.spend(steps.length - 1)
  return { start, steps }
}

type Tagged<Tag extends Expression["_tag"]> = Extract<Expression, { readonly _tag: Tag }>

const isMember = (expression: Expression): expression is Tagged<"Member"> => expression._tag === "Member"
const isBinary = (expression: Expression): expression is Tagged<"Binary"> => expression._tag === "Binary"

const subquery = (kind: "scalar" | "exists" | "array", query: Select, scope: Scope | undefined, run: Run): unknown => {
  const collector = collect(query, run, scope, kind === "array" ? Number.MAX_SAFE_INTEGER : 1)
  collector.add(undefined)
  const results = collector.results()
  return kind === "array" ? results : kind === "exists" ? results.length > 0 : results[0]
}

const memberOf = (value: unknown, key: unknown): unknown => {
  if (Array.isArray(value)) return typeof key === "number" ? value[key] : undefined
  return isObject(value) && typeof key === "string" && Object.hasOwn(value, key) ? value[key] : undefined
}

const unary = (operator: "not" | "-" | "+" | "~", value: unknown): unknown => {
  if (operator === "not") return typeof value === "boolean" ? !value : undefined
  if (typeof value !== "number") return undefined
  return operator === "-" ? -value : operator === "~" ? ~value : value
}

const binary = (operator: BinaryOperator, left: unknown, right: () => unknown, run: Run): unknown => {
  switch (operator) {
    case "and":
      return and(left, right)
    case "or": {
      if (left === true) return true
      const other = right()
      return other === true ? true : left === false && other === false ? false : undefined
    }
    case "??":
      return left === undefined ? right() : left
    case "=":
      return equal(left, right(), run.spend)
    case "!=": {
      const is = equal(left, right(), run.spend)
      return is === undefined ? undefined : !is
    }
    case "<":
    case "<=":
    case ">":
    case ">=":
      return ordered(operator, left, right())
    case "||": {
      const other = right()
      if (typeof left !== "string" || typeof other !== "string") return undefined
      run.spend(left.length + other.length)
      return left + other
    }
    default: {
      const other = right()
      if (typeof left !== "number" || typeof other !== "number") return undefined
      const value = arithmetic(operator, left, other)
      return Number.isFinite(value) ? value : undefined
    }
  }
}

const and = (left: unknown, right: () => unknown): boolean | undefined => {
  if (left === false) return false
  const other = right()
  return other === false ? false : left === true && other === true ? true : undefined
}

const isIn = (value: unknown, list: ReadonlyArray<unknown>, { spend }: Run): boolean | undefined =>
  value === undefined ? undefined : list.some((one) => one !== undefined && same(value, one, spend))

const arithmetic = (
  operator: "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>" | ">>>",
  left: number,
  right: number
): number => {
  switch (operator) {
    case "+":
      return left + right
    case "-":
      return left - right
    case "*":
      return left * right
    case "/":
      return left / right
    case "%":
      return left % right
    case "&":
      return left & right
    case "|":
      return left | right
    case "^":
      return left ^ right
    case "<<":
      return left << right
    case ">>":
      return left >> right
    case ">>>":
      return left >>> right
  }
}
