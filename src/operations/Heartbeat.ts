import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hostname } from "node:os"
import process from "node:process"
import * as Timestamp from "../domain/Timestamp.ts"
import { ControlStore } from "../store/ControlStore.ts"
import type { WorkerState } from "../worker/loops/Supervisor.ts"
import { WorkerEngine } from "../worker/WorkerEngine.ts"
import type { Worker } from "./Worker.ts"
import { intervalMillis, kind } from "./Workers.ts"

/** Where the container lets documents go by themselves. */
const ttl = 600

/** Documents of processes that ended without a word are tidied up after this long. */
const forgottenAfter = 600_000

/** What the process tells of itself must not hold up its end. */
const patience = Duration.seconds(5)

const shown = (workers: ReadonlyArray<WorkerState>) =>
  workers.map(({ doing, id, since }) => ({ id, doing, since: since === 0 ? null : Timestamp.format(since) }))

const runtime = (): string =>
  "deno" in process.versions ? `Deno ${process.versions["deno"]}` : `Node ${process.versions.node}`

const make = Effect.fnUntraced(function* (version: string) {
  const engine = yield* WorkerEngine
  const container = yield* ControlStore
  const started_at = Timestamp.format(yield* Clock.currentTimeMillis)
  const idOf = (name: string) => `contentflow-worker-${name}`

  const tell = Effect.gen(function* () {
    const status = yield* engine.status
    if (status.process === null) return
    const worker: Worker = {
      process: status.process,
      worker_name: status.workerName,
      version,
      runtime: runtime(),
      host: hostname(),
      pid: process.pid,
      started_at,
      updated_at: Timestamp.format(yield* Clock.currentTimeMillis),
      memory_bytes: process.memoryUsage.rss(),
      leases: status.leases,
      draining: status.draining || !status.running,
      stalled: status.stalled.map(({ loop }) => loop),
      processing: shown(status.processing.workers),
      source: shown(status.source.workers)
    }
    yield* container.upsert({ ...worker, id: idOf(status.process), kind, ttl })
  })

  /** Where the container keeps documents for ever. */
  const tidy = Effect.gen(function* () {
    const control = yield* container.read(idOf("none"))
    const now = control._tag === "Unchanged" ? 0 : control.servedAt
    for (const { _etag, _ts, id } of yield* container.where({ kind })) {
      const isOld = Number(_ts) * 1_000 < now - forgottenAfter
      if (isOld && typeof id === "string" && typeof _etag === "string") yield* container.remove(id, _etag)
    }
  })

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      const { process: name } = yield* engine.status
      if (name === null) return
      const seen = yield* container.read(idOf(name))
      if (seen._tag === "Found") yield* container.remove(idOf(name), seen.etag)
    }).pipe(Effect.timeoutOption(patience), Effect.ignore)
  )
  yield* Effect.ignore(tidy).pipe(Effect.interruptible, Effect.forkScoped)
  yield* Effect.ignore(tell).pipe(
    Effect.zipRight(Effect.sleep(Duration.millis(intervalMillis))),
    Effect.forever,
    Effect.interruptible,
    Effect.forkScoped
  )
})

/** The process tells the fleet of itself, every few seconds, until its end. */
export const layer = (version: string): Layer.Layer<never, never, WorkerEngine | ControlStore> =>
  Layer.scopedDiscard(make(version))
