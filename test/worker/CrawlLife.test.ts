import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Metric, Option, Scope, Stream, TestClock } from "effect"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { ExecutorId, VaultId } from "../../src/domain/Ids.ts"
import { type ServiceError, Throttled, Unauthorized, Unavailable } from "../../src/domain/ServiceError.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import type { CrawlBatch, Discovered } from "../../src/executor/Executor.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as Metrics from "../../src/worker/Metrics.ts"
import * as ManifestStore from "../../src/worker/outputs/ManifestStore.ts"
import { CrawlLock } from "../../src/store/CrawlLock.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner, inputId } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

/** When the tests begin: not the epoch, which in a checkpoint says that nothing was crawled. */
const start = Date.parse("2026-01-02T10:00:00Z")
/** The storage service's clock runs a little ahead of ours. */
const served = start + 7_000

const unavailable = new Unavailable({ service: "Cosmos DB", operation: "query vaults", message: "the store is away" })
const unauthorized = new Unauthorized({ service: "Storage Queue", operation: "send", message: "no role" })

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(Effect.zipRight(arrange, body())))

const arrange = Effect.gen(function* () {
  yield* TestClock.setTime(start)
  const runner = yield* FakeRunner
  runner.crawl = finds()
})

/** An engine that only crawls. */
const crawling = (settings: Partial<WorkerConfig.EngineSettings> = {}) =>
  Engine.started({
    processingWorkers: 0,
    sourceWorkers: 1,
    schedulerInterval: Duration.seconds(5),
    defaultPollingInterval: Duration.seconds(60),
    ...settings
  })

const document = (name: string, version = "v1"): Discovered => ({ item: Engine.item(name), version })
const batch = (documents: ReadonlyArray<Discovered>, servedAt = served): CrawlBatch => ({ documents, servedAt })
const finds =
  (...documents: ReadonlyArray<Discovered>) =>
  () =>
    Stream.make(batch(documents))
/** A crawl that takes this long and finds nothing. */
const takes = (duration: Duration.DurationInput) => () =>
  Stream.fromEffect(Effect.delay(Effect.succeed(batch([])), duration))

const messages = Effect.map(
  Effect.flatMap(MemoryQueue, (queue) => queue.bodies),
  (bodies) => bodies.map((body) => JSON.parse(body).payload as Record<string, unknown>)
)
const documentsOf = (container: "executions" | "checkpoints" | "locks") =>
  Effect.map(MemoryStores, (stores) => [...stores[container].documents.values()])
const executions = documentsOf("executions")
const checkpointId = `${Engine.pipeline.id}_${inputId}_${Engine.vault.id}`
const checkpoint = Effect.map(MemoryStores, (stores) => stores.checkpoints.documents.get(checkpointId))
const lockId = `pipeline_${Engine.pipeline.id}_lock`
const lock = Effect.map(MemoryStores, (stores) => stores.locks.documents.get(lockId))
const at = (time: number) => Timestamp.format(time)
/** As it is stored, for the UI shows what is there. */
const neverCrawled = null

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

