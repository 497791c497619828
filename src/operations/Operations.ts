import * as Layer from "effect/Layer"
import * as ClaimCheck from "../worker/ClaimCheck.ts"
import * as Executions from "./Executions.ts"
import * as OperationLog from "./OperationLog.ts"

/** Everything that people do to executions, messages, vaults and workers, over the ports of the engine. */
export const layer = Layer.mergeAll(Executions.layer).pipe(
  Layer.provideMerge(OperationLog.layer),
  Layer.provide(ClaimCheck.layer)
)
