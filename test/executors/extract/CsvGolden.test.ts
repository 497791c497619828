import { FileSystem } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Effect } from "effect"
import { executor } from "../../../src/executors/extract/CsvExtractor.ts"
import type { Content } from "../../../src/domain/Content.ts"
import { describeGolden } from "../GoldenNodes.ts"
import * as Golden from "../input/Golden.ts"

describeGolden({
  file: "csv_extractor.jsonl",
  executor,
  id: "csv",
  items: (vector) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const files = Object.entries(vector["files"] ?? {}) as ReadonlyArray<readonly [string, unknown]>
      if (files.length === 0) return Golden.items(vector["input"])
      const folder = yield* fs.makeTempDirectory()
      for (const [path, content] of files) yield* fs.writeFile(`${folder}/${path}`, bytesOf(content))
      return Golden.items(vector["input"]).map((item) => {
        const path = item.data["temp_file_path"]
        return typeof path === "string"
          ? { ...item, data: { ...item.data, temp_file_path: `${folder}/${path}` } }
          : item
      })
    }).pipe(Effect.orDie),
  // `+8`, `1e5`, `5.` and `0.50` stay texts, as a number would not give them back
  except: new Set(["csv-110", "csv-123", "csv-130", "csv-135", "csv-137", "csv-146"]),
  restore: (told, vector) => {
    const item = withoutSurplus(told)
    const path = item.data["temp_file_path"]
    if (typeof path !== "string" || vector["files"] === undefined) return item
    return { ...item, data: { ...item.data, temp_file_path: path.split("/").at(-1) } }
  },
  provide: (effect) => Effect.provide(effect, NodeContext.layer)
})

/** The original leaves cells out without a word. */
const withoutSurplus = (item: Content): Content => {
  const { extraction_warnings: _told, surplus_cells: count, ...summary } = item.summary_data
  if (count === undefined) return item
  const { warnings: _, ...table } = item.data["csv_output"] as Readonly<Record<string, unknown>>
  return {
    ...item,
    summary_data: summary,
    data: { ...item.data, csv_output: table },
    executor_logs: item.executor_logs.map((entry) => ({ ...entry, details: {} }))
  }
}

const bytesOf = (content: unknown): Uint8Array =>
  typeof content === "string"
    ? new TextEncoder().encode(content)
    : new Uint8Array(Buffer.from((content as { readonly $bytes: string }).$bytes, "base64"))
