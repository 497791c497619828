import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Executor from "../../src/executor/Executor.ts"
import * as Settings from "../../src/executor/Settings.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as Harness from "./Harness.ts"

/** Writes its settings into the items, so that a test can see what came of them. */
const show = Executor.define({
  type: "show",
  category: "Utility",
  name: "Show",
  description: "Shows its settings.",
  settings: {
    text: Settings.string({ description: "A text.", default: "default text" }),
    count: Settings.integer({ description: "A number.", default: 3, min: 1, max: 9 }),
    ratio: Settings.number({ description: "A number.", default: 0.5 }),
    flag: Settings.boolean({ description: "A switch.", default: false }),
    names: Settings.list({ description: "Texts.", default: null }),
    map: Settings.object({ description: "A mapping.", default: null }),
    rows: Settings.array({ description: "A list.", default: null })
  },
  make: (settings) =>
    Effect.succeed({
      process: (items) => Effect.succeed(items.map((item) => ({ ...item, data: { ...settings } })))
    })
})

const needs = Executor.define({
  type: "needs",
  category: "Utility",
  name: "Needs",
  description: "Has a required setting.",
  settings: { key: Settings.string({ description: "A text.", required: true }) },
  make: () => Effect.succeed({ process: Effect.succeed })
})

const options = {
  executors: [show, needs, ...Harness.executors],
  allowed: ["ACCOUNT", "COUNT", "SECRET", "UNSET"],
  environment: { ACCOUNT: "acct", COUNT: "7", SECRET: "s3cr3t", HIDDEN: "hidden" }
}

const settingsOf = (settings: Readonly<Record<string, unknown>>, type = "show") =>
  Effect.map(
    Harness.run({ name: "p", executors: [{ id: "a", type, settings }], edges: [] }, [Harness.item("A")]),
    ({ items }) => items[0]?.data ?? {}
  ).pipe(Effect.provide(Harness.layer(options)))

const problemOf = (settings: Readonly<Record<string, unknown>>, type = "show") =>
  Effect.map(Effect.flip(settingsOf(settings, type)), (error) => ("message" in error ? error.message : error._tag))

describe("Settings of nodes", () => {
  it.effect("defaults for what is absent or null", () =>
    Effect.gen(function* () {
      const expected = { text: "default text", count: 3, ratio: 0.5, flag: false, names: null, map: null, rows: null }
      assert.deepStrictEqual(yield* settingsOf({}), expected)
      assert.deepStrictEqual(yield* settingsOf({ text: null, count: null, flag: null, map: null }), expected)
      assert.deepStrictEqual((yield* settingsOf({ text: "   " }))["text"], "default text")
    })
  )

  it.effect("coerces by the declared type", () =>
    Effect.gen(function* () {
      const given = { text: 5, count: " 7 ", ratio: "2.5", flag: "YES", names: ["a", 5, ""], map: {}, rows: [1] }
      assert.deepStrictEqual(yield* settingsOf(given), {
        ...given,
        text: "5",
        count: 7,
        ratio: 2.5,
        flag: true,
        names: ["a", "5"]
      })
      assert.deepStrictEqual(yield* settingsOf({ text: true, count: 2.9, flag: "no" }), {
        text: "True",
        count: 2,
        ratio: 0.5,
        flag: false,
        names: null,
        map: null,
        rows: null
      })
    })
  )

  it.effect("reads what the UI's form typed into list and mapping settings", () =>
    Effect.gen(function* () {
      const settings = yield* settingsOf({ names: "a, b,", map: '{"k": [1]}', rows: "[1, 2]" })
      assert.deepStrictEqual(settings["names"], ["a", "b"])
      assert.deepStrictEqual(settings["map"], { k: [1] })
      assert.deepStrictEqual(settings["rows"], [1, 2])
      assert.deepStrictEqual((yield* settingsOf({ names: '["a, b"]' }))["names"], ["a, b"])
      assert.isNull((yield* settingsOf({ map: "", rows: "", names: "" }))["map"])
    })
  )

  it.effect("refuses what cannot be coerced or is out of bounds, at its place", () =>
    Effect.gen(function* () {
      for (const count of ["", "5.5", "x", [], 0, 10]) {
        assert.match(
          yield* problemOf({ count }),
          /executors\[0\]\.settings\.count: The setting count must be/,
          String(count)
        )
      }
      assert.include(yield* problemOf({ flag: 1 }), "must be true or false")
      assert.include(yield* problemOf({ enabled: 1 }), "The setting enabled must be true or false")
      assert.include(yield* problemOf({}, "needs"), "The setting key is required.")
      assert.include(yield* problemOf({ retries: -1 }), "The setting retries must be at least 0")
      assert.include(yield* problemOf({ condition: 5 }), "executors[0].settings.condition")
    })
  )

  it.effect("finds all problems of a node together", () =>
    Effect.gen(function* () {
      const message = yield* problemOf({ count: 0, flag: 1, ratio: "x" })
      assert.lengthOf(message.split("\n"), 3)
    })
  )
})

