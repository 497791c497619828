/**
 * Checks of parsed JSON by hand, for what every message is made of: a hundred times cheaper than interpreting a Schema. They say what a
 * value is when it is right; when it is not (undefined), the Schema says what is wrong with it.
 */

export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The object, or an empty one when there is none. */
export const fields = (value: unknown): Fields | undefined =>
  value === undefined ? {} : isFields(value) ? value : undefined

/** The text, or the default when there is none. */
export const text = <D>(value: unknown, otherwise: D): string | D | undefined =>
  value === undefined ? otherwise : typeof value === "string" ? value : undefined

/** The text or null; the default when there is neither. */
export const nullableText = <D>(value: unknown, otherwise: D): string | null | D | undefined =>
  value === null ? null : text(value, otherwise)

/** Every element read; undefined when one of them is not right. */
export const list = <A>(value: unknown, read: (element: unknown) => A | undefined): ReadonlyArray<A> | undefined => {
  if (value === undefined) return []
  if (!Array.isArray(value)) return undefined
  const elements: Array<A> = []
  for (const each of value) {
    const element = read(each)
    if (element === undefined) return undefined
    elements.push(element)
  }
  return elements
}
