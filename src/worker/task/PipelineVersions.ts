import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type BlobLocation, BlobStore } from "../../blob/BlobStore.ts"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { type ChildPipeline, Pipeline, type VersionedPipeline } from "../../domain/Pipeline.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as StepKey from "../../executor/StepKey.ts"
import { ClaimAccount } from "../ClaimCheck.ts"
import { maxAge } from "../DefinitionCache.ts"

/**
 * The versions of pipelines that attempts began with. A task's later attempts run the version of its first, whatever became of the pipeline
 * and its children meanwhile, so each version is kept once by each process that runs it.
 */
export class PipelineVersions extends Context.Tag("contentflow-worker/worker/PipelineVersions")<
  PipelineVersions,
  {
    /** Keeps the pipeline as it is for later attempts. Never fails: a store that is away keeps no task from running. */
    readonly keep: (pipeline: VersionedPipeline) => Effect.Effect<void>
    /** The version that a task of the pipeline will run, unless a child changed just now, or none was kept lately. */
    readonly presumed: (pipeline: VersionedPipeline) => Effect.Effect<string>
    /** The pipeline as it was in this version; none where that is not known any more. */
    readonly find: (
      pipeline: VersionedPipeline,
      version: string
    ) => Effect.Effect<Option.Option<VersionedPipeline>, ServiceError>
  }
>() {}

/** Names the version by all that a run depends on: the pipeline and the stored ones that it uses. */
export const versionOf = (versioned: VersionedPipeline): string => {
  const own = ownVersionOf(versioned)
  const { children = [] } = versioned
  return children.length === 0
    ? own
    : nameOf(["pipeline", own, ...children.map(({ by, found, key }) => [by, key, found && ownVersionOf(found)])])
}

/** What tells the pipeline itself from earlier and later ones, whatever its children are. */
export const ownVersionOf = ({ pipeline }: VersionedPipeline): string => {
  const known = versions.get(pipeline)
  if (known !== undefined) return known
  const { name, retries, retry_delay, timeout, yaml } = pipeline
  const version = nameOf(["pipeline", name, yaml, retries, retry_delay, timeout])
  versions.set(pipeline, version)
  return version
}

const nameOf = (parts: ReadonlyArray<unknown>): string => StepKey.of(parts).slice(0, 24)

/** Executions and requests may name anything. */
const isVersion = (text: string): boolean => /^[0-9a-f]{24}$/.test(text)

const versions = new WeakMap<Pipeline, string>()

/** A version that is in use is written anew before its time is over. */
const renewal = Duration.days(7)
const timeToLive = Duration.days(60)

const folder = "definitions"

/** A pipeline as it is kept, with the children that it uses. */
export const Kept = Schema.extend(
  Pipeline,
  Schema.Struct({
    children: Schema.optional(
      Schema.Array(
        Schema.Struct({ by: Schema.Literal("id", "name"), key: Schema.String, found: Schema.NullOr(Pipeline) })
      )
    )
  })
)
const decode = Schema.decodeUnknownOption(Schema.parseJson(Kept))

/** No task waits longer for it; the upload goes on. */
const patience = Duration.seconds(1)

/** An upload that takes longer is given up. */
const uploadTimeout = Duration.seconds(10)

/** After an upload that failed no task tries again for so long. */
const pause = Duration.seconds(30)

/** Versions that a process remembers to have kept. */
const mostKept = 10_000

