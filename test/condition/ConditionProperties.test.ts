import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Condition from "../../src/condition/Condition.ts"
import * as ExactJson from "../../src/domain/ExactJson.ts"
import type * as Expression from "../../src/condition/Expression.ts"
import type * as FieldPath from "../../src/condition/FieldPath.ts"
import * as Literal from "../../src/condition/Literal.ts"
import * as Pattern from "../../src/condition/Pattern.ts"
import * as Printer from "../../src/condition/Printer.ts"
import { compare } from "../../src/python/PythonNumber.ts"

// --- Expressions at random ---

/** What no condition may hold, and what a text in quotes cannot hold: an escape beside quotes of both kinds. */
const writable = (text: string): boolean =>
  !/;|__|\(/.test(text) && !(text.includes("'") && text.includes('"') && text.includes("\\"))

const texts = FastCheck.oneof(
  FastCheck.string({ unit: "binary", maxLength: 8 }),
  FastCheck.string({
    unit: FastCheck.constantFrom("'", "\\", " ", "and", "or", "a", "]", ",", ")", "."),
    maxLength: 8
  }),
  FastCheck.constantFrom(
    "it's",
    'say "hi"',
    "x and y",
    "a or b",
    "null",
    "5",
    "C:\\in\\",
    "in",
    "' or data.a == 'x",
    "None"
  )
).filter(writable)

const scalars: FastCheck.Arbitrary<Literal.Literal> = FastCheck.oneof(
  texts.map(Literal.text),
  FastCheck.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map((value) => Literal.integer(String(value))),
  FastCheck.integer({ min: -3, max: 3 }).map((value) => Literal.integer(String(value))),
  FastCheck.double({ noNaN: true }).map(Literal.float),
  FastCheck.constantFrom(0.5, -1, 2, 1e16, 1e-5).map(Literal.float),
  FastCheck.tuple(FastCheck.integer({ min: -99, max: 99 }), FastCheck.integer({ min: -9, max: 9 })).map(
    ([mantissa, exponent]): Literal.Literal => {
      const source = `${mantissa}e${exponent}`
      return { _tag: "Exponent", value: Number(source), source }
    }
  ),
  FastCheck.boolean().map((value): Literal.Literal => ({ _tag: "Boolean", value }))
)

const elements = FastCheck.oneof(scalars, FastCheck.constant<Literal.Literal>({ _tag: "Null" }))

const list = (items: ReadonlyArray<Literal.Literal>): Literal.Literal => ({ _tag: "List", items })

const lists = FastCheck.array(
  FastCheck.oneof(
    { arbitrary: elements, weight: 4 },
    { arbitrary: FastCheck.array(elements, { maxLength: 2 }).map(list), weight: 1 }
  ),
  { maxLength: 3 }
).map(list)

const names = FastCheck.constantFrom("a", "b", "list", "map", "nope", "is_empty", "and", "min-in", "_x1")
const keys = FastCheck.string({
  unit: FastCheck.constantFrom("'", '"', " ", "a", "]", ".", "é", "["),
  maxLength: 4
}).filter((key) => !(key.includes("'") && key.includes('"')) && !/["']\]/.test(key))

const brackets: FastCheck.Arbitrary<FieldPath.Step> = FastCheck.oneof(
  FastCheck.integer({ min: -3, max: 3 }).map((index) => ({ key: String(index), index })),
  FastCheck.oneof(keys, names).map((key) => ({ key, index: null }))
)

const parts: FastCheck.Arbitrary<ReadonlyArray<FieldPath.Step>> = FastCheck.oneof(
  names.map((key) => [{ key, index: null }]),
  brackets.map((step) => [step]),
  FastCheck.tuple(names, brackets).map(([key, step]) => [{ key, index: null }, step])
)

const paths: FastCheck.Arbitrary<FieldPath.FieldPath> = FastCheck.array(parts, { maxLength: 3 }).map((rest) => ({
  parts: [[{ key: "data", index: null }], ...rest]
}))

const comparison = (
  operators: ReadonlyArray<Expression.ComparisonOperator>,
  literals: FastCheck.Arbitrary<Literal.Literal>
): FastCheck.Arbitrary<Expression.Expression> =>
  FastCheck.record({ path: paths, operator: FastCheck.constantFrom(...operators), literal: literals }).map(
    (fields): Expression.Expression => ({ _tag: "Comparison", ...fields })
  )

const leaves: FastCheck.Arbitrary<Expression.Expression> = FastCheck.oneof(
  comparison(["==", "!=", "contains", "not_contains"], FastCheck.oneof(elements, lists)),
  comparison([">", ">=", "<", "<=", "starts_with", "ends_with"], FastCheck.oneof(scalars, lists)),
  comparison(["in", "not_in"], FastCheck.oneof(texts.map(Literal.text), lists)),
  FastCheck.record({ path: paths, operator: FastCheck.constantFrom("is_empty" as const, "is_not_empty" as const) }).map(
    (fields): Expression.Expression => ({ _tag: "Emptiness", ...fields })
  ),
  FastCheck.record({ path: paths, source: FastCheck.constantFrom("^a", "b$", "\\d+", "[a-c]{2}", "it's", "^$") }).map(
    ({ path, source }): Expression.Expression => ({ _tag: "Match", path, pattern: Pattern.compile(source, 0) })
  )
)

const { expressions } = FastCheck.letrec<{ expressions: Expression.Expression }>((tie) => ({
  expressions: FastCheck.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaves,
    FastCheck.array(tie("expressions"), { minLength: 2, maxLength: 3 }).map((operands): Expression.Expression => ({
      _tag: "And",
      operands
    })),
    FastCheck.array(tie("expressions"), { minLength: 2, maxLength: 3 }).map((operands): Expression.Expression => ({
      _tag: "Or",
      operands
    })),
    tie("expressions").map((operand): Expression.Expression => ({ _tag: "Not", operand }))
  )
}))

const values = FastCheck.letrec<{ value: unknown }>((tie) => ({
  value: FastCheck.oneof(
    { depthSize: "small" },
    texts,
    FastCheck.integer({ min: -3, max: 3 }),
    FastCheck.constantFrom(null, true, false, 0.5, 100, "a", "ab", "5", "it's", 1e16, 10n ** 16n + 1n, -(2n ** 64n)),
    FastCheck.array(tie("value"), { maxLength: 3 }),
    FastCheck.dictionary(names, tie("value"), { maxKeys: 3 })
  )
})).value

const items = FastCheck.dictionary(names, values, { maxKeys: 5 }).map((data) => ({ data }))

// --- A second evaluator, as short as can be: both sides as plain values, compared as Python compares them ---

class Mismatch extends Error {}

type Comparable =
  | { readonly kind: "number"; readonly number: number | bigint }
  | { readonly kind: "text" | "other"; readonly value: unknown }

const comparable = (value: unknown): Comparable =>
  typeof value === "boolean" || typeof value === "number" || typeof value === "bigint"
    ? { kind: "number", number: typeof value === "bigint" ? value : Number(value) }
    : { kind: typeof value === "string" ? "text" : "other", value }

const plain = (literal: Literal.Literal, beside: unknown): unknown => {
  switch (literal._tag) {
    case "Null":
      return null
    case "Exponent":
      return typeof beside === "number" || typeof beside === "bigint" ? literal.value : literal.source
    case "List":
      return literal.items.map((item, index) => plain(item, Array.isArray(beside) ? beside[index] : undefined))
    default:
      return literal.value
  }
}

const same = (left: unknown, right: unknown): boolean => {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((element, index) => same(element, right[index]))
  }
  const [a, b] = [comparable(left), comparable(right)]
  if (a.kind === "number" || b.kind === "number")
    return a.kind === "number" && b.kind === "number" && compare(a.number, b.number) === 0
  return a.value === b.value
}

const less = (left: unknown, right: unknown): boolean => {
  if (Array.isArray(left) && Array.isArray(right)) {
    const index = left.findIndex((element, index) => index >= right.length || !same(element, right[index]))
    if (index < 0) return left.length < right.length
    return index < right.length && less(left[index], right[index])
  }
  const [a, b] = [comparable(left), comparable(right)]
  if (a.kind === "number" && b.kind === "number") return compare(a.number, b.number) < 0
  if (a.kind !== "text" || b.kind !== "text") throw new Mismatch()
  const [x, y] = [a, b].map(({ value }) => Array.from(String(value), (character) => character.codePointAt(0) ?? 0))
  return less(x, y)
}

const holds = (container: unknown, element: (beside: unknown) => unknown): boolean => {
  if (Array.isArray(container)) return container.some((member) => same(member, element(member)))
  const value = element(undefined)
  if (typeof container === "string" && typeof value === "string") return container.includes(value)
  if (typeof container === "object" && container !== null && !Array.isArray(value)) {
    return typeof value === "string" && Object.keys(container).includes(value)
  }
  throw new Mismatch()
}

const find = (path: FieldPath.FieldPath, item: unknown): unknown =>
  path.parts.flat().reduce((value: unknown, { index, key }) => {
    if (Array.isArray(value)) return index === null ? null : (value[index < 0 ? value.length + index : index] ?? null)
    if (typeof value !== "object" || value === null) return null
    return new Map<string, unknown>(Object.entries(value)).get(key) ?? null
  }, item)

const reference = (expression: Expression.Expression, item: unknown): boolean => {
  if (expression._tag === "Not") return !reference(expression.operand, item)
  if (expression._tag === "And") return expression.operands.every((operand) => reference(operand, item))
  if (expression._tag === "Or") return !expression.operands.every((operand) => !reference(operand, item))
  const field = find(expression.path, item)
  if (expression._tag === "Emptiness") {
    const empty = [null, "", []].some((value) => same(field, value))
    return expression.operator === "is_empty" ? empty : !empty
  }
  if (expression._tag === "Match") {
    // The text forms of other values have tests of their own.
    if (field === null) return false
    return new RegExp(expression.pattern.source).test(
      typeof field === "string" ? field : Literal.pythonText(literalOf(field))
    )
  }
  const { literal, operator } = expression
  const value = plain(literal, field)
  switch (operator) {
    case "==":
      return same(field, value)
    case "!=":
      return !same(field, value)
    case "<":
      return less(field, value)
    case ">=":
      return !less(field, value)
    case ">":
      return less(value, field)
    case "<=":
      return !less(value, field)
    case "contains":
    case "not_contains":
      return holds(field, (member) => plain(literal, member)) === (operator === "contains")
    case "in":
    case "not_in": {
      const members = literal._tag === "List" ? literal.items.map((member) => plain(member, field)) : value
      if (!Array.isArray(members) && typeof field !== "string") throw new Mismatch()
      return holds(members, () => field) === (operator === "in")
    }
    default: {
      if (field === null) return false
      const text = typeof field === "string" ? field : Literal.pythonText(literalOf(field))
      return operator === "starts_with"
        ? text.startsWith(Literal.pythonText(literal))
        : text.endsWith(Literal.pythonText(literal))
    }
  }
}

/** A value of an item as a literal, to write it as Python does; objects, which are no literals, are left out by the property. */
const literalOf = (value: unknown): Literal.Literal => {
  if (typeof value === "string") return Literal.text(value)
  if (typeof value === "number")
    return Number.isInteger(value) ? Literal.integer(String(BigInt(value))) : Literal.float(value)
  if (typeof value === "bigint") return Literal.integer(String(value))
  if (typeof value === "boolean") return { _tag: "Boolean", value }
  if (Array.isArray(value)) return list(value.map(literalOf))
  if (value === null) return { _tag: "Null" }
  throw new Mismatch()
}

const withoutCompiledPatterns = (expression: Expression.Expression): unknown =>
  JSON.parse(
    JSON.stringify(expression, (_, value: unknown) =>
      typeof value === "number" || typeof value === "bigint" ? String(value) : value
    )
  )

const needsTextOfObject = (expression: Expression.Expression, item: unknown): boolean => {
  if (expression._tag === "Not") return needsTextOfObject(expression.operand, item)
  if (expression._tag === "And" || expression._tag === "Or") {
    return expression.operands.some((operand) => needsTextOfObject(operand, item))
  }
  if (expression._tag === "Emptiness" || (expression._tag === "Comparison" && !expression.operator.endsWith("_with")))
    return false
  return ExactJson.stringify(find(expression.path, item)).includes("{")
}

describe("conditions at random", () => {
  it("reading what is printed gives the same expression", () => {
    FastCheck.assert(
      FastCheck.property(expressions, (expression) => {
        const text = Printer.print(expression)
        const condition = Condition.parse(text)
        assert(Either.isRight(condition), text)
        assert.deepStrictEqual(
          withoutCompiledPatterns(condition.right.expression),
          withoutCompiledPatterns(expression),
          text
        )
        assert.strictEqual(Condition.print(condition.right), text)
      }),
      { numRuns: 3_000, seed: 1 }
    )
  })

  it("evaluating agrees with a second evaluator", () => {
    let evaluated = 0
    FastCheck.assert(
      FastCheck.property(expressions, items, (expression, item) => {
        FastCheck.pre(!needsTextOfObject(expression, item))
        const text = Printer.print(expression)
        const condition = Either.getOrThrow(Condition.parse(text))
        const expected = Either.try({
          try: () => reference(expression, item),
          catch: (cause) => {
            if (!(cause instanceof Mismatch)) throw cause
            return "mismatch"
          }
        })
        const actual = Either.mapLeft(Condition.evaluate(condition, item), () => "mismatch")
        if (Either.isRight(actual)) evaluated += 1
        assert.deepStrictEqual(actual, expected, text)
      }),
      { numRuns: 5_000, seed: 2 }
    )
    assert.isAbove(evaluated, 1_000)
  })
})
