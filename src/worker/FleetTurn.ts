import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type BlobLocation, BlobStore } from "../blob/BlobStore.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { ClaimAccount } from "./ClaimCheck.ts"

/**
 * Whether it is this worker's turn to do what one of the whole fleet does once in an interval. The turn is a mark in the container: the process that replaces the old
 * mark has it.
 */
export const take = Effect.fnUntraced(
  function* (name: string, interval: Duration.Duration) {
    const blobs = yield* BlobStore
    const { claimCheckContainer: container } = yield* WorkerConfig
    const mark: BlobLocation = { account: { name: yield* ClaimAccount }, container, path: `sweeps/${name}` }
    const before = yield* blobs.properties(mark)
    const now = yield* Clock.currentTimeMillis
    if (Option.isSome(before) && now - before.value.lastModified < Duration.toMillis(interval)) return false
    const condition = Option.match(before, {
      onNone: () => ({ overwrite: false }),
      onSome: ({ etag }) => ({ ifMatch: etag })
    })
    return yield* Effect.as(blobs.upload(mark, new Uint8Array(), condition), true)
  },
  (taking): Effect.Effect<boolean, ServiceError, BlobStore | ClaimAccount | WorkerConfig> =>
    // Another worker was faster, or nothing was ever kept here.
    Effect.catchTags(taking, {
      Conflict: () => Effect.succeed(false),
      PreconditionFailed: () => Effect.succeed(false),
      NotFound: () => Effect.succeed(false)
    })
)
