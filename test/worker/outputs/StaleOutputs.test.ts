import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { MemoryStores } from "../../../src/store/MemoryStores.ts"
import * as Engine from "../../support/MemoryEngine.ts"
import * as OutputWorld from "../../support/OutputWorld.ts"

const test = (name: string, body: Effect.Effect<void, unknown, OutputWorld.Installation | Scope.Scope>) =>
  it.effect(name, () => OutputWorld.withInstallation(body))

/** Time for a crawl and what it found. */
const settled = Engine.pass(70)

const isExact = Effect.gen(function* () {
  assert.deepStrictEqual(yield* OutputWorld.outputs, yield* OutputWorld.wanted)
})

describe("what a document's last run wrote and this one did not", () => {
  test(
    "goes, after the new outputs are in place",
    Effect.gen(function* () {
      yield* OutputWorld.install(OutputWorld.yaml())
      yield* OutputWorld.put("a.txt", "x=1", "y=1", "z=1")
      yield* OutputWorld.put("b.txt", "x=1")
      yield* OutputWorld.started()
      yield* settled
      yield* isExact
      const { calls } = yield* OutputWorld.World
      calls.splice(0)
      yield* OutputWorld.put("a.txt", "x=2", "w=2")
      yield* settled
      yield* isExact
      const kinds = calls.map(({ kind }) => kind)
      assert.isBelow(kinds.lastIndexOf("blob"), kinds.indexOf("unblob"))
      assert.isBelow(kinds.lastIndexOf("index"), kinds.indexOf("unindex"))
    })
  )
  test(
    "stays where nobody asked for it, and nothing is recorded",
    Effect.gen(function* () {
      yield* OutputWorld.install(OutputWorld.yaml(), {})
      yield* OutputWorld.put("a.txt", "x=1", "y=1")
      yield* OutputWorld.started()
      yield* settled
      yield* OutputWorld.put("a.txt", "x=2")
      yield* settled
      assert.deepStrictEqual((yield* OutputWorld.outputs).blobs, ["a.txt/x=2", "a.txt/y=1"])
      const kept = Object.keys(yield* OutputWorld.inContainer("contentflow-tasks"))
      assert.isEmpty(kept.filter((path) => /^(outputs|inventories|revisits)\//.test(path)))
    })
  )
  test(
    "goes of the nodes that say so, whatever the vault says",
    Effect.gen(function* () {
      yield* OutputWorld.install(OutputWorld.yaml({ blob: { on_source_deleted: "remove" } }), {})
      yield* OutputWorld.put("a.txt", "x=1", "y=1")
      yield* OutputWorld.started()
      yield* settled
      yield* OutputWorld.put("a.txt", "x=2")
      yield* settled
      assert.deepStrictEqual(yield* OutputWorld.outputs, { blobs: ["a.txt/x=2"], index: ["x=2", "y=1"] })
    })
  )
  test(
    "goes when the outputs have other names, and when the node has another id",
    Effect.gen(function* () {
      yield* OutputWorld.install(OutputWorld.yaml())
      yield* OutputWorld.put("a.txt", "x=1", "y=1")
      yield* OutputWorld.started()
      yield* settled
      const { pipelines } = yield* MemoryStores
      yield* pipelines.upsert({
        id: OutputWorld.pipelineId,
        name: "Lines",
        enabled: true,
        yaml: OutputWorld.yaml({ blob: { filename_template: "{key}.md" } }).replaceAll('"write"', '"store"')
      })
      yield* OutputWorld.put("a.txt", "x=2", "y=2")
      yield* settled
      yield* isExact
      assert.isTrue(Object.keys(yield* OutputWorld.inContainer("docs-out")).every((path) => path.endsWith(".md")))
    })
  )
  test(
    "goes when nothing is left of the document",
    Effect.gen(function* () {
      yield* OutputWorld.install(OutputWorld.yaml())
      yield* OutputWorld.put("a.txt", "x=1")
      yield* OutputWorld.started()
      yield* settled
      yield* OutputWorld.put("a.txt", "")
      yield* settled
      yield* isExact
    })
  )
  test(
    "a blob that a person wrote over stays",
    Effect.gen(function* () {
      yield* OutputWorld.install(OutputWorld.yaml({ search: false }))
      yield* OutputWorld.put("a.txt", "x=1", "y=1")
      yield* OutputWorld.started()
      yield* settled
      const path =
        Object.entries(yield* OutputWorld.inContainer("docs-out")).find(([, text]) => text === "y=1")?.[0] ?? ""
      yield* OutputWorld.write("docs-out", path, "by hand")
      yield* OutputWorld.put("a.txt", "x=2")
      yield* settled
      assert.deepStrictEqual((yield* OutputWorld.outputs).blobs, ["a.txt/by hand", "a.txt/x=2"])
    })
  )
})
