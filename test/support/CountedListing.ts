import { Effect, Layer, Option, Stream } from "effect"
import { type BlobEntry, BlobStore } from "../../src/blob/BlobStore.ts"
import { Invalid } from "../../src/domain/ServiceError.ts"

/** A container of so many blobs, listed by a service that counts its calls and knows the places it gave. */
export const make = (count: number, container?: string) => {
  const calls: Array<number> = []
  /** Blobs that are gone, by their numbers. */
  const gone = new Set<number>()
  const entry = (index: number): BlobEntry => ({
    path: `docs/${String(index).padStart(8, "0")}.txt`,
    size: 1,
    lastModified: 1_000,
    etag: `0x${index.toString(16)}`,
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
              if (!Number.isInteger(start)) {
                const message = "The place is not known."
                return Effect.fail(new Invalid({ service: "Fake", operation: "list", message, reason: "BadRequest" }))
              }
              calls.push(start)
              const end = Math.min(count, start + pageSize)
              const numbers = Array.from({ length: end - start }, (_, index) => start + index)
              const page = {
                blobs: numbers.filter((index) => !gone.has(index)).map(entry),
                servedAt: 2_000,
                ...(end < count ? { next: String(end) } : {})
              }
              return Effect.succeed([page, end < count ? Option.some(end) : Option.none()] as const)
            })
          )
        }
      })
    )
  )
  return { calls, gone, layer }
}
