import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import type { Content } from "../../../src/domain/Content.ts"
import * as PipelineRunner from "../../../src/pipeline/PipelineRunner.ts"
import * as Harness from "../../pipeline/Harness.ts"

type Json = Readonly<Record<string, unknown>>

const definition = (settings: Json, rest: ReadonlyArray<Json> = []): Json => ({
  name: "p",
  executors: [{ id: "each", type: "for_each_content", settings }, ...rest],
  execution_sequence: ["each", ...rest.map(({ id }) => id)]
})

const step = (id: string, type: string, settings?: Json): Json => ({
  id,
  type,
  ...(settings === undefined ? {} : { settings })
})

const run = (settings: Json, items: ReadonlyArray<Content>) => Harness.run(definition(settings), items)

const later = (seconds: number) =>
  Effect.zipRight(Effect.repeatN(Effect.yieldNow(), 50), TestClock.adjust(Duration.seconds(seconds)))

const a = Harness.item("A", { n: 1 })
const b = Harness.item("B", { n: 2, bad: true })
const c = Harness.item("C", { n: 3 })

describe("for_each_content", () => {
  it.effect("takes every item through the steps, and keeps the order", () =>
    Effect.gen(function* () {
      const { items } = yield* run({ steps: [step("s", "set", { key: "k" }), step("t", "pass_through")] }, [c, a])
      assert.deepStrictEqual(Harness.trails(items), ["C: each.s/each.t/each", "A: each.s/each.t/each"])
      assert.deepStrictEqual(
        items.map(({ data }) => data),
        [
          { n: 3, k: "x" },
          { n: 1, k: "x" }
        ]
      )
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("writes where each entry of the log belongs", () =>
    Effect.gen(function* () {
      const { items } = yield* run({ steps: [step("s", "pass_through"), step("d", "split")] }, [a])
      const [one, two] = items.map(({ executor_logs }) =>
        executor_logs.map(({ details, executor_id, status }) => ({ executor_id, status, details }))
      )
      const place = { for_each_parent: "each", item_index: 0 }
      const entries = (list_index: number) => [
        { executor_id: "each.s", status: "completed", details: { ...place, step_index: 0, step_type: "pass_through" } },
        {
          executor_id: "each.d",
          status: "completed",
          details: { ...place, step_index: 1, step_type: "split", list_index }
        },
        {
          executor_id: "each",
          status: "completed",
          details: { item_index: 0, steps_completed: 2, duration_seconds: 0 }
        }
      ]
      assert.deepStrictEqual(one, entries(0))
      assert.deepStrictEqual(two, entries(1))
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a step may multiply the item, or make it vanish", () =>
    Effect.gen(function* () {
      const split = yield* run({ steps: [step("d", "split"), step("d2", "split")] }, [a, c])
      assert.deepStrictEqual(
        split.items.map(({ id }) => id?.canonical_id),
        ["A", "A", "A", "A", "C", "C", "C", "C"]
      )
      assert.deepStrictEqual((yield* run({ steps: [step("x", "drop")] }, [a])).items, [])
      assert.deepStrictEqual((yield* run({ steps: [step("x", "pass_through")] }, [])).items, [])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D39: the enabled and the condition of a step count", () =>
    Effect.gen(function* () {
      const steps = [
        step("off", "set", { key: "off", enabled: false }),
        step("some", "set", { key: "some", condition: "data.n > 1" }),
        step("last", "pass_through")
      ]
      const { items } = yield* run({ steps }, [a, c])
      assert.deepStrictEqual(Harness.trails(items), ["A: each.some/each.last/each", "C: each.some/each.last/each"])
      assert.deepStrictEqual(
        items.map(({ data }) => Object.keys(data)),
        [["n"], ["n", "some"]]
      )
      assert.strictEqual(items[0]?.executor_logs[1]?.details["step_index"], 2)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("an item whose step fails goes on as the last good step left it", () =>
    Effect.gen(function* () {
      const steps = [step("s", "set", { key: "k" }), step("x", "break_item"), step("t", "set", { key: "t" })]
      const { items, nodes } = yield* run({ steps }, [a, b, c])
      assert.deepStrictEqual(Harness.trails(items), [
        "A: each.s/each.x/each.t/each",
        "B: each.s/each.x!/each!",
        "C: each.s/each.x/each.t/each"
      ])
      assert.deepStrictEqual(items[1]?.data, { n: 2, bad: true, k: "x" })
      const [, , failed] = items[1]?.executor_logs ?? []
      assert.deepStrictEqual(failed?.details, { item_index: 1, step_count: 3 })
      assert.deepStrictEqual(failed?.errors, ["each.x cannot read B"])
      assert.deepStrictEqual([nodes[0]?.status, nodes[0]?.itemsFailed], ["completed", 1])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a step without fail_pipeline_on_error does not end the steps of its item", () =>
    Effect.gen(function* () {
      const steps = [step("x", "break_item", { fail_pipeline_on_error: false }), step("t", "pass_through")]
      const { items } = yield* run({ steps }, [b])
      assert.deepStrictEqual(Harness.trails(items), ["B: each.x!/each.t/each"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("continue_on_error: false fails the node, by default without ending the run", () =>
    Effect.gen(function* () {
      const settings = { steps: [step("x", "break_item")], continue_on_error: false }
      const { items, nodes } = yield* run(settings, [a, b])
      assert.deepStrictEqual(Harness.trails(items), ["A: each!", "B: each!"])
      assert.strictEqual(nodes[0]?.status, "failed")
      const failure = yield* Effect.flip(run({ ...settings, fail_pipeline_on_error: true }, [a, b]))
      assert.deepStrictEqual(
        failure._tag === "RunFailure" ? [failure.error.executorId, failure.error.itemId] : failure.message,
        ["each.x", "B"]
      )
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a defect of a step is the failure of its item", () =>
    Effect.gen(function* () {
      const { items } = yield* run({ steps: [step("x", "break", { how: "throw" })] }, [a])
      assert.deepStrictEqual(Harness.trails(items), ["A: each.x!/each!"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("timeout_per_item_secs bounds all steps of an item, and keeps what was done", () =>
    Effect.gen(function* () {
      const steps = [
        step("s", "set", { key: "k" }),
        step("w", "wait", { seconds: 4 }),
        step("v", "wait", { seconds: 4 })
      ]
      const fiber = yield* Effect.fork(run({ steps, timeout_per_item_secs: 6 }, [a]))
      yield* later(6)
      const { items } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(Harness.trails(items), ["A: each.s/each.w/each!"])
      assert.include(items[0]?.executor_logs.at(-1)?.errors[0], "longer than 6 s")
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("works on max_concurrent items at a time", () =>
    Effect.gen(function* () {
      const settings = { steps: [step("w", "wait", { seconds: 10 })], max_concurrent: 2 }
      const fiber = yield* Effect.fork(run(settings, [a, b, c]))
      yield* later(10)
      yield* later(10)
      const { nodes } = yield* Fiber.join(fiber)
      assert.strictEqual(nodes[0]?.endedAt, 20_000)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("may hold itself", () =>
    Effect.gen(function* () {
      const inner = step("inner", "for_each_content", { steps: [step("s", "pass_through")] })
      const { items } = yield* run({ steps: [inner] }, [a])
      assert.deepStrictEqual(Harness.trails(items), ["A: each.inner.s/each.inner/each"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("reads steps that the form typed as JSON", () =>
    Effect.gen(function* () {
      const { items } = yield* run({ steps: JSON.stringify([step("s", "pass_through")]) }, [a])
      assert.deepStrictEqual(Harness.trails(items), ["A: each.s/each"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("wrong steps are errors of the definition, at their place", () =>
    Effect.gen(function* () {
      const runner = yield* PipelineRunner.PipelineRunner
      const problems = (steps: unknown) =>
        Effect.map(runner.check(Harness.versioned(Harness.yamlOf(definition({ steps })))), (checked) =>
          checked.problems.map(({ message, path }) => [path.replace("executors[0].settings.", ""), message])
        )
      assert.deepStrictEqual(yield* problems([]), [["steps", "The setting steps must have at least one step."]])
      assert.deepStrictEqual(yield* problems([{ id: "s" }]), [
        ["steps[0]", "A step must be a mapping with the texts id and type."]
      ])
      assert.deepStrictEqual(yield* problems([step("s", "pass_through"), step("s", "pass_through")]), [
        ["steps[1]", 'The step id "s" appears twice.']
      ])
      assert.deepStrictEqual(yield* problems([{ id: "s", type: "set", settings: 5 }]), [
        ["steps[0].settings", "The settings of a step must be a mapping."]
      ])
      assert.deepStrictEqual(yield* problems([step("s", "set"), step("u", "no_such_type")]), [
        ["steps[0].settings.key", "The setting key is required."],
        ["steps[1].type", 'The executor type "no_such_type" is unknown.']
      ])
      assert.deepStrictEqual(yield* problems(null), [["steps", "The setting steps is required."]])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a variable in the settings of a step is replaced", () =>
    Effect.gen(function* () {
      const { items } = yield* run({ steps: [step("s", "set", { key: "k", value: "<${ACCOUNT}>" })] }, [a])
      assert.strictEqual(items[0]?.data["k"], "<acct>")
    }).pipe(Effect.provide(Harness.layer({ allowed: ["ACCOUNT"], environment: { ACCOUNT: "acct" } })))
  )
})
