import { type DocumentError, encrypted, unsupported } from "../DocumentError.ts"

/**
 * Whether the bytes are an OLE container, and then whether it wraps an encrypted Office Open XML file (MS-OFFCRYPTO
 * 2.3) rather than a document of Office 97-2003.
 */
export const oleKind = (bytes: Uint8Array): "ole-encrypted" | "ole" | undefined => {
  if (!magic.every((byte, index) => bytes[index] === byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // Directory entries have 128 bytes and lie at multiples of 128, whatever the sector size.
  for (let entry = 512; entry + entrySize <= bytes.byteLength; entry += entrySize) {
    if (entryNames.some((name) => isEntryNamed(bytes, view, entry, name))) return "ole-encrypted"
  }
  return "ole"
}

/** What an OLE container is, by the streams in it. */
export const describeOle = (bytes: Uint8Array): DocumentError => {
  const names = oleEntryNames(bytes)
  const has = (...wanted: ReadonlyArray<string>): boolean => wanted.some((name) => names.has(name))
  if (has("DRMEncryptedDataSpace", "DRMEncryptedTransform", "\tDRMContent")) {
    return encrypted("The file is protected by rights management (IRM); save it without protection")
  }
  if (oleKind(bytes) === "ole-encrypted")
    return encrypted("The file needs a password: it is an encrypted Office document")
  if (has("WordDocument")) return unsupported(old("a Word document", ".doc", ".docx"))
  if (has("Workbook", "Book")) return unsupported(old("an Excel workbook", ".xls", ".xlsx"))
  if (has("PowerPoint Document")) return unsupported(old("a PowerPoint presentation", ".ppt", ".pptx"))
  if (has("__properties_version1.0")) return unsupported("The file is an Outlook message (.msg); save it as .eml")
  if (has("VisioDocument"))
    return unsupported("The file is a Visio drawing (.vsd), which no extractor reads; save it as .pdf")
  if (has("\u0005HwpSummaryInformation")) {
    return unsupported("The file is a Hangul document (.hwp), which no extractor reads; save it as .docx or .pdf")
  }
  return unsupported("The file is an OLE container, as Office 97-2003 wrote them, but none of its documents")
}

const magic = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]
const entrySize = 128
const entryNames = ["EncryptedPackage", "EncryptionInfo"]

/** A name in UTF-16, and its length in bytes with the closing zero at 64 (MS-CFB 2.6.1). */
const isEntryNamed = (bytes: Uint8Array, view: DataView, entry: number, name: string): boolean => {
  if (bytes[entry] !== name.charCodeAt(0)) return false
  if (view.getUint16(entry + 64, true) !== 2 * name.length + 2) return false
  for (let index = 0; index < name.length; index++) {
    if (view.getUint16(entry + 2 * index, true) !== name.charCodeAt(index)) return false
  }
  return true
}

/** Names of streams. Directory entries have 128 bytes and lie at multiples of 128, whatever the sector size (MS-CFB 2.6.1). */
const oleEntryNames = (bytes: Uint8Array): ReadonlySet<string> => {
  const names = new Set<string>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let entry = 512; entry + 128 <= bytes.byteLength && names.size < 1000; entry += 128) {
    const length = view.getUint16(entry + 64, true)
    // an even number of bytes with the closing zero; an object type of 1, 2 or 5; red or black
    if (length < 4 || length > 64 || length % 2 !== 0) continue
    if (![1, 2, 5].includes(bytes[entry + 66] ?? 0) || (bytes[entry + 67] ?? 2) > 1) continue
    names.add(new TextDecoder("utf-16le").decode(bytes.subarray(entry, entry + length - 2)))
  }
  return names
}

const old = (what: string, from: string, to: string): string =>
  `The file is ${what} of Office 97-2003 (${from}); save it as ${to}`
