import * as Effect from "effect/Effect"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { type Content, withData } from "../../src/domain/Content.ts"
import { ExecutorId, PipelineId } from "../../src/domain/Ids.ts"
import type { VersionedPipeline } from "../../src/domain/Pipeline.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import * as ForEachContent from "../../src/executors/control/ForEachContent.ts"
import * as PassThrough from "../../src/executors/control/PassThrough.ts"
import * as Subpipeline from "../../src/executors/control/Subpipeline.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as ItemLog from "../../src/executor/ItemLog.ts"
import * as PerItem from "../../src/executor/PerItem.ts"
import * as Settings from "../../src/executor/Settings.ts"
import * as FanInAggregator from "../../src/executors/transform/FanInAggregator.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as StepResults from "../../src/store/StepResults.ts"
import { PipelineStore } from "../../src/store/PipelineStore.ts"

/** `set`: writes `data.<key> = value`; as simple as an executor that changes items can be. */
export const set = Executor.define({
  type: "set",
  category: "transform",
  name: "Set",
  description: "Writes one key.",
  settings: {
    key: Settings.string({ description: "The key.", required: true }),
    value: Settings.string({ description: "Its value.", default: "x" })
  },
  make: ({ key, value }, context) =>
    Effect.succeed({
      process: (items) =>
        Effect.map(ItemLog.start(context), (log) =>
          items.map((item) => log.completed(withData(item, { [key]: value })))
        )
    })
})

/** `break`: fails as its settings say, on the whole node. */
export const breaking = Executor.define({
  type: "break",
  category: "transform",
  name: "Break",
  description: "Fails.",
  settings: {
    how: Settings.choice(["Document", "Transient", "defect", "throw", "tooLong", "never"], {
      description: "The way to fail.",
      default: "Document"
    }),
    times: Settings.integer({ description: "How many attempts fail.", default: 1000 })
  },
  make: ({ how, times }, context) => {
    let left = times
    return Effect.succeed({
      process: (items) => {
        if (left === 0) return Effect.succeed(items)
        left -= 1
        switch (how) {
          case "never":
            return Effect.never
          case "throw":
            throw new TypeError("thrown on purpose")
          case "tooLong":
            return Effect.sync(() => items.slice("x".repeat(2 ** 29).length))
          case "defect":
            return Effect.die(new TypeError("died on purpose"))
          default:
            return Effect.fail(
              new Executor.ExecutorError({
                reason: how,
                executorId: context.id,
                itemId: items[0]?.id?.canonical_id ?? null,
                message: `${context.id} broke on purpose`
              })
            )
        }
      }
    })
  }
})

/** `break_item`: works item by item, and fails on those whose `data.bad` is true. */
export const breakingItem = Executor.define({
  type: "break_item",
  category: "transform",
  name: "Break Item",
  description: "Fails on bad items.",
  settings: PerItem.settings(),
  make: (settings, context) =>
    Effect.succeed(
      PerItem.perItem(context, settings, (item) =>
        item.data["bad"] === true
          ? Effect.fail(Executor.documentError(context, item, `${context.id} cannot read ${item.id?.canonical_id}`))
          : Effect.succeed(item)
      )
    )
})

/** `drop`: gives nothing on. */
export const dropping = Executor.define({
  type: "drop",
  category: "transform",
  name: "Drop",
  description: "Gives nothing on.",
  settings: {},
  make: () => Effect.succeed({ process: () => Effect.succeed([]) })
})

/** `split`: two items out of each. */
export const splitting = Executor.define({
  type: "split",
  category: "transform",
  name: "Split",
  description: "Two items out of each.",
  settings: {},
  make: (_, context) =>
    Effect.succeed({
      process: (items) =>
        Effect.map(ItemLog.start(context), (log) =>
          items.flatMap((item) => [0, 1].map((part) => log.completed(withData(item, { part }))))
        )
    })
})

