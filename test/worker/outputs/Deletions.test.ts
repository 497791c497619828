import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Metric, MetricState, type Scope } from "effect"
import { BlobStore } from "../../../src/blob/BlobStore.ts"
import { Unavailable } from "../../../src/domain/ServiceError.ts"
import * as OperationLog from "../../../src/operations/OperationLog.ts"
import * as Vaults from "../../../src/operations/Vaults.ts"
import { MemoryStores } from "../../../src/store/MemoryStores.ts"
import * as Engine from "../../support/MemoryEngine.ts"
import * as OutputWorld from "../../support/OutputWorld.ts"

const test = (name: string, body: Effect.Effect<void, unknown, OutputWorld.Installation | Scope.Scope>) =>
  it.effect(name, () => OutputWorld.withInstallation(body))

/** Time for a crawl and what it found. */
const settled = Engine.pass(70)

const isExact = Effect.gen(function* () {
  assert.deepStrictEqual(yield* OutputWorld.outputs, yield* OutputWorld.wanted)
})

/** Six documents and their outputs. */
const begun = (yaml: string, vault?: Record<string, unknown>) =>
  Effect.gen(function* () {
    yield* OutputWorld.install(yaml, vault)
    for (const name of ["a", "b", "c", "d", "e", "f"])
      yield* OutputWorld.put(`${name}.txt`, `${name}=1`, `${name}${name}=1`)
    yield* OutputWorld.started()
    yield* settled
  })

const checkpoint = Effect.map(MemoryStores, ({ checkpoints }) =>
  [...checkpoints.documents.values()].find(
    ({ vault_id, crawl_epoch }) => vault_id === OutputWorld.vaultId && crawl_epoch
  )
)

const change = (vault: Record<string, unknown>) =>
  Effect.gen(function* () {
    const { vaults } = yield* MemoryStores
    yield* vaults.patch(OutputWorld.vaultId, vault, {})
  })

describe("a document that leaves its source", () => {
  test(
    "takes its outputs with it, and is processed again when it comes back as it was",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml())
      yield* isExact
      const undelete = yield* OutputWorld.hide("b.txt")
      yield* settled
      yield* isExact
      yield* undelete
      yield* settled
      yield* settled
      yield* isExact
      assert.include((yield* OutputWorld.outputs).blobs, "b.txt/b=1")
    })
  )
  test(
    "leaves them where nobody asked for it",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml(), {})
      yield* OutputWorld.drop("b.txt")
      yield* settled
      assert.include((yield* OutputWorld.outputs).blobs, "b.txt/b=1")
    })
  )
  test(
    "and comes under another name: the new outputs first",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml())
      const { calls } = yield* OutputWorld.World
      calls.splice(0)
      yield* OutputWorld.drop("b.txt")
      yield* OutputWorld.put("bb.txt", "b=1", "bb=1")
      yield* settled
      yield* settled
      yield* isExact
      const kinds = calls.map(({ kind }) => kind)
      assert.isBelow(kinds.lastIndexOf("blob"), kinds.indexOf("unblob"))
      assert.isBelow(kinds.lastIndexOf("index"), kinds.indexOf("unindex"))
    })
  )
  test(
    "by a changed filter is gone, too, and back with the filter",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml(), { on_source_deleted: "remove", max_deletions_percent: 100 })
      yield* OutputWorld.put("g.md", "g=1")
      const { pipelines } = yield* MemoryStores
      const filter = (file_extensions: string | null) =>
        pipelines.patch(OutputWorld.pipelineId, { yaml: OutputWorld.yaml({ input: { file_extensions } }) }, {})
      yield* settled
      yield* isExact
      yield* filter(".md")
      yield* settled
      assert.deepStrictEqual((yield* OutputWorld.outputs).blobs, ["g.md/g=1"])
      yield* filter(null)
      yield* settled
      yield* settled
      yield* isExact
    })
  )
  test(
    "is not taken for gone by a listing that failed half way, nor by one that a limit cut",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml({ input: { batch_size: 2 } }))
      const world = yield* OutputWorld.World
      world.listings = 1
      yield* settled
      yield* isExact
      world.listings = Number.MAX_SAFE_INTEGER
      const { pipelines } = yield* MemoryStores
      yield* pipelines.patch(OutputWorld.pipelineId, { yaml: OutputWorld.yaml({ input: { max_results: 1 } }) }, {})
      yield* OutputWorld.put("a.txt", "a=2")
      yield* OutputWorld.put("b.txt", "b=2")
      yield* OutputWorld.drop("f.txt")
      // Each crawl takes one of what changed within the overlap, until the listing comes to its end.
      yield* Effect.repeatN(settled, 8)
      yield* isExact
    })
  )
})

