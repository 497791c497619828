import { limitExceeded } from "./DocumentError.ts"

/** What one document may cost. Bytes are unpacked bytes. */
export interface Limits {
  /** Entries in the zip directory. */
  readonly entries: number
  /** Bytes of one part. */
  readonly partBytes: number
  /** Bytes of all parts that are read, a part that is read twice counting twice. */
  readonly totalBytes: number
  /** Unpacked to packed bytes of a part, looked at past `ratioFloorBytes`. */
  readonly ratio: number
  readonly ratioFloorBytes: number
  /** Elements inside elements. */
  readonly xmlDepth: number
  /** Elements held in memory at once: a slide, a paragraph or table, a small part. */
  readonly treeElements: number
  /** Cells of one sheet or of all tables of one document, also the size of the grid a table is laid out in. */
  readonly cells: number
  /** UTF-16 units of text, a text that is used twice counting twice. */
  readonly textLength: number
  /** Bytes of all images that are given out. */
  readonly imageBytes: number
}

const mebibyte = 1024 * 1024

export const defaults: Limits = {
  entries: 20_000,
  partBytes: 256 * mebibyte,
  totalBytes: 300 * mebibyte,
  ratio: 200,
  ratioFloorBytes: 10 * mebibyte,
  xmlDepth: 256,
  treeElements: 2_000_000,
  cells: 4_000_000,
  textLength: 100_000_000,
  imageBytes: 300 * mebibyte
}

/** Counts what one document has cost so far; throws `DocumentError` (`LimitExceeded`) when it is too much. */
export interface Budget {
  readonly limits: Limits
  readonly spendText: (length: number) => void
  readonly spendCells: (count: number) => void
  readonly spendImage: (bytes: number) => void
  /** A new sheet starts with all its cells. */
  readonly renewCells: () => void
}

export const makeBudget = (limits: Limits): Budget => {
  let text = 0
  let cells = 0
  let imageBytes = 0
  return {
    limits,
    spendText: (length) => {
      text += length
      if (text > limits.textLength) {
        throw limitExceeded("textLength", `The document has more than ${limits.textLength} characters of text`)
      }
    },
    spendCells: (count) => {
      cells += count
      if (cells > limits.cells) {
        throw limitExceeded("cells", `A sheet or the tables of the document have more than ${limits.cells} cells`)
      }
    },
    spendImage: (bytes) => {
      imageBytes += bytes
      if (imageBytes > limits.imageBytes) {
        throw limitExceeded(
          "imageBytes",
          `The images of the document have more than ${limits.imageBytes} bytes; set extract_images to false`
        )
      }
    },
    renewCells: () => {
      cells = 0
    }
  }
}
