import * as CutText from "../text/CutText.ts"

/**
 * Thrown inside the condition parser, and turned into a `ConditionParseError` by the one function that starts it.
 * `offset` counts UTF-16 units from the start of the text; `message` says what was expected and how to write it.
 */
export class SyntaxProblem extends Error {
  readonly offset: number

  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

/** A piece of a condition as messages show it: at most 60 characters. */
export const excerpt = (text: string): string => `\`${text.length > 60 ? `${CutText.cut(text, 57)}...` : text}\``
