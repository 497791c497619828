import * as Effect from "effect/Effect"
import { isUtf8 } from "node:buffer"
import { type Content, nameOf } from "../../../domain/Content.ts"
import type { DocumentHints } from "../../../documents/text/TextDocument.ts"
import { looksLikeText } from "../../../documents/text/LooksLikeText.ts"
import { ownBuffer } from "../../../threads/ThreadPool.ts"
import * as DocumentBytes from "../../DocumentBytes.ts"
import * as Executor from "../../../executor/Executor.ts"
import * as LocalFile from "../../LocalFile.ts"

/** Whether the item's bytes come from its file, and not from `data.<content_field>`. */
export const isFromFile = (settings: DocumentBytes.BytesSettings, item: Content): boolean =>
  settings.content_field === null || !Object.hasOwn(item.data, settings.content_field)

/** The path of the item's file, if it has one. */
export const pathOf = (settings: DocumentBytes.BytesSettings, item: Content): string | undefined => {
  const field = settings.temp_file_path_field
  const path = Object.hasOwn(item.data, field) ? item.data[field] : undefined
  return typeof path === "string" && path !== "" ? path : undefined
}

/**
 * As `DocumentBytes`, but a text in `data.<content_field>` that is not the base64 form of a document is the document itself.
 */
export const make = (context: Executor.ExecutorContext, settings: DocumentBytes.BytesSettings) =>
  Effect.map(DocumentBytes.make(context, settings), (bytesOf) => (item: Content) => {
    const field = settings.content_field
    const value = field !== null && Object.hasOwn(item.data, field) ? item.data[field] : undefined
    if (typeof value !== "string" || isBase64OfDocument(value)) return bytesOf(item)
    const bytes = Buffer.from(value)
    return bytes.length > settings.max_size_bytes
      ? Effect.fail(
          Executor.documentError(context, item, LocalFile.tooLarge(nameOf(item), bytes.length, settings.max_size_bytes))
        )
      : Effect.succeed(ownBuffer(bytes))
  })

/** Base64 of what could be a document: bytes that start like one, or valid UTF-8. A single word is base64 too, but not of that. */
const isBase64OfDocument = (text: string): boolean => {
  if (text.length < 8 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false
  // as long as many files are short, and past this no words are in one piece
  if (text.length > 4096) return true
  const bytes = Buffer.from(text, "base64")
  const start = bytes.subarray(0, 4).toString("latin1")
  if (/^(PK|%PDF|\u00d0\u00cf|\u00ff\u00fe|\u00fe\u00ff)/.test(start)) return true
  return looksLikeText(new TextDecoder().decode(bytes)) && isUtf8(bytes)
}

/** What is known of the item's document beside its bytes. */
export const hintsOf = (settings: DocumentBytes.BytesSettings, item: Content): DocumentHints => {
  const path = isFromFile(settings, item) ? pathOf(settings, item) : undefined
  const name = [item.id?.filename, path, item.id?.path, item.id?.canonical_id].find(
    (candidate) => typeof candidate === "string" && /\.\w{1,10}$/.test(candidate)
  )
  const mediaType = item.id?.metadata?.["content_type"]
  return {
    ...(typeof name === "string" && { name }),
    ...(typeof mediaType === "string" && { mediaType })
  }
}
