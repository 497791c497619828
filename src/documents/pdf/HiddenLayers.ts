import { type ObjectBudget, visitObjects } from "./PageObjects.ts"
import { type Pdfium, readText, withString } from "./Pdfium.ts"
import type { PdfObjects } from "./PdfObjects.ts"
import { type Dictionary, Name, type PdfValue, Reference } from "./PdfSyntax.ts"

/**
 * The optional content of a document that is switched off. PDFium tells neither that nor which group an object of a page belongs to, but
 * lists the keys of its group: so bytes of the groups that are off are changed in PDFium's copy of the file, `/Type` to `/Hide`, and
 * forms and images that are off as a whole get a subtype that nothing draws.
 */
export interface HiddenLayers {
  readonly patches: ReadonlyArray<{ readonly at: number; readonly byte: number }>
  /** Takes what is switched off out of a page that was loaded. */
  readonly hide: (pdfium: Pdfium, page: number, budget: ObjectBudget) => void
  /** Whether an annotation is switched off by its own entry; one that is no object by itself has the number 0 and is found by its place. */
  readonly hidesAnnotation: (number: number, page: number, index: number) => boolean
}

/** Undefined where nothing is switched off, which is so in nearly all documents. */
export const findHiddenLayers = (objects: PdfObjects, bytes: Uint8Array): HiddenLayers | undefined => {
  const properties = objects.dictionary(objects.dictionary(objects.trailer.get("Root"))?.get("OCProperties"))
  const state = properties === undefined ? undefined : layerState(objects, properties)
  // nothing but what several groups decide together may be off where no group is
  if (
    state === undefined ||
    (state.off.size === 0 && !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes("/OCMD"))
  )
    return undefined
  const { names, off } = state
  const isOff = (value: PdfValue | undefined): boolean => isHidden(objects, off, value)

  const patches: Array<{ at: number; byte: number }> = []
  const replace = (at: number): void => {
    for (let index = 0; index < hide.length; index++) patches.push({ at: at + 1 + index, byte: hide.charCodeAt(index) })
  }
  for (const [number, offset] of objects.plain()) {
    const reference = new Reference(number)
    const dictionary = objects.dictionary(reference)
    if (dictionary === undefined) continue
    const isLayer = off.has(number) || (objects.name(dictionary.get("Type")) === "OCMD" && isOff(reference))
    const inside = isLayer ? [] : memberships(dictionary).map(isOff)
    const isDrawing = !isLayer && (dictionary.has("BBox") || dictionary.has("Width")) && isOff(dictionary.get("OC"))
    if (!isLayer && !isDrawing && !inside.includes(true)) continue
    const head = latin1.decode(bytes.subarray(offset, offset + maxHead))
    const own = head.slice(0, /\bendobj\b|\bstream\b/.exec(head)?.index)
    const found = isLayer ? /\/Type\s*\/OC(?:G|MD)\b/.exec(own) : isDrawing ? /\/(?:Form|Image)\b/.exec(own) : null
    if (found !== null) replace(offset + found.index)
    const written = [...own.matchAll(/\/Type\s*\/OCMD\b/g)]
    // as many as were read, in the order in which they stand
    if (written.length === inside.length) {
      for (const [index, match] of written.entries()) if (inside[index] === true) replace(offset + match.index)
    }
  }

  if (off.size === 0 && patches.length === 0) return undefined
  return {
    patches,
    hidesAnnotation: (number, page, index) => {
      const annotation =
        number > 0 ? new Reference(number) : objects.list(objects.dictionary(new Reference(page))?.get("Annots"))[index]
      return isOff(objects.dictionary(annotation)?.get("OC"))
    },
    hide: (pdfium, page, budget) =>
      withString(pdfium, hide, (hideKey) =>
        withString(pdfium, "Name", (nameKey) => {
          visitObjects(pdfium, page, budget, (object) => {
            if (isMarked(pdfium, object, hideKey, nameKey, names)) pdfium.call.FPDFPageObj_SetIsActive(object, 0)
          })
        })
      )
  }
}

interface LayerState {
  /** The groups that are off, by number. */
  readonly off: ReadonlySet<number>
  /** The names that only groups have which are off. */
  readonly names: ReadonlySet<string>
}

const layerState = (objects: PdfObjects, properties: Dictionary): LayerState => {
  const config = objects.dictionary(properties.get("D"))
  const on = numbers(objects.list(config?.get("ON")))
  const off = numbers(objects.list(config?.get("OFF")))
  const isOn = objects.name(config?.get("BaseState")) !== "OFF"
  const automatic = viewUsage(objects, config)
  const hidden = new Set<number>()
  const names = new Map<string, boolean>()
  for (const group of objects.list(properties.get("OCGs"))) {
    if (!(group instanceof Reference)) continue
    const dictionary = objects.dictionary(group)
    const usage = automatic.has(group.number)
      ? objects.name(objects.dictionary(objects.dictionary(dictionary?.get("Usage"))?.get("View"))?.get("ViewState"))
      : undefined
    const isShown =
      usage === undefined ? (off.has(group.number) ? false : on.has(group.number) || isOn) : usage !== "OFF"
    if (!isShown) hidden.add(group.number)
    const name = textOf(objects.resolve(dictionary?.get("Name")))
    names.set(name, (names.get(name) ?? true) && !isShown)
  }
  return {
    off: hidden,
    names: new Set([...names].filter(([name, isOff]) => isOff && name !== "").map(([name]) => name))
  }
}