describe("the crawl lock", () => {
  test("only one worker in the fleet crawls a pipeline, also when a crawl takes longer than the interval and the TTL", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { interval: Duration.seconds(5) }
      runner.crawl = takes("100 seconds")
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(95)
      assert.lengthOf(runner.crawls, 1)
      yield* Engine.pass(20)
      assert.lengthOf(runner.crawls, 2, "the next begins when the first has ended")
    }))

  test("the lock has the original's id and fields, names its owner, and is renewed at a third, locked_at included", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = takes("100 seconds")
      yield* crawling({ lockTtl: Duration.seconds(30), workerName: "replica-7" })
      yield* Engine.pass(9)
      const first = yield* lock
      assert.deepInclude(first, {
        id: "pipeline_line_0123abcd_lock",
        pipeline_id: Engine.pipeline.id,
        vault_id: Engine.vault.id,
        locked_at: at(start),
        expires_at: at(start + 30_000),
        ttl: 30
      })
      assert.match(String(first?.["worker_id"]), /^InputSourceWorker-0/)
      assert.match(String(first?.["instance"]), /^replica-7\/[0-9a-f]+$/)
      yield* Engine.pass(2)
      const second = yield* lock
      assert.strictEqual(second?.["locked_at"], at(start + 10_000))
      assert.strictEqual(second?.["expires_at"], at(start + 40_000))
    }))

  test("the release deletes it", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling()
      yield* Engine.pass(1)
      assert.lengthOf(runner.crawls, 1)
      assert.isUndefined(yield* lock)
    }))

  test("a release that fails is tried again", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      stores.locks.failNext(unavailable, { operation: "remove", times: 2 })
      yield* crawling()
      yield* Engine.pass(3)
      assert.lengthOf(runner.crawls, 1)
      assert.isUndefined(yield* lock)
    }))

  const pythonLock = { id: lockId, pipeline_id: Engine.pipeline.id, vault_id: null, worker_id: "InputSourceWorker-0" }
  const written = start - 250_000
  for (const [name, document] of [
    ["ours", { ...pythonLock, instance: "other/1", ttl: 300, locked_at: at(written), expires_at: at(start + 50_000) }],
    [
      "of ours whose clock was a day ahead",
      {
        ...pythonLock,
        instance: "other/1",
        ttl: 300,
        locked_at: at(start + 86_400_000),
        expires_at: at(start + 86_700_000)
      }
    ],
    ["of the Python worker", { ...pythonLock, ttl: 300, locked_at: at(written) }],
    [
      "of a Python worker whose clock was an hour behind",
      { ...pythonLock, ttl: 300, locked_at: at(written - 3_600_000) }
    ]
  ] as const) {
    test(`a lock ${name} is respected until it has expired, then taken over`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const stores = yield* MemoryStores
        yield* TestClock.setTime(written)
        yield* stores.locks.upsert(document)
        yield* TestClock.setTime(start)
        yield* crawling()
        yield* Engine.pass(48)
        assert.lengthOf(runner.crawls, 0)
        yield* Engine.pass(8)
        assert.lengthOf(runner.crawls, 1)
        assert.isUndefined(yield* lock)
      }))
  }

  test("a lost lock interrupts the crawl: its checkpoint stays, the other's lock is left alone", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      const interrupted = yield* Deferred.make<void>()
      runner.crawl = () =>
        Stream.concat(
          Stream.make(batch([document("a.pdf")])),
          Stream.fromEffect(Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
        )
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(5)
      const stolen = {
        ...pythonLock,
        instance: "thief/1",
        locked_at: at(start),
        expires_at: at(start + 600_000),
        ttl: 600
      }
      yield* stores.locks.upsert(stolen)
      yield* Engine.pass(10)
      assert.isTrue(yield* Deferred.isDone(interrupted))
      assert.deepInclude(yield* lock, stolen)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 1, "the thief has it")
    }))

  test("renewals that fail are tried again; one that succeeds in time saves the crawl", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.crawl = takes("60 seconds")
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(5)
      stores.locks.failNext(unavailable, { operation: "patch", times: 3 })
      yield* Engine.pass(60)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))

  for (const [name, renew] of [
    ["never answers", Effect.never],
    ["never succeeds", Effect.fail(unavailable)]
  ] as const) {
    test(`a renewal that ${name} interrupts the crawl before the lock expires`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const locks = yield* CrawlLock
        const interrupted = yield* Deferred.make<void>()
        runner.crawl = () =>
          Stream.fromEffect(Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
        yield* crawling({ lockTtl: Duration.seconds(30) }).pipe(
          Effect.provideService(CrawlLock, CrawlLock.of({ ...locks, renew: () => renew }))
        )
        yield* Engine.pass(29)
        assert.isTrue(yield* Deferred.isDone(interrupted))
      }))
  }

  test("a slow renewal does not shorten the time in which the next must come", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const locks = yield* CrawlLock
      runner.crawl = takes("101 seconds")
      const slow = CrawlLock.of({ ...locks, renew: (held) => Effect.delay(locks.renew(held), "8 seconds") })
      yield* crawling({ lockTtl: Duration.seconds(30) }).pipe(Effect.provideService(CrawlLock, slow))
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(103)
      assert.lengthOf(runner.crawls, 1)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))
})

