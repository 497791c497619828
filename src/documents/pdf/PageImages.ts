import { createHash } from "node:crypto"
import type { PdfImage, PdfLimits, PdfOptions } from "./PdfDocument.ts"
import { type Pdfium, readBytes } from "./Pdfium.ts"
import * as Png from "./Png.ts"

/** Gathers the images of a document; one that is shown again is not decoded again. */
export class PageImages {
  readonly #pdfium: Pdfium
  readonly #options: PdfOptions
  readonly #limits: PdfLimits
  readonly #found = new Map<string, { readonly image: Omit<PdfImage, "pages">; readonly pages: Set<number> }>()
  readonly #skipped = new Map<string, number>()
  #bytes = 0
  #page = 0
  #onPage = 0

  constructor(pdfium: Pdfium, options: PdfOptions, limits: PdfLimits) {
    this.#pdfium = pdfium
    this.#options = options
    this.#limits = limits
  }

  get images(): ReadonlyArray<PdfImage> {
    return [...this.#found.values()].map(({ image, pages }) => ({ ...image, pages: [...pages] }))
  }

  get warnings(): ReadonlyArray<string> {
    return [...this.#skipped].map(([why, count]) => `${count} ${count === 1 ? "image" : "images"} left out: ${why}`)
  }

  /** Takes an image object of a page; images of a page come one after another. */
  add(object: number, pageNumber: number): void {
    const { call, scratch } = this.#pdfium
    if (pageNumber !== this.#page) {
      this.#page = pageNumber
      this.#onPage = 0
    }
    if (call.FPDFImageObj_GetImagePixelSize(object, scratch, scratch + 4) !== 1) return this.#skip("damaged")
    const width = this.#pdfium.integers()[scratch >> 2] ?? 0
    const height = this.#pdfium.integers()[(scratch >> 2) + 1] ?? 0
    const least = this.#options.minImageSize ?? 0
    if (width < 1 || height < 1 || (width < least && height < least)) return
    if (width * height > this.#limits.imagePixels) return this.#skip(`larger than ${this.#limits.imagePixels} pixels`)

    const stored = readBytes(
      this.#pdfium,
      (pointer, size) => call.FPDFImageObj_GetImageDataRaw(object, pointer, size),
      this.#limits.imageBytes
    )
    const identity = createHash("sha256").update(`${width}x${height};`).update(stored).digest("base64")
    const known = this.#found.get(identity)
    if (known !== undefined) {
      known.pages.add(pageNumber)
      return
    }
    if (this.#found.size >= this.#limits.images) return this.#skip(`more than ${this.#limits.images} in this document`)
    const encoded = this.#encode(object, stored)
    if (encoded === undefined) return this.#skip("damaged, or stored in a way that cannot be read")
    if (this.#bytes + encoded.data.length > this.#limits.imageBytes) {
      return this.#skip(`all together more than ${this.#limits.imageBytes} bytes`)
    }
    this.#bytes += encoded.data.length
    const image = { page_number: pageNumber, image_index: this.#onPage++, width, height, ...encoded }
    this.#found.set(identity, { image, pages: new Set([pageNumber]) })
  }

  #skip(why: string): void {
    this.#skipped.set(why, (this.#skipped.get(why) ?? 0) + 1)
  }

  #encode(object: number, stored: Uint8Array<ArrayBuffer>): Pick<PdfImage, "format" | "data"> | undefined {
    if (this.#options.imageFormat !== "png") {
      const jpeg = this.#jpeg(object, stored)
      if (jpeg !== undefined) return { format: "jpeg", data: jpeg }
    }
    const bitmap = this.#pdfium.call.FPDFImageObj_GetBitmap(object)
    if (bitmap === 0) return undefined
    try {
      const data = this.#png(bitmap)
      return data && { format: "png", data }
    } finally {
      this.#pdfium.call.FPDFBitmap_Destroy(bitmap)
    }
  }

  /** The image's own bytes, if they are a JPEG file, perhaps packed once more. */
  #jpeg(object: number, stored: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    const { call } = this.#pdfium
    if (isJpeg(stored)) return stored
    if (call.FPDFImageObj_GetImageFilterCount(object) < 2) return undefined
    const unpacked = readBytes(
      this.#pdfium,
      (pointer, size) => call.FPDFImageObj_GetImageDataDecoded(object, pointer, size),
      this.#limits.imageBytes
    )
    return isJpeg(unpacked) ? unpacked : undefined
  }

  #png(bitmap: number): Uint8Array<ArrayBuffer> | undefined {
    const { call } = this.#pdfium
    const layout = layouts.get(call.FPDFBitmap_GetFormat(bitmap))
    const width = call.FPDFBitmap_GetWidth(bitmap)
    const height = call.FPDFBitmap_GetHeight(bitmap)
    const stride = call.FPDFBitmap_GetStride(bitmap)
    const start = call.FPDFBitmap_GetBuffer(bitmap)
    if (layout === undefined || width < 1 || height < 1 || width * height > this.#limits.imagePixels) return undefined
    return Png.encode(this.#pdfium.bytes().subarray(start, start + stride * height), width, height, stride, layout)
  }
}

const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff

// FPDFBitmap_Gray, _BGR, _BGRx, _BGRA
const layouts: ReadonlyMap<number, Png.Layout> = new Map([
  [1, "gray"],
  [2, "bgr"],
  [3, "bgrx"],
  [4, "bgra"]
])
