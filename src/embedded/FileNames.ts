import { createHash } from "node:crypto"

/*
 * How the names of blobs become names of files and come back. A blob's name is any text with slashes, and its case counts. A file's name is
 * limited in length, may not hold every character everywhere, and some file systems fold case or compose accents. Each part between two
 * slashes is mapped by itself; what most names consist of stays as it is, so that a person finds their files. No two blobs share a file.
 *
 * `%` begins whatever was changed: `%3F` a byte of UTF-8, `%_` an empty part, `%!` at the end a file beside a folder of the same name, and `%~` with a
 * digest a part that is too long, whose full text lies in a file beside it.
 */

/** What a file system makes of names. */
export interface Rules {
  /** It takes `a` and `A`, or two ways to write `é`, for one name. */
  readonly foldsNames: boolean
}

/** Bytes of a file's name: 255, less what the names of the files with properties have more. */
const longest = 240

/** The name of the file or folder for one part of a blob's name. */
export const encode = (part: string, rules: Rules): string => {
  const whole = encodeWhole(part, rules)
  if (Buffer.byteLength(whole) <= longest) return whole
  const digest = createHash("sha256").update(part).digest("hex").slice(0, 32)
  return `${beginning(whole, longest - digest.length - 2)}%~${digest}`
}

/** Whether the part was too long, so that its text lies beside the file. */
export const isShortened = (name: string): boolean => SHORTENED.test(name)

/**
 * The part of a blob's name that a file's name stands for; undefined for hidden files, which are no blobs, and for names that were shortened.
 * What a person called so that no blob would have that file is a blob all the same, under the name as it is.
 */
export const decode = (name: string, rules: Rules): string | undefined => {
  if (name.startsWith(".") || isShortened(name)) return undefined
  const plain = name.endsWith(BESIDE_FOLDER) ? name.slice(0, -BESIDE_FOLDER.length) : name
  const part = plain === EMPTY ? "" : decodeBytes(plain)
  return part !== undefined && encode(part, rules) === plain ? part : name
}

/** The name of a file whose own is taken by a folder. */
export const besideFolder = (name: string): string => `${name}${BESIDE_FOLDER}`

const EMPTY = "%_"
const BESIDE_FOLDER = "%!"
const SHORTENED = /%~[0-9a-f]{32}(?:%!)?$/

const encodeWhole = (part: string, { foldsNames }: Rules): string => {
  if (part === "") return EMPTY
  const folded = foldsNames ? escapeFolded(part.replace(UNWRITABLE, percent)) : part.replace(UNWRITABLE, percent)
  return folded
    .replace(/^\./, "%2E")
    .replace(/[. ]$/, percent)
    .replace(RESERVED, (name) => `${percent(name.slice(0, 1))}${name.slice(1)}`)
}

/** Capitals, and letters that can be written in more than one way. */
const escapeFolded = (text: string): string =>
  // What is escaped already has capitals of its own.
  text.replace(/%[0-9A-F]{2}|[^%]/gu, (one) =>
    one.startsWith("%") || (one === one.toLowerCase() && one === one.normalize("NFD")) ? one : percent(one)
  )

const percent = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("")

const decodeBytes = (name: string): string | undefined => {
  if (!name.includes("%")) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return undefined
  }
}

/** Not within a character, nor within what stands for one. */
const beginning = (encoded: string, bytes: number): string => {
  let length = 0
  let end = 0
  for (const [one] of encoded.matchAll(/%[0-9A-F]{2}|[^%]/gu)) {
    length += Buffer.byteLength(one)
    if (length > bytes) break
    end += one.length
  }
  return encoded.slice(0, end)
}

/** What some file system does not take, and the sign of escapes itself. */
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const UNWRITABLE = /[\u0000-\u001f\u007f<>:"\\|?*%]/g

/** Names of devices on Windows, whatever extension they have. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i