describe("the tasks", () => {
  test("one task per item, with the original's message and execution", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = finds(document("a.pdf"), document("b.pdf"), document("c.pdf"))
      yield* crawling({ maxTaskRetries: 5 })
      yield* Engine.pass(1)
      const sent = yield* messages
      assert.lengthOf(sent, 3)
      const [first] = sent
      assert.match(String(first?.["task_id"]), /^task_[0-9a-f]{32}$/)
      assert.match(String(first?.["execution_id"]), /^exec_[0-9a-f]{32}$/)
      assert.deepInclude(first, {
        task_type: "content_processing",
        priority: "normal",
        pipeline_id: Engine.pipeline.id,
        pipeline_name: Engine.pipeline.name,
        vault_id: Engine.vault.id,
        content: [Engine.item("a.pdf")],
        executed_input_executor: inputId,
        created_at: at(start),
        retry_count: 0,
        max_retries: 5
      })
      const execution = (yield* executions).find((each) => each["id"] === first?.["execution_id"])
      assert.deepInclude(execution, {
        pipeline_id: Engine.pipeline.id,
        pipeline_name: Engine.pipeline.name,
        vault_id: Engine.vault.id,
        status: "pending",
        status_message: "Task queued for processing with input content of size 1",
        task_id: first?.["task_id"],
        source_worker_id: "InputSourceWorker-0",
        created_by: "InputSourceWorker-0",
        content: [Engine.item("a.pdf")],
        number_of_items: 1,
        created_at: at(start),
        enqueued_at: at(start),
        started_at: null,
        completed_at: null,
        error: null
      })
    }))

  test("items_per_task groups them, across batches", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { itemsPerTask: 2 }
      runner.crawl = () =>
        Stream.make(batch([document("a"), document("b"), document("c")]), batch([document("d"), document("e")]))
      yield* crawling()
      yield* Engine.pass(1)
      const sizes = (yield* messages).map((each) => (each["content"] as ReadonlyArray<unknown>).length)
      assert.deepStrictEqual(sizes, [2, 2, 1])
    }))

  test("a vault that keeps no output keeps bare identifiers of its input (D13)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* stores.vaults.upsert({ ...Engine.vault, save_execution_output: false })
      runner.crawl = finds({ item: Engine.item("a", { text: "long" }), version: "1" })
      yield* crawling()
      yield* Engine.pass(1)
      assert.deepStrictEqual((yield* executions)[0]?.["content"], [{ id: Engine.item("a").id }])
    }))

  test("the same version twice makes one execution and one message; a changed one makes new ones", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = finds(document("a", "v1"), document("b", "v1"))
      yield* crawling()
      yield* Engine.pass(70)
      assert.lengthOf(runner.crawls, 2)
      assert.lengthOf(yield* messages, 2)
      assert.lengthOf(yield* executions, 2)
      runner.crawl = finds(document("a", "v2"), document("b", "v1"))
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 3)
      assert.lengthOf(yield* messages, 3)
      assert.lengthOf(yield* executions, 3)
    }))

  test("an execution whose message the queue refused is enqueued by the next crawl", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const control = yield* MemoryQueue
      runner.crawl = finds(document("a"))
      yield* control.failNext("send", unauthorized)
      yield* crawling()
      yield* Engine.pass(1)
      assert.lengthOf(yield* messages, 0)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* Engine.pass(65)
      assert.lengthOf(yield* messages, 1)
      const queued = (yield* executions).filter((each) => each["task_id"] !== null)
      assert.lengthOf(queued, 1)
      assert.isString(queued[0]?.["enqueued_at"])
    }))

  /** An engine that has created a document's execution and dies while it sends the message. */
  const diesAt = (send: (queue: TaskQueue["Type"], body: string) => Effect.Effect<never, ServiceError>) =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope).pipe(
        Effect.provideService(TaskQueue, TaskQueue.of({ ...queue, send: (body) => send(queue, body) }))
      )
      yield* Engine.pass(1)
      yield* Scope.close(scope, Exit.void)
    })

  test("an execution whose process died before its message was sent is enqueued by the next crawl", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = finds(document("a"))
      yield* diesAt(() => Effect.never)
      assert.lengthOf(yield* executions, 1)
      assert.lengthOf(yield* messages, 0)
      yield* crawling()
      yield* Engine.pass(66)
      assert.lengthOf(yield* executions, 1)
      assert.lengthOf(yield* messages, 1)
    }))

  for (const [what, ...left] of [["replaced", document("a", "v2")], ["removed"]] as const) {
    test(`an execution whose process died before its message was sent goes when the document was ${what} meanwhile`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        runner.crawl = finds(document("a", "v1"))
        yield* diesAt(() => Effect.never)
        assert.lengthOf(yield* executions, 1)
        runner.crawl = finds(...left)
        yield* crawling()
        yield* Engine.pass(66)
        assert.lengthOf(yield* messages, left.length)
        assert.deepStrictEqual(
          (yield* executions).map((execution) => execution["id"]),
          (yield* messages).map((message) => message["execution_id"]),
          "what nobody will ever run does not stay pending"
        )
      }))
  }

  test("an execution that is withdrawn although the queue has its message is run all the same", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = finds(document("a", "v1"))
      yield* diesAt((queue, body) => Effect.zipRight(queue.send(body), Effect.never))
      runner.crawl = finds()
      yield* crawling()
      yield* Engine.pass(66)
      assert.isEmpty(yield* executions)
      yield* Engine.started({ processingWorkers: 1 })
      yield* Engine.pass(5)
      assert.strictEqual((yield* executions)[0]?.["status"], "completed")
    }))

  test("a store that can't be looked through does not fail the crawl; the next look finds the execution", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.crawl = finds(document("a", "v1"))
      yield* diesAt(() => Effect.never)
      runner.crawl = finds()
      stores.executions.failNext(unavailable, { operation: "where" })
      yield* crawling({ lockTtl: Duration.minutes(2) })
      yield* Engine.pass(6)
      assert.isString((yield* checkpoint)?.["last_crawl_completed_at"])
      assert.lengthOf(yield* executions, 1)
      yield* Engine.pass(130)
      assert.isEmpty(yield* executions)
    }))

  test("executions are looked for that way once in LOCK_TTL_SECONDS, and never when the crawl failed", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      let looks = 0
      const { where } = stores.executions
      Object.assign(stores.executions, {
        where: (values: Parameters<typeof where>[0]) => {
          looks++
          return where(values)
        }
      })
      runner.crawl = () => Stream.fail(executorError("Transient", "away"))
      yield* crawling({ lockTtl: Duration.minutes(10) })
      yield* Engine.pass(60)
      assert.strictEqual(looks, 0)
      runner.crawl = finds()
      yield* Engine.pass(3_540)
      assert.isAtLeast(runner.crawls.length, 50)
      assert.isAtLeast(looks, 5)
      assert.isAtMost(looks, 6)
    }))

  test("a queue that is away for a moment does not fail the crawl", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const control = yield* MemoryQueue
      runner.crawl = finds(document("a"))
      yield* control.failNext("send", unavailable)
      yield* control.failNext(
        "send",
        new Throttled({ service: "Storage Queue", operation: "send", message: "busy", retryAfterMillis: 10 })
      )
      yield* crawling()
      yield* Engine.pass(4)
      assert.lengthOf(yield* messages, 1)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))

  test("a task that was started before the crawl could note its message, and waits for its retry, is not sent again", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      runner.crawl = finds(document("a"))
      runner.work = () => Effect.fail(executorError("Transient", "busy", 290_000))
      // The queue takes the message, a worker runs it, and only then the answer arrives.
      const slow = TaskQueue.of({
        ...queue,
        send: (body) => Effect.zipLeft(queue.send(body), Effect.sleep("3 seconds"))
      })
      yield* Engine.started({
        processingWorkers: 1,
        sourceWorkers: 1,
        schedulerInterval: Duration.seconds(20),
        defaultPollingInterval: Duration.seconds(20)
      }).pipe(Effect.provideService(TaskQueue, slow))
      yield* Engine.pass(30)
      assert.isAtLeast(runner.crawls.length, 2)
      assert.strictEqual(runner.runs, 1)
      assert.lengthOf(yield* messages, 1)
    }))
})

