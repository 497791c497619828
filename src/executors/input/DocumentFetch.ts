import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { BlobStore, type BlobLocation } from "../../blob/BlobStore.ts"
import { type Content, nameOf, withData } from "../../domain/Content.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { ExecutorContext } from "../../executor/Executor.ts"
import { documentError, ExecutorError, fromServiceError } from "../../executor/ExecutorError.ts"
import { Departure, type FoundDocument } from "../../executor/RunFacts.ts"
import { CurrentRunFiles } from "../../executor/RunFiles.ts"
import * as LocalFile from "../LocalFile.ts"
import * as Settings from "../../executor/Settings.ts"
import * as ContentEncoding from "./ContentEncoding.ts"
import * as RunFolder from "./RunFolder.ts"
import * as RunFolderSweep from "./RunFolderSweep.ts"

/** The settings that both content retrievers share. */
export const settings = {
  include_content_bytes_as_field: Settings.boolean({
    description: "Put the document's bytes into data.content.",
    default: false
  }),
  use_temp_file_for_content: Settings.boolean({
    description: "Write the document to a file and put its path into data.temp_file_path.",
    default: true
  }),
  temp_folder: Settings.string({
    description:
      "Where a run makes its own folder for files; that folder goes away when the run ends. It lies below ./tmp, the system's temporary folder or a folder of the worker's setting LOCAL_ROOTS.",
    default: RunFolderSweep.defaultFolder
  }),
  max_size_bytes: Settings.integer({
    description: "A larger document fails.",
    default: 512 * 1024 * 1024,
    min: 1
  })
}

export type FetchSettings = Settings.TypeOf<typeof settings>

/** The item with its document, and the document's size. */
export interface Fetched {
  readonly item: Content
  readonly size: number
}

export interface DocumentFetch {
  readonly blob: (item: Content, location: BlobLocation) => Effect.Effect<Fetched, ExecutorError>
  /** Copies a local file, or with `asItIs` names it itself in `data.temp_file_path`. */
  readonly file: (item: Content, file: LocalFile.LocalFile, asItIs: boolean) => Effect.Effect<Fetched, ExecutorError>
}

/** Brings documents to where the next steps look for them: streamed into a file of the run, into `data`, or both. */
export const make = (
  context: ExecutorContext,
  settings: FetchSettings
): Effect.Effect<DocumentFetch, ExecutorError, BlobStore | FileSystem.FileSystem | Path.Path | Scope> =>
  Effect.gen(function* () {
    const blobs = yield* BlobStore
    const fs = yield* FileSystem.FileSystem
    const folder = settings.use_temp_file_for_content ? yield* RunFolder.make(context, settings.temp_folder) : null

    const deliver = (
      item: Content,
      body: Stream.Stream<Uint8Array, ExecutorError>,
      toFile = true
    ): Effect.Effect<Fetched, ExecutorError> =>
      Effect.gen(function* () {
        const bounded = within(context, item, settings.max_size_bytes, body)
        if (folder === null || !toFile) {
          const { chunks, size } = yield* gather(bounded, settings.include_content_bytes_as_field)
          return { item: withContent(item, chunks), size }
        }
        const path = yield* folder.fileFor(item)
        const { chunks, size } = yield* writeTo(fs, path, bounded, settings.include_content_bytes_as_field, (message) =>
          documentError(context, item, message)
        )
        return { item: withContent(withData(item, { temp_file_path: path }), chunks), size }
      })

    return {
      blob: (item, location) => {
        const known = context.run?.documents?.get(nameOf(item))
        let encoding: string | null = null
        const stored = blobs
          .download(location, {
            ...(known === undefined || known.etag === null ? {} : { ifMatch: known.etag }),
            onEncoding: (given) => {
              encoding = given
            }
          })
          .pipe(
            Stream.catchAll((error) => Stream.fromEffect(readFailure(context, blobs, item, location, known, error)))
          )
        const body = ContentEncoding.undo(stored, () => encoding, {
          name: nameOf(item),
          maxBytes: settings.max_size_bytes,
          fail: (message) => documentError(context, item, message)
        })
        return deliver(item, body)
      },
      file: (item, file, asItIs) => {
        const named =
          settings.use_temp_file_for_content && asItIs ? withData(item, { temp_file_path: file.path }) : item
        const body = Stream.mapError(LocalFile.stream(fs, file), (message) => documentError(context, item, message))
        const delivered =
          asItIs && !settings.include_content_bytes_as_field
            ? Effect.succeed({ item: named, size: file.size })
            : deliver(named, body, !asItIs)
        // The next steps may open the file that this one was allowed to.
        return asItIs
          ? Effect.zipLeft(
              delivered,
              Effect.map(CurrentRunFiles, ({ own }) => own.add(file.path))
            )
          : delivered
      }
    }
  })

