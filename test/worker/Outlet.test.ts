import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Metric, type Scope, Stream, TestClock } from "effect"
import {
  cosmosDb,
  folderDatabase,
  Invalid,
  type ServiceError,
  Unauthorized,
  Unavailable
} from "../../src/domain/ServiceError.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as Metrics from "../../src/worker/Metrics.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const start = Date.parse("2026-01-02T10:00:00Z")
const refused = new Unauthorized({ service: "Storage Queue", operation: "send", message: "no role" })
const cut = new Unavailable({ service: "Storage Queue", operation: "send", message: "the connection was cut" })

const vaults = 5

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () =>
    Engine.withInstallation(
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const stores = yield* MemoryStores
        const runner = yield* FakeRunner
        for (let i = 2; i <= vaults; i++) {
          yield* stores.pipelines.upsert({ ...Engine.pipeline, id: `line-${i}` })
          yield* stores.vaults.upsert({ ...Engine.vault, id: `vault-${i}`, pipeline_id: `line-${i}` })
        }
        let round = 0
        runner.crawl = () => {
          round++
          const documents = Array.from({ length: 40 }, (_, i) => ({
            item: Engine.item(`${round}-${i}.pdf`),
            version: "v1"
          }))
          return Stream.make({ documents, servedAt: start + 1_000 })
        }
        yield* body()
      })
    )
  )

const crawling = Engine.started({
  sourceWorkers: 2,
  processingWorkers: 0,
  schedulerInterval: Duration.seconds(1),
  defaultPollingInterval: Duration.seconds(3)
})

const refuse = (operation: "send" | "stats", error: ServiceError) =>
  Effect.flatMap(MemoryQueue, (queue) => Effect.repeatN(queue.failNext(operation, error), 4_000))

type Container = "vaults" | "pipelines" | "locks" | "checkpoints" | "executions"
const containers: ReadonlyArray<Container> = ["vaults", "pipelines", "locks", "checkpoints", "executions"]
const most = 2_000

/** Every call of these containers fails from now on, `most` times. */
const storeRefuses = (these: ReadonlyArray<Container>, error: ServiceError) =>
  Effect.map(MemoryStores, (stores) => these.forEach((one) => stores[one].failNext(error, { times: most })))

/** How many calls failed since; none fails after this. */
const storeRefused = (these: ReadonlyArray<Container>) =>
  Effect.flatMap(MemoryStores, (stores) =>
    Effect.reduce(these, 0, (sum, one) =>
      Effect.map(
        Effect.iterate(0, {
          while: (left) => left % 1 === 0,
          body: (left) =>
            Effect.match(stores[one].read("probe"), { onFailure: () => left + 1, onSuccess: () => left + 0.5 })
        }),
        (left) => sum + most - Math.floor(left)
      )
    )
  )

const executions = Effect.map(MemoryStores, (stores) => stores.executions.documents.size)

