import { formulaText } from "../drawing/Formula.ts"
import type { XmlElement } from "../xml/XmlTree.ts"

/** Gathers one `<math>` of a page from its first to its last tag. */
export interface MathFormula {
  readonly open: (name: string, attributes: Readonly<Record<string, string>>) => void
  readonly text: (text: string) => void
  /** The formula on one line when its last tag closes. */
  readonly close: () => string | undefined
}

/** MathML says what Office's formulas say, by other names: so it is read as one of those. */
export const makeMathFormula = (): MathFormula => {
  const root: MathElement = { name: "math", attributes: {}, children: [], text: "" }
  const open: Array<MathElement> = []
  let elements = 0
  let isTooDeep = false
  let plain = ""
  return {
    open: (name, attributes) => {
      const element = open.length === 0 ? root : { name: localName(name), attributes, children: [], text: "" }
      elements++
      if (elements <= mostElements) open.at(-1)?.children.push(element)
      open.push(element)
      isTooDeep ||= open.length > mostLevels
    },
    text: (text) => {
      plain += text
      const element = open.at(-1)
      if (element !== undefined) element.text += text
    },
    close: () => {
      open.pop()
      if (open.length > 0) return undefined
      const isFormula = !isTooDeep && elements <= mostElements && plain.length <= mostText
      return isFormula ? formulaText(sequence("m:oMath", root.children)) : plain
    }
  }
}

/** Whether a tag begins a formula, with whatever prefix. */
export const isMath = (name: string): boolean => name === "math" || name.endsWith(":math")

interface MathElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Array<MathElement>
  text: string
}

const localName = (name: string): string => name.slice(name.indexOf(":") + 1)

// --- Office's names ---

const translated = (element: MathElement): ReadonlyArray<XmlElement> => {
  const { attributes, children, name } = element
  const [first, second, third] = children
  const part = (as: string, of: MathElement | undefined) => sequence(as, of === undefined ? [] : [of])
  switch (name) {
    case "mfrac": {
      const isStacked = /^0+(?:\.0*)?(?:[a-z]+|%)?$/.test(attributes["linethickness"]?.trim() ?? "")
      return [
        layout("m:f", isStacked ? properties("m:fPr", ["m:type", "noBar"]) : undefined, [
          part("m:num", first),
          part("m:den", second)
        ])
      ]
    }
    case "msup":
      return [layout("m:sSup", undefined, [part("m:e", first), part("m:sup", second)])]
    case "msub":
      return [layout("m:sSub", undefined, [part("m:e", first), part("m:sub", second)])]
    case "msubsup":
      return [layout("m:sSubSup", undefined, [part("m:e", first), part("m:sub", second), part("m:sup", third)])]
    case "munder":
      return [layout("m:limLow", undefined, [part("m:e", first), part("m:lim", second)])]
    case "mover":
      return [layout("m:limUpp", undefined, [part("m:e", first), part("m:lim", second)])]
    case "munderover":
      return [layout("m:sSubSup", undefined, [part("m:e", first), part("m:sub", second), part("m:sup", third)])]
    case "msqrt":
      return [layout("m:rad", undefined, [sequence("m:e", children)])]
    case "mroot":
      return [layout("m:rad", undefined, [part("m:deg", second), part("m:e", first)])]
    case "mfenced": {
      const signs = properties(
        "m:dPr",
        ["m:begChr", attributes["open"] ?? "("],
        ["m:endChr", attributes["close"] ?? ")"],
        ["m:sepChr", attributes["separators"]?.trim().charAt(0) ?? ","]
      )
      return [
        layout(
          "m:d",
          signs,
          children.map((entry) => part("m:e", entry))
        )
      ]
    }
    case "mtable":
      return [
        layout(
          "m:m",
          undefined,
          children.map((row) =>
            plainElement(
              "m:mr",
              row.children.map((cell) => sequence("m:e", [cell]))
            )
          )
        )
      ]
    case "semantics":
      return first === undefined ? [] : translated(first)
    case "annotation":
    case "annotation-xml":
    case "mphantom":
    case "mprescripts":
    case "none":
      return []
    case "mspace":
      return [run(" ")]
    default: {
      // other blanks are only how the page is written
      const text = element.text.replace(/[ \t\r\n]+/g, " ").replace(/^ | $/g, "")
      const own = text === "" ? [] : [/\p{L}{2}/u.test(text) ? word(text) : run(text)]
      return [...own, ...children.flatMap(translated)]
    }
  }
}

const sequence = (name: string, elements: ReadonlyArray<MathElement>): XmlElement =>
  plainElement(name, elements.flatMap(translated))

const plainElement = (name: string, children: ReadonlyArray<XmlElement>): XmlElement => ({
  name,
  attributes: {},
  children,
  text: ""
})

const run = (text: string): XmlElement => plainElement("m:r", [{ ...plainElement("m:t", []), text }])

/** The name of a function stands apart from what is beside it, as every word does. */
const word = (text: string): XmlElement => plainElement("m:func", [plainElement("m:fName", [run(text)])])

const layout = (name: string, own: XmlElement | undefined, children: ReadonlyArray<XmlElement>): XmlElement =>
  plainElement(name, own === undefined ? children : [own, ...children])

const properties = (name: string, ...values: ReadonlyArray<readonly [name: string, value: string]>): XmlElement =>
  plainElement(
    name,
    values.map(([key, value]) => ({ ...plainElement(key, []), attributes: { "m:val": value } }))
  )

// more are no formula, and laying them out takes time
const mostElements = 10_000
// of recursion, which pages may be allowed to exceed
const mostLevels = 500
const mostText = 100_000
