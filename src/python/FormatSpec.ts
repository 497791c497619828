import { isNumber } from "./PythonNumber.ts"
import * as PythonText from "./PythonText.ts"
import { firstCharacters } from "./PythonStrings.ts"
import { countCodePoints } from "./CodePoints.ts"

/** No field of a text is made wider or more precise than this. */
const widest = 1000

const grammar = /^(?:(.)?([<>=^]))?([ +-])?(#)?(0)?(\d{1,4})?([,_])?(?:\.(\d{1,3}))?([bcdeEfFgGoxXs%])?$/su

/** What Python's `format(value, spec)` gives for texts, numbers and booleans; undefined where Python refuses, or beyond the bounds. */
export const formatValue = (value: unknown, spec: string): string | undefined => {
  if (spec === "") return PythonText.ofValue(value)
  const parts = grammar.exec(spec)
  if (parts === null) return undefined
  const [, fill, align, sign, alternate, zero, width = "0", grouping, precision, type] = parts
  if (Number(width) > widest || Number(precision ?? 0) > 100) return undefined
  const padding = fill ?? (zero === undefined ? " " : "0")
  if (typeof value === "string") {
    if (![undefined, "s"].includes(type) || sign !== undefined || grouping !== undefined || align === "=")
      return undefined
    const cut = precision === undefined ? value : firstCharacters(value, Number(precision))
    return pad("", cut, padding, align ?? "<", Number(width))
  }
  const number = typeof value === "boolean" ? Number(value) : value
  if (!isNumber(number) || (typeof number === "number" && !Number.isFinite(number))) return undefined
  const digits = digitsOf(sizeOf(number), type, precision, alternate !== undefined)
  if (digits === undefined) return undefined
  const isNegative = number < 0 || Object.is(number, -0)
  const prefix = isNegative ? "-" : sign === undefined || sign === "-" ? "" : sign
  const grouped = grouping === undefined ? digits : group(digits, grouping)
  return pad(prefix, grouped, padding, align ?? (zero === undefined ? ">" : "="), Number(width))
}

const sizeOf = (number: number | bigint): number | bigint =>
  typeof number === "number" ? Math.abs(number) : number < 0n ? -number : number

const digitsOf = (
  number: number | bigint,
  type: string | undefined,
  precision: string | undefined,
  alternate: boolean
): string | undefined => {
  if (typeof number === "bigint") {
    if (type === undefined || "bcdoxX".includes(type)) {
      return precision === undefined ? wholeNumber(number, type ?? "d", alternate) : undefined
    }
    // Python makes a float of it, and refuses one that is too large.
    if (!Number.isFinite(Number(number))) return undefined
  }
  const size = Number(number)
  const isInteger = Number.isInteger(size)
  const places = precision === undefined ? 6 : Number(precision)
  switch (type) {
    case "f":
    case "F":
      return fixed(size, places)
    case "%":
      return `${fixed(size * 100, places)}%`
    case "e":
    case "E":
      return exponent(size.toExponential(places), type === "E")
    case "g":
    case "G":
      return general(size, Math.max(places, 1), type === "G")
    case undefined:
      if (precision !== undefined) return isInteger ? undefined : general(size, Math.max(places, 1), false)
      return isInteger ? BigInt(size).toString() : PythonText.ofFloat(size)
    default:
      return precision === undefined && isInteger ? wholeNumber(BigInt(size), type, alternate) : undefined
  }
}

const wholeNumber = (digits: bigint, type: string, alternate: boolean): string | undefined => {
  switch (type) {
    case "d":
      return digits.toString()
    case "b":
      return `${alternate ? "0b" : ""}${digits.toString(2)}`
    case "o":
      return `${alternate ? "0o" : ""}${digits.toString(8)}`
    case "x":
      return `${alternate ? "0x" : ""}${digits.toString(16)}`
    case "X":
      return `${alternate ? "0X" : ""}${digits.toString(16).toUpperCase()}`
    case "c":
      return digits <= 0x10ffffn ? String.fromCodePoint(Number(digits)) : undefined
    default:
      return undefined
  }
}

/** `toFixed` sends what lies exactly between two numbers up, Python sends it to the even one. */
const fixed = (size: number, places: number): string => {
  const text = size >= 1e21 ? `${BigInt(size)}${places > 0 ? `.${"0".repeat(places)}` : ""}` : size.toFixed(places)
  const exact = size >= 1e21 || places > 70 ? "" : size.toFixed(places + 30).slice(-30)
  if (!/^50+$/.test(exact)) return text
  const below = size
    .toFixed(places + 30)
    .slice(0, -30)
    .replace(/\.$/, "")
  return /[02468]$/.test(below) ? below : text
}

const exponent = (text: string, upper: boolean): string => {
  const padded = text.replace(/e([+-])(\d)$/, "e$10$2")
  return upper ? padded.toUpperCase() : padded
}

const general = (size: number, significant: number, upper: boolean): string => {
  if (size === 0) return "0"
  const power = Number(/e([+-]\d+)$/.exec(size.toExponential(significant - 1))?.[1] ?? 0)
  if (power < -4 || power >= significant) {
    const [mantissa = "", rest = ""] = size.toExponential(significant - 1).split("e")
    return exponent(`${trimZeros(mantissa)}e${rest}`, upper)
  }
  return trimZeros(fixed(size, significant - 1 - power))
}

const trimZeros = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text)

const group = (digits: string, separator: string): string =>
  digits.replace(/^\d+/, (whole) => whole.replaceAll(/\B(?=(\d{3})+$)/g, separator))

const pad = (prefix: string, body: string, fill: string, align: string, width: number): string => {
  const missing = Math.max(width - countCodePoints(prefix) - countCodePoints(body), 0)
  switch (align) {
    case "<":
      return prefix + body + fill.repeat(missing)
    case "^":
      return fill.repeat(Math.floor(missing / 2)) + prefix + body + fill.repeat(Math.ceil(missing / 2))
    case "=":
      return prefix + fill.repeat(missing) + body
    default:
      return fill.repeat(missing) + prefix + body
  }
}
