import type { HttpClient } from "@azure/core-rest-pipeline"
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Resource from "./Resource.ts"
import type { TelemetrySettings } from "./TelemetrySettings.ts"
import * as WithoutSecrets from "./WithoutSecrets.ts"

/**
 * Sends traces, metrics and logs to Application Insights, by `transport` or HTTPS. A connection string that it can't use costs the
 * telemetry and not the worker: many installations carry one that was never used.
 */
export const layer = (
  settings: TelemetrySettings,
  connectionString: Redacted.Redacted,
  transport?: HttpClient
): Layer.Layer<never> =>
  Layer.unwrapEffect(
    Effect.tryPromise(() => sdk(settings, connectionString, transport)).pipe(
      Effect.catchAll(() =>
        Effect.as(
          Effect.logWarning(
            "Nothing is sent to Application Insights: APPLICATIONINSIGHTS_CONNECTION_STRING is not one of its connection strings (InstrumentationKey=…;IngestionEndpoint=…)"
          ),
          Layer.empty
        )
      )
    )
  )

/** Loaded where it is used: the exporter takes OpenTelemetry's own SDK along. */
const sdk = async (
  settings: TelemetrySettings,
  connectionString: Redacted.Redacted,
  transport: HttpClient | undefined
): Promise<Layer.Layer<never>> => {
  const [{ NodeSdk }, azure, logs, metrics, traces] = await Promise.all([
    import("@effect/opentelemetry"),
    import("@azure/monitor-opentelemetry-exporter"),
    import("@opentelemetry/sdk-logs"),
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/sdk-trace-base")
  ])
  const { metricInterval, signals } = settings
  const options = {
    connectionString: Redacted.value(connectionString),
    disableOfflineStorage: true,
    ...(transport === undefined ? {} : { httpClient: transport })
  }
  const spans = signals.has("traces") ? new azure.AzureMonitorTraceExporter(options) : null
  const numbers = signals.has("metrics") ? new azure.AzureMonitorMetricExporter(options) : null
  const lines = signals.has("logs") ? new azure.AzureMonitorLogExporter(options) : null
  const exportIntervalMillis = Duration.toMillis(metricInterval)
  return Layer.discard(
    NodeSdk.layer(() => ({
      resource: Resource.of(settings),
      ...(spans && { spanProcessor: [named, WithoutSecrets.spans, new traces.BatchSpanProcessor(spans)] }),
      ...(numbers && {
        metricReader: new metrics.PeriodicExportingMetricReader({ exporter: numbers, exportIntervalMillis })
      }),
      ...(lines && {
        logRecordProcessor: [WithoutSecrets.lines, new logs.BatchLogRecordProcessor({ exporter: lines })]
      })
    }))
  )
}

/** The exporter names requests by this attribute, and gives none a name that is no HTTP request. */
const named: SpanProcessor = {
  onStart: (span) => void span.setAttribute("ai.operation.name", span.name),
  onEnd: () => {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve()
}
