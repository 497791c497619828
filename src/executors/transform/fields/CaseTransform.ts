export const cases = ["lower", "upper", "title", "camel", "snake"] as const

/** The text in another spelling; the rules are Python's `lower`, `upper` and `title`, and the original's own for camel and snake. */
export const transform = (text: string, to: (typeof cases)[number]): string => {
  switch (to) {
    case "lower":
      return text.toLowerCase()
    case "upper":
      return text.toUpperCase()
    case "title":
      return title(text)
    case "camel": {
      const [first = "", ...rest] = text.split("_")
      return first.toLowerCase() + rest.map(title).join("")
    }
    case "snake":
      return text
        .replaceAll(/([^\n])([A-Z][a-z]+)/g, "$1_$2")
        .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
        .toLowerCase()
  }
}

/** A letter behind a letter becomes small, any other large: `it's` is `It'S`. */
const title = (text: string): string =>
  text.replaceAll(/\p{Cased}+/gu, (word) => {
    const [first = ""] = word
    const [large = "", ...small] = first.toUpperCase()
    // One letter may become two (ß, ﬁ); only the first of them is large then.
    const start = (titleCased.get(large) ?? large) + small.join("").toLowerCase()
    // The word as a whole, because of the sigma at its end.
    return start + word.toLowerCase().slice(first.toLowerCase().length)
  })

/** Letters of two parts whose large form is not their title form. */
const titleCased: ReadonlyMap<string, string> = new Map([
  ["Ǆ", "ǅ"],
  ["Ǉ", "ǈ"],
  ["Ǌ", "ǋ"],
  ["Ǳ", "ǲ"]
])
