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
