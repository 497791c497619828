import { RE2JS, RE2JSException } from "re2js"
import * as Limits from "./Limits.ts"
import * as PythonPattern from "./PythonPattern.ts"
import { SyntaxProblem, excerpt } from "./SyntaxProblem.ts"

/** A compiled pattern of `regex_match`; a search takes time in proportion to the text. */
export interface Pattern {
  readonly source: string
  /** RE2 instructions: an upper bound for the steps that a search takes for each character. */
  readonly size: number
  /** What it takes to compile the pattern and to keep it; compare `Limits.maxPatternWeight`. */
  readonly weight: number
  /** Whether the pattern is found anywhere in `text`. */
  readonly test: (text: string) => boolean
}

/**
 * Compiles a pattern written in Python's syntax for RE2, which never backtracks.
 *
 * @throws SyntaxProblem at `offset`: the pattern is wrong, or needs what RE2 has not, such as lookahead
 */
export const compile = (source: string, offset: number): Pattern => {
  if (source.length > Limits.maxPatternLength) {
    throw new SyntaxProblem(
      offset,
      `A pattern has at most ${Limits.maxPatternLength} characters, this one has ${source.length}`
    )
  }
  try {
    const plain = build(PythonPattern.translate(source, "plain"))
    if (!plain.hasBoundary) return { ...plain, source }
    const marked = build(PythonPattern.translate(source, "marked"))
    return {
      source,
      // The marks double the length of the text.
      size: 2 * marked.size,
      weight: plain.weight + marked.weight,
      test: (text) => (isAscii.test(text) ? plain.test(text) : marked.test(PythonPattern.mark(text)))
    }
  } catch (cause) {
    if (cause instanceof PythonPattern.PatternProblem) {
      throw new SyntaxProblem(offset, `The pattern ${excerpt(source)} cannot be used: ${cause.message}`)
    }
    if (cause instanceof RE2JSException) {
      throw new SyntaxProblem(
        offset,
        `The pattern ${excerpt(source)} cannot be used: it is too large (${cause.message}); repeat less`
      )
    }
    throw cause
  }
}

const isAscii = /^\p{ASCII}+$/u

/** Characters of the translation that weigh as much as one instruction: classes such as `[^\W_]` are long lists. */
const charactersPerWeight = 100

const build = ({ hasBoundary, pattern }: PythonPattern.Translated) => {
  const ofText = pattern.length / charactersPerWeight
  if (ofText > Limits.maxPatternWeight)
    throw new PythonPattern.PatternProblem("it is too large: use fewer character classes")
  const regex = RE2JS.compile(pattern, RE2JS.LOOKBEHINDS)
  const size = regex.programSize()
  return { hasBoundary, size, weight: Math.max(size, ofText), test: (text: string) => regex.test(text) }
}
