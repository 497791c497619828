import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-demo-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const demo = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const process = yield* WorkerProcess.run(["demo", ...args], {})
    const { code } = yield* process.exit
    return { code, stdout: process.stdout(), stderr: process.stderr() }
  })

/** In the shape of the web UI's templates: addresses are placeholders, and names and places of the drawing stand beside the settings. */
const template = `
pipeline:
  name: "Summaries"
  executors:
    - id: discover
      name: "Discover"
      type: azure_blob_input_discovery
      position: { x: 250, y: 50 }
      settings: { file_extensions: ".pdf,.docx", blob_container_name: content, max_results: 2 }
    - {id: fetch, type: azure_blob_content_retriever, settings: {use_temp_file_for_content: true}}
    - id: understand
      type: azure_content_understanding_extractor
      settings:
        content_understanding_endpoint: "https://<foundry-resource>.services.ai.azure.com/"
        content_understanding_model_mappings: |
          {"gpt-4.1":"gpt-4.1"}
    - id: map
      type: field_mapper
      settings:
        mappings: '{"content_understanding_result.result.contents.markdown": "markdown"}'
        list_handling: concatenate
    - id: summarize
      type: text_summarizer
      settings: {endpoint: "https://<foundry-resource>.openai.azure.com/openai/v1/", deployment_name: gpt-4.1-mini, input_field: markdown}
    - id: entities
      type: entity_extractor
      settings: {endpoint: "https://<foundry-resource>.openai.azure.com/openai/v1/", input_field: markdown, entity_types: "person, organization"}
    - {id: join, type: fan_in_aggregator, settings: }
    - {id: write, type: azure_blob_output}
  edges:
    - {from: discover, to: fetch, type: sequential}
    - {from: fetch, to: understand, type: sequential}
    - {from: understand, to: map, type: sequential}
    - {from: map, to: [summarize, entities], type: parallel}
    - {from: [summarize, entities], to: join, type: join, wait_strategy: all}
    - {from: join, to: write, type: sequential}
`

describe("demo --pipeline", () => {
  it.scopedLive(
    "rag: chunks of the documents are found by their meaning, and what the vectors cost is told",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* demo("--pipeline", "rag")
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /^The index documents has \d\d entries\.$/m)
        assert.match(stdout, /When is the next meeting\?\n +minutes\.pdf: .*7 June/)
        assert.match(stdout, /Until when does the price of the offer hold\?\n +offer\.docx: .*4,860 euros/)
        assert.match(stdout, /How many books were lent this year\?\n +reports\/annual-report\.pdf: .*84,210 books/)
        assert.match(stdout, /^Used: embed: 8 calls, \d+ tokens; index: 8 calls$/m)
        assert.match(stdout, /demo: 9 discovered, 8 completed, 1 failed\n$/)
      }),
    300_000
  )

  it.scopedLive(
    "FILE: a template of the web UI runs as it is, against stand-ins, until every document that it looks for is done",
    () =>
      Effect.gen(function* () {
        const place = yield* folder
        const file = join(place, "template.yaml")
        writeFileSync(file, template)
        const outputs = join(place, "out")
        const { code, stderr, stdout } = yield* demo("--pipeline", file, "--output", outputs)
        assert.strictEqual(code, 0, stderr)
        // Two a crawl, until there are no more.
        assert.match(stdout, /demo: 4 discovered, 3 completed, 1 failed\n$/)
        assert.match(
          stdout,
          /^Used: understand: 3 calls, 4 pages; (?=.*summarize: 3 calls, \d+ tokens)(?=.*entities: 3 calls, \d+ tokens)/m
        )
        const items = readdirSync(outputs).map((name) => JSON.parse(readFileSync(join(outputs, name), "utf8")))
        const minutes = items.find(({ id }) => id.filename === "minutes.pdf")
        assert.strictEqual(minutes.data.summary, "Minutes of the meeting on 3 May Present: Amara, Björn, Chiara.")
        assert.deepStrictEqual(minutes.data.entities, { person: ["Minutes"] })
        assert.sameMembers(Object.keys(minutes.summary_data.usage), ["understand", "summarize", "entities"])
      }),
    300_000
  )

  const wrong: ReadonlyArray<readonly [what: string, yaml: string, told: RegExp]> = [
    ["no YAML", "pipeline: [", /wrong\.yaml: line 1, column \d+: /],
    [
      "a wrong setting",
      template.replace("list_handling: concatenate", "list_handling: sometimes"),
      /list_handling must be one of .*executors\[3\]/
    ],
    [
      "no node that finds the documents",
      "pipeline: {name: p, executors: [{id: a, type: pass_through}, {id: b, type: pass_through}], edges: [{from: a, to: b}]}",
      /it has no azure_blob_input_discovery/
    ]
  ]
  for (const [what, yaml, told] of wrong) {
    it.scopedLive(
      `FILE: ${what} is told, and nothing runs`,
      () =>
        Effect.gen(function* () {
          const file = join(yield* folder, "wrong.yaml")
          writeFileSync(file, yaml)
          const { code, stderr, stdout } = yield* demo("--pipeline", file)
          assert.strictEqual(code, 1)
          assert.match(stderr, told)
          assert.notMatch(stderr, /^\s+at /m)
          assert.notInclude(stdout, "completed")
        }),
      300_000
    )
  }

  it.scopedLive(
    "FILE: one that looks for none of the documents ends, and a file that is missing is told",
    () =>
      Effect.gen(function* () {
        const file = join(yield* folder, "none.yaml")
        writeFileSync(file, template.replace(".pdf,.docx", ".tiff"))
        const none = yield* demo("--pipeline", file)
        assert.deepStrictEqual(none.code, 0, none.stderr)
        assert.include(none.stdout, "The pipeline looks for none of the documents.")
        const missing = yield* demo("--pipeline", `${file}.missing`)
        assert.strictEqual(missing.code, 1)
        assert.include(missing.stderr, "none.yaml.missing")
      }),
    300_000
  )
})
