import { limitExceeded } from "../DocumentError.ts"
import type { Limits } from "../Limits.ts"
import { scanXml } from "./XmlScanner.ts"
import type { Attributes } from "./XmlTag.ts"

/** An element with everything in it. `text` is its own text; where that stood between the children is not kept. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Attributes
  readonly children: ReadonlyArray<XmlElement>
  readonly text: string
}

interface OpenElement extends XmlElement {
  children: Array<XmlElement>
  text: string
}

/** Most elements have no children; they share this one, to which nothing is ever added. */
const childless: Array<XmlElement> = []

/** Builds trees out of scanned events: for parts, or pieces of parts, that are small enough to hold. */
export interface XmlTreeBuilder {
  /** Whether an element is under way. */
  readonly building: () => boolean
  readonly open: (name: string, attributes: Attributes) => void
  readonly text: (text: string) => void
  /** The finished tree, when its outermost element closes. */
  readonly close: () => XmlElement | undefined
  /** The last child of the present element. */
  readonly last: () => XmlElement | undefined
  /** Adds a tree that was built before to the present element. */
  readonly add: (tree: XmlElement) => void
}

/**
 * Leaves out the elements named in `ignored` with all that is in them. Throws `DocumentError` when one tree has more than
 * `limits.treeElements` elements.
 */
export const makeTreeBuilder = (
  part: string,
  limits: Limits,
  ignored: ReadonlySet<string> = new Set()
): XmlTreeBuilder => {
  const stack: Array<OpenElement> = []
  let elements = 0
  let ignoredDepth = 0

  const add = (element: XmlElement): void => {
    elements = stack.length === 0 ? 1 : elements + 1
    if (elements > limits.treeElements) {
      throw limitExceeded(
        "treeElements",
        `The part ${part} has a piece of more than ${limits.treeElements} elements, which is too much to hold`
      )
    }
    const parent = stack.at(-1)
    if (parent?.children === childless) parent.children = [element]
    else parent?.children.push(element)
  }

  return {
    building: () => stack.length > 0,
    open: (name, attributes) => {
      if (ignoredDepth > 0 || ignored.has(name)) {
        ignoredDepth++
        return
      }
      const element: OpenElement = { name, attributes, children: childless, text: "" }
      add(element)
      stack.push(element)
    },
    text: (text) => {
      const current = stack.at(-1)
      if (current !== undefined && ignoredDepth === 0) current.text += text
    },
    close: () => {
      if (ignoredDepth > 0) {
        ignoredDepth--
        return undefined
      }
      const element = stack.pop()
      return stack.length === 0 ? element : undefined
    },
    last: () => (ignoredDepth > 0 ? undefined : stack.at(-1)?.children.at(-1)),
    add: (tree) => {
      if (ignoredDepth === 0 && stack.length > 0) add(tree)
    }
  }
}

/** What of a part its reader needs, where most of it says how things look. */
export interface TreeChoice {
  /** Left out with all that is in them. */
  readonly without: ReadonlySet<string>
  /** The only elements whose attributes count. */
  readonly attributesOf: ReadonlySet<string>
}

/** The tree of a whole part, or of what is chosen of it. Throws `DocumentError`. */
export const parseXml = (bytes: Uint8Array, part: string, limits: Limits, choice?: TreeChoice): XmlElement => {
  const builder = makeTreeBuilder(part, limits, choice?.without)
  let root: XmlElement = { name: "", attributes: {}, children: [], text: "" }
  scanXml<XmlElement>(bytes, part, limits, {
    ...(choice !== undefined && { reads: (name: string) => choice.attributesOf.has(name) }),
    open: builder.open,
    text: builder.text,
    close: () => {
      root = builder.close() ?? root
    },
    repeated: {
      // What is left out is no last child.
      names: choice === undefined ? formatting : new Set([...formatting].filter((name) => !choice.without.has(name))),
      kept: builder.last,
      again: builder.add
    }
  })
  return root
}

/** What says how things look is mostly the same. */
const formatting = new Set("w:rPr w:pPr w:tcPr w:tblPr a:rPr a:pPr a:endParaRPr p:spPr x:rPr".split(" "))

/** The first child of this name. */
export const child = (parent: XmlElement | undefined, name: string): XmlElement | undefined =>
  parent?.children.find((element) => element.name === name)

/** The children of this name, in order. */
export const children = (parent: XmlElement | undefined, name: string): ReadonlyArray<XmlElement> =>
  parent?.children.filter((element) => element.name === name) ?? []

/** Every element of this name below, in document order, not looking inside the ones found. */
export function* descendants(parent: XmlElement | undefined, name: string): Generator<XmlElement> {
  for (const element of parent?.children ?? []) {
    if (element.name === name) yield element
    else yield* descendants(element, name)
  }
}

/** An `xsd:boolean` or `ST_OnOff`: present without a value means true. */
export const isOn = (value: string | undefined): boolean => value === undefined || !/^(0|false|off)$/.test(value.trim())

/** A number written with digits only, or undefined. */
export const integer = (value: string | undefined): number | undefined => {
  if (value === undefined) return undefined
  const short = value.length <= 9 ? shortInteger(value) : -1
  if (short >= 0) return short
  return /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : undefined
}

/** -1 for other than digits. */
const shortInteger = (value: string): number => {
  let number = value === "" ? -1 : 0
  for (let index = 0; index < value.length; index++) {
    const digit = value.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return -1
    number = 10 * number + digit
  }
  return number
}
