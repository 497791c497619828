import { createHash } from "node:crypto"
import type { ContentIdentifier } from "../../../domain/Content.ts"

const longest = 128

/**
 * What stands before `-c00000` in the key of a search document: the canonical id (else the path, else `doc`) with a dash for every run of other characters than
 * letters, digits, `_` and `-`. Letter for letter the original's, so that indexing again replaces what is there.
 */
export const base = (id: ContentIdentifier | null): string => {
  const name = id?.canonical_id || id?.path || "doc"
  const clean = name.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "")
  return clean.length <= longest ? clean : `${clean.slice(0, 64)}-${sha256(clean)}`
}

/** The same with a hash of the id behind it: two ids that differ in other characters only then have keys of their own. */
export const distinctBase = (id: ContentIdentifier | null): string => {
  const name = id?.canonical_id || id?.path || "doc"
  return `${base(id).slice(0, 100)}-${sha256(name).slice(0, 16)}`
}

export const ofChunk = (prefix: string, base: string, index: number): string =>
  `${prefix}${base}-c${String(index).padStart(5, "0")}`

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")