/** The groups whose state follows their own wish when the document is viewed. */
const viewUsage = (objects: PdfObjects, config: Dictionary | undefined): ReadonlySet<number> =>
  new Set(
    objects
      .list(config?.get("AS"))
      .map((entry) => objects.dictionary(entry))
      .filter((entry) => objects.name(entry?.get("Event")) === "View")
      .flatMap((entry) => [...numbers(objects.list(entry?.get("OCGs")))])
  )

const numbers = (values: ReadonlyArray<PdfValue>): ReadonlySet<number> =>
  new Set(values.filter((value) => value instanceof Reference).map(({ number }) => number))

/** What groups decide together that is written into another object instead of being one. */
const memberships = (value: PdfValue, depth = 0): ReadonlyArray<Dictionary> => {
  if (depth >= maxDepth) return []
  const inner = value instanceof Map ? [...value.values()] : Array.isArray(value) ? value : []
  return inner.flatMap((entry: PdfValue) => {
    if (!(entry instanceof Map) && !Array.isArray(entry)) return []
    const type: PdfValue | undefined = entry instanceof Map ? entry.get("Type") : undefined
    return entry instanceof Map && type instanceof Name && type.name === "OCMD"
      ? [entry]
      : memberships(entry, depth + 1)
  })
}

/** Whether a group, or what several of them decide together, is off. */
const isHidden = (objects: PdfObjects, off: ReadonlySet<number>, value: PdfValue | undefined): boolean => {
  if (value instanceof Reference && off.has(value.number)) return true
  const membership = objects.dictionary(value)
  if (membership === undefined || objects.name(membership.get("Type")) !== "OCMD") return false
  const expression = objects.list(membership.get("VE"))
  if (expression.length > 0) return !holds(objects, off, expression, 0)
  const groups = membership.get("OCGs")
  const members = Array.isArray(objects.resolve(groups)) ? objects.list(groups) : groups === undefined ? [] : [groups]
  if (members.length === 0) return false
  const isShown = (member: PdfValue) => !(member instanceof Reference && off.has(member.number))
  switch (objects.name(membership.get("P"))) {
    case "AllOn":
      return !members.every(isShown)
    case "AllOff":
      return members.some(isShown)
    case "AnyOff":
      return members.every(isShown)
    default:
      return !members.some(isShown)
  }
}

const holds = (
  objects: PdfObjects,
  off: ReadonlySet<number>,
  [operator, ...operands]: ReadonlyArray<PdfValue>,
  depth: number
): boolean => {
  const holdsOne = (operand: PdfValue): boolean => {
    const resolved = objects.resolve(operand)
    if (Array.isArray(resolved)) return depth >= maxDepth || holds(objects, off, resolved, depth + 1)
    return !(operand instanceof Reference && off.has(operand.number))
  }
  switch (objects.name(operator)) {
    case "Not":
      return !operands.some(holdsOne)
    case "Or":
      return operands.some(holdsOne)
    default:
      return operands.every(holdsOne)
  }
}

const isMarked = (
  pdfium: Pdfium,
  object: number,
  hideKey: number,
  nameKey: number,
  names: ReadonlySet<string>
): boolean => {
  const { call, scratch } = pdfium
  const count = call.FPDFPageObj_CountMarks(object)
  for (let index = 0; index < count; index++) {
    const mark = call.FPDFPageObj_GetMark(object, index)
    if (call.FPDFPageObjMark_GetParamValueType(mark, hideKey) > 0) return true
    const name = readText(pdfium, (pointer, size) => {
      call.FPDFPageObjMark_GetParamStringValue(mark, nameKey, pointer, size, scratch)
      return pdfium.integers()[scratch >> 2] ?? 0
    })
    if (names.has(name)) return true
  }
  return false
}

/** A text string: UTF-16 behind a byte order mark, else what is near enough to Latin-1. */
const textOf = (value: PdfValue | undefined): string => {
  if (typeof value !== "string") return ""
  return value.startsWith("\u00fe\u00ff")
    ? new TextDecoder("utf-16be").decode(Buffer.from(value.slice(2), "latin1"))
    : value
}

// as long as "Type"
const hide = "Hide"
const latin1 = new TextDecoder("latin1")
const maxHead = 65_536
const maxDepth = 16
