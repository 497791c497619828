import * as PlatformLogger from "@effect/platform/PlatformLogger"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type { LogSettings } from "../config/WorkerConfig.ts"
import { redact } from "../domain/Redaction.ts"
import * as SafeJson from "../domain/SafeJson.ts"

/** One JSON object a line: time, level, message, the annotations (task_id, execution_id, …) beside them, and the cause as text. */
export const jsonLine: Logger.Logger<unknown, string> = Logger.make(
  ({ annotations, cause, date, logLevel, message }) => {
    const parts = Array.isArray(message) ? message : [message]
    return JSON.stringify({
      timestamp: date.toISOString(),
      level: logLevel.label,
      message: redact(parts.map(textOf).join(" ")),
      ...Object.fromEntries(HashMap.map(annotations, safely)),
      ...(Cause.isEmpty(cause) ? {} : { cause: redact(Cause.pretty(cause)) })
    })
  }
)

const textOf = (part: unknown): string => (typeof part === "string" ? part : JSON.stringify(SafeJson.toJson(part)))

const safely = (annotation: unknown): unknown =>
  typeof annotation === "string" ? redact(annotation) : SafeJson.toJson(annotation)

/** For loggers of others: they get texts without secrets, the cause among them. */
const withoutSecrets = <A>(logger: Logger.Logger<unknown, A>): Logger.Logger<unknown, A> =>
  Logger.make((options) => {
    const parts = Array.isArray(options.message) ? options.message : [options.message]
    const cause = Cause.isEmpty(options.cause) ? [] : [Cause.pretty(options.cause)]
    return logger.log({
      ...options,
      message: [...parts.map(textOf), ...cause].map(redact),
      annotations: HashMap.map(options.annotations, safely),
      cause: Cause.empty
    })
  })

const levels = {
  Debug: LogLevel.Debug,
  Info: LogLevel.Info,
  Warning: LogLevel.Warning,
  Error: LogLevel.Error
} as const

const formats = {
  json: Logger.withConsoleLog(jsonLine),
  pretty: withoutSecrets(Logger.prettyLogger()),
  logfmt: Logger.withConsoleLog(withoutSecrets(Logger.logfmtLogger))
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
