import * as Either from "effect/Either"
import type { Vault } from "../../domain/Vault.ts"
import { isLoopback } from "../../web/Loopback.ts"

export interface WebhookAddress {
  readonly url: URL
  /** A receiver on this machine; all others must have addresses of the public internet. */
  readonly isLocal: boolean
}

const longest = 2_048

/** Where a vault's failures are sent: undefined where nobody asked for it, Left with the reason where nothing may be sent there. */
export const of = ({
  on_failure_webhook: given
}: Pick<Vault, "on_failure_webhook">): Either.Either<WebhookAddress, string> | undefined => {
  if (given === undefined || given === null || given === "") return undefined
  const text = typeof given === "object" && "url" in given ? given.url : given
  if (typeof text !== "string" || text.length > longest || !URL.canParse(text)) {
    return Either.left("on_failure_webhook has no web address as its url")
  }
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") return Either.left("its address has a user name or a password")
  const isLocal = isLoopback(url.hostname)
  return url.protocol === "https:" || (isLocal && url.protocol === "http:")
    ? Either.right({ url, isLocal })
    : Either.left("its address must begin with https://, or lead to this machine")
}
