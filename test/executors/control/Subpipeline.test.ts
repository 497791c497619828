import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as WorkerConfig from "../../../src/config/WorkerConfig.ts"
import { Unavailable } from "../../../src/domain/ServiceError.ts"
import * as Catalog from "../../../src/executor/Catalog.ts"
import * as PipelineRunner from "../../../src/pipeline/PipelineRunner.ts"
import { PipelineStore } from "../../../src/store/PipelineStore.ts"
import * as Harness from "../../pipeline/Harness.ts"

type Json = Readonly<Record<string, unknown>>

const node = (id: string, type: string, settings: Json = {}): Json => ({ id, type, settings })
const line = (name: string, ...executors: ReadonlyArray<Json>): Json => ({
  name,
  executors,
  execution_sequence: executors.map(({ id }) => id)
})
const call = (settings: Json, id = "sub") => node(id, "subpipeline", settings)
const file = (main: Json, ...others: ReadonlyArray<Json>) => JSON.stringify({ pipeline: main, pipelines: others })

const child = line("child", node("c1", "set", { key: "c1" }), node("c2", "set", { key: "c2" }))
const a = Harness.item("A", { n: 1 })
const b = Harness.item("B", { n: 2 })

const trail = (text: string, items = [a]) =>
  Effect.map(Harness.run(text, items), (result) => Harness.trails(result.items))

const problems = (text: string) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner.PipelineRunner
    const checked = yield* runner.check(Harness.versioned(text))
    return checked.problems.map(({ message }) => message)
  })

