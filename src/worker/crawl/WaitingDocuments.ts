import { createHash } from "node:crypto"

/**
 * The documents that a source found and could not give (a blob in the archive tier), so that a later crawl takes them when they are back, though
 * nothing says that they changed. Kept with the checkpoint.
 */
export interface WaitingDocuments {
  readonly has: (name: string) => boolean
  readonly add: (name: string) => void
  readonly remove: (name: string) => void
  /** As the checkpoint stores them; null for none. */
  readonly stored: () => string | null
}

/** Together some 230 KB, of the 2 MB of a document. More are told, and taken when they change. */
export const most = 10_000

/** One text of digests, since the service indexes every element of a list. */
export const read = (stored: string | null): WaitingDocuments => {
  const known = new Set(stored?.split(" ", most).filter((digest) => digest.length === digestLength))
  return {
    has: (name) => known.size > 0 && known.has(digestOf(name)),
    add: (name) => {
      if (known.size < most) known.add(digestOf(name))
    },
    remove: (name) => {
      if (known.size > 0) known.delete(digestOf(name))
    },
    stored: () => (known.size === 0 ? null : [...known].join(" "))
  }
}

/** What several crawls of parts of a vault, each of which began with `before`, leave together. */
export const merged = (before: string | null, parts: ReadonlyArray<string | null>): string | null => {
  const split = (stored: string | null) => new Set(stored?.split(" ") ?? [])
  const known = split(before)
  const after = parts.map(split)
  const left = [...known].filter((digest) => after.every((part) => part.has(digest)))
  const added = after.flatMap((part) => [...part].filter((digest) => !known.has(digest)))
  const all = [...new Set([...left, ...added])].slice(0, most)
  return all.length === 0 ? null : all.join(" ")
}

const digestLength = 22

const digestOf = (name: string): string => createHash("sha256").update(name).digest("base64url").slice(0, digestLength)
