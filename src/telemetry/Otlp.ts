import * as OtlpLogger from "@effect/opentelemetry/OtlpLogger"
import * as OtlpMetrics from "@effect/opentelemetry/OtlpMetrics"
import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as KeyValueList from "./KeyValueList.ts"
import * as Resource from "./Resource.ts"
import type { TelemetrySettings } from "./TelemetrySettings.ts"
import * as WithoutSecrets from "./WithoutSecrets.ts"

/** A collector that does not answer holds no memory for longer; after a failure nothing is sent for a minute. */
const exportTimeout = Duration.seconds(10)

const client = Layer.map(FetchHttpClient.layer, (context) =>
  Context.make(
    HttpClient.HttpClient,
    HttpClient.transformResponse(
      Context.get(context, HttpClient.HttpClient),
      Effect.timeout(exportTimeout)
    ) as HttpClient.HttpClient
  )
)

/** Sends traces, metrics and logs by OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/ */
export const layer = (
  settings: TelemetrySettings,
  { endpoint, headers, protocol }: NonNullable<TelemetrySettings["otlp"]>
): Layer.Layer<never> => {
  const { metricInterval, signals } = settings
  const options = (signal: string) => ({
    url: `${endpoint.replace(/\/+$/, "")}/v1/${signal}`,
    resource: Resource.of(settings),
    headers: headers === null ? undefined : KeyValueList.parse(Redacted.value(headers))
  })
  return Layer.mergeAll(
    signals.has("traces") ? OtlpTracer.layer(options("traces")) : Layer.empty,
    signals.has("metrics") ? OtlpMetrics.layer({ ...options("metrics"), exportInterval: metricInterval }) : Layer.empty,
    signals.has("logs") ? OtlpLogger.layer(options("logs")) : Layer.empty
  ).pipe(
    Layer.provide(WithoutSecrets.layer),
    Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf),
    Layer.provide(client)
  )
}
