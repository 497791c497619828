import { defaults } from "../Limits.ts"
import { scanXml } from "../xml/XmlScanner.ts"
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
  const elements: Array<DataElement> = []
  const open: Array<DataElement> = []
  try {
    scanXml(packet, "XFA", defaults, {
      open: (qualified, attributes) => {
        const parent = open.at(-1)
        const name = localName(qualified)
        // formatted text is one value, whatever elements it is made of
        if (parent?.isRich === true) {
          if (blocks.has(name) && parent.text.trim() !== "") parent.text += "\n"
          open.push(parent)
          return
        }
        const isData = name === "data" && parent?.name === "datasets"
        const isRich = Object.entries(attributes).some(
          ([key, value]) => localName(key) === "contentType" && value === "text/html"
        )
        const path = isData ? [] : parent?.path === undefined ? undefined : [...parent.path, name]
        const element = { name, path, isRich, text: "" }
        open.push(element)
        if (path !== undefined && elements.length < maxValues) elements.push(element)
      },
      text: (text) => {
        const element = open.at(-1)
        if (element !== undefined) element.text += text
      },
      close: () => void open.pop()
    })
  } catch {
    return []
  }
  return elements
    .map(({ path = [], text }) => ({ name: path.join("."), value: text.trim() }))
    .filter(({ name, value }) => name !== "" && value !== "")
}

interface DataElement {
  readonly name: string
  /** From the form's data on; undefined outside of it. */
  readonly path: ReadonlyArray<string> | undefined
  readonly isRich: boolean
  text: string
}

const localName = (name: string): string => name.slice(name.lastIndexOf(":") + 1)

const blocks = new Set(["p", "div", "li", "br"])
const maxPackets = 100
const maxBytes = 16 * 1024 * 1024
const maxValues = 10_000
