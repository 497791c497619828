import PostalMime from "postal-mime"
import { DocumentError, damaged, limitExceeded } from "../DocumentError.ts"
import type { TextLimits } from "../text/TextDocument.ts"

/** A part of a mail, its transfer encoding undone. */
export interface MimePart {
  /** In lower case: `text/plain`, `multipart/mixed`, … */
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
  /** `attachment`, `inline`, or empty. */
  readonly disposition: string
  /** As written, with encoded words. */
  readonly filename: string | undefined
  readonly hasContentId: boolean
  readonly headers: ReadonlyArray<MimeHeader>
  /** Undefined where there is no body. */
  readonly content: Uint8Array | undefined
  readonly parts: ReadonlyArray<MimePart>
}

export interface MimeHeader {
  /** In lower case. */
  readonly key: string
  /** Unfolded, with encoded words. */
  readonly value: string
}

/** The parts of a mail. Rejects with `DocumentError`. */
export const parseMime = async (bytes: Uint8Array, limits: TextLimits): Promise<MimePart> => {
  // a mail within is parsed by its reader, so that its bytes are looked at as those of the outer one are
  const parser = new PostalMime({ maxNestingDepth: Math.min(limits.depth, 100), maxRfc822NestingDepth: 0 })
  try {
    await parser.parse(bytes)
  } catch (error) {
    if (error instanceof DocumentError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw /nesting|header/i.test(detail)
      ? limitExceeded("depth", `The mail is not read: ${detail}`)
      : damaged(`The mail could not be read: ${detail}`)
  }
  // the texts that the parser makes of it don't tell how they were decoded, and which was a guess
  const root: unknown = Reflect.get(parser, "root")
  if (!isNode(root)) throw damaged("The mail could not be read: its parts were not found")
  return partOf(root)
}

/** What the parser keeps of a part. */
interface Node {
  readonly childNodes: ReadonlyArray<Node>
  readonly content: ArrayBuffer | null
  readonly contentType: { readonly parsed: Structured }
  readonly contentDisposition: { readonly parsed: Structured }
  readonly contentId?: string
  readonly headers: ReadonlyArray<MimeHeader>
}

interface Structured {
  readonly value: string
  readonly params: Readonly<Record<string, string>>
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" &&
  value !== null &&
  ["childNodes", "content", "contentType", "contentDisposition", "headers"].every((key) => key in value)

const partOf = ({ childNodes, content, contentDisposition, contentId, contentType, headers }: Node): MimePart => ({
  type: contentType.parsed.value,
  parameters: contentType.parsed.params,
  disposition: contentDisposition.parsed.value,
  filename: contentDisposition.parsed.params["filename"] ?? contentType.parsed.params["name"],
  hasContentId: contentId !== undefined,
  headers,
  content: content === null ? undefined : new Uint8Array(content),
  parts: childNodes.map(partOf)
})
