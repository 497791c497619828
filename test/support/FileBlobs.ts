import { Context, Effect, Layer, Stream } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import type { ServiceError } from "../../src/domain/ServiceError.ts"
import * as FolderBlob from "../../src/embedded/FolderBlob.ts"
import * as VirtualClock from "../../src/testing/VirtualClock.ts"

/** Blobs as files, for programs on a virtual clock, with what a test sees of those in memory. They fail by no plan. */
export const layer = (folder: string) =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const blobs = Context.get(yield* Layer.build(FolderBlob.layer({ folder })), BlobStore)
      const put: MemoryBlob.MemoryBlob["Type"]["put"] = (account, container, path, body, options) =>
        VirtualClock.during(
          Effect.zipRight(
            blobs.ensureContainer({ name: account }, container),
            Effect.asVoid(blobs.upload({ account: { name: account }, container, path }, Buffer.from(body), options))
          )
        )
      return Context.make(BlobStore, onVirtualClock(blobs)).pipe(
        Context.add(MemoryBlob.MemoryBlob, {
          put,
          all: Effect.sync(() => stored(folder)),
          failNext: () => Effect.dieMessage("Files fail by no plan.")
        })
      )
    })
  ).pipe(Layer.orDie)

const onVirtualClock = (blobs: BlobStore["Type"]): BlobStore["Type"] => {
  const { during } = VirtualClock
  /** All of it at once: who stops reading in the middle leaves nothing open. */
  const whole = <A>(stream: Stream.Stream<A, ServiceError>) =>
    Stream.unwrap(Effect.map(during(Stream.runCollect(stream)), Stream.fromChunk))
  return {
    list: (options) => whole(blobs.list(options)),
    download: (location, options) => whole(blobs.download(location, options)),
    properties: (location) => during(blobs.properties(location)),
    upload: (location, body, options) => during(blobs.upload(location, body, options)),
    remove: (location, options) => during(blobs.remove(location, options)),
    ensureContainer: (account, container) => during(blobs.ensureContainer(account, container))
  }
}

/** What another program finds: the names are such that a file is called as its blob. */
const stored = (folder: string): ReadonlyArray<MemoryBlob.StoredBlob> =>
  namesIn(folder).flatMap((account) =>
    namesIn(join(folder, account)).flatMap((container) =>
      readdirSync(join(folder, account, container), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, account, container).length + 1))
        .filter((path) => !path.split("/").some((part) => part.startsWith(".")))
        .map((path) => ({ account, container, path, body: readFileSync(join(folder, account, container, path)) }))
    )
  )

const namesIn = (folder: string): ReadonlyArray<string> => readdirSync(folder).filter((name) => !name.startsWith("."))
