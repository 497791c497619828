/** Thrown for data nested too deeply to be walked. */
export class NestedTooDeeply extends Error {
  override readonly name = "NestedTooDeeply"
}

export const maxDepth = 200

/** Throws {@link NestedTooDeeply} at a depth beyond the bound, so that no document can exhaust the stack. */
export const guard = (depth: number): void => {
  if (depth > maxDepth) throw new NestedTooDeeply()
}

export const message = (name: string): string =>
  `The data of ${name} is nested more than ${maxDepth} levels deep, too deep to look through.`