describe("Variables", () => {
  it.effect("are replaced in texts, lists and mappings, before coercion", () =>
    Effect.gen(function* () {
      const settings = yield* settingsOf({
        text: "https://${ACCOUNT}.blob/${COUNT}",
        count: "${COUNT}",
        names: ["${ACCOUNT}", "x${COUNT}"],
        map: { "${ACCOUNT}": { deep: ["${ACCOUNT}"] } }
      })
      assert.strictEqual(settings["text"], "https://acct.blob/7")
      assert.strictEqual(settings["count"], 7)
      assert.deepStrictEqual(settings["names"], ["acct", "x7"])
      assert.strictEqual(JSON.stringify(settings["map"]), '{"${ACCOUNT}":{"deep":["acct"]}}')
    })
  )

  it.effect("that are not set or not allowed are an error that names them", () =>
    Effect.gen(function* () {
      assert.match(yield* problemOf({ text: "${UNSET}" }), /settings\.text: The environment variable UNSET is not set/)
      const hidden = yield* problemOf({ map: { a: ["x ${HIDDEN}"] } })
      assert.match(hidden, /settings\.map\.a\[0\]: The environment variable HIDDEN may not be read/)
      assert.include(hidden, "PIPELINE_ENV_ALLOWLIST")
      assert.notInclude(hidden, "hidden")
    })
  )

  it.effect("can be written as text", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* settingsOf({ text: "$${ACCOUNT} ${not a name} ${}" }))["text"],
        "${ACCOUNT} ${not a name} ${}"
      )
    })
  )

  it.effect("do not change a condition", () =>
    Effect.gen(function* () {
      const settings = { key: "k", condition: "data.t == '${HIDDEN}'" }
      const result = yield* Harness.run({ name: "p", executors: [{ id: "a", type: "set", settings }], edges: [] }, [
        Harness.item("A", { t: "${HIDDEN}" })
      ]).pipe(Effect.provide(Harness.layer(options)))
      assert.strictEqual(result.items[0]?.data["k"], "x")
    })
  )

  it.effect("never show their value in a message", () =>
    Effect.gen(function* () {
      const message = yield* problemOf({ count: "${SECRET}" })
      assert.include(message, "must be a whole number, not what ${SECRET} holds")
      assert.notInclude(message, "s3cr3t")
    })
  )

  it.effect("of an executor that is in no edge do not matter", () =>
    Effect.gen(function* () {
      const definition = {
        name: "p",
        executors: [
          { id: "a", type: "show" },
          { id: "unused", type: "show", settings: { text: "${HIDDEN}", count: "x" } }
        ],
        execution_sequence: ["a"]
      }
      const runner = yield* PipelineRunner.PipelineRunner
      const { plan, problems } = yield* runner.check(Harness.versioned(Harness.yamlOf(definition)))
      assert.isDefined(plan)
      assert.deepStrictEqual(
        problems.map(({ message, severity }) => [severity, message]),
        [["warning", "unused is in no edge, so it never runs."]]
      )
    }).pipe(Effect.provide(Harness.layer(options)))
  )
})
