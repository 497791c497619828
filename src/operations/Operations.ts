import * as Layer from "effect/Layer"
import * as ClaimCheck from "../worker/ClaimCheck.ts"
import * as PipelineVersions from "../worker/task/PipelineVersions.ts"
import * as BulkOperations from "./BulkOperations.ts"
import * as Executions from "./Executions.ts"
import * as OperationLog from "./OperationLog.ts"
import * as Overview from "./Overview.ts"
import * as Pipelines from "./Pipelines.ts"
import * as PoisonMessages from "./PoisonMessages.ts"
import * as Submissions from "./Submissions.ts"
import * as TaskQueueClient from "./TaskQueueClient.ts"
import * as Vaults from "./Vaults.ts"
import * as Workers from "./Workers.ts"

/** Everything that people do to executions, messages, vaults and workers, over the ports of the engine. */
export const layer = Layer.mergeAll(
  Executions.layer,
  Vaults.layer,
  Workers.layer,
  Submissions.layer,
  TaskQueueClient.layer,
  BulkOperations.layer,
  Overview.layer,
  Pipelines.layer
).pipe(
  Layer.provideMerge(PoisonMessages.layer),
  Layer.provideMerge(OperationLog.layer),
  Layer.provide([ClaimCheck.layer, PipelineVersions.layer])
)
