import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

export type Signal = "traces" | "metrics" | "logs"

/** Where telemetry goes, besides the log and `/metrics`. */
export interface TelemetrySettings {
  readonly otlp: {
    /** Without the signal's path, which is added. */
    readonly endpoint: string
    readonly protocol: "http/json" | "http/protobuf"
    /** `name=value`, with commas between. */
    readonly headers: Redacted.Redacted | null
  } | null
  readonly applicationInsights: Redacted.Redacted | null
  readonly signals: ReadonlySet<Signal>
  readonly serviceName: string
  /** `name=value`, with commas between. */
  readonly resourceAttributes: string | null
  readonly metricInterval: Duration.Duration
}
