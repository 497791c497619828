import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import process from "node:process"
import * as GoldenFiles from "./GoldenFiles.ts"

describe("the golden vectors of the repository", () => {
  const files = Object.entries(GoldenFiles.kept)

  it.skipIf(GoldenFiles.complete("yaml11.jsonl") === undefined)(
    "are what is taken of the complete files (TRIM_GOLDEN=1 writes them)",
    () => {
      mkdirSync(GoldenFiles.trimmed, { recursive: true })
      for (const [file, bytes] of files) {
        const text = `${GoldenFiles.trim(GoldenFiles.complete(file) ?? [], bytes).join("\n")}\n`
        const place = new URL(file, GoldenFiles.trimmed)
        if (process.env["TRIM_GOLDEN"] === "1") writeFileSync(place, text)
        assert.strictEqual(readFileSync(place, "utf8"), text, file)
      }
    }
  )

  it("are of every file that tests read, and not too many", () => {
    const sizes = files.map(([file]) => readFileSync(new URL(file, GoldenFiles.trimmed)).length)
    assert.isAtMost(
      sizes.reduce((sum, size) => sum + size, 0),
      600_000
    )
    for (const size of sizes) assert.isAtLeast(size, 20_000)
  })

  it("take each subject before a second vector of one", () => {
    const line = (id: string, kind: string, length: number) =>
      JSON.stringify({ id, error: { kind }, input: "x".repeat(length) })
    const all = [
      line("1", "a", 900),
      line("2", "a", 10),
      line("3", "a", 20),
      line("4", "b", 300),
      line("5", "c", 5_000)
    ]
    const taken = GoldenFiles.trim(all, 1_000).map((each) => JSON.parse(each).id)
    assert.deepStrictEqual(taken, ["2", "3", "4"])
    assert.deepStrictEqual(GoldenFiles.trim(all, 100_000), all)
  })
})
