import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as Limits from "../../../src/documents/Limits.ts"
import { openZip } from "../../../src/documents/zip/ZipArchive.ts"

/**
 * The least that reading an Office document takes: its XML parts unpacked and decoded, and nothing looked at. Returns the characters.
 */
export const read = (path: string): Effect.Effect<number, unknown> =>
  Effect.try(() => {
    const zip = openZip(readFileSync(path), Limits.defaults)
    const decoder = new TextDecoder()
    return zip.names
      .filter((name) => /\.(xml|rels)$/i.test(name))
      .reduce((sum, name) => sum + decoder.decode(zip.read(name)).length, 0)
  })
