/** The pages, as indexes from 0, that `1-3,5,8-` names in a document of `count` pages; pages past its end are none. */
export const pagesOf = (range: string, count: number): ReadonlyArray<number> | undefined => {
  const chosen = new Set<number>()
  for (const part of range.split(",")) {
    const [, first, dash, last] = /^\s*(\d{1,9})?\s*(-)?\s*(\d{1,9})?\s*$/.exec(part) ?? []
    if (first === undefined && last === undefined) return undefined
    const from = first === undefined ? 1 : Number(first)
    const to = last !== undefined ? Number(last) : dash === undefined ? from : count
    if (from < 1 || (last !== undefined && to < from)) return undefined
    for (let page = from; page <= Math.min(to, count); page++) chosen.add(page - 1)
  }
  return [...chosen].toSorted((one, other) => one - other)
}
