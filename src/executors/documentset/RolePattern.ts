/** The number of the pattern that says a document's role, or undefined. */
export type Patterns = (name: string) => number | undefined

/**
 * Finds which of the patterns stands for a file name: one that the name contains, in any case, the longest of several. `Q1` also stands in
 * `Q10`: where two documents would share a pattern for that reason, it is that of the one where no digit goes on.
 */
export const make = (patterns: ReadonlyArray<string>, names: ReadonlyArray<string>): Patterns => {
  const lowered = patterns.map((pattern) => pattern.toLowerCase())
  const whole = new Set<number>()
  for (const [index, pattern] of lowered.entries()) {
    const matching = names.filter((name) => name.toLowerCase().includes(pattern))
    if (matching.length > 1 && matching.some((name) => isWhole(name.toLowerCase(), pattern))) whole.add(index)
  }
  return (name) => {
    const text = name.toLowerCase()
    let best: number | undefined
    for (const [index, pattern] of lowered.entries()) {
      const matches = whole.has(index) ? isWhole(text, pattern) : text.includes(pattern)
      if (matches && (best === undefined || pattern.length > (lowered[best]?.length ?? 0))) best = index
    }
    return best
  }
}

/** Whether the pattern stands in the text somewhere without a number going on before or behind it. */
const isWhole = (text: string, pattern: string): boolean => {
  for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1)) {
    const before = isDigit(text[at - 1]) && isDigit(pattern[0])
    const behind = isDigit(text[at + pattern.length]) && isDigit(pattern.at(-1))
    if (!before && !behind) return true
    if (pattern === "") return false
  }
  return false
}

const isDigit = (character: string | undefined): boolean => character !== undefined && /\d/.test(character)
