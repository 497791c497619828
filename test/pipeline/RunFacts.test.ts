import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Executor from "../../src/executor/Executor.ts"
import type { RunFacts } from "../../src/executor/RunFacts.ts"
import * as Usage from "../../src/executor/Usage.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as Harness from "./Harness.ts"

const facts: RunFacts = {
  pipelineId: "p",
  vaultId: "vault",
  executionId: "exec_1",
  taskId: "task_1",
  attempt: 2,
  createdAt: 1_700_000_000_000
}

/** `look`: notes which run each of its nodes works in. */
const looking = (seen: Array<readonly [string, RunFacts | undefined]>) =>
  Executor.define({
    type: "look",
    category: "transform",
    name: "Look",
    description: "Notes the run.",
    settings: {},
    make: (_, context) =>
      Effect.sync(() => {
        seen.push([context.id, context.run])
        return { process: (items) => Effect.succeed(items) }
      })
  })

const runWith = (definition: unknown, given: RunFacts | undefined) =>
  Effect.gen(function* () {
    const seen: Array<readonly [string, RunFacts | undefined]> = []
    yield* Effect.gen(function* () {
      const runner = yield* PipelineRunner.PipelineRunner
      const plan = yield* runner.compile(Harness.versioned(JSON.stringify(definition)))
      yield* runner.run(plan, [Harness.item("A")], { exclude: null, ...(given === undefined ? {} : { facts: given }) })
    }).pipe(Effect.provide(Harness.layer({ executors: [...Harness.executors, looking(seen)] })))
    return seen
  })

const look = (id: string) => ({ id, type: "look" })

describe("the task behind a run", () => {
  it.effect("is told to every node", () =>
    Effect.gen(function* () {
      const pipeline = { name: "p", executors: [look("a"), look("b")], execution_sequence: ["a", "b"] }
      assert.deepStrictEqual(yield* runWith({ pipeline }, facts), [
        ["a", facts],
        ["b", facts]
      ])
    })
  )

  it.effect("is told to the steps inside a node", () =>
    Effect.gen(function* () {
      const each = { id: "each", type: "for_each_content", settings: { steps: [look("s")] } }
      const pipeline = { name: "p", executors: [each], execution_sequence: ["each"] }
      assert.deepStrictEqual(yield* runWith({ pipeline }, facts), [["each.s", facts]])
    })
  )

  it.effect("is told to the nodes of a child pipeline", () =>
    Effect.gen(function* () {
      const main = { name: "main", executors: [{ id: "sub", type: "subpipeline", settings: { pipeline: "child" } }] }
      const child = { name: "child", executors: [look("c")], execution_sequence: ["c"] }
      const pipelines = [{ ...main, execution_sequence: ["sub"] }, child]
      assert.deepStrictEqual(yield* runWith({ pipelines }, facts), [["c", facts]])
    })
  )

  it.effect("is absent where no task stands behind the run", () =>
    Effect.gen(function* () {
      const pipeline = { name: "p", executors: [look("a")], execution_sequence: ["a"] }
      assert.deepStrictEqual(yield* runWith({ pipeline }, undefined), [["a", undefined]])
    })
  )
})

describe("what nodes use of paid services", () => {
  const paying = Executor.define({
    type: "pay",
    category: "analyse",
    name: "Pay",
    description: "Uses one call.",
    settings: {},
    make: (_, context) =>
      Effect.succeed({
        process: (items) =>
          Effect.sync(() => {
            context.meter?.add({ ...Usage.none, model: "m", deployment: "d", calls: 1, inputTokens: 5 })
            return items
          })
      })
  })

  it.effect("is in the report of the node, with that of the steps and the pipeline inside it", () =>
    Effect.gen(function* () {
      const pay = (id: string) => ({ id, type: "pay" })
      const main = {
        name: "main",
        executors: [
          pay("a"),
          { id: "each", type: "for_each_content", settings: { steps: [pay("s"), pay("t")] } },
          { id: "sub", type: "subpipeline", settings: { pipeline: "child" } },
          { id: "free", type: "pass_through" }
        ],
        execution_sequence: ["a", "each", "sub", "free"]
      }
      const child = { name: "child", executors: [pay("c")], execution_sequence: ["c"] }
      const { nodes } = yield* Effect.gen(function* () {
        const runner = yield* PipelineRunner.PipelineRunner
        const plan = yield* runner.compile(Harness.versioned(JSON.stringify({ pipelines: [main, child] })))
        return yield* runner.run(plan, [Harness.item("A")], { exclude: null })
      }).pipe(Effect.provide(Harness.layer({ executors: [...Harness.executors, paying] })))
      assert.deepStrictEqual(
        nodes.map(({ executorId, usage }) => [executorId, usage?.[0]?.calls, usage?.[0]?.inputTokens]),
        [
          ["a", 1, 5],
          ["each", 2, 10],
          ["sub", 1, 5],
          ["free", undefined, undefined]
        ]
      )
    })
  )
})
