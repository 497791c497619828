import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as LocalBlobs from "../../src/cli/run/LocalBlobs.ts"
import * as Folders from "../support/Folders.ts"

describe("blobs of a run", () => {
  for (const [where, account] of [
    ["a folder of this machine", "local"],
    ["an account elsewhere", "elsewhere"]
  ] as const) {
    it.scoped(`remove only the version that is meant: ${where}`, () =>
      Effect.gen(function* () {
        const folder = yield* Folders.temporary
        const files = LocalBlobs.layer({
          folder,
          isProject: false,
          accounts: new Map(),
          partitionKeys: new Map(),
          temporaryFolder: folder
        })
        yield* Effect.gen(function* () {
          const blobs = yield* BlobStore
          const at = { account: { name: account }, container: "docs", path: "x" }
          yield* blobs.ensureContainer(at.account, at.container)
          const first = yield* blobs.upload(at, new TextEncoder().encode("one"))
          const second = yield* blobs.upload(at, new TextEncoder().encode("another"))
          const refused = yield* Effect.flip(blobs.remove(at, { ifMatch: first.etag }))
          assert.strictEqual(refused._tag, "PreconditionFailed")
          yield* blobs.remove(at, { ifMatch: second.etag })
          assert.deepStrictEqual(yield* blobs.properties(at), Option.none())
        }).pipe(Effect.provide(Layer.provide(files, MemoryBlob.layer)))
      })
    )
  }
})