describe("while the queue takes no messages", () => {
  for (const [name, operations] of [
    ["refuses everything", ["send", "stats"]],
    ["can be read and not written", ["send"]]
  ] as const) {
    test(`and ${name}, vaults are not listed, nor executions created, at every interval`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const stores = yield* MemoryStores
        for (const operation of operations) yield* refuse(operation, refused)
        yield* crawling
        yield* Engine.pass(600)
        assert.isAtMost(runner.crawls.length, 2 * 20, "without the valve: 1,000")
        assert.isAtMost(yield* executions, 2 * 20 * 17)
        assert.strictEqual((yield* Metric.value(Metrics.outletClosed)).value, 1)
        const failures = [...stores.executions.documents.values()].filter(({ task_id }) => task_id === null)
        assert.isAtLeast(failures.length, 1, "and it is recorded")
      }))
  }

  test("and cuts connections, crawls begin again when it is back, with all that they found", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* MemoryQueue
      yield* Effect.repeatN(queue.failNext("send", cut), 200)
      yield* Effect.repeatN(queue.failNext("stats", cut), 2)
      yield* crawling
      yield* Engine.pass(300)
      const before = runner.crawls.length
      yield* Engine.pass(30)
      assert.isAtLeast(runner.crawls.length - before, 2 * vaults, "at their intervals")
      assert.strictEqual((yield* Metric.value(Metrics.outletClosed)).value, 0)
    }))

  test("a message that it refuses for its own sake stops no other vault", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* MemoryQueue
      const invalid = new Invalid({ service: "Storage Queue", operation: "send", message: "no", reason: "TooLarge" })
      yield* Effect.repeatN(queue.failNext("send", invalid), 20)
      runner.crawl = () =>
        Stream.make({ documents: [{ item: Engine.item("a.pdf"), version: "v1" }], servedAt: start + 1_000 })
      yield* crawling
      yield* Engine.pass(60)
      assert.isAtLeast(runner.crawls.length, 15 * vaults)
      assert.strictEqual((yield* Metric.value(Metrics.outletClosed)).value, 0)
    }))

  for (const [name, perPipeline] of [
    ["one vault", 1],
    ["three vaults", 3]
  ] as const) {
    test(`and cuts connections, a crawl repeats the call of one message alone, in a pipeline of ${name}`, () =>
      Effect.gen(function* () {
        const stores = yield* MemoryStores
        const queue = yield* MemoryQueue
        for (let i = 1; i < perPipeline; i++) {
          yield* stores.vaults.upsert({ ...Engine.vault, id: `beside-${i}`, pipeline_id: "line-2" })
        }
        const planned = 1_000
        yield* Effect.repeatN(queue.failNext("send", cut), planned - 1)
        yield* refuse("stats", cut)
        yield* crawling
        yield* Engine.pass(60)
        const { send } = yield* TaskQueue
        const left = yield* Effect.iterate(0, {
          while: (count) => count >= 0 && count < planned,
          body: (count) => Effect.match(send("probe"), { onFailure: () => count + 1, onSuccess: () => -count - 1 })
        })
        const calls = planned - (-left - 1)
        assert.isAtMost(calls, 2 * 16 + 12, "without that: 7 calls of each of 16 messages, in each vault")
        assert.isAtLeast(calls, 16)
      }))
  }
})

const noRole = new Unauthorized({ service: cosmosDb, operation: "create", message: "no role" })
const noAccess = new Unauthorized({ service: folderDatabase, operation: "create", message: "read-only" })

describe("while the store of executions and locks", () => {
  for (const [name, these, error] of [
    ["refuses everything", containers, noRole],
    ["can be read and not written", ["locks"] as const, noRole],
    ["takes locks and no executions", ["executions"] as const, noRole],
    ["is a folder's database and takes locks alone", ["executions"] as const, noAccess]
  ] as const) {
    test(`${name}, it is not asked for every vault at every interval`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        yield* crawling
        yield* Engine.pass(5)
        const crawled = runner.crawls.length
        yield* storeRefuses(these, error)
        yield* Engine.pass(600)
        assert.isAtMost(runner.crawls.length - crawled, 80, "without the valve: 1,000")
        assert.strictEqual((yield* Metric.value(Metrics.crawlStoreClosed)).value, 1)
        assert.isAtMost(yield* storeRefused(these), 600, "without the valve: five a second and more")
        const before = runner.crawls.length
        yield* Engine.pass(60)
        assert.isAtLeast(runner.crawls.length - before, 2 * vaults, "and it heals by itself")
        assert.strictEqual((yield* Metric.value(Metrics.crawlStoreClosed)).value, 0)
      }))
  }

  test("is shortly away, the vaults are crawled within seconds of its return", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* crawling
      yield* Engine.pass(10)
      stores.vaults.failNext(noRole, { times: 2 })
      yield* Engine.pass(3)
      const before = runner.crawls.length
      yield* Engine.pass(10)
      assert.isAtLeast(runner.crawls.length - before, 2 * vaults)
      assert.strictEqual((yield* Metric.value(Metrics.crawlStoreClosed)).value, 0)
    }))
})
