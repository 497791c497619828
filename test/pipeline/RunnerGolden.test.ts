import { assert, describe, it } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Catalog from "../../src/executor/Catalog.ts"
import * as Either from "effect/Either"
import * as PassThrough from "../../src/executors/control/PassThrough.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as CsvExtractor from "../../src/executors/extract/CsvExtractor.ts"
import * as FieldMapper from "../../src/executors/transform/FieldMapper.ts"
import * as FanInAggregator from "../../src/executors/transform/FanInAggregator.ts"
import type { Content } from "../../src/domain/Content.ts"
import * as ThreadPool from "../../src/threads/ThreadPool.ts"
import * as Golden from "./Golden.ts"
import * as Harness from "./Harness.ts"

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

/** The CSV extractor may read files, which no vector here does. */
const catalog = Layer.effect(
  Catalog.Catalog,
  Effect.map(Catalog.Catalog, ({ all }) =>
    Catalog.make([...all, FieldMapper.executor, discovery, PassThrough.executor, FanInAggregator.executor])
  )
).pipe(
  Layer.provide(Catalog.layer([CsvExtractor.executor])),
  Layer.provide(NodeContext.layer),
  Layer.provide(ThreadPool.layerInline)
)

const layer = Harness.layer({ catalog })

const run = (vector: Readonly<Record<string, unknown>>) =>
  Harness.run(
    vector["definition"] as Record<string, unknown>,
    Golden.items(vector["input"]),
    typeof vector["executed_input_executor"] === "string" ? vector["executed_input_executor"] : null
  )

/**
 * What comes of the definitions that the original cannot run, or runs badly: for each item of the result its id, the nodes in its log
 * and the keys that they wrote.
 */
const ours: Readonly<Record<string, ReadonlyArray<string> | RegExp>> = {
  // An edge from a node that does not exist is left out, several starts all get the items.
  "pipe-030": ["A: a/b from_a,from_b", "B: a/b from_a,from_b"],
  "pipe-039": ["A: a/b from_a,from_b", "B: a/b from_a,from_b", "A: c/d from_c", "B: c/d from_c"],
  // All ends are part of the result, and branches do not see each other's work.
  "pipe-041": ["A: a/b from_a,from_b", "B: a/b from_a,from_b", "A: a/c from_a,from_c", "B: a/c from_a,from_c"],
  "pipe-042": ["A: a/b from_a,from_b", "B: a/b from_a,from_b", "A: a/c from_a,from_c", "B: a/c from_a,from_c"],
  "pipe-075": ["A: s/l l", "B: s/l l", "A: s/r r", "B: s/r r"],
  "pipe-076": ["A: s/l l", "B: s/l l", "A: s/r/r2 r,r2", "B: s/r/r2 r,r2"],
  // Items that do not meet a condition keep their place.
  "pipe-056": ["A: s/l left", "B: s/r right", "C: s/l left", "D: s/r right"],
  "pipe-108": ["A: a k2", "B: a/b k2,from_b", "C: a k2", "D: a/b k2,from_b"],
  "pipe-174": ["B: n2/n4/n5! k2,k4", "A: n1/n2/n3/n4/n5 k2,k4,csv5"],
  "pipe-198": [
    "A: n1/n2/n3/n4/n5/n6/n7 k2,k3,k5,k7",
    "B: n1/n2/n3/n4/n5/n7 k2,k3,k5,k7",
    "C: n1/n2/n3/n4/n5/n6/n7 k2,k3,k5,k7",
    "D: n1/n2/n3/n4/n5/n7 k2,k3,k5,k7"
  ],
  "pipe-221": ["A: m0/m1 k0,k1", "B: m1 k1", "C: m0/m1 k0,k1", "D: m1 k1"],
  "pipe-222": [
    "A: m0/m1/m2/m3/m4/m5 k0,k2,k3,k4",
    "B: m0/m1/m3/m4/m5 k0,k3,k4",
    "C: m0/m1/m2/m3/m4/m5 k0,k2,k3,k4",
    "D: m0/m1/m3/m4/m5 k0,k3,k4"
  ],
  // Joins: any type takes lists, the aggregator takes what comes by any edge, a node behind two edges runs once.
  "pipe-064": ["A: s/l/j left", "A: s/r/j right"],
  "pipe-066": ["A: s/l/r left,right", "B: s/l left", "B: s/r right"],
  "pipe-068": ["A: s ", "B: s "],
  "pipe-069": ["A:  ", "B:  "],
  "pipe-070": ["A:  ", "B:  "],
  "pipe-078": ["A: s/b/c from_b,from_c", "B: s/b/c from_b,from_c", "A: s/b from_b", "B: s/b from_b"],
  "pipe-081": ["A: s/b/j from_b", "B: s/b/j from_b", "A: s/c/j from_c", "B: s/c/j from_c"],
  // Disabled nodes are bridged.
  "pipe-067": ["A: s/l left", "B: s/l left", "A: s/r right", "B: s/r right"],
  "pipe-082": ["A: a/c from_a,from_c", "B: a/c from_a,from_c"],
  "pipe-083": ["A: a/c/d from_a,from_c,d1", "B: a/c/d from_a,from_c,d1"],
  "pipe-084": ["A: b/c from_b,from_c", "B: b/c from_b,from_c"],
  "pipe-086": ["A: a/c from_a,from_c", "B: a/c from_a,from_c"],
  "pipe-087": ["A: b from_b", "B: b from_b"],
  "pipe-091": ["A: s/l left", "B: s/l left", "A: s/r right", "B: s/r right"],
  "pipe-092": ["A: a/c from_a,from_c", "B: a/c from_a,from_c"],
  "pipe-093": ["A: a from_a", "B: a from_a"],
  // Conditions: real paths and edges, errors where they belong.
  "pipe-102": ["A: a!/b from_b", "B: a!/b from_b", "C: a!/b from_b", "D: a!/b from_b"],
  "pipe-104": ["A: a from_a", "B: a from_a", "C: a from_a", "D: a from_a"],
  "pipe-116": ["A: a from_a", "B: a from_a"],
  "pipe-117": ["A: a from_a", "B: a from_a"],
  "pipe-119": ["A: a/b from_a,from_b", "B: a/b from_a,from_b", "A: a/c from_a,from_c", "B: a/c from_a,from_c"],
  "pipe-127": /content/i,
  // The excluded input is a virtual source.
  "pipe-138": ["A: a/b from_a,from_b", "B: a/b from_a,from_b"],
  "pipe-142": ["A: a from_a", "B: a from_a"],
  "pipe-143": ["A: b from_b", "B: b from_b"],
  "pipe-155": [`A: ${Array.from({ length: 101 }, (_, index) => `n${String(index).padStart(3, "0")}`).join("/")} `]
}

