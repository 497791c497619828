import type { BlobProperties } from "../blob/BlobStore.ts"
import * as MediaTypes from "../blob/MediaTypes.ts"
import type * as BlobFiles from "./BlobFiles.ts"
import type { Access } from "./Database.ts"

/** What the folder knows of a file that people may change: see the table `files`. */
export interface FileVersion {
  readonly etag: string
  readonly seenAt: number
}

/** The version of such a file in this state, where it is known. */
export const lookUp = (
  { prepare }: Access,
  place: string,
  blob: string,
  { changed, modified, size }: BlobFiles.FileState
): FileVersion | undefined => {
  const row = prepare(sql.find).get(place, blob, size, modified, changed)
  return row === undefined ? undefined : { etag: String(row["etag"]), seenAt: Number(row["seen_at"]) }
}

/**
 * The version of a content: the same as before when the content is, also after a copy or a touch. A content that comes back after another has a
 * version of its own, since what the other led to must be done again.
 */
export const note = (
  { prepare }: Access,
  place: string,
  blob: string,
  { changed, modified, size }: BlobFiles.FileState,
  digest: string,
  now: number
): FileVersion => {
  const before = prepare(sql.before).get(place, blob)
  const isSame = before !== undefined && before["digest"] === digest
  const generation = before === undefined ? 0 : Number(before["generation"]) + (isSame ? 0 : 1)
  const etag = generation === 0 ? digest : `${digest}-${generation}`
  const seenAt = isSame ? Number(before["seen_at"]) : now
  prepare(sql.note).run(place, blob, size, modified, changed, digest, generation, etag, seenAt)
  return { etag, seenAt }
}

/** The properties of such a file. */
export const propertiesOf = (
  blob: string,
  state: BlobFiles.FileState,
  { etag, seenAt }: FileVersion
): BlobProperties => ({
  size: state.size,
  lastModified: seenAt,
  etag,
  contentType: MediaTypes.ofName(blob),
  contentEncoding: null,
  metadata: {}
})

/** The blob was deleted: the same content is a new version when it comes back. */
export const forget = ({ prepare }: Access, place: string, blob: string): void => {
  prepare(sql.forget).run(place, blob)
}

const sql = {
  find: "SELECT etag, seen_at FROM files WHERE place = ? AND name = ? AND size = ? AND modified = ? AND changed = ?",
  before: "SELECT digest, generation, seen_at FROM files WHERE place = ? AND name = ?",
  note: `INSERT INTO files (place, name, size, modified, changed, digest, generation, etag, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (place, name) DO UPDATE SET size = excluded.size, modified = excluded.modified, changed = excluded.changed,
    digest = excluded.digest, generation = excluded.generation, etag = excluded.etag, seen_at = excluded.seen_at`,
  forget: "UPDATE files SET digest = '', size = -1 WHERE place = ? AND name = ?"
}
