import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type Checkpoint, initial } from "../../domain/Checkpoint.ts"
import { type CrawlRange, crawlRangeId } from "../../domain/CrawlRange.ts"
import { ExecutorId, PipelineId, VaultId } from "../../domain/Ids.ts"
import { CheckpointStore } from "../../store/CheckpointStore.ts"
import { Containers } from "../StoreContainers.ts"

const pipeline = (value: string) => PipelineId.make(value)
const executor = (value: string) => ExecutorId.make(value)
const vault = (value: string) => VaultId.make(value)

const checkpoint = (p: string, e: string, v: string, more: Partial<Checkpoint> = {}): Checkpoint => ({
  ...initial(pipeline(p), executor(e), vault(v)),
  checkpoint_timestamp: "2026-01-02T10:30:00.123000+00:00",
  worker_id: "InputSourceWorker-0",
  last_crawl_started_at: "2026-01-02T10:35:00+00:00",
  ...more
})

const range = (checkpoint: string, number: number): CrawlRange => ({
  id: crawlRangeId(checkpoint, number),
  checkpoint_id: checkpoint,
  crawl: 1,
  number,
  worker_id: "InputSourceWorker-0",
  state: "under way",
  started_at: null,
  resume: null,
  discovered: 0,
  enqueued: 0,
  waiting_documents: null,
  newly_waiting: { count: 0, names: [] },
  listed: "",
  doubtful: "[]",
  places: ""
})

