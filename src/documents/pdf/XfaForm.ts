import { defaults } from "../Limits.ts"
import { parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { type Pdfium, readBytes } from "./Pdfium.ts"

/** A value that was filled into an XFA form: where it stands in the form's data, such as `form1.Name`. */
export interface XfaValue {
  readonly name: string
  readonly value: string
}

/** The values in the data of an XFA form, which PDFium neither fills in nor draws. None if the data is broken. */
export const readXfaValues = (pdfium: Pdfium, document: number): ReadonlyArray<XfaValue> => {
  const { call, scratch } = pdfium
  const values: Array<XfaValue> = []
  const count = Math.min(call.FPDF_GetXFAPacketCount(document), maxPackets)
  for (let index = 0; index < count; index++) {
    const name = readBytes(pdfium, (pointer, size) => call.FPDF_GetXFAPacketName(document, index, pointer, size), 1_000)
    // a form that is one stream has a single packet without a name
    if (count > 1 && new TextDecoder().decode(name).replace("\0", "") !== "datasets") continue
    const packet = readBytes(
      pdfium,
      (pointer, size) => {
        call.FPDF_GetXFAPacketContent(document, index, pointer, size, scratch)
        return pdfium.integers()[scratch >> 2] ?? 0
      },
      maxBytes
    )
    if (packet.length > 0) values.push(...valuesOf(packet))
  }
  return values
}

const valuesOf = (packet: Uint8Array): ReadonlyArray<XfaValue> => {
  const values: Array<XfaValue> = []
  const visit = (element: XmlElement, path: string): void => {
    for (const child of element.children) {
      const name = path === "" ? localName(child) : `${path}.${localName(child)}`
      const value = child.text.trim()
      if (value !== "" && values.length < maxValues) values.push({ name, value })
      visit(child, name)
    }
  }
  try {
    const data = dataOf(parseXml(packet, "XFA", defaults))
    if (data !== undefined) visit(data, "")
  } catch {
    return []
  }
  return values
}

const dataOf = (element: XmlElement): XmlElement | undefined => {
  for (const child of element.children) {
    const found = localName(child) === "data" && localName(element) === "datasets" ? child : dataOf(child)
    if (found !== undefined) return found
  }
  return undefined
}

const localName = ({ name }: XmlElement): string => name.slice(name.lastIndexOf(":") + 1)

const maxPackets = 100
const maxBytes = 16 * 1024 * 1024
const maxValues = 10_000
