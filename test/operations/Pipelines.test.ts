import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Ids from "../../src/domain/Ids.ts"
import * as Pipelines from "../../src/operations/Pipelines.ts"
import { executor as passThrough } from "../../src/executors/control/PassThrough.ts"
import { PipelineStore } from "../../src/store/PipelineStore.ts"
import * as MemoryEngine from "../../src/testing/MemoryEngine.ts"
import * as PipelineVersions from "../../src/worker/task/PipelineVersions.ts"

const installation = Pipelines.layer.pipe(
  Layer.provideMerge(PipelineVersions.layer),
  Layer.provideMerge(MemoryEngine.runner([passThrough])),
  Layer.provideMerge(MemoryEngine.ports),
  Layer.provide(WorkerConfig.layerWith({}))
)

const yaml = (first: string, edges: string) =>
  `pipeline: {name: P, executors: [{id: ${first}, type: pass_through}, {id: b, type: pass_through}, {id: c, type: pass_through}], edges: ${edges}}`

const conditional = "[{from: a, to: b, condition: 'output.data.size > 1'}, {from: a, to: c, condition: default}]"

const shown = (id: string, version?: string) => Effect.flatMap(Pipelines.Pipelines, ({ show }) => show(id, version))

describe("the graph of a pipeline", () => {
  it.effect("is shown as it is now, and as it was in a version that ran", () =>
    Effect.gen(function* () {
      yield* MemoryEngine.register("p", yaml("a", conditional))
      const first = yield* shown("p")
      assert.deepInclude(first, { id: "p", name: "p", enabled: true, replaced: false, problem: null })
      assert.deepStrictEqual(
        first.nodes.map(({ enabled, id, type }) => [id, type, enabled]),
        ["a", "b", "c"].map((id) => [id, "pass_through", true])
      )
      assert.sameDeepMembers(
        [...first.edges],
        [
          { from: "a", to: "b", condition: "output.data.size > 1" },
          { from: "a", to: "c", condition: "default" }
        ]
      )
      const store = yield* PipelineStore
      const before = yield* Effect.flatten(store.find(Ids.PipelineId.make("p")))
      yield* Effect.flatMap(PipelineVersions.PipelineVersions, ({ keep }) => keep(before))
      yield* MemoryEngine.register("p", yaml("z", "[{from: z, to: b}, {from: z, to: c}]"))
      const now = yield* shown("p")
      assert.notStrictEqual(now.version, first.version)
      assert.sameMembers(
        now.nodes.map(({ id }) => id),
        ["z", "b", "c"]
      )
      const then = yield* shown("p", first.version)
      assert.deepInclude(then, { version: first.version, current_version: now.version, replaced: false })
      assert.deepStrictEqual(then.nodes, first.nodes)
    }).pipe(Effect.provide(installation))
  )

  it.effect("is that of now where the version is not kept, and says so", () =>
    Effect.gen(function* () {
      yield* MemoryEngine.register("p", yaml("a", conditional))
      for (const version of ["0".repeat(24), "../../claims/secret"]) {
        const { current_version, replaced, version: drawn } = yield* shown("p", version)
        assert.isTrue(replaced)
        assert.strictEqual(drawn, current_version)
      }
    }).pipe(Effect.provide(installation))
  )

  it.effect("is empty with the reason where the definition is wrong", () =>
    Effect.gen(function* () {
      yield* MemoryEngine.register("p", yaml("a", conditional).replace("pass_through", "pass_throu"))
      const { edges, nodes, problem } = yield* shown("p")
      assert.deepStrictEqual([nodes, edges], [[], []])
      assert.include(problem, "pass_throu")
    }).pipe(Effect.provide(installation))
  )

  it.effect("of a pipeline that there is not is none", () =>
    Effect.gen(function* () {
      for (const id of ["p", "x".repeat(2_000)]) {
        assert.include((yield* Effect.flip(shown(id))).message, "There is no pipeline")
      }
    }).pipe(Effect.provide(installation))
  )
})
