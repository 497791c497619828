import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import * as Headers from "@effect/platform/Headers"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** Effect's own tracer, which exports nothing. */
const nobody = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Chooses by whether a tracer is provided: what only makes spans costs nothing without one. */
export const whenTraced = <A, E, R, A2, E2, R2>(
  untraced: () => Effect.Effect<A, E, R>,
  traced: () => Effect.Effect<A2, E2, R2>
): Effect.Effect<A | A2, E | E2, R | R2> =>
  Effect.tracerWith((tracer): Effect.Effect<A | A2, E | E2, R | R2> => (tracer === nobody ? untraced() : traced()))

export interface SpanOptions {
  readonly kind?: Tracer.SpanKind
  /** Made only where a tracer is provided. */
  readonly attributes: () => Readonly<Record<string, unknown>>
  /** Begins a trace of its own, linked to the span that it was made in. */
  readonly root?: boolean
  /** The W3C `traceparent` of the span that this one continues, where it is of another process; null when there is none. */
  readonly parent?: string | null
}

/** A span around an effect, where a tracer is provided; nothing otherwise. */
export const around = <A, E, R>(name: string, options: SpanOptions, effect: Effect.Effect<A, E, R>) =>
  whenTraced(
    () => effect,
    () => {
      const parent = options.parent === undefined || options.parent === null ? undefined : parsed(options.parent)
      const span = (links: ReadonlyArray<Tracer.SpanLink>) =>
        Effect.withSpan(effect, name, {
          kind: options.kind ?? "internal",
          captureStackTrace: false,
          attributes: options.attributes(),
          ...(parent === undefined ? (options.root === true ? { root: true } : {}) : { parent }),
          links
        })
      if (options.root !== true || parent !== undefined) return span([])
      return Effect.flatMap(Effect.option(Effect.currentParentSpan), (within) =>
        span(
          Option.toArray(
            Option.map(within, (one): Tracer.SpanLink => ({ _tag: "SpanLink", span: one, attributes: {} }))
          )
        )
      )
    }
  )

/** The W3C `traceparent` of the current span; null without one, or without a tracer. */
export const traceparent: Effect.Effect<string | null> = whenTraced(
  () => Effect.succeed(null),
  () =>
    Effect.match(Effect.currentSpan, {
      onFailure: () => null,
      onSuccess: ({ sampled, spanId, traceId }) => `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`
    })
)

/** Adds to the current span, where a tracer is provided. */
export const annotate = (attributes: () => Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  whenTraced(
    () => Effect.void,
    () => Effect.annotateCurrentSpan(attributes())
  )

const parsed = (text: string): Tracer.ExternalSpan | undefined =>
  Option.getOrUndefined(HttpTraceContext.w3c(Headers.fromInput({ traceparent: text })))