/** A crawl that fails behind its first page, which has these documents: they are processed, and deleted before a crawl sees the whole listing. */
const foundByHalf = (names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    yield* begun(OutputWorld.yaml({ input: { batch_size: names.length + 1 } }))
    const world = yield* OutputWorld.World
    world.listings = 1
    for (const name of names) yield* OutputWorld.put(name, "x=1")
    yield* settled
    for (const name of names) assert.include((yield* OutputWorld.outputs).blobs, `${name}/x=1`)
    for (const name of names) yield* OutputWorld.drop(name)
    world.listings = Number.MAX_SAFE_INTEGER
  })

describe("a document that only a crawl has seen which failed half way", () => {
  for (const name of ["a1.txt", "Z.txt"]) {
    test(
      `takes its outputs with it, too (${name})`,
      Effect.gen(function* () {
        yield* foundByHalf([name])
        yield* settled
        yield* settled
        yield* isExact
        assert.isNull((yield* checkpoint)?.["unaccounted"])
      })
    )
  }
  test(
    "keeps them while it is there, and they go with it later",
    Effect.gen(function* () {
      yield* foundByHalf(["a1.txt"])
      yield* OutputWorld.put("a1.txt", "x=1")
      yield* settled
      yield* settled
      yield* isExact
      assert.include((yield* OutputWorld.outputs).blobs, "a1.txt/x=1")
      yield* OutputWorld.drop("a1.txt")
      yield* settled
      yield* settled
      yield* isExact
    })
  )
  test(
    "counts for the guard",
    Effect.gen(function* () {
      yield* foundByHalf(["a1.txt", "a2.txt", "a3.txt"])
      yield* settled
      yield* settled
      const held = (yield* checkpoint)?.["deletions_held"] as { token: string; documents: number; of: number }
      assert.deepInclude(held, { documents: 3, of: 9 })
      yield* change({ confirmed_deletions: held.token })
      yield* settled
      yield* settled
      yield* isExact
    })
  )
})

describe("a document that a crawl found which could not keep its inventory", () => {
  test(
    "takes its outputs with it, too",
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      const refused = { heads: 0, isAway: false }
      const withoutHeads = BlobStore.of({
        ...blobs,
        upload: (location, ...rest) => {
          if (!refused.isAway || !/^inventories\/.*head/.test(location.path)) return blobs.upload(location, ...rest)
          refused.heads++
          return new Unavailable({ service: "Blob Storage", operation: "write", message: "Blob Storage is away." })
        }
      })
      yield* Effect.provideService(begun(OutputWorld.yaml()), BlobStore, withoutHeads)
      refused.isAway = true
      yield* OutputWorld.put("g.txt", "g=1")
      yield* settled
      assert.isAbove(refused.heads, 0)
      assert.include((yield* OutputWorld.outputs).blobs, "g.txt/g=1")
      yield* OutputWorld.drop("g.txt")
      refused.isAway = false
      yield* settled
      yield* settled
      yield* isExact
      assert.isNull((yield* checkpoint)?.["unaccounted"])
    })
  )
})

describe("the guard", () => {
  test(
    "holds the removal of more than a share until a person confirms it",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml())
      yield* OutputWorld.drop("a.txt")
      yield* OutputWorld.drop("b.txt")
      yield* settled
      assert.include((yield* OutputWorld.outputs).blobs, "a.txt/a=1")
      const held = (yield* checkpoint)?.["deletions_held"] as { token: string; documents: number; of: number }
      assert.deepInclude(held, { documents: 2, of: 6 })
      const { executions } = yield* MemoryStores
      const told = [...executions.documents.values()].filter(({ error }) => String(error).includes(held.token))
      assert.lengthOf(told, 1)
      yield* settled
      assert.include((yield* OutputWorld.outputs).blobs, "a.txt/a=1")
      yield* change({ confirmed_deletions: held.token })
      yield* settled
      yield* isExact
      assert.isNull((yield* checkpoint)?.["deletions_held"])
      // The word was for these alone.
      yield* OutputWorld.drop("c.txt")
      yield* OutputWorld.drop("d.txt")
      yield* settled
      assert.include((yield* OutputWorld.outputs).blobs, "c.txt/c=1")
    })
  )
  test(
    "lets them happen at once when a person confirms what is held, and says what it holds and what was confirmed",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml({ input: { polling_interval_seconds: 300 } }))
      const log = OperationLog.layer
      const { vaults } = yield* Effect.map(
        Layer.build(Layer.merge(log, Layer.provide(Vaults.layer, log))),
        (context) => ({ vaults: Context.get(context, Vaults.Vaults) })
      )
      const held = Effect.map(vaults.show(OutputWorld.vaultId), ({ deletions_held }) => deletions_held)
      assert.isNull(yield* held)
      yield* OutputWorld.drop("a.txt")
      yield* OutputWorld.drop("b.txt")
      yield* Engine.pass(310)
      const first = yield* held
      assert.deepInclude(first, { documents: 2, of: 6, confirmed: false })
      const { done, notes } = yield* vaults.confirmDeletions(OutputWorld.vaultId, first?.token ?? "", "ann")
      assert.strictEqual(done, 2)
      assert.include(notes[0], "2 of 6 documents are gone from the source")
      assert.isTrue((yield* held)?.confirmed)
      yield* Engine.pass(20)
      yield* isExact
      assert.isNull(yield* held)
      // The word of before confirms nothing of what is held next.
      yield* OutputWorld.drop("c.txt")
      yield* OutputWorld.drop("d.txt")
      yield* Engine.pass(310)
      assert.deepInclude(yield* held, { documents: 2, of: 4, confirmed: false })
      const late = yield* Effect.flip(vaults.confirmDeletions(OutputWorld.vaultId, first?.token ?? "", "ann"))
      assert.include(late.message, "2 of 4 documents")
      assert.include((yield* OutputWorld.outputs).blobs, "c.txt/c=1")
      // Where outputs are kept, nothing waits.
      yield* change({ on_source_deleted: "keep" })
      yield* Engine.pass(310)
      assert.isNull(yield* held)
    })
  )
  test(
    "forgets what it held when the documents are back",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml())
      const back = yield* Effect.forEach(["a.txt", "b.txt", "c.txt"], OutputWorld.hide)
      yield* settled
      yield* Effect.all(back)
      yield* settled
      yield* isExact
      assert.isNull((yield* checkpoint)?.["deletions_held"])
    })
  )
  test(
    "has its share from the vault",
    Effect.gen(function* () {
      yield* begun(OutputWorld.yaml(), { on_source_deleted: "remove", max_deletions_percent: 50 })
      for (const name of ["a.txt", "b.txt", "c.txt"]) yield* OutputWorld.drop(name)
      yield* settled
      yield* isExact
    })
  )
})

