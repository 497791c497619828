import { serialToIso, type TimeKind, timeKind } from "../SerialTime.ts"
import { unescapeText } from "../xml/EscapedText.ts"
import { child, children, descendants, integer, isOn, type XmlElement } from "../xml/XmlTree.ts"
import { dataLabels } from "./ChartLabels.ts"
import { textBodyText } from "./TextBody.ts"

/**
 * The words and numbers of a chart part (`c:chartSpace` or `cx:chartSpace`) as lines: titles, then one line of
 * tab-separated values for the series names and one for each category, then labels of single points. Values are those
 * cached in the chart, dates as ISO 8601 where their format says so.
 */
export const chartText = (chart: XmlElement): string => {
  const lines = chart.name.startsWith("cx:") ? extendedLines(chart) : classicLines(chart)
  return lines.filter((line) => line.trim() !== "").join("\n")
}

const classicLines = (chart: XmlElement): ReadonlyArray<string> => {
  const titles = titleNames.flatMap((name) => [...descendants(chart, name)].map(titleText))
  const date1904 = child(chart, "c:date1904")
  const from1904 = date1904 !== undefined && isOn(date1904.attributes.val)
  const dateAxes = readDateAxes(chart)
  // Series of one chart mostly share their categories; those that do not get a block of their own.
  const blocks = new Map<string, { readonly categories: ReadonlyArray<string>; series: Array<Series> }>()
  for (const { element, plot } of seriesOf(chart)) {
    const axis = children(plot, "c:axId").find(({ attributes }) => dateAxes.has(attributes.val ?? ""))
    const series = readSeries(element, from1904, dateAxes.get(axis?.attributes.val ?? ""))
    const key = series.categories.join("\n")
    const block = blocks.get(key)
    if (block === undefined) blocks.set(key, { categories: series.categories, series: [series] })
    else block.series.push(series)
  }
  return [...titles, ...[...blocks.values()].flatMap(({ categories, series }) => blockLines(categories, series))]
}

const titleNames = ["c:title", "c:dispUnitsLbl", "c:trendlineLbl"]

interface Series {
  readonly name: string
  readonly categories: ReadonlyArray<string>
  readonly values: ReadonlyArray<string>
  /** Of the bubbles, in charts of those. */
  readonly sizes: ReadonlyArray<string>
  /** Of the series and its trend, apart from its values. */
  readonly labels: ReadonlyArray<string>
}

function* seriesOf(parent: XmlElement): Generator<{ readonly element: XmlElement; readonly plot: XmlElement }> {
  for (const element of parent.children) {
    if (element.name === "c:ser") yield { element, plot: parent }
    else yield* seriesOf(element)
  }
}

/** How the axes of dates show them, by their ids. */
const readDateAxes = (chart: XmlElement): ReadonlyMap<string, TimeKind> =>
  new Map(
    [...descendants(chart, "c:dateAx")].map((axis): [string, TimeKind] => [
      child(axis, "c:axId")?.attributes.val ?? "",
      timeKind(child(axis, "c:numFmt")?.attributes.formatCode ?? "") ?? "date"
    ])
  )

const readSeries = (series: XmlElement, from1904: boolean, ofAxis?: TimeKind): Series => {
  const name = points(child(series, "c:tx"), from1904).join(" ")
  const categories = points(child(series, "c:cat") ?? child(series, "c:xVal"), from1904, ofAxis)
  const values = points(child(series, "c:val") ?? child(series, "c:yVal"), from1904)
  const sizes = points(child(series, "c:bubbleSize"), from1904)
  const trends = children(series, "c:trendline").map((trend) => unescapeText(child(trend, "c:name")?.text ?? ""))
  return { name, categories, values, sizes, labels: [...dataLabels(series, { name, categories, values }), ...trends] }
}

const blockLines = (categories: ReadonlyArray<string>, series: ReadonlyArray<Series>): ReadonlyArray<string> => [
  ["", ...series.flatMap(({ name, sizes }) => (sizes.length > 0 ? [name, ""] : [name]))].join("\t").replace(/\t+$/, ""),
  ...gridLines([categories, ...series.flatMap(({ sizes, values }) => (sizes.length > 0 ? [values, sizes] : [values]))]),
  ...series.flatMap(({ labels }) => labels)
]

/** Columns side by side; a grid that would be mostly empty is written with one column a line instead. */
const gridLines = (columns: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const rows = columns.reduce((most, { length }) => Math.max(most, length), 0)
  const values = columns.reduce((sum, { length }) => sum + length, 0)
  if (rows * columns.length > 4 * values + 10_000) return columns.map((column) => column.join("\t"))
  return Array.from({ length: rows }, (_, row) => columns.map((column) => column[row] ?? "").join("\t"))
}

/** The cached points of a reference or literal, laid out by their index; of several category levels, joined. */
const points = (source: XmlElement | undefined, from1904: boolean, ofAxis?: TimeKind): ReadonlyArray<string> => {
  const values: Array<string> = []
  const levels = [...descendants(source, "c:lvl")]
  const isNumeric = (source?.children ?? []).some(({ name }) => name === "c:numRef" || name === "c:numLit")
  const kind = timeKind([...descendants(source, "c:formatCode")][0]?.text ?? "") ?? (isNumeric ? ofAxis : undefined)
  for (const level of levels.length > 0 ? levels.toReversed() : [source]) {
    const found = [...descendants(level, "c:pt")]
    for (const point of found) {
      const index = integer(point.attributes.idx) ?? values.length
      // Points may be missing, but an index far away must not make a list that long.
      const place = index >= 0 && index < 2 * found.length + 100 ? index : values.length
      while (values.length < place) values.push("")
      const own = point.attributes.formatCode
      const text = shown(child(point, "c:v")?.text ?? "", own === undefined ? kind : timeKind(own), from1904)
      values[place] = values[place] ? `${values[place]} ${text}` : text
    }
  }
  if (values.length === 0) {
    const literal = child(source, "c:v")?.text
    return literal === undefined ? [] : [shown(literal, undefined, from1904)]
  }
  return values
}

/** One line, which has its place in a grid. */
const shown = (stored: string, kind: TimeKind | undefined, from1904: boolean): string => {
  const time = kind === undefined || stored.trim() === "" ? undefined : serialToIso(Number(stored), kind, from1904)
  return time ?? unescapeText(stored).replace(/\s*[\n\r]\s*/g, " ")
}

const titleText = (title: XmlElement): string => {
  const tx = child(title, "c:tx")
  const rich = child(tx, "c:rich")
  return rich === undefined ? points(tx, false).join(" ") : textBodyText(rich)
}

/** Charts of Office 2016 and later (waterfall, treemap, ...). */
const extendedLines = (chart: XmlElement): ReadonlyArray<string> => {
  const titles = [...descendants(chart, "cx:title")].map(extendedTitle)
  const names = [...descendants(chart, "cx:series")].map((series) => extendedTitle(child(series, "cx:tx")))
  const dimensions = [...descendants(chart, "cx:data")].flatMap((data) =>
    data.children.flatMap((dimension) =>
      children(dimension, "cx:lvl").map((level) => {
        const kind = timeKind(level.attributes.formatCode ?? "")
        return children(level, "cx:pt").map(({ text }) => shown(text, kind, false))
      })
    )
  )
  return [...titles, names.join("\t"), ...gridLines(dimensions)]
}

const extendedTitle = (title: XmlElement | undefined): string => {
  const rich = [...descendants(title, "cx:rich")].map((body) => textBodyText(body)).join("\n")
  return rich === "" ? [...descendants(title, "cx:v")].map(({ text }) => unescapeText(text)).join(" ") : rich
}
