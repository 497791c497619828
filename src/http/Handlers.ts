import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Timestamp from "../domain/Timestamp.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import * as RefreshingCache from "../concurrency/RefreshingCache.ts"
import * as Metrics from "../worker/Metrics.ts"
import type { Stalled } from "../worker/loops/Progress.ts"
import { type EngineStatus, type WorkerGroup, WorkerEngine } from "../worker/WorkerEngine.ts"
import { Dependencies, type DependencyState } from "./Dependencies.ts"
import * as MetricsServer from "./MetricsServer.ts"
import * as OperationHandlers from "./OperationHandlers.ts"
import * as KnownMetrics from "./KnownMetrics.ts"
import * as Process from "./Process.ts"
import * as Prometheus from "./Prometheus.ts"
import { NotLive, NotReady, version, WorkerApi } from "./WorkerApi.ts"

const shownStalls = (stalled: ReadonlyArray<Stalled>) =>
  stalled.map(({ doing, loop, silentMillis }) => ({ loop, doing, silent_seconds: silentMillis / 1_000 }))

const shownDependencies = (states: ReadonlyArray<DependencyState>) =>
  states.map(({ error, name, responseMillis }) => ({
    name,
    status: error === null ? ("connected" as const) : ("error" as const),
    response_time_ms: responseMillis,
    error
  }))

const shownValves = ({ endpoints, intake }: EngineStatus) => ({
  intake_closed:
    intake === null ? null : { reason: intake.reason, since: Timestamp.format(intake.since), trying: intake.trying },
  endpoints_closed: endpoints.map(({ endpoint, probeInMillis, reason, since }) => ({
    endpoint,
    reason,
    since: Timestamp.format(since),
    next_probe_seconds: probeInMillis / 1_000
  }))
})

const shownGroup = ({ active, configured, workers }: WorkerGroup) => ({
  configured,
  active,
  workers: workers.map((worker) => ({
    id: worker.id,
    pid: Process.id,
    alive: worker.alive,
    restarts: worker.restarts,
    last_error: worker.lastError,
    doing: worker.doing,
    since: worker.since === 0 ? null : Timestamp.format(worker.since)
  }))
})

const gauge = (name: string, help: string, value: number, labels: Record<string, string> = {}): Prometheus.Sample => ({
  name: `contentflow_${name}`,
  type: "gauge",
  help,
  value,
  labels
})

/** What the engine's status says, as series. */
const engineSamples = (status: EngineStatus): ReadonlyArray<Prometheus.Sample> => [
  ...(["processing", "source"] as const).flatMap((kind) => [
    gauge("workers_configured", "Workers that should run, by kind", status[kind].configured, { kind }),
    gauge("workers_alive", "Workers that run, by kind", status[kind].active, { kind }),
    gauge(
      "workers_busy",
      "Workers that work on something, by kind",
      status[kind].workers.filter(({ alive, doing }) => alive && doing !== "idle").length,
      { kind }
    )
  ]),
  ...(["crawling", "processing", "everything"] as const).map((work) =>
    gauge(
      "pauses",
      "Pauses that people asked for, by what rests",
      status.paused.filter((pause) => pause.work === work).length,
      {
        work
      }
    )
  ),
  gauge("draining", "1 while this process takes no more work, since somebody asked it to", Number(status.draining)),
  gauge("leases_held", "Messages that this process owns", status.leases),
  ...status.loops.flatMap(({ loop, silentMillis }) => [
    gauge("loop_last_report_seconds", "Seconds since a loop last reported progress", silentMillis / 1_000, {
      loop
    }),
    gauge(
      "loop_stalled",
      "1 when a loop should have reported and did not",
      Number(status.stalled.some((each) => each.loop === loop)),
      {
        loop
      }
    )
  ])
]