describe("the claim check", () => {
  test("a message above the limit refers to its content in a blob", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const blobs = yield* MemoryBlob.MemoryBlob
      const control = yield* MemoryQueue
      runner.crawl = finds({ item: Engine.item("big", { text: "ä".repeat(60_000) }), version: "1" }, document("small"))
      yield* crawling()
      yield* Engine.pass(1)
      for (const body of yield* control.bodies) assert.isAtMost(Buffer.byteLength(body), 64 * 1024)
      const big = (yield* messages).find((each) => each["content_reference"] !== undefined)
      assert.notProperty(big, "content", "a Python worker must not run it on no items")
      const [stored, ...others] = yield* blobs.all
      assert.isEmpty(others)
      assert.deepInclude(big?.["content_reference"], { container: "contentflow-tasks", path: stored?.path })
    }))
})

describe("the checkpoint", () => {
  test("moves only after every item was enqueued, to the start of the listing in the service's clock", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      const gate = yield* Effect.makeLatch(false)
      runner.crawl = () =>
        Stream.make(
          batch([]),
          batch([document("a"), document("b")], served + 4_000),
          batch([document("last.pdf")], served + 9_000)
        )
      const gated = TaskQueue.of({
        ...queue,
        send: (body) => Effect.zipRight(body.includes("last.pdf") ? gate.await : Effect.void, queue.send(body))
      })
      yield* crawling().pipe(Effect.provideService(TaskQueue, gated))
      yield* Engine.pass(3)
      assert.lengthOf(yield* messages, 2)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* gate.open
      yield* Engine.pass(1)
      assert.lengthOf(yield* messages, 3)
      assert.deepInclude(yield* checkpoint, {
        id: checkpointId,
        pipeline_id: Engine.pipeline.id,
        executor_id: inputId,
        vault_id: Engine.vault.id,
        checkpoint_timestamp: at(served),
        worker_id: "InputSourceWorker-0",
        last_crawl_started_at: at(start),
        crawl_interval_seconds: 60
      })
    }))

  test("the next crawl overlaps it by the safety window", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling({ crawlOverlap: Duration.seconds(30) })
      yield* Engine.pass(66)
      assert.deepStrictEqual(runner.crawls.map(Option.getOrNull), [null, served - 30_000])
    }))

  test("a listing that never said when it began leaves it, since nobody knows the service's clock", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.empty
      yield* crawling()
      yield* Engine.pass(66)
      assert.lengthOf(runner.crawls, 2)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
    }))

  test("without an overlap a crawl looks back to the second in which the last one began, and groups repeat nothing", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { itemsPerTask: 2 }
      const early = { ...document("early.pdf"), modifiedAt: served }
      const late = { ...document("late.pdf"), modifiedAt: served }
      runner.crawl = finds(early)
      yield* crawling({ crawlOverlap: Duration.zero })
      yield* Engine.pass(1)
      runner.crawl = finds(early, late)
      yield* Engine.pass(65)
      assert.deepStrictEqual(runner.crawls.map(Option.getOrNull), [null, served - 1])
      assert.deepStrictEqual(
        (yield* messages).map(({ content }) =>
          (content as ReadonlyArray<{ id: { filename: string } }>).map(({ id }) => id.filename)
        ),
        [["early.pdf"], ["late.pdf"]]
      )
    }))

  test("documents in the archive tier are told once, and looked for until they are back or gone", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const asked: Array<ReadonlyArray<boolean>> = []
      const names = ["a.pdf", "b.pdf", "c.pdf"]
      const rounds: Array<CrawlBatch> = [
        { ...batch([]), waiting: ["a.pdf", "b.pdf"] },
        { ...batch([]), waiting: ["a.pdf", "b.pdf"] },
        { ...batch([document("a.pdf")]), waiting: ["c.pdf"] },
        batch([])
      ]
      runner.crawl = (_, __, isWaiting) => {
        asked.push(names.map((name) => isWaiting?.(name) ?? false))
        return Stream.make(rounds[asked.length - 1] ?? batch([]))
      }
      yield* crawling()
      yield* Engine.pass(60 * 3 + 5)
      assert.deepStrictEqual(asked, [
        [false, false, false],
        [true, true, false],
        [true, true, false],
        [false, true, true]
      ])
      const told = (yield* executions).filter(({ status }) => status === "failed").map(({ error }) => String(error))
      assert.lengthOf(told, 2)
      assert.match(told[0] ?? "", /2 documents are in the archive tier.*a\.pdf, b\.pdf/)
      assert.match(told[1] ?? "", /1 more document is in the archive tier.*c\.pdf/)
      assert.lengthOf(yield* messages, 1)
    }))

  for (const [name, rounds, expected] of [
    [
      "is looked for until a listing from its beginning to its end misses it",
      [{ ...batch([document("a.pdf")]), continuation: "a" }, batch([document("c.pdf")]), batch([])],
      [true, true, true, false]
    ],
    [
      "is looked for until a listing gives it, though a limit cuts that one",
      [
        { ...batch([document("a.pdf")]), continuation: "a" },
        { ...batch([document("b.pdf")]), continuation: "b" }
      ],
      [true, true, false, false]
    ],
    [
      "is looked for until a listing finds it archived still, and then like all that were found so",
      [{ ...batch([]), waiting: ["b.pdf"], continuation: "b" }, batch([document("b.pdf")])],
      [true, true, false, false]
    ]
  ] as const) {
    test(`a document that its task found in the archive tier ${name}`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const asked: Array<boolean> = []
        runner.crawl = (_, __, isWaiting) => {
          asked.push(isWaiting?.("b.pdf") ?? false)
          return Stream.make(rounds[asked.length - 1] ?? batch([]))
        }
        yield* Effect.flatMap(ManifestStore.ManifestStore, ({ revisit }) =>
          revisit(VaultId.make(Engine.vault.id), "b.pdf", "archived")
        ).pipe(Effect.provide(Layer.provide(ManifestStore.layer, WorkerConfig.layerWith({}))))
        yield* crawling({ visibilityTimeout: Duration.seconds(60) })
        yield* Engine.pass(60 * 3 + 5)
        assert.deepStrictEqual(asked, [...expected])
      }))
  }

  test("one of the original is taken over when its vault is ours: the crawl goes on where it was", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      const original = {
        id: `${Engine.pipeline.id}_${inputId}`,
        pipeline_id: Engine.pipeline.id,
        executor_id: inputId,
        vault_id: Engine.vault.id,
        checkpoint_timestamp: "2026-01-01T00:00:00.123456+00:00",
        worker_id: "InputSourceWorker-1"
      }
      yield* stores.checkpoints.upsert(original)
      yield* stores.vaults.upsert({ ...Engine.vault, id: "vault-2" })
      yield* crawling()
      yield* Engine.pass(1)
      const looked = runner.crawls.map(Option.getOrNull)
      assert.sameMembers(looked, [Date.parse("2026-01-01T00:00:00Z") - 1, null], "all of that second")
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
      assert.deepInclude(
        stores.checkpoints.documents.get(original.id),
        { ...original, worker_id: "InputSourceWorker-0", checkpoint_timestamp: at(served) },
        "the original's own moves, so that its fleet would go on where we are"
      )
    }))

  test("one of the original is no further looked back from, also when the first crawl after it fails", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      const taken = start - 3_600_000
      yield* stores.checkpoints.upsert({
        id: `${Engine.pipeline.id}_${inputId}`,
        pipeline_id: Engine.pipeline.id,
        executor_id: inputId,
        vault_id: Engine.vault.id,
        checkpoint_timestamp: at(taken),
        worker_id: "InputSourceWorker-1"
      })
      runner.crawl = () => Stream.fail(executorError("Transient", "listing failed"))
      yield* crawling({ crawlOverlap: Duration.seconds(30) })
      yield* Engine.pass(1)
      runner.crawl = finds()
      yield* Engine.pass(124)
      assert.deepStrictEqual(runner.crawls.map(Option.getOrNull), [taken - 1, taken - 1, served - 30_000])
    }))

  test("a failed crawl leaves it, and what was enqueued is not enqueued again (D22)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling()
      yield* Engine.pass(1)
      runner.crawl = () =>
        Stream.concat(
          Stream.make(batch([document("a")], served + 60_000)),
          Stream.fail(executorError("Transient", "listing failed"))
        )
      yield* Engine.pass(64)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
      assert.lengthOf(yield* messages, 1)
      runner.crawl = finds(document("a"), document("b"))
      yield* Engine.pass(60)
      assert.lengthOf(yield* messages, 2)
    }))

  test("an error while reading it is no reason for a full crawl (D22)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      stores.checkpoints.failNext(unavailable, { operation: "read", times: 1_000 })
      yield* crawling()
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 0)
    }))

  test("a crawl that finds nothing writes no execution, ever (D17, D18)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling()
      yield* Engine.pass(190)
      assert.lengthOf(runner.crawls, 4)
      assert.isEmpty(yield* executions)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))
})

