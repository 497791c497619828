import * as Layer from "effect/Layer"
import * as ApplicationInsights from "./ApplicationInsights.ts"
import * as Otlp from "./Otlp.ts"
import type { TelemetrySettings } from "./TelemetrySettings.ts"

/** Tells what the process does to where the settings say; nothing, and at no cost, when they name no place. */
export const layer = (settings: TelemetrySettings): Layer.Layer<never> => {
  if (settings.otlp !== null) return Otlp.layer(settings, settings.otlp)
  if (settings.applicationInsights !== null) return ApplicationInsights.layer(settings, settings.applicationInsights)
  return Layer.empty
}
