import * as PythonText from "../python/PythonText.ts"

/** The inside of a bracket in RE2's syntax for `\d`, `\s` and `\w`, as Python's patterns mean them. */
export interface Shorthands {
  readonly d: string
  readonly s: string
  readonly w: string
}

export const codeOf = (character: string): number => character.codePointAt(0) ?? 0

const hexadecimal = (code: number): string => `\\x{${code.toString(16)}}`

/** The character as itself, whatever it means in a pattern. */
export const literal = (character: string): string =>
  /^[A-Za-z0-9]$/.test(character) ? character : hexadecimal(codeOf(character))

const ranges = (list: ReadonlyArray<readonly [from: number, to: number]>): string =>
  list.map(([from, to]) => (from === to ? hexadecimal(from) : `${hexadecimal(from)}-${hexadecimal(to)}`)).join("")

/** With the flag `a`. */
export const ascii: Shorthands = {
  d: "0-9",
  s: ranges([
    [0x09, 0x0d],
    [0x20, 0x20]
  ]),
  w: "0-9A-Za-z_"
}
export const unicode: Shorthands = { d: "\\p{Nd}", s: ranges(PythonText.whiteSpaceRanges), w: "\\p{L}\\p{N}_" }

/** Behind it stand the two noncharacters that `PythonPattern.mark` puts between characters. */
const lastCharacter = 0x10fffd

/** The characters that are not in a class, marks left out, as ranges: RE2 cannot write them inside brackets. */
export const complement = (pieces: string): string => {
  const known = complements.get(pieces)
  if (known !== undefined) return known
  const member = new RegExp(`[${pieces.replaceAll("\\x{", "\\u{")}]`, "u")
  const outside: Array<readonly [number, number]> = []
  let from = -1
  for (let code = 0; code <= lastCharacter + 1; code++) {
    const isOutside = code <= lastCharacter && !member.test(String.fromCodePoint(code))
    if (isOutside && from < 0) from = code
    if (!isOutside && from >= 0) {
      outside.push([from, code - 1])
      from = -1
    }
  }
  const result = ranges(outside)
  complements.set(pieces, result)
  return result
}

const complements = new Map<string, string>()
