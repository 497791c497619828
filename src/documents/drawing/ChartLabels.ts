import { unescapeText } from "../xml/EscapedText.ts"
import type { Attributes } from "../xml/XmlTag.ts"
import { child, children, descendants, integer, isOn, type XmlElement } from "../xml/XmlTree.ts"
import { textBodyText } from "./TextBody.ts"

/** What labels may repeat of the series that they are for. */
export interface LabelledSeries {
  readonly name: string
  readonly categories: ReadonlyArray<string>
  readonly values: ReadonlyArray<string>
}

/** The labels of a `c:ser` that have a text of their own, or take one from cells; those that repeat values are left out. */
export const dataLabels = (series: XmlElement, labelled: LabelledSeries): ReadonlyArray<string> => {
  const all = child(series, "c:dLbls")
  const ranges = rangeTexts(series)
  const texts: Array<string> = []
  const own = new Set<number>()
  for (const label of children(all, "c:dLbl")) {
    const index = integer(child(label, "c:idx")?.attributes.val) ?? -1
    own.add(index)
    const rich = child(child(label, "c:tx"), "c:rich")
    if (rich === undefined || isDeleted(label)) {
      if (isDeleted(label)) continue
      const linked = linkedText(label)
      texts.push(linked === "" && showsRange(label) ? (ranges.get(index) ?? "") : linked)
      continue
    }
    const cells = cellTexts(label)
    texts.push(textBodyText(rich, (field) => fieldText(field, index, labelled, ranges, cells)))
  }
  if (all !== undefined && showsRange(all)) {
    for (const [index, text] of ranges) if (!own.has(index)) texts.push(text)
  }
  return texts.filter((text) => text.trim() !== "")
}

/** Of a label that shows a cell. */
const linkedText = (label: XmlElement): string =>
  [...descendants(child(child(label, "c:tx"), "c:strRef"), "c:v")].map(({ text }) => unescapeText(text)).join(" ")

const isDeleted = (label: XmlElement): boolean => {
  const deleted = child(label, "c:delete")
  return deleted !== undefined && isOn(deleted.attributes.val)
}

const showsRange = (labels: XmlElement): boolean => {
  for (const extension of children(child(labels, "c:extLst"), "c:ext")) {
    const shows = child(extension, "c15:showDataLabelsRange")
    if (shows !== undefined) return isOn(shows.attributes.val)
  }
  return false
}

/** The texts of the cells that a series takes its labels from. */
const rangeTexts = (series: XmlElement): ReadonlyMap<number, string> => {
  const found = new Map<number, string>()
  for (const extension of children(child(series, "c:extLst"), "c:ext")) {
    for (const cache of descendants(extension, "c15:dlblRangeCache")) {
      for (const point of children(cache, "c:pt")) {
        found.set(integer(point.attributes.idx) ?? found.size, unescapeText(child(point, "c:v")?.text ?? ""))
      }
    }
  }
  return found
}

/** The texts of single cells that a label refers to, by the id of the field. */
const cellTexts = (label: XmlElement): ReadonlyMap<string, string> =>
  new Map(
    [...descendants(label, "c15:dlblFTEntry")].map((entry): [string, string] => [
      child(entry, "c15:txfldGUID")?.text ?? "",
      [...descendants(entry, "c:v")].map(({ text }) => unescapeText(text)).join(" ")
    ])
  )

/** What is stored with a field is no more than its name: `[CELLRANGE]`. */
const fieldText = (
  field: Attributes,
  index: number,
  { categories, name, values }: LabelledSeries,
  ranges: ReadonlyMap<number, string>,
  cells: ReadonlyMap<string, string>
): string | undefined => {
  switch (field.type) {
    case "CELLRANGE":
      return ranges.get(index)
    case "CELLREF":
      return cells.get(field.id ?? "")
    case "CATEGORYNAME":
    case "XVALUE":
      return categories[index]
    case "VALUE":
    case "YVALUE":
      return values[index]
    case "SERIESNAME":
      return name
    default:
      return undefined
  }
}
