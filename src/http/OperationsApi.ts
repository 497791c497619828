import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { DeletionsHeld } from "../domain/Checkpoint.ts"
import { Pause, PausedWork, PauseScope } from "../domain/Control.ts"
import { ExecutionSummary, Time } from "../domain/ExecutionFilter.ts"
import { BulkRequest, Rate } from "../operations/BulkRequest.ts"
import { Operation } from "../operations/Operation.ts"
import { Figures } from "../operations/Overview.ts"
import { PipelineGraph } from "../operations/Pipelines.ts"
import { Submission } from "../operations/Submission.ts"
import { Worker } from "../operations/Worker.ts"
import { OperatorAccess, ReaderAccess } from "./Actor.ts"
import { BadRequest, Missing, Refused, StoreFails } from "./Problems.ts"

const Json = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const Text = Schema.String.pipe(Schema.maxLength(2_048))
const optional = Schema.optional(Text)

/** A misspelt part of a filter must not mean everything. */
const exact = { parseOptions: { onExcessProperty: "error", errors: "all" } } as const
const Id = HttpApiSchema.param("id", Schema.NonEmptyString.pipe(Schema.maxLength(1_023)))

const Limit = Schema.optional(Schema.NumberFromString.pipe(Schema.int(), Schema.positive()))
const Paged = { limit: Limit, after: optional }

const PoisonEntry = Schema.Struct({
  id: Schema.String,
  inserted_at: Schema.String,
  reason: Schema.NullOr(Schema.String),
  rejected_at: Schema.NullOr(Schema.String),
  rejected_by: Schema.NullOr(Schema.String),
  foreign: Schema.Boolean,
  unusable: Schema.NullOr(Schema.String),
  task_id: Schema.NullOr(Schema.String),
  execution_id: Schema.NullOr(Schema.String),
  pipeline_id: Schema.NullOr(Schema.String),
  vault_id: Schema.NullOr(Schema.String),
  document: Schema.NullOr(Schema.String)
})

const PoisonDetails = Schema.Struct({
  ...PoisonEntry.fields,
  body: Schema.String,
  dequeue_count: Schema.NullOr(Schema.Number),
  died_attempts: Schema.Array(Schema.Unknown)
})

/** Messages of the poison queue in one answer. */
export const mostPoisonListed = 10_000

const ExecutionDetails = Schema.Struct({
  execution: Json,
  timeline: Schema.Array(Schema.Struct({ executor_id: Schema.String }, { key: Schema.String, value: Schema.Unknown })),
  documents: Schema.Array(Schema.String),
  attempts: Schema.Struct({
    open: Schema.NullOr(Json),
    died: Schema.Array(Json),
    earlier_runs: Schema.Array(Schema.Unknown)
  }),
  logs: Schema.Array(Json),
  cancelled: Schema.Boolean,
  message: Schema.Literal("queue", "worker", "poison queue", "none")
})

const Vault = Schema.Struct({
  id: Schema.String,
  name: Schema.NullOr(Schema.String),
  pipeline_id: Schema.String,
  enabled: Schema.Boolean,
  crawling_paused: Schema.NullOr(Pause),
  processing_paused: Schema.NullOr(Pause),
  deletions_held: Schema.NullOr(Schema.Struct({ ...DeletionsHeld.fields, confirmed: Schema.Boolean })),
  crawls: Schema.Array(
    Schema.Struct({
      executor_id: Schema.String,
      crawling: Schema.Boolean,
      last_started_at: Schema.NullOr(Schema.String),
      last_completed_at: Schema.NullOr(Schema.String),
      next_at: Schema.NullOr(Schema.String),
      overdue_seconds: Schema.Number
    })
  )
})

const Page = <A, I, R>(name: string, items: Schema.Schema<A, I, R>) =>
  Schema.Struct({
    items: Schema.Array(items),
    /** Give it as `after` for the next page; null after the last. */
    next: Schema.NullOr(Schema.String)
  }).annotations({ identifier: name })

