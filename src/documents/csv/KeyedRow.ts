/** The values under their keys; of equal keys the last one counts. A key such as `__proto__` is a key like any other. */
export const keyedRow = (keys: ReadonlyArray<string>, value: (index: number) => unknown): Record<string, unknown> => {
  const row: Record<string, unknown> = {}
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] ?? ""
    if (key === "__proto__") {
      Object.defineProperty(row, key, { value: value(index), enumerable: true, writable: true, configurable: true })
    } else row[key] = value(index)
  }
  return row
}
