import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { type FileHandle, open } from "node:fs/promises"
import * as BlobRefusals from "../blob/BlobRefusals.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as BlobFiles from "./BlobFiles.ts"
import { attempt, service } from "./FileAttempt.ts"
import * as FileErrors from "./FileErrors.ts"

const refusals = BlobRefusals.of(service)

/** The bytes of a file in this state. The opened file stays the same when another takes its name; one that is written to in place shows at the end. */
export const stream = (
  operation: string,
  path: string,
  state: BlobFiles.FileState
): Effect.Effect<Stream.Stream<Uint8Array, ServiceError>, ServiceError, Scope> =>
  Effect.gen(function* () {
    const file = yield* Effect.acquireRelease(
      attempt(operation, path, () => open(path, "r")),
      (opened) => Effect.promise(() => opened.close())
    )
    const isUnchanged = attempt(operation, path, async () => {
      const now = await stateNow(file)
      return now.size === state.size && now.modified === state.modified
    })
    if (!(yield* isUnchanged)) return yield* refusals.changed(operation)
    return Stream.fromAsyncIterable(piecesOf(file), (thrown) =>
      FileErrors.describe(service, operation, path, thrown)
    ).pipe(
      Stream.concat(
        Stream.unwrap(
          Effect.map(isUnchanged, (same) => (same ? Stream.empty : Stream.fromEffect(refusals.changed(operation))))
        )
      )
    )
  })

/** The digest of a file's bytes in this state; undefined when the file changed or went meanwhile. */
export const digestOf = async (path: string, state: BlobFiles.FileState): Promise<string | undefined> => {
  const file = await open(path, "r").catch((thrown: unknown) => {
    if (BlobFiles.isMissing(thrown)) return undefined
    throw thrown
  })
  if (file === undefined) return undefined
  try {
    const hash = createHash("sha256")
    if (state.size < pieceBytes) {
      // One read brings it all; the room for one byte more would hold what was added.
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(state.size + 1), 0, state.size + 1, 0)
      hash.update(buffer.subarray(0, bytesRead))
    } else {
      for await (const piece of piecesOf(file)) hash.update(piece)
    }
    return isSame(await stateNow(file), state) ? hash.digest("hex").slice(0, 32) : undefined
  } finally {
    await file.close()
  }
}

const stateNow = async (file: FileHandle) => BlobFiles.stateFrom(await file.stat({ bigint: true }))

const isSame = (one: BlobFiles.FileState, other: BlobFiles.FileState): boolean =>
  one.size === other.size && one.modified === other.modified && one.changed === other.changed

async function* piecesOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(pieceBytes), 0, pieceBytes)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

const pieceBytes = 65_536
