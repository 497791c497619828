import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Exit, Metric, Scope, Stream } from "effect"
import { ExecutorId } from "../../src/domain/Ids.ts"
import * as Metrics from "../../src/worker/Metrics.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { FakeRunner, inputId } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import {
  start,
  unavailable,
  test,
  crawling,
  document,
  batch,
  takes,
  messages,
  documentsOf,
  executions,
  checkpointId,
  checkpoint,
  at
} from "../support/Crawls.ts"

describe("the schedule", () => {
  test("a vault is crawled at once, then once per interval", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling()
      yield* Engine.pass(1)
      assert.lengthOf(runner.crawls, 1)
      yield* Engine.pass(58)
      assert.lengthOf(runner.crawls, 1, "not before it is due")
      yield* Engine.pass(6)
      assert.lengthOf(runner.crawls, 2)
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 3)
    }))

  test("a changed interval counts at once", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { interval: Duration.hours(1) }
      yield* crawling()
      yield* Engine.pass(40)
      assert.lengthOf(runner.crawls, 1)
      runner.input = { interval: Duration.seconds(30) }
      yield* Engine.pass(6)
      assert.lengthOf(runner.crawls, 2, "due by the new interval")
      runner.input = { interval: Duration.hours(1) }
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 2)
    }))

  test("pipelines.enabled: false means no crawl, until it is enabled", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* stores.pipelines.upsert({ ...Engine.pipeline, enabled: false })
      yield* crawling()
      yield* Engine.pass(20)
      assert.lengthOf(runner.crawls, 0)
      assert.isEmpty(yield* executions)
      yield* stores.pipelines.upsert(Engine.pipeline)
      yield* Engine.pass(11)
      assert.lengthOf(runner.crawls, 1)
    }))

  test("a disabled input executor means no crawl, until it is enabled", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { enabled: false }
      yield* crawling()
      yield* Engine.pass(20)
      assert.lengthOf(runner.crawls, 0)
      runner.input = {}
      yield* Engine.pass(6)
      assert.lengthOf(runner.crawls, 1)
    }))

  test("a pipeline without an executor that can crawl leaves no record", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.hasInput = false
      yield* crawling()
      yield* Engine.pass(20)
      assert.isEmpty(yield* executions)
      assert.isEmpty(yield* documentsOf("locks"))
    }))

  test("vaults come and go: enabled ones are crawled, disabled and deleted ones are not", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* stores.vaults.upsert({ ...Engine.vault, enabled: false })
      yield* crawling({ defaultPollingInterval: Duration.seconds(5) })
      yield* Engine.pass(11)
      assert.lengthOf(runner.crawls, 0)
      yield* stores.vaults.upsert(Engine.vault)
      yield* Engine.pass(6)
      assert.isAtLeast(runner.crawls.length, 1)
      yield* Engine.forget(stores.vaults, Engine.vault.id)
      yield* Engine.pass(5)
      const before = runner.crawls.length
      yield* Engine.pass(20)
      assert.lengthOf(runner.crawls, before)
    }))

  test("two engines crawl once per interval, not twice", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling()
      yield* crawling({ sourceWorkers: 2 })
      yield* Engine.pass(6)
      assert.lengthOf(runner.crawls, 1)
      yield* Engine.pass(60 * 3)
      assert.lengthOf(runner.crawls, 4)
      const saved = yield* checkpoint
      assert.strictEqual(
        saved?.["last_crawl_started_at"],
        at(start + 180_000),
        "the start is stored with the checkpoint"
      )
    }))

  test("a look at a vault that another worker had crawled counts as no crawl", () =>
    Effect.gen(function* () {
      const crawls = Effect.map(Metric.value(Metrics.crawlDuration), ({ count }) => count)
      const before = yield* crawls
      yield* crawling()
      yield* Engine.pass(1)
      yield* crawling()
      yield* Engine.pass(30)
      assert.strictEqual((yield* crawls) - before, 1)
    }))

  test("another input executor begins at once: it has a checkpoint of its own", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { interval: Duration.hours(1) }
      yield* crawling()
      yield* Engine.pass(1)
      runner.input = { interval: Duration.hours(1), id: ExecutorId.make("discover-2") }
      yield* Engine.pass(6)
      assert.lengthOf(runner.crawls, 2)
    }))

  test("two vaults on one pipeline are both crawled, each with its own checkpoint and executions, never at once", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* stores.vaults.upsert({ ...Engine.vault, id: "vault-2" })
      let running = 0
      let most = 0
      runner.crawl = () =>
        Stream.acquireRelease(
          Effect.sync(() => {
            most = Math.max(most, ++running)
          }),
          () => Effect.sync(() => running--)
        ).pipe(Stream.mapEffect(() => Effect.delay(Effect.succeed(batch([document("a.pdf")])), "2 seconds")))
      yield* crawling({ sourceWorkers: 2 })
      yield* crawling({ sourceWorkers: 2 })
      yield* Engine.pass(10)
      assert.lengthOf(runner.crawls, 2)
      assert.strictEqual(most, 1)
      assert.sameMembers(
        (yield* executions).map((each) => each["vault_id"]),
        ["vault-1", "vault-2"]
      )
      assert.sameMembers(
        (yield* documentsOf("checkpoints")).map((each) => each["id"]),
        [checkpointId, `${Engine.pipeline.id}_${inputId}_vault-2`, `${Engine.pipeline.id}_${inputId}`]
      )
      assert.lengthOf(yield* messages, 2)
    }))

  test("one slow source does not delay the vaults of other pipelines (D31)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* stores.pipelines.upsert({ ...Engine.pipeline, id: "second" })
      yield* stores.vaults.upsert({ ...Engine.vault, id: "vault-2", pipeline_id: "second" })
      runner.crawl = takes("1 minute")
      yield* crawling({ sourceWorkers: 2 })
      yield* Engine.pass(1)
      assert.lengthOf(runner.crawls, 2)
    }))

  test("a restart does not crawl before it is due (D25)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* Engine.pass(20)
      yield* Scope.close(scope, Exit.void)
      yield* crawling()
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 1)
      yield* Engine.pass(20)
      assert.lengthOf(runner.crawls, 2)
    }))

  test("a vault query that fails leaves the schedule as it was (D25)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* crawling()
      yield* Engine.pass(1)
      stores.vaults.failNext(unavailable, { operation: "where", times: 30 })
      yield* Engine.pass(125)
      assert.lengthOf(runner.crawls, 3, "still once per interval: neither forgotten nor new")
    }))

  test("a pipeline that can't be read now is crawled as it was known", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* crawling()
      yield* Engine.pass(1)
      stores.pipelines.failNext(unavailable, { operation: "read", times: 12 })
      yield* Engine.pass(65)
      assert.lengthOf(runner.crawls, 2)
    }))

  for (const [name, broken] of [
    ["a pipeline document of the wrong shape", { id: "broken", name: 7 }],
    ["a vault whose pipeline does not exist", undefined]
  ] as const) {
    test(`${name} does not stop the crawls of the others`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const stores = yield* MemoryStores
        if (broken !== undefined) yield* stores.pipelines.upsert(broken)
        yield* stores.vaults.upsert({ ...Engine.vault, id: "vault-0", pipeline_id: "broken" })
        yield* crawling()
        yield* Engine.pass(70)
        assert.lengthOf(runner.crawls, 2)
      }))
  }

  test("a stored start in the far future, from a wrong clock, does not stop the crawls", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* stores.checkpoints.upsert({
        id: checkpointId,
        pipeline_id: Engine.pipeline.id,
        executor_id: inputId,
        vault_id: Engine.vault.id,
        checkpoint_timestamp: at(start - 1_000_000),
        worker_id: "InputSourceWorker-0",
        last_crawl_started_at: at(start + 3_600_000)
      })
      yield* crawling()
      yield* Engine.pass(1)
      assert.lengthOf(runner.crawls, 1)
    }))
})
