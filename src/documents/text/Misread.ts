/**
 * Whether a decoded text shows that its bytes were read in the wrong encoding: by characters that no text has, by runs of accented letters and signs, by
 * capitals within words, or by letters of two scripts in one word. A right text has hardly any of them.
 */
export const looksMisread = (text: string): boolean => {
  let foreign = 0
  let impossible = 0
  let inRuns = 0
  let mixed = 0
  let pairs = 0
  let small = 0
  let swapped = 0
  let run = ""
  const endRun = (): void => {
    if (run.length >= 3 && new Set(run).size > 1) inRuns += run.length
    run = ""
  }
  const length = Math.min(text.length, sample)
  let before = " "
  for (let index = 0; index < length; index++) {
    const character = text.charAt(index)
    if (character <= "\u007f") {
      if (asciiLetter.test(character) && isOtherScript(before)) mixed++
      endRun()
      before = character
      continue
    }
    foreign++
    if (isImpossible(character)) impossible++
    if (isLatin(character)) run += character
    else endRun()
    if (isOtherScript(character)) {
      if (asciiLetter.test(before)) mixed++
      if (isCased(character)) {
        if (isLower(character)) small++
        if (isCased(before)) pairs++
        if (isLower(before) && isCased(before) && isUpper(character)) swapped++
      }
    }
    before = character
  }
  endRun()
  if (foreign === 0) return false
  return (
    impossible * 10 > foreign ||
    (foreign >= 6 && inRuns * 2 > foreign) ||
    (foreign >= 3 && mixed * 5 > foreign * 3) ||
    (pairs >= 10 && swapped > 0 && swapped * 2 >= small)
  )
}

const sample = 64 * 1024
const asciiLetter = /[A-Za-z]/

/** Replacement characters, control characters, those for private use, and corners of boxes that change from single to double lines. */
const isImpossible = (character: string): boolean =>
  character === "\ufffd" ||
  (character >= "\u0080" && character <= "\u009f") ||
  (character >= "\ue000" && character <= "\uf8ff") ||
  oddCorner.test(character)

const oddCorner =
  /[\u2552\u2553\u2555\u2556\u2558\u2559\u255b\u255c\u255e\u255f\u2561\u2562\u2564\u2565\u2567\u2568\u256a\u256b]/

/** Accented letters and signs that stand alone in texts; quotes, dashes and bullets do not. */
const isLatin = (character: string): boolean =>
  (character > "\u00a0" && character <= "\u024f") || "€‚ƒ„†‡ˆ‰‹˜™›".includes(character)

/** Letters that stand beside Latin ones in no word. */
const isOtherScript = (character: string): boolean =>
  (character >= "\u0370" && character <= "\u06ff") ||
  (character >= "\u0e00" && character <= "\u0e7f") ||
  (character >= "\u3040" && character <= "\u9fff") ||
  (character >= "\uac00" && character <= "\ud7a3") ||
  (character >= "\uff66" && character <= "\uff9d")

const isCased = (character: string): boolean => character >= "\u0370" && character <= "\u052f"
const isLower = (character: string): boolean => character !== character.toUpperCase()
const isUpper = (character: string): boolean => character !== character.toLowerCase()
