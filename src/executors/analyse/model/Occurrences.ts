/** Where something stands in a text. */
export interface Span {
  readonly start: number
  readonly end: number
}

const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}_]/u.test(character)

/** All places where the value stands, as a word of its own where it is one anywhere. Models change blanks and letter case: both are forgiven. */
export const all = (text: string, value: string): ReadonlyArray<Span> => {
  const wanted = value.trim()
  if (wanted === "" || wanted.length > 2_000) return []
  const exact = places(text, wanted)
  const found = exact.length > 0 ? exact : loosely(text, wanted)
  const words = found.filter(({ end, start }) => standsAlone(text, start, end))
  return words.length > 0 ? words : found
}

export const first = (text: string, value: string): Span | undefined => all(text, value)[0]

const most = 10_000

const places = (text: string, wanted: string): ReadonlyArray<Span> => {
  const spans: Array<Span> = []
  for (let at = text.indexOf(wanted); at >= 0 && spans.length < most; at = text.indexOf(wanted, at + wanted.length)) {
    spans.push({ start: at, end: at + wanted.length })
  }
  return spans
}

const loosely = (text: string, wanted: string): ReadonlyArray<Span> => {
  const pattern = wanted
    .split(/\s+/)
    .map((word) => word.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`))
    .join(String.raw`\s{1,20}`)
  const spans: Array<Span> = []
  for (const match of text.matchAll(new RegExp(pattern, "gi"))) {
    spans.push({ start: match.index, end: match.index + match[0].length })
    if (spans.length >= most) break
  }
  return spans
}

const standsAlone = (text: string, start: number, end: number): boolean =>
  !(isWord(text[start]) && isWord(text[start - 1])) && !(isWord(text[end - 1]) && isWord(text[end]))
