import { createHash } from "node:crypto"
import { nameOf } from "../../domain/Content.ts"
import type { Discovered } from "../../executor/Executor.ts"

/**
 * The documents of groups that were queued and that the next crawl may find again. A group's id is that of all its documents, so that a group
 * would shift, and documents run twice, were the queued ones not left out before they are grouped. Kept with the checkpoint.
 */
export interface RecentlyQueued {
  readonly has: (document: Discovered) => boolean
  /** A document that tells no time of change is not kept: nobody knows how long it would have to be. */
  readonly add: (documents: ReadonlyArray<Discovered>) => void
  /** Those that changed at this moment or later (epoch milliseconds), as the checkpoint stores them; null for none. */
  readonly changedSince: (moment: number) => string | null
}

/** Together some 300 KB, of the 2 MB of a document. Of more, the ones queued first are forgotten and may run twice. */
const most = 10_000

/** One text, since the service indexes every element of a list: `<digest>:<time of change, base 36>`, separated by blanks. */
export const read = (stored: string | null): RecentlyQueued => {
  const known = new Map<string, number>()
  for (const entry of stored?.split(" ", most) ?? []) {
    const [digest = "", time = ""] = entry.split(":")
    const modifiedAt = Number.parseInt(time, 36)
    if (digest.length === digestLength && Number.isFinite(modifiedAt)) known.set(digest, modifiedAt)
  }
  return {
    has: (document) => known.size > 0 && known.has(digestOf(document)),
    add: (documents) => {
      for (const document of documents) {
        if (document.modifiedAt === undefined) continue
        known.set(digestOf(document), document.modifiedAt)
        const oldest = known.keys().next()
        if (known.size > most && oldest.done !== true) known.delete(oldest.value)
      }
    },
    changedSince: (moment) => {
      const kept = [...known].filter(([, modifiedAt]) => modifiedAt >= moment)
      return kept.length === 0 ? null : kept.map(([digest, at]) => `${digest}:${Math.floor(at).toString(36)}`).join(" ")
    }
  }
}

/** 128 bits in base64url: two documents that share them would be taken for one. */
const digestLength = 22

const digestOf = ({ item, version }: Discovered): string =>
  createHash("sha256")
    .update(JSON.stringify([nameOf(item), version]))
    .digest("base64url")
    .slice(0, digestLength)