export const ExecutionQuery = Schema.Struct({
  vault: optional,
  pipeline: optional,
  version: optional,
  /** Those that ran another one, or of which none is known. */
  not_version: optional,
  /** `pending`, `running`, `completed`, `failed`; several with commas. */
  status: optional,
  from: optional,
  to: optional,
  document: optional,
  error: optional,
  operation: optional,
  ...Paged
}).annotations(exact)

export const PoisonQuery = Schema.Struct({
  vault: optional,
  pipeline: optional,
  execution: optional,
  reason: optional,
  before: Schema.optional(Time),
  foreign: Schema.optional(Schema.BooleanFromString),
  limit: Limit
}).annotations(exact)

const PauseRequest = Schema.Struct({
  scope: PauseScope,
  work: Schema.optionalWith(PausedWork, { default: () => "everything" as const })
}).annotations(exact)

const OperationRequest = Schema.extend(
  BulkRequest,
  Schema.Struct({
    /** Counts, and does nothing. */
    dry_run: Schema.optionalWith(Schema.Boolean, { default: () => false }),
    /** What concerns more than 100 must be confirmed. */
    confirmed: Schema.optionalWith(Schema.Boolean, { default: () => false }),
    rate_per_second: Schema.optional(Rate),
    /** A name of your own: the same one again begins nothing new. */
    operation_id: Schema.optional(Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9_-]{1,100}$/)))
  })
).annotations(exact)

const Counted = Schema.Struct({ count: Schema.Number, more: Schema.Boolean })

const Submitted = Schema.Struct({
  execution_id: Schema.String,
  task_id: Schema.String,
  created: Schema.Boolean,
  /** With `wait`: the execution as it is then. */
  execution: Schema.NullOr(Json)
})

const waits = Schema.Struct({ wait: Schema.optional(Schema.NumberFromString) }).annotations(exact)

const said = (summary: string, description?: string) =>
  OpenApi.annotations({ summary, ...(description === undefined ? {} : { description }) })

export class Executions extends HttpApiGroup.make("executions")
  .add(
    HttpApiEndpoint.get("list", "/executions")
      .setUrlParams(ExecutionQuery)
      .addSuccess(Page("ExecutionPage", ExecutionSummary))
      .middleware(ReaderAccess)
      .annotateContext(said("List executions, the newest first"))
  )
  .add(
    HttpApiEndpoint.get("show")`/executions/${Id}`
      .setUrlParams(waits)
      .addSuccess(ExecutionDetails)
      .addError(Missing)
      .middleware(ReaderAccess)
      .annotateContext(
        said("Show one execution", "With `wait` it is answered when the execution has ended, or after so many seconds.")
      )
  )
  .add(
    HttpApiEndpoint.post("retry")`/executions/${Id}/retry`
      .addSuccess(Operation)
      .addError(Missing)
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(said("Put an execution back: a new attempt of the same documents"))
  )
  .add(
    HttpApiEndpoint.post("cancel")`/executions/${Id}/cancel`
      .addSuccess(Operation)
      .addError(Missing)
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(said("Call an execution off; the worker that runs it stops within some seconds"))
  )
  .add(
    HttpApiEndpoint.del("remove")`/executions/${Id}`
      .addSuccess(Operation)
      .addError(Missing)
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(said("Delete an execution; one that has not ended is called off first"))
  )
  .addError(BadRequest)
  .addError(StoreFails)
  .annotateContext(OpenApi.annotations({ description: "What became of each task." })) {}

export class Poison extends HttpApiGroup.make("poison")
  .add(
    HttpApiEndpoint.get("list", "/poison")
      .setUrlParams(PoisonQuery)
      .addSuccess(Page("PoisonPage", PoisonEntry))
      .middleware(ReaderAccess)
      .annotateContext(said("List messages of the poison queue"))
  )
  .add(
    HttpApiEndpoint.get("show")`/poison/${Id}`
      .addSuccess(PoisonDetails)
      .addError(Missing)
      .middleware(ReaderAccess)
      .annotateContext(said("Show one message of the poison queue, with its body"))
  )
  .add(
    HttpApiEndpoint.post("putBack")`/poison/${Id}/put-back`
      .addSuccess(Operation)
      .addError(Missing)
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(said("Put a message back: its task runs again"))
  )
  .add(
    HttpApiEndpoint.del("discard")`/poison/${Id}`
      .addSuccess(Operation)
      .addError(Missing)
      .middleware(OperatorAccess)
      .annotateContext(said("Delete a message of the poison queue; its execution stays"))
  )
  .addError(BadRequest)
  .addError(StoreFails)
  .annotateContext(OpenApi.annotations({ description: "Messages that could not succeed, with the reason." })) {}

