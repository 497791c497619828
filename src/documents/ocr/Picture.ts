import { damaged, notThisFormat } from "../DocumentError.ts"

/** A picture as its file describes it. */
export interface Picture {
  readonly format: "png" | "jpeg" | "tiff"
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** How it must be turned to be upright, as EXIF counts: 1 is as it is. */
  readonly orientation: number
}

/** Finds out what a picture is before anything decodes it. Throws `DocumentError`. */
export const describe = (bytes: Uint8Array): Picture => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const format = formatOf(view)
  if (format === undefined) throw notThisFormat("Neither a PDF nor a picture in PNG, JPEG or TIFF")
  const size = readers[format](view)
  if (size === undefined || size.width < 1 || size.height < 1) {
    throw damaged(`The picture is damaged: its ${format.toUpperCase()} header says no size`)
  }
  return { format, orientation: 1, ...size }
}

type Size = Omit<Picture, "format" | "orientation"> & Partial<Pick<Picture, "orientation">>

const formatOf = (view: DataView): Picture["format"] | undefined => {
  if (view.byteLength < 8) return undefined
  const start = view.getUint32(0)
  if (start === 0x89504e47) return "png"
  if (start >>> 8 === 0xffd8ff) return "jpeg"
  return start === 0x49492a00 || start === 0x4d4d002a ? "tiff" : undefined
}

const pngSize = (view: DataView): Size | undefined =>
  view.byteLength < 24 ? undefined : { width: view.getUint32(16), height: view.getUint32(20) }

/** Walks the segments to the start of the frame (ITU T.81, B.2.2). */
const jpegSize = (view: DataView): Size | undefined => {
  let orientation = 1
  for (let at = 2; at + 9 < view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return undefined
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at += 1
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5), orientation }
    const length = view.getUint16(at + 2)
    if (marker === 0xe1) orientation = exifOrientation(view, at + 4, length - 2) ?? orientation
    at += 2 + length
  }
  return undefined
}

/** `Exif`, two zeros, and a TIFF directory. */
const exifOrientation = (view: DataView, at: number, length: number): number | undefined => {
  if (length < 14 || at + length > view.byteLength || view.getUint32(at) !== 0x45786966) return undefined
  return tagsOf(new DataView(view.buffer, view.byteOffset + at + 6, length - 6)).get(0x0112)
}

const tiffSize = (view: DataView): Size | undefined => {
  const tags = tagsOf(view)
  const [width, height] = [tags.get(256), tags.get(257)]
  // The decoder turns a TIFF by itself.
  return width === undefined || height === undefined ? undefined : { width, height }
}

const mostTags = 512

/** The numbers of the first directory of a TIFF, by tag: those that are one value in place. */
const tagsOf = (view: DataView): ReadonlyMap<number, number> => {
  const tags = new Map<number, number>()
  if (view.byteLength < 8) return tags
  const little = view.getUint16(0) === 0x4949
  const start = view.getUint32(4, little)
  if (start + 2 > view.byteLength) return tags
  const count = Math.min(view.getUint16(start, little), mostTags)
  for (let index = 0; index < count; index++) {
    const at = start + 2 + index * 12
    if (at + 12 > view.byteLength) break
    const type = view.getUint16(at + 2, little)
    if (type === 3) tags.set(view.getUint16(at, little), view.getUint16(at + 8, little))
    if (type === 4) tags.set(view.getUint16(at, little), view.getUint32(at + 8, little))
  }
  return tags
}

const readers = { png: pngSize, jpeg: jpegSize, tiff: tiffSize }
