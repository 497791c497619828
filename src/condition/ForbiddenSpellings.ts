import { SyntaxProblem } from "./SyntaxProblem.ts"

/**
 * Refuses the spellings that the original's evaluator refuses (`secure_condition_evaluator.py`), wherever they stand,
 * quoted texts included. Nothing here runs code: the rule stays so that both workers accept the same conditions.
 */
export const check = (text: string): void => {
  for (const spelling of forbidden) {
    const offset = text.indexOf(spelling)
    if (offset >= 0) {
      throw new SyntaxProblem(
        offset,
        `\`${spelling}\` is not allowed in a condition, not even inside quotes: leave it out, or match the text around it with regex_match`
      )
    }
  }
}

const forbidden = [
  ";",
  ...["eval", "exec", "compile", "__import__", "open", "file", "input", "raw_input", "globals", "locals", "vars"].map(
    call
  ),
  ...["dir", "getattr", "setattr", "hasattr", "delattr"].map(call),
  ...[
    "class",
    "name",
    "module",
    "dict",
    "doc",
    "bases",
    "subclasses",
    "mro",
    "globals",
    "locals",
    "builtins",
    "import"
  ].map((name) => `__${name}__`)
]

function call(name: string): string {
  return `${name}(`
}
