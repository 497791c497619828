import { crc32, deflateSync } from "node:zlib"

/** How the bytes of a pixel follow each other in memory. */
export type Layout = "gray" | "bgr" | "bgrx" | "bgra"

/** A PNG file of 8 bits a channel. `stride` is the distance between the starts of two rows in `pixels`. */
export const encode = (
  pixels: Uint8Array,
  width: number,
  height: number,
  stride: number,
  layout: Layout
): Uint8Array<ArrayBuffer> => {
  const { channels, step, colourType } = layouts[layout]
  const rowLength = width * channels
  const rows = new Uint8Array((rowLength + 1) * height)
  const above = new Uint8Array(rowLength)
  const row = new Uint8Array(rowLength)
  for (let y = 0; y < height; y++) {
    for (let x = 0, from = y * stride, to = 0; x < width; x++, from += step, to += channels) {
      if (channels === 1) {
        row[to] = pixels[from] ?? 0
        continue
      }
      row[to] = pixels[from + 2] ?? 0
      row[to + 1] = pixels[from + 1] ?? 0
      row[to + 2] = pixels[from] ?? 0
      if (channels === 4) row[to + 3] = pixels[from + 3] ?? 0
    }
    // filter "up": the difference to the row above deflates best for its price
    const at = y * (rowLength + 1)
    rows[at] = 2
    for (let index = 0; index < rowLength; index++) rows[at + 1 + index] = (row[index] ?? 0) - (above[index] ?? 0)
    above.set(row)
  }
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, colourType, 0, 0, 0], 8)
  return join([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", new Uint8Array(0))])
}

const layouts = {
  gray: { channels: 1, step: 1, colourType: 0 },
  bgr: { channels: 3, step: 3, colourType: 2 },
  bgrx: { channels: 3, step: 4, colourType: 2 },
  bgra: { channels: 4, step: 4, colourType: 6 }
} as const satisfies Record<Layout, unknown>

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/** Length, type and data, and the checksum of the latter two. */
const chunk = (type: string, data: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(data.length + 12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  bytes.set(new TextEncoder().encode(type), 4)
  bytes.set(data, 8)
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)))
  return bytes
}

const join = (parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
