import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/EntityExtractor.ts"
import type { ModelType } from "./ModelCases.ts"
import { parted, succeeded } from "./SharedModelCases.ts"

const found = (...entities: ReadonlyArray<readonly [type: string, text: string]>) => ({
  value: { entities: entities.map(([type, text]) => ({ type, text })) }
})

export const type: ModelType = {
  executor,
  required: {},
  defaults: {
    endpoint: "required",
    deployment_name: "required",
    output_field: "entities",
    temperature: 0.1,
    max_tokens: 600,
    entity_types:
      "person,organization,location,date,money,email,phone,url,product,event,quantity,skill,ip-address".split(","),
    output_format: "structured",
    include_context: false,
    custom_entities: []
  },
  data: { text: "Ada Lovelace met Ada Lovelace's friend in London." },
  reply: ({ document }) =>
    document.includes("Ada")
      ? found(["location", "London"], ["person", "Ada Lovelace"], ["person", "ada lovelace"], ["person", "Nobody"])
      : found(),
  output: { key: "entities", value: { person: ["Ada Lovelace"], location: ["London"] } },
  cases: {
    entity_types: [
      ...["person, location", ["person", "location"], '["person", "location"]'].map((value) => ({
        value,
        expect: (seen: Parameters<typeof succeeded>[0]) => {
          succeeded(seen)
          assert.include(seen.questions[0]?.system, "Kinds: person, location.")
          assert.deepStrictEqual(seen.data["entities"], { person: ["Ada Lovelace"], location: ["London"] })
        }
      })),
      {
        // What is none of the kinds is refused, once more, and then it fails.
        value: "person",
        expect: ({ error, questions }) => {
          assert.match(error, /answered twice with something else/)
          assert.lengthOf(questions, 2)
        }
      }
    ],
    custom_entities: [
      {
        value: "spaceship",
        reply: () => found(["spaceship", "London"]),
        expect: ({ data }) => assert.deepStrictEqual(data["entities"], { spaceship: ["London"] })
      }
    ],
    output_format: [
      { value: "structured", expect: ({ data }) => assert.isObject(data["entities"]) },
      { value: "list", expect: ({ data }) => assert.strictEqual(data["entities"], "Ada Lovelace\nLondon") },
      {
        value: "text",
        expect: ({ data }) => assert.strictEqual(data["entities"], "person: Ada Lovelace.\nlocation: London.")
      }
    ],
    include_context: [
      {
        value: true,
        expect: ({ data }) =>
          assert.deepInclude((data["entities"] as Record<string, ReadonlyArray<object>>)["location"]?.[0], {
            text: "London",
            context: "Ada Lovelace met Ada Lovelace's friend in London."
          })
      },
      { value: false, expect: succeeded }
    ],
    max_input_tokens: parted
  }
}
