import * as Limits from "./Limits.ts"
import { SyntaxProblem, excerpt } from "./SyntaxProblem.ts"

/**
 * One step from a value into what it contains. `index` is set for an unquoted number in brackets: on a list it counts
 * from 0 (or from the end when negative), on an object `key` is looked up.
 */
export interface Step {
  readonly key: string
  readonly index: number | null
}

/** A field path; each part holds one or two steps, `chunks[0]` being one part. */
export interface FieldPath {
  readonly parts: ReadonlyArray<ReadonlyArray<Step>>
}

/** The value that `path` leads to in `item`, or null where a step finds nothing. Only own properties are followed. */
export const lookUp = (path: FieldPath, item: unknown): unknown => {
  let value: unknown = item
  for (const part of path.parts) {
    for (const step of part) {
      if (Array.isArray(value)) {
        value = step.index === null ? null : value.at(step.index)
      } else if (isMapping(value)) {
        value = Object.hasOwn(value, step.key) ? value[step.key] : null
      } else {
        return null
      }
    }
  }
  return value ?? null
}

/** Whether `value` is an object with keys, as a JSON object is. */
export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !ArrayBuffer.isView(value)

/** The path as it is written; reading it again gives the same path. */
export const print = (path: FieldPath): string => path.parts.map((part) => part.map(printStep).join("")).join(".")

/** Reads the path that starts at `start`; `end` is the index behind it. */
export const scan = (text: string, start: number): { readonly path: FieldPath; readonly end: number } => {
  const parts: Array<ReadonlyArray<Step>> = []
  let at = start
  for (;;) {
    const part: Array<Step> = []
    const name = match(namePattern, text, at)
    if (name !== undefined) {
      part.push({ key: name, index: null })
      at += name.length
    }
    if (text[at] === "[") {
      const bracket = scanBracket(text, at)
      part.push(bracket.step)
      at = bracket.end
      if (text[at] === "[") {
        throw new SyntaxProblem(
          at,
          `A part of a field path takes one bracket: write a dot before the next one, as in ${excerpt(
            `${text.slice(start, at)}.[0]`
          )}`
        )
      }
    }
    if (part.length === 0) throw emptyPart(text, start, at)
    parts.push(part)
    if (parts.length > Limits.maxPathParts) {
      throw new SyntaxProblem(start, `A field path has at most ${Limits.maxPathParts} parts: this one is longer`)
    }
    if (text[at] !== ".") return { path: { parts }, end: at }
    at += 1
  }
}

/** Whether a path can start at `index`. */
export const startsAt = (text: string, index: number): boolean =>
  text[index] === "[" || match(namePattern, text, index) !== undefined

const namePattern = /[A-Za-z_][A-Za-z0-9_-]*/y

const match = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

const emptyPart = (text: string, start: number, at: number): SyntaxProblem => {
  const before = text.slice(start, at - 1)
  const digits = match(/\d+/y, text, at)
  if (at > start && digits !== undefined) {
    return new SyntaxProblem(
      at,
      `A name does not start with a digit: write ${excerpt(`${before}[${digits}]`)} for an element of a list, or ${excerpt(
        `${before}['${digits}']`
      )} for a key`
    )
  }
  return new SyntaxProblem(
    at,
    "Expected a field name: ASCII letters, digits, `_` and `-`, starting with a letter or `_`; other names are written as a quoted key, such as data['net total']"
  )
}

const scanBracket = (text: string, open: number): { readonly step: Step; readonly end: number } => {
  const number = match(/\[-?\d+\]/y, text, open)
  if (number !== undefined) {
    const key = number.slice(1, -1)
    return { step: { key, index: Number(key) }, end: open + number.length }
  }
  const mark = text[open + 1]
  if (mark === "'" || mark === '"') {
    // The key ends at the first quote before a bracket, so that it may hold quotes; a quote after a backslash never ends it.
    for (let close = open + 2; close < text.length; close++) {
      if (text[close] === "\\" && (text[close + 1] === mark || text[close + 1] === "\\")) close += 1
      else if (text[close] === mark && text[close + 1] === "]") {
        return { step: { key: unescape(text.slice(open + 2, close), mark), index: null }, end: close + 2 }
      }
    }
    throw new SyntaxProblem(open, `The key that starts here is not closed: write ${mark}] at its end`)
  }
  throw new SyntaxProblem(
    open,
    "Expected a whole number or a quoted key in brackets, such as chunks[0] or metadata['file type']"
  )
}

/** Takes away the backslash before a quote; every other backslash stands for itself, `\\` included. */
export const unescape = (body: string, mark: string): string =>
  body.replace(/\\([\s\S])/g, (pair, next: string) => (next === mark ? mark : pair))

const printStep = (step: Step, position: number): string => {
  if (step.index !== null) return `[${step.key}]`
  if (position === 0 && /^[A-Za-z_][A-Za-z0-9_-]*$/.test(step.key)) return step.key
  const mark = step.key.includes("'") ? '"' : "'"
  return `[${mark}${step.key.replaceAll(mark, `\\${mark}`)}${mark}]`
}
