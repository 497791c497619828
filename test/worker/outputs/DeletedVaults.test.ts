import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Scope } from "effect"
import { Unavailable } from "../../../src/domain/ServiceError.ts"
import { MemoryStores } from "../../../src/store/MemoryStores.ts"
import * as Engine from "../../support/MemoryEngine.ts"
import * as OutputWorld from "../../support/OutputWorld.ts"
import * as SqliteServices from "../../support/SqliteServices.ts"

type Body = Effect.Effect<void, unknown, OutputWorld.Installation | Scope.Scope>

const test = (name: string, body: Body) => it.effect(name, () => OutputWorld.withInstallation(body))

const minutes = (count: number) => Engine.pass(60 * count)

const names = ["a", "b", "c", "d", "e", "f"]

const startedWith = (settings: Parameters<typeof OutputWorld.started>[0]) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    // Hours pass here: what is done every few seconds is done every few minutes.
    const calm = { queuePollInterval: Duration.minutes(2), schedulerInterval: Duration.minutes(1) }
    yield* Scope.extend(OutputWorld.started({ ...calm, ...settings }), scope)
    return scope
  })

const started = startedWith({})

const stopped = (scope: Scope.CloseableScope) =>
  Effect.gen(function* () {
    const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
    yield* Engine.pass(60)
    yield* Fiber.join(closing)
  })

/** Six documents and their outputs, which a crawl takes once an hour. */
const begun = (options: Parameters<typeof OutputWorld.yaml>[0] = {}, vault?: Record<string, unknown>) =>
  Effect.gen(function* () {
    yield* OutputWorld.install(OutputWorld.yaml({ input: { polling_interval_seconds: 3_600 }, ...options }), vault)
    for (const name of names) yield* OutputWorld.put(`${name}.txt`, `${name}=1`, `${name}${name}=1`)
    const scope = yield* started
    yield* minutes(2)
    assert.deepStrictEqual((yield* OutputWorld.outputs).blobs, (yield* OutputWorld.wanted).blobs)
    return scope
  })

const vault = (more: Record<string, unknown> = {}) => ({
  id: OutputWorld.vaultId,
  pipeline_id: OutputWorld.pipelineId,
  enabled: true,
  save_execution_output: false,
  on_source_deleted: "remove",
  ...more
})

const putBack = Effect.flatMap(MemoryStores, ({ vaults }) => vaults.upsert(vault()))

/** Deletes the vault as the API does: with its executions and checkpoints. */
const deleted = Effect.gen(function* () {
  const { checkpoints, executions, vaults } = yield* MemoryStores
  for (const container of [executions, checkpoints]) {
    for (const { id, vault_id } of container.documents.values()) {
      if (vault_id === OutputWorld.vaultId) yield* Engine.forget(container, String(id))
    }
  }
  yield* Engine.forget(vaults, OutputWorld.vaultId)
})

const remain = (count: number) =>
  Effect.gen(function* () {
    const { blobs, index } = yield* OutputWorld.outputs
    assert.lengthOf(blobs, count)
    assert.lengthOf(index, count)
  })

const own = (folder: string) =>
  Effect.map(OutputWorld.inContainer("contentflow-tasks"), (blobs) =>
    Object.keys(blobs).filter((path) => path.startsWith(folder))
  )

