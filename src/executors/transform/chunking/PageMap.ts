import { isObject, valueAt } from "../../../executor/DottedPath.ts"

/** Which pages (slides, sheets) of its document a range of the text lies on, in ascending order; none when nothing tells. */
export type PageMap = (start: number, end: number) => ReadonlyArray<number>

/** A page as an extractor lists it. */
interface Page {
  readonly number: number
  readonly text: string
}

/**
 * The pages of the text at `inputField`: the `pages` beside it, else `data.pages`; ours also `slides` and `sheets` beside it,
 * which count from 1. Null without any.
 */
export const find = (data: Readonly<Record<string, unknown>>, inputField: string, text: string): PageMap | null => {
  const dot = inputField.indexOf(".")
  const beside = dot === -1 ? data : valueAt(data, inputField.slice(0, dot))
  const source = isObject(beside) ? beside : {}
  const pages = listOf(source, "pages") ?? listOf(data, "pages")
  if (pages !== undefined) return locate(text, numbered(pages, "page_number"))
  const slides = listOf(source, "slides")
  if (slides !== undefined) return locate(text, numbered(slides, "slide_number"))
  const sheets = listOf(source, "sheets")
  return sheets === undefined ? null : locateSheets(text, sheets)
}

const listOf = (source: Readonly<Record<string, unknown>>, key: string): ReadonlyArray<unknown> | undefined => {
  const list = source[key]
  return Array.isArray(list) && list.length > 0 ? list : undefined
}

const numbered = (pages: ReadonlyArray<unknown>, key: string): ReadonlyArray<Page> =>
  pages.flatMap((page) => {
    if (!isObject(page)) return []
    const { [key]: number, text } = page
    return typeof number === "number" && number !== 0 && typeof text === "string" && text !== ""
      ? [{ number, text }]
      : []
  })

interface Located {
  readonly start: number
  readonly end: number
  readonly number: number
  /** A page before this one was not found, so that what lies between may be that page's. */
  readonly afterLost: boolean
}

/** Finds the pages one after another: a page's whole text, else its first hundred characters. */
const locate = (text: string, pages: ReadonlyArray<Page>): PageMap => {
  const located: Array<Located> = []
  let position = 0
  let lost = false
  // A page that is not there costs a search to the end; a text with thousands of those is not worth it.
  let budget = 16 * text.length + 1_000_000
  for (const page of pages) {
    if (budget <= 0) {
      lost = true
      break
    }
    const whole = text.indexOf(page.text, position)
    const start = whole === -1 && page.text.length > 100 ? text.indexOf(firstHundred(page.text), position) : whole
    if (whole === -1) budget -= text.length - position
    if (start === -1) {
      lost = true
      continue
    }
    const end = Math.min(text.length, start + page.text.length)
    located.push({ start, end, number: page.number, afterLost: lost })
    position = end
    lost = false
  }
  return lookUp(located, lost)
}

const firstHundred = (text: string): string => {
  const short = text.slice(0, 200)
  return /[\ud800-\udbff]/.test(short) ? Array.from(short).slice(0, 100).join("") : text.slice(0, 100)
}

/** A sheet's section starts with `Sheet: <name>` on a line of its own and ends where the next begins. */
const locateSheets = (text: string, sheets: ReadonlyArray<unknown>): PageMap => {
  const starts: Array<{ readonly start: number; readonly number: number }> = []
  let position = 0
  let budget = 16 * text.length + 1_000_000
  for (const [index, sheet] of sheets.entries()) {
    const name = isObject(sheet) ? sheet["sheet_name"] : undefined
    if (typeof name !== "string" || budget <= 0) continue
    const header = `Sheet: ${name}\n`
    const start = text.indexOf(header, position)
    if (start === -1) {
      budget -= text.length - position
      continue
    }
    starts.push({ start, number: index + 1 })
    position = start + header.length
  }
  return lookUp(
    starts.map(({ number, start }, index) => ({
      start,
      end: starts[index + 1]?.start ?? text.length,
      number,
      afterLost: false
    })),
    false
  )
}

/** What lies between two pages (a separator) counts to the page before it, unless it may belong to a page that was not found. */
const lookUp = (located: ReadonlyArray<Located>, lostAtEnd: boolean): PageMap => {
  return (start, end) => {
    let low = 0
    let high = located.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((located[middle]?.end ?? 0) <= start) low = middle + 1
      else high = middle
    }
    const numbers = new Set<number>()
    for (let index = low; index < located.length; index++) {
      const page = located[index]
      if (page === undefined || page.start >= end) break
      numbers.add(page.number)
    }
    if (numbers.size > 0) return [...numbers].toSorted((a, b) => a - b)
    const next = located[low]
    if (next === undefined ? lostAtEnd : next.afterLost) return []
    const near = located[low - 1] ?? next
    return near === undefined ? [] : [near.number]
  }
}
