/** A key for a list that the original's output does not have: there only when the list has entries. */
export const ifAny = (key: string, list: ReadonlyArray<unknown> | undefined) =>
  list === undefined || list.length === 0 ? {} : { [key]: list }