/** `wait`: takes some seconds. */
export const waiting = Executor.define({
  type: "wait",
  category: "transform",
  name: "Wait",
  description: "Takes some seconds.",
  settings: { seconds: Settings.number({ description: "How many.", default: 1 }) },
  make: ({ seconds }, context) =>
    Effect.succeed({
      process: (items) =>
        Effect.map(Effect.delay(ItemLog.start(context), `${seconds} seconds`), (log) =>
          items.map((item) => log.completed(item))
        )
    })
})

/** `source`: an input that can crawl; as a node it lists its one document. */
export const source = Executor.define({
  type: "source",
  category: "input",
  name: "Source",
  description: "Lists one document.",
  canCrawl: true,
  settings: {
    account: Settings.string({ description: "Where.", required: true }),
    polling_interval_seconds: Settings.integer({ description: "Rhythm.", default: 300 })
  },
  make: () => Effect.succeed({ process: () => Effect.succeed([item("listed")]) })
})

export const executors: ReadonlyArray<Executor.Executor<never>> = [
  PassThrough.executor,
  ForEachContent.executor,
  Subpipeline.executor,
  FanInAggregator.executor,
  set,
  breaking,
  breakingItem,
  dropping,
  splitting,
  waiting,
  source
]

export const item = (id: string, data: Readonly<Record<string, unknown>> = {}): Content => ({
  id: {
    canonical_id: id,
    unique_id: id,
    source_name: null,
    source_type: null,
    container: null,
    path: null,
    filename: null,
    metadata: null
  },
  summary_data: {},
  data,
  executor_logs: []
})

export interface Options {
  /** Instead of `executors`. */
  readonly catalog?: Layer.Layer<Catalog.Catalog>
  readonly executors?: ReadonlyArray<Executor.Executor<never>>
  /** YAML texts of stored pipelines, by id (which is their name, too). */
  readonly stored?: Readonly<Record<string, string>>
  readonly allowed?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
  /** Where results of steps are kept. */
  readonly steps?: StepResults.StepStore
}

/** A runner with these executors, stored pipelines and variables. */
export const layer = (options: Options = {}): Layer.Layer<PipelineRunner.PipelineRunner | PipelineStore> => {
  const find = (id: string) =>
    Effect.sync(() => Option.map(Option.fromNullable(options.stored?.[id]), (yaml) => versioned(yaml, id)))
  const store = Layer.succeed(PipelineStore, PipelineStore.of({ find, findByName: find, all: Effect.succeed([]) }))
  return Layer.provideMerge(PipelineRunner.layer, store).pipe(
    Layer.provide(options.catalog ?? Layer.succeed(Catalog.Catalog, Catalog.make(options.executors ?? executors))),
    Layer.provide(Layer.succeed(StepResults.StepResults, options.steps ?? null)),
    Layer.provide(WorkerConfig.layerWith({ pipelineEnvAllowlist: options.allowed ?? [] })),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(options.environment ?? {})))))
  )
}

/** The ETag changes with the text. */
export const versioned = (yaml: string, id = "p"): VersionedPipeline => ({
  pipeline: { id: PipelineId.make(id), name: id, yaml, enabled: true, retries: null, retry_delay: null, timeout: null },
  etag: `"${yaml.length}"`
})

/** YAML is a superset of JSON. */
export const yamlOf = (definition: unknown): string => JSON.stringify({ pipeline: definition })

/** Compiles a definition and runs it on these items. */
export const run = (
  definition: string | Readonly<Record<string, unknown>>,
  items: ReadonlyArray<Content>,
  exclude: string | null = null
) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner.PipelineRunner
    const plan = yield* runner.compile(versioned(typeof definition === "string" ? definition : yamlOf(definition)))
    return yield* runner.run(plan, items, { exclude: exclude === null ? null : ExecutorId.make(exclude) })
  })

/** `A: s/l/r` for each item: its id and the nodes that wrote into its log, failed ones with `!`. */
export const trails = (items: ReadonlyArray<Content>): ReadonlyArray<string> =>
  items.map((each) => {
    const nodes = each.executor_logs.map(({ executor_id, status }) => `${executor_id}${status === "failed" ? "!" : ""}`)
    return `${each.id?.canonical_id ?? "-"}: ${nodes.join("/")}`
  })
