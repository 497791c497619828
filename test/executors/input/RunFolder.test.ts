import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import * as RunFolder from "../../../src/executors/input/RunFolder.ts"
import * as RunFolderSweep from "../../../src/executors/input/RunFolderSweep.ts"

const context = { id: ExecutorId.make("fetch"), pipelineName: "test", failOnError: true }

describe("the folders of runs", () => {
  it.scopedLive("those of dead processes go, those of living ones stay", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const parent = yield* fs.makeTempDirectoryScoped()
      const own = yield* RunFolderSweep.prefix(fs)
      const [, host = "", pid = ""] = own.split("-")
      const dead = String(spawnSync("true").pid)
      const hour = 3600
      const now = Date.now() / 1000
      const folders = {
        [`${own}aaaaaa`]: ["stays: ours", 0],
        [`run-${host}-${process.ppid}-00000000-aaaaaa`]: ["stays: alive", 2 * hour],
        [`run-${host}-1-00000000-aaaaaa`]: ["stays: alive, of somebody else", 2 * hour],
        "run-ffffffffffff-1-00000000-aaaaaa": ["stays: another machine's, touched lately", 60],
        "run-Ab3dE6": ["stays: an earlier version's, perhaps in use", hour],
        "run-of-the-mill": ["stays: no folder of ours", 48 * hour],
        other: ["stays: no folder of ours", 48 * hour],
        [`run-${host}-${dead}-00000000-aaaaaa`]: ["goes: its process is dead", 0],
        [`run-${host}-${pid}-00000000-aaaaaa`]: ["goes: its process had our id", 0],
        "run-ffffffffffff-2-00000000-aaaaaa": ["goes: nobody touches it", hour],
        "run-Zz3dE6": ["goes: an earlier version's", 48 * hour]
      } as const
      for (const [name, [, age]] of Object.entries(folders)) {
        yield* fs.makeDirectory(`${parent}/${name}`)
        yield* fs.writeFileString(`${parent}/${name}/file`, "x")
        yield* fs.utimes(`${parent}/${name}`, now - age, now - age)
      }
      yield* fs.writeFileString(`${parent}/run-ffffffffffff-3-00000000-aaaaaa`, "a file")

      const { fileFor } = yield* RunFolder.make(context, parent)
      const left = yield* fs.readDirectory(parent)
      for (const [name, [what]] of Object.entries(folders)) {
        assert.strictEqual(left.includes(name), what.startsWith("stays"), what)
      }
      assert.include(left, "run-ffffffffffff-3-00000000-aaaaaa")
      const item = { id: null, summary_data: {}, data: {}, executor_logs: [] }
      assert.include(yield* fileFor(item), `/${own}`)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("a folder that nothing may be written to is no reason to fail", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const parent = yield* fs.makeTempDirectoryScoped()
      yield* fs.remove(parent, { recursive: true })
      yield* RunFolderSweep.sweep(fs, parent)
      yield* fs.makeDirectory(parent)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
