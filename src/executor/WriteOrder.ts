import { createHash } from "node:crypto"
import { type Content, nameOf } from "../domain/Content.ts"
import type { FoundDocument, RunFacts } from "./RunFacts.ts"

/**
 * What an output is about and when its turn was, kept as metadata of the blob, so that of two writes of one document's output the one of the
 * later version, task or delivery stays, in whatever order they arrive.
 */
export interface WriteOrder {
  /** A digest of the name of the task's document: outputs of different documents have no order. */
  readonly source: string
  /** When the document last changed, in its service's clock; 0 when unknown. Epoch milliseconds, as the next. */
  readonly changedAt: number
  /** When the crawl that found the document began, or where no crawl did, when the task was created. */
  readonly createdAt: number
  /** Which delivery of the task's message wrote it. */
  readonly delivery: number
}

/** The name of the metadata; the service gives names back in lower case. */
export const metadataName = "contentflow_write_order"

/** The order of this item's output; undefined where no task runs, or the item has no name. */
export const of = (run: RunFacts | undefined, item: Content): WriteOrder | undefined => {
  if (run === undefined || item.id === null) return undefined
  return { source: sourceOf(documentOf(run, item)), changedAt: changedAt(run, item), ...turnOf(run) }
}

/** The document that an item is or is a part of (a row, a page): the task's only one, or the one whose name begins the item's. */
export const documentOf = (run: RunFacts, item: Content): string => {
  const name = nameOf(item)
  const documents = run.documents ?? new Map<string, FoundDocument>()
  if (documents.has(name)) return name
  let found: string | undefined
  for (const each of documents.keys()) {
    if (documents.size === 1 || (name.startsWith(each) && each.length > (found?.length ?? -1))) found = each
  }
  return found ?? name
}

/** The digest of a document's name. */
export const sourceOf = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 32)

/** Which task and delivery a run is. */
export const turnOf = (run: RunFacts): Pick<WriteOrder, "createdAt" | "delivery"> => ({
  createdAt: run.foundAt ?? run.createdAt ?? 0,
  delivery: run.delivery ?? 0
})

/** Parts of a document (rows, pages) have no time of their own: theirs is that of the newest document of the task. */
const changedAt = (run: RunFacts, item: Content): number => {
  const documents = run.documents ?? new Map<string, FoundDocument>()
  const own = documents.get(documentOf(run, item))
  if (own !== undefined) return own.changedAt ?? 0
  let newest = 0
  for (const { changedAt } of documents.values()) newest = Math.max(newest, changedAt ?? 0)
  return newest
}

export const toMetadata = ({
  changedAt,
  createdAt,
  delivery,
  source
}: WriteOrder): Readonly<Record<string, string>> => ({
  [metadataName]: `${source}:${changedAt}:${createdAt}:${delivery}`
})

/** Undefined for a blob that no task of ours wrote. */
export const fromMetadata = (metadata: Readonly<Record<string, string>>): WriteOrder | undefined => {
  const found = /^([0-9a-f]{32}):(\d{1,16}):(\d{1,16}):(\d{1,16})$/.exec(metadata[metadataName] ?? "")
  if (found === null) return undefined
  const [, source = "", changedAt, createdAt, delivery] = found
  return { source, changedAt: Number(changedAt), createdAt: Number(createdAt), delivery: Number(delivery) }
}

/** Whether the one came after the other, of the same document. */
export const isAfter = (one: WriteOrder, other: WriteOrder): boolean =>
  one.source === other.source && isLater(one, other)

/** When something is written for one document. */
export type Turn = Omit<WriteOrder, "source">

/** The same of one and the same document. */
export const isLater = (one: Turn, other: Turn): boolean => {
  const difference = one.changedAt - other.changedAt || one.createdAt - other.createdAt || one.delivery - other.delivery
  return difference > 0
}
