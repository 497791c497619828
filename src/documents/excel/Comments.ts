import type { Warnings } from "../Warnings.ts"
import { unescapeText } from "../xml/EscapedText.ts"
import { child, children, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"
import { parseCell } from "./CellReference.ts"
import type { SheetComment } from "./ExcelDocument.ts"
import { richText } from "./ExcelStrings.ts"

/** Reads the comments of sheets: notes, and threads with their replies in order. */
export const makeCommentReader = (
  document: OpcPackage,
  warnings: Warnings
): ((sheetName: string, sheetPart: string) => ReadonlyArray<SheetComment>) => {
  const treesOf = (part: string, kind: string): ReadonlyArray<XmlElement> =>
    document.relationships(part).flatMap((link) => {
      const target = link.part
      if (link.kind !== kind || target === undefined) return []
      return optionalPart<ReadonlyArray<XmlElement>>(warnings, [], () => [
        parseXml(document.read(target), target, document.limits)
      ])
    })

  const persons = new Map<string, string>()
  for (const root of treesOf(document.mainPart, "person")) {
    for (const { attributes } of children(root, "tc:person")) {
      if (attributes.id !== undefined && attributes.displayName)
        persons.set(attributes.id, unescapeText(attributes.displayName))
    }
  }

  return (sheetName, sheetPart) => {
    const found: Array<SheetComment> = []
    const add = (reference: string | undefined, author: string | undefined, text: string): void => {
      const address = parseCell(reference)
      if (address === undefined || reference === undefined || text === "") return
      found.push({ sheet_name: sheetName, cell: reference, author: author || null, text, ...address })
    }
    const threads = treesOf(sheetPart, "threadedComment").flatMap((root) => children(root, "tc:threadedComment"))
    const threaded = new Set(threads.map(({ attributes }) => attributes.ref))
    for (const root of treesOf(sheetPart, "comments")) {
      const authors = children(child(root, "x:authors"), "x:author").map(({ text }) => unescapeText(text))
      for (const comment of children(child(root, "x:commentList"), "x:comment")) {
        const { ref, authorId } = comment.attributes
        const author = authors[Number(authorId)]
        // For programs that know no threads a copy of the thread is kept as a note.
        if (threaded.has(ref) && author?.startsWith("tc=") === true) continue
        add(ref, author, richText(child(comment, "x:text")))
      }
    }
    for (const thread of threads) {
      const text = unescapeText(child(thread, "tc:text")?.text ?? "")
      add(thread.attributes.ref, persons.get(thread.attributes.personId ?? ""), text)
    }
    return found
  }
}
