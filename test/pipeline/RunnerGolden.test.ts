import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as PassThrough from "../../src/executors/control/PassThrough.ts"
import * as Executor from "../../src/executors/Executor.ts"
import * as PerItem from "../../src/executors/PerItem.ts"
import * as Settings from "../../src/executors/Settings.ts"
import * as FanInAggregator from "../../src/executors/transform/FanInAggregator.ts"
import { withData, withSummary } from "../../src/domain/Content.ts"
import * as Golden from "./Golden.ts"
import * as Harness from "./Harness.ts"

/** As much of `field_mapper` as the vectors use. */
const mapper = Executor.define({
  type: "field_mapper",
  category: "transform",
  name: "Field Mapper",
  description: "Copies top-level fields.",
  settings: {
    ...PerItem.settings(),
    mappings: Settings.object({ description: "From source to target.", required: true })
  },
  check: ({ mappings }) =>
    Object.keys(mappings).length === 0 ? [{ path: ["mappings"], message: "There are no mappings." }] : [],
  make: (settings, context) =>
    Effect.succeed(
      PerItem.perItem(context, settings, (item) => {
        let result = item
        for (const [source, target] of Object.entries(settings.mappings)) {
          const value = source
            .split(".")
            .reduce<unknown>((each, key) => (each as Record<string, unknown> | undefined)?.[key], item.data)
          if (typeof target !== "string" || target.includes(".")) {
            return Effect.fail(Executor.documentError(context, item, `Cannot write ${String(target)}`))
          }
          if (value !== undefined) result = withData(result, { [target]: value })
        }
        return Effect.succeed(result)
      })
    )
})

/** As much of `csv_extractor` as the vectors use. */
const csv = Executor.define({
  type: "csv_extractor",
  category: "extract",
  name: "CSV Extractor",
  description: "Reads plain comma lines.",
  settings: {
    ...PerItem.settings(),
    output_field: Settings.string({ description: "Where to.", default: "csv_output" })
  },
  make: (settings, context) =>
    Effect.succeed(
      PerItem.perItem(context, settings, (item) => {
        const content = item.data["content"]
        if (typeof content !== "string") return Effect.fail(Executor.documentError(context, item, "no content"))
        const [headers = [], ...lines] = content
          .trim()
          .split("\n")
          .map((line) => line.split(","))
        const rows = lines.map((line) => Object.fromEntries(headers.map((header, index) => [header, line[index]])))
        const output = { headers, rows, row_count: rows.length, column_count: headers.length }
        return Effect.succeed(
          withSummary(withData(item, { [settings.output_field]: output }), {
            rows_extracted: rows.length,
            columns_detected: headers.length,
            csv_extraction_status: "success"
          })
        )
      })
    )
})

/** The vectors only ever exclude it. */
const discovery = Executor.define({
  type: "azure_blob_input_discovery",
  category: "input",
  name: "Discovery",
  description: "Is excluded.",
  canCrawl: true,
  settings: {},
  make: () => Effect.dieMessage("the input node ran")
})

export const layer = Harness.layer({
  executors: [mapper, csv, discovery, PassThrough.executor, FanInAggregator.executor]
})

export const run = (vector: Readonly<Record<string, unknown>>) =>
  Harness.run(
    vector["definition"] as Record<string, unknown>,
    Golden.items(vector["input"]),
    typeof vector["executed_input_executor"] === "string" ? vector["executed_input_executor"] : null
  )

describe("golden pipelines_run", () => {
  const vectors = Golden.vectors("pipelines_run.jsonl")
  if (vectors === undefined) {
    it.skip("../shared/golden/pipelines_run.jsonl is not here", () => {})
    return
  }
  for (const vector of vectors) {
    const defects = (vector["defects"] ?? []) as ReadonlyArray<string>
    if (vector["original_defect"] === true && process.env["ALL"] === undefined) continue
    it.effect(`${String(vector["id"])} ${String(vector["note"])} ${defects.join(" ")}`, () =>
      Effect.gen(function* () {
        const result = yield* Effect.either(run(vector))
        if (vector["error"] !== undefined) {
          assert.isTrue(Either.isLeft(result), "expected an error")
          return
        }
        if (Either.isLeft(result)) {
          assert.fail(JSON.stringify(result.left))
          return
        }
        const shared = ((vector["quirks"] ?? []) as ReadonlyArray<string>).includes(
          "logs-of-other-branches-through-sharing"
        )
        const sorted = shared ? Golden.withSortedLogs : (value: unknown) => value
        const expected = Array.isArray(vector["output"]) ? vector["output"] : [vector["output"]]
        assert.isUndefined(Golden.difference(sorted(expected), sorted(Golden.plain(result.right.items))))
        const ran = result.right.nodes.filter(({ status }) => status !== "skipped")
        assert.deepStrictEqual(
          Object.fromEntries(ran.map(({ executorId }) => [executorId, 1])),
          vector["executions"] as Record<string, number>
        )
      }).pipe(Effect.provide(layer))
    )
  }
})
