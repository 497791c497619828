import * as dns from "node:dns/promises"
import { isIP } from "node:net"
import * as Effect from "effect/Effect"
import { isPublicAddress } from "./PublicAddress.ts"
import { refused, WebError } from "./WebError.ts"

/** All addresses of a name, as the machine's resolver gives them. */
export type Lookup = (hostname: string) => Effect.Effect<ReadonlyArray<string>, WebError>

export interface AddressPolicy {
  /** Whether addresses that are not of the public internet may be connected to. */
  readonly allowPrivate: boolean
  readonly lookup: Lookup
}

/**
 * The addresses that a connection to this host may use: the caller connects to one of these and asks no resolver again, so that
 * a name can't be moved in between. Refused as a whole when any of them is not public, unless that is allowed.
 */
export const resolve = (
  { allowPrivate, lookup }: AddressPolicy,
  hostname: string
): Effect.Effect<ReadonlyArray<string>, WebError> =>
  Effect.gen(function* () {
    const host = hostname.replace(/^\[(.*)\]$/, "$1")
    const addresses = isIP(host) === 0 ? yield* lookup(host) : [host]
    if (addresses.length === 0) return yield* notFound(host)
    const closed = allowPrivate ? undefined : addresses.find((address) => !isPublicAddress(address))
    return closed === undefined
      ? addresses
      : yield* refused(
          `${host === closed ? host : `${host} has the address ${closed}, which`} is not of the public internet; private, loopback and link-local addresses are refused unless allow_private_addresses is true`
        )
  })

/** The system's resolver, as every other program of this machine uses it. */
export const systemLookup: Lookup = (hostname) =>
  Effect.tryPromise({
    try: () => dns.lookup(hostname, { all: true, verbatim: true }),
    catch: (cause) =>
      codeOf(cause) === "ENOTFOUND"
        ? notFound(hostname)
        : new WebError({
            reason: "Unreachable",
            message: `The name ${hostname} can't be resolved (${codeOf(cause)})`,
            transient: true
          })
  }).pipe(Effect.map((found) => found.map(({ address }) => address)))

/** `ECONNRESET` and the like; else the error's name. */
export const codeOf = (cause: unknown): string =>
  cause instanceof Error
    ? "code" in cause && typeof cause.code === "string"
      ? cause.code
      : cause.name
    : "unknown error"

const notFound = (hostname: string): WebError =>
  new WebError({ reason: "Unreachable", message: `No host is called ${hostname}`, transient: false })
