import { assert, describe, it } from "@effect/vitest"
import { make as catalogOf } from "../../src/executor/Catalog.ts"
import { builtins } from "../../src/executors/Builtins.ts"
import { executor as passThrough } from "../../src/executors/control/PassThrough.ts"
import * as UnknownType from "../../src/pipeline/UnknownType.ts"

const advised = {
  subworkflow: "subpipeline",
  local_file_reader: "content_retriever",
  result_aggregator: "fan_in_aggregator",
  batch_aggregator: "fan_in_aggregator",
  batch_processor: "for_each_content",
  custom_ai_prompt: "azure_openai_agent"
}

describe("an old name of a type", () => {
  const small = catalogOf([passThrough])
  const types: ReadonlySet<string> = new Set(builtins.map(({ type }) => type))

  for (const [name, type] of Object.entries(advised)) {
    it(`${name}: ${type} is advised only by a catalog that has it`, () => {
      assert.isTrue(types.has(type))
      assert.include(UnknownType.describe(name, catalogOf([{ ...passThrough, type, aliases: [] }])), `Use ${type}`)
      assert.notInclude(UnknownType.describe(name, small), type)
    })
  }

  it("whose place edges took needs no type", () => {
    assert.include(UnknownType.describe("conditional_router", small), "Use conditional edges")
    assert.include(UnknownType.describe("parallel_executor", small), "Use edges of the type parallel")
  })
})
