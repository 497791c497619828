import { child, children, isOn, type XmlElement } from "../xml/XmlTree.ts"
import { applied, bar, base, gap, grouped, marked, quotient, radical, script } from "./LinearFormula.ts"

/** Reads what stands in a run of a formula. */
export type MathRun = (element: XmlElement) => string

/**
 * An Office formula on one line, with the signs that its layout stands for: `1/2`, `10^6`, `√2`, `∑_(i=1)^n i`,
 * `(1, 2; 3, 4)` for a matrix. Deleted parts are left out.
 */
export const formulaText = (formula: XmlElement, run: MathRun = plainRun): string => {
  const text = (element: XmlElement): string => {
    const layout = layouts.get(element.name)
    if (layout !== undefined) {
      return isDeleted(element) ? sequence(element) : layout(makeParts(element, sequence))
    }
    if (skipped.has(element.name) || element.name.endsWith("Pr")) return ""
    if (element.name === "m:oMathPara") return lines(element)
    return isGroup(element.name) ? sequence(element) : run(element)
  }

  const sequence = (parent: XmlElement | undefined): string => {
    let line = ""
    let apart = false
    for (const part of parent?.children ?? []) {
      const next = text(part)
      if (next === "") continue
      const isApart = layouts.has(part.name)
      line += apart || isApart ? gap(line, next) + next : next
      apart = isApart
    }
    return line
  }

  const lines = (paragraph: XmlElement): string =>
    paragraph.children.reduce((found, part) => {
      const next = text(part)
      const between = part.name === "m:oMath" && found !== "" && !found.endsWith("\n") ? "\n" : ""
      return next === "" ? found : found + between + next
    }, "")

  return withoutInvisible(text(formula))
}

/** The signs for "applied to" and "times" that Office puts in take no room, but part words. */
const withoutInvisible = (line: string): string =>
  /[\u2061-\u2064]/.test(line)
    ? line.replace(/\u2061+\s*(?=[\p{L}\p{N}√∛∜∑∫])/gu, " ").replace(/[\u2061-\u2064]/g, "")
    : line

/** What to put between a text and a formula beside it: what the layout keeps apart stays apart, as in 2 and 1/2. */
export const gapBeside = (formula: XmlElement, before: string, after: string): string =>
  hasLayout(formula) ? gap(before, after) : ""

/** Whether anything in it stands for a layout rather than for itself. */
export const hasLayout = (element: XmlElement): boolean => layouts.has(element.name) || element.children.some(hasLayout)

const plainRun: MathRun = (element) =>
  element.name === "m:t"
    ? element.text
    : element.children.reduce((text, part) => text + (skipped.has(part.name) ? "" : plainRun(part)), "")

const skipped = new Set(["w:del", "w:moveFrom", "m:ctrlPr", "w:rPr", "a:rPr"])

const isGroup = (name: string): boolean =>
  (name.startsWith("m:") && name !== "m:t" && name !== "m:r") ||
  name === "w:ins" ||
  name === "w:moveTo" ||
  name === "a14:m"

/** Whether the layout itself, not only what it holds, was deleted with changes tracked. */
const isDeleted = (element: XmlElement): boolean =>
  element.children.some(
    ({ name, children: properties }) =>
      name.endsWith("Pr") &&
      properties.some((property) => property.name === "m:ctrlPr" && child(property, "w:del") !== undefined)
  )

// --- Layouts ---

interface Parts {
  /** The text of the first child of this name. */
  readonly of: (name: string) => string
  /** The texts of all children of this name. */
  readonly all: (name: string) => ReadonlyArray<string>
  readonly element: XmlElement
  readonly sequence: (parent: XmlElement | undefined) => string
  /** A character that the properties set; `fallback` where they do not, empty where they unset it. */
  readonly sign: (properties: string, name: string, fallback: string) => string
  readonly isOn: (properties: string, name: string) => boolean
}

