import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { EngineSettings } from "../config/WorkerConfig.ts"
import { type EngineStatus, WorkerEngine } from "./WorkerEngine.ts"

/** Stands for an engine that is still to come, so that HTTP can answer while the services it needs are waited for. */
export interface StartingEngine {
  readonly engine: WorkerEngine["Type"]
  /** What the start waits for; `status` shows it until the engine is there. */
  readonly waitsFor: (missing: ReadonlyArray<string>) => Effect.Effect<void>
  /** From now on this engine answers. */
  readonly become: (engine: WorkerEngine["Type"]) => Effect.Effect<void>
}

export const make = (settings: Pick<EngineSettings, "processingWorkers" | "sourceWorkers" | "workerName">) =>
  Effect.map(Clock.currentTimeMillis, (since): StartingEngine => {
    let real: WorkerEngine["Type"] | undefined
    let missing: ReadonlyArray<string> = []
    const idle = (configured: number) => ({ configured, active: 0, workers: [] })
    const starting = Effect.sync((): EngineStatus => ({
      workerName: settings.workerName,
      running: false,
      processing: idle(settings.processingWorkers),
      source: idle(settings.sourceWorkers),
      leases: 0,
      loops: [],
      stalled: [],
      intake: null,
      endpoints: [],
      paused: [],
      draining: false,
      process: null,
      starting: { since, missing }
    }))
    return {
      engine: WorkerEngine.of({
        status: Effect.suspend(() => real?.status ?? starting),
        atWorkSince: (millis) => Effect.suspend(() => real?.atWorkSince(millis) ?? Effect.succeed([])),
        stop: Effect.suspend(() => real?.stop ?? Effect.void),
        crawlNow: (vaultId) => Effect.suspend(() => real?.crawlNow(vaultId) ?? Effect.void)
      }),
      waitsFor: (names) => Effect.sync(() => void (missing = names)),
      become: (engine) => Effect.sync(() => void (real = engine))
    }
  })
