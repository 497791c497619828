import { assert, describe, it } from "vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const script = fileURLToPath(new URL("./ReadInPool.js", import.meta.url))

/** What a process of its own says of its memory (megabytes) after it has read these documents in a pool. */
const read = async (options: {
  readonly mode: "nestedForms" | "large"
  readonly threads: number
  readonly count: number
}) => {
  const given = [script, JSON.stringify(options)]
  const { stdout } = await promisify(execFile)(process.execPath, "Deno" in globalThis ? ["run", "-A", ...given] : given)
  return JSON.parse(stdout) as {
    readonly start: number
    readonly peak: number
    readonly reasons: ReadonlyArray<string>
    readonly mostWaiting: number
  }
}

describe("the memory of threads", { timeout: 240_000 }, () => {
  it("holds the gigabyte that a thread may have within one page, and from document to document", async () => {
    const { peak, reasons, start } = await read({ mode: "nestedForms", threads: 1, count: 3 })
    assert.deepStrictEqual(reasons, ["LimitExceeded", "LimitExceeded", "LimitExceeded"])
    assert.isBelow(peak - start, 1_024)
  })

  it("holds it for each of two threads", async () => {
    const { peak, reasons, start } = await read({ mode: "nestedForms", threads: 2, count: 4 })
    assert.deepStrictEqual(new Set(reasons), new Set(["LimitExceeded"]))
    assert.isBelow(peak - start, 2_048)
  })

  it("holds no more large documents than there are threads, and nothing of those that were read", async () => {
    const { mostWaiting, peak, start } = await read({ mode: "large", threads: 1, count: 4 })
    assert.strictEqual(mostWaiting, 1)
    assert.isBelow(peak - start, 1_024)
  })
})