describe("a listing that a limit cuts", () => {
  /** Two documents a crawl, in their order; `names` may grow. */
  const listing =
    (names: ReadonlyArray<string>, limit = 2) =>
    (_: unknown, continuation: Option.Option<string>) => {
      const from = Option.match(continuation, { onNone: () => 0, onSome: (last) => names.indexOf(last) + 1 })
      const found = names.slice(from, from + limit)
      const served_ = served + 60_000 * from
      return Stream.make(
        batch([], served_),
        from + limit < names.length
          ? {
              ...batch(
                found.map((name) => document(name)),
                served_
              ),
              continuation: String(found.at(-1))
            }
          : batch(
              found.map((name) => document(name)),
              served_
            )
      )
    }
  const queued = Effect.map(messages, (all) =>
    all.map(({ content }) => (content as ReadonlyArray<ReturnType<typeof Engine.item>>).map(({ id }) => id.filename))
  )

  test("leaves the checkpoint, is gone on with by the next crawls, and moves it to where the first of them began (D30)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = listing(["a", "b", "c", "d", "e"])
      yield* crawling()
      yield* Engine.pass(1)
      assert.deepStrictEqual((yield* queued).flat(), ["a", "b"])
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* Engine.pass(64)
      assert.deepStrictEqual((yield* queued).flat(), ["a", "b", "c", "d"])
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* Engine.pass(60)
      assert.deepStrictEqual((yield* queued).flat(), ["a", "b", "c", "d", "e"])
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 4)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
      assert.lengthOf(yield* queued, 5)
    }))

  test("is gone on with by another worker, also after a crawl in between failed", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = listing(["a", "b", "c"])
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* Engine.pass(1)
      runner.crawl = () => Stream.fail(executorError("Transient", "listing failed"))
      yield* Engine.pass(64)
      yield* Scope.close(scope, Exit.void)
      runner.crawl = listing(["a", "b", "c"])
      yield* crawling()
      yield* Engine.pass(60)
      assert.deepStrictEqual((yield* queued).flat(), ["a", "b", "c"])
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))
})