/** The items in the order of the input, as the original has them but for that. */
const inInputOrder = (output: unknown, input: ReadonlyArray<Content>): unknown => {
  const places = new Map(input.map((item, index) => [item.id?.canonical_id, index]))
  return (output as ReadonlyArray<Content>).toSorted(
    (a, b) => (places.get(a.id?.canonical_id) ?? 0) - (places.get(b.id?.canonical_id) ?? 0)
  )
}

const summary = (items: ReadonlyArray<Content>, input: ReadonlyArray<Content>): ReadonlyArray<string> => {
  const given = new Set(input.flatMap(({ data }) => Object.keys(data)))
  return Harness.trails(items).map((trail, index) => {
    const written = Object.keys(items[index]?.data ?? {}).filter((key) => !given.has(key))
    return `${trail} ${written.join(",")}`
  })
}

describe("golden pipelines_run", () => {
  const vectors = Golden.vectors("pipelines_run.jsonl")
  for (const vector of vectors) {
    const id = String(vector["id"])
    const defects = (vector["defects"] ?? []) as ReadonlyArray<string>
    const quirks = (vector["quirks"] ?? []) as ReadonlyArray<string>
    const input = Golden.items(vector["input"])
    it.effect(`${id} ${JSON.stringify(vector["note"] ?? "")} ${defects.join(" ")}`, () =>
      Effect.gen(function* () {
        const result = yield* Effect.either(run(vector))
        const moved = defects.length === 1 && defects[0] === "skipped-items-move-to-the-end"
        if (vector["original_defect"] === true) {
          const expected = ours[id]
          if (expected !== undefined) {
            if (expected instanceof RegExp) {
              assert.match(JSON.stringify(Either.isLeft(result) ? result.left : result.right.items), expected)
            } else {
              assert.deepStrictEqual(
                Either.isRight(result) ? summary(result.right.items, input).map(sortKeys) : result.left,
                expected.map(sortKeys)
              )
            }
          }
          if (!moved) {
            // Whatever comes of it, it is a result or an error that a person can read.
            const text = Either.isRight(result)
              ? ""
              : "message" in result.left
                ? result.left.message
                : result.left.error.message
            assert.notInclude(text, "unexpectedly")
            return
          }
        }
        if (vector["error"] !== undefined) {
          assert.isTrue(Either.isLeft(result), "expected an error")
          return
        }
        if (Either.isLeft(result)) {
          assert.fail(JSON.stringify(result.left))
          return
        }
        const shared = quirks.includes("logs-of-other-branches-through-sharing")
        const sorted = shared ? Golden.withSortedLogs : (value: unknown) => value
        const output = Array.isArray(vector["output"]) ? vector["output"] : [vector["output"]]
        const expected = moved ? inInputOrder(output, input) : output
        assert.isUndefined(Golden.difference(sorted(expected), sorted(Golden.plain(result.right.items))))
        const ran = result.right.nodes.filter(({ status }) => status !== "skipped")
        assert.deepStrictEqual(
          Object.fromEntries(ran.map(({ executorId }) => [executorId, 1])),
          vector["executions"] as Record<string, number>
        )
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("wait_strategy first (pipe-060): one of the branches", () =>
    Effect.gen(function* () {
      const vector = vectors.find(({ id }) => id === "pipe-060")
      if (vector === undefined) return
      const { items } = yield* run(vector)
      assert.lengthOf(items, 2)
      for (const { data } of items) assert.isTrue("left" in data !== "right" in data)
    }).pipe(Effect.provide(layer))
  )
})

/** The order in which keys were written is no part of a result. */
const sortKeys = (line: string): string => {
  const [trail = "", keys = ""] = line.split(/ (?=[^ ]*$)/)
  return `${trail} ${keys.split(",").toSorted().join(",")}`
}
