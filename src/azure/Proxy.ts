import { HttpProxyAgent } from "http-proxy-agent"
import { HttpsProxyAgent } from "https-proxy-agent"
import type { Agent } from "node:http"
import process from "node:process"

export type Environment = Readonly<Record<string, string | undefined>>

export interface Proxy {
  readonly url: URL
  /** The variable that names it. */
  readonly variable: string
}

/**
 * The proxy on the way to an address, by the rule of the Azure SDKs, which Storage, App Configuration, Key Vault and the sign-in follow by
 * themselves: HTTPS_PROXY, else ALL_PROXY, else HTTP_PROXY, in capital or small letters and for every address, but not for the hosts and
 * `.suffixes` of NO_PROXY. Undefined without one, or when what is set is no address.
 */
export const of = (address: string, environment: Environment = process.env): Proxy | undefined => {
  const found = configured(environment)
  if (found === undefined || !isUsable(found.text) || !URL.canParse(address)) return undefined
  const host = new URL(address).hostname
  const direct =
    valueOf(environment, "NO_PROXY")
      ?.text.split(",")
      .map((each) => each.trim()) ?? []
  const isDirect = direct.some((each) =>
    each.startsWith(".") ? `.${host}`.endsWith(each) : each !== "" && each === host
  )
  return isDirect ? undefined : { url: new URL(found.text), variable: found.variable }
}

/** What is wrong with the configured proxy; undefined without one, or when it is an address. Its text may hold a password. */
export const mistake = (environment: Environment = process.env): string | undefined => {
  const found = configured(environment)
  return found === undefined || isUsable(found.text)
    ? undefined
    : `${found.variable} is not the address of a proxy, such as http://proxy.example:3128: correct or remove it, since calls of Azure services may fail or go out directly`
}

/** What sends a client's requests through the proxy; undefined where there is none. */
export const agentFor = (address: string): Agent | undefined => {
  const proxy = of(address)
  if (proxy === undefined) return undefined
  const options = { keepAlive: true }
  return /^http:/i.test(address) ? new HttpProxyAgent(proxy.url, options) : new HttpsProxyAgent(proxy.url, options)
}

const isUsable = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).hostname !== ""

const configured = (environment: Environment) =>
  valueOf(environment, "HTTPS_PROXY") ?? valueOf(environment, "ALL_PROXY") ?? valueOf(environment, "HTTP_PROXY")

const valueOf = (environment: Environment, name: string) => {
  for (const variable of [name, name.toLowerCase()]) {
    const text = environment[variable]
    if (text !== undefined && text !== "") return { variable, text }
  }
  return undefined
}
