import type * as Effect from "effect/Effect"
import * as Spans from "../telemetry/Spans.ts"

/** A span around one call of a service, where a tracer is provided: without one it would cost a call more than all else we add to it. */
export const around = <A, E, R>(
  name: string,
  attributes: Readonly<Record<string, string>>,
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Spans.around(name, { kind: "client", attributes: () => attributes }, call)
