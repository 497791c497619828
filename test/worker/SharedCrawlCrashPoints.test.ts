import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import * as Ids from "../../src/domain/Ids.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import { lockId } from "../../src/store/CrawlLock.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { PipelineStore } from "../../src/store/PipelineStore.ts"
import * as ListingPlaces from "../../src/worker/crawl/ListingPlaces.ts"
import * as SharedCrawls from "../../src/worker/crawl/SharedCrawls.ts"
import { type TestedLife, verify } from "../support/CrashPoints.ts"
import * as World from "../support/CrashWorld.ts"
import * as Engine from "../support/MemoryEngine.ts"

const names = ["a.txt", "b.txt"]

const border = { from: "a.txt", name: "https://own.blob.core.windows.net/documents/b.txt" }

/** A vault that was crawled before, and two new documents, in one of its two ranges each. */
const crawledBefore = Effect.gen(function* () {
  const stores = yield* MemoryStores
  yield* World.install(World.pipeline("blobs"))
  yield* stores.vaults.patch(Engine.vault.id, { crawl_ranges: 2, on_source_deleted: "remove" }, {})
  yield* World.upload(...names)
  yield* World.checkpointed(World.start - 60 * 60_000)
  const found = yield* (yield* PipelineStore).find(Ids.PipelineId.make(Engine.pipeline.id))
  return Option.getOrThrow(found).etag
})

const noted = (more: Readonly<Record<string, unknown>>) =>
  Effect.flatMap(MemoryStores, ({ checkpoints }) =>
    checkpoints.patch(`${Engine.pipeline.id}_find_${Engine.vault.id}`, more, {})
  )

const begins = Effect.flatMap(crawledBefore, (version) => {
  const places = { orders: ["code points" as const], places: [{ ...border, pages: 2 }], tail: 2 }
  return noted({ listing_places: ListingPlaces.stored(places, version) })
})

/** Another process began the crawl, and died: its lock holds for a while. */
const helps = Effect.gen(function* () {
  const pipeline_version = yield* crawledBefore
  const again: ReadonlyArray<string> = []
  const shared = {
    id: World.start,
    pipeline_version,
    borders: [border],
    orders: ["code points"],
    again,
    with_names: true
  }
  yield* noted({ crawling: true, crawl_epoch: World.start, shared: SharedCrawls.stored(shared) })
  yield* (yield* MemoryStores).locks.upsert({
    id: lockId(Ids.PipelineId.make(Engine.pipeline.id)),
    pipeline_id: Engine.pipeline.id,
    vault_id: Engine.vault.id,
    worker_id: "another",
    instance: "another",
    ttl: 45,
    locked_at: Timestamp.format(World.start),
    expires_at: Timestamp.format(World.start + 45_000)
  })
})

const life = (name: string, arrange: TestedLife["arrange"]): TestedLife => ({
  name,
  settings: { sourceWorkers: 1, defaultPollingInterval: Duration.minutes(2) },
  arrange,
  documents: Object.fromEntries(names.map((each) => [each, "completed" as const])),
  quiet: "150 seconds",
  atLeast: 30
})

/** Calls after which processes end: a read changes nothing, and at the calls of tasks they end in other tests. */
const writes = /(locks|checkpoints)\.(?!read)|TaskQueue\.send/
const writesOfCheckpoints = /checkpoints\.(?!read)/

describe("a crawl that is shared", () => {
  for (const [each, where] of [
    [life("a worker that begins it", begins), writesOfCheckpoints],
    [life("a worker that helps, and then ends it", helps), writes]
  ] as const) {
    it.effect(
      `may end after every write of ${each.name}: nothing is lost, nothing runs twice, and nothing is left of it`,
      () =>
        Effect.gen(function* () {
          const undisturbed = yield* World.live(each, [])
          verify(each, undisturbed, [])
          const calls = undisturbed.processes[0]?.calls.slice(0, undisturbed.overAfter[0]) ?? []
          assert.isAtLeast(calls.filter((call) => call === "MemoryStores.locks.create").length, 3)
          for (const [at, call] of calls.entries()) {
            if (!where.test(call)) continue
            const incidents = [{ at, fault: "dies after" as const }]
            const lived = yield* World.live(each, incidents)
            verify(each, lived, incidents)
            assert.isEmpty(lived.world.checkpoints.filter((document) => "checkpoint_id" in document))
          }
        })
    )
  }
})
