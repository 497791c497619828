/** Whether a name is a pattern; `[..]` alone does not make it one. */
export const isGlob = (text: string): boolean => /[*?]/.test(text)

/**
 * A shell pattern as Python's `fnmatch` reads it: `*` is any text, dots too, `?` one character, `[ab]`, `[a-z]`, `[!a]` one of a set; upper and lower case
 * differ. Looks at a text no more often than its length for each `*`.
 */
export const glob = (pattern: string): ((text: string) => boolean) => {
  const tokens = tokensOf([...pattern])
  return (text) => matches(tokens, [...text])
}

type Token = "any" | ((character: string) => boolean)

const matches = (tokens: ReadonlyArray<Token>, text: ReadonlyArray<string>): boolean => {
  let at = 0
  let token = 0
  let star = -1
  let starAt = 0
  while (at < text.length) {
    const current = tokens[token]
    if (current === "any") {
      star = token++
      starAt = at
    } else if (current !== undefined && current(text[at] ?? "")) {
      token++
      at++
    } else if (star >= 0) {
      // The last star takes one character more; those before it never need to.
      token = star + 1
      at = ++starAt
    } else return false
  }
  return tokens.slice(token).every((each) => each === "any")
}

const tokensOf = (pattern: ReadonlyArray<string>): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ""
    if (character === "*") tokens.push("any")
    else if (character === "?") tokens.push(() => true)
    else if (character === "[") {
      const end = endOfSet(pattern, at)
      if (end === -1) tokens.push((each) => each === "[")
      else {
        tokens.push(setOf(pattern.slice(at + 1, end)))
        at = end
      }
    } else tokens.push((each) => each === character)
  }
  return tokens
}

/** A bracket at the start of a set is one of it; a set that never ends is a bracket. */
const endOfSet = (pattern: ReadonlyArray<string>, start: number): number =>
  pattern.indexOf("]", start + (pattern[start + 1] === "!" ? 3 : 2))

const setOf = (content: ReadonlyArray<string>): ((character: string) => boolean) => {
  const negated = content[0] === "!"
  const members = negated ? content.slice(1) : content
  const singles = new Set<string>()
  const ranges: Array<readonly [from: number, to: number]> = []
  for (let at = 0; at < members.length; at++) {
    const from = members[at] ?? ""
    const to = members[at + 2]
    if (members[at + 1] === "-" && to !== undefined) {
      ranges.push([codeOf(from), codeOf(to)])
      at += 2
    } else singles.add(from)
  }
  return (character) =>
    negated !==
    (singles.has(character) || ranges.some(([from, to]) => codeOf(character) >= from && codeOf(character) <= to))
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0
