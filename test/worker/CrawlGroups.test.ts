import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Stream } from "effect"
import type { Discovered } from "../../src/executor/Executor.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { start, served, test, crawling, document, batch, finds, messages } from "../support/Crawls.ts"

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
