import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as DotEnv from "../config/DotEnv.ts"
import { redact } from "../domain/Redaction.ts"
import { isService } from "./Services.ts"

/**
 * Tells on standard error why a command ended: as words, or of a service whose log was asked for as JSON, as one more line of it, so that what reads the log
 * reads the one line that matters, too.
 */
export const tell = (argv: ReadonlyArray<string>, message: string) =>
  Effect.gen(function* () {
    const text = redact(message)
    const asJson = isService(argv) && (yield* logFormat)?.toLowerCase() === "json"
    yield* Console.error(
      asJson
        ? JSON.stringify({
            timestamp: new Date((yield* Effect.clock).unsafeCurrentTimeMillis()).toISOString(),
            level: "FATAL",
            message: text
          })
        : text
    )
  })

/** What the environment or `.env` say; the default is for machines, but nobody asked for it. */
const logFormat = Effect.gen(function* () {
  const real = yield* Effect.option(Config.string("LOG_FORMAT"))
  if (Option.isSome(real)) return real.value.trim()
  const file = yield* Effect.option(DotEnv.find)
  if (Option.isNone(file)) return undefined
  return Option.getOrUndefined(yield* Effect.option(file.value.provider.load(Config.string("LOG_FORMAT"))))?.trim()
})
