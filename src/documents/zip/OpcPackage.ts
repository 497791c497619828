import { DocumentError, damaged, notThisFormat } from "../DocumentError.ts"
import type { Limits } from "../Limits.ts"
import type { Warnings } from "../Warnings.ts"
import { rootElement } from "../xml/XmlScanner.ts"
import { children, parseXml } from "../xml/XmlTree.ts"
import { foreignArchive, foreignPackage } from "./ForeignPackage.ts"
import { describeOle, oleKind } from "./OleContainer.ts"
import { looksLikeZip, openZip, type ZipArchive } from "./ZipArchive.ts"

export type OoxmlFormat = "docx" | "pptx" | "xlsx"

/** A link from a part (or from the package) to another part or to the outside. */
export interface Relationship {
  readonly id: string
  /** The last segment of the type's URI: the same in every edition of the standard, e.g. `image`. */
  readonly kind: string
  /** The name of the part it leads to, as it stands in the zip directory; undefined if there is no such part. */
  readonly part: string | undefined
  /** The target as written, for messages. */
  readonly target: string
  readonly external: boolean
}

/** An Office Open XML file: parts, their content types and what they refer to (ECMA-376 part 2). */
export interface OpcPackage {
  readonly format: OoxmlFormat
  readonly mainPart: string
  readonly limits: Limits
  /** The bytes of a part. Throws `DocumentError` if it is missing or broken. */
  readonly read: (part: string) => Uint8Array
  readonly contentType: (part: string) => string | undefined
  /** The name as it stands in the zip directory of a part that nothing links to; undefined if there is none. */
  readonly find: (name: string) => string | undefined
  /** The relationships of a part in the order they are written, of the package itself for `""`. */
  readonly relationships: (part: string) => ReadonlyArray<Relationship>
  /** The relationship of a part with this id. */
  readonly related: (part: string, id: string | undefined) => Relationship | undefined
}

/** Opens a file that must be of this format. Throws `DocumentError`. */
export const openPackage = (bytes: Uint8Array, format: OoxmlFormat, limits: Limits, warnings: Warnings): OpcPackage => {
  const opened = openAnyPackage(bytes, limits, warnings)
  if (opened.format !== format) {
    throw notThisFormat(`The file is ${names[opened.format]}, not ${names[format]}`)
  }
  return opened
}

const names = { docx: "a Word document", pptx: "a PowerPoint presentation", xlsx: "an Excel workbook" } as const

/** Opens an Office Open XML file of any of the three formats. Throws `DocumentError`. */
export const openAnyPackage = (bytes: Uint8Array, limits: Limits, warnings: Warnings): OpcPackage => {
  if (oleKind(bytes) !== undefined) throw describeOle(bytes)
  if (!looksLikeZip(bytes)) throw notThisFormat("The file is not an Office document: it is no zip file")
  const zip = openZip(bytes, limits, (name) =>
    warnings.add(`The part ${name} is not what was once packed: its checksum does not match`)
  )
  const foreign = foreignArchive(zip)
  if (foreign !== undefined) throw foreign
  const contentTypes = readContentTypes(zip, limits)
  const cache = new Map<string, ReadonlyMap<string, Relationship>>()

  const contentType = (part: string) =>
    contentTypes.overrides.get(part.toLowerCase()) ?? contentTypes.defaults.get(extension(part))
  const linksById = (part: string) => {
    const cached = cache.get(part)
    if (cached !== undefined) return cached
    const links = new Map(readRelationships(zip, part, limits).map((link) => [link.id, link]))
    cache.set(part, links)
    return links
  }
  const relationships = (part: string) => [...linksById(part).values()]
  const read = (part: string) => {
    const content = zip.read(part)
    if (content === undefined) throw damaged(`The part ${part} is missing`)
    return content
  }

  const mainPart = findMainPart(zip, contentTypes, relationships(""))
  const type = contentType(mainPart) ?? ""
  const known = formatOfType(type)
  // Other packages have main parts that need not be XML at all.
  const other = known === undefined ? foreignPackage(type, mainPart) : undefined
  if (other !== undefined) throw other
  if (known === undefined && !mayBeXml(type)) {
    throw notThisFormat(`The file is a package of the type ${type}, not a Word, PowerPoint or Excel document`)
  }
  const format = known ?? formatOfRoot(rootElement(read(mainPart), mainPart, limits))
  if (format === undefined) throw notThisFormat("The file is not a Word, PowerPoint or Excel document")
  return {
    format,
    mainPart,
    limits,
    read,
    contentType,
    find: (name) => (zip.has(name) ? name : undefined),
    relationships,
    related: (part, id) => (id === undefined ? undefined : linksById(part).get(id))
  }
}

