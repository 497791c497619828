import { randomUUID } from "node:crypto"

/**
 * JSON that rounds no whole number: one beyond 2^53 is read as a bigint, and a bigint is written as its digits. Python, which shares our
 * messages and outputs, has no other integers. Texts and values without such numbers take the runtime's own way.
 */

/** Python reads no more digits either: the time that they take grows with their square. */
const mostDigits = 4_300

/** Reads a JSON text. Throws `SyntaxError`. */
export const parse = (text: string): unknown => {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  // A mark that the text cannot hold tells the numbers from its own strings.
  const mark = `${randomUUID()}:`
  const marked = withMarkedIntegers(text, mark)
  if (marked === undefined) return JSON.parse(text)
  let value: unknown
  try {
    value = JSON.parse(marked)
  } catch {
    // Its mistake is told in its own words and places.
    return JSON.parse(text)
  }
  return unmarked(value, mark)
}

/** Writes a value as JSON. Throws where `JSON.stringify` does, bigints aside. */
export const stringify = (value: unknown, space?: number): string => {
  try {
    return JSON.stringify(value, null, space)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
  const mark = `${randomUUID()}:`
  const written = JSON.stringify(
    value,
    (_, each: unknown) => (typeof each === "bigint" ? `${mark}${each}` : each),
    space
  )
  return written.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1")
}

/** The text with each whole number beyond 2^53 as a string behind the mark; undefined when there is none. */
const withMarkedIntegers = (text: string, mark: string): string | undefined => {
  const digits = /\d{16,}/g
  const parts: Array<string> = []
  let copied = 0
  /** Behind the last string. */
  let at = 0
  let quote = text.indexOf('"')
  for (let run = digits.exec(text); run !== null; run = digits.exec(text)) {
    // Strings that begin before the digits are passed over, and the digits with them where they are inside.
    while (quote !== -1 && quote < run.index) {
      at = endOfString(text, quote)
      quote = text.indexOf('"', at)
    }
    if (run.index < at) {
      digits.lastIndex = at
      continue
    }
    const end = run.index + run[0].length
    const start = text[run.index - 1] === "-" ? run.index - 1 : run.index
    if (!isInteger(text, start, end, run[0]) || Number.isSafeInteger(Number(run[0]))) continue
    if (run[0].length > mostDigits) throw new SyntaxError(`A number has more than ${mostDigits} digits`)
    parts.push(text.slice(copied, start), `"${mark}${text.slice(start, end)}"`)
    copied = end
  }
  if (parts.length === 0) return undefined
  parts.push(text.slice(copied))
  return parts.join("")
}

/** The index behind the string that begins at `quote`. */
const endOfString = (text: string, quote: number): number => {
  for (let end = text.indexOf('"', quote + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text[end - 1 - escapes] === "\\") escapes++
    if (escapes % 2 === 0) return end + 1
  }
  return text.length
}

/** Whether the digits are a whole number, and neither a part of another nor a key, which must stay the mistake that it is. */
const isInteger = (text: string, start: number, end: number, digits: string): boolean => {
  if (digits.startsWith("0") || /[.eE+\w]/.test(text[start - 1] ?? "") || /[.\w]/.test(text[end] ?? "")) return false
  let next = end
  while (/[ \t\r\n]/.test(text[next] ?? "")) next++
  return text[next] !== ":"
}

/** The parsed value with its marked strings as bigints, changed in place: it has not been handed out yet. */
const unmarked = (value: unknown, mark: string): unknown => {
  const read = (each: unknown): unknown =>
    typeof each === "string" && each.startsWith(mark) ? BigInt(each.slice(mark.length)) : each
  const open: Array<unknown> = [value]
  while (open.length > 0) {
    const container = open.pop()
    if (Array.isArray(container)) {
      for (let index = 0; index < container.length; index++) {
        const each: unknown = container[index]
        if (typeof each === "object") open.push(each)
        else container[index] = read(each)
      }
    } else if (isFields(container)) {
      // Parsed JSON inherits no keys.
      for (const key in container) {
        const each = container[key]
        if (typeof each === "object") open.push(each)
        else if (typeof each === "string") container[key] = read(each)
      }
    }
  }
  return read(value)
}

const isFields = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null
