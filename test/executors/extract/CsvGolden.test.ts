import { FileSystem } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { executor } from "../../../src/executors/extract/CsvExtractor.ts"
import type { Content } from "../../../src/domain/Content.ts"
import { describeGolden } from "../GoldenNodes.ts"
import * as Golden from "../input/Golden.ts"
import { runNode } from "../NodeRun.ts"

const services = Layer.merge(NodeContext.layer, ThreadPool.layerInline)

/** By case, the numbers that the original makes of texts that no number is written as again. */
const numbersAsTexts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "csv-110": { 5: "5." },
  "csv-123": { 8: "+8", 3: "\u0663" },
  "csv-130": { 8: "+8" },
  "csv-135": { 8: "+8" },
  "csv-137": { 100000: "1e5", 5: "5.", 8: "+8", 0.5: ".5" },
  "csv-146": { 0.5: "0.50" }
}

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
  except: new Set(Object.keys(numbersAsTexts)),
  restore: (told, vector) => {
    const item = withoutSurplus(told)
    const path = item.data["temp_file_path"]
    if (typeof path !== "string" || vector["files"] === undefined) return item
    return { ...item, data: { ...item.data, temp_file_path: path.split("/").at(-1) } }
  },
  provide: (effect) => Effect.provide(effect, services)
})

describe("csv_extractor, where a number would not come back", () => {
  for (const vector of Golden.load("csv_extractor.jsonl").filter(({ id }) => Object.hasOwn(numbersAsTexts, id))) {
    it.effect(`${vector.id} differs from the original in that alone`, () =>
      Effect.gen(function* () {
        const output = yield* runNode(executor, "csv", vector.settings, Golden.items(vector["input"]))
        const texts: Readonly<Record<string, string>> = numbersAsTexts[vector.id] ?? {}
        let written = JSON.stringify(output.map(withoutSurplus))
        for (const [number, text] of Object.entries(texts)) {
          assert.include(written, `:${JSON.stringify(text)}`)
          written = written.replaceAll(`:${JSON.stringify(text)}`, `:${number}`)
        }
        // the table as a text writes them as Python writes numbers
        const expected = JSON.stringify(vector["output"], (key, value: unknown) => (key === "text" ? undefined : value))
        const found = JSON.stringify(JSON.parse(written), (key, value: unknown) => (key === "text" ? undefined : value))
        assert.isUndefined(Golden.difference(JSON.parse(expected), JSON.parse(found)))
      }).pipe(Effect.provide(services))
    )
  }
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
