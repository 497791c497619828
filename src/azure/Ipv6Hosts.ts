import * as Effect from "effect/Effect"
import * as http from "node:http"
import * as https from "node:https"

let isSet = false

/**
 * Lets `node:http` connect to the IPv6 host of an address: the SDKs hand it `[::1]` as `URL` spells it, with the brackets, which no resolver
 * knows (nodejs/node#39738). It holds for the whole process, and is set once.
 */
export const connectToIpv6: Effect.Effect<void> = Effect.sync(() => {
  if (isSet) return
  isSet = true
  for (const { prototype } of [http.Agent, https.Agent]) {
    const createConnection: unknown = Reflect.get(prototype, "createConnection")
    if (typeof createConnection !== "function") continue
    Reflect.set(
      prototype,
      "createConnection",
      function (this: http.Agent, options: Target, ...rest: ReadonlyArray<unknown>) {
        return Reflect.apply(createConnection, this, [withoutBrackets(options), ...rest])
      }
    )
  }
})

interface Target {
  readonly host?: string | null
  readonly hostname?: string | null
}

const withoutBrackets = (options: Target): Target =>
  options.host?.startsWith("[") === true || options.hostname?.startsWith("[") === true
    ? { ...options, host: bare(options.host), hostname: bare(options.hostname) }
    : options

const bare = (host: string | null | undefined): string | null => host?.replace(/^\[(.*)\]$/, "$1") ?? null
