import type { Warnings } from "../Warnings.ts"
import type { Budget } from "../Limits.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"

/** An image as it is stored in the document. */
export interface Image {
  /** The subtype of `content_type`: `png`, `jpeg`, `x-emf`, ... */
  readonly format: string
  readonly content_type: string
  readonly size_bytes: number
  readonly data: Uint8Array
}

/** Gives out images; each part is unpacked once, but counts each time it is given out. */
export interface Images {
  /** The image of a part; undefined, and a warning, if it cannot be read. */
  readonly ofPart: (part: string) => Image | undefined
  /** The image behind a relationship of a part; undefined, and a warning, if there is none. Linked ones are skipped. */
  readonly ofRelationship: (part: string, id: string) => Image | undefined
}

export const makeImages = (document: OpcPackage, budget: Budget, warnings: Warnings): Images => {
  const cache = new Map<string, Image | undefined>()

  const load = (part: string): Image | undefined =>
    optionalPart(warnings, undefined, () => {
      const data = document.read(part)
      const contentType = imageType(data, document.contentType(part))
      return {
        format: contentType.split("/").at(-1) ?? "unknown",
        content_type: contentType,
        size_bytes: data.byteLength,
        data
      }
    })

  const ofPart = (part: string): Image | undefined => {
    if (!cache.has(part)) cache.set(part, load(part))
    const image = cache.get(part)
    if (image !== undefined) budget.spendImage(image.size_bytes)
    return image
  }

  return {
    ofPart,
    ofRelationship: (part, id) => {
      const link = document.related(part, id)
      if (link?.external === true) return undefined
      if (link?.part === undefined) {
        warnings.add(`The part ${part} refers to an image that is not in the file (${link?.target ?? id})`)
        return undefined
      }
      return ofPart(link.part)
    }
  }
}

/** What the package says, unless it says nothing of use: then by the first bytes. */
const imageType = (data: Uint8Array, declared: string | undefined): string => {
  if (declared !== undefined && /^image\/[\w.+-]+$/i.test(declared)) return declared.toLowerCase()
  return signatures.find(([, bytes]) => bytes.every((byte, index) => data[index] === byte))?.[0] ?? "image/unknown"
}

const signatures: ReadonlyArray<readonly [type: string, bytes: ReadonlyArray<number>]> = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/bmp", [0x42, 0x4d]],
  ["image/tiff", [0x49, 0x49, 0x2a, 0x00]],
  ["image/tiff", [0x4d, 0x4d, 0x00, 0x2a]],
  ["image/x-emf", [0x01, 0x00, 0x00, 0x00]],
  ["image/x-wmf", [0xd7, 0xcd, 0xc6, 0x9a]]
]
