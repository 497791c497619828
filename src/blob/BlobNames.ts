import * as Effect from "effect/Effect"
import * as CutText from "../text/CutText.ts"
import { Invalid } from "../domain/ServiceError.ts"
import type { UploadOptions } from "./BlobStore.ts"

/*
 * Names come from pipelines and end up in addresses, where `..` would lead to another container and a line break into a header.
 * The rules are Azure's: https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
 */

/** Invalid unless Azure accepts `container` as a container's name. */
export const checkContainer = (operation: string, container: string): Effect.Effect<void, Invalid> =>
  CONTAINER.test(container)
    ? Effect.void
    : invalid(
        operation,
        `${shown(container)} is no container: a name has 3 to 63 lower-case letters, digits and single hyphens`
      )

/** Invalid unless `path` is the name of one blob, in this container and no other. */
export const checkPath = (operation: string, path: string): Effect.Effect<void, Invalid> => {
  if (path === "" || path.length > 1024) return invalid(operation, "a blob's name has 1 to 1024 characters")
  if (/\p{Surrogate}/u.test(path))
    return invalid(operation, `${shown(path)} is no text: it has half of a surrogate pair`)
  return path.split(/[/\\]/).some((segment) => segment === "." || segment === "..")
    ? invalid(operation, `${shown(path)} has "." or ".." as a part of the blob's name`)
    : Effect.void
}

/** Invalid unless everything in the options can travel in a header. */
export const checkUpload = (operation: string, options: UploadOptions): Effect.Effect<void, Invalid> => {
  for (const text of [options.contentType, options.contentEncoding]) {
    if (text !== undefined && !PRINTABLE.test(text))
      return invalid(operation, `${shown(text)} is no content type or encoding`)
  }
  for (const [name, value] of Object.entries(options.metadata ?? {})) {
    if (!METADATA_NAME.test(name)) {
      return invalid(operation, `metadata can't be called ${shown(name)}: letters, digits and _, no digit first`)
    }
    if (!PRINTABLE.test(value))
      return invalid(operation, `the metadata ${name} may have printable ASCII characters only`)
  }
  return Effect.void
}

/** Whether this metadata marks a folder, as Hadoop, blobfuse and azcopy leave it behind. Names of metadata have no case. */
export const isFolder = (metadata: Readonly<Record<string, string>>): boolean =>
  Object.entries(metadata).some(
    ([name, value]) => name.toLowerCase() === "hdi_isfolder" && value.trim().toLowerCase() === "true"
  )

const CONTAINER = /^(?:\$root|\$web|\$logs|(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*)$/
const METADATA_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const PRINTABLE = /^[\x20-\x7e]*$/

const shown = (name: string): string => JSON.stringify(CutText.shortened(name, 80))

const invalid = (operation: string, what: string): Effect.Effect<never, Invalid> =>
  Effect.fail(
    new Invalid({
      service: "Blob Storage",
      operation,
      message: `Blob Storage could not ${operation}: ${what}.`,
      reason: "BadRequest"
    })
  )
