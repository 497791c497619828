import Iconv from "iconv-lite"

/**
 * The encoding that a name stands for, as the decoders here know it; undefined for a name of none. Names are those of the web (WHATWG Encoding 4.2), where
 * some mean a larger set than they say, those of iconv, and what mail programs make of both.
 */
export const encodingOf = (name: string): string | undefined => {
  const plain = name.trim().toLowerCase()
  if (plain === "" || plain.length > longestName) return undefined
  const undecorated = plain.replace(/^(?:x-|cs)/, "")
  return known(plain) ?? known(undecorated) ?? known(undecorated.replace(/^(?:windows|ms|ibm|dos)-?(?=\d)/, "cp"))
}

/** Those that iconv-lite lacks, by all their names. */
const sevenBit: ReadonlyMap<string, string> = new Map([
  ...["iso-2022-jp", "iso2022-jp", "iso2022jp", "junet", "iso-2022-jp-1", "iso-2022-jp-2", "cp50220", "cp50221"].map(
    (name) => [name, "iso-2022-jp"] as const
  ),
  ...["iso-2022-kr", "iso2022kr"].map((name) => [name, "iso-2022-kr"] as const),
  ...["iso-2022-cn", "iso2022cn"].map((name) => [name, "iso-2022-cn"] as const),
  ...["hz-gb-2312", "hz"].map((name) => [name, "hz-gb-2312"] as const)
])

export const isSevenBit = (encoding: string): boolean => sevenBit.get(encoding) === encoding

const known = (name: string): string | undefined => {
  const larger = largerSet.get(name) ?? sevenBit.get(name)
  if (larger !== undefined) return larger
  if (noEncodings.has(name.replace(/[^a-z0-9]/g, ""))) return undefined
  const label = /^(?:utf|ucs)/.test(name) ? undefined : webLabel(name)
  const web = label === undefined ? undefined : (largerSet.get(label) ?? label)
  if (web !== undefined && Iconv.encodingExists(web)) return web
  return Iconv.encodingExists(name) ? name : undefined
}

/** Forms of bytes that iconv-lite has beside its encodings. */
const noEncodings = new Set(["base64", "hex", "binary", "internal"])

const webLabel = (name: string): string | undefined => {
  try {
    return new TextDecoder(name).encoding
  } catch {
    return undefined
  }
}

const longestName = 60

const largerSet: ReadonlyMap<string, string> = new Map([
  ["ascii", "windows-1252"],
  ["us-ascii", "windows-1252"],
  ["646", "windows-1252"],
  ["ansi", "windows-1252"],
  ["iso-8859-1", "windows-1252"],
  ["latin1", "windows-1252"],
  ["latin-1", "windows-1252"],
  ["iso-8859-9", "windows-1254"],
  ["iso-8859-11", "windows-874"],
  ["tis-620", "windows-874"],
  ["gb2312", "gbk"],
  ["gb_2312-80", "gbk"],
  ["shift_jis", "cp932"],
  ["shift-jis", "cp932"],
  ["sjis", "cp932"],
  ["windows-31j", "cp932"],
  ["euc-kr", "cp949"],
  ["ks_c_5601-1987", "cp949"],
  ["mac-roman", "macintosh"],
  ["mac-cyrillic", "maccyrillic"],
  ["utf8", "utf-8"],
  ["utf8mb4", "utf-8"],
  ["utf-8-sig", "utf-8"]
])
