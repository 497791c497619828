import * as PlatformLogger from "@effect/platform/PlatformLogger"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type { LogSettings } from "../config/WorkerConfig.ts"
import * as SafeJson from "../domain/SafeJson.ts"

/** One JSON object a line: time, level, message, the annotations (task_id, execution_id, …) beside them, and the cause as text. */
export const jsonLine: Logger.Logger<unknown, string> = Logger.make(
  ({ annotations, cause, date, logLevel, message }) => {
    const parts = Array.isArray(message) ? message : [message]
    return JSON.stringify({
      timestamp: date.toISOString(),
      level: logLevel.label,
      message: parts.map((part) => (typeof part === "string" ? part : JSON.stringify(SafeJson.toJson(part)))).join(" "),
      ...Object.fromEntries(HashMap.map(annotations, SafeJson.toJson)),
      ...(Cause.isEmpty(cause) ? {} : { cause: Cause.pretty(cause) })
    })
  }
)

const levels = {
  Debug: LogLevel.Debug,
  Info: LogLevel.Info,
  Warning: LogLevel.Warning,
  Error: LogLevel.Error
} as const

const formats = {
  json: Logger.withConsoleLog(jsonLine),
  pretty: Logger.prettyLogger(),
  logfmt: Logger.withConsoleLog(Logger.logfmtLogger)
} as const

/** Replaces Effect's logger by the configured one; `LOG_FILE` gets a copy of every line as JSON. */
export const layer = ({ file, format, level }: LogSettings) => {
  const replaced = Logger.replace(Logger.defaultLogger, formats[format])
  const copy =
    file === null
      ? Layer.empty
      : Logger.addScoped(PlatformLogger.toFile(jsonLine, file, { flag: "a" }).pipe(Effect.orDie))
  return Layer.mergeAll(replaced, copy, Logger.minimumLogLevel(levels[level]))
}
