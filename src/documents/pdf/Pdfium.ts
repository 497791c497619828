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
    | "PDFiumExt_OpenFileWriter"
    | "PDFiumExt_GetFileWriterSize"
    | "PDFiumExt_GetFileWriterData"
    | "PDFiumExt_CloseFileWriter"
    | "FPDF_SaveAsCopy"
    | "FPDF_LoadMemDocument"
    | "FPDF_CloseDocument"
    | "FPDF_GetLastError"
    | "FPDF_GetPageCount"
    | "FPDF_GetMetaText"
    | "FPDF_GetFormType"
    | "FPDF_GetXFAPacketCount"
    | "FPDF_GetXFAPacketName"
    | "FPDF_GetXFAPacketContent"
    | "FPDFDoc_GetAttachmentCount"
    | "FPDFDoc_GetAttachment"
    | "FPDFAttachment_GetName"
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
    | "FPDFText_GetText"
    | "FPDFText_GetCharBox"
    | "FPDFText_GetLooseCharBox"
    | "FPDFText_GetCharOrigin"
    | "FPDFText_GetMatrix"
    | "FPDFText_GetFontSize"
    | "FPDFText_IsGenerated"
    | "FPDFText_GetTextObject"
    | "FPDFText_IsHyphen"
    | "FPDFText_HasUnicodeMapError"
    | "FPDFTextObj_GetFont"
    | "FPDFFont_GetGlyphWidth"
    | "FPDFPageObj_GetType"
    | "FPDFPageObj_CountMarks"
    | "FPDFPageObj_GetMark"
    | "FPDFPageObjMark_GetParamValueType"
    | "FPDFPageObjMark_GetParamStringValue"
    | "FPDFPageObj_SetIsActive"
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
    | "FPDFBitmap_CreateEx"
    | "FPDFBitmap_FillRect"
    | "FPDF_RenderPageBitmap"
    | "FPDFBitmap_GetWidth"
    | "FPDFBitmap_GetHeight"
    | "FPDFBitmap_GetStride"
    | "FPDFBitmap_GetFormat"
    | "FPDFBitmap_GetBuffer"
    | "FPDFBitmap_Destroy"
    | "FPDFAnnot_GetSubtype"
    | "FPDFAnnot_GetFileAttachment"
    | "FPDFAnnot_GetFlags"
    | "FPDFAnnot_GetRect"
    | "FPDFAnnot_GetStringValue"
    | "FPDFAnnot_GetLink"
    | "FPDFAnnot_GetFormFieldType"
    | "FPDFAnnot_GetFormFieldFlags"
    | "FPDFAnnot_GetFormFieldName"
    | "FPDFAnnot_GetFormFieldValue"
    | "FPDFAnnot_GetFormFieldExportValue"
    | "EPDFAnnot_GetFormFieldRawValue"
    | "FPDFAnnot_GetOptionCount"
    | "FPDFAnnot_GetOptionLabel"
    | "FPDFAnnot_IsOptionSelected"
    | "FPDFAnnot_IsChecked"
    | "FPDFAnnot_HasKey"
    | "FPDFAnnot_GetFormControlCount"
    | "EPDFAnnot_GetObjectNumber"
    | "EPDFPage_GetObjectNumber"
    | "EPDFAnnot_ExportAppearanceAsDocument"
    | "FORM_OnAfterLoadPage"
    | "FORM_OnBeforeClosePage"
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
  const wasmBinary = withMemoryMaximum(readProgram(), mostMemory / pageBytes)
  const module = await init({ wasmBinary, print: ignore, printErr: ignore })
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

/**
 * The most memory of an instance: it can't grow beyond, whatever a page asks for. A document is copied into it, so it leaves the largest one of 512 MB
 * room to work, and fits with all else into the gigabyte that a thread may have.
 */
export const mostMemory = 768 * 1024 * 1024

/** Whether the instance has come so near its bound that what went wrong went wrong for want of memory. */
export const isExhausted = (pdfium: Pdfium): boolean => pdfium.bytes().length > mostMemory * 0.75

const pageBytes = 65_536

/** Copies `bytes` into PDFium's memory for the time of `use`. */
export const withBytes = <A>(pdfium: Pdfium, bytes: Uint8Array, use: (pointer: number) => A): A => {
  const pointer = pdfium.call.malloc(Math.max(bytes.length, 1))
  if (pointer === 0) throw new RangeError(`no memory for ${bytes.length} bytes`)
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
  if (pointer === 0) throw new RangeError(`no memory for ${size} bytes`)
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

/** The program with another maximum of its memory's pages, which the engine then enforces: the size of the module's own is written over. */
const withMemoryMaximum = (program: Uint8Array, pages: number): Uint8Array => {
  const patched = program.slice()
  let at = 8
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = patched[at++] ?? 0
      value |= (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) return value
    }
  }
  while (at < patched.length) {
    const section = patched[at++]
    const length = number()
    if (section !== memorySection) {
      at += length
      continue
    }
    number() // how many memories: one
    if (number() !== 1) break
    number() // pages at the start
    const start = at
    number()
    // As many bytes as the old number had: LEB128 may be longer than it needs.
    for (let place = start, rest = pages; place < at; place++, rest >>>= 7) {
      patched[place] = (rest & 0x7f) | (place === at - 1 ? 0 : 0x80)
    }
    return patched
  }
  throw new TypeError("PDFium's program declares no maximum of its memory")
}

const memorySection = 5

// A bundle keeps the binary at its side. Else it is in the package, and `require.resolve` finds it where vitest, whose
// modules have no `import.meta.resolve`, would not.
const readProgram = (): Uint8Array => {
  const beside = new URL("./pdfium.wasm", import.meta.url)
  return readFileSync(
    existsSync(beside) ? beside : createRequire(import.meta.url).resolve("@embedpdf/pdfium/pdfium.wasm")
  )
}
