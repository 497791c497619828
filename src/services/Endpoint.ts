import * as Either from "effect/Either"
import * as CutText from "../text/CutText.ts"

/** Where a service is. */
export interface Endpoint {
  /** Without a slash at its end, with the path that was given. */
  readonly url: string
  readonly origin: string
  /** With its port, as people read it. */
  readonly host: string
  readonly hostname: string
  readonly isSecure: boolean
}

/** Reads an endpoint as definitions give it. Left says what is wrong, and follows `The setting <name> `. */
export const parse = (text: string): Either.Either<Endpoint, string> => {
  if (isPlaceholder(text)) {
    return Either.left(`is still the placeholder ${quoted(text)}: put the endpoint of your resource there.`)
  }
  if (!URL.canParse(text)) return Either.left(`must be a web address such as https://host/, not ${quoted(text)}.`)
  const url = new URL(text)
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return Either.left(`must begin with https://, not with ${quoted(url.protocol)}.`)
  }
  if (url.username !== "" || url.password !== "") {
    return Either.left("must not hold a name or password; a key has a setting of its own.")
  }
  if (url.search !== "" || url.hash !== "") {
    return Either.left(`must end before ? and #: leave out ${quoted(`${url.search}${url.hash}`)}.`)
  }
  return Either.right({
    url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
    origin: url.origin,
    host: url.host,
    hostname: url.hostname,
    isSecure: url.protocol === "https:"
  })
}

/** Whether a value is the placeholder of an example or a form, left unreplaced: `<resource>`, `https://your-resource.…`, `YOUR_DEPLOYMENT`. */
export const isPlaceholder = (text: string): boolean =>
  /[<>{}…]|\bmy-resource\b|(?<![a-z0-9])your(?:[-_ ]|azure|open|ai\b|resource|endpoint|account|service|deployment|model|search|index|instance|name|foundry|doc)|placeholder|(?:change|replace|fill)[-_ ]?me|\bx{3,}\b|\.{3}|\bexample\.(?:com|org|net)\b/i.test(
    text
  )

const quoted = (text: string): string => JSON.stringify(CutText.cut(text, 200))

/** This machine: plain HTTP does not leave it. */
export const isLoopback = ({ hostname }: Pick<Endpoint, "hostname">): boolean =>
  hostname === "localhost" ||
  hostname.endsWith(".localhost") ||
  hostname === "[::1]" ||
  /^127(?:\.\d{1,3}){3}$/.test(hostname)

/** The clouds whose AI and search services take tokens of Microsoft Entra. */
const azureSuffixes = [
  ".openai.azure.com",
  ".cognitiveservices.azure.com",
  ".services.ai.azure.com",
  ".search.windows.net",
  ".api.cognitive.microsoft.com",
  ".openai.azure.us",
  ".cognitiveservices.azure.us",
  ".search.azure.us",
  ".openai.azure.cn",
  ".cognitiveservices.azure.cn",
  ".search.azure.cn"
]

const isAzure = ({ hostname }: Endpoint): boolean => azureSuffixes.some((suffix) => hostname.endsWith(suffix))

/** `host`, or `*.suffix` for all below it. */
const isListed = ({ hostname }: Endpoint, allowed: ReadonlyArray<string>): boolean =>
  allowed.some((entry) => {
    const listed = entry.toLowerCase()
    return listed.startsWith("*.") ? hostname.endsWith(listed.slice(1)) : hostname === listed
  })

/** Whether the worker's identity may be sent there. */
export const mayHaveIdentity = (endpoint: Endpoint, allowed: ReadonlyArray<string>): boolean =>
  endpoint.isSecure && (isAzure(endpoint) || isListed(endpoint, allowed))

/** Why the worker must not call this endpoint so; undefined when it may. `allowed` is SERVICE_HOST_ALLOWLIST. */
export const refusal = (
  endpoint: Endpoint,
  signIn: "key" | "identity" | "none",
  allowed: ReadonlyArray<string>
): string | undefined => {
  const listed = isListed(endpoint, allowed)
  const local = isLoopback(endpoint)
  if (!endpoint.isSecure && !local && !listed) {
    return `${endpoint.host} would be called over plain HTTP. Use https, or have the operator put the host into SERVICE_HOST_ALLOWLIST.`
  }
  if (signIn === "identity" && !mayHaveIdentity(endpoint, allowed) && !local) {
    return `${endpoint.host} is no address of Azure, so the worker's own identity is not sent there. Use a key, or have the operator put the host into SERVICE_HOST_ALLOWLIST.`
  }
  return undefined
}
