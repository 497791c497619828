import * as Either from "effect/Either"
import * as Timestamp from "../../domain/Timestamp.ts"
import { ofValue } from "../../python/PythonText.ts"
import { lookUp, type Source } from "./PathTemplate.ts"

/** The service takes 8 KiB of names and values together. */
const mostBytes = 8192

/**
 * Blob metadata from fields of an item, with `written_at`. Names keep letters, digits and `_`; what a header can't carry in a value is
 * percent-encoded. Left: a message when it is too much for the service.
 */
export const make = (
  source: Source,
  fields: ReadonlyArray<string>,
  writtenAt: number | null
): Either.Either<Readonly<Record<string, string>>, string> => {
  const metadata: Record<string, string> = {}
  for (const field of fields) {
    const value = lookUp(source, field)
    if (value !== undefined && value !== null) metadata[nameOf(field)] = headerText(ofValue(value))
  }
  if (writtenAt !== null) metadata["written_at"] = Timestamp.format(writtenAt)
  const bytes = Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return bytes > mostBytes
    ? Either.left(
        `The setting metadata_fields names ${bytes} bytes of metadata, and a blob takes ${mostBytes}; name smaller fields.`
      )
    : Either.right(metadata)
}

const nameOf = (field: string): string => {
  const name = field.replaceAll(/[^A-Za-z0-9_]/g, "_")
  return /^[0-9]/.test(name) ? `_${name}` : name
}

/** Surrogates without their other half have no encoding. */
const headerText = (value: string): string =>
  value
    .trim()
    .replaceAll(/[^ -~]+/gu, (characters) => encodeURIComponent(characters.replaceAll(/[\ud800-\udfff]/gu, "\ufffd")))
