/** The value at a dotted path, through plain objects only: no lists, no wildcards. Undefined where it ends early. */
export const valueAt = (data: Readonly<Record<string, unknown>>, path: string): unknown => {
  let value: unknown = data
  for (const key of path.split(".")) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

/** The text at a dotted path; undefined when there is none, or something else than a text. */
export const textAt = (data: Readonly<Record<string, unknown>>, path: string): string | undefined => {
  const value = valueAt(data, path)
  return typeof value === "string" ? value : undefined
}

/** A mapping, as JSON has them: no list, no bytes, no date. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !ArrayBuffer.isView(value) &&
  !(value instanceof Date)
