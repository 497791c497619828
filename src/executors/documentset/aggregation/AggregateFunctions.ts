import { compareByCodePoint, ofValue } from "../../../python/PythonText.ts"
import { roundToHundredths, sum } from "../../../python/PythonNumber.ts"

/** The original's, then ours for values that are no numbers. */
export const operations = [
  "values",
  "count",
  "sum",
  "avg",
  "min",
  "max",
  "delta",
  "pct_change",
  "trend",
  "count_present",
  "distinct",
  "frequencies"
] as const

export type Operation = (typeof operations)[number]

/** A document's value of a field: as it is, and as a number where it is one. */
export interface Point {
  readonly role: unknown
  readonly value: unknown
  readonly number: number | undefined
}

type Numeric = Point & { readonly number: number }

/** What an operation gives; null where it needs numbers and there are none. A result that no JSON number can hold is null, too. */
export const apply = (operation: Operation, points: ReadonlyArray<Point>): unknown => {
  const numeric = points.filter((point): point is Numeric => point.number !== undefined)
  switch (operation) {
    case "values":
      return points.map(({ role, value }) => ({ role, value }))
    case "count":
      return numeric.length
    case "count_present":
      return present(points).length
    case "distinct":
      return [...byText(points).values()].map(({ value }) => value)
    case "frequencies":
      return [...byText(points)]
        .sort(([a, first], [b, second]) => second.count - first.count || compareByCodePoint(a, b))
        .map(([, { count, value }]) => ({ value, count }))
    default:
      return numeric.length === 0 ? null : ofNumbers(operation, numeric)
  }
}

const ofNumbers = (operation: Operation, points: ReadonlyArray<Numeric>): unknown => {
  const numbers = points.map(({ number }) => number)
  switch (operation) {
    case "sum":
      return finite(sum(numbers))
    case "avg":
      return finite(sum(numbers) / numbers.length)
    case "min":
      return numbers.reduce((least, number) => Math.min(least, number))
    case "max":
      return numbers.reduce((most, number) => Math.max(most, number))
    case "delta":
      return pairs(points).map(([from, to]) => ({
        from: from.role,
        to: to.role,
        delta: finite(to.number - from.number)
      }))
    case "pct_change":
      return pairs(points).map(([from, to]) => ({
        from: from.role,
        to: to.role,
        pct_change: percentChange(from.number, to.number)
      }))
    default:
      return trend(numbers)
  }
}

const trend = (numbers: ReadonlyArray<number>): Readonly<Record<string, unknown>> => {
  const [first, last] = [numbers[0], numbers.at(-1)]
  if (first === undefined || last === undefined || numbers.length < 2)
    return { direction: "insufficient_data", confidence: 0 }
  const changes = numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0))
  const up = changes.filter((change) => change > 0).length
  const down = changes.filter((change) => change < 0).length
  if (up === 0 && down === 0) return { direction: "stable", confidence: 1 }
  return {
    ...direction(up, down),
    overall_change: finite(last - first),
    overall_pct_change: percentChange(first, last),
    periods_analyzed: numbers.length
  }
}

/** Steps without a change do not count. */
const direction = (up: number, down: number) => {
  const changes = up + down
  if (up === changes) return { direction: "increasing", confidence: 1 }
  if (down === changes) return { direction: "decreasing", confidence: 1 }
  if (up > down) return { direction: "mostly_increasing", confidence: roundToHundredths(up / changes) }
  if (down > up) return { direction: "mostly_decreasing", confidence: roundToHundredths(down / changes) }
  return { direction: "mixed", confidence: 0.5 }
}

const percentChange = (from: number, to: number): number | null =>
  from === 0 ? null : finite(roundToHundredths(((to - from) / Math.abs(from)) * 100))

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** Neighbours among the documents that have a number. */
const pairs = (points: ReadonlyArray<Numeric>): ReadonlyArray<readonly [Numeric, Numeric]> =>
  points.slice(1).flatMap((to, index) => {
    const from = points[index]
    return from === undefined ? [] : [[from, to] as const]
  })

const present = (points: ReadonlyArray<Point>): ReadonlyArray<Point> =>
  points.filter(({ value }) => value !== null && value !== undefined)

const byText = (points: ReadonlyArray<Point>): Map<string, { readonly value: unknown; readonly count: number }> => {
  const found = new Map<string, { readonly value: unknown; readonly count: number }>()
  for (const { value } of present(points)) {
    const text = ofValue(value)
    const known = found.get(text)
    found.set(text, { value: known?.value ?? value, count: (known?.count ?? 0) + 1 })
  }
  return found
}
