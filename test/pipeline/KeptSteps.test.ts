import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Option, TestClock } from "effect"
import type { Content } from "../../src/domain/Content.ts"
import { withData, withSummary } from "../../src/domain/Content.ts"
import * as ServiceError from "../../src/domain/ServiceError.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as PerItem from "../../src/executor/PerItem.ts"
import type { FoundDocument, RunFacts } from "../../src/executor/RunFacts.ts"
import * as Settings from "../../src/executor/Settings.ts"
import * as Usage from "../../src/executor/Usage.ts"
import { executor as agent } from "../../src/executors/analyse/AzureOpenAiAgent.ts"
import { executor as pii } from "../../src/executors/analyse/PiiDetector.ts"
import { executor as summarizer } from "../../src/executors/analyse/TextSummarizer.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import { CallError } from "../../src/services/CallError.ts"
import { LanguageModels } from "../../src/services/language/LanguageModel.ts"
import * as StepResults from "../../src/store/StepResults.ts"
import * as Analysed from "../executors/analyse/Analysed.ts"
import * as Harness from "./Harness.ts"

const limits = { timeToLive: Duration.days(1), maxBytes: 1_000_000 }

const facts = (taskId = "task_1"): RunFacts => ({
  pipelineId: "p",
  vaultId: "vault",
  executionId: "exec_1",
  taskId,
  attempt: 1,
  createdAt: 0
})

const used = { ...Usage.none, model: "m", deployment: "d", calls: 1, inputTokens: 7, cost: 0.5 }

interface Paid {
  readonly version?: number
  readonly cost?: Executor.Cost
  readonly perItem?: boolean
}

/** `pay`: notes each item that it works on, and writes how many it was. */
const paying = (worked: Array<string>, { cost = "paid", perItem = true, version = 1 }: Paid = {}) =>
  Executor.define({
    type: "pay",
    category: "analyse",
    name: "Pay",
    description: "Costs something.",
    cost,
    version,
    settings: {
      ...PerItem.settings(),
      question: Settings.string({ description: "What to ask.", default: "why?" }),
      key: Settings.secret({ description: "A key.", default: null }),
      fails: Settings.boolean({ description: "Whether it fails.", default: false })
    },
    make: (settings, context) => {
      const work = (item: Content): Effect.Effect<Content, Executor.ExecutorError> =>
        Effect.suspend(() => {
          worked.push(item.id?.canonical_id ?? "")
          const meter = new Usage.Meter(context.meter)
          meter.add(used)
          if (settings.fails) return Effect.fail(Executor.documentError(context, item, "no"))
          return Effect.succeed(Usage.noted(context, withData(item, { answer: worked.length }), meter))
        })
      return Effect.succeed(
        perItem
          ? PerItem.perItem(context, settings, work)
          : { process: (items: ReadonlyArray<Content>) => Effect.forEach(items, work) }
      )
    }
  })

interface Run {
  readonly settings?: Readonly<Record<string, unknown>>
  readonly items?: ReadonlyArray<Content>
  readonly run?: RunFacts
  /** The id of the paid node. */
  readonly first?: string
  /** A node behind the paid one. */
  readonly last?: string
  readonly pipeline?: string
  readonly paid?: Paid
}

/** Runs one paid node over a store that stays, and tells what was worked on. */
const world = (store: StepResults.StepStore = StepResults.makeMemory(limits)) => {
  const worked: Array<string> = []
  const run = ({
    items = [Harness.item("A", { text: "x" })],
    first = "first",
    last = "x",
    paid,
    pipeline: name = "p",
    run = facts(),
    settings = {}
  }: Run = {}) =>
    Effect.gen(function* () {
      const runner = yield* PipelineRunner.PipelineRunner
      const pipeline = {
        name,
        executors: [
          { id: first, type: "pay", settings },
          { id: "last", type: "set", settings: { key: "last", value: last } }
        ],
        execution_sequence: [first, "last"]
      }
      const plan = yield* runner.compile(Harness.versioned(JSON.stringify({ pipeline })))
      return yield* runner.run(plan, items, { exclude: null, facts: run })
    }).pipe(Effect.provide(Harness.layer({ executors: [...Harness.executors, paying(worked, paid)], steps: store })))
  return { worked, run }
}

