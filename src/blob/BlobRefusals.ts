import * as Effect from "effect/Effect"
import { NotFound, PreconditionFailed } from "../domain/ServiceError.ts"

/** The errors of a blob store, with Azure's codes, so that callers see the same from each adapter. `service` names it in messages. */
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