/** Reads what a document can be understood without; `fallback`, and a warning, when it is broken or missing. */
export const optionalPart = <A>(warnings: Warnings, fallback: A, read: () => A): A => {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof DocumentError) || error.reason === "LimitExceeded") throw error
    warnings.add(error.message)
    return fallback
  }
}

// --- Main part ---

const findMainPart = (
  zip: ZipArchive,
  contentTypes: ContentTypes,
  packageLinks: ReadonlyArray<Relationship>
): string => {
  const linked = mainKinds
    .map((kind) => packageLinks.find((link) => link.kind === kind && link.part !== undefined)?.part)
    .find((part) => part !== undefined)
  if (linked !== undefined) return linked
  for (const name of zip.names) {
    const type = contentTypes.overrides.get(name.toLowerCase())
    if (type !== undefined && formatOfType(type) !== undefined) return name
  }
  throw packageLinks.some((link) => link.kind === "officeDocument")
    ? damaged("The main part of the document is missing")
    : notThisFormat("The file is a zip file, but not an Office document")
}

/** The last three lead to main parts that are no Office document's. */
const mainKinds = ["officeDocument", "document", "fixedrepresentation", "3dmodel"]

const formatOfType = (type: string): OoxmlFormat | undefined => {
  if (/(wordprocessingml|ms-word)\.(document|template)\b.*\bmain\+xml$/i.test(type)) return "docx"
  if (/(presentationml|ms-powerpoint)\.(presentation|slideshow|template)\b.*\bmain\+xml$/i.test(type)) return "pptx"
  if (/(spreadsheetml|ms-excel)\.(sheet|template|addin)\b.*\bmain\+xml$/i.test(type)) return "xlsx"
  return undefined
}

const mayBeXml = (type: string): boolean => type === "" || /xml$|^text\/|octet-stream$/i.test(type)

const formatOfRoot = (root: string | undefined): OoxmlFormat | undefined =>
  root === "w:document" ? "docx" : root === "p:presentation" ? "pptx" : root === "x:workbook" ? "xlsx" : undefined

// --- Content types ---

interface ContentTypes {
  /** By extension. */
  readonly defaults: ReadonlyMap<string, string>
  /** By part name in lower case. */
  readonly overrides: ReadonlyMap<string, string>
}

const readContentTypes = (zip: ZipArchive, limits: Limits): ContentTypes => {
  const part = "[Content_Types].xml"
  const bytes = zip.read(part)
  if (bytes === undefined) return { defaults: new Map(), overrides: new Map() }
  const root = parseXml(bytes, part, limits)
  return {
    defaults: new Map(
      children(root, "ct:Default").map(({ attributes }) => [
        (attributes.Extension ?? "").toLowerCase(),
        attributes.ContentType ?? ""
      ])
    ),
    overrides: new Map(
      children(root, "ct:Override").map(({ attributes }) => [
        normalised(attributes.PartName ?? "").toLowerCase(),
        attributes.ContentType ?? ""
      ])
    )
  }
}

const extension = (part: string): string => /\.([^./]+)$/.exec(part)?.[1]?.toLowerCase() ?? ""

// --- Relationships ---

const readRelationships = (zip: ZipArchive, part: string, limits: Limits): ReadonlyArray<Relationship> => {
  const slash = part.lastIndexOf("/")
  const folder = part.slice(0, slash + 1)
  const name = `${folder}_rels/${part.slice(slash + 1)}.rels`
  const bytes = zip.read(name)
  if (bytes === undefined) return []
  return children(parseXml(bytes, name, limits), "rel:Relationship").map(({ attributes }) => {
    const target = attributes.Target ?? ""
    const external = attributes.TargetMode === "External"
    return {
      id: attributes.Id ?? "",
      kind: (attributes.Type ?? "").split("/").at(-1) ?? "",
      part: external ? undefined : resolveTarget(zip, folder, target),
      target,
      external
    }
  })
}

const resolveTarget = (zip: ZipArchive, folder: string, target: string): string | undefined => {
  const path = target.replaceAll("\\", "/").replace(/[?#].*$/s, "")
  const relative = path.startsWith("/") ? path : `/${folder}${path}`
  // Some programs write targets of parts relative to the package.
  for (const candidate of [relative, percentDecoded(relative), `/${path}`]) {
    const name = normalised(candidate)
    if (name !== "" && zip.has(name)) return name
  }
  return undefined
}

const percentDecoded = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Without `.` and `..`, which never lead out of the package, and without the leading slash. */
const normalised = (path: string): string => {
  const segments: Array<string> = []
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop()
    else if (segment !== "" && segment !== ".") segments.push(segment)
  }
  return segments.join("/")
}