describe("the result of a paid step", () => {
  it.effect("is computed once for the same question, and the second run says so", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      yield* TestClock.setTime(1_700_000_000_000)
      const first = yield* run()
      yield* TestClock.adjust("1 hour")
      const second = yield* run({ run: facts("task_2") })
      assert.deepStrictEqual(worked, ["A"])
      assert.deepStrictEqual(second.items[0]?.data, first.items[0]?.data)
      const [one, two] = [first.nodes[0], second.nodes[0]]
      assert.deepStrictEqual(one?.steps, { computed: 1, kept: 0, keptSince: null })
      assert.deepStrictEqual(two?.steps, { computed: 0, kept: 1, keptSince: 1_700_000_000_000 })
      assert.deepStrictEqual(one?.usage, [used])
      assert.isUndefined(two?.usage)
      assert.deepStrictEqual(two?.saved, [used])
      assert.isUndefined(second.items[0]?.summary_data["usage"])
      assert.isUndefined(first.nodes[1]?.steps)
    })
  )

  it.effect("does not depend on what stands behind it, on usage before it, or on how fast it is done", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      yield* run()
      yield* run({ last: "y" })
      yield* run({ settings: { max_concurrent: 1, timeout_secs: 7, continue_on_error: false, retries: 2 } })
      const before = withSummary(Harness.item("A", { text: "x" }), { usage: { other: [{ duration_seconds: 1 }] } })
      const { items } = yield* run({ items: [before] })
      assert.deepStrictEqual(items[0]?.summary_data, before.summary_data)
      assert.deepStrictEqual(worked, ["A"])
    })
  )

  for (const [what, change] of Object.entries({
    "a setting": { settings: { question: "who?" } },
    "a secret": { settings: { key: "another key" } },
    "the document's content": { items: [Harness.item("A", { text: "y" })] },
    "the executor's version": { paid: { version: 2 } },
    "nothing, where it is off": { settings: { cache: "off" } },
    "nothing, where the work is cheap": { paid: { cost: "cheap" } }
  } satisfies Record<string, Run>)) {
    it.effect(`is asked for anew after a change of ${what}`, () =>
      Effect.gen(function* () {
        const { run, worked } = world()
        yield* run()
        yield* run(change)
        yield* run()
        assert.lengthOf(worked, what.startsWith("nothing") ? 2 : 2)
        yield* run(change)
        assert.lengthOf(worked, what.startsWith("nothing") ? 3 : 2)
      })
    )
  }

  it.effect("is the same task's alone with cache: task", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      const settings = { cache: "task" }
      yield* run({ settings })
      yield* run({ settings })
      assert.lengthOf(worked, 1)
      yield* run({ settings, run: facts("task_2") })
      assert.lengthOf(worked, 2)
    })
  )

  it.effect("is kept of a type that works on all items at once, for a single item", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      const paid = { perItem: false }
      yield* run({ paid })
      yield* run({ paid })
      assert.lengthOf(worked, 1)
    })
  )

  it.effect("is not kept of a step that failed, also where the run goes on", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      const settings = { fails: true, fail_pipeline_on_error: false }
      yield* run({ settings })
      yield* run({ settings })
      assert.lengthOf(worked, 2)
      assert.strictEqual((yield* Effect.exit(run({ settings: { fails: true } })))._tag, "Failure")
      assert.strictEqual((yield* Effect.exit(run({ settings: { fails: true } })))._tag, "Failure")
      assert.lengthOf(worked, 4)
    })
  )

  it.effect("counts each item of several by itself", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      yield* run()
      const { nodes } = yield* run({ items: ["A", "B"].map((id) => Harness.item(id, { text: "x" })) })
      assert.deepStrictEqual(worked, ["A", "B"])
      assert.deepInclude(nodes[0]?.steps, { computed: 1, kept: 1 })
    })
  )

  it.effect("that is too large is not kept, and the run goes on", () =>
    Effect.gen(function* () {
      const { run, worked } = world(StepResults.makeMemory({ ...limits, maxBytes: 50 }))
      yield* run()
      yield* run()
      assert.lengthOf(worked, 2)
    })
  )

  it.effect("does not count any more when its time is over", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      yield* run()
      yield* TestClock.adjust("1 day")
      yield* run()
      assert.lengthOf(worked, 2)
    })
  )

  it.effect("is waited for while the store is away for moments, and not for ever", () =>
    Effect.gen(function* () {
      const kept = StepResults.makeMemory(limits)
      let failures = 0
      const away = Effect.suspend(() =>
        failures-- > 0
          ? Effect.fail(new ServiceError.Unavailable({ service: "Blob Storage", operation: "read", message: "away" }))
          : Effect.void
      )
      const { run, worked } = world({
        get: (key) => Effect.zipRight(away, kept.get(key)),
        put: (key, record) => Effect.zipRight(away, kept.put(key, record)),
        sweep: kept.sweep
      })
      const after = (times: number) =>
        Effect.gen(function* () {
          failures = times
          const fiber = yield* Effect.fork(run())
          yield* TestClock.adjust("2 minutes")
          return yield* fiber
        })
      yield* after(3)
      yield* after(3)
      assert.lengthOf(worked, 1)
      yield* after(1_000)
      assert.lengthOf(worked, 2)
    })
  )

  it.effect("is not waited for longer than a minute where the store never answers", () =>
    Effect.gen(function* () {
      const kept = StepResults.makeMemory(limits)
      const { run } = world({ ...kept, put: () => Effect.never })
      const fiber = yield* Effect.forkDaemon(run())
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Option.isSome(yield* Fiber.poll(fiber)))
    })
  )

  it.effect("is kept though the run is stopped while the store takes its time", () =>
    Effect.gen(function* () {
      const kept = StepResults.makeMemory(limits)
      const { run, worked } = world({ ...kept, put: (key, record) => Effect.delay(kept.put(key, record), "5 seconds") })
      const stopped = yield* Effect.fork(run())
      yield* TestClock.adjust("1 second")
      yield* Fiber.interruptFork(stopped)
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(stopped)))
      yield* run()
      assert.lengthOf(worked, 1)
    })
  )

  it.effect("is another node's where a type works on all items at once, which may write its name", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      const paid = { perItem: false }
      yield* run({ paid })
      yield* run({ paid, first: "other" })
      yield* run({ paid, pipeline: "q" })
      assert.lengthOf(worked, 3)
      yield* run({ paid })
      assert.lengthOf(worked, 3)
    })
  )

  it.effect("depends on the file that an item names: its version, its time, or else the task", () =>
    Effect.gen(function* () {
      const { run, worked } = world()
      const item = Harness.item("A", { temp_file_path: "/documents/a.pdf" })
      const works = (taskId: string, found?: FoundDocument) =>
        Effect.gen(function* () {
          const before = worked.length
          const documents = found === undefined ? {} : { documents: new Map([["A", found]]) }
          yield* run({ items: [item], run: { ...facts(taskId), ...documents } })
          return worked.length - before
        })
      const cases: ReadonlyArray<readonly [string, FoundDocument | undefined, number]> = [
        ["task_1", { etag: "1", changedAt: 1 }, 1],
        ["task_2", { etag: "1", changedAt: 2 }, 0],
        ["task_2", { etag: "2", changedAt: 2 }, 1],
        ["task_1", { etag: null, changedAt: 1 }, 1],
        ["task_2", { etag: null, changedAt: 1 }, 0],
        ["task_2", { etag: null, changedAt: 2 }, 1],
        ["task_1", undefined, 1],
        ["task_1", { etag: null, changedAt: null }, 0],
        ["task_2", undefined, 1]
      ]
      for (const [taskId, found, expected] of cases) {
        assert.strictEqual(yield* works(taskId, found), expected, JSON.stringify([taskId, found]))
      }
    })
  )
})

