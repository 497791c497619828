import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { executor } from "../../../src/executors/documentset/CrossDocumentFieldAggregator.ts"
import * as DocumentSetCollector from "../../../src/executors/documentset/DocumentSetCollector.ts"
import * as DocumentSetInitializer from "../../../src/executors/documentset/DocumentSetInitializer.ts"
import * as Golden from "../input/Golden.ts"
import { runNode } from "../NodeRun.ts"

const nodes = new Map([
  ["document_set_initializer", { id: "init", executor: DocumentSetInitializer.executor }],
  ["document_set_collector", { id: "collect", executor: DocumentSetCollector.executor }],
  ["cross_document_field_aggregator", { id: "aggregate", executor }]
])

interface Step {
  readonly type: string
  readonly settings: Readonly<Record<string, unknown>>
}

const vectors = Golden.load("document_sets.jsonl")

describe.skipIf(vectors === null)("cross_document_field_aggregator, golden vectors of ../shared/golden", () => {
  for (const vector of vectors ?? []) {
    const steps = vector["steps"] as ReadonlyArray<Step>
    if (vector.original_defect === true || !steps.some(({ type }) => type === executor.type)) continue
    it.effect(`${vector.id} ${vector.note ?? ""}`, () =>
      Effect.gen(function* () {
        const result = yield* Effect.either(
          Effect.reduce(steps, Golden.items(vector["input"]), (items, step) => {
            const node = nodes.get(step.type)
            return node === undefined ? Effect.die(step.type) : runNode(node.executor, node.id, step.settings, items)
          })
        )
        if (vector.error !== undefined) return assert.isTrue(Either.isLeft(result), vector.error.message)
        const output = Either.getOrThrowWith(result, (error) => error)
        const expected = vector["output"]
        assert.isUndefined(Golden.difference(Array.isArray(expected) ? expected : [expected], output))
      })
    )
  }
})