describe("subpipeline (D36)", () => {
  it.effect("runs a pipeline of the same file, and gives on what its ends put out, once", () =>
    Effect.gen(function* () {
      const main = line("main", call({ pipeline: "child" }), node("after", "pass_through"))
      assert.deepStrictEqual(yield* trail(file(main, child), [a, b]), ["A: c1/c2/after", "B: c1/c2/after"])
      assert.deepStrictEqual(yield* trail(file(line("main", call({ pipeline: "child" })), child)), ["A: c1/c2"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("as one branch of a join it is one source", () =>
    Effect.gen(function* () {
      const main = {
        name: "main",
        executors: [
          node("s", "pass_through"),
          call({ pipeline: "child" }),
          node("r", "set", { key: "r" }),
          node("j", "fan_in_aggregator")
        ],
        edges: [
          { from: "s", to: ["sub", "r"], type: "parallel" },
          { from: ["sub", "r"], to: "j", type: "join" }
        ]
      }
      assert.deepStrictEqual(yield* trail(file(main, child)), ["A: s/c1/c2/r"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("finds a stored pipeline by id, or by name; the id goes before the name, the file before both", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* trail(Harness.yamlOf(line("main", call({ pipeline_id: "stored" })))), ["A: st"])
      assert.deepStrictEqual(yield* trail(Harness.yamlOf(line("main", call({ pipeline: "stored" })))), ["A: st"])
      const both = { pipeline_id: "stored", pipeline: "child" }
      assert.deepStrictEqual(yield* trail(Harness.yamlOf(line("main", call(both)))), ["A: st"])
      assert.deepStrictEqual(yield* trail(file(line("main", call(both)), child)), ["A: c1/c2"])
      const gone = { pipeline_id: "gone", pipeline: "stored" }
      assert.deepStrictEqual(yield* trail(Harness.yamlOf(line("main", call(gone)))), ["A: st"])
    }).pipe(
      Effect.provide(
        Harness.layer({ stored: { stored: Harness.yamlOf(line("stored", node("st", "set", { key: "st" }))) } })
      )
    )
  )

  it.effect("accepts the spelling of the samples", () =>
    Effect.gen(function* () {
      const main = line("main", node("sub", "sub-pipeline", { pipeline: "child" }))
      assert.deepStrictEqual(yield* trail(file(main, child)), ["A: c1/c2"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("can be disabled, and have a condition", () =>
    Effect.gen(function* () {
      const off = line("main", call({ pipeline: "child", enabled: false }), node("after", "pass_through"))
      assert.deepStrictEqual(yield* trail(file(off, child)), ["A: after"])
      const some = line("main", call({ pipeline: "child", condition: "data.n > 1" }))
      assert.deepStrictEqual(yield* trail(file(some, child), [a, b]), ["A: ", "B: c1/c2"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("nests, and may be used twice", () =>
    Effect.gen(function* () {
      const middle = line("middle", call({ pipeline: "child" }, "m"), node("m2", "pass_through"))
      const main = line("main", call({ pipeline: "middle" }), call({ pipeline: "child" }, "again"))
      assert.deepStrictEqual(yield* trail(file(main, middle, child)), ["A: c1/c2/m2/c1/c2"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a stored child's input is not run: the parent's items take its place", () =>
    Effect.gen(function* () {
      const text = Harness.yamlOf(line("main", call({ pipeline: "stored" })))
      assert.deepStrictEqual(yield* trail(text), ["A: st"])
    }).pipe(
      Effect.provide(
        Harness.layer({
          stored: {
            stored: Harness.yamlOf(
              line("stored", node("i", "source", { account: "x" }), node("st", "set", { key: "st" }))
            )
          }
        })
      )
    )
  )

  it.effect("a failure inside is that of its node, which decides whether the run ends", () =>
    Effect.gen(function* () {
      const broken = line("broken", node("x", "break"))
      const failure = yield* Effect.flip(Harness.run(file(line("main", call({ pipeline: "broken" })), broken), [a]))
      assert.deepStrictEqual(
        failure._tag === "RunFailure"
          ? [failure.error.executorId, failure.error.itemId, failure.error.message]
          : failure.message,
        ["sub.x", "A", "broken: x broke on purpose"]
      )
      const main = line("main", call({ pipeline: "broken", fail_pipeline_on_error: false }), node("t", "pass_through"))
      assert.deepStrictEqual(yield* trail(file(main, broken)), ["A: sub!/t"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("cycles are refused and spelled out", () =>
    Effect.gen(function* () {
      const one = line("one", call({ pipeline: "two" }))
      const two = line("two", call({ pipeline: "one" }))
      assert.match((yield* problems(file(one, two))).join(), /in a cycle: one → two → one/)
      assert.match((yield* problems(Harness.yamlOf(line("p", call({ pipeline: "p" }))))).join(), /in a cycle: p → p/)
      const stored = Harness.yamlOf(line("main", call({ pipeline: "x" })))
      assert.match((yield* problems(stored)).join(), /in a cycle: x → y → x/)
    }).pipe(
      Effect.provide(
        Harness.layer({
          stored: {
            x: Harness.yamlOf(line("x", call({ pipeline: "y" }))),
            y: Harness.yamlOf(line("y", call({ pipeline: "x" })))
          }
        })
      )
    )
  )

  it.effect("errors inside are errors of the parent, and say where they are", () =>
    Effect.gen(function* () {
      const bad = line("bad", node("x", "set"))
      assert.match(
        (yield* problems(file(line("main", call({ pipeline: "bad" })), bad))).join(),
        /In the child pipeline "bad": .*The setting key is required/
      )
      assert.match(
        (yield* problems(Harness.yamlOf(line("main", call({ pipeline: "stored" }))))).join(),
        /The stored child pipeline "stored" is not valid: .*no pipeline/
      )
      assert.match(
        (yield* problems(Harness.yamlOf(line("main", call({ pipeline_id: "gone", pipeline: "none" }))))).join(),
        /no pipeline with the id "gone" or the name "none"/
      )
      assert.match(
        (yield* problems(Harness.yamlOf(line("main", call({}))))).join(),
        /need pipeline \(a name\) or pipeline_id/
      )
    }).pipe(Effect.provide(Harness.layer({ stored: { stored: "5" } })))
  )

  it.effect("nesting is bounded", () =>
    Effect.gen(function* () {
      const chain = Array.from({ length: 30 }, (_, index) => line(`p${index}`, call({ pipeline: `p${index + 1}` })))
      const text = file(line("main", call({ pipeline: "p0" })), ...chain, line("p30", node("x", "pass_through")))
      assert.match((yield* problems(text)).join(), /nested 20 deep at most/)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a plan is compiled again when a stored child changed, and only then", () =>
    Effect.gen(function* () {
      let key = "old"
      let reads = 0
      const find = () =>
        Effect.sync(() => {
          reads += 1
          return Option.some({
            ...Harness.versioned(Harness.yamlOf(line("stored", node("st", "set", { key }))), "stored"),
            etag: key
          })
        })
      const layer = PipelineRunner.layer.pipe(
        Layer.provide(
          Layer.succeed(PipelineStore, PipelineStore.of({ find, findByName: find, all: Effect.succeed([]) }))
        ),
        Layer.provide(Layer.succeed(Catalog.Catalog, Catalog.make(Harness.executors))),
        Layer.provide(WorkerConfig.layerWith({}))
      )
      yield* Effect.gen(function* () {
        const runner = yield* PipelineRunner.PipelineRunner
        const main = Harness.versioned(Harness.yamlOf(line("main", call({ pipeline: "stored" }))))
        const first = yield* runner.compile(main)
        assert.strictEqual(yield* runner.compile(main), first)
        assert.strictEqual(reads, 2)
        key = "new"
        const second = yield* runner.compile(main)
        assert.notStrictEqual(second, first)
        const { items } = yield* runner.run(second, [a], { exclude: null })
        assert.property(items[0]?.data, "new")
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("a store that cannot be read is no error of the definition", () =>
    Effect.gen(function* () {
      const away = new Unavailable({ service: "Cosmos DB", operation: "read", message: "away" })
      const layer = PipelineRunner.layer.pipe(
        Layer.provide(
          Layer.succeed(
            PipelineStore,
            PipelineStore.of({
              find: () => Effect.fail(away),
              findByName: () => Effect.fail(away),
              all: Effect.fail(away)
            })
          )
        ),
        Layer.provide(Layer.succeed(Catalog.Catalog, Catalog.make(Harness.executors))),
        Layer.provide(WorkerConfig.layerWith({}))
      )
      const main = Harness.versioned(Harness.yamlOf(line("main", call({ pipeline: "stored" }))))
      const error = yield* Effect.flip(
        Effect.provide(
          Effect.flatMap(PipelineRunner.PipelineRunner, (runner) => runner.compile(main)),
          layer
        )
      )
      assert.strictEqual(error._tag, "Unavailable")
    })
  )
})