/** Runs one node that asks a model, over a store that stays. */
const asked = (
  executor: Executor.Executor<LanguageModels>,
  script: Parameters<typeof Analysed.model>[0],
  store = StepResults.makeMemory(limits)
) => {
  const { layer, questions } = Analysed.model(script)
  const catalog = Catalog.layer([executor]).pipe(Layer.provide(layer))
  const run = (item: Content, settings: Readonly<Record<string, unknown>> = {}) =>
    Effect.gen(function* () {
      const runner = yield* PipelineRunner.PipelineRunner
      const node = { id: "ask", type: executor.type, settings: { ...Analysed.base, ...settings } }
      const pipeline = { name: "p", executors: [node], execution_sequence: ["ask"] }
      const plan = yield* runner.compile(Harness.versioned(JSON.stringify({ pipeline })))
      return yield* runner.run(plan, [item], { exclude: null, facts: facts() })
    }).pipe(Effect.provide(Harness.layer({ catalog, steps: store })))
  return { questions, run }
}

describe("what a model is asked", () => {
  it.effect("is its text and the settings, and nothing else of the document", () =>
    Effect.gen(function* () {
      const { questions, run } = asked(agent, () => "answer")
      const settings = { instructions: "Count." }
      const first = Harness.item("A", { text: "one", other: 1, agent_response: "old" })
      yield* run(first, settings)
      const second = withSummary(Harness.item("B", { text: "one", other: 2 }), { response_length: 6, mine: true })
      const { items } = yield* run(second, settings)
      assert.lengthOf(questions, 1)
      assert.deepStrictEqual(items[0]?.id, second.id)
      assert.deepStrictEqual(items[0]?.data, { text: "one", other: 2, agent_response: "answer" })
      assert.deepStrictEqual(items[0]?.summary_data, {
        response_length: 6,
        mine: true,
        agent_execution_status: "success"
      })
      assert.deepInclude(items[0]?.executor_logs.at(-1)?.details, { from: "kept" })
      yield* run(Harness.item("A", { text: "two" }), settings)
      assert.lengthOf(questions, 2)
      yield* run(Harness.item("A", { text: "two" }), { ...settings, deployment_name: "other" })
      assert.lengthOf(questions, 3)
    })
  )

  it.effect("writes into lists beside what each document has there", () =>
    Effect.gen(function* () {
      const { questions, run } = asked(agent, (question) => Analysed.documentOf(question).toUpperCase())
      const settings = { instructions: "Shout.", input_field: "chunks[].text" }
      const chunks = (name: string) =>
        Harness.item(name, { chunks: ["a", "b"].map((text, index) => ({ id: `${name}-${index}`, text })) })
      yield* run(chunks("A"), settings)
      const { items } = yield* run(chunks("B"), settings)
      assert.lengthOf(questions, 2)
      assert.deepStrictEqual(items[0]?.data["chunks"], [
        { id: "B-0", text: "a", agent_response: "A" },
        { id: "B-1", text: "b", agent_response: "B" }
      ])
    })
  )

  it.effect("is not asked again in parts that were answered before another part failed", () =>
    Effect.gen(function* () {
      let out = true
      const { questions, run } = asked(agent, (question) =>
        out && Analysed.documentOf(question) === "c"
          ? new CallError({ reason: "Unavailable", message: "out" })
          : Analysed.documentOf(question)
      )
      const settings = { instructions: "Repeat.", input_field: "chunks[].text" }
      const item = Harness.item("A", { chunks: ["a", "b", "c", "d", "e"].map((text) => ({ text })) })
      yield* Effect.flip(run(item, settings))
      const before = questions.map(Analysed.documentOf).filter((text) => text !== "c")
      out = false
      yield* run(item, settings)
      const after = questions.map(Analysed.documentOf)
      for (const text of before)
        assert.lengthOf(
          after.filter((each) => each === text),
          1,
          text
        )
      assert.isAtLeast(before.length, 2)
      assert.sameMembers([...new Set(after)], ["a", "b", "c", "d", "e"])
    })
  )

  it.effect("is looked for only where an attempt before answered some", () =>
    Effect.gen(function* () {
      const kept = StepResults.makeMemory(limits)
      let looks = 0
      const store: StepResults.StepStore = {
        ...kept,
        get: (key) => Effect.suspend(() => ((looks += 1), kept.get(key)))
      }
      let out = true
      const { questions, run } = asked(
        agent,
        (question) =>
          out && Analysed.documentOf(question) === "e"
            ? new CallError({ reason: "Unavailable", message: "out" })
            : Analysed.documentOf(question),
        store
      )
      const settings = { instructions: "Repeat.", input_field: "chunks[].text" }
      const item = Harness.item("A", { chunks: ["a", "b", "c", "d", "e"].map((text) => ({ text })) })
      yield* Effect.flip(run(item, settings))
      assert.strictEqual(looks, 1)
      const asks = questions.length
      out = false
      yield* run(item, settings)
      assert.strictEqual(looks, 1 + 6)
      assert.lengthOf(questions, asks + 1)
    })
  )

  it.effect("is not asked again in another try of the same attempt", () =>
    Effect.gen(function* () {
      let failures = 1
      const { questions, run } = asked(agent, (question) =>
        Analysed.documentOf(question) === "b" && failures-- > 0
          ? new CallError({ reason: "Unavailable", message: "out" })
          : Analysed.documentOf(question)
      )
      const settings = { instructions: "Repeat.", input_field: "chunks[].text", retries: 1, retry_delay: 0 }
      const item = Harness.item("A", { chunks: ["a", "b"].map((text) => ({ text })) })
      yield* run(item, settings)
      assert.sameMembers(questions.map(Analysed.documentOf), ["a", "b", "b"])
    })
  )

  it.effect("is not asked again of the parts of a long text, though the last answer was cut off", () =>
    Effect.gen(function* () {
      let fails = true
      const { questions, run } = asked(summarizer, ({ system }) =>
        fails && system.includes("row of summaries")
          ? new CallError({ reason: "Unavailable", message: "out" })
          : "short"
      )
      const item = Harness.item("A", { text: "words and words. ".repeat(200) })
      yield* Effect.flip(run(item, { max_input_tokens: 400 }))
      const parts = questions.length
      assert.isAtLeast(parts, 3)
      fails = false
      const { items } = yield* run(item, { max_input_tokens: 400 })
      assert.strictEqual(items[0]?.data["summary"], "short")
      assert.lengthOf(questions, parts + 1)
    })
  )

  it.effect("is asked again when its answer was truncated, filtered or no answer", () =>
    Effect.gen(function* () {
      for (const reason of ["Truncated", "Filtered", "Refused", "Unreadable"] as const) {
        const { questions, run } = asked(agent, () => new CallError({ reason, message: "no" }))
        const item = Harness.item("A", { text: "x" })
        yield* Effect.flip(run(item, { instructions: "x" }))
        const once = questions.length
        yield* Effect.flip(run(item, { instructions: "x" }))
        assert.lengthOf(questions, 2 * once)
      }
      const { questions, run } = asked(agent, () => "no json")
      const settings = { instructions: "x", parse_response_as_json: true, input_field: "l[].t" }
      const item = Harness.item("A", { l: [{ t: "a" }, { t: "b" }] })
      yield* Effect.flip(run(item, settings))
      const once = questions.length
      yield* Effect.flip(run(item, settings))
      assert.isAbove(questions.length, once)
    })
  )

  it.effect("keeps what was replaced in the text", () =>
    Effect.gen(function* () {
      const { questions, run } = asked(pii, () => ({ found: [{ type: "name", value: "Ann", confidence: 1 }] }))
      const settings = { action: "redact", replace_input: true }
      const first = yield* run(Harness.item("A", { text: "I am Ann." }), settings)
      const second = yield* run(Harness.item("B", { text: "I am Ann.", mine: 1 }), settings)
      assert.lengthOf(questions, 1)
      assert.deepStrictEqual(second.items[0]?.data, { ...first.items[0]?.data, mine: 1 })
      assert.notInclude(JSON.stringify(second.items[0]?.data), "Ann")
    })
  )
})
