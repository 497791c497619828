import { textBodyText } from "../drawing/TextBody.ts"
import type { Warnings } from "../Warnings.ts"
import { child, children, descendants, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"

export interface CommentContent {
  readonly author: string | null
  readonly text: string
  readonly created: string | null
}

/** Comments of a slide, both the older kind and threads with their replies. */
export const makeCommentReader = (
  document: OpcPackage,
  warnings: Warnings
): ((slidePart: string) => ReadonlyArray<CommentContent>) => {
  const tree = (part: string): XmlElement | undefined =>
    optionalPart<XmlElement | undefined>(warnings, undefined, () =>
      parseXml(document.read(part), part, document.limits)
    )
  const authors = new Map<string, string>()
  for (const { kind, part } of document.relationships(document.mainPart)) {
    if (part === undefined || (kind !== "commentAuthors" && kind !== "authors")) continue
    for (const { attributes } of tree(part)?.children ?? []) {
      if (attributes.id !== undefined && attributes.name !== undefined) authors.set(attributes.id, attributes.name)
    }
  }
  const content = (comment: XmlElement, text: string): CommentContent => ({
    author: authors.get(comment.attributes.authorId ?? "") ?? null,
    text,
    created: comment.attributes.dt ?? comment.attributes.created ?? null
  })

  return (slidePart) => {
    const found: Array<CommentContent> = []
    for (const { kind, part } of document.relationships(slidePart)) {
      if (part === undefined || kind !== "comments") continue
      const root = tree(part)
      for (const comment of children(root, "p:cm")) found.push(content(comment, child(comment, "p:text")?.text ?? ""))
      for (const comment of children(root, "p188:cm")) {
        found.push(content(comment, bodyText(comment)))
        for (const reply of descendants(child(comment, "p188:replyLst"), "p188:reply")) {
          found.push(content(reply, bodyText(reply)))
        }
      }
    }
    return found.filter(({ text }) => text.trim() !== "")
  }
}

const bodyText = (comment: XmlElement): string => {
  const body = child(comment, "p188:txBody")
  return body === undefined ? "" : textBodyText(body)
}
