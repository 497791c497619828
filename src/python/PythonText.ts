/**
 * Text as Python sees it. Conditions were written for a Python worker, so white space, the order of texts and the text
 * form of other values follow CPython; stored pipelines compare against them.
 */

/** White space as `str.strip()` and `\s` know it: JavaScript's own set differs in `\x1c`-`\x1f`, `\x85` and `\ufeff`. */
export const whiteSpaceRanges: ReadonlyArray<readonly [from: number, to: number]> = [
  [0x09, 0x0d],
  [0x1c, 0x20],
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000]
]

/** Whether the character at `index` exists and is white space. */
export const isSpaceAt = (text: string, index: number): boolean => {
  const code = text.charCodeAt(index)
  if (code > 0x20 && code < 0x85) return false
  return whiteSpaceRanges.some(([from, to]) => code >= from && code <= to)
}

/** The first index at or after `index` that is not white space. */
export const skipSpace = (text: string, index: number): number => {
  let at = index
  while (isSpaceAt(text, at)) at += 1
  return at
}

/** `text` without the white space at its end. */
export const trimEnd = (text: string): string => {
  let end = text.length
  while (isSpaceAt(text, end - 1)) end -= 1
  return text.slice(0, end)
}

/** Negative, zero or positive, by code point: JavaScript's `<` orders U+1F600 before U+FF5E, Python after. */
export const compareByCodePoint = (left: string, right: string): number => {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    // Surrogates are lifted above U+E000-U+FFFF: what they encode lies beyond all of these.
    if (a !== b) return lift(a) - lift(b)
  }
  return left.length - right.length
}

/** Deeper values are written as Python writes a list that contains itself, so that no document can exhaust the stack. */
const maxDepth = 100

/** `str(value)` of a JSON value. A JSON number without a fraction is taken for an integer: `5.0` cannot be told from `5`. */
export const ofValue = (value: unknown): string =>
  typeof value === "string" ? value : represent(value, 0, { left: maxValues })

/** Values of one text, those that are shared counted as often as they are written: more would not fit into it. */
const maxValues = 50_000_000

/** `repr` of a float: always with a point or an exponent. */
export const ofFloat = (value: number): string => {
  if (Number.isNaN(value)) return "nan"
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf"
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2")
  }
  if (Object.is(value, -0)) return "-0.0"
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

/** `repr` of a list whose elements are written already. */
export const ofList = (elements: ReadonlyArray<string>): string => `[${elements.join(", ")}]`

/** `repr` of a text: quoted, with escapes for what cannot be printed. */
export const quote = (text: string): string => {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = text.replace(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, (character) => {
    if (character === "\\" || character === mark) return `\\${character}`
    if (character === "'" || character === '"') return character
    const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character]
    if (named !== undefined) return named
    const code = character.codePointAt(0) ?? 0
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`
  })
  return mark + body + mark
}

const lift = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

const represent = (value: unknown, depth: number, budget: { left: number }): string => {
  budget.left -= 1
  switch (typeof value) {
    case "string":
      return quote(value)
    case "boolean":
      return value ? "True" : "False"
    case "number":
      return Number.isInteger(value) ? String(value === 0 ? 0 : value) : ofFloat(value)
    case "bigint":
      return String(value)
    default:
  }
  if (Array.isArray(value)) {
    if (depth >= maxDepth || budget.left < 0) return "[...]"
    return ofList(value.map((element: unknown) => represent(element, depth + 1, budget)))
  }
  if (value instanceof Date) return quote(value.toISOString())
  if (typeof value !== "object" || value === null) return "None"
  if (depth >= maxDepth || budget.left < 0) return "{...}"
  const entries = Object.entries(value).map(([key, entry]) => `${quote(key)}: ${represent(entry, depth + 1, budget)}`)
  return `{${entries.join(", ")}}`
}