/** What the gauge has for the vault, by its name. */
const toldHeld = (vault: string) =>
  Effect.sync(
    () =>
      Metric.unsafeSnapshot().find(
        ({ metricKey: { name, tags } }) =>
          name === "contentflow_deletions_held" && tags.some(({ key, value }) => key === "vault" && value === vault)
      )?.metricState
  ).pipe(Effect.map((state) => (state !== undefined && MetricState.isGaugeState(state) ? Number(state.value) : null)))

/** Two vaults whose documents go: `Held` waits for a person, `Free` does not. */
const twoVaults = Effect.gen(function* () {
  const { vaults } = yield* MemoryStores
  yield* OutputWorld.install(OutputWorld.yaml({ input: { polling_interval_seconds: 300 } }), {
    name: "Held",
    on_source_deleted: "remove"
  })
  yield* vaults.upsert({
    id: "vault-2",
    name: "Free",
    pipeline_id: OutputWorld.pipelineId,
    enabled: true,
    on_source_deleted: "remove",
    max_deletions_percent: 100
  })
  for (const name of ["a", "b", "c", "d"]) yield* OutputWorld.put(`${name}.txt`, `${name}=1`)
  yield* OutputWorld.started()
  yield* Engine.pass(20)
  assert.strictEqual(yield* toldHeld("Held"), 0)
  yield* OutputWorld.drop("a.txt")
  yield* OutputWorld.drop("b.txt")
  yield* Engine.pass(310)
  assert.strictEqual(yield* toldHeld("Held"), 2)
  assert.strictEqual(yield* toldHeld("Free"), 0)
  return yield* Effect.map(checkpoint, (found) => found?.["deletions_held"] as { token: string })
})

describe("the gauge of deletions that are held", () => {
  test(
    "tells each vault's, whichever is crawled last, until a person confirms them",
    Effect.gen(function* () {
      const { token } = yield* twoVaults
      yield* change({ confirmed_deletions: token })
      // The schedule is read again; no crawl is due.
      yield* Engine.pass(20)
      assert.strictEqual(yield* toldHeld("Held"), 0)
      assert.isNotNull((yield* checkpoint)?.["deletions_held"])
    })
  )
  test(
    "falls to 0 when the documents are back, and when the vault is gone",
    Effect.gen(function* () {
      yield* twoVaults
      yield* OutputWorld.put("a.txt", "a=1")
      yield* OutputWorld.put("b.txt", "b=1")
      yield* Engine.pass(310)
      assert.strictEqual(yield* toldHeld("Held"), 0)
      yield* OutputWorld.drop("c.txt")
      yield* OutputWorld.drop("d.txt")
      yield* Engine.pass(310)
      assert.strictEqual(yield* toldHeld("Held"), 2)
      const { vaults } = yield* MemoryStores
      const vault = yield* vaults.read(OutputWorld.vaultId)
      assert(vault._tag === "Found")
      yield* vaults.remove(OutputWorld.vaultId, vault.etag)
      yield* Engine.pass(20)
      assert.strictEqual(yield* toldHeld("Held"), 0)
    })
  )
  test(
    "is told by a process that has only looked: another one crawled, or this one before it started again",
    Effect.gen(function* () {
      yield* twoVaults.pipe(Effect.scoped)
      assert.strictEqual(yield* toldHeld("Held"), 0)
      yield* OutputWorld.started()
      yield* Engine.pass(20)
      assert.strictEqual(yield* toldHeld("Held"), 2)
    })
  )
})
