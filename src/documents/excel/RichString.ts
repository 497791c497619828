import { raised } from "../drawing/LinearFormula.ts"
import { fromSymbolFont, type SymbolFont } from "../drawing/SymbolFont.ts"
import { unescapeText } from "../xml/EscapedText.ts"

type Script = "^" | "_"

/** Where a run stands that is no part of the line. */
export const scriptMark = (align: string | undefined): Script | undefined =>
  align === "superscript" ? "^" : align === "subscript" ? "_" : undefined

/**
 * Puts the text of an `x:is`, `x:si` or the like together from what a scanner meets in it. Texts are only added to: to look into one that grows would copy it each time.
 */
export const makeRichString = () => {
  /** What has ended, and its last character. */
  let whole = ""
  let last = ""
  /** The texts of the run under way, and the text under way, which is escaped by itself. */
  let run = ""
  let text = ""
  let font: SymbolFont | undefined
  let script: Script | undefined
  let scriptBefore: Script | undefined
  const add = (part: string): void => {
    whole += part
    last = part.slice(-1) || last
  }
  const flush = (): void => {
    add(run)
    run = ""
  }
  return {
    begin: (): void => {
      whole = last = run = text = ""
      font = script = scriptBefore = undefined
    },
    text: (part: string): void => {
      text += part
    },
    endText: (): void => {
      run += unescapeText(text)
      text = ""
    },
    beginRun: flush,
    inFont: (named: SymbolFont | undefined): void => {
      font = named
    },
    inScript: (mark: Script | undefined): void => {
      script = mark
    },
    endRun: (): void => {
      if (font !== undefined) run = fromSymbolFont(font, run)
      // A number above the line may be cut into runs, of which the first alone says so.
      if (script !== undefined && script !== scriptBefore) run = raised(script, last, run)
      flush()
      scriptBefore = script
      font = script = undefined
    },
    end: (): string => {
      flush()
      return whole
    }
  }
}
