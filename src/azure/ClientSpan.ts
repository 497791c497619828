import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** Effect's own tracer, which keeps nothing that anybody could see. */
const nobody = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** A span around one call of a service, where a tracer is provided: without one it would cost a call more than all else we add to it. */
export const around = <A, E, R>(
  name: string,
  attributes: Readonly<Record<string, string>>,
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.tracerWith((tracer) =>
    tracer === nobody ? call : Effect.withSpan(call, name, { kind: "client", captureStackTrace: false, attributes })
  )
