import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { ValueBuilder, type DuplicateKey } from "./ValueBuilder.ts"
import { Cursor, type Position, SyntaxFailure } from "./Cursor.ts"
import { defaults, type Limits } from "./Limits.ts"
import { pythonText } from "./KeyText.ts"
import { Scanner } from "./Scanner.ts"
import { SyntaxReader } from "./SyntaxReader.ts"
import { furtherFailures } from "./SyntaxRecovery.ts"
import type { YamlNode } from "./YamlNode.ts"

/** One thing that is wrong with a text. Line and column count from 1, the column in code points. */
export const YamlProblem = Schema.Struct({ line: Schema.Number, column: Schema.Number, message: Schema.String })
export type YamlProblem = typeof YamlProblem.Type

/** The text cannot be read. Holds everything that was found, in the order of the text. */
export class YamlError extends Schema.TaggedError<YamlError>()("YamlError", {
  problems: Schema.NonEmptyArray(YamlProblem)
}) {
  override get message(): string {
    return this.problems.map(({ column, line, message }) => `line ${line}, column ${column}: ${message}`).join("\n")
  }
}

export interface YamlDocument {
  readonly value: YamlNode
  /** Keys that are written twice in one mapping: the last one counts, as in PyYAML. The first fifty. */
  readonly duplicates: ReadonlyArray<DuplicateKey>
}

/** Problems reported for one text at most. */
const mostProblems = 50

/**
 * Reads one document of YAML 1.1 as PyYAML's `safe_load` does; an empty text is null. Differs in that several
 * problems are reported at once, that a value cannot hold itself, and that `limits` bound what a text may cost.
 */
export const parse = (text: string, limits: Partial<Limits> = {}): Either.Either<YamlDocument, YamlError> => {
  const bounds = { ...defaults, ...limits }
  const problems: Array<YamlProblem> = []
  const report = (message: string, { column, line }: Position): void => {
    problems.push({ line, column, message })
  }
  checkText(text, bounds, report)
  const document = problems.length === 0 ? read(text, bounds, report) : undefined
  const [first, ...rest] = problems.toSorted((a, b) => a.line - b.line || a.column - b.column).slice(0, mostProblems)
  if (first !== undefined) return Either.left(new YamlError({ problems: [first, ...rest] }))
  return Either.right(document ?? { value: { kind: "null", line: 1, column: 1 }, duplicates: [] })
}

/** What PyYAML's reader refuses wherever it stands. */
const notPrintable = /[^\t\n\r\x20-\x7E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

type Report = (message: string, position: Position) => void

const checkText = (text: string, limits: Limits, report: Report): void => {
  if (text.length > limits.bytes || Buffer.byteLength(text) > limits.bytes) {
    return report(`the text is longer than ${limits.bytes} bytes, which is the limit`, { line: 1, column: 1 })
  }
  const cursor = new Cursor(text)
  let left = mostProblems
  for (const match of text.matchAll(notPrintable)) {
    if (left === 0) return
    left--
    cursor.forward(match.index - cursor.index)
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
    report(`the character U+${code} is not allowed; in double quotes write \\u${code}`, cursor.position())
  }
}

const read = (text: string, limits: Limits, report: Report): YamlDocument | undefined => {
  const scanner = new Scanner(new Cursor(text))
  const reader = new SyntaxReader(scanner, limits, report)
  try {
    reader.read()
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error
    report(error.message, error.position)
    if (!scanner.inFlow) {
      for (const { message, position } of furtherFailures(text, error, limits, mostProblems)) report(message, position)
    }
  }
  if (reader.root === undefined) return undefined
  const construct = new ValueBuilder(limits, report)
  return { value: construct.read(reader.root), duplicates: construct.duplicates }
}

/**
 * A value as ordinary data: mappings are objects without prototype (keys that are not texts become their Python text),
 * sets are lists, whole numbers beyond 2^53 are bigints, dates are ISO texts.
 */
export const toPlain = (node: YamlNode): unknown => {
  switch (node.kind) {
    case "null":
      return null
    case "int":
      return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : node.value
    case "list":
    case "tuple":
    case "set":
      return node.items.map(toPlain)
    case "map": {
      const plain: Record<string, unknown> = Object.create(null)
      for (const [key, value] of node.entries) plain[pythonText(key)] = toPlain(value)
      return plain
    }
    default:
      return node.value
  }
}

/** Where the value at `path` starts (keys as `toPlain` names them, indices of lists), or the nearest value around it. */
export const locate = (document: YamlDocument, path: ReadonlyArray<string | number>): Position => {
  let node: YamlNode = document.value
  for (const step of path) {
    const next = childAt(node, step)
    if (next === undefined) break
    node = next
  }
  return { line: node.line, column: node.column }
}

const childAt = (node: YamlNode, step: string | number): YamlNode | undefined => {
  if (node.kind === "map") return node.entries.findLast(([key]) => pythonText(key) === String(step))?.[1]
  return "items" in node && typeof step === "number" ? node.items[step] : undefined
}
