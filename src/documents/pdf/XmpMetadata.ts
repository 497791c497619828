import { defaults } from "../Limits.ts"
import { parseXml, type XmlElement } from "../xml/XmlTree.ts"
import type { PdfProperties } from "./PdfDocument.ts"
import type { PdfObjects } from "./PdfObjects.ts"

/** What the XMP metadata of a document say; nothing if they are broken. */
export const readMetadata = (objects: PdfObjects): Partial<PdfProperties> => {
  const packet = objects.stream(objects.dictionary(objects.trailer.get("Root"))?.get("Metadata"))
  if (packet === undefined || packet.length > maxBytes) return {}
  try {
    const said = new Map<string, string>()
    for (const description of descriptions(parseXml(packet, "XMP", defaults))) {
      for (const [name, value] of Object.entries(description.attributes)) put(said, localName(name), value ?? "")
      for (const property of description.children) put(said, localName(property.name), textOf(property))
    }
    return {
      title: said.get("title") ?? null,
      author: said.get("creator") ?? null,
      subject: said.get("description") ?? null,
      keywords: said.get("Keywords") ?? said.get("subject") ?? null,
      creator: said.get("CreatorTool") ?? null,
      producer: said.get("Producer") ?? null,
      created: isoDate(said.get("CreateDate")),
      modified: isoDate(said.get("ModifyDate"))
    }
  } catch {
    return {}
  }
}

const put = (said: Map<string, string>, name: string, value: string): void => {
  const text = value.trim()
  if (text !== "" && !said.has(name)) said.set(name, text)
}

const descriptions = (element: XmlElement): ReadonlyArray<XmlElement> =>
  localName(element.name) === "RDF"
    ? element.children.filter(({ name }) => localName(name) === "Description")
    : element.children.flatMap(descriptions)

/** A text, the one of several languages that is the default, or all entries of a list. */
const textOf = (property: XmlElement): string => {
  const [container] = property.children
  if (container === undefined) return property.text
  const entries = container.children
  if (localName(container.name) !== "Alt") return entries.map(({ text }) => text.trim()).join(", ")
  return (entries.find(({ attributes }) => attributes["xml:lang"] === "x-default") ?? entries[0])?.text ?? ""
}

const localName = (name: string): string => name.slice(name.lastIndexOf(":") + 1)

/** The parts that XMP may leave out are filled in, fractions of seconds go. */
const isoDate = (text: string | undefined): string | null => {
  const [, year, month = "01", day = "01", hour = "00", minute = "00", second = "00", zone = ""] =
    /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(text ?? "") ??
    []
  if (year === undefined) return null
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const exact = new Date(`${local}Z`)
  return Number.isNaN(exact.getTime()) || !exact.toISOString().startsWith(local) ? null : `${local}${zone}`
}

const maxBytes = 1024 * 1024