describe("groups of documents", () => {
  const groups = Effect.map(messages, (all) =>
    all.map(({ content }) =>
      (content as ReadonlyArray<ReturnType<typeof Engine.item>>).map(({ id }) => id.filename).join("")
    )
  )
  const changed = (name: string, modifiedAt: number, version = "v1"): Discovered => ({
    ...document(name, version),
    modifiedAt
  })

  test("do not shift when the next crawl overlaps: what is queued is left out", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { itemsPerTask: 2 }
      runner.crawl = finds(changed("a", served - 40_000), changed("b", served - 20_000), changed("c", served - 10_000))
      yield* crawling({ crawlOverlap: Duration.seconds(30) })
      yield* Engine.pass(1)
      // The second crawl sees the last 30 seconds before the first again, and what came since.
      runner.crawl = () =>
        Stream.make(
          batch(
            [
              changed("aa", served + 5_000),
              changed("b", served - 20_000),
              changed("c", served - 10_000),
              changed("d", served + 9_000)
            ],
            served + 60_000
          )
        )
      yield* Engine.pass(64)
      assert.deepStrictEqual(yield* groups, ["ab", "c", "aad"])
      runner.crawl = () =>
        Stream.make(batch([changed("b", served + 70_000, "v2"), changed("e", served + 71_000)], served + 120_000))
      yield* Engine.pass(60)
      assert.deepStrictEqual(yield* groups, ["ab", "c", "aad", "be"], "a changed one is queued again")
    }))

  test("do not shift after a crawl that failed half way", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { itemsPerTask: 2 }
      runner.crawl = () =>
        Stream.concat(
          Stream.make(batch([changed("a", start), changed("b", start)])),
          Stream.fail(executorError("Transient", "listing failed"))
        )
      yield* crawling()
      yield* Engine.pass(1)
      runner.crawl = finds(changed("0", start + 9), changed("a", start), changed("b", start), changed("c", start))
      yield* Engine.pass(64)
      assert.deepStrictEqual(yield* groups, ["ab", "0c"])
    }))

  test("of a source that tells no times are queued whole", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { itemsPerTask: 2 }
      runner.crawl = finds(document("a"), document("b"), document("c"))
      yield* crawling()
      yield* Engine.pass(64)
      assert.lengthOf(runner.crawls, 2)
      assert.deepStrictEqual(yield* groups, ["ab", "c"], "the same groups are the same executions")
    }))
})

