import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { executionIdOf } from "../../src/domain/Ids.ts"
import type { Content } from "../../src/domain/Content.ts"
import { Departure, type RunFacts } from "../../src/executor/RunFacts.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as Metrics from "../../src/worker/Metrics.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const replaced = Departure.Replaced({ etag: "0x2", changedAt: 1_767_225_600_000, size: 9, contentType: "text/plain" })

/** A pipeline whose reader finds these documents departed. */
const departing =
  (departures: Readonly<Record<string, Departure>>) => (items: ReadonlyArray<Content>, facts?: RunFacts) =>
    Effect.sync(() => {
      const departed = (item: Content) => {
        const departure = departures[item.id?.canonical_id ?? ""]
        if (departure !== undefined) facts?.departures?.set(item.id?.canonical_id ?? "", departure)
        return departure !== undefined
      }
      return items.filter((item) => !departed(item))
    })

const test = (name: string, body: Effect.Effect<void, unknown, Engine.Installation>) =>
  it.effect(name, () => Engine.withInstallation(body))

const bodies = Effect.flatMap(MemoryQueue, (queue) => queue.bodies)
const poison = Effect.flatMap(MemoryQueue, (queue) => queue.poison)
const executions = Effect.map(MemoryStores, (stores) => [...stores.executions.documents.values()])

describe("documents that are gone or replaced when their turn comes", () => {
  test(
    "a deleted one ends its execution with the reason, without an alarm",
    Effect.scoped(
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const before = (yield* Metric.value(Metrics.departed.Gone)).count
        const rejected = (yield* Metric.value(Metrics.outcomes.Rejected)).count
        runner.work = departing({ "doc-1": Departure.Gone() })
        yield* Engine.enqueue(1)
        yield* Engine.started()
        yield* Engine.pass(1)
        const execution = yield* Engine.executionOf(1)
        assert.strictEqual(execution?.["status"], "completed")
        assert.isNull(execution?.["error"])
        assert.match(String(execution?.["status_message"]), /Nothing was left to process: doc-1 was deleted/)
        assert.strictEqual(execution?.["number_of_items"], 1, "which document it was")
        assert.isEmpty(yield* poison)
        assert.isEmpty(yield* bodies)
        assert.strictEqual((yield* Metric.value(Metrics.departed.Gone)).count - before, 1)
        assert.strictEqual((yield* Metric.value(Metrics.outcomes.Rejected)).count, rejected)
      })
    )
  )

  test(
    "one that was archived ends its execution with the reason, without an alarm",
    Effect.scoped(
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        runner.work = departing({ "doc-1": Departure.Archived() })
        yield* Engine.enqueue(1)
        yield* Engine.started()
        yield* Engine.pass(1)
        const execution = yield* Engine.executionOf(1)
        assert.strictEqual(execution?.["status"], "completed")
        assert.match(String(execution?.["status_message"]), /doc-1 was moved to the archive tier after it was found/)
        assert.isEmpty(yield* poison)
        assert.isEmpty(yield* bodies)
      })
    )
  )

  test(
    "a replaced one is left to the task of its new version, which there is at once, and only once",
    Effect.scoped(
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const seen: Array<ReadonlyArray<unknown>> = []
        runner.work = (items, facts) => {
          const etag = facts?.documents?.get("doc-1")?.etag ?? null
          seen.push([facts?.executionId, etag, items[0]?.id?.metadata?.["size"]])
          return etag === "0x2" ? Effect.succeed(items) : departing({ "doc-1": replaced })(items, facts)
        }
        yield* Engine.enqueue(1, { etags: ["0x1"] })
        yield* Engine.enqueue(2, { content: [Engine.item("doc-1")], etags: ["0x1"] })
        yield* Engine.started({ processingWorkers: 1 })
        yield* Engine.pass(2)
        const ours = executionIdOf({
          vaultId: "vault-1" as never,
          pipelineId: Engine.pipeline.id as never,
          items: ["doc-1"],
          versions: ["0x2"]
        })
        assert.deepStrictEqual(
          seen.filter(([, etag]) => etag === "0x2"),
          [[ours, "0x2", 9]]
        )
        assert.match(String((yield* Engine.executionOf(1))?.["status_message"]), /was replaced after it was found/)
        assert.deepStrictEqual(
          (yield* executions).map((each) => each["status"]),
          ["completed", "completed", "completed"]
        )
        assert.isEmpty(yield* poison)
        assert.isEmpty(yield* bodies)
      })
    )
  )

  test(
    "of a group, the others complete; a replaced one is left to the next crawl",
    Effect.scoped(
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        runner.input = { itemsPerTask: 3 }
        runner.work = departing({ b: Departure.Gone(), c: replaced })
        yield* Engine.enqueue(1, { content: ["a", "b", "c"].map((name) => Engine.item(name)) })
        yield* Engine.started()
        yield* Engine.pass(1)
        const execution = yield* Engine.executionOf(1)
        assert.strictEqual(execution?.["status"], "completed")
        assert.match(
          String(execution?.["status_message"]),
          /Execution completed, without .*b was deleted.*c was replaced/
        )
        assert.strictEqual(execution?.["number_of_items"], 1)
        assert.lengthOf(yield* executions, 1)
        assert.isEmpty(yield* poison)
      })
    )
  )
})