const make = Effect.gen(function* () {
  const blobs = yield* BlobStore
  const account = { name: yield* ClaimAccount }
  const { claimCheckContainer: container } = yield* WorkerConfig
  const scope = yield* Effect.scope
  /** When each was kept, or its keeping began. */
  const kept = new Map<string, number>()

  /** By the pipeline's own version: the version that the last task ran, and when. */
  const lately = new Map<string, { readonly version: string; readonly at: number }>()

  const notKept = (key: string) =>
    Effect.map(MonotonicTime.now, (now) => {
      kept.set(key, now - Duration.toMillis(renewal) + Duration.toMillis(pause))
    })

  const locate = (pipeline: VersionedPipeline, version: string): BlobLocation => ({
    account,
    container,
    path: `${folder}/${StepKey.of(pipeline.pipeline.id).slice(0, 16)}/${version}.json`
  })

  return PipelineVersions.of({
    keep: (versioned) =>
      Effect.flatMap(MonotonicTime.now, (now) => {
        const version = versionOf(versioned)
        const key = `${versioned.pipeline.id} ${version}`
        if (lately.size >= mostKept) lately.clear()
        lately.set(ownVersionOf(versioned), { version, at: now })
        const before = kept.get(key)
        if (before !== undefined && now - before < Duration.toMillis(renewal)) return Effect.void
        if (kept.size >= mostKept) kept.clear()
        kept.set(key, now)
        const text = Buffer.from(JSON.stringify(toKept(versioned)), "utf8")
        const upload = blobs.upload(locate(versioned, version), text, { contentType: "application/json" })
        const keeping = Effect.catchTag(upload, "NotFound", () =>
          Effect.zipRight(blobs.ensureContainer(account, container), upload)
        ).pipe(
          Effect.timeout(uploadTimeout),
          Effect.catchAll((error) =>
            Effect.zipRight(
              notKept(key),
              Effect.logDebug(`The version ${version} of the pipeline is not kept: ${error.message}`)
            )
          )
        )
        return Effect.forkIn(keeping, scope).pipe(
          Effect.flatMap(Fiber.await),
          Effect.timeoutOption(patience),
          Effect.asVoid
        )
      }),
    presumed: (pipeline) =>
      Effect.map(MonotonicTime.now, (now) => {
        const own = ownVersionOf(pipeline)
        const last = lately.get(own)
        return last !== undefined && now - last.at < Duration.toMillis(maxAge) ? last.version : own
      }),
    find: (current, version) =>
      isVersion(version)
        ? blobs.download(locate(current, version)).pipe(
            Stream.runCollect,
            Effect.map((chunks) =>
              Option.map(decode(Buffer.concat([...chunks]).toString("utf8")), (kept) => fromKept(kept, version))
            ),
            Effect.catchTag("NotFound", () => Effect.succeedNone)
          )
        : Effect.succeedNone
  })
})

/** The pipeline as it is to be kept. */
export const toKept = ({ children = [], pipeline }: VersionedPipeline): typeof Kept.Type =>
  children.length === 0
    ? pipeline
    : { ...pipeline, children: children.map(({ by, found, key }) => ({ by, key, found: found && found.pipeline })) }

/** What was kept. */
export const fromKept = ({ children, ...pipeline }: typeof Kept.Type, etag: string): VersionedPipeline => ({
  pipeline,
  etag,
  ...(children === undefined
    ? {}
    : {
        children: children.map(({ by, found, key }): ChildPipeline => ({
          by,
          key,
          found: found && { pipeline: found, etag }
        }))
      })
})

/** Removes versions that no process has run for long, and gives their number. */
export const sweep = Effect.gen(function* () {
  const blobs = yield* BlobStore
  const account = { name: yield* ClaimAccount }
  const { claimCheckContainer: container } = yield* WorkerConfig
  return yield* blobs.list({ account, container, prefix: `${folder}/` }).pipe(
    Stream.mapConcat((page) =>
      page.blobs.filter(
        ({ isDirectory, lastModified }) => !isDirectory && page.servedAt - lastModified > Duration.toMillis(timeToLive)
      )
    ),
    Stream.mapEffect(({ path }) => blobs.remove({ account, container, path })),
    Stream.runCount,
    Effect.catchTag("NotFound", () => Effect.succeed(0))
  )
})

export const layer: Layer.Layer<PipelineVersions, never, BlobStore | ClaimAccount | WorkerConfig> = Layer.scoped(
  PipelineVersions,
  make
)
