import * as NodeContext from "@effect/platform-node/NodeContext"
import { Effect, Layer, Logger } from "effect"
import { availableParallelism, loadavg } from "node:os"
import process from "node:process"
import * as ChunkingSection from "./executors/ChunkingSection.ts"
import * as Documents from "./executors/Documents.ts"
import * as HoldSection from "./executors/HoldSection.ts"
import * as OfficeSection from "./executors/OfficeSection.ts"
import * as PdfSection from "./executors/PdfSection.ts"
import * as PoolSection from "./executors/PoolSection.ts"

/**
 * How fast the executors that read and split documents are, as tables in Markdown. Compare what stands in one run, since times of a busy
 * machine mean little. Argument: the seconds that a comparison goes on (15), if two rounds of it take no longer. Needs no network;
 * run it in the folder of the checkout.
 */
const main = Effect.gen(function* () {
  const seconds = Number(process.argv[2] ?? 15)
  const documents = yield* Documents.load
  const runtime = "Deno" in globalThis ? "Deno, which calls itself Node" : "Node"
  const load = loadavg()[0]?.toFixed(1)
  print(`${runtime} ${process.version}, ${availableParallelism()} cores at a load of ${load}, ${documents.origin}`)
  print(yield* PdfSection.run(documents.of("pdf"), seconds))
  print(yield* OfficeSection.run(documents, seconds))
  print(yield* ChunkingSection.run(documents, seconds))
  print(yield* PoolSection.run(documents, seconds / 2))
  print(yield* HoldSection.run)
}).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeContext.layer, Logger.remove(Logger.defaultLogger))))

const print = (paragraph: string): void => {
  process.stdout.write(`${paragraph}\n\n`)
}

await Effect.runPromise(main)
process.exit(0)
