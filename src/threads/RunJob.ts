import { textTooLong } from "../documents/DocumentError.ts"
import type { OcrEngine } from "../documents/ocr/OcrReader.ts"
import * as BlankText from "../documents/BlankText.ts"
import type { PdfEngine } from "../documents/pdf/PdfEngine.ts"
import * as LongestText from "../text/LongestText.ts"
import type { Jobs } from "./Jobs.ts"

type Runners = { readonly [Name in keyof Jobs]: (input: Jobs[Name]["input"]) => Promise<Jobs[Name]["output"]> }

/** Does a job on the calling thread; rejects with `DocumentError`. */
export const runJob = <Name extends keyof Jobs>(
  name: Name,
  input: Jobs[Name]["input"]
): Promise<Jobs[Name]["output"]> =>
  runners[name](input)
    .then(BlankText.withoutLongBlank)
    .catch((cause: unknown) => {
      throw LongestText.isExceeded(cause) ? textTooLong("document") : cause
    })

export const isJobName = (name: string): name is keyof Jobs => Object.hasOwn(runners, name)

/** Whether a thread that has done a job with so large an input may hold much memory that nothing needs any more. */
export const leavesMuch = (inputBytes: number): boolean =>
  inputBytes > largeInput || (pdfEngine?.droppedBytes() ?? 0) + (ocrEngine?.droppedBytes() ?? 0) > muchDropped

const largeInput = 32 * 1024 * 1024
const muchDropped = 96 * 1024 * 1024

let pdfEngine: PdfEngine | undefined
let ocrEngine: OcrEngine | undefined

// a reader is loaded when it is first needed
const pdfs = async (): Promise<PdfEngine> => {
  const { makePdfEngine } = await import("../documents/pdf/PdfEngine.ts")
  return (pdfEngine ??= makePdfEngine())
}

const readPdf: PdfEngine["read"] = async (bytes, options, limits) => (await pdfs()).read(bytes, options, limits)

const runners: Runners = {
  pdf: async ({ bytes, options, limits }) => readPdf(new Uint8Array(bytes), options, limits),
  word: async ({ bytes, options, limits }) => {
    const { readWord } = await import("../documents/word/WordReader.ts")
    return readWord(new Uint8Array(bytes), options, limits)
  },
  powerpoint: async ({ bytes, options, limits }) => {
    const { readPowerPoint } = await import("../documents/powerpoint/PowerPointReader.ts")
    return readPowerPoint(new Uint8Array(bytes), options, limits)
  },
  excel: async ({ bytes, options, limits }) => {
    const { readExcel } = await import("../documents/excel/ExcelReader.ts")
    return readExcel(new Uint8Array(bytes), options, limits)
  },
  text: async ({ bytes, hints, options, limits }) => {
    const { readText } = await import("../documents/text/TextReader.ts")
    return readText(new Uint8Array(bytes), options, limits, hints)
  },
  csv: async ({ bytes, options }) => {
    const { readCsv } = await import("../documents/csv/CsvDocument.ts")
    return readCsv(new Uint8Array(bytes), options)
  },
  ocr: async ({ bytes, options, limits }) => {
    const { makeOcrEngine } = await import("../documents/ocr/OcrReader.ts")
    ocrEngine ??= makeOcrEngine(async (...drawing) => (await pdfs()).draw(...drawing))
    return ocrEngine.read(new Uint8Array(bytes), options, limits)
  },
  document: async ({ bytes, options, limits }) => {
    const { readDocument } = await import("../documents/DocumentReader.ts")
    return readDocument(new Uint8Array(bytes), options, limits, readPdf)
  }
}
