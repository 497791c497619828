/** Lays text out as a browser does: white space runs become one blank, blocks stand on lines of their own. */
export interface HtmlFlow {
  readonly text: (text: string) => void
  /** White space and all. */
  readonly preformatted: (text: string) => void
  /** Ends the line; 2 leaves a blank line behind it. */
  readonly lineBreak: (lines: 1 | 2) => void
  /** `<br>`: every one of them ends a line, two leave a blank one. */
  readonly forcedBreak: () => void
  /** Between the cells of a row. */
  readonly tab: () => void
  readonly finish: () => string
}

export const makeFlow = (): HtmlFlow => {
  const pieces: Array<string> = []
  let breaks = 0
  let between = ""

  const write = (text: string): void => {
    if (pieces.length > 0) pieces.push(breaks > 0 ? "\n".repeat(Math.min(breaks, 2)) : between)
    pieces.push(text)
    breaks = 0
    between = ""
  }
  return {
    text: (text) => {
      const words = text.trim()
      if (words === "") {
        if (text !== "" && between === "") between = " "
        return
      }
      if (between === "" && startsBlank.test(text)) between = " "
      write(words.replace(whiteSpace, " "))
      if (endsBlank.test(text)) between = " "
    },
    preformatted: (text) => {
      if (text !== "") write(text)
    },
    lineBreak: (lines) => {
      breaks = Math.max(breaks, lines)
    },
    forcedBreak: () => {
      breaks++
    },
    tab: () => {
      if (breaks === 0) between = `${between.replaceAll(" ", "")}\t`
    },
    finish: () => pieces.join("")
  }
}

const whiteSpace = /\s+/g
const startsBlank = /^\s/
const endsBlank = /\s$/
