import type * as Expression from "./Expression.ts"
import * as FieldPath from "./FieldPath.ts"
import * as Literal from "./Literal.ts"
import * as LiteralScanner from "./LiteralScanner.ts"

/** The expression with parentheses around every group; reading it again gives the same expression. */
export const print = (expression: Expression.Expression): string => {
  switch (expression._tag) {
    case "And":
      return `(${expression.operands.map(print).join(" and ")})`
    case "Or":
      return `(${expression.operands.map(print).join(" or ")})`
    case "Not":
      return `not (${print(expression.operand)})`
    case "Emptiness":
      return `${FieldPath.print(expression.path)} ${expression.operator}`
    case "Comparison":
      return `${FieldPath.print(expression.path)} ${expression.operator} ${printLiteral(expression.literal)}`
    default:
      return `${FieldPath.print(expression.path)} regex_match ${printText(expression.pattern.source)}`
  }
}

const printLiteral = (literal: Literal.Literal): string => {
  switch (literal._tag) {
    case "Text":
      return printText(literal.value)
    case "Number":
      return printNumber(literal)
    case "Exponent":
      return literal.source
    case "Boolean":
      return String(literal.value)
    case "Null":
      return "null"
    default:
      return `[${literal.items.map(printLiteral).join(", ")}]`
  }
}

const printNumber = ({ text, value }: Literal.Number_): string => {
  if (/^-?\d+$/.test(text)) return text
  if (!Number.isFinite(value)) return value > 0 ? "1.0e999" : "-1.0e999"
  return text.includes(".") ? text : text.replace("e", ".0e")
}

/**
 * In the quotes that the text does not hold; if it holds both kinds, in the first in which it is read as the same text: a
 * quote in it may look like its end, where a comparison seems to follow.
 */
const printText = (value: string): string => {
  const forms = marks.map((mark) => mark + value.replaceAll(mark, `\\${mark}`) + mark)
  const plain = marks.findIndex((mark) => !value.includes(mark))
  return forms[plain] ?? forms.find((form) => isReadAs(form, value)) ?? forms[0] ?? ""
}

const marks = ["'", '"']

const isReadAs = (form: string, value: string): boolean => {
  const { bare, literal } = LiteralScanner.scan(`${form})`, 0, 1)
  return !bare && literal._tag === "Text" && literal.value === value
}
