/** So many letters and digits in a row are no coincidence. */
const window = 16
/** How far windows are apart: a quotation is found from `window + step` letters on. */
const step = 8
/** A line of the request that is shorter is looked for as a whole, from this length on. */
const shortest = 6

/** What the request says of the call itself, and not of a document. */
const ownKeys = new Set(["model", "role", "type", "format", "response_format", "instructions", "@search.action"])

/**
 * What a service says, without what it quotes of the request: that may be a document's text, and goes into logs and records. Servers that
 * check requests by a schema tend to answer with all that they got.
 */
export const hidden = (message: string, request: unknown): string => {
  const texts: Array<string> = []
  collect(request, texts)
  if (texts.length === 0 || message === "") return message
  const { letters, places } = lettersOf(message)
  const isQuoted = new Uint8Array(letters.length)
  for (const text of texts) {
    const plain = lettersOf(text).letters
    for (let at = 0; at + window <= letters.length; at += step) {
      if (!plain.includes(letters.slice(at, at + window))) continue
      let from = at
      let to = at + window
      while (from > 0 && from > at - step && plain.includes(letters.slice(from - 1, from - 1 + window))) from -= 1
      while (to < letters.length && to < at + window + step && plain.includes(letters.slice(to + 1 - window, to + 1)))
        to += 1
      isQuoted.fill(1, from, to)
    }
    for (const line of text.length > 10_000 ? [] : text.split("\n")) {
      const short = lettersOf(line).letters
      if (short.length < shortest || short.length >= window + step) continue
      for (let at = letters.indexOf(short); at >= 0; at = letters.indexOf(short, at + short.length)) {
        isQuoted.fill(1, at, at + short.length)
      }
    }
  }
  let shown = ""
  let from = 0
  for (let at = 0; at < letters.length;) {
    if (isQuoted[at] === 0) {
      at += 1
      continue
    }
    const start = at
    while (at < letters.length && isQuoted[at] === 1) at += 1
    shown += `${message.slice(from, places[start])}…`
    from = (places[at - 1] ?? 0) + 1
  }
  return shown + message.slice(from)
}

const collect = (value: unknown, texts: Array<string>): void => {
  if (typeof value === "string") texts.push(value)
  else if (Array.isArray(value)) for (const each of value) collect(each, texts)
  else if (typeof value === "object" && value !== null) {
    for (const [key, each] of Object.entries(value)) if (!ownKeys.has(key)) collect(each, texts)
  }
}

/** Letters and digits alone: services escape, wrap and shorten what they quote. */
const lettersOf = (text: string): { readonly letters: string; readonly places: ReadonlyArray<number> } => {
  const places: Array<number> = []
  let letters = ""
  for (const match of text.matchAll(/[\p{L}\p{N}]+/gu)) {
    letters += match[0].toLowerCase().length === match[0].length ? match[0].toLowerCase() : match[0]
    for (let at = 0; at < match[0].length; at += 1) places.push(match.index + at)
  }
  return { letters, places }
}
