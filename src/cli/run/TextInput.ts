import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"

/** The text of a file, or of standard input for `-`. Fails with words for people, without the file's name. */
export const read = (name: string, maxBytes: number): Effect.Effect<string, string, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (name !== "-") {
      const info = yield* Effect.mapError(fs.stat(name), describe)
      if (info.type === "Directory") return yield* Effect.fail("This is a folder, not a file.")
    }
    const bytes: Stream.Stream<Uint8Array, string> =
      name === "-" ? Stream.mapError(NodeStream.stdin, String) : Stream.mapError(fs.stream(name), describe)
    const chunks: Array<Uint8Array> = []
    let size = 0
    yield* Stream.runForEach(bytes, (chunk) => {
      chunks.push(chunk)
      size += chunk.length
      return size > maxBytes
        ? Effect.fail(`It has more than the ${maxBytes / 1024 ** 2} MB that it may have.`)
        : Effect.void
    })
    return yield* decode(Buffer.concat(chunks))
  })

/** Also takes the mark at the start of the file away that some editors put there. */
const decode = (bytes: Uint8Array): Either.Either<string, string> =>
  Either.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => "It is no text in UTF-8."
  })

const describe = (error: PlatformError): string => {
  const reason = error._tag === "SystemError" ? error.reason : undefined
  return reason === "NotFound"
    ? "There is no such file."
    : reason === "PermissionDenied"
      ? "The file may not be read: permission denied."
      : `The file can't be read: ${error.message}`
}