describe("a crawl that fails", () => {
  test("does not fail because its checkpoint could not be read or written for a moment", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.crawl = finds(document("a"))
      stores.checkpoints.failNext(unavailable, { operation: "upsert", times: 2 })
      yield* crawling()
      yield* Engine.pass(5)
      stores.checkpoints.failNext(unavailable, { times: 2 })
      yield* Engine.pass(65)
      assert.lengthOf(runner.crawls, 2)
      assert.deepStrictEqual(
        (yield* executions).map(({ status }) => status),
        ["pending"],
        "the document's, and no failed crawl"
      )
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))

  test("is recorded once for each error, as a failed execution without a stack trace (D18, D47)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const fails = (message: string) => () => Stream.fail(executorError("Setting", message))
      runner.crawl = fails("The container docs does not exist.")
      yield* crawling()
      yield* Engine.pass(190)
      assert.lengthOf(runner.crawls, 4)
      const [failure, ...others] = yield* executions
      assert.isEmpty(others)
      assert.deepInclude(failure, {
        pipeline_id: Engine.pipeline.id,
        pipeline_name: Engine.pipeline.name,
        vault_id: Engine.vault.id,
        status: "failed",
        status_message: "Execution failed. View error for details.",
        task_id: null,
        content: null,
        number_of_items: null,
        source_worker_id: "InputSourceWorker-0",
        created_at: at(start),
        completed_at: at(start),
        error: "The container docs does not exist."
      })
      runner.crawl = fails("Access denied.")
      yield* Engine.pass(60)
      assert.lengthOf(yield* executions, 2)
    }))

  test("is recorded again when a crawl succeeded in between, by whichever worker", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const fails = () => Stream.fail(executorError("Setting", "The container docs does not exist."))
      runner.crawl = fails
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* Engine.pass(125)
      assert.lengthOf(runner.crawls, 3)
      assert.lengthOf(yield* executions, 1)
      runner.crawl = () => Stream.empty
      yield* Engine.pass(60)
      runner.crawl = fails
      yield* Engine.pass(60)
      yield* Scope.close(scope, Exit.void)
      yield* crawling()
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 6)
      assert.lengthOf(yield* executions, 2)
    }))

  for (const [name, interval, others] of [
    ["at every interval of a minute", 60, 0],
    ["at every interval of a minute, in a fleet of three", 60, 2],
    ["once in an hour", 3_600, 0]
  ] as const) {
    test(`goes on failing ${name}: its record is never older than ten minutes, and counts`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const stores = yield* MemoryStores
        runner.input = { interval: Duration.seconds(interval) }
        runner.crawl = () => Stream.fail(executorError("Setting", "The container docs does not exist."))
        yield* Effect.repeatN(crawling(), others)
        for (let minute = 10; minute <= 60; minute += 10) {
          yield* Engine.pass(600)
          const [record, second] = yield* executions
          assert.isUndefined(second, "one record")
          const created = Option.getOrThrow(Timestamp.parse(record?.["created_at"]))
          assert.isAtLeast(created, start + (minute - 10) * 60_000, `minute ${minute}`)
          assert.strictEqual(record?.["failing_since"], at(start))
          assert.strictEqual(record?.["completed_at"], record?.["created_at"])
          const count = Number(record?.["failures"])
          assert.isAtLeast(count, interval === 60 ? minute - 9 : 1)
          assert.isAtMost(count, runner.crawls.length)
        }
        assert.match(
          String((yield* executions)[0]?.["status_message"]),
          interval === 60
            ? /^Execution failed \d\d times since 2026-01-02T10:00:00/
            : /^Execution failed( 2 times)? since /
        )
        const before = (yield* executions)[0]
        yield* stores.vaults.upsert({ ...Engine.vault, enabled: false })
        yield* Engine.pass(1_200)
        assert.strictEqual((yield* executions)[0]?.["_etag"], before?.["_etag"], "nobody asks for it any more")
      }))
  }

  test("is not told any longer when the vault is crawled again", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { interval: Duration.hours(1) }
      runner.crawl = () => Stream.fail(executorError("Setting", "The container docs does not exist."))
      yield* crawling()
      yield* Engine.pass(3_500)
      runner.crawl = finds()
      yield* Engine.pass(200)
      const [record] = yield* executions
      yield* Engine.pass(1_800)
      assert.strictEqual((yield* executions)[0]?.["_etag"], record?.["_etag"])
    }))

  test("for its definition's sake is renewed as long as that is wrong", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.invalid = "There is no executor of the type nothing."
      yield* crawling()
      yield* Engine.pass(1_800)
      const [record, second] = yield* executions
      assert.isUndefined(second)
      assert.isAtLeast(Option.getOrThrow(Timestamp.parse(record?.["created_at"])), start + 1_200_000)
      assert.match(String(record?.["status_message"]), /^Execution failed since 2026-01-02T10:00:00/)
    }))

  test("and never succeeded shows no checkpoint to the API, and no time of the last century", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.crawl = () => Stream.fail(executorError("Setting", "The container docs does not exist."))
      yield* crawling()
      yield* Engine.pass(70)
      assert.isEmpty(yield* stores.checkpoints.where({ vault_id: Engine.vault.id }))
      assert.notInclude(JSON.stringify(yield* documentsOf("checkpoints")), "1970-")
      assert.lengthOf(runner.crawls, 2, "and its interval is kept")
      runner.crawl = finds()
      yield* Engine.pass(60)
      const shown = yield* stores.checkpoints.where({ vault_id: Engine.vault.id })
      assert.isTrue(shown.every((each) => each["checkpoint_timestamp"] === at(served)))
      assert.lengthOf(shown, 2)
    }))

  test("keeps the interval, with any number of workers", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.fail(executorError("Setting", "The container docs does not exist."))
      yield* crawling()
      yield* crawling()
      yield* Engine.pass(55)
      assert.lengthOf(runner.crawls, 1)
    }))

  test("is recorded again after somebody edited the pipeline", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.crawl = () => Stream.fail(executorError("Setting", "The container docs does not exist."))
      yield* crawling()
      yield* Engine.pass(1)
      yield* stores.pipelines.upsert({ ...Engine.pipeline, yaml: "pipeline: {name: edited}" })
      yield* Engine.pass(65)
      assert.lengthOf(yield* executions, 2)
    }))

  test("because its executor dies is recorded too, and the worker lives on", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.die(new TypeError("undefined is not a function"))
      const engine = yield* crawling()
      yield* Engine.pass(1)
      const [failure] = yield* executions
      assert.include(String(failure?.["error"]), "undefined is not a function")
      assert.notInclude(String(failure?.["error"]), "    at ")
      const [worker] = (yield* engine.status).source.workers
      assert.strictEqual(worker?.restarts, 0)
      runner.crawl = finds(document("a"))
      yield* Engine.pass(65)
      assert.lengthOf(yield* messages, 1)
    }))

  test("because its pipeline is invalid is recorded once, not at each look", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.invalid = "line 3, column 5: unknown type"
      yield* crawling()
      yield* Engine.pass(1)
      assert.lengthOf(yield* executions, 1)
      assert.include(String((yield* executions)[0]?.["error"]), "line 3, column 5")
      stores.executions.failNext(unavailable)
      yield* Engine.pass(60)
      assert.instanceOf(
        yield* Effect.flip(stores.executions.read("any")),
        Unavailable,
        "nobody has called it meanwhile"
      )
      assert.lengthOf(yield* executions, 1)
    }))

  test("and could not be recorded is recorded at the next look", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.invalid = "line 3, column 5: unknown type"
      stores.executions.failNext(unavailable, { operation: "create" })
      yield* crawling()
      yield* Engine.pass(1)
      assert.isEmpty(yield* executions)
      yield* Engine.pass(5)
      assert.lengthOf(yield* executions, 1)
    }))

  test("because its pipeline's document has the wrong shape is recorded with what is wrong", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      yield* stores.pipelines.upsert({ id: Engine.pipeline.id, name: 7, yaml: "" })
      yield* crawling()
      yield* Engine.pass(1)
      const [failure] = yield* executions
      assert.strictEqual(failure?.["status"], "failed")
      assert.strictEqual(failure?.["pipeline_name"], Engine.pipeline.id)
      assert.include(String(failure?.["error"]), "name")
    }))

  test("because its source hangs is given up and recorded", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.never
      yield* crawling({ schedulerInterval: Duration.seconds(60) })
      yield* Engine.pass(121)
      assert.include(String((yield* executions)[0]?.["error"]), "gave nothing for 2m")
      assert.isUndefined(yield* lock)
    }))

  test("does not keep the other vaults of its pipeline from being crawled", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* stores.vaults.upsert({ ...Engine.vault, id: "vault-2" })
      runner.crawl = () =>
        runner.crawls.length === 1 ? Stream.fail(executorError("Setting", "first")) : finds(document("a"))()
      yield* crawling()
      yield* Engine.pass(1)
      assert.lengthOf(yield* messages, 1)
    }))
})

