import { init } from "@embedpdf/pdfium"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"

/** Reads the text of a PDF with PDFium as its package hands it out: page by page in one call, nothing looked at. */
export const make: Effect.Effect<(path: string) => Effect.Effect<string, string>> = Effect.promise(async () => {
  const wasmBinary = readFileSync(createRequire(import.meta.url).resolve("@embedpdf/pdfium/pdfium.wasm"))
  const library = await init({ wasmBinary })
  library.PDFiumExt_Init()
  // the package declares the memory through types that it does not bring along
  const memory = library.pdfium as typeof library.pdfium & {
    readonly HEAPU8: Uint8Array<ArrayBuffer>
    readonly wasmExports: Readonly<Record<"malloc" | "free", (size: number) => number>>
  }
  const { free, malloc } = memory.wasmExports
  const utf16 = new TextDecoder("utf-16le")

  const textOf = (document: number, index: number): string => {
    const page = library.FPDF_LoadPage(document, index)
    const layer = page === 0 ? 0 : library.FPDFText_LoadPage(page)
    const count = layer === 0 ? 0 : library.FPDFText_CountChars(layer)
    const buffer = malloc(2 * (count + 1))
    const written = count > 0 ? library.FPDFText_GetText(layer, 0, count, buffer) : 0
    const text = utf16.decode(memory.HEAPU8.subarray(buffer, buffer + 2 * Math.max(0, written - 1)))
    free(buffer)
    if (layer !== 0) library.FPDFText_ClosePage(layer)
    if (page !== 0) library.FPDF_ClosePage(page)
    return text
  }

  return (path) =>
    Effect.suspend(() => {
      const bytes = readFileSync(path)
      const pointer = malloc(bytes.length)
      memory.HEAPU8.set(bytes, pointer)
      const document = library.FPDF_LoadMemDocument(pointer, bytes.length, "")
      if (document === 0) {
        free(pointer)
        return Effect.fail(`PDFium can't open ${path}`)
      }
      const pages = Array.from({ length: library.FPDF_GetPageCount(document) }, (_, index) => textOf(document, index))
      library.FPDF_CloseDocument(document)
      free(pointer)
      return Effect.succeed(pages.join("\n"))
    })
})
