import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Scope } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const edited = "pipeline: {name: edited}"

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

const edit = Effect.flatMap(MemoryStores, ({ pipelines }) =>
  Effect.asVoid(pipelines.upsert({ ...Engine.pipeline, yaml: edited }))
)

const failsFirst = (runner: FakeRunner["Type"]) => {
  runner.work = (items) =>
    runner.runs === 1 ? Effect.fail(executorError("Transient", "busy", 20_000)) : Effect.succeed(items)
}

describe("the version of the pipeline that a task runs", () => {
  test("is the one that its first attempt began with, in a retry, too, and the execution names it", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      failsFirst(runner)
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(1)
      const first = (yield* Engine.executionOf(1))?.["pipeline_version"]
      assert.isString(first)
      yield* edit
      yield* Engine.pass(6)
      yield* Engine.enqueue(2)
      yield* Engine.pass(60)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.deepStrictEqual(
        runner.compiled.toSorted(),
        [edited, Engine.pipeline.yaml, Engine.pipeline.yaml].toSorted()
      )
      assert.strictEqual((yield* Engine.executionOf(1))?.["pipeline_version"], first)
      assert.notStrictEqual((yield* Engine.executionOf(2))?.["pipeline_version"], first)
    }))

  test("is the same in another process, after the first one has ended", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => (runner.runs === 1 ? Effect.never : Effect.succeed(items))
      yield* Engine.enqueue(1)
      yield* Effect.scoped(
        Effect.zipRight(Engine.started({ shutdownGrace: Duration.zero, processingWorkers: 1 }), Engine.pass(1))
      ).pipe(
        Effect.fork,
        Effect.tap(() => Engine.pass(30))
      )
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "pending")
      yield* edit
      yield* Engine.started()
      yield* Engine.pass(120)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.deepStrictEqual(runner.compiled, [Engine.pipeline.yaml, Engine.pipeline.yaml])
    }))

  test("is the present one where the pipeline was edited before the first attempt", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* Engine.enqueue(1)
      yield* edit
      yield* Engine.started()
      yield* Engine.pass(10)
      assert.deepStrictEqual(runner.compiled, [edited])
    }))

  test("is the present one where the old one is not known any more, and the execution says so", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const memory = yield* MemoryBlob.MemoryBlob
      const blobs = yield* BlobStore
      failsFirst(runner)
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(1)
      const first = (yield* Engine.executionOf(1))?.["pipeline_version"]
      for (const { account, container, path } of yield* memory.all) {
        yield* blobs.remove({ account: { name: account }, container, path })
      }
      yield* edit
      yield* Engine.pass(60)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.deepStrictEqual(runner.compiled, [Engine.pipeline.yaml, edited])
      assert.notStrictEqual((yield* Engine.executionOf(1))?.["pipeline_version"], first)
    }))
})
