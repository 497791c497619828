import * as PythonText from "../python/PythonText.ts"

/** The value on the right of an operator. */
export type Literal = Text | Number_ | Exponent | Boolean_ | Null | List

export interface Text {
  readonly _tag: "Text"
  readonly value: string
}

/** `text` is what Python writes for the number: `5` and `5.0` are equal, but differ beside `starts_with`. */
export interface Number_ {
  readonly _tag: "Number"
  /** A bigint where a number would round it. */
  readonly value: number | bigint
  readonly text: string
}

/**
 * A number such as `1e2`, without a point. The original takes it for a text, so it is a number only beside numbers and
 * the text `source` beside everything else.
 */
export interface Exponent {
  readonly _tag: "Exponent"
  readonly value: number
  readonly source: string
}

export interface Boolean_ {
  readonly _tag: "Boolean"
  readonly value: boolean
}

export interface Null {
  readonly _tag: "Null"
}

export interface List {
  readonly _tag: "List"
  readonly items: ReadonlyArray<Literal>
}

export const text = (value: string): Text => ({ _tag: "Text", value })

/** The whole number that these digits say. */
export const integer = (digits: string): Number_ => {
  const exact = BigInt(digits.replace("+", ""))
  const value = Number(exact)
  return { _tag: "Number", value: Number.isSafeInteger(value) ? value : exact, text: String(exact) }
}

export const float = (value: number): Number_ => ({ _tag: "Number", value, text: PythonText.ofFloat(value) })

/**
 * What an unquoted word or run of words means, by the original's rules: `true`/`false` and `null`/`none` in any case,
 * then numbers (any decimal digits, `_` between digits), else a text. `1e2` is ours.
 */
export const ofBareText = (source: string): Literal => {
  switch (source.toLowerCase()) {
    case "true":
      return { _tag: "Boolean", value: true }
    case "false":
      return { _tag: "Boolean", value: false }
    case "null":
    case "none":
      return { _tag: "Null" }
    default:
      return ofNumber(source) ?? text(source)
  }
}

/** How Python writes the literal as a text; a text is written as it is. */
export const pythonText = (literal: Literal): string =>
  literal._tag === "Text" ? literal.value : literal._tag === "Exponent" ? literal.source : represent(literal)

/** CPython refuses longer integers, so the original reads them as texts. */
const maxDigits = 4_300

const integerPattern = /^[+-]?\d+(?:_\d+)*$/
const floatPattern = /^[+-]?(?:\d+(?:_\d+)*\.(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/
const exponentPattern = /^[+-]?\d+(?:_\d+)*[eE][+-]?\d+(?:_\d+)*$/

const ofNumber = (source: string): Number_ | Exponent | undefined => {
  const digits = source.replace(/(?!\d)\p{Nd}/gu, asciiDigit)
  const plain = digits.replaceAll("_", "")
  if (integerPattern.test(digits)) return plain.length > maxDigits ? undefined : integer(plain)
  if (floatPattern.test(digits)) return float(Number(plain))
  if (exponentPattern.test(digits)) return { _tag: "Exponent", value: Number(plain), source }
  return undefined
}

/** Unicode keeps the ten digits of a script in a row, so the place in the row is the value. */
const asciiDigit = (digit: string): string => {
  const code = digit.codePointAt(0) ?? 0
  let first = code
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1
  return String((code - first) % 10)
}

const represent = (literal: Literal): string => {
  switch (literal._tag) {
    case "Text":
      return PythonText.quote(literal.value)
    case "Number":
      return literal.text
    case "Exponent":
      return PythonText.quote(literal.source)
    case "Boolean":
      return literal.value ? "True" : "False"
    case "Null":
      return "None"
    default:
      return PythonText.ofList(literal.items.map(represent))
  }
}
