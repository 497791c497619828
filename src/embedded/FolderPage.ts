import * as Effect from "effect/Effect"
import { stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as BlobNames from "../blob/BlobNames.ts"
import type { BlobEntry, BlobPage, ListOptions } from "../blob/BlobStore.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as BlobFiles from "./BlobFiles.ts"
import type { Database } from "./Database.ts"
import * as FileAge from "./FileAge.ts"
import { attempt, service } from "./FileAttempt.ts"
import * as FileBytes from "./FileBytes.ts"
import * as FileVersions from "./FileVersions.ts"
import type { Walked } from "./FolderWalk.ts"

export interface Options {
  readonly operation: string
  /** The container, by `account/container`. */
  readonly place: string
  readonly root: string
  readonly list: ListOptions
  /** A file that a person put there is listed when it has not changed for so many milliseconds. */
  readonly settled: number
  /** Hears that such a file was left out. */
  readonly onUnsettled: () => void
}

/** A file that is there, with the properties that an upload gave it. */
interface Found extends Walked {
  readonly state: BlobFiles.FileState
  readonly kept: BlobFiles.KeptProperties | undefined
}

/** One page of a listing. All its files are asked for at once, and the database twice at most: what is done for each is little. */
export const of = (
  database: Database["Type"],
  { list, onUnsettled, operation, place, root, settled }: Options,
  walked: ReadonlyArray<Walked>
): Effect.Effect<BlobPage, ServiceError> =>
  Effect.gen(function* () {
    const found = yield* attempt(operation, root, async (signal) => {
      const states = await eachOf(signal, walked, ({ path }) => BlobFiles.stateOf(path))
      // Whether a folder keeps any properties is asked after the states: those of an upload are there before its file is.
      const folders = [...new Set(walked.map(({ path }) => dirname(path)))]
      const keeps = await eachOf(signal, folders, keepsProperties)
      const withProperties = new Set(folders.filter((_, index) => keeps[index]))
      const present = walked.flatMap((each, index): ReadonlyArray<Found> => {
        const state = states[index]
        return state === undefined ? [] : [{ ...each, state, kept: undefined }]
      })
      return eachOf(signal, present, async (each): Promise<Found> =>
        withProperties.has(dirname(each.path))
          ? { ...each, kept: await BlobFiles.readProperties(each.path, each.state) }
          : each
      )
    })
    const listed = found.filter(({ kept, state }) => {
      const isReady = kept !== undefined || isSettled(state, settled)
      if (!isReady) onUnsettled()
      return isReady
    })

    const versions = new Map<Found, FileVersions.FileVersion>()
    const foreign = listed.filter(({ kept }) => kept === undefined)
    const servedAt = yield* database.read(service, operation, (access) => {
      for (const each of foreign) {
        const known = FileVersions.lookUp(access, place, each.blob, each.state)
        if (known !== undefined) versions.set(each, known)
      }
      return access.now
    })
    const unknown = foreign.filter((each) => !versions.has(each))
    const digests = yield* attempt(operation, root, (signal) =>
      eachOf(signal, unknown, ({ path, state }) => FileBytes.digestOf(path, state))
    )
    for (let at = 0; at < unknown.length; at += noted) {
      yield* database.exclusively(service, operation, (access) => {
        for (const [index, each] of unknown.slice(at, at + noted).entries()) {
          const digest = digests[at + index]
          if (digest !== undefined)
            versions.set(each, FileVersions.note(access, place, each.blob, each.state, digest, access.now))
        }
      })
    }

    const entries = listed.flatMap((each): ReadonlyArray<BlobEntry> => {
      const { blob, kept, state } = each
      const version = versions.get(each)
      const properties =
        kept !== undefined
          ? BlobFiles.blobPropertiesOf(kept, true)
          : version !== undefined
            ? FileVersions.propertiesOf(blob, state, version)
            : undefined
      if (properties === undefined) return []
      return [
        {
          path: blob,
          isDirectory: BlobNames.isFolder(kept?.metadata ?? {}),
          ...properties,
          metadata: list.includeMetadata === true ? properties.metadata : {}
        }
      ]
    })
    return { blobs: entries, servedAt }
  })

/** Files noted in one transaction. */
const noted = 500

/** As `Promise.all`, for some at a time, until it is called off or one fails. */
const eachOf = async <A, B>(
  signal: AbortSignal,
  all: ReadonlyArray<A>,
  run: (one: A) => Promise<B>
): Promise<ReadonlyArray<B>> => {
  const results: Array<B> = []
  const queue = all.entries()
  const worker = async () => {
    for (const [index, one] of queue) {
      signal.throwIfAborted()
      results[index] = await run(one)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker))
  return results
}
const atOnce = 16

const keepsProperties = (folder: string): Promise<boolean> =>
  stat(join(folder, BlobFiles.propertiesFolder)).then(
    () => true,
    (thrown: unknown) => {
      if (BlobFiles.isMissing(thrown)) return false
      throw thrown
    }
  )

/** By the file system's own clock, which is this machine's or a file server's. */
const isSettled = ({ changed, modified }: BlobFiles.FileState, settled: number): boolean => {
  const latest = Math.max(Number(BigInt(changed) / 1_000_000n), Number(BigInt(modified) / 1_000_000n))
  return !FileAge.isRecent(latest, settled)
}
