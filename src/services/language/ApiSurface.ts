import type { Endpoint } from "../Endpoint.ts"
import { isLoopback } from "../Endpoint.ts"

/** How the language of OpenAI is spoken at an endpoint. */
export interface ApiSurface {
  /** Where paths such as `/responses` are appended. */
  readonly endpoint: Endpoint
  readonly query: Readonly<Record<string, string>>
  /** Whether the body names the deployment; else its path does. */
  readonly namesModel: boolean
  readonly keyHeader: { readonly header: string; readonly prefix: string }
  readonly api: "responses" | "chat_completions"
  readonly service: string
}

const isAzure = ({ hostname }: Endpoint): boolean =>
  /\.azure\.(?:com|us|cn)$|\.cognitive\.microsoft\.com$/.test(hostname)

const isOpenAi = ({ hostname }: Endpoint): boolean => hostname === "api.openai.com"

/** The paths in which people copy endpoints: of the resource, of its v1 surface, of one operation. */
const withoutOperation = (url: string): string =>
  url
    .replace(/\/(?:responses|chat\/completions|embeddings|chat)$/, "")
    .replace(/\/openai\/deployments(?:\/[^/]*)?$/, "")

/** `apiVersion` selects Azure's older surface, whose paths hold the deployment; without it, and for `v1` and `preview`, it is `/v1`. */
export const of = (
  endpoint: Endpoint,
  deployment: string,
  api: ApiSurface["api"] | null,
  apiVersion: string | null
): ApiSurface => {
  const azure =
    isAzure(endpoint) || (isLoopback(endpoint) && apiVersion !== null && !/(?<!\/openai)\/v1$/.test(endpoint.url))
  const base = withoutOperation(endpoint.url)
  const service = azure ? "Azure OpenAI" : isOpenAi(endpoint) ? "OpenAI" : "The model server"
  const keyHeader = azure ? { header: "api-key", prefix: "" } : { header: "authorization", prefix: "Bearer " }
  if (azure && apiVersion !== null && !/^(?:v1|preview|latest)$/.test(apiVersion)) {
    const root = base.replace(/\/openai(?:\/v1)?$/, "")
    return {
      endpoint: { ...endpoint, url: `${root}/openai/deployments/${deployment}` },
      query: { "api-version": apiVersion },
      namesModel: false,
      keyHeader,
      // The responses of this surface are not under the deployment.
      api: "chat_completions",
      service
    }
  }
  const path = base.slice(endpoint.origin.length)
  const url = path === "" ? `${base}${azure ? "/openai/v1" : "/v1"}` : azure && path === "/openai" ? `${base}/v1` : base
  return {
    endpoint: { ...endpoint, url },
    query: {},
    namesModel: true,
    keyHeader,
    api: api ?? (azure || isOpenAi(endpoint) ? "responses" : "chat_completions"),
    service
  }
}