describe("the outputs of a vault that is deleted", () => {
  const goes = Effect.gen(function* () {
    yield* begun()
    yield* deleted
    yield* minutes(60)
    yield* remain(12)
    yield* minutes(30)
    yield* remain(0)
  })
  test("go when it was away for an hour, however many they are", goes)
  it.effect("go with the documents in SQLite, too", () => OutputWorld.withInstallation(goes, SqliteServices.layer))

  test(
    "go also when its pipeline is deleted after it",
    Effect.gen(function* () {
      yield* begun()
      yield* deleted
      yield* minutes(20)
      const { pipelines } = yield* MemoryStores
      yield* Engine.forget(pipelines, OutputWorld.pipelineId)
      yield* minutes(80)
      yield* remain(0)
    })
  )

  test(
    "stay where another vault wrote them after it",
    Effect.gen(function* () {
      yield* begun({ search: false })
      const { vaults } = yield* MemoryStores
      yield* vaults.upsert(vault({ id: "vault-2" }))
      yield* minutes(5)
      yield* deleted
      yield* minutes(90)
      assert.deepStrictEqual((yield* OutputWorld.outputs).blobs, (yield* OutputWorld.wanted).blobs)
      yield* Engine.forget(vaults, "vault-2")
      yield* minutes(90)
      assert.deepStrictEqual((yield* OutputWorld.outputs).blobs, [])
    })
  )

  test(
    "go by the choice of the node, where the vault has none",
    Effect.gen(function* () {
      yield* begun({ blob: { on_source_deleted: "remove" } }, {})
      yield* deleted
      yield* minutes(90)
      const { blobs, index } = yield* OutputWorld.outputs
      assert.deepStrictEqual([blobs.length, index.length], [0, 12])
    })
  )

  for (const choice of ["keep", undefined]) {
    test(
      `stay where the vault says so, and nothing is noted (${choice})`,
      Effect.gen(function* () {
        yield* begun({}, choice === undefined ? {} : { on_source_deleted: choice })
        yield* deleted
        yield* minutes(120)
        yield* remain(12)
        assert.deepStrictEqual(yield* own(""), (yield* own("definitions/")).concat(yield* own("sweeps/steps")))
      })
    )
  }

  test(
    "stay where the vault said so at last, though it was not crawled since",
    Effect.gen(function* () {
      yield* begun()
      const { vaults } = yield* MemoryStores
      yield* vaults.upsert(vault({ enabled: false, on_source_deleted: "keep" }))
      yield* minutes(20)
      yield* deleted
      yield* minutes(120)
      yield* remain(12)
    })
  )

  test(
    "stay when it is back in time, and the time begins anew when it goes again",
    Effect.gen(function* () {
      yield* begun()
      yield* deleted
      yield* minutes(50)
      yield* putBack
      yield* minutes(30)
      yield* deleted
      yield* minutes(50)
      yield* remain(12)
      yield* minutes(40)
      yield* remain(0)
    })
  )

  test(
    "are also what tasks write that begin after it",
    Effect.gen(function* () {
      yield* OutputWorld.install(OutputWorld.yaml())
      for (const name of names) yield* OutputWorld.put(`${name}.txt`, `${name}=1`, `${name}${name}=1`)
      const source = yield* startedWith({ processingWorkers: 0 })
      yield* minutes(1)
      yield* stopped(source)
      const { vaults } = yield* MemoryStores
      yield* Engine.forget(vaults, OutputWorld.vaultId)
      yield* started
      yield* minutes(2)
      yield* remain(12)
      yield* minutes(90)
      yield* remain(0)
    })
  )

  test(
    "are made again when it is back later",
    Effect.gen(function* () {
      yield* begun()
      yield* deleted
      yield* minutes(90)
      yield* remain(0)
      yield* putBack
      yield* minutes(30)
      assert.deepStrictEqual(yield* OutputWorld.outputs, yield* OutputWorld.wanted)
    })
  )

  test(
    "stay while the vaults can't be read, or neither the vault nor its pipeline is there",
    Effect.gen(function* () {
      yield* begun()
      const { pipelines, vaults } = yield* MemoryStores
      const away = new Unavailable({ service: "Cosmos DB", operation: "read", message: "Cosmos DB is away." })
      vaults.failNext(away, { times: 1_000 })
      yield* minutes(120)
      yield* remain(12)
      yield* Engine.forget(pipelines, OutputWorld.pipelineId)
      yield* deleted.pipe(Effect.retry({ times: 1_000 }))
      yield* minutes(120)
      yield* remain(12)
    })
  )

  test(
    "go in later looks where a removal failed, or its worker died over it",
    Effect.gen(function* () {
      const scope = yield* begun()
      yield* deleted
      yield* minutes(20)
      const world = yield* OutputWorld.World
      world.fails = ({ kind, what }) => kind === "unblob" && what.startsWith("b.txt")
      let left = 5
      world.holds = ({ kind }) => kind === "unblob" && left-- === 0
      yield* minutes(70)
      const { blobs } = yield* OutputWorld.outputs
      assert.isAbove(blobs.length, 0)
      assert.isBelow(blobs.length, 12)
      yield* stopped(scope)
      yield* started
      world.fails = () => false
      yield* minutes(120)
      yield* remain(0)
    })
  )

  test(
    "are forgotten a month later",
    Effect.gen(function* () {
      const scope = yield* begun()
      yield* deleted
      yield* minutes(90)
      yield* remain(0)
      assert.isNotEmpty(yield* own("outputs/"))
      yield* stopped(scope)
      yield* minutes(31 * 24 * 60)
      yield* started
      yield* minutes(20)
      for (const folder of ["outputs/", "inventories/", "revisits/", "vaults/"]) {
        assert.deepStrictEqual(yield* own(folder), [])
      }
    })
  )
})
