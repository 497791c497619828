import * as PlatformLogger from "@effect/platform/PlatformLogger"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type { LogSettings } from "../config/WorkerConfig.ts"
import { redact } from "../domain/Redaction.ts"
import * as SafeJson from "../domain/SafeJson.ts"
import * as Metrics from "../worker/Metrics.ts"
import * as StandardStreams from "./StandardStreams.ts"

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

/** For a logger that writes on standard output by itself. */
const guarded = (logger: Logger.Logger<unknown, void>): Logger.Logger<unknown, void> =>
  Logger.make((options) => StandardStreams.guarded(() => logger.log(options)))

const levels = {
  Debug: LogLevel.Debug,
  Info: LogLevel.Info,
  Warning: LogLevel.Warning,
  Error: LogLevel.Error
} as const

const formats = {
  json: Logger.map(jsonLine, StandardStreams.writeLine),
  pretty: guarded(withoutSecrets(Logger.prettyLogger())),
  logfmt: Logger.map(withoutSecrets(Logger.logfmtLogger), StandardStreams.writeLine)
} as const

/** Says how much of the log could not be written, for `LOG_FILE` and for whoever reads again. */
const tellLosses = Effect.gen(function* () {
  let told = 0
  yield* Effect.gen(function* () {
    const { code, count } = StandardStreams.lost()
    if (count === told) return
    yield* Metric.incrementBy(Metrics.logLinesLost, count - told)
    yield* Effect.logWarning(`Standard output can't be written (${code}): ${count} lines of the log were lost so far`)
    told = count
    // This line, too, may be lost, which is no news.
    yield* Effect.sleep("100 millis")
    const own = StandardStreams.lost().count - told
    if (own === 1) {
      yield* Metric.increment(Metrics.logLinesLost)
      told += own
    }
  }).pipe(Effect.repeat(Schedule.spaced("5 seconds")), Effect.forkScoped)
})

/** Replaces Effect's logger by the configured one; `LOG_FILE` gets a copy of every line as JSON. */
export const layer = ({ file, format, level }: LogSettings) => {
  const replaced = Logger.replace(Logger.defaultLogger, formats[format])
  const copy =
    file === null
      ? Layer.empty
      : Logger.addScoped(PlatformLogger.toFile(jsonLine, file, { flag: "a" }).pipe(Effect.orDie))
  const loggers = Layer.mergeAll(replaced, copy, Logger.minimumLogLevel(levels[level]))
  return Layer.provideMerge(Layer.scopedDiscard(tellLosses), loggers)
}
