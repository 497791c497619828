/** The `@parameters` that a query names, outside of its texts and comments; each once, in order. */
export const parametersOf = (query: string): ReadonlyArray<string> => {
  const code = query.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|--[^\n]*/g, " ")
  return [...new Set(code.match(/@[A-Za-z_]\w*/g))]
}

/** A parameter's name as queries write it. */
export const parameterName = (name: string): string => (name.startsWith("@") ? name : `@${name}`)
