import { isObject } from "../../../executor/DottedPath.ts"

type Fields = Readonly<Record<string, unknown>>

/** The value at a dotted path through objects, and through lists where an element's number stands (`sheets.0.table`). */
export const tableAt = (data: Fields, path: string): unknown => {
  let value: unknown = data
  for (const key of path.split(".")) {
    if (Array.isArray(value) && /^\d+$/.test(key)) value = value[Number(key)]
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key]
    else return undefined
  }
  return value
}

/** `data` without what lies at `path`; what lies beside it stays. */
export const withoutTable = (data: Fields, path: string): Fields => {
  const cut = without(data, path.split("."))
  return isObject(cut) ? cut : data
}

const without = (value: unknown, [key, ...rest]: ReadonlyArray<string>): unknown => {
  if (key === undefined) return value
  if (Array.isArray(value) && /^\d+$/.test(key)) {
    return rest.length === 0
      ? value.toSpliced(Number(key), 1)
      : value.map((each: unknown, index) => (index === Number(key) ? without(each, rest) : each))
  }
  if (!isObject(value) || !Object.hasOwn(value, key)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) =>
      name !== key ? [[name, each]] : rest.length === 0 ? [] : [[name, without(each, rest)]]
    )
  )
}