describe("shutdown during a crawl", () => {
  test("interrupts it, gives the lock back and leaves the checkpoint (D20)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.concat(Stream.make(batch([document("a")])), Stream.never)
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* Engine.pass(5)
      assert.isDefined(yield* lock)
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(yield* lock)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
    }))

  test("lets another worker crawl at once, not an interval later", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { interval: Duration.hours(1) }
      runner.crawl = () => Stream.concat(Stream.make(batch([document("a")])), Stream.never)
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* crawling()
      yield* Engine.pass(5)
      assert.lengthOf(runner.crawls, 1)
      runner.crawl = finds(document("a"), document("b"))
      yield* Scope.close(scope, Exit.void)
      yield* Engine.pass(6)
      assert.lengthOf(runner.crawls, 2)
      assert.lengthOf(yield* messages, 2)
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 2, "and then once per interval")
    }))

  test("after a death the crawl is taken over when the lock expires, and not before", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const locks = yield* CrawlLock
      runner.input = { interval: Duration.hours(1) }
      runner.crawl = () => Stream.never
      const scope = yield* Scope.make()
      // What a dead process leaves: its lock, and a crawl that began.
      yield* Scope.extend(crawling({ lockTtl: Duration.seconds(30) }), scope).pipe(
        Effect.provideService(CrawlLock, CrawlLock.of({ ...locks, release: () => Effect.void }))
      )
      yield* Engine.pass(1)
      yield* Scope.close(scope, Exit.void)
      runner.crawl = finds(document("a"))
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(25)
      assert.lengthOf(runner.crawls, 1)
      yield* Engine.pass(10)
      assert.lengthOf(runner.crawls, 2)
      assert.lengthOf(yield* messages, 1)
    }))

  test("a crawl whose lock was lost is taken over by the one who has it", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const locks = yield* CrawlLock
      runner.input = { interval: Duration.hours(1) }
      runner.crawl = () => (runner.crawls.length === 1 ? Stream.never : finds(document("a"))())
      yield* crawling({ lockTtl: Duration.seconds(30) }).pipe(
        Effect.provideService(CrawlLock, CrawlLock.of({ ...locks, renew: () => Effect.fail(unavailable) }))
      )
      yield* Engine.pass(50)
      assert.lengthOf(runner.crawls, 2)
      assert.lengthOf(yield* messages, 1)
    }))

  const stops = (scope: Scope.CloseableScope, seconds: number) =>
    Effect.gen(function* () {
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Engine.pass(seconds)
      return Option.isSome(yield* Fiber.poll(closing))
    })

  test("does not wait for a lock whose release never answers: it expires", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const locks = yield* CrawlLock
      runner.crawl = () => Stream.never
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope).pipe(
        Effect.provideService(CrawlLock, CrawlLock.of({ ...locks, release: () => Effect.never }))
      )
      yield* Engine.pass(1)
      assert.isTrue(yield* stops(scope, 10))
    }))

  test("does not wait for a lock that is being acquired and gives it back when it comes", () =>
    Effect.gen(function* () {
      const locks = yield* CrawlLock
      const scope = yield* Scope.make()
      const slow = CrawlLock.of({ ...locks, acquire: (...call) => Effect.delay(locks.acquire(...call), "20 seconds") })
      yield* Scope.extend(crawling(), scope).pipe(Effect.provideService(CrawlLock, slow))
      yield* Engine.pass(1)
      assert.isTrue(yield* stops(scope, 10))
      yield* Engine.pass(15)
      assert.isUndefined(yield* lock)
    }))

  test("does not wait for an executor that ignores its interruption", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.fromEffect(Effect.uninterruptible(Effect.never))
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* Engine.pass(1)
      assert.isTrue(yield* stops(scope, 20))
    }))
})
