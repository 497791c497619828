import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Exit, Option, Scope, Stream } from "effect"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import {
  start,
  served,
  unavailable,
  test,
  crawling,
  document,
  finds,
  messages,
  documentsOf,
  executions,
  checkpoint,
  lock,
  at
} from "../support/Crawls.ts"

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
