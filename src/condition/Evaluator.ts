import type * as Expression from "./Expression.ts"
import * as FieldPath from "./FieldPath.ts"
import * as Limits from "./Limits.ts"
import * as Literal from "./Literal.ts"
import * as PythonNumber from "../python/PythonNumber.ts"
import * as PythonText from "../python/PythonText.ts"

/** Thrown inside the evaluator, and turned into a `ConditionEvaluationError` by the one function that starts it. */
export class EvaluationProblem extends Error {
  readonly path: string
  readonly operator: Expression.Operator
  readonly fieldType: string
  readonly literalType: string
  readonly advice: string

  constructor(
    path: FieldPath.FieldPath,
    operator: Expression.Operator,
    fieldType: string,
    literalType: string,
    advice: string
  ) {
    super(advice)
    this.path = FieldPath.print(path)
    this.operator = operator
    this.fieldType = fieldType
    this.literalType = literalType
    this.advice = advice
  }
}

/**
 * The truth of `expression` for `item`. Comparisons are made from left to right, and not at all once the result is
 * known. Values compare as in Python: true equals 1, texts are ordered by code point, lists element by element.
 *
 * @throws EvaluationProblem
 */
export const evaluate = (expression: Expression.Expression, item: unknown): boolean =>
  new Evaluation(item).evaluate(expression)

/** One evaluation: it keeps the text form of objects and lists, and how much searching is still allowed. */
class Evaluation {
  private readonly item: unknown
  private readonly texts = new Map<unknown, string>()
  private searchWork = Limits.maxSearchWork

  constructor(item: unknown) {
    this.item = item
  }

  evaluate(expression: Expression.Expression): boolean {
    switch (expression._tag) {
      case "And":
        return expression.operands.every((operand) => this.evaluate(operand))
      case "Or":
        return expression.operands.some((operand) => this.evaluate(operand))
      case "Not":
        return !this.evaluate(expression.operand)
      case "Emptiness":
        return isEmpty(this.field(expression)) === (expression.operator === "is_empty")
      case "Match":
        return this.match(expression, this.field(expression))
      default:
        return this.compare(expression, this.field(expression))
    }
  }

  private field({ path }: Expression.Comparison | Expression.Emptiness | Expression.Match): unknown {
    return FieldPath.lookUp(path, this.item)
  }

  private compare(comparison: Expression.Comparison, field: unknown): boolean {
    const { literal, operator } = comparison
    switch (operator) {
      case "==":
        return equals(field, literal)
      case "!=":
        return !equals(field, literal)
      case ">":
        return order(comparison, field, literal) > 0
      case ">=":
        return order(comparison, field, literal) >= 0
      case "<":
        return order(comparison, field, literal) < 0
      case "<=":
        return order(comparison, field, literal) <= 0
      case "contains":
        return contains(comparison, field)
      case "not_contains":
        return !contains(comparison, field)
      case "in":
        return isIn(comparison, field)
      case "not_in":
        return !isIn(comparison, field)
      // The original reads a missing value as the text "None"; a value that is not there starts and ends with nothing.
      case "starts_with":
        return field !== null && this.text(field).startsWith(Literal.pythonText(literal))
      default:
        return field !== null && this.text(field).endsWith(Literal.pythonText(literal))
    }
  }

  private match({ path, pattern }: Expression.Match, field: unknown): boolean {
    if (field === null) return false
    const text = this.text(field)
    this.searchWork -= pattern.size * text.length
    if (this.searchWork < 0) {
      const advice = `its ${text.length} characters are too many to search for this pattern: write a shorter pattern, or match a shorter field`
      throw new EvaluationProblem(path, "regex_match", typeOf(field), "text", advice)
    }
    return pattern.test(text)
  }

  private text(field: unknown): string {
    if (typeof field === "string") return field
    const text = this.texts.get(field) ?? PythonText.ofValue(field)
    this.texts.set(field, text)
    return text
  }
}

const isEmpty = (field: unknown): boolean =>
  field === null || field === "" || (Array.isArray(field) && field.length === 0)

const equals = (field: unknown, literal: Literal.Literal): boolean => {
  switch (literal._tag) {
    case "Text":
      return field === literal.value
    case "Exponent":
      return PythonNumber.isNumber(field) ? PythonNumber.compare(field, literal.value) === 0 : field === literal.source
    case "Number": {
      const number = typeof field === "boolean" ? Number(field) : field
      return PythonNumber.isNumber(number) && PythonNumber.compare(number, literal.value) === 0
    }
    case "Boolean":
      return typeof field === "number" ? field === Number(literal.value) : field === literal.value
    case "Null":
      return field === null || field === undefined
    default:
      return (
        Array.isArray(field) &&
        field.length === literal.items.length &&
        literal.items.every((item, index) => equals(field[index], item))
      )
  }
}

/** Negative, zero or positive; NaN where a number is not one, which is neither. */
const order = (comparison: Expression.Comparison, field: unknown, literal: Literal.Literal): number => {
  if (literal._tag === "List" && Array.isArray(field)) {
    for (const [index, item] of literal.items.entries()) {
      if (index >= field.length) return -1
      if (!equals(field[index], item)) return order(comparison, field[index], item)
    }
    return field.length - literal.items.length
  }
  const fieldNumber = typeof field === "boolean" ? Number(field) : field
  const literalNumber = numberOf(literal)
  if (PythonNumber.isNumber(fieldNumber) && literalNumber !== undefined) {
    return PythonNumber.compare(fieldNumber, literalNumber)
  }
  const literalText = textOf(literal)
  if (typeof field === "string" && literalText !== undefined) return PythonText.compareByCodePoint(field, literalText)
  throw problem(comparison, field, literal, "only two numbers, two texts or two lists have an order")
}

const contains = (comparison: Expression.Comparison, field: unknown): boolean => {
  const { literal } = comparison
  if (Array.isArray(field)) return field.some((element) => equals(element, literal))
  const text = textOf(literal)
  if (typeof field === "string" && text !== undefined) return field.includes(text)
  if (FieldPath.isMapping(field) && literal._tag !== "List") return text !== undefined && Object.hasOwn(field, text)
  throw problem(comparison, field, literal, "a text contains texts, a list contains values, an object contains keys")
}

const isIn = (comparison: Expression.Comparison, field: unknown): boolean => {
  const { literal } = comparison
  if (literal._tag === "List") return literal.items.some((item) => equals(field, item))
  const text = textOf(literal)
  if (typeof field === "string" && text !== undefined) return text.includes(field)
  throw problem(comparison, field, literal, "a value is in a list such as ['a', 1], and a text also in a text")
}

const numberOf = (literal: Literal.Literal): number | bigint | undefined =>
  literal._tag === "Number" || literal._tag === "Exponent"
    ? literal.value
    : literal._tag === "Boolean"
      ? Number(literal.value)
      : undefined

const textOf = (literal: Literal.Literal): string | undefined =>
  literal._tag === "Text" ? literal.value : literal._tag === "Exponent" ? literal.source : undefined

const problem = (
  { operator, path }: Expression.Comparison,
  field: unknown,
  literal: Literal.Literal,
  advice: string
): EvaluationProblem => new EvaluationProblem(path, operator, typeOf(field), literalTypes[literal._tag], advice)

const typeOf = (field: unknown): string => {
  if (field === null || field === undefined) return "null"
  if (Array.isArray(field)) return "list"
  if (typeof field === "string") return "text"
  return typeof field === "bigint" ? "number" : typeof field
}

const literalTypes = {
  Text: "text",
  Number: "number",
  Exponent: "number",
  Boolean: "boolean",
  Null: "null",
  List: "list"
}