const makeParts = (element: XmlElement, sequence: Parts["sequence"]): Parts => ({
  of: (name) => sequence(child(element, name)),
  all: (name) => children(element, name).map(sequence),
  element,
  sequence,
  sign: (properties, name, fallback) => {
    const found = child(child(element, properties), name)
    return found === undefined ? fallback : (found.attributes["m:val"] ?? "")
  },
  isOn: (properties, name) => {
    const found = child(child(element, properties), name)
    return found !== undefined && isOn(found.attributes["m:val"])
  }
})

const layouts: ReadonlyMap<string, (parts: Parts) => string> = new Map<string, (parts: Parts) => string>([
  ["m:f", (parts) => fraction(parts)],
  ["m:sSup", ({ of }) => base(of("m:e")) + script("^", of("m:sup"))],
  ["m:sSub", ({ of }) => base(of("m:e")) + script("_", of("m:sub"))],
  ["m:sSubSup", ({ of }) => base(of("m:e")) + script("_", of("m:sub")) + script("^", of("m:sup"))],
  ["m:sPre", ({ of }) => `(${script("_", of("m:sub"))}${script("^", of("m:sup"))})${base(of("m:e"))}`],
  ["m:d", (parts) => delimited(parts)],
  ["m:nary", (parts) => nary(parts)],
  ["m:rad", (parts) => root(parts)],
  ["m:func", ({ of }) => applied(of("m:fName"), of("m:e"))],
  ["m:limLow", ({ of }) => base(of("m:e")) + script("_", of("m:lim"))],
  ["m:limUpp", ({ of }) => base(of("m:e")) + script("^", of("m:lim"))],
  ["m:m", (parts) => `[${matrix(parts)}]`],
  ["m:eqArr", (parts) => equations(parts)],
  ["m:acc", ({ of, sign }) => marked(of("m:e"), sign("m:accPr", "m:chr", "\u0302"))],
  ["m:bar", ({ of, sign }) => bar(of("m:e"), sign("m:barPr", "m:pos", "bot") === "top")],
  ["m:groupChr", ({ of, sign }) => sign("m:groupChrPr", "m:chr", "⏟") + grouped(of("m:e"))],
  [
    "m:phant",
    (parts) =>
      parts.sign("m:phantPr", "m:show", "1") === "1" || parts.isOn("m:phantPr", "m:show") ? parts.of("m:e") : ""
  ]
])

const fraction = ({ of, sign }: Parts): string => {
  // Without a bar the two are stacked, as in a binomial coefficient.
  const between = sign("m:fPr", "m:type", "bar") === "noBar" ? "¦" : "/"
  return quotient(of("m:num"), of("m:den"), between)
}

const delimited = (parts: Parts): string => {
  const { element, sequence, sign } = parts
  const inner = children(element, "m:e").map((entry) => {
    const only = entry.children.filter(({ name }) => !name.endsWith("Pr"))
    // The brackets around a matrix are its own.
    const [single] = only
    return only.length === 1 && single?.name === "m:m" && !isDeleted(single)
      ? matrix(makeParts(single, sequence))
      : sequence(entry)
  })
  const opening = sign("m:dPr", "m:begChr", "(")
  return opening + inner.join(sign("m:dPr", "m:sepChr", "|")) + sign("m:dPr", "m:endChr", ")")
}

const nary = ({ isOn: isSet, of, sign }: Parts): string => {
  const lower = isSet("m:naryPr", "m:subHide") ? "" : of("m:sub")
  const upper = isSet("m:naryPr", "m:supHide") ? "" : of("m:sup")
  return applied(sign("m:naryPr", "m:chr", "∫") + script("_", lower) + script("^", upper), of("m:e"))
}

const root = ({ isOn: isSet, of }: Parts): string => {
  const degree = isSet("m:radPr", "m:degHide") ? "" : of("m:deg")
  return radical(degree, of("m:e"))
}

const matrix = ({ element, sequence }: Parts): string =>
  children(element, "m:mr")
    .map((row) => children(row, "m:e").map(sequence).join(", "))
    .join("; ")

/** Equations below each other; `&` only says where they are aligned. */
const equations = ({ all }: Parts): string =>
  all("m:e")
    .map((equation) => equation.replaceAll("&", ""))
    .join("; ")
