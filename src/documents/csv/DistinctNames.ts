/** The names, with a number behind those that stood before, so that no column hides another. */
export const distinctNames = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const given = new Set(names)
  if (given.size === names.length) return names
  const used = new Set<string>()
  const counts = new Map<string, number>()
  return names.map((name) => {
    let unique = name
    if (used.has(name)) {
      let count = counts.get(name) ?? 1
      do unique = `${name}_${++count}`
      while (given.has(unique) || used.has(unique))
      counts.set(name, count)
    }
    used.add(unique)
    return unique
  })
}
