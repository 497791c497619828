import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Pause } from "../domain/Control.ts"
import * as OperationsApi from "./OperationsApi.ts"
import * as ProblemDocs from "./ProblemDocs.ts"
import * as Prometheus from "./Prometheus.ts"

/** The version that `/` answers; the original's, since the API shows it. */
export const version = "1.0.0"

const Service = Schema.Struct({
  service: Schema.Literal("ContentFlow Worker API"),
  version: Schema.String,
  worker_name: Schema.String
})

const Stalled = Schema.Struct({ loop: Schema.String, doing: Schema.String, silent_seconds: Schema.Number })

const Health = Schema.Struct({
  status: Schema.Literal("healthy", "unhealthy"),
  timestamp: Schema.String,
  worker_name: Schema.String,
  /** Loops that should have reported and did not. */
  stalled: Schema.Array(Stalled)
})

const Dependency = Schema.Struct({
  name: Schema.String,
  status: Schema.Literal("connected", "error"),
  response_time_ms: Schema.Number,
  error: Schema.NullOr(Schema.String)
})

/** No tasks are taken from the queue, except as probes, since the worker's own stores fail. */
const Intake = Schema.Struct({ reason: Schema.String, since: Schema.String, trying: Schema.Boolean })

/** A service that pipelines use is out: nothing but probes goes there, and its tasks wait. The worker itself is ready all the same. */
const ClosedEndpoint = Schema.Struct({
  endpoint: Schema.String,
  reason: Schema.String,
  since: Schema.String,
  next_probe_seconds: Schema.Number
})

/** The process waits for what it needs before it takes work. */
const Starting = Schema.Struct({ since: Schema.String, missing: Schema.Array(Schema.String) })

const valves = { intake_closed: Schema.NullOr(Intake), endpoints_closed: Schema.Array(ClosedEndpoint) }

const Ready = Schema.Struct({
  status: Schema.Literal("ready"),
  timestamp: Schema.String,
  worker_name: Schema.String,
  dependencies: Schema.Array(Dependency),
  stalled: Schema.Array(Stalled),
  ...valves
})

const WorkerEntry = Schema.Struct({
  id: Schema.Number,
  pid: Schema.Number,
  alive: Schema.Boolean,
  restarts: Schema.Number,
  last_error: Schema.NullOr(Schema.String),
  doing: Schema.String,
  since: Schema.NullOr(Schema.String)
})

const WorkerGroup = Schema.Struct({
  configured: Schema.Number,
  active: Schema.Number,
  workers: Schema.Array(WorkerEntry)
})

const Status = Schema.Struct({
  worker_name: Schema.String,
  running: Schema.Boolean,
  timestamp: Schema.String,
  processing_workers: WorkerGroup,
  source_workers: WorkerGroup,
  leases: Schema.Number,
  /** What people let rest, in the whole fleet. */
  paused: Schema.Array(Pause),
  /** Somebody asked this process to take no more work. */
  draining: Schema.Boolean,
  loops: Schema.Array(
    Schema.Struct({ loop: Schema.String, doing: Schema.String, last_report: Schema.String, stalled: Schema.Boolean })
  ),
  ...valves
})

/** A loop of the worker makes no progress: 503, with the loops by name. */
export class NotLive extends Schema.TaggedError<NotLive>()(
  "NotLive",
  {
    status: Schema.Literal("unhealthy"),
    timestamp: Schema.String,
    worker_name: Schema.String,
    stalled: Schema.Array(Stalled)
  },
  HttpApiSchema.annotations({ status: 503 })
) {}

/** A dependency does not answer, or a loop makes no progress: 503, with each by name. */
export class NotReady extends Schema.TaggedError<NotReady>()(
  "NotReady",
  {
    status: Schema.Literal("not ready"),
    timestamp: Schema.String,
    worker_name: Schema.String,
    dependencies: Schema.Array(Dependency),
    stalled: Schema.Array(Stalled),
    starting: Schema.NullOr(Starting),
    ...valves
  },
  HttpApiSchema.annotations({ status: 503 })
) {}

class Operations extends HttpApiGroup.make("operations", { topLevel: true })
  .add(
    HttpApiEndpoint.get("service", "/")
      .annotateContext(OpenApi.annotations({ summary: "Say who answers" }))
      .addSuccess(Service)
  )
  .add(
    HttpApiEndpoint.get("health", "/health")
      .annotateContext(OpenApi.annotations({ summary: "Say whether the worker makes progress" }))
      .addSuccess(Health)
  )
  .add(
    HttpApiEndpoint.get("live", "/health/live")
      .annotateContext(OpenApi.annotations({ summary: "Fail when a loop makes no progress" }))
      .addSuccess(Health)
      .addError(NotLive)
  )
  .add(
    HttpApiEndpoint.get("ready", "/health/ready")
      .annotateContext(OpenApi.annotations({ summary: "Fail when a dependency does not answer" }))
      .addSuccess(Ready)
      .addError(NotReady)
  )
  .add(
    HttpApiEndpoint.get("status", "/status")
      .annotateContext(OpenApi.annotations({ summary: "Show workers, loops and valves" }))
      .addSuccess(Status)
  )
  .add(
    HttpApiEndpoint.get("metrics", "/metrics")
      .annotateContext(OpenApi.annotations({ summary: "Show metrics for Prometheus" }))
      .addSuccess(HttpApiSchema.Text({ contentType: Prometheus.contentType }))
  ) {}

/** The worker's HTTP interface: the original's three answers with more fields, and what it promised beside them. */
export class WorkerApi extends HttpApi.make("worker")
  .add(Operations)
  .add(OperationsApi.Executions)
  .add(OperationsApi.Poison)
  .add(OperationsApi.Vaults)
  .add(OperationsApi.Pipelines)
  .add(OperationsApi.Workers)
  .add(OperationsApi.Overview)
  .add(OperationsApi.Operations)
  .add(OperationsApi.Tasks)
  .add(OperationsApi.Sessions)
  .add(OperationsApi.Events)
  .annotate(OpenApi.Title, "ContentFlow Worker API")
  .annotate(OpenApi.Version, version)
  .annotate(OpenApi.License, { name: "MIT", url: "https://opensource.org/license/mit" })
  .annotate(OpenApi.Servers, [{ url: "/" }])
  .annotate(OpenApi.Transform, ProblemDocs.told) {}

/** Paths that only GET knows, for telling a wrong method from an unknown path. */
export const paths: ReadonlySet<string> = new Set([
  "/",
  "/health",
  "/health/live",
  "/health/ready",
  "/status",
  "/metrics",
  "/openapi.json",
  "/docs",
  "/ui"
])

const routes: Array<{ readonly method: string; readonly matches: RegExp }> = []
HttpApi.reflect(WorkerApi, {
  onGroup: () => {},
  onEndpoint: ({ endpoint: { method, path } }) => {
    routes.push({ method, matches: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`, "i") })
  }
})

/** What can be done at a path of the API; nothing where it has no such path. */
export const methodsOf = (path: string): ReadonlyArray<string> =>
  routes.flatMap(({ matches, method }) => (matches.test(path) ? (method === "GET" ? ["GET", "HEAD"] : [method]) : []))
