import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CrossDocumentFieldAggregator from "../../../src/executors/documentset/CrossDocumentFieldAggregator.ts"
import * as DocumentSetCollector from "../../../src/executors/documentset/DocumentSetCollector.ts"
import * as DocumentSetInitializer from "../../../src/executors/documentset/DocumentSetInitializer.ts"
import * as Golden from "../../pipeline/Golden.ts"
import * as Harness from "../../pipeline/Harness.ts"

interface Step {
  readonly type: string
  readonly settings: Readonly<Record<string, unknown>>
}

/** The ids that the vectors were made with. */
const ids: ReadonlyMap<string, string> = new Map([
  ["document_set_initializer", "init"],
  ["document_set_collector", "collect"],
  ["cross_document_field_aggregator", "aggregate"]
])

const layer = Harness.layer({
  executors: [DocumentSetInitializer.executor, DocumentSetCollector.executor, CrossDocumentFieldAggregator.executor]
})

describe("golden document_sets", () => {
  const vectors = Golden.vectors("document_sets.jsonl")
  for (const vector of vectors) {
    const steps = vector["steps"] as ReadonlyArray<Step>
    // What we do instead is in the tests of the three types.
    if (vector["original_defect"] === true) continue
    it.effect(`${String(vector["id"])} ${JSON.stringify(vector["note"] ?? "")}`, () =>
      Effect.gen(function* () {
        const executors = steps.map(({ settings, type }) => ({ id: ids.get(type) ?? type, type, settings }))
        const definition = { name: "p", executors, execution_sequence: executors.map(({ id }) => id) }
        const result = yield* Effect.either(Harness.run(definition, Golden.items(vector["input"])))
        if (vector["error"] !== undefined) {
          assert.isTrue(Either.isLeft(result), "expected an error")
          return
        }
        if (Either.isLeft(result)) {
          assert.fail(JSON.stringify(result.left))
          return
        }
        const expected = Array.isArray(vector["output"]) ? vector["output"] : [vector["output"]]
        assert.isUndefined(Golden.difference(expected, Golden.plain(result.right.items)))
      }).pipe(Effect.provide(layer))
    )
  }
})
