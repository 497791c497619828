import type { Warnings } from "../Warnings.ts"
import { child, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { type OpcPackage, optionalPart } from "./OpcPackage.ts"

/** `docProps/core.xml`; null for what is absent or empty. Times as in the file: ISO 8601, mostly UTC. */
export interface CoreProperties {
  readonly title: string | null
  readonly creator: string | null
  readonly subject: string | null
  readonly keywords: string | null
  readonly description: string | null
  readonly category: string | null
  readonly created: string | null
  readonly modified: string | null
  readonly last_modified_by: string | null
  readonly revision: string | null
  readonly version: string | null
}

export const readCoreProperties = (document: OpcPackage, warnings: Warnings): CoreProperties => {
  const link = document.relationships("").find(({ kind, part }) => kind === "core-properties" && part !== undefined)
  const part = link?.part
  const root =
    part === undefined
      ? undefined
      : optionalPart<XmlElement | undefined>(warnings, undefined, () =>
          parseXml(document.read(part), part, document.limits)
        )
  const value = (name: string) => child(root, name)?.text.trim() || null
  const time = (name: string) => {
    const written = value(name)
    return written !== null && /^\d{4}(-\d\d(-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?)?)?$/.test(written) ? written : null
  }
  return {
    title: value("dc:title"),
    creator: value("dc:creator"),
    subject: value("dc:subject"),
    keywords: value("cp:keywords"),
    description: value("dc:description"),
    category: value("cp:category"),
    created: time("dcterms:created"),
    modified: time("dcterms:modified"),
    last_modified_by: value("cp:lastModifiedBy"),
    revision: value("cp:revision"),
    version: value("cp:version")
  }
}

/** The properties of Word and PowerPoint documents under the names of the original. */
export interface DocumentProperties {
  readonly title: string | null
  readonly author: string | null
  readonly subject: string | null
  readonly keywords: string | null
  readonly comments: string | null
  readonly category: string | null
  readonly created: string | null
  readonly modified: string | null
  readonly last_modified_by: string | null
  /** 0 when the document does not say. */
  readonly revision: number
}

export const documentProperties = (core: CoreProperties): DocumentProperties => ({
  title: core.title,
  author: core.creator,
  subject: core.subject,
  keywords: core.keywords,
  comments: core.description,
  category: core.category,
  created: core.created,
  modified: core.modified,
  last_modified_by: core.last_modified_by,
  revision: core.revision !== null && /^\d{1,9}$/.test(core.revision) ? Number(core.revision) : 0
})
