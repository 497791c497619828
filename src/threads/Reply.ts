import { DocumentError } from "../documents/DocumentError.ts"
import * as Pieces from "./Pieces.ts"

/** What a thread sends back. Errors travel as data, because a class does not survive the way. */
export type Reply<A> =
  | {
      readonly ok: A
      /** Bytes of `ok.images`, taken out: a buffer changes its thread at no cost, a view of one does not. */
      readonly buffers: ReadonlyArray<ArrayBuffer>
    }
  /** `ok` was sent before, in pieces. */
  | { readonly sent: true; readonly buffers: ReadonlyArray<ArrayBuffer> }
  | { readonly error: Pick<DocumentError, "reason" | "message" | "limit"> }

export const success = (value: unknown): Extract<Reply<unknown>, { readonly ok: unknown }> => {
  // two images may share one buffer, which can be moved but once
  const places = new Map<ArrayBuffer, number>()
  const images = imagesOf(value)?.map((image) => {
    if (!(image.data instanceof Uint8Array)) return image
    const buffer = wholeBuffer(image.data) ?? new Uint8Array(image.data).buffer
    const place = places.get(buffer) ?? places.size
    places.set(buffer, place)
    return { ...image, data: place }
  })
  return { ok: images === undefined ? value : { ...(value as object), images }, buffers: [...places.keys()] }
}

export const failure = (error: DocumentError): Reply<never> => ({
  error: {
    reason: error.reason,
    message: error.message,
    ...(error.limit === undefined ? {} : { limit: error.limit })
  }
})

/** Sends a large value ahead of its reply. */
export const ahead = async <A>(reply: Reply<A>, send: (piece: Pieces.Piece) => Promise<void>): Promise<Reply<A>> => {
  if (!("ok" in reply) || !Pieces.isLarge(reply.ok)) return reply
  for (const piece of Pieces.cut(reply.ok)) await send(piece)
  return { sent: true, buffers: reply.buffers }
}

/** The reply with the value that was sent ahead of it. */
export const whole = <A>(reply: Reply<A>, assembly: Pieces.Assembly): Reply<A> =>
  "sent" in reply ? { ok: assembly.value as A, buffers: reply.buffers } : reply

/** The value or the error that `success` or `failure` were given. */
export const open = <A>(reply: Reply<A>): { readonly value: A } | DocumentError => {
  if ("error" in reply) return new DocumentError(reply.error)
  if ("sent" in reply) throw new TypeError("The pieces of the value are missing")
  const images = imagesOf(reply.ok)?.map((image) => {
    const buffer = typeof image.data === "number" ? reply.buffers[image.data] : undefined
    return buffer === undefined ? image : { ...image, data: new Uint8Array(buffer) }
  })
  return { value: images === undefined ? reply.ok : { ...reply.ok, images } }
}

/** The buffer of a view, if it holds nothing else. */
const wholeBuffer = ({ buffer, byteLength }: Uint8Array): ArrayBuffer | undefined =>
  buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? buffer : undefined

interface Image {
  readonly data?: unknown
}

const imagesOf = (value: unknown): ReadonlyArray<Image> | undefined =>
  typeof value === "object" && value !== null && "images" in value && Array.isArray(value.images)
    ? value.images
    : undefined
