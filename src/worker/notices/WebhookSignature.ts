import { createHmac } from "node:crypto"
import * as Redacted from "effect/Redacted"

export interface SignedMessage {
  /** The same at each try, so that the receiver knows what it has. */
  readonly id: string
  /** Of this try: epoch seconds. */
  readonly timestamp: number
  readonly body: string
}

/** How secrets begin; behind it stands base64. */
export const secretPrefix = "whsec_"

/** The headers of a webhook as the Standard Webhooks specification has them, with a signature for each secret: while one takes another's place both count. */
export const headersOf = (
  { body, id, timestamp }: SignedMessage,
  secrets: ReadonlyArray<Redacted.Redacted>
): Readonly<Record<string, string>> => ({
  "webhook-id": id,
  "webhook-timestamp": String(timestamp),
  "webhook-signature": secrets
    .map((secret) => {
      const key = Buffer.from(Redacted.value(secret).slice(secretPrefix.length), "base64")
      return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`
    })
    .join(" ")
})