export class Vaults extends HttpApiGroup.make("vaults")
  .add(
    HttpApiEndpoint.get("list", "/vaults")
      .addSuccess(Page("VaultPage", Vault))
      .middleware(ReaderAccess)
      .annotateContext(said("List vaults with their crawls and pauses"))
  )
  .add(
    HttpApiEndpoint.get("show")`/vaults/${Id}`
      .addSuccess(Vault)
      .addError(Missing)
      .middleware(ReaderAccess)
      .annotateContext(said("Show one vault"))
  )
  .add(
    HttpApiEndpoint.post("crawl")`/vaults/${Id}/crawl`
      .addSuccess(Operation)
      .addError(Missing)
      .middleware(OperatorAccess)
      .annotateContext(said("Crawl a vault now"))
  )
  .add(
    HttpApiEndpoint.post("confirmDeletions")`/vaults/${Id}/confirm-deletions`
      .setPayload(Schema.Struct({ token: Schema.NonEmptyString.pipe(Schema.maxLength(100)) }).annotations(exact))
      .addSuccess(Operation)
      .addError(Missing)
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(
        said(
          "Confirm the deletions that a vault holds, and crawl it now",
          "`token` is that of its `deletions_held`: when others are held by now, nothing is confirmed."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("pauses", "/pauses")
      .addSuccess(Page("PausePage", Pause))
      .middleware(ReaderAccess)
      .annotateContext(said("List what is paused"))
  )
  .add(
    HttpApiEndpoint.post("pause", "/pauses")
      .setPayload(PauseRequest)
      .addSuccess(Operation)
      .addError(Missing)
      .middleware(OperatorAccess)
      .annotateContext(said("Let crawling, processing or both rest: of a vault, a pipeline, or everything"))
  )
  .add(
    HttpApiEndpoint.post("resume", "/pauses/resume")
      .setPayload(PauseRequest)
      .addSuccess(Operation)
      .middleware(OperatorAccess)
      .annotateContext(said("Let it go on"))
  )
  .addError(BadRequest)
  .addError(StoreFails)
  .annotateContext(OpenApi.annotations({ description: "Where documents come from, and what rests." })) {}

export class Pipelines extends HttpApiGroup.make("pipelines")
  .add(
    HttpApiEndpoint.get("show")`/pipelines/${Id}`
      .setUrlParams(Schema.Struct({ version: optional }).annotations(exact))
      .addSuccess(PipelineGraph)
      .addError(Missing)
      .middleware(ReaderAccess)
      .annotateContext(said("Show the graph of a pipeline", "With `version` as executions of that version ran it."))
  )
  .addError(BadRequest)
  .addError(StoreFails)
  .annotateContext(OpenApi.annotations({ description: "What is done to documents." })) {}

export class Overview extends HttpApiGroup.make("overview")
  .add(
    HttpApiEndpoint.get("show", "/overview")
      .setUrlParams(Schema.Struct({ hours: Limit }).annotations(exact))
      .addSuccess(Figures)
      .middleware(ReaderAccess)
      .annotateContext(
        said(
          "Show how the installation does",
          "Of the last so many hours, 24 where nobody says; at most half a minute old."
        )
      )
  )
  .addError(BadRequest)
  .addError(StoreFails)
  .annotateContext(OpenApi.annotations({ description: "The queue, what ended, why it failed and what it cost." })) {}

export class Workers extends HttpApiGroup.make("workers")
  .add(
    HttpApiEndpoint.get("list", "/workers")
      .addSuccess(Page("WorkerPage", Worker))
      .middleware(ReaderAccess)
      .annotateContext(said("List the live workers of the fleet and what they run"))
  )
  .add(
    HttpApiEndpoint.post("drain")`/workers/${Id}/drain`
      .addSuccess(Operation)
      .addError(Missing)
      .middleware(OperatorAccess)
      .annotateContext(said("Let one worker take no more work"))
  )
  .addError(StoreFails)
  .annotateContext(OpenApi.annotations({ description: "The processes of the fleet." })) {}

export class Operations extends HttpApiGroup.make("actions")
  .add(
    HttpApiEndpoint.get("list", "/operations")
      .setUrlParams(Schema.Struct(Paged).annotations(exact))
      .addSuccess(Page("OperationPage", Operation))
      .middleware(ReaderAccess)
      .annotateContext(said("List what was done by whom, the newest first"))
  )
  .add(
    HttpApiEndpoint.get("show")`/operations/${Id}`
      .addSuccess(Operation)
      .addError(Missing)
      .middleware(ReaderAccess)
      .annotateContext(said("Show one operation and how far it is"))
  )
  .add(
    HttpApiEndpoint.post("begin", "/operations")
      .setPayload(OperationRequest)
      .addSuccess(Schema.Union(Operation, Counted))
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(
        said("Retry, cancel, delete, put back, discard or backfill by a filter", "With `dry_run` it only counts.")
      )
  )
  .add(
    HttpApiEndpoint.post("stop")`/operations/${Id}/stop`
      .addSuccess(Operation)
      .addError(Missing)
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(said("Stop an operation that is under way"))
  )
  .add(
    HttpApiEndpoint.post("goOn")`/operations/${Id}/continue`
      .addSuccess(Operation)
      .addError(Missing)
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(said("Let an operation that was stopped go on"))
  )
  .addError(BadRequest)
  .addError(StoreFails)
  .annotateContext(OpenApi.annotations({ description: "What people did, and operations on many things." })) {}

export class Tasks extends HttpApiGroup.make("tasks")
  .add(
    HttpApiEndpoint.post("submit", "/tasks")
      .setPayload(Submission.annotations(exact))
      .setUrlParams(waits)
      .setHeaders(Schema.Struct({ "idempotency-key": Schema.optional(Schema.String.pipe(Schema.maxLength(255))) }))
      .addSuccess(Submitted)
      .addError(Missing)
      .addError(Refused)
      .middleware(OperatorAccess)
      .annotateContext(
        said(
          "Bring documents into a pipeline",
          "The same Idempotency-Key makes one task, however often it is sent. With `wait` it is answered when the task has ended, or after so many seconds."
        )
      )
  )
  .addError(BadRequest)
  .addError(StoreFails)
  .annotateContext(OpenApi.annotations({ description: "Documents that other programs bring." })) {}

export class Sessions extends HttpApiGroup.make("sessions")
  .add(
    HttpApiEndpoint.post("begin", "/session")
      .addSuccess(Schema.Struct({ name: Schema.String, role: Schema.String }))
      .middleware(ReaderAccess)
      .annotateContext(said("Sign in with a token: a browser gets a session"))
  )
  .add(
    HttpApiEndpoint.get("show", "/session")
      .addSuccess(Schema.Struct({ name: Schema.String, role: Schema.String }))
      .middleware(ReaderAccess)
      .annotateContext(said("Show who is signed in"))
  )
  .add(
    HttpApiEndpoint.del("end", "/session")
      .addSuccess(Schema.Struct({ ended: Schema.Boolean }))
      .middleware(ReaderAccess)
      .annotateContext(said("Sign out"))
  )
  .annotateContext(OpenApi.annotations({ description: "Browsers that signed in." })) {}

export class Events extends HttpApiGroup.make("events")
  .add(
    HttpApiEndpoint.get("changes", "/events")
      .addSuccess(HttpApiSchema.Text({ contentType: "text/event-stream" }))
      .middleware(ReaderAccess)
      .annotateContext(said("Follow what changes, as server-sent events"))
  )
  .annotateContext(OpenApi.annotations({ description: "What changes, as it does." })) {}
