import type { XmlElement } from "../xml/XmlTree.ts"
import { child, children, descendants, integer } from "../xml/XmlTree.ts"
import { textBodyText } from "./TextBody.ts"

/**
 * The words and numbers of a chart part (`c:chartSpace` or `cx:chartSpace`) as lines: titles, then one line of
 * tab-separated values for the series names and one for each category. Values are those cached in the chart.
 */
export const chartText = (chart: XmlElement): string => {
  const lines = chart.name.startsWith("cx:") ? extendedLines(chart) : classicLines(chart)
  return lines.filter((line) => line.trim() !== "").join("\n")
}

const classicLines = (chart: XmlElement): ReadonlyArray<string> => {
  const titles = [...descendants(chart, "c:title")].map(titleText)
  // Series of one chart mostly share their categories; those that do not get a block of their own.
  const blocks = new Map<string, { readonly categories: ReadonlyArray<string>; series: Array<Series> }>()
  for (const element of descendants(chart, "c:ser")) {
    const series = readSeries(element)
    const key = series.categories.join("\n")
    const block = blocks.get(key)
    if (block === undefined) blocks.set(key, { categories: series.categories, series: [series] })
    else block.series.push(series)
  }
  return [...titles, ...[...blocks.values()].flatMap(({ categories, series }) => blockLines(categories, series))]
}

interface Series {
  readonly name: string
  readonly categories: ReadonlyArray<string>
  readonly values: ReadonlyArray<string>
}

const readSeries = (series: XmlElement): Series => ({
  name: points(child(series, "c:tx")).join(" "),
  categories: points(child(series, "c:cat") ?? child(series, "c:xVal")),
  values: points(child(series, "c:val") ?? child(series, "c:yVal"))
})

const blockLines = (categories: ReadonlyArray<string>, series: ReadonlyArray<Series>): ReadonlyArray<string> => [
  ["", ...series.map(({ name }) => name)].join("\t").replace(/\t+$/, ""),
  ...gridLines([categories, ...series.map(({ values }) => values)])
]

/** Columns side by side; a grid that would be mostly empty is written with one column a line instead. */
const gridLines = (columns: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const rows = columns.reduce((most, { length }) => Math.max(most, length), 0)
  const values = columns.reduce((sum, { length }) => sum + length, 0)
  if (rows * columns.length > 4 * values + 10_000) return columns.map((column) => column.join("\t"))
  return Array.from({ length: rows }, (_, row) => columns.map((column) => column[row] ?? "").join("\t"))
}

/** The cached points of a reference or literal, laid out by their index; of several category levels, joined. */
const points = (source: XmlElement | undefined): ReadonlyArray<string> => {
  const values: Array<string> = []
  const levels = [...descendants(source, "c:lvl")]
  for (const level of levels.length > 0 ? levels.toReversed() : [source]) {
    const found = [...descendants(level, "c:pt")]
    for (const point of found) {
      const index = integer(point.attributes.idx) ?? values.length
      // Points may be missing, but an index far away must not make a list that long.
      const place = index >= 0 && index < 2 * found.length + 100 ? index : values.length
      while (values.length < place) values.push("")
      const text = child(point, "c:v")?.text ?? ""
      values[place] = values[place] ? `${values[place]} ${text}` : text
    }
  }
  if (values.length === 0) {
    const literal = child(source, "c:v")?.text
    return literal === undefined ? [] : [literal]
  }
  return values
}

const titleText = (title: XmlElement): string => {
  const tx = child(title, "c:tx")
  const rich = child(tx, "c:rich")
  return rich === undefined ? points(tx).join(" ") : textBodyText(rich)
}

/** Charts of Office 2016 and later (waterfall, treemap, ...). */
const extendedLines = (chart: XmlElement): ReadonlyArray<string> => {
  const titles = [...descendants(chart, "cx:title")].map(extendedTitle)
  const names = [...descendants(chart, "cx:series")].map((series) => extendedTitle(child(series, "cx:tx")))
  const dimensions = [...descendants(chart, "cx:data")].flatMap((data) =>
    data.children.flatMap((dimension) =>
      children(dimension, "cx:lvl").map((level) => children(level, "cx:pt").map(({ text }) => text))
    )
  )
  return [...titles, names.join("\t"), ...gridLines(dimensions)]
}

const extendedTitle = (title: XmlElement | undefined): string => {
  const rich = [...descendants(title, "cx:rich")].map(textBodyText).join("\n")
  return rich === "" ? [...descendants(title, "cx:v")].map(({ text }) => text).join(" ") : rich
}
