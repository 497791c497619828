import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { performance } from "node:perf_hooks"
import * as FileAge from "../../src/embedded/FileAge.ts"

const hour = 3_600_000

describe("FileAge", () => {
  afterEach(() => void vi.restoreAllMocks())

  const clocks = (wall: number, steady: number) => {
    vi.spyOn(Date, "now").mockReturnValue(wall)
    vi.spyOn(performance, "now").mockReturnValue(steady - performance.timeOrigin)
  }
  const now = 1_800_000_000_000

  it("a file that was changed just now is recent after the machine has slept, and after its clock was set", () => {
    for (const apart of [0, -8 * hour, 8 * hour]) {
      clocks(now, now + apart)
      assert.approximately(FileAge.of(now - 500), 500, 1)
      assert.isTrue(FileAge.isRecent(now - 500, 2_000))
      assert.isFalse(FileAge.isRecent(now - 2_500, 2_000))
    }
  })

  it("a file from the future rests, and so does any where none must", () => {
    clocks(now, now)
    assert.isFalse(FileAge.isRecent(now + hour, 2_000))
    assert.isFalse(FileAge.isRecent(now, 0))
  })
})
