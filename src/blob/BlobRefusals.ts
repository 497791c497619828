import * as Effect from "effect/Effect"
import { NotFound, PreconditionFailed } from "../domain/ServiceError.ts"

/** What a store of blobs answers with the codes of Azure's, so that who asks meets the same everywhere. `service` names it for people. */
export const of = (service: string) => ({
  missing: (operation: string, what: "blob" | "container"): Effect.Effect<never, NotFound> =>
    Effect.fail(
      new NotFound({
        service,
        operation,
        message: `${service} could not ${operation}: the ${what} does not exist.`,
        code: what === "blob" ? "BlobNotFound" : "ContainerNotFound"
      })
    ),
  changed: (operation: string): Effect.Effect<never, PreconditionFailed> =>
    Effect.fail(
      new PreconditionFailed({
        service,
        operation,
        message: `${service} could not ${operation}: it is not, or no longer, in the expected state.`,
        code: "ConditionNotMet"
      })
    )
})
