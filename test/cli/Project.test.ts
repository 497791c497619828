import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Project from "../../src/cli/serve/Project.ts"
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
})
