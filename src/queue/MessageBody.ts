import * as Effect from "effect/Effect"
import { Invalid } from "../domain/ServiceError.ts"

/** What Azure Storage Queue accepts as the text of one message, in bytes of UTF-8. */
export const MAX_BYTES = 65_536

/** Fails with Invalid when a queue can't carry the text: TooLarge above 64 KiB, BadRequest for what XML has no way to write. */
export const check = (service: string, operation: string, body: string): Effect.Effect<void, Invalid> =>
  Effect.suspend(() => {
    const bytes = byteLength(body)
    if (bytes > MAX_BYTES) {
      return new Invalid({
        service,
        operation,
        message: `${service} could not ${operation}: the message has ${bytes} bytes, the limit is ${MAX_BYTES}.`,
        reason: "TooLarge"
      })
    }
    const unwritable = UNWRITABLE.exec(body)
    if (unwritable === null) return Effect.void
    const code = (unwritable[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
    return new Invalid({
      service,
      operation,
      message: `${service} could not ${operation}: the message has the character U+${code} at ${unwritable.index}, which must be escaped.`,
      reason: "BadRequest"
    })
  })

/** Strings that can't exceed the limit are not measured. */
const byteLength = (body: string): number => (body.length * 3 <= MAX_BYTES ? 0 : Buffer.byteLength(body, "utf8"))

/** Not a Char of XML 1.0, https://www.w3.org/TR/xml/#charsets; lone surrogates included. */
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const UNWRITABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF\p{Surrogate}]/u
