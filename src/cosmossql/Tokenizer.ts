import * as Limits from "./Limits.ts"
import { QueryProblem } from "./QueryProblem.ts"

export type Token = { readonly at: number } & (
  | { readonly _tag: "Word" | "Parameter" | "Sign"; readonly text: string }
  | { readonly _tag: "String"; readonly text: string }
  | { readonly _tag: "Number"; readonly value: number }
  | { readonly _tag: "End" }
)

/**
 * Cuts a query into words, signs, texts and numbers, without comments.
 *
 * @throws QueryProblem
 */
export const tokenize = (query: string): ReadonlyArray<Token> => {
  if (query.length > Limits.maxLength) {
    throw new QueryProblem(`A query has at most ${Limits.maxLength} characters, this one has ${query.length}.`)
  }
  const tokens: Array<Token> = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(query)?.[0]
  }
  for (;;) {
    at += match(space)?.length ?? 0
    if (at >= query.length) return [...tokens, { _tag: "End", at }]
    const word = match(words)
    const parameter = match(parameters)
    const number = match(numbers)
    const text = match(strings)
    const sign = match(signs)
    const found = word ?? parameter ?? number ?? text ?? sign
    if (found === undefined) {
      const isOpen = query[at] === '"' || query[at] === "'"
      throw new QueryProblem(
        isOpen
          ? `The text that begins at character ${at + 1} does not end.`
          : `The character ${query[at]} has no meaning (character ${at + 1}).`
      )
    }
    tokens.push(
      word !== undefined
        ? { _tag: "Word", text: word, at }
        : parameter !== undefined
          ? { _tag: "Parameter", text: parameter, at }
          : number !== undefined
            ? { _tag: "Number", value: Number(number), at }
            : text !== undefined
              ? { _tag: "String", text: unescaped(text), at }
              : { _tag: "Sign", text: found, at }
    )
    at += found.length
  }
}

const space = /(?:\s+|--[^\n]*|\/\*[^]*?\*\/)*/y
const words = /[A-Za-z_][A-Za-z0-9_]*/y
const parameters = /@[A-Za-z_][A-Za-z0-9_]*/y
const numbers = /0x[0-9a-f]+|(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy
const strings = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y
const signs = />>>|<<|>>|<>|<=|>=|!=|\|\||\?\?|[-+*/%=<>&|^~?:.,()[\]{}]/y

const unescaped = (literal: string): string =>
  literal
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|([^]))/g, (_, unit: string | undefined, one: string | undefined) =>
      unit !== undefined ? String.fromCharCode(Number.parseInt(unit, 16)) : (escapes.get(one ?? "") ?? one ?? "")
    )

const escapes: ReadonlyMap<string, string> = new Map([
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"]
])
