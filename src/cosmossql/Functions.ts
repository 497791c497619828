import { RE2JS, RE2JSException } from "re2js"
import { QueryProblem } from "./QueryProblem.ts"
import { isObject, levelsOf, mostLevels, same, type Spend } from "./Values.ts"

/** What functions may use of the query that calls them. */
export interface Work {
  /** Adds to the work of the query. */
  readonly spend: Spend
  /** Epoch milliseconds. */
  readonly now: number
}

type Value = unknown

interface Known {
  readonly least: number
  readonly most: number
  readonly call: (args: ReadonlyArray<Value>, work: Work) => Value
}

/** Why a function can't be called so; undefined when it can. `name` is in capitals. */
export const problemOf = (name: string, count: number): string | undefined => {
  const known = functions.get(name)
  if (known === undefined) return `There is no function ${name} here.`
  return count >= known.least && count <= known.most
    ? undefined
    : `${name} takes ${known.least === known.most ? known.least : `${known.least} to ${known.most}`} expressions.`
}

export const call = (name: string, args: ReadonlyArray<Value>, work: Work): Value => {
  // Whatever is done with a text, it may be looked at as a whole.
  for (const arg of args) if (typeof arg === "string") work.spend(arg.length / 100)
  return functions.get(name)?.call(args, work)
}

/** Functions of texts alone give undefined for anything else. */
const ofTexts = (least: number, most: number, run: (texts: ReadonlyArray<string>, work: Work) => Value): Known => ({
  least,
  most,
  call: (args, work) => (args.every((arg) => typeof arg === "string") ? spent(run(args, work), work) : undefined)
})

const ofText = (run: (text: string) => Value): Known => ofTexts(1, 1, ([text = ""]) => run(text))

const ofNumber = (run: (value: number) => number): Known => ({
  least: 1,
  most: 1,
  call: ([value]) => (typeof value === "number" ? finite(run(value)) : undefined)
})

const ofAny = (run: (value: Value) => Value): Known => ({ least: 1, most: 1, call: ([value]) => run(value) })

const general = (least: number, most: number, run: Known["call"]): Known => ({
  least,
  most,
  call: (args, work) => spent(run(args, work), work)
})

/** Two texts, and whether their case counts. */
const ofPair = (test: (text: string, part: string) => boolean): Known => ({
  least: 2,
  most: 3,
  call: ([text, part, ignoresCase = false]) => {
    if (typeof text !== "string" || typeof part !== "string" || typeof ignoresCase !== "boolean") return undefined
    return ignoresCase ? test(text.toLowerCase(), part.toLowerCase()) : test(text, part)
  }
})

const spent = (value: Value, { spend }: Work): Value => {
  if (typeof value === "string" || Array.isArray(value)) spend(value.length)
  return value
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined)

const isWhole = (value: Value): value is number => typeof value === "number" && Number.isInteger(value)

/** Longest text that a function makes. */
const longest = 10_000

const parsed = (text: string, isRight: (value: Value) => boolean): Value => {
  try {
    const value: unknown = JSON.parse(text)
    return isRight(value) && levelsOf(value) <= mostLevels ? value : undefined
  } catch {
    return undefined
  }
}

const contains = (list: Value, wanted: Value, isPartial: Value, { spend }: Work): Value => {
  if (!Array.isArray(list) || wanted === undefined) return undefined
  return list.some(
    (one: unknown) =>
      same(one, wanted, spend) ||
      (isPartial === true &&
        isObject(one) &&
        isObject(wanted) &&
        Object.entries(wanted).every(([key, value]) => Object.hasOwn(one, key) && same(one[key], value, spend)))
  )
}

const distinct = (values: ReadonlyArray<Value>, { spend }: Work): ReadonlyArray<Value> => {
  const found: Array<Value> = []
  for (const value of values) if (!found.some((one) => same(one, value, spend))) found.push(value)
  return found
}

const slice = (list: ReadonlyArray<Value>, start: number, length: number | undefined): ReadonlyArray<Value> => {
  const from = start < 0 ? Math.max(list.length + start, 0) : start
  return length === undefined ? list.slice(from) : list.slice(from, from + Math.max(length, 0))
}

