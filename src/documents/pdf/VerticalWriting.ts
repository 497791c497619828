import type { PageCharacters } from "./PageCharacters.ts"
import type { TextRun } from "./TextRuns.ts"

/**
 * Gives columns of vertical writing a line each, and puts those that begin at one height in the order they are read, from right to
 * left: PDFium takes their first characters for a line and sorts them from left to right.
 */
export const inReadingOrder = (characters: PageCharacters, runs: ReadonlyArray<TextRun>): ReadonlyArray<TextRun> => {
  if (!runs.some((run) => isColumn(characters, run) && goesDown(run))) return runs
  const ordered: Array<TextRun> = []
  for (let at = 0; at < runs.length;) {
    const end = endOfColumns(characters, runs, at)
    const columns = runs.slice(at, end)
    const { spaceEnd = 0, spaceStart = 0 } = columns[0] ?? {}
    // characters that stand alone may be short columns among longer ones
    if (columns.filter(goesDown).length * 2 > columns.length) {
      columns.sort((one, other) => other.first.left - one.first.left)
      for (const [index, run] of columns.entries()) {
        ordered.push({ ...run, spaceStart, spaceEnd, startsLine: index > 0 || isApart(ordered.at(-1), run) })
      }
      at = end
    } else {
      const run = runs[at]
      if (run !== undefined) ordered.push({ ...run, startsLine: isApart(ordered.at(-1), run) })
      at++
    }
  }
  return ordered
}

/** The end of the runs from `start` on that may be columns beside each other. */
const endOfColumns = (characters: PageCharacters, runs: ReadonlyArray<TextRun>, start: number): number => {
  const first = runs[start]
  if (first === undefined) return start
  let end = start
  for (let run = runs[end]; run !== undefined && isColumn(characters, run) && isBeside(first, run); run = runs[++end]);
  return end
}

const isColumn = (characters: PageCharacters, run: TextRun): boolean =>
  isEastAsian(characters.codes[run.start] ?? 0) && (run.end - run.start === 1 || goesDown(run))

/** Its last character is right below the first. */
const goesDown = ({ end, first, last, start }: TextRun): boolean =>
  end - start > 1 &&
  Math.abs(first.left + first.right - last.left - last.right) / 2 < (first.right - first.left) / 2 &&
  last.top + last.bottom < first.bottom * 2

const isBeside = (first: TextRun, run: TextRun): boolean =>
  Math.abs(first.first.top - run.first.top) < (first.first.top - first.first.bottom) * 0.75 &&
  (run === first || Math.abs(first.first.left - run.first.left) > (first.first.right - first.first.left) / 2)

/** Whether one of two runs is a column, and the other does not go on with it. */
const isApart = (previous: TextRun | undefined, run: TextRun): boolean =>
  previous !== undefined &&
  (goesDown(previous) || goesDown(run)) &&
  Math.abs(previous.first.left + previous.first.right - run.first.left - run.first.right) / 2 >
    (goesDown(run) ? run.first.right - run.first.left : previous.first.right - previous.first.left) * 0.75

/** Chinese, Japanese, Korean: the scripts that are written downwards. */
const isEastAsian = (code: number): boolean =>
  (code >= 0x2e80 && code <= 0x9fff) ||
  (code >= 0xac00 && code <= 0xd7a3) ||
  (code >= 0xf900 && code <= 0xfaff) ||
  (code >= 0xfe30 && code <= 0xfe4f) ||
  (code >= 0xff00 && code <= 0xffef)
