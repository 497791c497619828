import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BulkOperations } from "./BulkOperations.ts"
import { Executions } from "./Executions.ts"
import { OperationLog } from "./OperationLog.ts"
import { PoisonMessages } from "./PoisonMessages.ts"
import { Submissions } from "./Submissions.ts"
import { Vaults } from "./Vaults.ts"
import { Workers } from "./Workers.ts"

/** An installation as an operator sees it and acts on it, over its stores or through one of its workers. */
export class Installation extends Context.Tag("contentflow-worker/operations/Installation")<
  Installation,
  {
    readonly executions: Executions["Type"]
    readonly poison: Pick<PoisonMessages["Type"], "list" | "show" | "putBack" | "discard">
    readonly vaults: Vaults["Type"]
    readonly workers: Workers["Type"]
    readonly submissions: Submissions["Type"]
    /** `run` carries an operation out where the stores are at hand; elsewhere a worker does, and it only looks. */
    readonly operations: Pick<BulkOperations["Type"], "dryRun" | "begin" | "show" | "stop" | "goOn" | "run"> &
      Pick<OperationLog["Type"], "list">
  }
>() {}

/** The installation whose stores are at hand. */
export const layer = Layer.effect(
  Installation,
  Effect.gen(function* () {
    const { list } = yield* OperationLog
    return Installation.of({
      executions: yield* Executions,
      poison: yield* PoisonMessages,
      vaults: yield* Vaults,
      workers: yield* Workers,
      submissions: yield* Submissions,
      operations: { ...(yield* BulkOperations), list }
    })
  })
)
