import { RE2JS, RE2JSException } from "re2js"
import * as Limits from "./Limits.ts"
import * as PythonPattern from "./PythonPattern.ts"
import { SyntaxProblem, excerpt } from "./SyntaxProblem.ts"

/** A compiled pattern of `regex_match`; a search takes time in proportion to the text. */
export interface Pattern {
  readonly source: string
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
    if (!plain.hasBoundary) return { source, test: (text) => plain.regex.test(text) }
    const marked = build(PythonPattern.translate(source, "marked"))
    return {
      source,
      test: (text) => (isAscii.test(text) ? plain.regex.test(text) : marked.regex.test(PythonPattern.mark(text)))
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

const build = ({ hasBoundary, pattern }: PythonPattern.Translated) => ({
  hasBoundary,
  regex: RE2JS.compile(pattern, RE2JS.LOOKBEHINDS)
})
