import { isTransient, type ServiceError, Throttled, Unauthorized, Unavailable } from "../domain/ServiceError.ts"
import type { Judge } from "./EndpointValves.ts"

/** The errors of our service clients. */
export const judge = (service: string): Judge<ServiceError> => ({
  verdict: (error) =>
    isTransient(error)
      ? { kind: "out", retryAfterMillis: error._tag === "Throttled" ? error.retryAfterMillis : null }
      : { kind: error._tag === "Unauthorized" ? "refused" : "answered" },
  // The message of an error is none of the properties that a spread copies.
  withOutage: (error, outage) => {
    switch (error._tag) {
      case "Throttled":
        return new Throttled({ ...error, message: error.message, outage })
      case "Unauthorized":
        return new Unauthorized({ ...error, message: error.message, outage })
      case "Unavailable":
        return new Unavailable({ ...error, message: error.message, outage })
      default:
        return error
    }
  },
  notCalled: (message, outage) => new Unavailable({ service, operation: `call ${outage.endpoint}`, message, outage })
})
