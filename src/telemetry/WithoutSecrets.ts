import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { redact } from "../domain/Redaction.ts"

/** Hides the worker's secrets in everything that is sent, whatever text of whatever error they stand in. */
export const layer: Layer.Layer<OtlpSerialization.OtlpSerialization, never, OtlpSerialization.OtlpSerialization> =
  Layer.effect(
    OtlpSerialization.OtlpSerialization,
    Effect.map(OtlpSerialization.OtlpSerialization, ({ logs, metrics, traces }) => ({
      logs: (data) => logs(hidden(data)),
      metrics: (data) => metrics(hidden(data)),
      traces: (data) => traces(hidden(data))
    }))
  )

/** Of OTLP's own shapes, which are flat, made by the exporter and hold no cycles. */
const hidden = (value: unknown): unknown => {
  if (typeof value === "string") return redact(value)
  if (Array.isArray(value)) return value.map(hidden)
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hidden(one)]))
}
