import { init } from "@embedpdf/pdfium"
import { createRequire } from "node:module"
import { existsSync, readFileSync } from "node:fs"

/** The C functions of PDFium that the reader calls, by their own names. Pointers and booleans are numbers. */
type CFunction = (...args: ReadonlyArray<number>) => number

type Functions = Readonly<
  Record<
    | "malloc"
    | "free"
    | "PDFiumExt_Init"
    | "PDFiumExt_OpenFormFillInfo"
    | "PDFiumExt_CloseFormFillInfo"
    | "PDFiumExt_InitFormFillEnvironment"
    | "PDFiumExt_ExitFormFillEnvironment"
    | "EPDF_IsEncrypted"
    | "FPDF_LoadMemDocument"
    | "FPDF_CloseDocument"
    | "FPDF_GetLastError"
    | "FPDF_GetPageCount"
    | "FPDF_GetMetaText"
    | "FPDF_GetFormType"
    | "FPDF_LoadPage"
    | "FPDF_ClosePage"
    | "FPDF_GetPageWidthF"
    | "FPDF_GetPageHeightF"
    | "FPDF_GetPageSizeByIndexF"
    | "FPDF_GetPageBoundingBox"
    | "FPDFPage_GetRotation"
    | "FPDFPage_CountObjects"
    | "FPDFPage_GetObject"
    | "FPDFPage_GetAnnotCount"
    | "FPDFPage_GetAnnot"
    | "FPDFPage_CloseAnnot"
    | "FPDFText_LoadPage"
    | "FPDFText_ClosePage"
    | "FPDFText_CountChars"
    | "FPDFText_GetUnicode"
    | "FPDFText_GetCharBox"
    | "FPDFText_GetTextObject"
    | "FPDFText_IsHyphen"
    | "FPDFText_HasUnicodeMapError"
    | "FPDFPageObj_GetType"
    | "FPDFPageObj_GetBounds"
    | "FPDFPageObj_GetMatrix"
    | "FPDFPageObj_GetFillColor"
    | "FPDFFormObj_CountObjects"
    | "FPDFFormObj_GetObject"
    | "FPDFPath_CountSegments"
    | "FPDFPath_GetPathSegment"
    | "FPDFPath_GetDrawMode"
    | "FPDFPathSegment_GetPoint"
    | "FPDFPathSegment_GetType"
    | "FPDFPathSegment_GetClose"
    | "FPDFImageObj_GetImagePixelSize"
    | "FPDFImageObj_GetImageFilterCount"
    | "FPDFImageObj_GetImageFilter"
    | "FPDFImageObj_GetImageDataRaw"
    | "FPDFImageObj_GetImageDataDecoded"
    | "FPDFImageObj_GetBitmap"
    | "FPDFBitmap_GetWidth"
    | "FPDFBitmap_GetHeight"
    | "FPDFBitmap_GetStride"
    | "FPDFBitmap_GetFormat"
    | "FPDFBitmap_GetBuffer"
    | "FPDFBitmap_Destroy"
    | "FPDFAnnot_GetSubtype"
    | "FPDFAnnot_GetFlags"
    | "FPDFAnnot_GetRect"
    | "FPDFAnnot_GetStringValue"
    | "FPDFAnnot_GetLink"
    | "FPDFAnnot_GetFormFieldType"
    | "FPDFAnnot_GetFormFieldFlags"
    | "FPDFAnnot_GetFormFieldName"
    | "FPDFAnnot_GetFormFieldValue"
    | "FPDFAnnot_IsChecked"
    | "FPDFLink_GetAction"
    | "FPDFLink_GetDest"
    | "FPDFAction_GetType"
    | "FPDFAction_GetURIPath"
    | "FPDFAction_GetDest"
    | "FPDFDest_GetDestPageIndex"
    | "FPDFBookmark_GetFirstChild"
    | "FPDFBookmark_GetNextSibling"
    | "FPDFBookmark_GetTitle"
    | "FPDFBookmark_GetDest"
    | "FPDFBookmark_GetAction",
    CFunction
  >
>

/**
 * One instance of PDFium with its own memory. Calls cannot be interrupted, so a busy one is stopped by ending its thread.
 * After an error, or after many documents, drop the instance and load another: that takes some 10 ms.
 */
export interface Pdfium {
  readonly call: Functions
  /** 128 bytes for results that C writes to a pointer; good until the next call that uses them. */
  readonly scratch: number
  /** The memory as it is now. Ask again after every call: growing memory leaves older views empty. */
  readonly bytes: () => Uint8Array<ArrayBuffer>
  readonly floats: () => Float32Array
  readonly doubles: () => Float64Array
  readonly integers: () => Int32Array
}

/** Loads an instance: 30 to 60 ms. */
export const load = async (): Promise<Pdfium> => {
  const module = await init({ wasmBinary: readProgram(), print: ignore, printErr: ignore })
  // the package declares the memory through types that it does not bring along
  const memory = module.pdfium as typeof module.pdfium & Memory
  const call = memory.wasmExports as Functions
  call.PDFiumExt_Init()
  return {
    call,
    scratch: call.malloc(128),
    bytes: () => memory.HEAPU8,
    floats: () => memory.HEAPF32,
    doubles: () => memory.HEAPF64,
    integers: () => memory.HEAP32
  }
}

/** Copies `bytes` into PDFium's memory for the time of `use`. */
export const withBytes = <A>(pdfium: Pdfium, bytes: Uint8Array, use: (pointer: number) => A): A => {
  const pointer = pdfium.call.malloc(Math.max(bytes.length, 1))
  try {
    pdfium.bytes().set(bytes, pointer)
    return use(pointer)
  } finally {
    pdfium.call.free(pointer)
  }
}

/** Hands `text` to `use` as a zero-terminated UTF-8 string. */
export const withString = <A>(pdfium: Pdfium, text: string, use: (pointer: number) => A): A =>
  withBytes(pdfium, new TextEncoder().encode(`${text}\0`), use)

/** The bytes of a C call that reports the size it needs and fills the buffer it is given; none past `maxBytes`. */
export const readBytes = (
  pdfium: Pdfium,
  read: (pointer: number, size: number) => number,
  maxBytes: number
): Uint8Array<ArrayBuffer> => {
  const size = read(0, 0)
  if (size <= 0 || size > maxBytes) return new Uint8Array(0)
  const pointer = pdfium.call.malloc(size)
  try {
    read(pointer, size)
    return pdfium.bytes().slice(pointer, pointer + size)
  } finally {
    pdfium.call.free(pointer)
  }
}

/** The same for a call that writes zero-terminated UTF-16, which nearly all texts of PDFium are. */
export const readText = (pdfium: Pdfium, read: (pointer: number, size: number) => number): string =>
  utf16.decode(readBytes(pdfium, read, maxTextBytes).slice(0, -2)).replaceAll("\0", "")

const maxTextBytes = 4_000_000
const utf16 = new TextDecoder("utf-16le")
const ignore = (): void => undefined

interface Memory {
  readonly HEAPU8: Uint8Array<ArrayBuffer>
  readonly HEAPF32: Float32Array
  readonly HEAPF64: Float64Array
  readonly HEAP32: Int32Array
}

// A bundle keeps the binary at its side. Else it is in the package, and `require.resolve` finds it where vitest, whose
// modules have no `import.meta.resolve`, would not.
const readProgram = (): Uint8Array => {
  const beside = new URL("./pdfium.wasm", import.meta.url)
  return readFileSync(
    existsSync(beside) ? beside : createRequire(import.meta.url).resolve("@embedpdf/pdfium/pdfium.wasm")
  )
}
