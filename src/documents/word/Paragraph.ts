import { formulaText, hasLayout } from "../drawing/Formula.ts"
import { gap, raised } from "../drawing/LinearFormula.ts"
import { fromPrivateUse, fromSymbolFont, hasSymbols, symbolFont, symbolOf } from "../drawing/SymbolFont.ts"
import { textBodyText } from "../drawing/TextBody.ts"
import { child, type XmlElement } from "../xml/XmlTree.ts"
import { codeValue, formValue, isEquation, ordinalName } from "./Fields.ts"
import { fontName, isMarkDeleted, plainFontName, scriptMark, styleName } from "./RunProperties.ts"
import type { Styles } from "./Styles.ts"

/** A paragraph's own text, and what floats beside it, in order. */
export interface ParagraphContent {
  /** The `w:p` whose properties count: of paragraphs that became one, the last. */
  readonly element: XmlElement
  readonly text: string
  readonly floats: ReadonlyArray<Float>
}

export type Float =
  /** Blocks of a text box: `w:p`, `w:tbl` and what wraps them. */
  | { readonly type: "text_box"; readonly blocks: ReadonlyArray<XmlElement> }
  /** Text of a shape that has no paragraphs of Word's. */
  | { readonly type: "shape"; readonly text: string }
  | { readonly type: "graphic"; readonly data: XmlElement }
  | { readonly type: "image"; readonly relationship: string }

/** What reading paragraphs needs to know of the story around them. */
export interface ParagraphContext {
  readonly styles: Styles
  /** Whether the field that begins at this field character ends anywhere. */
  readonly isEnded: (ordinal: number) => boolean
  /** Hears of characters of a font whose signs nobody knows. */
  readonly onUnknownSymbol: () => void
}

/** Reads the paragraphs of one story in order: fields reach over several of them. */
export interface ParagraphReader {
  /** The paragraph; undefined if its end was deleted with changes tracked, so that the next one goes on with it. */
  readonly read: (paragraph: XmlElement) => ParagraphContent | undefined
  /** A paragraph that waits for the next one, where no other follows. */
  readonly flush: () => ParagraphContent | undefined
}

/** A field under way. */
interface Field {
  readonly ordinal: number
  readonly form: XmlElement | undefined
  /** What stands before the result is code, whatever is nested in it. */
  inCode: boolean
  code: string
  /** Where in the line the result began; undefined once it goes beyond its paragraph. */
  from: number | undefined
}