/**
 * A document that a crawl found may be gone, archived or replaced when its turn comes: then it departs from the run, and the error only ends its way. One
 * that changes while it is read, and of which no version is known, is read again.
 */
const readFailure = (
  context: ExecutorContext,
  blobs: BlobStore["Type"],
  item: Content,
  location: BlobLocation,
  known: FoundDocument | undefined,
  error: ServiceError
): Effect.Effect<never, ExecutorError> => {
  const departures = context.run?.departures
  const wasFound = known !== undefined && (known.etag !== null || known.changedAt !== null)
  const failed = fromServiceError(context, item)(error)
  const departs = (departure: Departure) => {
    departures?.set(nameOf(item), departure)
    return Effect.fail(failed)
  }
  if (error._tag === "NotFound" && error.code === "BlobNotFound" && wasFound) return departs(Departure.Gone())
  if (error._tag === "Conflict" && isArchived(error.code) && wasFound) return departs(Departure.Archived())
  if (error._tag !== "PreconditionFailed") return Effect.fail(failed)
  if (known === undefined || known.etag === null)
    return Effect.fail(new ExecutorError({ ...failed, reason: "Transient" }))
  return Effect.flatMap(
    Effect.mapError(blobs.properties(location), fromServiceError(context, item)),
    Option.match({
      onNone: () => departs(Departure.Gone()),
      onSome: ({ contentType, etag, lastModified, size }) =>
        departs(Departure.Replaced({ etag, changedAt: lastModified, contentType, size }))
    })
  )
}

const isArchived = (code: string | null): boolean => code === "BlobArchived" || code === "BlobBeingRehydrated"

interface Gathered {
  /** Null unless they were to be kept. */
  readonly chunks: ReadonlyArray<Uint8Array> | null
  readonly size: number
}

const gather = <E>(body: Stream.Stream<Uint8Array, E>, keep: boolean): Effect.Effect<Gathered, E> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return Effect.map(
      Stream.runForEach(body, (chunk) =>
        Effect.sync(() => {
          size += chunk.length
          if (keep) chunks.push(chunk)
        })
      ),
      () => ({ chunks: keep ? chunks : null, size })
    )
  })

/** Writes the file as the bytes come, and takes half a file away again. An empty body makes an empty file. */
const writeTo = (
  fs: FileSystem.FileSystem,
  path: string,
  body: Stream.Stream<Uint8Array, ExecutorError>,
  keep: boolean,
  fail: (message: string) => ExecutorError
): Effect.Effect<Gathered, ExecutorError> => {
  const failed = Effect.mapError((error: Parameters<typeof LocalFile.describe>[1]) =>
    fail(LocalFile.describe(path, error))
  )
  return Effect.scoped(
    Effect.flatMap(failed(fs.open(path, { flag: "wx" })), (file) =>
      gather(
        Stream.tap(body, (chunk) => failed(file.writeAll(chunk))),
        keep
      )
    )
  ).pipe(Effect.onError(() => Effect.ignore(fs.remove(path, { force: true }))))
}

const within = (
  context: ExecutorContext,
  item: Content,
  maxBytes: number,
  body: Stream.Stream<Uint8Array, ExecutorError>
): Stream.Stream<Uint8Array, ExecutorError> =>
  Stream.mapAccumEffect(body, 0, (before, chunk) => {
    const size = before + chunk.length
    return size > maxBytes
      ? Effect.fail(documentError(context, item, LocalFile.tooLarge(nameOf(item), null, maxBytes)))
      : Effect.succeed([size, chunk] as const)
  })

const withContent = (item: Content, chunks: ReadonlyArray<Uint8Array> | null): Content =>
  chunks === null ? item : withData(item, { content: new Uint8Array(Buffer.concat(chunks)) })
