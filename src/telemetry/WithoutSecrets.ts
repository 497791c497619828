import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import type { LogRecordProcessor } from "@opentelemetry/sdk-logs"
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base"
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

/** The same for OpenTelemetry's SDK, whose processors see spans and lines of the log before they are exported. */
export const spans: SpanProcessor = {
  onStart: () => {},
  onEnd: ({ attributes, events, links, status }) => {
    for (const part of [attributes, events, links, status]) hideIn(part)
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve()
}

export const lines: LogRecordProcessor = {
  onEmit: (line) => {
    const text = { body: line.body }
    hideIn(text)
    line.setBody(text.body)
    hideIn(line.attributes)
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve()
}

const hideIn = (part: object): void => void Object.assign(part, hidden({ ...part }))

/** Of shapes that are flat, made by the exporters and hold no cycles. */
const hidden = (value: unknown): unknown => {
  if (typeof value === "string") return redact(value)
  if (Array.isArray(value)) return value.map(hidden)
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hidden(one)]))
}
