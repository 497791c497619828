import * as Option from "effect/Option"
import type { BlobEntry } from "../../blob/BlobStore.ts"

/** Which blobs of a listing are wanted. Zero or null switches a bound off; all bounds are inclusive. */
export interface BlobFilter {
  readonly prefix: string
  /** Slashes that a name may have beyond those of the prefix. */
  readonly maxDepth: number
  /** Lower case, with their dots; none means all. */
  readonly extensions: ReadonlyArray<string>
  readonly minSize: number
  readonly maxSize: number
  /** Epoch milliseconds. */
  readonly after: number | null
  readonly before: number | null
}

/** Whether a blob is a document that passes the filter. A blob without a date passes the bounds on dates. */
export const matches = (filter: BlobFilter): ((blob: BlobEntry) => boolean) => {
  const deepest = filter.maxDepth === 0 ? Infinity : slashes(filter.prefix) + filter.maxDepth
  const smallest = filter.minSize === 0 ? -Infinity : filter.minSize
  const largest = filter.maxSize === 0 ? Infinity : filter.maxSize
  return (blob) =>
    !blob.isDirectory &&
    !blob.path.endsWith("/") &&
    slashes(blob.path) <= deepest &&
    (filter.extensions.length === 0 || filter.extensions.includes(extensionOf(blob.path).toLowerCase())) &&
    !(blob.size < smallest || blob.size > largest) &&
    !(filter.after !== null && blob.lastModified < filter.after) &&
    !(filter.before !== null && blob.lastModified > filter.before)
}

/** Whether a blob changed after the checkpoint; one that changed in that very millisecond did not. */
export const changedSince = (checkpoint: Option.Option<number>): ((blob: BlobEntry) => boolean) =>
  Option.match(checkpoint, {
    onNone: () => () => true,
    onSome: (at) => (blob) => !(blob.lastModified <= at)
  })

/** `PDF`, `.pdf` and ` pdf ` are one extension. */
export const normalizeExtension = (text: string): string => {
  const lower = text.trim().toLowerCase()
  return lower.startsWith(".") ? lower : `.${lower}`
}

/** The last extension of a path with its dot, as Python's `Path.suffix`: none for `.hidden` and `name.`. */
export const extensionOf = (path: string): string => {
  const name = path.slice(path.lastIndexOf("/") + 1)
  const dot = name.lastIndexOf(".")
  return dot > 0 && dot < name.length - 1 ? name.slice(dot) : ""
}

const slashes = (text: string): number => text.split("/").length - 1
