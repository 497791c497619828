import * as KeyValueList from "./KeyValueList.ts"
import type { TelemetrySettings } from "./TelemetrySettings.ts"

/** What all signals say of the process that sent them. */
export const of = ({ resourceAttributes, serviceName }: TelemetrySettings) => ({
  serviceName,
  attributes: resourceAttributes === null ? {} : KeyValueList.parse(resourceAttributes)
})