export const suite = (name: string, layer: Layer.Layer<CheckpointStore | Containers>): void =>
  it.layer(layer)(`CheckpointStore (${name})`, (it) => {
    it.effect("keeps one checkpoint for each vault", () =>
      Effect.gen(function* () {
        const store = yield* CheckpointStore
        const { checkpoints } = yield* Containers
        const find = (v: string) => store.find(pipeline("p1"), executor("input"), vault(v))
        assert.isTrue(Option.isNone(yield* find("v1")))
        yield* store.save(checkpoint("p1", "input", "v1"))
        yield* store.save(checkpoint("p1", "input", "v2", { worker_id: "other" }))
        assert.deepStrictEqual(yield* Effect.flatten(find("v1")), checkpoint("p1", "input", "v1"))
        assert.strictEqual((yield* Effect.flatten(find("v2"))).worker_id, "other")
        yield* store.save(checkpoint("p1", "input", "v1", { last_crawl_started_at: null }))
        assert.isNull((yield* Effect.flatten(find("v1"))).last_crawl_started_at)
        assert.strictEqual((yield* checkpoints.read("p1_input_v1"))._tag, "Found")
      })
    )

    it.effect("keeps the ranges of a shared crawl, which no list of a vault's checkpoints has", () =>
      Effect.gen(function* () {
        const store = yield* CheckpointStore
        for (const executor of ["input", "an / executor?"]) {
          const before = checkpoint("p20", executor, "v20")
          yield* store.save(before)
          assert.isTrue(Option.isNone(yield* store.range(before.id, 0)))
          yield* store.saveRange(range(before.id, 0))
          yield* store.saveRange(range(before.id, 1))
          yield* store.saveRange({ ...range(before.id, 1), state: "complete" })
          assert.deepInclude(yield* Effect.flatten(store.range(before.id, 0)), { state: "under way", number: 0 })
          assert.strictEqual((yield* Effect.flatten(store.range(before.id, 1))).state, "complete")
          const found = yield* store.ofVault(vault("v20"))
          assert.lengthOf(
            found.filter(({ executor_id, pipeline_id }) => executor_id === executor && pipeline_id === "p20"),
            1
          )
          for (const number of [0, 1, 2]) yield* store.forgetRange(before.id, number)
          assert.isTrue(Option.isNone(yield* store.range(before.id, 1)))
          assert.isTrue(Option.isSome(yield* store.find(before.pipeline_id, before.executor_id, before.vault_id)))
        }
      })
    )

    it.effect(
      "keeps the Python worker's checkpoint up to date for one vault of a pipeline, and never moves it back",
      () =>
        Effect.gen(function* () {
          const store = yield* CheckpointStore
          const { checkpoints } = yield* Containers
          const theirs = Effect.map(checkpoints.read("p9_input"), (found) =>
            found._tag === "Found" ? [found.document["vault_id"], found.document["checkpoint_timestamp"]] : []
          )
          const at = (v: string, hour: string) =>
            store.saveForOriginal(
              checkpoint("p9", "input", v, { checkpoint_timestamp: `2026-01-02T${hour}:00:00.000000+00:00` })
            )
          yield* at("v1", "10")
          assert.deepStrictEqual(yield* theirs, ["v1", "2026-01-02T10:00:00.000000+00:00"])
          yield* at("v2", "11")
          yield* at("v1", "09")
          assert.deepStrictEqual(yield* theirs, ["v1", "2026-01-02T10:00:00.000000+00:00"])
          yield* at("v1", "12")
          assert.deepStrictEqual(yield* theirs, ["v1", "2026-01-02T12:00:00.000000+00:00"])
        })
    )

    it.effect("takes over the Python worker's checkpoint of the same vault, and only of that", () =>
      Effect.gen(function* () {
        const store = yield* CheckpointStore
        const { checkpoints } = yield* Containers
        yield* checkpoints.upsert({
          id: "p2_input",
          pipeline_id: "p2",
          executor_id: "input",
          vault_id: "v1",
          checkpoint_timestamp: "2025-12-31T23:59:59.000001+00:00",
          worker_id: "InputSourceWorker-1"
        })
        const find = (v: string) => store.find(pipeline("p2"), executor("input"), vault(v))
        const taken = yield* Effect.flatten(find("v1"))
        assert.deepStrictEqual(
          taken,
          checkpoint("p2", "input", "v1", {
            checkpoint_timestamp: "2025-12-31T23:59:59.000001+00:00",
            worker_id: "InputSourceWorker-1",
            last_crawl_started_at: null,
            taken_over: true
          })
        )
        assert.isTrue(Option.isNone(yield* find("v2")))
        yield* store.save({ ...taken, worker_id: "ours" })
        assert.deepStrictEqual(yield* Effect.flatten(find("v1")), { ...taken, worker_id: "ours" })
        const original = yield* checkpoints.read("p2_input")
        assert.strictEqual(original._tag === "Found" ? original.document["worker_id"] : "", "InputSourceWorker-1")
      })
    )

    it.effect("keeps checkpoints of executors whose names Cosmos refuses in ids", () =>
      Effect.gen(function* () {
        const store = yield* CheckpointStore
        for (const name of ["docs/in#1?", "docs\\in#1?", "é".repeat(600), "trailing "]) {
          const saved = checkpoint("p3", name, "v1", { worker_id: name.slice(0, 20) })
          yield* store.save(saved)
          assert.deepStrictEqual(yield* Effect.flatten(store.find(pipeline("p3"), executor(name), vault("v1"))), saved)
        }
      })
    )

    it.effect("does not start from scratch when a checkpoint is broken, and ignores unknown properties", () =>
      Effect.gen(function* () {
        const store = yield* CheckpointStore
        const { checkpoints } = yield* Containers
        yield* checkpoints.upsert({ ...checkpoint("p4", "input", "v1"), theirs: 1 })
        assert.deepStrictEqual(
          yield* Effect.flatten(store.find(pipeline("p4"), executor("input"), vault("v1"))),
          checkpoint("p4", "input", "v1")
        )
        yield* checkpoints.upsert({ ...checkpoint("p5", "input", "v1"), checkpoint_timestamp: 17 })
        const error = yield* Effect.flip(store.find(pipeline("p5"), executor("input"), vault("v1")))
        assert.strictEqual(error._tag, "Invalid")
        assert.include(error.message, "p5_input_v1 is not valid at checkpoint_timestamp")
      })
    )
  })
