import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Project from "../../src/cli/serve/Project.ts"
import * as ModelMock from "../support/ModelMock.ts"
import { cli, folder } from "./Captured.ts"

const pipelines = readdirSync(join(Project.template, "pipelines"))

describe("the project that init writes", () => {
  it.scopedLive("has pipelines without a problem", () =>
    Effect.gen(function* () {
      assert.includeMembers(pipelines, ["documents.yaml", "rag.yaml"])
      const { code, stderr, stdout } = yield* cli([
        "validate",
        "--strict",
        ...pipelines.map((name) => join(Project.template, "pipelines", name))
      ])
      assert.deepStrictEqual([code, stdout], [0, ""], stderr)
    })
  )

  it.scopedLive("runs over files, with the same results in its output/ as serve has there", () =>
    Effect.gen(function* () {
      const { at } = yield* folder({})
      yield* cli(["init", at("project")])
      const { code, stderr, stdout } = yield* cli([
        "run",
        at("project/pipelines/documents.yaml"),
        at("project/inbox"),
        "--format",
        "text"
      ])
      assert.strictEqual(code, 0, stderr)
      assert.include(stdout, "==> welcome.md <==")
      assert.include(readFileSync(at("project/output/welcome.md.md"), "utf8"), "This document was written by")
      assert.isTrue(existsSync(at("project/output/numbers.csv.json")))
    })
  )

  it.scopedLive("makes chunks with vectors, once a model answers at the address in it", () =>
    Effect.gen(function* () {
      const model = yield* ModelMock.answering
      const { at } = yield* folder({})
      yield* cli(["init", at("project")])
      const file = at("project/pipelines/rag.yaml")
      const text = readFileSync(file, "utf8")
      assert.include(text, "http://127.0.0.1:11434")
      writeFileSync(file, text.replace("http://127.0.0.1:11434", model.url))
      const { code, stderr, stdout } = yield* cli(["run", file, at("project/inbox/welcome.md"), "--json"])
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(JSON.parse(stdout).status, "completed")
      const chunks = JSON.parse(readFileSync(at("project/output/rag/welcome.md.json"), "utf8"))
      assert.isNotEmpty(chunks)
      for (const { embedding } of chunks) assert.lengthOf(embedding, 16)
    })
  )
})
