import { DocumentError } from "../DocumentError.ts"
import * as Limits from "../Limits.ts"
import { makeWarnings } from "../Warnings.ts"
import { oleKind } from "./OleContainer.ts"
import { type OoxmlFormat, openAnyPackage } from "./OpcPackage.ts"

/**
 * What kind of Office file the bytes are, by the package's own links and content types, never by folder names;
 * undefined for everything else, damaged files included.
 */
export const sniff = (
  bytes: Uint8Array,
  limits: Limits.Limits = Limits.defaults
): OoxmlFormat | "ole-encrypted" | "ole" | undefined => {
  const ole = oleKind(bytes)
  if (ole !== undefined) return ole
  try {
    return openAnyPackage(bytes, limits, makeWarnings()).format
  } catch (error) {
    if (error instanceof DocumentError) return undefined
    throw error
  }
}
