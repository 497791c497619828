import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem } from "@effect/platform"
import { assert, describe, layer } from "@effect/vitest"
import { ConfigProvider, Effect, Either, Schema } from "effect"
import * as LocalWorker from "../../src/cli/run/LocalWorker.ts"
import type { Content } from "../../src/domain/Content.ts"
import { Pipeline } from "../../src/domain/Pipeline.ts"
import { PipelineRunner } from "../../src/pipeline/PipelineRunner.ts"

const secret = "eyJhbGciOi-not-a-real-token"

/** A folder outside of every root, with a secret in it and links to others. */
const secrets = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  yield* fs.writeFileString(`${folder}/token`, secret)
  yield* fs.symlink(`${folder}/token`, `${folder}/link.txt`)
  return folder
})

const item = (data: Readonly<Record<string, unknown>>, path: string): Content => ({
  id: {
    canonical_id: "doc",
    unique_id: "u",
    source_name: "acct",
    source_type: "local_file",
    container: null,
    path,
    filename: "doc.txt",
    metadata: null
  },
  summary_data: {},
  data,
  executor_logs: []
})

/** Runs the steps in a line on one item, as the worker does. */
const run = (steps: ReadonlyArray<object>, data: Readonly<Record<string, unknown>> = {}, path = "doc.txt") => {
  const lines = steps.map((step, index) => `    - ${JSON.stringify({ id: `n${index}`, ...step })}`)
  const edges = steps.slice(1).map((_, index) => `{from: n${index}, to: n${index + 1}}`)
  const yaml = `pipeline:\n  name: p\n  executors:\n${lines.join("\n")}\n  edges: [${edges.join(", ")}]`
  const version = { pipeline: Schema.decodeSync(Pipeline)({ id: "p", name: "p", yaml }), etag: "1" }
  return Effect.gen(function* () {
    const runner = yield* PipelineRunner
    const plan = yield* runner.compile(version)
    const result = yield* Effect.either(runner.run(plan, [item(data, path)], { exclude: null }))
    return Either.match(result, {
      onLeft: (failure) => ({ text: JSON.stringify(failure), error: JSON.stringify(failure) }),
      onRight: ({ items }) => ({ text: JSON.stringify(items), error: null })
    })
  }).pipe(Effect.provide(LocalWorker.layer([])), Effect.withConfigProvider(ConfigProvider.fromMap(new Map())))
}

const extractors = [
  { type: "text_extractor", settings: { format: "text" } },
  { type: "csv_extractor", settings: {} },
  { type: "document_extractor", settings: {} },
  { type: "word_extractor", settings: { on_invalid_file: "fail" } },
  { type: "pdf_extractor", settings: { on_invalid_file: "fail" } }
]

const map = (mappings: Readonly<Record<string, string>>) => ({
  type: "field_mapper",
  settings: { source_id_mappings: mappings }
})

layer(NodeContext.layer)("files of the worker", (it) => {
  describe("a path in a definition or an item", () => {
    for (const extractor of extractors) {
      it.scoped(`opens nothing outside of the run for ${extractor.type}`, () =>
        Effect.gen(function* () {
          const folder = yield* secrets
          for (const target of [
            `${folder}/token`,
            `${folder}/link.txt`,
            `/proc/self/root${folder}/token`,
            `./../../../../../../../..${folder}/token`,
            "/proc/self/environ",
            "/etc/passwd",
            ".git/HEAD",
            ".env.example"
          ]) {
            const { error, text } = yield* run([extractor], { temp_file_path: target })
            assert.notInclude(text, secret, target)
            assert.include(error, "LOCAL_ROOTS", target)
          }
        })
      )
    }

    it.scoped("opens nothing where another step writes the path", () =>
      Effect.gen(function* () {
        const folder = yield* secrets
        const target = `${folder}/token`
        const read = { type: "text_extractor", settings: { format: "text", temp_file_path_field: "where" } }
        const steps = [map({ where: target }), read]
        const inner = {
          type: "for_each_content",
          settings: { continue_on_error: false, steps: steps.map((step, at) => ({ id: `s${at}`, ...step })) }
        }
        for (const way of [steps, [inner]]) {
          const { text } = yield* run(way)
          assert.notInclude(text, secret)
          assert.include(text, "LOCAL_ROOTS")
        }
      })
    )

    it.scoped("says the same of a file that is not there, so that nobody can ask for names", () =>
      Effect.gen(function* () {
        const folder = yield* secrets
        const there = yield* run([extractors[0] ?? {}], { temp_file_path: `${folder}/token` })
        const absent = yield* run([extractors[0] ?? {}], { temp_file_path: `${folder}/other` })
        for (const { error } of [there, absent]) assert.match(error ?? "", /The file \S+ is none of this run/)
      })
    )

    it.scoped("opens no local file through a retriever whose root is the definition's own choice", () =>
      Effect.gen(function* () {
        const folder = yield* secrets
        for (const allowed_root of ["/", folder, `${folder}/..`]) {
          const steps = [
            { type: "content_retriever", settings: { allowed_root, use_original_path: true } },
            { type: "text_extractor", settings: { format: "text" } }
          ]
          const found = yield* run(steps, {}, `${folder}/token`)
          assert.notInclude(found.text, secret)
          assert.isNotNull(found.error)
        }
      })
    )

    it.scoped("makes no folder outside of those for temporary files", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const place = "/var/never-made"
        // A checkout may itself lie in the system's temporary folder.
        const upwards = `${"../".repeat(50)}var/never-made`
        for (const temp_folder of [place, `${place}/deep/er`, "/etc", "/tmp/../var/never-made", upwards]) {
          const steps = [{ type: "azure_blob_content_retriever", settings: { temp_folder } }]
          assert.include((yield* run(steps)).error, "temp_folder", temp_folder)
        }
        assert.isFalse(yield* fs.exists(place))
      })
    )
  })
})
