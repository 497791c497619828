import { Duration, Effect, Layer } from "effect"
import { availableParallelism, loadavg } from "node:os"
import { join } from "node:path"
import process from "node:process"
import type { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { withData } from "../../src/domain/Content.ts"
import * as Database from "../../src/embedded/Database.ts"
import * as FolderBlob from "../../src/embedded/FolderBlob.ts"
import * as KeptSteps from "../../src/executor/KeptSteps.ts"
import * as StepKey from "../../src/executor/StepKey.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as StepBlobs from "../../src/worker/StepBlobs.ts"
import { item } from "../pipeline/Harness.ts"
import * as Folders from "../support/Folders.ts"
import * as Bench from "./Bench.ts"

/**
 * What keeping the result of a step costs, and what taking it over costs: the engine's part alone, over blobs in memory and files of a folder.
 * Argument: the steps of each row (2,000).
 */
const steps = Number(process.argv[2] ?? 2_000)

const words = (bytes: number, seed: number): string =>
  Array.from({ length: Math.ceil(bytes / 8) }, (_, index) => ((index * 7_919 + seed) % 99_991).toString(36)).join(" ")

const shapes = [
  ["a summary: 10 KB of text read, 1 KB written", 10_000, 1_000],
  ["an analysis: 200 KB of text read, 100 KB written", 200_000, 100_000]
] as const

const row = (what: string, reads: number, writes: number) =>
  Effect.gen(function* () {
    const store = yield* StepBlobs.make({ timeToLive: Duration.days(1), maxBytes: 32 * 1024 * 1024 })
    const digest = StepKey.ofNode({ type: "bench", version: 1, settings: { deployment: "d" } })
    const kept = KeptSteps.make(store, { id: "n", type: "bench", digest, cache: "shared" }, undefined, undefined)
    const text = words(reads, 1)
    const answers = Array.from({ length: 16 }, (_, index) => words(writes, index))
    let asked = 0
    const run = Effect.forEach(
      Array.from({ length: steps }, (_, index) => index),
      (index) => {
        const document = item(`d${index}`, { text: `${index} ${text}` })
        return kept.around(document, Effect.succeed(document.data["text"]), (progress) =>
          Effect.sync(() => {
            asked++
            progress.writes(["answer"])
            return { item: withData(document, { answer: answers[index % answers.length] }), details: {} }
          })
        )
      },
      { discard: true }
    )
    const first = Bench.stopwatch()
    yield* run
    const computed = first(steps)
    const second = Bench.stopwatch()
    yield* run
    const taken = second(steps)
    if (asked !== steps) return yield* Effect.dieMessage(`${asked} of ${steps} steps were asked`)
    return { what, computed, taken }
  })

const folder = Layer.unwrapScoped(
  Effect.map(Folders.temporary, (path) =>
    FolderBlob.layer({ folder: join(path, "blobs") }).pipe(
      Layer.provide(Database.layer({ file: join(path, "worker.db") }))
    )
  )
)

const table = <E>(name: string, blobs: Layer.Layer<BlobStore, E>) =>
  Effect.gen(function* () {
    for (const [what, reads, writes] of shapes) {
      const { computed, taken } = yield* row(what, reads, writes)
      print(`| ${name} | ${what} | ${computed.cpuMillisPerTask.toFixed(2)} | ${taken.cpuMillisPerTask.toFixed(2)} |`)
    }
  }).pipe(Effect.provide(Layer.mergeAll(blobs, Layer.succeed(ClaimAccount, "own"), WorkerConfig.layerWith({}))))

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const runtime = "Deno" in globalThis ? "Deno" : "Node"
print(`${runtime} ${process.version}, ${availableParallelism()} cores at a load of ${loadavg()[0]?.toFixed(1)}\n`)
print("| Kept in | A step | ms of CPU to keep it | ms of CPU to take it over |")
print("| --- | --- | --- | --- |")
await Effect.runPromise(Effect.zipRight(table("memory", MemoryBlob.layer), Effect.scoped(table("a folder", folder))))
