import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { isTransient, retryAfter, type ServiceError, Unavailable } from "../domain/ServiceError.ts"
import * as ClientSpan from "./ClientSpan.ts"
import * as SdkCall from "./SdkCall.ts"
import * as StorageErrors from "./StorageErrors.ts"

export interface StorageCall extends StorageErrors.CalledOperation {
  /** The span's name: `StorageQueue.receive`. */
  readonly span: string
  /** `few` only for calls that may be done twice; `none` where the caller owns the retries. */
  readonly retries: "none" | "few"
  /** The limit of one try; 30 seconds by default. */
  readonly timeout?: Duration.DurationInput
}

/** Runs one call of a Storage client: interruption aborts the request, a silent service is given up, failures are ours. */
export const call = <A>(
  options: StorageCall,
  run: (abortSignal: AbortSignal) => Promise<A>
): Effect.Effect<A, ServiceError> => Effect.mapError(request(options, run), (failure) => failure.error)

/** Like `call`, but the failure also carries the service's own error code. */
export const request = <A>(
  options: StorageCall,
  run: (abortSignal: AbortSignal) => Promise<A>
): Effect.Effect<A, StorageErrors.StorageFailure> => {
  const timeout = Duration.decode(options.timeout ?? "30 seconds")
  const attempt = SdkCall.run<A, StorageErrors.StorageFailure>({
    start: run,
    onReject: (cause) =>
      Effect.clockWith((clock) =>
        Effect.fail(StorageErrors.fromUnknown(cause, options, clock.unsafeCurrentTimeMillis()))
      ),
    timeout,
    onTimeout: () => ({ error: timedOut(options, timeout), code: null })
  })
  return ClientSpan.around(
    options.span,
    { "server.address": options.host, "contentflow.operation": options.operation },
    options.retries === "few" ? Effect.retry(attempt, fewRetries) : attempt
  )
}

/** The service said nothing for `waited`. */
export const timedOut = (called: StorageErrors.CalledOperation, waited: Duration.Duration): Unavailable =>
  new Unavailable({
    service: called.service,
    operation: called.operation,
    message: `${called.service} could not ${called.operation} at ${called.host}: no answer within ${Duration.format(waited)}.`
  })

/** Longer waits are left to the caller, who knows better what else to do. */
const longestWait = Duration.seconds(5)

/** Two more tries, after about 200 and 800 ms or when the service asks for it, for what can heal. */
const fewRetries = Schedule.exponential("200 millis", 4).pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(2)),
  Schedule.intersect(Schedule.identity<StorageErrors.StorageFailure>()),
  Schedule.modifyDelay(([, failure], delay) => Duration.max(Duration.decode(delay), waitAskedFor(failure))),
  Schedule.whileInput(
    (failure: StorageErrors.StorageFailure) =>
      isTransient(failure.error) && Duration.lessThanOrEqualTo(waitAskedFor(failure), longestWait)
  )
)

const waitAskedFor = (failure: StorageErrors.StorageFailure): Duration.Duration =>
  Option.getOrElse(retryAfter(failure.error), () => Duration.zero)
