import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Logger, LogLevel, Random, Scope } from "effect"
import * as EndpointValves from "../../src/concurrency/EndpointValves.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import { executor as entityExtractor } from "../../src/executors/analyse/EntityExtractor.ts"
import { executor as textSummarizer } from "../../src/executors/analyse/TextSummarizer.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import * as Governor from "../../src/services/Governor.ts"
import * as HttpLanguageModel from "../../src/services/language/HttpLanguageModel.ts"
import * as ServiceClients from "../../src/services/ServiceClients.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as LimitedModel from "../support/LimitedModel.ts"
import * as VirtualClock from "../../src/testing/VirtualClock.ts"

const tokensPerMinute = 240_000
const start = Date.parse("2026-01-02T10:00:00Z")

/** Two calls of a model for each document. */
const yaml = `
pipeline:
  name: line
  executors:
    - id: summary
      type: text_summarizer
      settings: {endpoint: "http://127.0.0.1/v1", deployment_name: shared, max_tokens: 500, max_retries: 0}
    - id: entities
      type: entity_extractor
      settings: {endpoint: "http://127.0.0.1/v1", deployment_name: shared, max_tokens: 500, max_retries: 0}
  edges:
    - {from: summary, to: entities}
`

const services = Layer.mergeAll(
  MemoryQueue.layer,
  MemoryStores.layer,
  MemoryBlob.layer,
  Layer.succeed(ClaimAccount, "own")
)

interface Run {
  readonly executions: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly figures: LimitedModel.Figures
  /** Milliseconds from the start to the last grant. */
  readonly millis: number
}

/** So many processes with sixteen workers each, which know nothing of each other, work off a queue of documents against one deployment. */
const run = (processes: number, documents: number, tells = true): Effect.Effect<Run> =>
  Effect.gen(function* () {
    const clock = VirtualClock.make(start)
    const scope = yield* Scope.make()
    const there = yield* Effect.withClock(Layer.buildWithScope(services, scope), clock.process())
    const { executions, pipelines, vaults } = Context.get(there, MemoryStores.MemoryStores)
    yield* Effect.gen(function* () {
      yield* pipelines.upsert({ ...Engine.pipeline, yaml })
      yield* vaults.upsert({ ...Engine.vault, save_execution_output: false })
      for (let number = 1; number <= documents; number += 1) {
        // 2,000 to 6,000 characters, each document with its own.
        const text = `Document ${number} of the Harbour Library. `.repeat(50 + ((number * 37) % 100))
        yield* Engine.enqueue(number, {
          content: [Engine.item(`doc-${number}`, { text })],
          executed_input_executor: null
        })
      }
    }).pipe(Effect.provide(there), Effect.withClock(clock.process()), Effect.orDie)
    const model = LimitedModel.make(tokensPerMinute, clock.now, tells)
    const config = {
      processingWorkers: 16,
      sourceWorkers: 0,
      // A burned attempt would fail its document.
      maxTaskRetries: 0,
      visibilityTimeout: Duration.seconds(60)
    }
    const engine = WorkerEngine.layer.pipe(
      Layer.provide(PipelineRunner.layer),
      Layer.provide(Catalog.layer([textSummarizer, entityExtractor])),
      Layer.provide(HttpLanguageModel.layer),
      Layer.provide(ServiceClients.layer),
      Layer.provide([model.layer, EndpointValves.layer, Governor.layer, FileSystem.layerNoop({})]),
      Layer.provide(WorkerConfig.layerWith(config)),
      Layer.provide(Layer.succeedContext(there))
    )
    for (let process = 0; process < processes; process += 1) {
      yield* Effect.fork(
        Layer.buildWithScope(Layer.fresh(engine), scope).pipe(
          Effect.withClock(clock.process()),
          Effect.withRandom(Random.make(`process ${process} of ${processes}`)),
          Logger.withMinimumLogLevel(LogLevel.Error)
        )
      )
    }
    yield* VirtualClock.settled
    const isOver = () =>
      [...executions.documents.values()].every(({ status }) => status === "completed" || status === "failed")
    const patience = start + Duration.toMillis("3 hours")
    let looked = start
    while (yield* clock.step(patience)) {
      if (clock.now() < looked + 5_000) continue
      looked = clock.now()
      if (isOver()) break
    }
    return {
      executions: [...executions.documents.values()],
      figures: model.figures,
      millis: (model.figures.granted.at(-1)?.[0] ?? start) - start
    }
  }).pipe(Effect.withScheduler(VirtualClock.scheduler))

/** The time in which a process finds its rate, and in which the last documents no longer need the whole limit, don't count. */
const warmUp = 2 * 60_000
const end = 60_000

/** Of the limit, used; of the calls, refused. */
const figuresOf = ({ figures, millis }: Run) => {
  const counts = (at: number) => at > start + warmUp && at < start + millis - end
  const granted = figures.granted.filter(([at]) => counts(at))
  const refused = figures.refusedAt.filter(counts).length
  const tokens = granted.reduce((sum, [, each]) => sum + each, 0)
  return {
    use: tokens / ((tokensPerMinute * (millis - warmUp - end)) / 60_000),
    refused: refused / (granted.length + refused),
    calls: granted.length
  }
}

describe("engines of sixteen workers on one deployment", () => {
  for (const processes of [1, 4]) {
    it.live(
      `${processes === 1 ? "one process uses" : `${processes} processes use`} more than 90 % of its limit, under 2 % of the calls are refused, and no attempt is burned`,
      () =>
        Effect.gen(function* () {
          const documents = 800
          const result = yield* run(processes, documents)
          const { calls, refused, use } = figuresOf(result)
          assert.isAbove(calls, 800)
          assert.isAbove(use, 0.9)
          assert.isBelow(refused, 0.02)
          assert.lengthOf(result.executions, documents)
          assert.deepStrictEqual(new Set(result.executions.map(({ status }) => status)), new Set(["completed"]))
          // Nothing is asked twice, either.
          assert.strictEqual(result.figures.answers.size, 2 * documents)
          assert.isTrue([...result.figures.answers.values()].every((times) => times === 1))
        }),
      240_000
    )
  }

  it.live(
    "burn no attempt where answers don't name the limit either, and calls are refused until it is found",
    () =>
      Effect.gen(function* () {
        const documents = 400
        const result = yield* run(1, documents, false)
        const { refused, use } = figuresOf(result)
        assert.isAbove(result.figures.refusedAt.length, 0)
        assert.isAbove(use, 0.8)
        assert.isBelow(refused, 0.05)
        assert.deepStrictEqual(new Set(result.executions.map(({ status }) => status)), new Set(["completed"]))
      }),
    240_000
  )
})
