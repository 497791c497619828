import * as Context from "effect/Context"
import type * as Redacted from "effect/Redacted"

/** Who may see and do what over HTTP. Where nothing is set only health, status and metrics are served. */
export interface AccessSettings {
  /** The bearer of this may see and do everything. */
  readonly operatorToken: Redacted.Redacted | null
  /** The bearer of this may see everything. */
  readonly readerToken: Redacted.Redacted | null
  /** Tokens of Microsoft Entra ID, or any other issuer of signed tokens. */
  readonly issuer: Issuer | null
  /** A process of one person on this machine, that opens its page with a token of its own: only requests to a loopback name are answered. */
  readonly local: Redacted.Redacted | null
}

export interface Issuer {
  /** As tokens name it: `https://login.microsoftonline.com/<tenant>/v2.0`. */
  readonly issuer: string
  readonly audience: string
  readonly operatorRole: string
  readonly readerRole: string
}

export class AccessConfig extends Context.Tag("contentflow-worker/config/AccessConfig")<
  AccessConfig,
  AccessSettings
>() {}

export const nobody: AccessSettings = { operatorToken: null, readerToken: null, issuer: null, local: null }

export const isOpen = ({ issuer, local, operatorToken, readerToken }: AccessSettings): boolean =>
  [issuer, local, operatorToken, readerToken].some((each) => each !== null)