/** Leaves out deleted and moved-away text, field codes and phonetic guides. */
export const makeParagraphReader = (context: ParagraphContext): ParagraphReader => {
  const broken = new Set<number>()
  let fields: Array<Field> = []
  let line = ""
  let floats: Array<Float> = []
  let isBehindLayout = false
  let font: string | undefined
  let plainFont: string | undefined
  let waiting: ParagraphContent | undefined
  /** The last run above or below the line, and where it ends. */
  let script: { readonly mark: "^" | "_"; readonly end: number } | undefined

  const isHidden = (): boolean => fields.some(({ inCode }) => inCode)

  const append = (text: string): void => {
    if (text === "") return
    if (fields.length > 0 && isHidden()) {
      // What is nested in a code is part of it: `\f({ REF price },2)`.
      addCode(
        fields.findLast(({ inCode }) => inCode),
        text
      )
      return
    }
    line += isBehindLayout ? gap(line, text) + text : text
    isBehindLayout = false
  }

  /** What its layout keeps apart from the text around it stays apart, as in 2 and 1/2. */
  const appendFormula = (text: string, isLaidOut: boolean): void => {
    append(isLaidOut && !isHidden() ? gap(line, text) + text : text)
    isBehindLayout = isLaidOut
  }

  const appendCodeValue = (code: string): void => {
    const value = codeValue(code)
    appendFormula(value, isEquation(code) && value !== "")
  }

  const addCode = (field: Field | undefined, code: string): void => {
    if (field?.inCode === true && field.code.length < maxCode) field.code += code
  }

  const addFloat = (float: Float): void => {
    if (!isHidden()) floats.push(float)
  }

  const addImage = (relationship: string | undefined): void => {
    if (relationship !== undefined && relationship !== "") addFloat({ type: "image", relationship })
  }

  const visitAll = (parent: XmlElement): void => {
    for (const part of parent.children) visit(part)
  }

  /** What an element adds to the line, not yet in it. */
  const taken = (element: XmlElement): string => {
    const before = { line, isBehindLayout }
    line = ""
    isBehindLayout = false
    visit(element)
    const text = line
    ;({ line, isBehindLayout } = before)
    return text
  }

  const visit = (element: XmlElement): void => {
    switch (element.name) {
      case "w:r":
        visitRun(element)
        return
      case "w:t":
        append(withSymbols(element.text))
        return
      case "m:t":
        append(element.text)
        return
      case "w:tab":
      case "w:ptab":
        append("\t")
        return
      case "w:cr":
        append("\n")
        return
      case "w:br":
        append((element.attributes["w:type"] ?? "textWrapping") === "textWrapping" ? "\n" : pageBreak)
        return
      case "w:noBreakHyphen":
        append("-")
        return
      case "w:sym":
        append(symbol(element.attributes["w:font"], element.attributes["w:char"]))
        return
      // Word's emoji outside of an alternative that says them in plain text.
      case "?:symEx":
        append(symbol(undefined, element.attributes["?:char"]))
        return
      case "w:fldChar":
        visitFieldCharacter(element)
        return
      case "w:instrText": {
        addCode(fields.at(-1), element.text)
        return
      }
      case "w:fldSimple": {
        const before = line.length
        visitAll(element)
        if (line.length === before && !isHidden()) appendCodeValue(element.attributes["w:instr"] ?? "")
        return
      }
      case "m:oMath":
      case "m:oMathPara": {
        if (isHidden()) return
        appendFormula(formulaText(element, taken), hasLayout(element))
        return
      }
      case "w:pPr":
      case "w:rPr":
      case "w:sdtPr":
      case "w:del":
      case "w:moveFrom":
      case "w:rt":
      case "w:delText":
        return
      case "w:txbxContent":
        addFloat({ type: "text_box", blocks: element.children })
        return
      case "a:txBody":
        addFloat({ type: "shape", text: textBodyText(element) })
        return
      case "v:textpath":
        addFloat({ type: "shape", text: element.attributes.string ?? "" })
        return
      case "a:graphicData":
        addFloat({ type: "graphic", data: element })
        visitAll(element)
        return
      case "a:blip":
        addImage(element.attributes["r:embed"])
        return
      case "v:imagedata":
        addImage(element.attributes["r:id"])
        return
      default:
        visitAll(element)
    }
  }

  const visitRun = (run: XmlElement): void => {
    const properties = run.children[0]?.name === "w:rPr" ? run.children[0] : undefined
    if (properties === undefined) {
      visitAll(run)
      return
    }
    const before = [font, plainFont]
    const start = line.length
    const style = context.styles.fontOf(styleName(properties))
    font = fontName(properties) ?? style ?? font
    plainFont = fontName(properties) === undefined ? (style ?? plainFont) : plainFontName(properties)
    visitAll(run)
    ;[font, plainFont] = before
    const mark = scriptMark(properties, context.styles.scriptOf(styleName(properties)))
    if (mark === undefined) return
    // A number above the line may be cut into runs.
    const goesOn = script?.mark === mark && script.end === start
    if (!goesOn) line = line.slice(0, start) + raised(mark, line.slice(0, start), line.slice(start))
    script = { mark, end: line.length }
  }

  const withSymbols = (text: string): string => {
    const plain = symbolFont(plainFont)
    if (plain === undefined && !hasSymbols(text)) return text
    const known = symbolFont(font)
    const found =
      plain !== undefined ? fromSymbolFont(plain, text) : known === undefined ? text : fromPrivateUse(known, text)
    if (hasSymbols(found)) context.onUnknownSymbol()
    return found
  }

  const symbol = (fontOfSymbol: string | undefined, code: string | undefined): string => {
    const value = code !== undefined && /^[0-9a-f]{1,6}$/i.test(code) ? Number.parseInt(code, 16) : 0
    const known = symbolFont(fontOfSymbol ?? font)
    const sign = known === undefined ? undefined : symbolOf(known, value)
    if (sign !== undefined) return sign
    const isMeaningless = value < 0x20 || value > 0x10ffff || (value >= 0xd800 && value <= 0xf8ff)
    if (!isMeaningless) return String.fromCodePoint(value)
    context.onUnknownSymbol()
    return ""
  }

  const visitFieldCharacter = (element: XmlElement): void => {
    switch (element.attributes["w:fldCharType"]) {
      case "begin": {
        const ordinal = Number(element.attributes[ordinalName] ?? -1)
        if (broken.has(ordinal)) return
        fields.push({ ordinal, form: child(element, "w:ffData"), inCode: true, code: "", from: undefined })
        return
      }
      case "separate": {
        const field = fields.at(-1)
        if (field === undefined) return
        field.inCode = false
        field.from = line.length
        return
      }
      case "end": {
        const field = fields.pop()
        if (field === undefined) return
        if (field.inCode && field.form === undefined) appendCodeValue(field.code)
        else if (field.inCode) append(formValue(field.form))
        else if (field.form !== undefined && field.from !== undefined) {
          const result = line.slice(field.from)
          const isText = child(field.form, "w:textInput") !== undefined
          if (isText ? result === "" : result.trim() === "") append(formValue(field.form))
        } else if (line.length === field.from && !isHidden()) appendCodeValue(field.code)
      }
    }
  }

  const readOne = (paragraph: XmlElement): ParagraphContent => {
    const begun = fields.map((field) => ({ ...field }))
    line = ""
    floats = []
    isBehindLayout = false
    script = undefined
    const style = context.styles.fontOf(child(child(paragraph, "w:pPr"), "w:pStyle")?.attributes["w:val"])
    font = style
    plainFont = style
    if (paragraph.name === "w:p") visitAll(paragraph)
    else visit(paragraph)
    const unended = fields.filter(({ inCode, ordinal }) => inCode && !context.isEnded(ordinal))
    if (unended.length > 0) {
      for (const { ordinal } of unended) broken.add(ordinal)
      fields = begun.filter(({ ordinal }) => !broken.has(ordinal))
      return readOne(paragraph)
    }
    for (const field of fields) field.from = undefined
    return { element: paragraph, text: line, floats }
  }

  const read = (paragraph: XmlElement): ParagraphContent | undefined => {
    const own = readOne(paragraph)
    const whole =
      waiting === undefined
        ? own
        : { element: paragraph, text: waiting.text + own.text, floats: [...waiting.floats, ...own.floats] }
    waiting = isMarkDeleted(child(paragraph, "w:pPr")) ? whole : undefined
    return waiting === undefined ? finished(whole) : undefined
  }

  return {
    read,
    flush: () => {
      const content = waiting
      waiting = undefined
      return content === undefined ? undefined : finished(content)
    }
  }
}

/** Nobody writes longer ones. */
const maxCode = 10_000

/** Stands for a page or column break until the paragraph is whole: XML has no such character. */
const pageBreak = "\f"

/** A break apart from text on both sides parts words; others only part paragraphs. */
const finished = (content: ParagraphContent): ParagraphContent =>
  content.text.includes(pageBreak)
    ? { ...content, text: content.text.replace(/^\f+|\f+$/g, "").replace(/\f+/g, "\n") }
    : content