const Live = HttpApiBuilder.group(WorkerApi, "operations", (handlers) =>
  Effect.gen(function* () {
    const engine = yield* WorkerEngine
    const dependencies = yield* Dependencies
    const queue = yield* TaskQueue
    yield* KnownMetrics.register

    const place = Effect.zipWith(engine.status, Timestamp.now, (status, timestamp) => ({
      status,
      facts: { timestamp, worker_name: status.workerName, stalled: shownStalls(status.stalled) }
    }))

    /** The queue is asked at most every five seconds, however many scrapers there are; when it fails the last numbers stay. */
    const queueStats = RefreshingCache.make({
      maxAge: Duration.seconds(5),
      capacity: 1,
      read: (_: "queue") => Effect.timeout(queue.stats, Duration.seconds(3))
    })
    const sampleQueue = Effect.flatMap(queueStats("queue"), ({ depth, oldestAgeMillis, poisonDepth }) =>
      Effect.all([
        Metric.set(Metrics.queueDepth, depth),
        Metric.set(Metrics.queueOldestAge, (oldestAgeMillis ?? 0) / 1_000),
        Metric.set(Metrics.poisonDepth, poisonDepth)
      ])
    ).pipe(Effect.catchAll((error) => Effect.logDebug(`The queue's numbers could not be read: ${error.message}`)))

    return handlers
      .handle("service", () =>
        Effect.map(engine.status, ({ workerName }) => ({
          service: "ContentFlow Worker API" as const,
          version,
          worker_name: workerName
        }))
      )
      .handle("health", () =>
        Effect.map(place, ({ facts }) => ({
          status: facts.stalled.length === 0 ? ("healthy" as const) : ("unhealthy" as const),
          ...facts
        }))
      )
      .handle("live", () =>
        Effect.flatMap(place, ({ facts }) =>
          facts.stalled.length === 0
            ? Effect.succeed({ status: "healthy" as const, ...facts })
            : Effect.fail(new NotLive({ status: "unhealthy", ...facts }))
        )
      )
      .handle("ready", () =>
        Effect.gen(function* () {
          const { facts, status } = yield* place
          const states = yield* dependencies.check
          const all = { ...facts, dependencies: shownDependencies(states), ...shownValves(status) }
          const ready =
            status.running &&
            facts.stalled.length === 0 &&
            (status.intake === null || status.intake.trying) &&
            states.every(({ error }) => error === null)
          if (ready) return { status: "ready" as const, ...all }
          const starting =
            status.starting === null
              ? null
              : { since: Timestamp.format(status.starting.since), missing: status.starting.missing }
          return yield* new NotReady({ status: "not ready", ...all, starting })
        })
      )
      .handle("status", () =>
        Effect.map(place, ({ facts, status }) => ({
          worker_name: status.workerName,
          running: status.running,
          timestamp: facts.timestamp,
          processing_workers: shownGroup(status.processing),
          source_workers: shownGroup(status.source),
          leases: status.leases,
          paused: status.paused,
          draining: status.draining,
          loops: status.loops.map(({ doing, lastReportAt, loop }) => ({
            loop,
            doing,
            last_report: Timestamp.format(lastReportAt),
            stalled: status.stalled.some((each) => each.loop === loop)
          })),
          ...shownValves(status)
        }))
      )
      .handleRaw("metrics", () =>
        // Effect's counters of its own fibers are left out: their names break Prometheus' rules.
        Effect.gen(function* () {
          if (yield* MetricsServer.areElsewhere) return MetricsServer.elsewhere
          yield* sampleQueue
          const status = yield* engine.status
          const samples = [...engineSamples(status), ...Process.samples()]
          const own = (yield* Metric.snapshot).filter(({ metricKey }) => !metricKey.name.startsWith("effect_"))
          return HttpServerResponse.text(Prometheus.render(own, samples), { contentType: Prometheus.contentType })
        })
      )
  })
)

/** The handlers over the engine and the operations, and the API as one layer. */
export const layer = Layer.provide(HttpApiBuilder.api(WorkerApi), [Live, OperationHandlers.layer])
