import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem } from "@effect/platform"
import { assert, layer } from "@effect/vitest"
import { Chunk, Effect, Stream } from "effect"
import * as RunFiles from "../../src/executor/RunFiles.ts"
import * as LocalFile from "../../src/executors/LocalFile.ts"

const bound = 10_000_000

layer(NodeContext.layer)("files that a run may open", (it) => {
  const prepare = Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
    for (const folder of ["open/.git", "own", "closed"])
      yield* fs.makeDirectory(`${root}/${folder}`, { recursive: true })
    for (const file of ["open/a.txt", "open/.env", "open/.git/config", "own/.b", "closed/secret", "open2"]) {
      yield* fs.writeFileString(`${root}/${file}`, file)
    }
    yield* fs.symlink(`${root}/closed/secret`, `${root}/open/link.txt`)
    yield* fs.symlink(`${root}/closed`, `${root}/open/folder`)
    yield* fs.symlink(`${root}/open/.env`, `${root}/open/env.txt`)
    yield* fs.symlink(`${root}/open`, `${root}/alias`)
    return { fs, root }
  })

  it.scoped("are its own, and those of the roots with links followed", () =>
    Effect.gen(function* () {
      const { fs, root } = yield* prepare
      const files = RunFiles.make([`${root}/alias`, `${root}/open`], [`${root}/own`])
      const find = (path: string) => Effect.either(LocalFile.find(fs, files, `${root}/${path}`, bound))
      for (const path of ["open/a.txt", "alias/a.txt", "own/.b", "own/../open/a.txt"]) {
        assert.strictEqual((yield* find(path))._tag, "Right", path)
      }
      for (const path of [
        "closed/secret",
        "open/../closed/secret",
        "open/link.txt",
        "open/folder/secret",
        "open/.env",
        "open/env.txt",
        "open/.git/config",
        "open2",
        "own/../closed/secret"
      ]) {
        assert.strictEqual((yield* find(path))._tag, "Left", path)
      }
    })
  )

  it.scoped("are read whole and in pieces", () =>
    Effect.gen(function* () {
      const { fs, root } = yield* prepare
      const body = new Uint8Array(3_000_001).map((_, index) => index % 251)
      yield* fs.writeFile(`${root}/own/large`, body)
      const file = yield* LocalFile.inspect(fs, `${root}/own/large`, bound)
      assert.isTrue(Buffer.from(yield* LocalFile.read(fs, file)).equals(body))
      const pieces = yield* Stream.runCollect(LocalFile.stream(fs, file))
      assert.isTrue(Buffer.concat(Chunk.toReadonlyArray(pieces)).equals(body))
    })
  )

  it.scoped("are not read when a link took their place after they were looked at", () =>
    Effect.gen(function* () {
      const { fs, root } = yield* prepare
      const file = yield* LocalFile.inspect(fs, `${root}/open/a.txt`, bound)
      yield* fs.remove(file.path)
      yield* fs.symlink(`${root}/closed/secret`, file.path)
      assert.include(yield* Effect.flip(LocalFile.read(fs, file)), "replaced")
      assert.include(yield* Effect.flip(Stream.runDrain(LocalFile.stream(fs, file))), "replaced")
    })
  )
})
