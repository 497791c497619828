import { it } from "@effect/vitest"
import { Duration, Effect, Scope, Stream, TestClock } from "effect"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import type { CrawlBatch, Discovered } from "../../src/executor/Executor.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { FakeRunner, inputId } from "./FakeRunner.ts"
import * as Engine from "./MemoryEngine.ts"

/** When the tests begin: not the epoch, which in a checkpoint says that nothing was crawled. */
export const start = Date.parse("2026-01-02T10:00:00Z")

/** The storage service's clock runs a little ahead of ours. */
export const served = start + 7_000

export const unavailable = new Unavailable({
  service: "Cosmos DB",
  operation: "query vaults",
  message: "the store is away"
})

/** A test over a fresh installation whose source finds nothing at first. */
export const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(Effect.zipRight(arrange, body())))

export const arrange = Effect.gen(function* () {
  yield* TestClock.setTime(start)
  const runner = yield* FakeRunner
  runner.crawl = finds()
})

/** An engine that only crawls. */
export const crawling = (settings: Partial<WorkerConfig.EngineSettings> = {}) =>
  Engine.started({
    processingWorkers: 0,
    sourceWorkers: 1,
    schedulerInterval: Duration.seconds(5),
    defaultPollingInterval: Duration.seconds(60),
    ...settings
  })

export const document = (name: string, version = "v1"): Discovered => ({ item: Engine.item(name), version })

export const batch = (documents: ReadonlyArray<Discovered>, servedAt = served): CrawlBatch => ({ documents, servedAt })

export const finds =
  (...documents: ReadonlyArray<Discovered>) =>
  () =>
    Stream.make(batch(documents))

/** A crawl that takes this long and finds nothing. */
export const takes = (duration: Duration.DurationInput) => () =>
  Stream.fromEffect(Effect.delay(Effect.succeed(batch([])), duration))

export const messages = Effect.map(
  Effect.flatMap(MemoryQueue, (queue) => queue.bodies),
  (bodies) => bodies.map((body) => JSON.parse(body).payload as Record<string, unknown>)
)

export const documentsOf = (container: "executions" | "checkpoints" | "locks") =>
  Effect.map(MemoryStores, (stores) => [...stores[container].documents.values()])

export const executions = documentsOf("executions")

export const checkpointId = `${Engine.pipeline.id}_${inputId}_${Engine.vault.id}`

export const checkpoint = Effect.map(MemoryStores, (stores) => stores.checkpoints.documents.get(checkpointId))

export const lockId = `pipeline_${Engine.pipeline.id}_lock`

export const lock = Effect.map(MemoryStores, (stores) => stores.locks.documents.get(lockId))

export const at = (time: number) => Timestamp.format(time)

/** As it is stored, for the UI shows what is there. */
export const neverCrawled = null
