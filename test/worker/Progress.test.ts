import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Scope, Stream, TestClock } from "effect"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { CheckpointStore } from "../../src/store/CheckpointStore.ts"
import { PipelineStore } from "../../src/store/PipelineStore.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { VaultStore } from "../../src/store/VaultStore.ts"
import * as Progress from "../../src/worker/loops/Progress.ts"
import type { EngineStatus } from "../../src/worker/WorkerEngine.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

describe("Progress", () => {
  it.effect("a loop that promised to report and did not is stalled, until it reports", () =>
    Effect.gen(function* () {
      const progress = yield* Progress.Progress
      const heartbeat = yield* progress.register("loop")
      yield* heartbeat.expect("calling", Progress.tolerance)
      yield* TestClock.adjust("29 seconds")
      assert.isEmpty(yield* progress.stalled)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* progress.stalled, [{ loop: "loop", doing: "calling", silentMillis: 30_000 }])
      yield* heartbeat.expect("calling", Progress.tolerance)
      assert.isEmpty(yield* progress.stalled)
      yield* heartbeat.idle("waiting for work")
      yield* TestClock.adjust("365 days")
      assert.isEmpty(yield* progress.stalled, "nothing is asked of it")
    }).pipe(Effect.provide(Progress.layer))
  )

  it.effect("a loop that never reports after it was registered is stalled; one that ended is not", () =>
    Effect.gen(function* () {
      const progress = yield* Progress.Progress
      yield* progress.register("dead on arrival")
      yield* progress.register("ended")
      yield* progress.unregister("ended")
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(
        (yield* progress.stalled).map(({ doing, loop }) => [loop, doing]),
        [["dead on arrival", "starting"]]
      )
      assert.deepStrictEqual(
        (yield* progress.all).map(({ loop }) => loop),
        ["dead on arrival"]
      )
    }).pipe(Effect.provide(Progress.layer))
  )
})

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

const stalled = (engine: { readonly status: Effect.Effect<EngineStatus> }) =>
  Effect.map(engine.status, (status) => status.stalled.map(({ loop }) => loop))

describe("a loop that makes no progress is told within 30 s", () => {
  test("the poller, when a receive never answers", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const gate = yield* Effect.makeLatch(true)
      const hung = TaskQueue.of({ ...queue, receive: (...call) => Effect.zipRight(gate.await, queue.receive(...call)) })
      const engine = yield* Engine.started().pipe(Effect.provideService(TaskQueue, hung))
      yield* Engine.pass(20)
      assert.isEmpty(yield* stalled(engine))
      yield* gate.close
      yield* Engine.pass(31)
      assert.deepStrictEqual(yield* stalled(engine), ["queue poller"])
      yield* gate.open
      yield* Engine.pass(1)
      assert.isEmpty(yield* stalled(engine))
    }))

  test("not the poller, when all workers are busy or the queue is empty", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.never
      const engine = yield* Engine.started({ processingWorkers: 1, queuePollInterval: Duration.seconds(40) })
      yield* Engine.pass(120)
      assert.isEmpty(yield* stalled(engine), "empty")
      yield* Engine.enqueue(1)
      yield* Engine.pass(120)
      assert.isEmpty(yield* stalled(engine), "busy")
    }))

  for (const [name, hang] of [
    [
      "the vaults",
      (gate: Effect.Latch) =>
        Layer.effect(
          VaultStore,
          Effect.map(VaultStore, (vaults) => ({ ...vaults, enabled: Effect.zipRight(gate.await, vaults.enabled) }))
        )
    ],
    [
      "a pipeline",
      (gate: Effect.Latch) =>
        Layer.effect(
          PipelineStore,
          Effect.map(PipelineStore, (pipelines) => ({
            ...pipelines,
            find: (...call: Parameters<PipelineStore["Type"]["find"]>) =>
              Effect.zipRight(gate.await, pipelines.find(...call))
          }))
        )
    ]
  ] as const) {
    test(`the schedule, when a read of ${name} never answers`, () =>
      Effect.gen(function* () {
        const gate = yield* Effect.makeLatch(true)
        const engine = yield* Engine.started({ processingWorkers: 0, sourceWorkers: 1 }).pipe(
          Effect.provide(hang(gate) as Layer.Layer<VaultStore | PipelineStore, never, VaultStore | PipelineStore>)
        )
        yield* Engine.pass(20)
        assert.isEmpty(yield* stalled(engine))
        yield* gate.close
        yield* Engine.pass(35)
        assert.deepStrictEqual(yield* stalled(engine), ["crawl schedule"])
        yield* gate.open
        yield* Engine.pass(1)
        assert.isEmpty(yield* stalled(engine))
      }))
  }

  test("not the schedule while it reads many vaults, each in its time", () =>
    Effect.gen(function* () {
      const pipelines = yield* PipelineStore
      const slow = PipelineStore.of({
        ...pipelines,
        find: (...call) => Effect.delay(pipelines.find(...call), "8 seconds")
      })
      const stores = yield* MemoryStores
      for (let number = 0; number < 80; number++) {
        yield* stores.vaults.upsert({ ...Engine.vault, id: `many-${number}`, pipeline_id: `pipeline-${number}` })
      }
      const engine = yield* Engine.started({ processingWorkers: 0, sourceWorkers: 1 }).pipe(
        Effect.provideService(PipelineStore, slow)
      )
      yield* Engine.pass(60)
      assert.isEmpty(yield* stalled(engine))
    }))

  test("a crawl, when a store never answers", () =>
    Effect.gen(function* () {
      const checkpoints = yield* CheckpointStore
      const gate = yield* Effect.makeLatch(false)
      const hung = CheckpointStore.of({
        ...checkpoints,
        look: (...call) => Effect.zipRight(gate.await, checkpoints.look(...call))
      })
      const engine = yield* Engine.started({ processingWorkers: 0, sourceWorkers: 1 }).pipe(
        Effect.provideService(CheckpointStore, hung)
      )
      yield* Engine.pass(140)
      assert.deepStrictEqual(yield* stalled(engine), ["source worker 0"])
      yield* gate.open
      yield* Engine.pass(1)
      assert.isEmpty(yield* stalled(engine))
    }))

  test("not a crawl whose tasks go out slowly, one after the other", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      const documents = Array.from({ length: 64 }, (_, number) => ({
        item: Engine.item(`doc-${number}`),
        version: "1"
      }))
      runner.crawl = () => Stream.make({ documents, servedAt: 1_000 })
      const slow = TaskQueue.of({ ...queue, send: (body) => Effect.delay(queue.send(body), "1 minute") })
      const engine = yield* Engine.started({ processingWorkers: 0, sourceWorkers: 1 }).pipe(
        Effect.provideService(TaskQueue, slow)
      )
      yield* Engine.pass(200)
      assert.isEmpty(yield* stalled(engine))
      assert.isTrue((yield* engine.status).source.workers.every(({ doing }) => doing.startsWith("crawling")))
    }))
})
