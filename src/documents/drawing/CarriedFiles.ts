import { listed, type Warnings } from "../Warnings.ts"
import { type OpcPackage, optionalPart, type Relationship } from "../zip/OpcPackage.ts"

/** Warns of the files and the objects of other programs that lie in these parts, which are not read. */
export const warnOfCarriedFiles = (document: OpcPackage, parts: ReadonlyArray<string>, warnings: Warnings): void => {
  const names = new Set(
    parts
      .flatMap((part) => optionalPart<ReadonlyArray<Relationship>>(warnings, [], () => document.relationships(part)))
      .filter(({ kind }) => kinds.has(kind))
      .flatMap(({ part }) => (part === undefined ? [] : [part.slice(part.lastIndexOf("/") + 1)]))
  )
  if (names.size > 0) warnings.add(`Files that the document carries are not read: ${listed([...names])}`)
}

/** A chart's workbook lies behind the chart and is none of these. */
const kinds = new Set(["oleObject", "package"])
