import { type DocumentError, damaged, notThisFormat } from "./DocumentError.ts"
import type { Limits } from "./Limits.ts"
import { foreignArchive } from "./zip/ForeignPackage.ts"
import { openZip } from "./zip/ZipArchive.ts"

/** Names a well-known kind of file that no extractor reads, by its first bytes: `a PNG image`. */
export const describeBinary = (bytes: Uint8Array): string | undefined =>
  signatures.find(({ at = 0, starts }) => starts.every((byte, index) => bytes[at + index] === byte))?.name

interface Signature {
  readonly name: string
  readonly starts: ReadonlyArray<number>
  readonly at?: number
}

const ascii = (text: string): ReadonlyArray<number> => Array.from(text, (character) => character.charCodeAt(0))

const signatures: ReadonlyArray<Signature> = [
  { name: "a PNG image", starts: [0x89, ...ascii("PNG")] },
  { name: "a JPEG image", starts: [0xff, 0xd8, 0xff] },
  { name: "a GIF image", starts: ascii("GIF8") },
  { name: "a TIFF image", starts: [0x49, 0x49, 0x2a, 0] },
  { name: "a TIFF image", starts: [0x4d, 0x4d, 0, 0x2a] },
  { name: "a WebP image", starts: ascii("WEBP"), at: 8 },
  { name: "a HEIF image", starts: ascii("ftyphei"), at: 4 },
  { name: "an AVIF image", starts: ascii("ftypavif"), at: 4 },
  { name: "a JPEG 2000 image", starts: [0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20] },
  { name: "an icon", starts: [0, 0, 1, 0] },
  { name: "a Photoshop image", starts: ascii("8BPS") },
  { name: "an MPEG-4 or QuickTime film", starts: ascii("ftyp"), at: 4 },
  { name: "a Matroska or WebM film", starts: [0x1a, 0x45, 0xdf, 0xa3] },
  { name: "a WAVE sound", starts: ascii("WAVE"), at: 8 },
  { name: "an AVI film", starts: ascii("AVI "), at: 8 },
  { name: "an Ogg sound", starts: ascii("OggS") },
  { name: "a FLAC sound", starts: ascii("fLaC") },
  { name: "an MP3 sound", starts: ascii("ID3") },
  { name: "a gzip file", starts: [0x1f, 0x8b] },
  { name: "a bzip2 file", starts: ascii("BZh") },
  { name: "an xz file", starts: [0xfd, ...ascii("7zXZ"), 0] },
  { name: "a Zstandard file", starts: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: "a 7-Zip archive", starts: [...ascii("7z"), 0xbc, 0xaf, 0x27, 0x1c] },
  { name: "a RAR archive", starts: ascii("Rar!") },
  { name: "a tar archive", starts: ascii("ustar"), at: 257 },
  { name: "a cabinet file", starts: ascii("MSCF") },
  { name: "an RTF document", starts: ascii("{\\rtf") },
  { name: "a PostScript document", starts: ascii("%!PS") },
  { name: "a DjVu document", starts: ascii("AT&TFORM") },
  { name: "an SQLite database", starts: ascii("SQLite format 3\0") },
  { name: "a Parquet file", starts: ascii("PAR1") },
  { name: "an Avro file", starts: [...ascii("Obj"), 1] },
  { name: "a Windows program", starts: [0x4d, 0x5a, 0x90] },
  { name: "a Linux program", starts: [0x7f, ...ascii("ELF")] },
  { name: "a macOS program", starts: [0xcf, 0xfa, 0xed, 0xfe] },
  { name: "a Java class", starts: [0xca, 0xfe, 0xba, 0xbe] },
  { name: "a WebAssembly module", starts: [0, ...ascii("asm")] },
  { name: "a font", starts: ascii("OTTO") },
  { name: "a font", starts: ascii("wOF") },
  { name: "a font", starts: [0, 1, 0, 0, 0] }
]

/** What a zip file is that is no Office document. */
export const describeZip = (bytes: Uint8Array, limits: Limits): DocumentError => {
  const zip = openZip(bytes, limits)
  const foreign = foreignArchive(zip)
  if (foreign !== undefined) return foreign
  if (zip.names.length === 0) return damaged("The file is a zip file without anything in it")
  return notThisFormat(
    `The file is a zip archive of ${zip.names.length} files and no document; unpack it before this step`
  )
}
