import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { constants, gunzip, gzip } from "node:zlib"
import { type BlobLocation, BlobStore } from "../blob/BlobStore.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as StepResults from "../store/StepResults.ts"
import { ClaimAccount } from "./ClaimCheck.ts"

/** Results of steps as blobs of the installation's own container, beside the content of large tasks; in a folder these are files. */
export const make = Effect.fnUntraced(function* (limits: StepResults.StepLimits) {
  const blobs = yield* BlobStore
  const account = { name: yield* ClaimAccount }
  const { claimCheckContainer: container } = yield* WorkerConfig

  const locate = (key: string): BlobLocation => ({ account, container, path: pathOf(key) })

  const read = (key: string): Effect.Effect<Option.Option<Buffer>, ServiceError> =>
    blobs.download(locate(key)).pipe(
      Stream.runFoldWhile(
        { size: 0, chunks: new Array<Uint8Array>() },
        ({ size }) => size <= limits.maxBytes,
        (all, chunk) => {
          all.chunks.push(chunk)
          return { size: all.size + chunk.byteLength, chunks: all.chunks }
        }
      ),
      Effect.map(({ chunks, size }) => (size > limits.maxBytes ? Option.none() : Option.some(Buffer.concat(chunks)))),
      Effect.catchTag("NotFound", () => Effect.succeedNone)
    )

  const upload = (key: string, body: Uint8Array) => {
    const write = blobs.upload(locate(key), body, { contentType: contentType(body) })
    // The container is made when it is first needed: an installation that keeps nothing never sees it.
    return Effect.catchTag(write, "NotFound", () => Effect.zipRight(blobs.ensureContainer(account, container), write))
  }

  const get = Effect.fnUntraced(function* (key: string) {
    const body = yield* read(key)
    if (Option.isNone(body)) return Option.none()
    const text = yield* unpacked(body.value, limits.maxBytes)
    const now = yield* Clock.currentTimeMillis
    return Option.filter(Option.flatMap(text, StepResults.decode), ({ at }) => !StepResults.isOver(at, now, limits))
  })

  const put = Effect.fnUntraced(function* (key: string, record: StepResults.StepRecord) {
    const text = Buffer.from(StepResults.encode(record, yield* Clock.currentTimeMillis), "utf8")
    if (text.byteLength > limits.maxBytes) return "TooLarge"
    yield* upload(key, yield* packed(text))
    return "Kept"
  })

  const sweep: Effect.Effect<number, ServiceError> = blobs.list({ account, container, prefix: `${folder}/` }).pipe(
    Stream.mapConcat(({ blobs, servedAt }) =>
      blobs.filter(
        ({ isDirectory, lastModified }) => !isDirectory && StepResults.isOver(lastModified, servedAt, limits)
      )
    ),
    Stream.mapEffect(({ path }) => blobs.remove({ account, container, path }), {
      concurrency: 8,
      unordered: true
    }),
    Stream.runCount,
    Effect.catchTag("NotFound", () => Effect.succeed(0))
  )

  const store: StepResults.StepStore = { get, put, sweep }
  return store
})

/** With the settings of the worker; nothing is kept when the time to live is zero. */
export const layer: Layer.Layer<never, never, BlobStore | ClaimAccount | WorkerConfig> = Layer.effect(
  StepResults.StepResults,
  Effect.flatMap(WorkerConfig, ({ stepResultsTimeToLive: timeToLive }) =>
    Duration.toMillis(timeToLive) === 0
      ? Effect.succeed(null)
      : make({ timeToLive, maxBytes: StepResults.defaultMaxBytes })
  )
)

const folder = "steps"

/** Folders of a size that every file system takes. */
const pathOf = (key: string): string => `${folder}/${key.slice(0, 2)}/${key}`

/** Shorter texts grow when they are compressed, or hardly shrink. */
const worthPacking = 2_048

const isPacked = (body: Uint8Array): boolean => body[0] === 0x1f && body[1] === 0x8b

const contentType = (body: Uint8Array): string => (isPacked(body) ? "application/gzip" : "application/json")

/** The fastest level: what is kept is read once, if ever. */
const packed = (text: Buffer): Effect.Effect<Uint8Array> =>
  text.byteLength < worthPacking
    ? Effect.succeed(text)
    : Effect.async((resume) => {
        gzip(text, { level: constants.Z_BEST_SPEED }, (error, result) =>
          resume(Effect.succeed(error === null ? result : text))
        )
      })

/** None for what is damaged, or larger than anything that is kept. */
const unpacked = (body: Buffer, maxBytes: number): Effect.Effect<Option.Option<string>> =>
  isPacked(body)
    ? Effect.async((resume) => {
        gunzip(body, { maxOutputLength: maxBytes }, (error, result) =>
          resume(error === null ? Effect.succeedSome(result.toString("utf8")) : Effect.succeedNone)
        )
      })
    : Effect.succeedSome(body.toString("utf8"))
