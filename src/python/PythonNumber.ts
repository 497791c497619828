import { strip } from "./PythonStrings.ts"

/** Python reads no longer whole number from a text. */
const mostDigits = 4300

/** A number as Python counts: whole ones beyond 2^53 are bigints. */
export const isNumber = (value: unknown): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint"

/**
 * Negative, zero or positive; NaN where one of them is not a number. Bigints compare by all their digits. A number beyond 2^53 may have been
 * rounded by its source, such as a database, and so is a bigint that it is compared with.
 */
export const compare = (left: number | bigint, right: number | bigint): number =>
  typeof left === typeof right ? order(left, right) : order(Number(left), Number(right))

const order = (left: number | bigint, right: number | bigint): number =>
  left < right ? -1 : left > right ? 1 : left === right ? 0 : Number.NaN

/** What `int(text)` gives: white space around, a sign, digits of any script, single underscores between them. */
export const integerOf = (text: string): bigint | undefined => {
  const plain = asciiDigits(strip(text))
  return plain.length <= mostDigits && /^[+-]?\d+(?:_\d+)*$/.test(plain)
    ? BigInt(plain.replaceAll("_", "").replace("+", ""))
    : undefined
}

/** What `float(text)` gives, with `nan`, `inf` and `infinity`; too large a number is infinite. */
export const floatOf = (text: string): number | undefined => {
  const plain = asciiDigits(strip(text))
  if (decimal.test(plain)) return Number(plain.replaceAll("_", ""))
  const special = /^([+-]?)(nan|inf|infinity)$/i.exec(plain)
  if (special === null) return undefined
  if (special[2]?.toLowerCase() === "nan") return Number.NaN
  return special[1] === "-" ? -Infinity : Infinity
}

/** `round(value, 2)`: what lies exactly between two hundredths goes to the even one. */
export const roundToHundredths = (value: number): number => {
  const isTie = Number.isInteger(value * 8) && !Number.isInteger(value * 4)
  if (!isTie) return Math.abs(value) < 1e21 ? Number(value.toFixed(2)) : value
  const below = Math.floor(value * 100)
  return (below % 2 === 0 ? below : below + 1) / 100
}

/** `sum(values)` of Python 3.12 and later: with Neumaier's compensation of what rounding loses. */
export const sum = (values: ReadonlyArray<number>): number => {
  let total = 0
  let lost = 0
  for (const value of values) {
    const next = total + value
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total
    total = next
  }
  return Number.isFinite(lost) ? total + lost : total
}

const decimal = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/

const asciiDigits = (text: string): string =>
  /[^\0-\x7f]/.test(text) ? text.replaceAll(/\p{Nd}/gu, (digit) => String(digitValue(digit.codePointAt(0) ?? 0))) : text

/** Unicode has the digits of a script in a row, zero first; some rows follow each other without a gap. */
const digitValue = (codePoint: number): number => {
  let first = codePoint
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1
  return (codePoint - first) % 10
}