const matches = (text: string, pattern: string, modifiers: string): boolean | undefined => {
  if (!/^[imsx]*$/.test(modifiers)) return undefined
  const flags =
    (modifiers.includes("i") ? RE2JS.CASE_INSENSITIVE : 0) |
    (modifiers.includes("m") ? RE2JS.MULTILINE : 0) |
    (modifiers.includes("s") ? RE2JS.DOTALL : 0)
  try {
    return RE2JS.compile(modifiers.includes("x") ? pattern.replace(/\s/g, "") : pattern, flags)
      .matcher(text)
      .find()
  } catch (cause) {
    if (cause instanceof RE2JSException)
      throw new QueryProblem(`The pattern of REGEXMATCH can't be used: ${cause.message}`)
    throw cause
  }
}

/** Rounds halves away from zero. */
const round = (value: number, digits: number): number => {
  const scale = 10 ** digits
  return (Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale
}

const functions: ReadonlyMap<string, Known> = new Map<string, Known>([
  // Types
  ["IS_DEFINED", ofAny((value) => value !== undefined)],
  ["IS_NULL", ofAny((value) => value === null)],
  ["IS_BOOL", ofAny((value) => typeof value === "boolean")],
  ["IS_NUMBER", ofAny((value) => typeof value === "number")],
  ["IS_FINITE_NUMBER", ofAny((value) => typeof value === "number" && Number.isFinite(value))],
  ["IS_INTEGER", ofAny(isWhole)],
  ["IS_STRING", ofAny((value) => typeof value === "string")],
  ["IS_ARRAY", ofAny((value) => Array.isArray(value))],
  ["IS_OBJECT", ofAny(isObject)],
  ["IS_PRIMITIVE", ofAny((value) => value === null || ["boolean", "number", "string"].includes(typeof value))],
  ["IIF", general(3, 3, ([test, then, otherwise]) => (test === true ? then : otherwise))],
  // Texts
  ["CONCAT", ofTexts(2, 100, (texts) => texts.join(""))],
  ["CONTAINS", ofPair((text, part) => text.includes(part))],
  ["STARTSWITH", ofPair((text, part) => text.startsWith(part))],
  ["ENDSWITH", ofPair((text, part) => text.endsWith(part))],
  ["STRINGEQUALS", ofPair((text, part) => text === part)],
  ["LENGTH", ofText((text) => text.length)],
  ["LOWER", ofText((text) => text.toLowerCase())],
  ["UPPER", ofText((text) => text.toUpperCase())],
  ["TRIM", ofText((text) => text.trim())],
  ["LTRIM", ofText((text) => text.trimStart())],
  ["RTRIM", ofText((text) => text.trimEnd())],
  ["REVERSE", ofText((text) => [...text].toReversed().join(""))],
  [
    "INDEX_OF",
    general(2, 3, ([text, part, start = 0]) =>
      typeof text === "string" && typeof part === "string" && isWhole(start) ? text.indexOf(part, start) : undefined
    )
  ],
  [
    "LEFT",
    general(2, 2, ([text, count]) =>
      typeof text === "string" && isWhole(count) ? text.slice(0, Math.max(count, 0)) : undefined
    )
  ],
  [
    "RIGHT",
    general(2, 2, ([text, count]) =>
      typeof text === "string" && isWhole(count) ? (count > 0 ? text.slice(-count) : "") : undefined
    )
  ],
  [
    "SUBSTRING",
    general(3, 3, ([text, start, length]) =>
      typeof text === "string" && isWhole(start) && isWhole(length)
        ? text.slice(Math.max(start, 0), Math.max(start, 0) + Math.max(length, 0))
        : undefined
    )
  ],
  [
    "REPLACE",
    ofTexts(3, 3, ([text = "", part = "", other = ""], { spend }) => {
      if (part === "") return text
      const pieces = text.split(part)
      spend(pieces.length * other.length)
      return pieces.join(other)
    })
  ],
  [
    "REPLICATE",
    general(2, 2, ([text, count]) =>
      typeof text === "string" && isWhole(count) && count >= 0 && text.length * count <= longest
        ? text.repeat(count)
        : undefined
    )
  ],
  ["STRINGTONUMBER", ofText((text) => parsed(text.trim(), (value) => typeof value === "number"))],
  ["STRINGTOBOOLEAN", ofText((text) => parsed(text.trim(), (value) => typeof value === "boolean"))],
  ["STRINGTONULL", ofText((text) => parsed(text.trim(), (value) => value === null))],
  ["STRINGTOARRAY", ofText((text) => parsed(text, Array.isArray))],
  ["STRINGTOOBJECT", ofText((text) => parsed(text, isObject))],
  ["STRINGSPLIT", ofTexts(2, 2, ([text = "", part = ""]) => (part === "" ? [text] : text.split(part)))],
  [
    "STRINGJOIN",
    general(2, 2, ([list, between]) =>
      Array.isArray(list) && list.every((one) => typeof one === "string") && typeof between === "string"
        ? list.join(between)
        : undefined
    )
  ],
  [
    "TOSTRING",
    general(1, 1, ([value]) =>
      value === undefined ? undefined : typeof value === "string" ? value : JSON.stringify(value)
    )
  ],
  [
    "REGEXMATCH",
    general(2, 3, ([text, pattern, modifiers = ""], { spend }) => {
      if (typeof text !== "string" || typeof pattern !== "string" || typeof modifiers !== "string") return undefined
      if (pattern.length > 2_000) throw new QueryProblem("The pattern of REGEXMATCH has more than 2000 characters.")
      spend(text.length + 100 * pattern.length)
      return matches(text, pattern, modifiers)
    })
  ],
  // Arrays and objects
  ["ARRAY_LENGTH", ofAny((list) => (Array.isArray(list) ? list.length : undefined))],
  [
    "ARRAY_CONCAT",
    general(2, 100, (lists) => (lists.every((list) => Array.isArray(list)) ? lists.flat(1) : undefined))
  ],
  ["ARRAY_CONTAINS", general(2, 3, ([list, wanted, isPartial], work) => contains(list, wanted, isPartial, work))],
  [
    "ARRAY_CONTAINS_ANY",
    general(2, 100, ([list, ...wanted], work) =>
      Array.isArray(list) ? wanted.some((one) => contains(list, one, false, work) === true) : undefined
    )
  ],
  [
    "ARRAY_CONTAINS_ALL",
    general(2, 100, ([list, ...wanted], work) =>
      Array.isArray(list) ? wanted.every((one) => contains(list, one, false, work) === true) : undefined
    )
  ],
  [
    "ARRAY_SLICE",
    general(2, 3, ([list, start, length]) =>
      Array.isArray(list) && isWhole(start) && (length === undefined || isWhole(length))
        ? slice(list, start, length)
        : undefined
    )
  ],
  [
    "SETUNION",
    general(2, 2, ([left, right], work) =>
      Array.isArray(left) && Array.isArray(right) ? distinct([...left, ...right], work) : undefined
    )
  ],
  [
    "SETINTERSECT",
    general(2, 2, ([left, right], work) => {
      if (!Array.isArray(left) || !Array.isArray(right)) return undefined
      return distinct(
        left.filter((one) => right.some((other) => same(one, other, work.spend))),
        work
      )
    })
  ],
  ["CHOOSE", general(2, 100, ([index, ...values]) => (isWhole(index) ? values[index - 1] : undefined))],
  [
    "OBJECTTOARRAY",
    general(1, 3, ([value, key = "k", name = "v"]) =>
      isObject(value) && typeof key === "string" && typeof name === "string"
        ? Object.entries(value).map(([k, v]) => ({ [key]: k, [name]: v }))
        : undefined
    )
  ],
  // Numbers
  ["ABS", ofNumber(Math.abs)],
  ["CEILING", ofNumber(Math.ceil)],
  ["FLOOR", ofNumber(Math.floor)],
  ["TRUNC", ofNumber(Math.trunc)],
  ["SIGN", ofNumber(Math.sign)],
  ["SQRT", ofNumber(Math.sqrt)],
  ["SQUARE", ofNumber((value) => value * value)],
  ["EXP", ofNumber(Math.exp)],
  ["LOG10", ofNumber(Math.log10)],
  [
    "LOG",
    general(1, 2, ([value, base]) =>
      typeof value !== "number" || (base !== undefined && typeof base !== "number")
        ? undefined
        : finite(base === undefined ? Math.log(value) : Math.log(value) / Math.log(base))
    )
  ],
  [
    "POWER",
    general(2, 2, ([value, exponent]) =>
      typeof value === "number" && typeof exponent === "number" ? finite(value ** exponent) : undefined
    )
  ],
  [
    "ROUND",
    general(1, 2, ([value, digits = 0]) =>
      typeof value === "number" && isWhole(digits) ? finite(round(value, digits)) : undefined
    )
  ],
  ["PI", general(0, 0, () => Math.PI)],
  // Time
  ["GETCURRENTDATETIME", general(0, 0, (_, { now }) => new Date(now).toISOString().replace("Z", "0000Z"))],
  ["GETCURRENTTIMESTAMP", general(0, 0, (_, { now }) => now)]
])
