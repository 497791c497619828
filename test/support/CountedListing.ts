import { Duration, Effect, Layer, Option, Stream } from "effect"
import { type BlobEntry, BlobStore } from "../../src/blob/BlobStore.ts"
import { ExecutorId } from "../../src/domain/Ids.ts"
import { Invalid, type ServiceError, Unavailable } from "../../src/domain/ServiceError.ts"
import type { ExecutorInstance } from "../../src/executor/Executor.ts"
import { executor as discovery } from "../../src/executors/input/AzureBlobInputDiscovery.ts"

/** A container of so many blobs, listed by a service that takes its time, counts its calls and knows the places it gave. */
export const make = (count: number, container?: string, latency: Duration.DurationInput = 0) => {
  const calls: Array<number> = []
  /** Blobs that are gone, by their numbers. */
  const gone = new Set<number>()
  /** Blobs that changed, by their numbers, and when. */
  const changed = new Map<number, number>()
  const service = {
    /** Whether it knows places that it gave before. */
    knowsPlaces: true,
    /** A page that it can't give. */
    failsAt: -1,
    /** Its clock. */
    servedAt: 2_000
  }
  const entry = (index: number): BlobEntry => ({
    path: `docs/${String(index).padStart(8, "0")}.txt`,
    size: 1,
    lastModified: changed.get(index) ?? 1_000,
    etag: `0x${index.toString(16)}${changed.has(index) ? `-${changed.get(index)}` : ""}`,
    contentType: null,
    contentEncoding: null,
    metadata: {},
    isDirectory: false
  })
  const layer = Layer.effect(
    BlobStore,
    Effect.map(BlobStore, (blobs) =>
      BlobStore.of({
        ...blobs,
        list: (options) => {
          const { from, pageSize = 5_000 } = options
          if (container !== undefined && options.container !== container) return blobs.list(options)
          return Stream.paginateEffect(from === undefined ? 0 : Number(from), (start) =>
            Effect.suspend(() => {
              if (!Number.isInteger(start) || (String(start) === from && !service.knowsPlaces)) {
                const message = "The place is not known."
                return Effect.fail<ServiceError>(
                  new Invalid({ service: "Fake", operation: "list", message, reason: "BadRequest" })
                )
              }
              calls.push(start)
              if (start === service.failsAt) {
                return Effect.fail(
                  new Unavailable({ service: "Fake", operation: "list", message: "The page is away." })
                )
              }
              const end = Math.min(count, start + pageSize)
              const numbers = Array.from({ length: end - start }, (_, index) => start + index)
              const page = {
                blobs: numbers.filter((index) => !gone.has(index)).map(entry),
                servedAt: service.servedAt,
                ...(end < count ? { next: String(end) } : {})
              }
              const answer = Effect.succeed([page, end < count ? Option.some(end) : Option.none()] as const)
              return Duration.toMillis(latency) === 0 ? answer : Effect.delay(answer, latency)
            })
          )
        }
      })
    )
  )
  return { calls, gone, changed, service, layer }
}

/** The crawl of the real finder over that container. */
export const crawlOf = (source: ReturnType<typeof make>, batchSize: number) =>
  Effect.gen(function* () {
    const blobs = yield* Layer.build(source.layer)
    const settings = { blob_storage_account: "acct", blob_container_name: "big", batch_size: batchSize }
    const prepared = discovery.prepare(settings)
    if (prepared._tag === "Left") return yield* Effect.die("settings")
    const context = { id: ExecutorId.make("find"), pipelineName: "line", failOnError: true }
    const instance = yield* Effect.orDie(Effect.provide(prepared.right(context), blobs))
    return instance.crawl as NonNullable<ExecutorInstance["crawl"]>
  })
