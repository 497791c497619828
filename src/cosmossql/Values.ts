/*
 * Values as Cosmos DB compares them: what a document does not have is undefined, which is another thing than null, and what is asked of
 * values of the wrong type is undefined as well.
 */

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Counts the work of a query. */
export type Spend = (work: number) => void

/** Equality by value; undefined where one of them is. */
export const equal = (left: unknown, right: unknown, spend: Spend): boolean | undefined =>
  left === undefined || right === undefined ? undefined : same(left, right, spend)

export const same = (left: unknown, right: unknown, spend: Spend): boolean => {
  spend(1)
  if (left === right) return true
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) && left.length === right.length && left.every((one, index) => same(one, right[index], spend))
    )
  }
  if (!isObject(left) || !isObject(right)) return false
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key], spend))
  )
}

/** Whether `<`, `<=`, `>` or `>=` holds; undefined for values of different types, and for objects and arrays. */
export const ordered = (operator: "<" | "<=" | ">" | ">=", left: unknown, right: unknown): boolean | undefined => {
  if (typeof left !== typeof right || left === undefined || typeof left === "object") {
    return left === null && right === null ? operator.endsWith("=") : undefined
  }
  const order = compare(left, right)
  switch (operator) {
    case "<":
      return order < 0
    case "<=":
      return order <= 0
    case ">":
      return order > 0
    case ">=":
      return order >= 0
  }
}

/** The order of ORDER BY, MIN and MAX: undefined, null, booleans, numbers, texts, arrays, objects. */
export const compare = (left: unknown, right: unknown): number => {
  const ranks = rank(left) - rank(right)
  if (ranks !== 0) return ranks
  return typeof left === "string" && typeof right === "string"
    ? compareTexts(left, right)
    : Number(left) - Number(right) || 0
}

/** By code points. */
const compareTexts = (left: string, right: string): number => (left === right ? 0 : left < right ? -1 : 1)

const rank = (value: unknown): number => {
  if (value === undefined) return 0
  if (value === null) return 1
  switch (typeof value) {
    case "boolean":
      return 2
    case "number":
      return 3
    case "string":
      return 4
    default:
      return Array.isArray(value) ? 5 : 6
  }
}

/** One text for all values that are the same. */
export const keyOf = (value: unknown): string =>
  value === undefined
    ? "undefined"
    : JSON.stringify(value, (_, each: unknown) =>
        isObject(each)
          ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a === b ? 0 : a < b ? -1 : 1)))
          : each
      )

/** The text matches the pattern of LIKE, in which % is any text and _ any character; `[…]` is a set of characters. */
export const like = (text: string, pattern: string, escape: string | undefined): boolean => {
  const parts = likeParts(pattern, escape)
  const characters = [...text]
  let at = 0
  let part = 0
  let star = -1
  let retry = 0
  while (at < characters.length) {
    const wanted = parts[part]
    if (wanted === "any") {
      star = part++
      retry = at
    } else if (wanted?.(characters[at] ?? "") === true) {
      at++
      part++
    } else if (star >= 0) {
      part = star + 1
      at = ++retry
    } else return false
  }
  while (parts[part] === "any") part++
  return part === parts.length
}

type LikePart = "any" | ((character: string) => boolean)

const likeParts = (pattern: string, escape: string | undefined): ReadonlyArray<LikePart> => {
  const parts: Array<LikePart> = []
  const characters = [...pattern]
  for (let at = 0; at < characters.length; at++) {
    const one = characters[at] ?? ""
    const close = one === "[" ? characters.indexOf("]", at + 2) : -1
    if (one === escape && at + 1 < characters.length) parts.push(is(characters[++at] ?? ""))
    else if (one === "%") {
      if (parts.at(-1) !== "any") parts.push("any")
    } else if (one === "_") parts.push(() => true)
    else if (close > 0) {
      parts.push(inSet(characters.slice(at + 1, close)))
      at = close
    } else parts.push(is(one))
  }
  return parts
}

const is =
  (wanted: string): LikePart =>
  (character) =>
    character === wanted

const inSet = (members: ReadonlyArray<string>): LikePart => {
  const isNegated = members[0] === "^"
  const set = isNegated ? members.slice(1) : members
  const contains = (character: string) =>
    set.some((one, index) =>
      set[index + 1] === "-" && set[index + 2] !== undefined
        ? one <= character && character <= (set[index + 2] ?? "")
        : one === character
    )
  return (character) => contains(character) !== isNegated
}

/** Objects and arrays inside each other, as in Cosmos DB. */
export const mostLevels = 128

/** How many objects and arrays lie inside each other, as far as one more than there may be. Without recursion: it says whether recursion is safe. */
export const levelsOf = (value: unknown): number => {
  let levels = 0
  let inner: ReadonlyArray<unknown> = [value]
  while (inner.length > 0 && levels <= mostLevels) {
    const nested: Array<unknown> = []
    for (const each of inner) {
      if (typeof each !== "object" || each === null) continue
      for (const one of Object.values(each)) if (typeof one === "object" && one !== null) nested.push(one)
    }
    levels++
    inner = nested
  }
  return levels
}
